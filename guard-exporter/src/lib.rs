//! Shows what the guards on this machine decide: reads their rings, counts into Prometheus metrics,
//! and writes the denial log.
//!
//! The path of one decision: [`discovery`] finds the ring, [`drain`] reads it, and [`observe`] has it
//! counted by [`metrics`], timed by [`guard_report::activity`] and checked by [`detect`]. A denial is also appended
//! to [`denial_log`], kept by [`recent`] and published by [`stream`]; [`otlp`] exports it. [`http`]
//! serves what is on the [`app_state`]; [`service`] owns the two threads.
//!
//! The exporter guarantees that it can neither change nor delay a decision: it maps rings read-only,
//! and guards never wait for it. It deliberately runs without any privilege, as the protected user.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    reason = "the library of a program: what needs saying has a comment, and the rest is named for \
              what it is"
)]

pub mod app_state;
pub mod cli;
pub mod confine;
pub mod cursors;
pub mod denial_log;
pub mod detect;
pub mod discovery;
pub mod drain;
mod error_chain;
pub mod health;
pub mod http;
pub mod instance;
pub mod log;
pub mod metrics;
pub mod observe;
pub mod otlp;
mod pace;
pub mod percentiles;
mod positions;
mod rate_limited;
pub mod recent;
pub mod requests;
pub mod ring;
pub mod service;
pub mod stream;

mod timer;
mod units;
pub mod verify;
