//! The Endpoint Security backend of codex-es-guard.
//!
//! ```text
//! kernel ─ AUTH_UNLINK, … ─▶ enforcement client ─▶ reading ─▶ evaluate ─▶ answer ─▶ ring
//!                                                               └ preserving ─▶ undo store
//!        ─ NOTIFY_FORK, … ─▶ lineage client ─────▶ feed ────▶ lineage
//!        ◀─ what to send ─── muting plan ◀──────── policy
//! ```
//!
//! [`Backend`] starts two clients: the enforcement client, to which the kernel sends only
//! operations on zones and on the guard's own files, and the lineage client, which receives every
//! fork, exec and exit. [`Service`] supervises a backend: it starts it, verifies by a denial that
//! it works, and tries again where the system refuses. A backend of [`Scope::Descendants`] guards
//! one command on macOS 27.
//!
//! Guarantees: each request is answered once, before anything slow but what preserves what it would
//! take; a panic or a deadline is answered as the policy says; a zone is covered before the reload that adds it returns.
//!
//! The crate knows no policy file, no command line and no path but a probe's. On systems other than
//! macOS it is built for its tests and benches, against a simulator.

pub mod paths;
pub mod processes;
pub mod signals;
pub mod volumes;

mod backend;
mod enforcement;
mod evaluate;
mod facts;
mod feed;
mod muting;
mod names;
mod open_cache;
mod preserving;
mod probe;
mod reading;
mod request;
mod service;

pub use backend::{Backend, Scope, Settings, StartError};
pub use muting::AdoptError;
pub use probe::{Probe, Proof, SelfTestError};
pub use service::{Attempt, Service, Step};

/// Defines the functions of libEndpointSecurity.
#[cfg(all(test, not(target_vendor = "apple")))]
use endpoint_sec_sim as _;
