//! A safe API over Apple's Endpoint Security framework; it knows nothing of guards.

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
mod mute;
mod open_flags;
mod process;
mod raw;
mod time;

// The simulator defines the C functions that tests link to.
#[cfg(all(test, not(target_vendor = "apple")))]
use endpoint_sec_sim as _;

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
pub use file::{Acl, AttributeList, File, Stat, StatFs};
pub use message::{
    AuthMessage, CacheableMessage, KeptAuth, KeptCacheable, KeptMessage, KeptOpen, Message,
    MessageView, NotifyMessage, OpenMessage, Outcome,
};
pub use mute::{ExecutablePath, MuteDimension, MutedPath, MutedPathKind, MutedProcess, TargetPath};
pub use open_flags::OpenFlags;
pub use process::{Descriptor, Process, Thread, ThreadState};
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
