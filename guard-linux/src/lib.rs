//! The Linux backend of codex-es-guard: guarded sessions by seccomp user notification.
//!
//! A filter on the session's processes makes a few system calls wait ([`filter`]); the supervisor
//! ([`supervisor`]) reads what they would do ([`callers`], [`directories`]), decides ([`judge`]),
//! and refuses, performs or continues them. [`session`] is the tree of processes around it.
//!
//! The crate knows no policy file, no exporter and no command line: the program that links it brings
//! a [`guard_core::guard::Guard`] and a command to run.

#![cfg(target_os = "linux")]

mod callers;
mod calls;
mod clock;
mod context;
mod descriptors;
mod directories;
mod facts;
mod files;
mod filter;
mod judge;
mod mounts;
mod preservation;
pub mod procfs;
pub mod session;
pub mod supervisor;
mod sys;
mod walk;
mod world;

pub use preservation::Preservation;
