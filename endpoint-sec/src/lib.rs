//! A safe API over Apple's Endpoint Security library.
//!
//! A [`Client`] subscribes to event types and receives a [`Message`] for each event: a report of an
//! operation (NOTIFY), or a request to allow or deny one (AUTH), which must be answered before its
//! deadline.
//!
//! ```
//! # #[cfg(not(target_vendor = "apple"))]
//! # use endpoint_sec_sim as _;
//! use endpoint_sec::{Client, Event, EventType, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(not(target_vendor = "apple"))]
//! # let machine =
//! #     endpoint_sec_sim::Machine::new(endpoint_sec::OsVersion::new(27, 0, 0)).install();
//! let client = Client::builder().start(|message| {
//!     let Message::Auth(message) = message else {
//!         return;
//!     };
//!     let keep = match message.event() {
//!         Event::Unlink(unlink) => unlink.target().path().ends_with(b"/precious"),
//!         _ => false,
//!     };
//!     let answered = if keep { message.deny() } else { message.allow() };
//!     if let Err(error) = answered {
//!         eprintln!("{error}");
//!     }
//! })?;
//! client.mute_self()?;
//! let subscribed = client.subscribe(&[EventType::AUTH_UNLINK])?;
//! assert!(subscribed.dropped.is_empty(), "this macOS is too old");
//! # #[cfg(not(target_vendor = "apple"))]
//! # {
//! #     let rm = machine.process("/bin/rm").start();
//! #     assert!(!machine.unlink(&rm, "/Users/me/precious").allowed());
//! #     assert!(machine.unlink(&rm, "/Users/me/other").allowed());
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! Guarantees:
//!
//! - **No read beyond a message.** Systems write messages of versions 1 to 11, of different
//!   lengths. A view is a pointer, a version and a lifetime, never a reference to a C struct; a
//!   field that the message's version lacks is `None`. Views end with the message: when the handler
//!   returns, or when a kept message is dropped.
//! - **Every request is answered once.** Answering consumes an [`AuthMessage`] or an
//!   [`OpenMessage`]. One that is dropped, forgotten, lost in a panic, or not answered within [its
//!   time](Budget) gets the client's default answer. A later answer is an error, not a second
//!   answer.
//! - **Threads are safe.** A handler is `Send` and owns what it uses; a [`Handle`] works on every
//!   thread; a client is created and deleted on a thread of its own, as older systems require, and
//!   never while a call on it runs. A call that would wait for the handler is refused in it.
//! - **No panic reaches C.** The message is answered, the panic is [reported](Report), and the next
//!   message is handled.
//! - **Missing features are errors.** Functions newer than macOS 11.0 are looked up when they are
//!   called; event types that the system does not know are not subscribed to, and returned.
//! - **Dropped messages are counted**, by type and in total ([`Handle::drops`]).
//!
//! Answering a message in the handler allocates nothing in this crate. Keeping a message allocates.
//!
//! The crate does not decode what the headers do not document (reserved types), and does not run
//! off macOS: there the C functions are those of a simulator, for tests.

mod acl;
mod answer;
mod audit_token;
mod client;
mod clock;
mod deadline;
mod enums;
mod error;
pub mod event;
mod event_type;
mod file;
mod message;
#[cfg(doctest)]
mod misuse;
mod mute;
mod open_flags;
mod process;
mod raw;
mod time;

// The simulator defines the C functions that unit tests link to.
#[cfg(all(test, not(target_vendor = "apple")))]
use endpoint_sec_sim as _;

pub use acl::{AclEntry, AclKind};
pub use answer::Answer;
pub use audit_token::AuditToken;
pub use client::{Builder, Client, Handle, Report, SavedMutes, Statistics, Subscribed};
pub use clock::Clock;
pub use deadline::Budget;
pub use endpoint_sec_sys::OsVersion;
pub use enums::*;
pub use error::{AnswerError, CallError, InvertError, PathError, StartError};
pub use event::Event;
pub use event_type::EventType;
pub use file::{AttributeList, File, Stat, StatFs};
pub use message::{
    AuthMessage, CacheableMessage, KeptAuth, KeptCacheable, KeptMessage, KeptOpen, Message,
    MessageView, NotifyMessage, OpenMessage, Outcome,
};
pub use mute::{ExecutablePath, MuteDimension, MutedPath, MutedPathKind, MutedProcess, TargetPath};
pub use open_flags::OpenFlags;
pub use process::{Descriptor, Process, Thread, ThreadState};
pub use raw::acl::Acl;
pub use raw::entitlements::Entitlements;
pub use raw::exec::{
    Arguments, ArgumentsIter, Descriptors, DescriptorsIter, Environment, EnvironmentIter,
};
pub use raw::list::{Iter, List};
pub use time::TimeSpec;

/// The release of macOS that runs; macOS 11.0 if it does not say.
#[must_use]
pub fn os_version() -> OsVersion {
    endpoint_sec_sys::os_version()
}
