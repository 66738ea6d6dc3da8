//! Events about processes that meet: sockets, terminals, XPC, launchd's names.

use crate::darwin::{audit_token_t, dev_t, mode_t};
use crate::enums::{es_bootstrap_target_type_t, es_xpc_domain_type_t};
use crate::opaque_debug;
use crate::process::{es_file_t, es_lightweight_code_requirement_t, es_process_t};
use crate::token::es_string_token_t;

/// A UNIX-domain socket is bound to a path.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_uipc_bind_t {
    /// The directory; never null.
    pub dir: *mut es_file_t,
    /// The name in it.
    pub filename: es_string_token_t,
    /// The mode of the new socket.
    pub mode: mode_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A UNIX-domain socket is connected.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_uipc_connect_t {
    /// The socket's file; never null.
    pub file: *mut es_file_t,
    /// The domain, as `socket(2)` has it.
    pub domain: i32,
    /// The type, as `socket(2)` has it.
    pub type_: i32,
    /// The protocol, as `socket(2)` has it.
    pub protocol: i32,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A pseudo-terminal is granted to a process.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_pty_grant_t {
    /// The terminal's device number.
    pub dev: dev_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A pseudo-terminal is closed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_pty_close_t {
    /// The terminal's device number.
    pub dev: dev_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process connects to an XPC service.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_xpc_connect_t {
    /// The service's name.
    pub service_name: es_string_token_t,
    /// The domain of the name.
    pub service_domain_type: es_xpc_domain_type_t,
}

/// A process claims a service's name at launchd. The message's process is launchd, the caller is
/// the instigator.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_bootstrap_check_in_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The audit token of the instigating process.
    pub instigator_token: audit_token_t,
    /// The service's name.
    pub service_name: es_string_token_t,
}

/// A process looks up a service's name at launchd. The message's process is launchd, the caller is
/// the instigator.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_bootstrap_look_up_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The audit token of the instigating process.
    pub instigator_token: audit_token_t,
    /// The service's name.
    pub service_name: es_string_token_t,
    /// Which member of [`target`](Self::target) holds.
    pub target_type: es_bootstrap_target_type_t,
    /// Who has the name.
    pub target: es_event_bootstrap_look_up_t_target,
}

/// Who has a name at launchd.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_bootstrap_look_up_t_target {
    /// For `ES_BOOTSTRAP_TARGET_TYPE_PROCESS`.
    pub process: es_event_bootstrap_look_up_t_target_process,
    /// For `ES_BOOTSTRAP_TARGET_TYPE_JOB`: nothing runs yet.
    pub job: es_event_bootstrap_look_up_t_target_job,
}

/// A process that has the name.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_bootstrap_look_up_t_target_process {
    /// The process; may be null.
    pub target: *mut es_process_t,
    /// Its audit token.
    pub target_token: audit_token_t,
    /// Its job's label.
    pub job_label: es_string_token_t,
}

/// A job that has the name, not running yet.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_bootstrap_look_up_t_target_job {
    /// The job's label.
    pub job_label: es_string_token_t,
    /// What launchd demands of the job's program; may be null.
    pub lwcr: *mut es_lightweight_code_requirement_t,
}

opaque_debug!(
    es_event_bootstrap_look_up_t,
    es_event_bootstrap_look_up_t_target
);
