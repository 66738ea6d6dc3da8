//! Files, processes and threads, as messages describe them.

use crate::darwin::{audit_token_t, pid_t, stat, timeval};
use crate::enums::es_cs_validation_category_t;
use crate::token::{es_string_token_t, es_token_t};

/// The first 20 bytes of a code directory's hash.
pub type es_cdhash_t = [u8; 20];

/// A SHA-256 hash.
pub type es_sha256_t = [u8; 32];

/// Names a graphical session.
pub type es_graphical_session_id_t = u32;

/// A file, as it was when the message was made.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_file_t {
    /// The path, links resolved.
    pub path: es_string_token_t,
    /// Whether the path was longer than 16 KiB, and cut.
    pub path_truncated: bool,
    /// The status; on FAT, an empty file has the inode number 999999999.
    pub stat: stat,
}

/// A process, as it was when the message was made.
///
/// Older systems allocate less: 120 bytes at message version 1, 128 at 2, 144 at 3, 208 at 4 to 9,
/// 216 at 10, 248 at 11. Never form a reference to this type over the library's memory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_process_t {
    /// The audit token: who, and which execution.
    pub audit_token: audit_token_t,
    /// The parent's process id, which may be another process by now.
    pub ppid: pid_t,
    /// The first parent's process id; does not change.
    pub original_ppid: pid_t,
    /// The process group.
    pub group_id: pid_t,
    /// The session.
    pub session_id: pid_t,
    /// The code-signing flags, `CS_*`.
    pub codesigning_flags: u32,
    /// Whether the program belongs to the system.
    pub is_platform_binary: bool,
    /// Whether the program has the Endpoint Security entitlement.
    pub is_es_client: bool,
    /// The first 20 bytes of the code directory's hash.
    pub cdhash: es_cdhash_t,
    /// The signing identifier.
    pub signing_id: es_string_token_t,
    /// The team identifier.
    pub team_id: es_string_token_t,
    /// The program's file; never null.
    pub executable: *mut es_file_t,
    /// The terminal; may be null. Message version 2.
    pub tty: *mut es_file_t,
    /// When the process began. Message version 3.
    pub start_time: timeval,
    /// The responsible process, maybe itself. Message version 4.
    pub responsible_audit_token: audit_token_t,
    /// The parent. Message version 4.
    pub parent_audit_token: audit_token_t,
    /// By which authority the signature is valid. Message version 10.
    pub cs_validation_category: es_cs_validation_category_t,
    /// Reserved.
    pub reserved: [u8; 16],
    /// The whole hash of the code directory. Message version 11.
    pub cdhash_full: es_token_t,
}

/// The thread that caused a message.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_thread_t {
    /// The thread's number, unique since boot.
    pub thread_id: u64,
}

/// A new thread's registers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_thread_state_t {
    /// Which registers, as `thread_set_state` names them.
    pub flavor: i32,
    /// The registers.
    pub state: es_token_t,
}

/// What a file's signature says.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_signed_file_info_t {
    /// The code directory's hash.
    pub cdhash: es_cdhash_t,
    /// The signing identifier.
    pub signing_id: es_string_token_t,
    /// The team identifier.
    pub team_id: es_string_token_t,
}

/// What launchd demands of the program behind a job.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_lightweight_code_requirement_t {
    /// The team identifier that the program must have.
    pub team_id: es_string_token_t,
    /// The signing identifier that the program must have.
    pub signing_id: es_string_token_t,
}
