//! A safe API over Apple's Endpoint Security framework; it knows nothing of guards.

mod audit_token;
mod clock;
mod deadline;
mod enums;
pub mod event;
mod event_type;
mod file;
mod message;
mod open_flags;
mod process;
mod raw;
mod time;

pub use audit_token::AuditToken;
pub use clock::Clock;
pub use deadline::Budget;
pub use enums::*;
pub use event::Event;
pub use event_type::EventType;
pub use file::{Acl, AttributeList, File, Stat, StatFs};
pub use message::{MessageView, Outcome};
pub use open_flags::OpenFlags;
pub use process::{Descriptor, Process, Thread, ThreadState};
pub use raw::exec::{
    Arguments, ArgumentsIter, Descriptors, DescriptorsIter, Environment, EnvironmentIter,
};
pub use raw::list::{Iter, List};
pub use time::TimeSpec;
pub use endpoint_sec_sys::OsVersion;
