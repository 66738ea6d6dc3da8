//! The enforcement core: policy, lineage, ownership and decision, and the ring of decision events.
//!
//! How an operation passes through it: a kernel backend builds an [`Operation`]; the policy's
//! snapshot finds the protected zones that it touches; [`Lineage`](lineage::Lineage) attributes the
//! acting process; [`decide`](decision::decide) gives the verdict, which is published as a
//! [`DecisionEvent`] in the [`ring`].
//!
//! It guarantees that a decision performs no I/O, takes no lock and allocates nothing once the acting
//! process is known. It reads no clock and knows no kernel interface: time, processes and files come
//! in through arguments and two traits, [`process::ProcessSource`] and [`actor::FactSource`]. Two
//! things differ by platform: the system's temporary paths ([`policy::Platform`], a value), and one
//! flag of the `mmap` call by which a ring maps its file.
//!
//! It deliberately does not resolve paths. Backends supply canonical bytes, as [`Operation`]
//! describes.

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
pub mod path;
pub mod places;
pub mod policy;
pub mod process;
pub mod ring;
#[cfg(test)]
mod sample_facts;
pub mod standing;
mod sync;
pub mod time;
pub mod tools;
pub mod verdict;
pub mod zones;

pub use event::DecisionEvent;
pub use operation::{Operation, OperationKind};
pub use verdict::{Reason, Verdict};
