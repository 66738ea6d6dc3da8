//! One message, and the result that a notification reports.

use crate::darwin::timespec;
use crate::enums::{es_action_type_t, es_auth_result_t, es_result_type_t};
use crate::event_type::es_event_type_t;
use crate::events::es_events_t;
use crate::opaque_debug;
use crate::process::{es_process_t, es_thread_t};

/// Names an AUTH message to the kernel; opaque.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_id_t {
    /// Opaque.
    pub reserved: [u8; 32],
}

/// What was decided about the operation of a notification.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_result_t {
    /// Which member of [`result`](Self::result) holds.
    pub result_type: es_result_type_t,
    /// The decision.
    pub result: es_result_t_result,
}

/// A decision.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_result_t_result {
    /// For `ES_RESULT_TYPE_AUTH`.
    pub auth: es_auth_result_t,
    /// For `ES_RESULT_TYPE_FLAGS`: what is permitted.
    pub flags: u32,
    /// Reserved.
    pub reserved: [u8; 32],
}

/// One message.
///
/// 208 bytes before message version 4. Never form a reference to this type over the library's
/// memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_message_t {
    /// Which fields hold, here and in everything reached from here.
    pub version: u32,
    /// When it happened, by the wall clock.
    pub time: timespec,
    /// When it happened, in ticks of `mach_absolute_time`.
    pub mach_time: u64,
    /// When an answer is due at the latest, in ticks of `mach_absolute_time`.
    pub deadline: u64,
    /// Who; never null.
    pub process: *mut es_process_t,
    /// Counts this client's messages of this event type; a gap is a drop. Message version 2.
    pub seq_num: u64,
    /// Which member of [`action`](Self::action) holds.
    pub action_type: es_action_type_t,
    /// What is wanted.
    pub action: es_message_t_action,
    /// Which member of [`event`](Self::event) holds.
    pub event_type: es_event_type_t,
    /// What happened.
    pub event: es_events_t,
    /// Which thread; null for events that programs report. Message version 4.
    pub thread: *mut es_thread_t,
    /// Counts this client's messages; a gap is a drop. Message version 4.
    pub global_seq_num: u64,
    /// Private data follows.
    pub opaque: [u64; 0],
}

/// What is wanted of the client, or what was decided.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_message_t_action {
    /// For `ES_ACTION_TYPE_AUTH`: what the answer refers to.
    pub auth: es_event_id_t,
    /// For `ES_ACTION_TYPE_NOTIFY`: what was decided.
    pub notify: es_result_t,
}

opaque_debug!(
    es_result_t,
    es_result_t_result,
    es_message_t,
    es_message_t_action
);
