//! Atomics and locks: the standard ones, or loom's when a model is checked.
//!
//! Everything in this crate that threads share goes through here, so that `--cfg loom` explores the
//! very code that ships. Cells that are written once before anyone reads them stay the standard
//! `OnceLock`.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
