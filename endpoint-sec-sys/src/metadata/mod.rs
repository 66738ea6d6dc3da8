//! The properties of each event type and function, as data.
//!
//! From ESTypes.h, ESMessage.h and ESClient.h of macOS 27.0, whose comments state which answers are
//! cached and which event types have target paths to mute.

use crate::event_type::es_event_type_t;
use crate::release::OsVersion;

mod events;
mod functions;

pub use events::EVENTS;
pub use functions::functions;

/// Whether messages of an event type are requests or reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Requests: the operation waits for an answer.
    Auth,
    /// Reports.
    Notify,
    /// Not documented: either. See the message's `action_type`.
    Reserved,
}

/// Where the struct of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    /// In the message.
    Inline,
    /// Behind a pointer in the message.
    Pointer,
}

/// By which function a message is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Response {
    /// `es_respond_auth_result`.
    Auth,
    /// `es_respond_flags_result`.
    Flags,
}

/// Whether an answer can be cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cacheability {
    /// It can.
    Cacheable,
    /// It cannot: asking for it does nothing.
    NotCacheable,
    /// The headers do not say.
    Unspecified,
}

/// What sends messages of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Emitter {
    /// The kernel, or the headers do not say.
    Kernel,
    /// launchd: a message's process is launchd.
    Launchd,
    /// A program of the system, voluntarily: another program for the same purpose does not send
    /// them.
    Program,
}

/// The properties of an event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventInfo {
    /// The event type.
    pub event_type: es_event_type_t,
    /// Its C name.
    pub name: &'static str,
    /// Whether its messages are requests or reports.
    pub kind: EventKind,
    /// The first release that has it.
    pub introduced: OsVersion,
    /// The message version of that release: no message of this type has less.
    pub first_message_version: u32,
    /// The member of `es_events_t`, and by the rule `es_event_<member>_t` its type. Nothing for
    /// reserved types, whose contents are not documented.
    pub member: Option<&'static str>,
    /// Where the member is; nothing for reserved types.
    pub storage: Option<Storage>,
    /// How a message is answered; for AUTH only.
    pub response: Option<Response>,
    /// Whether an answer can be cached; for AUTH only.
    pub cacheability: Option<Cacheability>,
    /// How many paths the operation is about that can be muted: 0, 1 or 2.
    pub target_paths: u8,
    /// What sends the messages.
    pub emitter: Emitter,
    /// Whether muting a process also considers the instigator, not only the message's process.
    pub has_instigator_role: bool,
    /// Whether one operation may cause several messages.
    pub repeats: bool,
}

/// The properties of a function of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionInfo {
    /// Its name.
    pub name: &'static str,
    /// The first release that has it.
    pub introduced: OsVersion,
    /// The first release that deprecates it.
    pub deprecated: Option<OsVersion>,
    /// The types of its parameters, as this crate writes them.
    pub parameters: &'static [&'static str],
    /// The type of what it returns; empty for nothing.
    pub returns: &'static str,
    /// Whether it is linked; otherwise it is looked up at run time.
    pub linked: bool,
}
