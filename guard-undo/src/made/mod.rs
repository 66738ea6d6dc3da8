//! What agents made, written down for later sessions.
//!
//! ```text
//! ~/.codex/es-guard/made/           0700
//! └── SESSION                       0600, the entries of one session, or of several together
//! ```
//!
//! An [`Entry`] says which object was an agent's at which path. A session [reads](MadeStore::read)
//! all files once, at its start; [`MadeFiles::find`] then takes one binary search in memory and one
//! read for each file. A session [writes](MadeStore::write) one file of its own, whole each time, and
//! takes it into the store by a rename. [`MadeStore::compact`] puts files together.
//!
//! Guarantees: a file is whole or not there. An entry is found only by the very values that were
//! written, but for the time of the last change of the inode: whoever asks sees that it differs. The store is bounded: the oldest entries are dropped first, which leaves their objects
//! protected. It is in this crate since it is the other thing that sessions leave to later ones, in
//! the same directory, by the same rules, for the same backends.
//!
//! It deliberately does not decide what is an agent's, and does not look at the objects.

mod file;
mod store;

pub use file::{Entry, MadeFile};
pub use store::{MadeFiles, MadeStore, MadeStoreError};
