//! The rules of this house, kept by reading it.
//!
//! [`code`] has the rules of the source, [`documents`] those of what is written about it. A rule
//! that is broken names every place at once.

#![allow(clippy::tests_outside_test_module, reason = "a test binary")]

mod arrows;
mod code;
mod cycles;
mod documents;
mod markdown;
mod numbers;
mod promises;
mod reference;
mod repository;
mod rust;
