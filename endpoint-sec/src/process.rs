//! Processes and threads, as messages describe them.

use crate::audit_token::AuditToken;
use crate::enums::CsValidationCategory;
use crate::file::File;
use crate::raw::view;
use crate::time::TimeSpec;
use endpoint_sec_sys::constants;

view! {
    /// A process, as it was when the message was made.
    pub struct Process<'a>(es_process_t) {
        /// Its name for the kernel.
        audit_token: AuditToken,
        /// The process identifier of its parent, which may be another process by now: prefer
        /// [`parent_audit_token`](Self::parent_audit_token).
        ppid: i32,
        /// The process identifier of the parent it had first; does not change.
        original_ppid: i32,
        /// Its process group.
        group_id: i32,
        /// Its session.
        session_id: i32,
        /// What is known of its code signature so far (`CS_*`); pages are checked as they are
        /// first used.
        codesigning_flags: u32,
        /// Whether it is a program of macOS.
        is_platform_binary: bool,
        /// Whether it is an Endpoint Security client.
        is_es_client: bool,
        /// The first 20 bytes of the hash of its code directory.
        cdhash: [u8; 20],
        /// The signing identifier of its code; empty if it is not signed.
        signing_id: &'a [u8],
        /// The team identifier of its code; empty if there is none.
        team_id: &'a [u8],
        /// Its program.
        executable: File<'a>,
        /// Its terminal, if it has one. Message version 2.
        [maybe 2] tty: Option<File<'a>>,
        /// When it began. Message version 3.
        [since 3] start_time: TimeSpec,
        /// The process that answers for it to the user, perhaps itself. Message version 4.
        [since 4] responsible_audit_token: AuditToken,
        /// Its parent. Message version 4.
        [since 4] parent_audit_token: AuditToken,
        /// By whom its code was signed. Message version 10.
        [since 10] cs_validation_category: CsValidationCategory,
        /// The whole hash of its code directory. Message version 11.
        [since 11] cdhash_full: &'a [u8],
    }
}

impl Process<'_> {
    /// Its process identifier.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.audit_token().pid()
    }

    /// Whether its code signature is valid so far (`CS_VALID`).
    #[must_use]
    pub fn is_validly_signed(&self) -> bool {
        self.codesigning_flags() & constants::CS_VALID != 0
    }
}

view! {
    /// A thread.
    pub struct Thread<'a>(es_thread_t) {
        /// Its number, unique since boot.
        thread_id: u64,
    }
}

view! {
    /// The state that a new thread starts with.
    pub struct ThreadState<'a>(es_thread_state_t) {
        /// Which registers it holds (`thread_state_flavor_t`).
        flavor: i32,
        /// The registers.
        state: &'a [u8],
    }
}

view! {
    /// A file descriptor that a program starts with.
    pub struct Descriptor<'a>(es_fd_t) {
        /// Its number.
        fd: i32,
        /// What it is of (`PROX_FDTYPE_*`).
        fdtype: u32,
        /// The pipe's number, if it is of a pipe.
        [if is_pipe] pipe_id: u64 = anonymous.pipe.pipe_id,
    }
}

impl Descriptor<'_> {
    /// Whether it is of a pipe.
    #[must_use]
    pub fn is_pipe(&self) -> bool {
        self.fdtype() == constants::PROX_FDTYPE_PIPE
    }
}
