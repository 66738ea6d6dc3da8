//! Errors, with what to do about them.

use crate::event_type::EventType;
use endpoint_sec_sys::OsVersion;
use thiserror::Error;

/// Why a client could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The program is not entitled.
    #[error(
        "this program lacks the entitlement com.apple.developer.endpoint-security.client: sign it \
         with a provisioning profile for which Apple granted that entitlement"
    )]
    NotEntitled,
    /// The user has not permitted it.
    #[error(
        "the process responsible for this one lacks Full Disk Access: grant it in System Settings \
         > Privacy & Security > Full Disk Access, or by a configuration profile with \
         SystemPolicyAllFiles, and start again"
    )]
    NotPermitted,
    /// The program does not run as root.
    #[error("an Endpoint Security client must run as root: start it by launchd or with sudo")]
    NotPrivileged,
    /// This process, or the machine, has as many clients as it may have.
    #[error("too many Endpoint Security clients are connected: stop one and start again")]
    TooManyClients,
    /// The subsystem cannot be reached, or another failure that the system does not specify.
    #[error(
        "Endpoint Security does not answer (internal error): see the system's log for \
         endpointsecurityd"
    )]
    Internal,
    /// The system found an argument wrong, which this crate made.
    #[error("Endpoint Security refused an argument of es_new_client")]
    InvalidArgument,
    /// The system's release has no such client.
    #[error("{function} needs macOS {since}; this is macOS {running}")]
    NotAvailable {
        /// The function that is missing.
        function: &'static str,
        /// The first release that has it.
        since: OsVersion,
        /// The release that runs.
        running: OsVersion,
    },
    /// The client's thread could not be started.
    #[error("the client's thread could not be started")]
    Thread(#[source] std::io::Error),
    /// A result that is newer than this crate.
    #[error("es_new_client failed with the unknown result {0}")]
    Other(u32),
}

/// Why an answer had no effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The time for it was over, and the default answer was given instead.
    #[error("the answer came too late: the default answer was given before the deadline")]
    TooLate,
    /// The client is gone.
    #[error("the client is closed; the system decided without it")]
    Closed,
    /// The system does not wait for it any more.
    #[error("the system no longer waits for this message: its deadline has passed")]
    NotFound,
    /// The system has an answer already.
    #[error("the message was answered already")]
    Duplicate,
    /// The system wanted another kind of answer.
    #[error("the message wants another kind of answer, or none")]
    EventType,
    /// The system found an argument wrong.
    #[error("Endpoint Security refused an argument of the answer")]
    InvalidArgument,
    /// The system failed.
    #[error("Endpoint Security could not take the answer (internal error)")]
    Internal,
    /// A result that is newer than this crate.
    #[error("the answer failed with the unknown result {0}")]
    Other(u32),
}

/// Why a call on a client failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The client is gone.
    #[error("{call}: the client is closed")]
    Closed {
        /// The C function.
        call: &'static str,
    },
    /// The call waits for the system, which waits for the handler.
    #[error("{call} waits for the handler to return: call it from another thread")]
    InHandler {
        /// The C function.
        call: &'static str,
    },
    /// The system's release lacks the function.
    #[error("{call} needs macOS {since}; this is macOS {running}")]
    NotAvailable {
        /// The C function.
        call: &'static str,
        /// The first release that has it.
        since: OsVersion,
        /// The release that runs.
        running: OsVersion,
    },
    /// The system returned an error, and does not say which.
    #[error("{call} failed; Endpoint Security does not say why")]
    Failed {
        /// The C function.
        call: &'static str,
    },
    /// The client has inverted muting over the system's default mutes: subscribing to
    /// AUTH types would send it requests about the very programs that must not be blocked.
    #[error(
        "{call}: muting is inverted over the system's default mutes, which authorizations would \
         select: select what is wanted by `Handle::select_executables` first"
    )]
    DefaultSet {
        /// The C function.
        call: &'static str,
    },
    /// The cache was cleared too often.
    #[error("the cache was cleared too often: wait a second and try again")]
    Throttled,
}

/// Why muting was not inverted.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum InvertError {
    /// Inverting would send this client requests about the very programs that the system mutes by
    /// default, because blocking them can hang the machine.
    #[error(
        "inverting would select {muted} default-muted executables, such as {example}, for \
         authorizations of type {event}: save and clear the default set first \
         (`Handle::select_executables`)"
    )]
    DefaultSet {
        /// How many of the default mutes are still there.
        muted: usize,
        /// One of them.
        example: String,
        /// One of the subscribed authorizations.
        event: EventType,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Why bytes are no path to mute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum PathError {
    /// A C string ends at its first NUL: the rest would be ignored.
    #[error("the path has a NUL at byte {position}")]
    Nul {
        /// Where, counted from zero.
        position: usize,
    },
    /// Paths of messages are absolute; no other one would ever match.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
}
