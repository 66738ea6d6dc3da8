//! The Endpoint Security backend of codex-es-guard.
//!
//! ```text
//! kernel ─ AUTH_UNLINK, … ─▶ enforcement client ─▶ reading ─▶ judge ─▶ answer ─▶ ring
//!        ─ NOTIFY_FORK, … ─▶ lineage client ─────▶ feed ────▶ lineage
//!        ◀─ what to send ─── muting plan ◀──────── policy
//! ```
//!
//! [`Backend`] starts two clients: one that answers, of which the kernel wants nothing but what
//! concerns zones and the guard's own files, and one that hears of every process. [`Service`] keeps
//! a backend going: it starts one, proves by a denial that it works, and tries again where the
//! system refuses. A backend of [`Scope::Descendants`] guards one
//! command on macOS 27.
//!
//! It guarantees that each request is answered once, before anything slow; that a panic or a
//! deadline is answered as the policy says; that a zone is covered before a reload that adds it is
//! reported done.
//!
//! It deliberately knows no policy file, no command line and no place on disk but a probe's. On
//! other systems than macOS it is built for its tests and benches, against a simulator.

pub mod paths;
pub mod processes;
pub mod volumes;

mod backend;
mod enforcement;
mod evaluate;
mod facts;
mod feed;
mod muting;
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
