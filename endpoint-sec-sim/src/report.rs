//! Defects of clients, and counters.
//!
//! On a Mac these mistakes are undefined behaviour, a stalled machine or a crash much later. Here
//! each is recorded when it occurs, and the test fails when its machine is dropped with an
//! unacknowledged one.

use std::fmt;

use endpoint_sec_sys::{OsVersion, es_event_type_t};

/// A mistake of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Defect {
    /// A message was released more often than it was retained, or was not alive at all.
    OverRelease {
        /// The function that was called.
        function: &'static str,
    },
    /// A function was handed a message that is not alive.
    DeadMessage {
        /// The function that was called.
        function: &'static str,
    },
    /// A message is still retained when the machine is switched off.
    LeakedMessage {
        /// The event type of the message.
        event: es_event_type_t,
        /// How many retains are left.
        retains: u32,
    },
    /// An AUTH message was freed without an answer, and can no longer be answered.
    Unanswered {
        /// The event type of the message.
        event: es_event_type_t,
    },
    /// A function was handed a client that does not exist or was deleted.
    DeadClient {
        /// The function that was called.
        function: &'static str,
    },
    /// A client was not deleted before the machine was switched off.
    LeakedClient,
    /// A null pointer where the header says non-null.
    NullArgument {
        /// The function that was called.
        function: &'static str,
    },
    /// `es_delete_client` was called from the client's own handler.
    DeletedFromHandler,
    /// `es_delete_client` was called on another thread than `es_new_client`, which releases before
    /// 27.0 forbid.
    DeletedFromOtherThread,
    /// A function that waits for the subsystem was called on the client's handler thread: AUTH
    /// delivery stalls.
    BlockingCallInHandler {
        /// The function that was called.
        function: &'static str,
    },
    /// `es_subscribe` was handed an event type that the release does not know: the kernel panics
    /// before 26.4.
    KernelPanic {
        /// The event type.
        event: es_event_type_t,
        /// The release that panics.
        release: OsVersion,
    },
    /// A function was called that the release does not have: a program that links it strongly does
    /// not start.
    MissingFunction {
        /// The function that was called.
        function: &'static str,
    },
    /// An exec accessor was handed an index past the count, or an event that is no exec.
    ExecArgument {
        /// The function that was called.
        function: &'static str,
    },
    /// A list was released that is not alive, or released by the wrong function.
    ListRelease {
        /// The function that was called.
        function: &'static str,
    },
    /// A list of muted paths or processes was never released.
    LeakedList,
    /// A handler did not return in time for the machine to be switched off.
    StuckHandler,
}

/// What happened on a machine so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Mistakes of clients, in order.
    pub defects: Vec<Defect>,
    /// Messages handed to handlers.
    pub delivered: u64,
    /// Messages lost because a queue was full.
    pub dropped: u64,
    /// AUTH messages whose deadline passed without an answer.
    pub deadlines_missed: u64,
    /// Operations that the result cache answered.
    pub cache_hits: u64,
    /// Messages alive now: queued, being handled or retained.
    pub live_messages: usize,
    /// Clients that were killed for a missed deadline.
    pub killed_clients: u64,
}

// === impl Defect ===

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OverRelease { function } => write!(f, "{function}: no retain is left to release"),
            Self::DeadMessage { function } => write!(f, "{function}: the message is not alive"),
            Self::LeakedMessage { event, retains } => {
                write!(f, "a message of type {} keeps {retains} retains", event.0)
            }
            Self::Unanswered { event } => {
                write!(f, "a message of type {} was freed unanswered", event.0)
            }
            Self::DeadClient { function } => write!(f, "{function}: the client does not exist"),
            Self::LeakedClient => write!(f, "a client was not deleted"),
            Self::NullArgument { function } => write!(f, "{function}: an argument is null"),
            Self::DeletedFromHandler => write!(f, "es_delete_client: called from the handler"),
            Self::DeletedFromOtherThread => {
                write!(f, "es_delete_client: not the thread of es_new_client")
            }
            Self::BlockingCallInHandler { function } => {
                write!(f, "{function}: called from the handler, which it blocks")
            }
            Self::KernelPanic { event, release } => {
                write!(f, "es_subscribe: type {} panics macOS {release}", event.0)
            }
            Self::MissingFunction { function } => {
                write!(f, "{function}: the release does not have it")
            }
            Self::ExecArgument { function } => {
                write!(f, "{function}: no such item, or not an exec event")
            }
            Self::ListRelease { function } => write!(f, "{function}: the list is not alive"),
            Self::LeakedList => write!(f, "a list of muted paths or processes was not released"),
            Self::StuckHandler => write!(f, "a handler did not return"),
        }
    }
}
