//! The atomics of this crate: the standard library's, or loom's when a model is explored.
//!
//! Everything that synchronises imports from here, so that a model explores the very code that
//! runs: `RUSTFLAGS="--cfg loom" cargo test -p guard-core --lib --release ring`.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering, fence};
