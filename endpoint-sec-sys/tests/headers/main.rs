//! The crate against the headers of macOS 27.0, and against another binding.
//!
//! `es-layout.json` is what clang says of those headers, for arm64 and x86_64 alike. Each test
//! walks the JSON, not the crate, so that nothing is left out unseen; then it counts.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod enums;
mod events;
mod functions;
mod json;
mod second_binding;
mod structs;
