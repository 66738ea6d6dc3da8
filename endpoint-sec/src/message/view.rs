//! What a message says.

use crate::enums::{ActionType, AuthResult, ResultType};
use crate::event::Event;
use crate::event_type::EventType;
use crate::process::{Process, Thread};
use crate::raw::{Raw, view};
use crate::time::TimeSpec;
use endpoint_sec_sys::es_message_t;
use std::ptr::NonNull;

view! {
    /// What a message says; `Copy`, and good as long as the message is there.
    pub struct MessageView<'a>(es_message_t) {
        /// When it happened, by the wall clock.
        time: TimeSpec,
        /// When it happened, in ticks of the [`Clock`](crate::Clock).
        mach_time: u64,
        /// When an answer is due, in ticks of the [`Clock`](crate::Clock). Of no meaning in a
        /// message that tells.
        deadline: u64,
        /// The process that does it. For services that launchd brokers this is launchd.
        process: Process<'a>,
        /// The number of this message among those of its type, for this client. Message version 2.
        [since 2] seq_num: u64,
        /// Whether it asks or tells.
        action_type: ActionType,
        /// What kind of event it is about.
        event_type: EventType,
        /// The thread that does it; messages from programs have none. Message version 4.
        [maybe 4] thread: Option<Thread<'a>>,
        /// The number of this message among all of this client. Message version 4.
        [since 4] global_seq_num: u64,
        /// What was decided over the operation, if the message tells of it.
        [if tells] outcome: Outcome<'a> = action.notify,
    }
}

view! {
    /// What was decided over an operation, by all clients together.
    pub struct Outcome<'a>(es_result_t) {
        /// Whether it is an answer or flags.
        result_type: ResultType,
        /// The answer, if it is one.
        [if result_type == ResultType::Auth] auth: AuthResult = result.auth,
        /// The allowed flags, if it is flags.
        [if result_type == ResultType::Flags] flags: u32 = result.flags,
    }
}

impl<'a> MessageView<'a> {
    /// What happened, or is about to.
    #[must_use]
    pub fn event(&self) -> Event<'a> {
        Event::of(self.0, self.event_type())
    }

    /// Whether it asks for an answer.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.action_type() == ActionType::Auth
    }

    /// Whether the kernel may remember an answer to it: not those of most types, nor that to the
    /// execution of a script.
    #[must_use]
    pub fn is_cacheable(&self) -> bool {
        let of_script = match self.event() {
            Event::Exec(exec) => exec.script().is_some(),
            _ => false,
        };
        self.asks() && self.event_type().is_cacheable() && !of_script
    }

    /// Whether it tells what happened.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.action_type() == ActionType::Notify
    }
}

/// What this crate itself needs of a view.
impl<'a> MessageView<'a> {
    pub(crate) fn from_raw(raw: Raw<'a, es_message_t>) -> Self {
        Self(raw)
    }

    pub(crate) fn as_ptr(&self) -> NonNull<es_message_t> {
        self.0.as_non_null()
    }
}
