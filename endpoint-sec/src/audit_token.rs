//! Audit tokens, which identify processes.

use crate::raw::{audit, shown_as_debug};
use endpoint_sec_sys as sys;
use std::fmt;

/// Identifies one execution of a process, with the users it runs as.
///
/// Two tokens are equal if all of their words are. Apple calls their contents opaque; the
/// methods use the system's library (libbsm), which documents what it reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuditToken([u32; 8]);

impl AuditToken {
    pub(crate) fn from_c(token: sys::audit_token_t) -> Self {
        Self(token.val)
    }

    pub(crate) fn to_c(self) -> sys::audit_token_t {
        sys::audit_token_t { val: self.0 }
    }

    /// The token with these words, as from `task_info(TASK_AUDIT_TOKEN)` or the trailer of a Mach
    /// message.
    #[must_use]
    pub const fn from_words(words: [u32; 8]) -> Self {
        Self(words)
    }

    /// The eight words.
    #[must_use]
    pub const fn words(self) -> [u32; 8] {
        self.0
    }

    /// The token of this very process; `None` if the kernel refuses.
    #[must_use]
    pub fn of_this_process() -> Option<Self> {
        audit::own().map(Self::from_c)
    }

    /// The process identifier.
    #[must_use]
    pub fn pid(self) -> i32 {
        audit::pid(self.to_c())
    }

    /// The execution of that process id: together they identify one execution since boot.
    /// An exec changes it.
    #[must_use]
    pub fn pid_version(self) -> i32 {
        audit::pidversion(self.to_c())
    }

    /// The user that logged in, which `setuid` does not change.
    #[must_use]
    pub fn audit_uid(self) -> u32 {
        audit::auid(self.to_c())
    }

    /// The effective user.
    #[must_use]
    pub fn euid(self) -> u32 {
        audit::euid(self.to_c())
    }

    /// The effective group.
    #[must_use]
    pub fn egid(self) -> u32 {
        audit::egid(self.to_c())
    }

    /// The real user.
    #[must_use]
    pub fn ruid(self) -> u32 {
        audit::ruid(self.to_c())
    }

    /// The real group.
    #[must_use]
    pub fn rgid(self) -> u32 {
        audit::rgid(self.to_c())
    }

    /// The audit session.
    #[must_use]
    pub fn audit_session(self) -> i32 {
        audit::asid(self.to_c())
    }
}

impl fmt::Debug for AuditToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditToken")
            .field("pid", &self.pid())
            .field("pid_version", &self.pid_version())
            .field("euid", &self.euid())
            .finish_non_exhaustive()
    }
}

shown_as_debug!(AuditToken);
