//! The contents of a message.

use crate::enums::{ActionType, AuthResult, ResultType};
use crate::event::Event;
use crate::event_type::EventType;
use crate::process::{Process, Thread};
use crate::raw::{Raw, view};
use crate::time::TimeSpec;
use endpoint_sec_sys::es_message_t;
use std::ptr::NonNull;

view! {
    /// The contents of a message; `Copy`, and valid as long as the message exists.
    pub struct MessageView<'a>(es_message_t) {
        /// When the message was made, by the wall clock.
        time: TimeSpec,
        /// When the message was made, in ticks of the [`Clock`](crate::Clock).
        mach_time: u64,
        /// When an answer is due, in ticks of the [`Clock`](crate::Clock). Without
        /// meaning in a report.
        deadline: u64,
        /// The acting process. For services that launchd brokers this is launchd.
        process: Process<'a>,
        /// The number of this message among those of its type, for this client. Message version 2.
        [since 2] seq_num: u64,
        /// Whether it is a request or a report.
        action_type: ActionType,
        /// The event type.
        event_type: EventType,
        /// The acting thread; messages from programs have none. Message version 4.
        [maybe 4] thread: Option<Thread<'a>>,
        /// The number of this message among all of this client. Message version 4.
        [since 4] global_seq_num: u64,
        /// What was decided about the operation, if the message is a report.
        [if is_notify] outcome: Outcome<'a> = action.notify,
    }
}

view! {
    /// What all clients together decided about an operation.
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
    /// The event.
    #[must_use]
    pub fn event(&self) -> Event<'a> {
        Event::of(self.0, self.event_type())
    }

    /// Whether it is a request, which wants an answer.
    #[must_use]
    pub fn is_auth(&self) -> bool {
        self.action_type() == ActionType::Auth
    }

    /// Whether the kernel may cache an answer to it. It does not for most event types, nor for the
    /// execution of a script.
    #[must_use]
    pub fn is_cacheable(&self) -> bool {
        let of_script = match self.event() {
            Event::Exec(exec) => exec.script().is_some(),
            _ => false,
        };
        self.is_auth() && self.event_type().is_cacheable() && !of_script
    }

    /// Whether it is a report.
    #[must_use]
    pub fn is_notify(&self) -> bool {
        self.action_type() == ActionType::Notify
    }
}

/// What this crate needs of a view.
impl<'a> MessageView<'a> {
    pub(crate) fn from_raw(raw: Raw<'a, es_message_t>) -> Self {
        Self(raw)
    }

    pub(crate) fn as_ptr(&self) -> NonNull<es_message_t> {
        self.0.as_non_null()
    }
}
