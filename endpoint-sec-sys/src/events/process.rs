//! Events about processes: images, tasks, signals, identities.

use crate::darwin::{cpu_subtype_t, cpu_type_t, uid_t};
use crate::enums::{es_get_task_type_t, es_proc_check_type_t, es_proc_suspend_resume_type_t};
use crate::opaque_debug;
use crate::process::{es_file_t, es_process_t, es_thread_state_t};
use crate::token::es_string_token_t;

/// A process executes a program. The message's process is the one before, [`target`](Self::target)
/// the one after.
///
/// Arguments, environment and descriptors are read by `es_exec_arg` and its kin, from data behind
/// this struct: a copy of the struct has none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_exec_t {
    /// The process as it will be: the same number, another audit token; never null.
    pub target: *mut es_process_t,
    /// The path given to dyld, as the caller wrote it. Message version 7.
    pub dyld_exec_path: es_string_token_t,
    /// The bytes either way
    pub anonymous: es_event_exec_t_anonymous,
}

/// Bytes that became fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_exec_t_anonymous {
    /// Reserved.
    pub reserved: [u8; 64],
    /// As newer systems fill it
    pub fields: es_event_exec_t_anonymous_fields,
}

/// The fields that message versions 2 to 6 added.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_exec_t_anonymous_fields {
    /// The script that an interpreter is executed for; may be null. Message version 2.
    pub script: *mut es_file_t,
    /// The working directory; never null. Message version 3.
    pub cwd: *mut es_file_t,
    /// The highest open descriptor. Message version 4.
    pub last_fd: i32,
    /// The image's processor. Message version 6.
    pub image_cputype: cpu_type_t,
    /// The image's processor variant. Message version 6.
    pub image_cpusubtype: cpu_subtype_t,
}

/// A descriptor that a process has open as it executes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_fd_t {
    /// The descriptor.
    pub fd: i32,
    /// What it refers to, `PROX_FDTYPE_*`.
    pub fdtype: u32,
    /// The bytes either way
    pub anonymous: es_fd_t_anonymous,
}

/// What depends on [`fdtype`](es_fd_t::fdtype).
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_fd_t_anonymous {
    /// For `PROX_FDTYPE_PIPE` only.
    pub pipe: es_fd_t_anonymous_pipe,
}

/// A pipe.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_fd_t_anonymous_pipe {
    /// Names the pipe: the same at both ends.
    pub pipe_id: u64,
}

/// A process forks.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_fork_t {
    /// The new process; never null.
    pub child: *mut es_process_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process exits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_exit_t {
    /// The status, as `wait(2)` returns it.
    pub stat: i32,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process signals another; not raised for signals to oneself.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_signal_t {
    /// The signal.
    pub sig: i32,
    /// The process signalled; never null.
    pub target: *mut es_process_t,
    /// The process on whose behalf launchd signals; may be null. Message version 9.
    pub instigator: *mut es_process_t,
    /// Reserved.
    pub reserved: [u8; 56],
}

/// A process gets another's control port.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_get_task_t {
    /// The process concerned; never null.
    pub target: *mut es_process_t,
    /// By which call. Message version 5.
    pub type_: es_get_task_type_t,
    /// Reserved.
    pub reserved: [u8; 60],
}

/// A process gets another's read port.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_get_task_read_t {
    /// The process concerned; never null.
    pub target: *mut es_process_t,
    /// By which call. Message version 5.
    pub type_: es_get_task_type_t,
    /// Reserved.
    pub reserved: [u8; 60],
}

/// A process gets another's inspect port.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_get_task_inspect_t {
    /// The process concerned; never null.
    pub target: *mut es_process_t,
    /// By which call. Message version 5.
    pub type_: es_get_task_type_t,
    /// Reserved.
    pub reserved: [u8; 60],
}

/// A process gets another's name port.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_get_task_name_t {
    /// The process concerned; never null.
    pub target: *mut es_process_t,
    /// By which call. Message version 5.
    pub type_: es_get_task_type_t,
    /// Reserved.
    pub reserved: [u8; 60],
}

/// A process asks about another by `proc_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_proc_check_t {
    /// The process concerned; may be null.
    pub target: *mut es_process_t,
    /// Which call of `proc_info`.
    pub type_: es_proc_check_type_t,
    /// Which of the call's flavors.
    pub flavor: i32,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process is suspended or resumed, or its sockets are shut down.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_proc_suspend_resume_t {
    /// The process concerned; may be null.
    pub target: *mut es_process_t,
    /// Which of the three.
    pub type_: es_proc_suspend_resume_type_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process attaches to another to trace it. May come more than once for one call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_trace_t {
    /// The process concerned; never null.
    pub target: *mut es_process_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process makes a thread in another.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_remote_thread_create_t {
    /// The process concerned; never null.
    pub target: *mut es_process_t,
    /// The thread's registers, when it was made with some; may be null.
    pub thread_state: *mut es_thread_state_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// The process's code signature became invalid.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_cs_invalidated_t {
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process calls `setuid(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_setuid_t {
    /// The new user.
    pub uid: uid_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process calls `setgid(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_setgid_t {
    /// The new group.
    pub gid: uid_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process calls `seteuid(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_seteuid_t {
    /// The new effective user.
    pub euid: uid_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process calls `setegid(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_setegid_t {
    /// The new effective group.
    pub egid: uid_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process calls `setreuid(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_setreuid_t {
    /// The new real user.
    pub ruid: uid_t,
    /// The new effective user.
    pub euid: uid_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process calls `setregid(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_setregid_t {
    /// The new real group.
    pub rgid: uid_t,
    /// The new effective group.
    pub egid: uid_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

opaque_debug!(
    es_event_exec_t,
    es_event_exec_t_anonymous,
    es_fd_t,
    es_fd_t_anonymous
);
