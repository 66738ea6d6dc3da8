//! What codex-es-guard and its exporter say about the outside, defined once for both programs.
//!
//! A denial is a [`DenialRecord`](record::DenialRecord) in the denial log and a
//! [`Sentence`](sentence::Sentence) for people.

#![forbid(unsafe_code)]

pub mod log_format;
pub mod record;
pub mod sentence;
