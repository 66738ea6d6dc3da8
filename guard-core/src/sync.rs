//! Atomics and locks: the standard library's, or loom's when a model is explored.
//!
//! Everything in this crate that threads share goes through here, so that
//! `RUSTFLAGS="--cfg loom" cargo test -p guard-core --lib --release` explores the very code that
//! ships. Cells that are written once before anyone reads them stay the standard `OnceLock`.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering, fence},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering, fence},
};
