//! Why a session cannot start, or its command not run.

use guard_core::process::DescribeProcessError;
use rustix::io::Errno;
use std::error::Error;
use std::io;

/// Why a session cannot start, or its command not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A step that the kernel refused.
    #[error("{step}")]
    Step {
        /// What was being done.
        step: &'static str,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// Another supervisor's filter is installed.
    #[error(
        "this process is already supervised through seccomp: a guarded session cannot run inside \
         another one (the outer one guards this command too), nor inside a tool that uses the same \
         kernel feature; run it outside"
    )]
    AlreadySupervised,
    /// The kernel has no user notification.
    #[error(
        "this kernel has no seccomp user notification: guarded sessions need Linux 5.14 or later \
         with CONFIG_SECCOMP_FILTER"
    )]
    NoUserNotification(#[source] Errno),
    /// Installing a filter is forbidden.
    #[error(
        "installing a seccomp filter is forbidden here: in a container, run it with a seccomp \
         profile that allows the seccomp() system call, for example \
         `--security-opt seccomp=unconfined`"
    )]
    FilterForbidden(#[source] Errno),
    /// The kernel refused the filter for another reason.
    #[error("the kernel refused the seccomp filter")]
    FilterRefused(#[source] Errno),
    /// The supervisor ended before it let the command start.
    #[error("the supervisor did not start; see the message above")]
    SupervisorGone,
    /// `/proc` is not this PID namespace's.
    #[error(
        "/proc shows the processes of another PID namespace, so that the guard could not see who \
         acts: mount one of this namespace (`unshare --mount-proc`, `bwrap --proc /proc`)"
    )]
    ForeignProc,
    /// The guard's test of itself failed.
    #[error("the guard's test of itself failed, so that nothing would be guarded here")]
    NotProven(#[source] ProveError),
    /// The command's process ended before it was the command.
    #[error("describing the command's process")]
    CommandGone(#[source] DescribeProcessError),
    /// The command cannot be executed.
    #[error("cannot run {name}")]
    CannotRun {
        /// The command's name.
        name: String,
        /// The kernel's answer.
        #[source]
        source: Errno,
    },
    /// The caller's part of the supervisor failed.
    #[error(transparent)]
    Supervise(Box<dyn Error + Send + Sync>),
    /// The supervisor was killed while the command ran.
    #[error("the guard was killed by signal {0}; the session's destructive calls fail from now on")]
    SupervisorKilled(i32),
    /// The supervisor ended without a message to the outer process.
    #[error("the session could not be started")]
    NotStarted,
}

/// How the guard's test of itself failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The test could not be made.
    #[error("it could not be made")]
    NotMade(#[source] io::Error),
    /// The kernel did not ask the guard.
    #[error("the kernel did not ask the guard about a call of the session's process")]
    NotAsked,
    /// The guard answered otherwise than it should.
    #[error("the guard answered {answer} to a call of {of}")]
    Answered {
        /// Its answer.
        answer: String,
        /// Whose call it was taken for.
        of: &'static str,
    },
    /// The process got another result than the guard's answer.
    #[error("a denied call returned {}", io::Error::from_raw_os_error(*.0))]
    NotObeyed(i32),
}

// === impl SessionError ===

impl SessionError {
    /// The exit status for this error: 127 when the command is not found, 126 when it
    /// cannot be executed, 125 for everything of the guard's own.
    #[must_use]
    pub const fn exit_status(&self) -> i32 {
        match self {
            Self::CannotRun {
                source: Errno::NOENT,
                ..
            } => 127,
            Self::CannotRun { .. } => 126,
            _ => 125,
        }
    }

    pub(crate) fn kernel(step: &'static str, errno: Errno) -> Self {
        Self::io(step, errno.into())
    }

    pub(crate) const fn io(step: &'static str, source: io::Error) -> Self {
        Self::Step { step, source }
    }

    /// Why the kernel refused the filter, and what to do about it.
    pub(super) const fn filter(errno: Errno) -> Self {
        match errno {
            Errno::BUSY => Self::AlreadySupervised,
            Errno::INVAL | Errno::NOSYS => Self::NoUserNotification(errno),
            Errno::PERM | Errno::ACCESS => Self::FilterForbidden(errno),
            _ => Self::FilterRefused(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(source: Errno) -> SessionError {
        let name = "x".to_owned();
        SessionError::CannotRun { name, source }
    }

    #[test]
    fn exit_statuses_are_the_shells() {
        assert_eq!(run(Errno::NOENT).exit_status(), 127);
        assert_eq!(run(Errno::ACCESS).exit_status(), 126);
        assert_eq!(SessionError::AlreadySupervised.exit_status(), 125);
        assert_eq!(SessionError::kernel("x", Errno::NOENT).exit_status(), 125);
    }

    #[test]
    fn a_cause_is_said_once_and_in_the_source() {
        let errors = [
            SessionError::filter(Errno::INVAL),
            SessionError::filter(Errno::PERM),
            SessionError::filter(Errno::NOMEM),
            SessionError::kernel("making a socket pair", Errno::MFILE),
            run(Errno::NOENT),
        ];
        for error in errors {
            let source = error.source().map(ToString::to_string).unwrap();
            assert!(source.contains("os error"), "{source}");
            assert!(!error.to_string().contains("os error"), "{error}");
        }
    }
}
