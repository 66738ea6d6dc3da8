//! Guarded sessions on Linux, by seccomp user notification.
//!
//! A filter on the session's processes makes a few system calls wait ([`filter`]); the supervisor
//! ([`supervisor`]) reads what they would do ([`callers`], [`directories`]), decides ([`judge`]),
//! and refuses, performs, or lets go on. [`session`] is the tree of processes around it.

mod callers;
mod calls;
mod context;
mod directories;
mod filter;
mod guarded;
mod judge;
mod mounts;
pub(crate) mod procfs;
pub(crate) mod session;
mod supervisor;
pub(crate) mod sys;
mod walk;
mod witness;
mod world;

pub(crate) use guarded::{Plan, run};
pub(crate) use session::Dispositions;
