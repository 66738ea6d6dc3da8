//! What codex-es-guard decides, and how it tells.
//!
//! One operation's way through this crate: a kernel backend builds an [`Operation`], the policy's
//! snapshot says whether it touches a protected zone, [`Lineage`](lineage::Lineage) says who acts,
//! [`decide`](decision::decide) answers, and the answer goes as a [`DecisionEvent`] into the
//! [`ring`].
//!
//! This crate guarantees that a decision performs no I/O, takes no lock and allocates nothing once
//! the acting process is known. It holds no platform code and reads no clock: time, processes and
//! files are told to it through arguments and two traits, [`process::ProcessSource`] and
//! [`actor::FactSource`].
//!
//! It deliberately does not resolve paths. Backends hand over canonical bytes; see
//! [`Operation`] for what that means.

#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod actor;
pub mod agents;
pub mod decision;
pub mod event;
pub mod file;
pub mod glob;
pub mod guard;
pub mod lineage;
pub mod operation;
pub mod ownership;
pub mod policy;
pub mod process;
pub mod ring;
mod sync;
pub mod tools;
pub mod verdict;
pub mod zones;

pub use event::DecisionEvent;
pub use operation::{Operation, OperationKind};
pub use verdict::{Reason, Verdict};
