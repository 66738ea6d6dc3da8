//! What an agent removes or changes, preserved, and how it comes back.
//!
//! A backend that is about to let an agent's operation go on hands the object to a
//! [`Recorder`], which keeps it in the [`Store`] and writes a [`journal`] record. Later a person
//! [plans](restore::Plan) what a session's undoing would do, and applies it.
//!
//! ```text
//! ~/.codex/es-guard/undo/           0700
//! └── SESSION/                      one per guarded session, and one per restore
//!     ├── journal                   0600, append-only, one record a line
//!     └── objects/N                 kept inodes and copies, by number
//! ```
//!
//! Guarantees: a record names an object only after that object is complete, so that a crash at any
//! moment leaves nothing half-made on offer; nothing waits for the disk (no `fsync`);
//! restoring preserves what is in its way before it replaces it.
//!
//! It deliberately decides nothing: which operations must be preserved is guard-core's to say. It
//! knows no processes, no policy file and no clock of its own in what it records: times are
//! arguments.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)
)]

mod files;
pub mod journal;
pub mod made;
mod preservation;
pub mod regular_file;
mod repository;
pub mod restore;
pub mod store;
pub mod summary;
pub mod sweep;

pub use preservation::Preservation;
pub use repository::denies_unpreserved;
pub use store::recorder::Recorder;
pub use store::{Bounds, Store};
