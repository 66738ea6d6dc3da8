//! The supervisor process of a session: it answers the session's calls until the last process of
//! the session is gone.
//!
//! [`Supervisor::start`] begins answering with a guard; the root command starts with
//! [`Supervisor::run_command`]. What a program does in between (its log, its own threads) is not
//! known here, nor is where the policy comes from.

mod answering;
mod mount_watch;
mod self_test;
mod store_watch;

use crate::files;
use crate::notice::{NoticeTexts, Notices};
use crate::session::{
    Change, SessionError, StartGate, StatusChannel, SupervisorArgs, wait_for_any,
};
use crate::session_caches::SessionCaches;
use crate::writers;
use answering::Answering;
use guard_core::guard::SharedGuard;
use guard_undo::Preservation;
use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::collections::HashSet;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A session's supervisor, which answers.
#[derive(Debug)]
pub struct Supervisor {
    answering: Answering,
    caches: Arc<SessionCaches>,
    root: u32,
    gate: StartGate,
    status: StatusChannel,
}

/// What is done beside answering, at the caller's own pace and on its own thread.
#[derive(Clone, Debug)]
pub struct Housekeeping {
    answering: Answering,
}

// === impl Supervisor ===

impl Supervisor {
    /// Proves that denials take effect in the session, then starts answering its calls with `guard`,
    /// preserving what `preservation` can, and showing denied processes `notices`. The root command
    /// still waits.
    ///
    /// # Errors
    ///
    /// When the proof fails, `/proc` cannot be read, or no thread be started.
    pub fn start(
        args: SupervisorArgs,
        guard: SharedGuard,
        preservation: Preservation,
        notices: Option<NoticeTexts>,
    ) -> Result<Self, SessionError> {
        self_test::prove(args.listener.as_fd(), &args.gate, args.root)
            .map_err(SessionError::NotProven)?;
        let notices = Notices::start(notices)
            .map_err(|error| SessionError::io("starting the thread of notices", error))?;
        let caches = SessionCaches::new(args.root, preservation, notices)
            .map_err(|error| SessionError::io("reading /proc", error))?;
        let caches = Arc::new(caches);
        let answering = Answering::new(
            guard,
            Arc::clone(&caches),
            args.listener,
            args.wait_killable,
        );
        answering
            .start()
            .map_err(|error| SessionError::io("starting the answering threads", error))?;
        mount_watch::start(Arc::clone(&caches))
            .map_err(|error| SessionError::io("watching the mount table", error))?;
        args.status.introduce(args.root);
        Ok(Self {
            answering,
            caches,
            root: args.root,
            gate: args.gate,
            status: args.status,
        })
    }

    /// What is to be done beside answering.
    #[must_use]
    pub fn housekeeping(&self) -> Housekeeping {
        Housekeeping {
            answering: self.answering.clone(),
        }
    }

    /// Keeps agents from listing these directories where their modes do not: where this process is
    /// privileged, so that agents are, too.
    ///
    /// # Errors
    ///
    /// When the kernel refuses for another reason than missing privileges or support.
    pub fn refuse_listing(&self, directories: &[PathBuf]) -> Result<(), SessionError> {
        store_watch::start(self.answering.guard(), directories)
            .map_err(|error| SessionError::io("watching the undo store", error))
    }

    /// Leaves the terminal and the working directory to the command: standard output and error go
    /// to `log`, or nowhere, and no file system is kept busy.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn detach(&self, log: Option<BorrowedFd<'_>>) -> Result<(), SessionError> {
        let detached = files::open_for_reading(CWD, c"/dev/null").and_then(|null| {
            let output = log.unwrap_or_else(|| null.as_fd());
            dup2_stdin(&null)?;
            dup2_stdout(output)?;
            dup2_stderr(output)
        });
        detached.map_err(|errno| SessionError::kernel("leaving the terminal", errno))?;
        std::env::set_current_dir("/")
            .map_err(|error| SessionError::io("leaving the working directory", error))
    }

    /// Keeps processes of the same user from attaching to the guard, writing its memory or taking
    /// its descriptors. The privileged still can; the session's filter reports that.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn hide_from_session(&self) -> Result<(), SessionError> {
        set_dumpable_behavior(DumpableBehavior::NotDumpable)
            .map_err(|errno| SessionError::kernel("making the guard unreadable to others", errno))
    }

    /// Lets the root command start, and reports to the outer process what becomes of it; before it
    /// reports the command's end, it calls `ended`. Returns when the last process of the session is
    /// gone.
    ///
    /// # Errors
    ///
    /// When the command's process is gone before it started.
    pub fn run_command(self, ended: impl FnOnce()) -> Result<(), SessionError> {
        self.gate
            .open()
            .map_err(|error| SessionError::io("starting the command", error))?;
        wait_for_root(self.root, &self.status, ended);
        // The command ended; what it left behind stays guarded until it is gone.
        while !self.answering.is_over() {
            thread::sleep(ORPHANS_INTERVAL);
            while matches!(wait_for_any(false), Ok(Some(_))) {}
        }
        self.caches.notices.finish();
        Ok(())
    }
}

/// Waits for children until the root command ended, reporting what becomes of it.
fn wait_for_root(root: u32, status: &StatusChannel, ended: impl FnOnce()) {
    loop {
        match wait_for_any(true) {
            Ok(Some((pid, change))) if pid.cast_unsigned() == root => {
                if matches!(change, Change::Exited(_) | Change::Killed(_)) {
                    ended();
                    status.report(change);
                    return;
                }
                status.report(change);
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

// === impl Housekeeping ===

impl Housekeeping {
    /// Whether no process of the session is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.answering.is_over()
    }

    /// Releases pinned directories and callers that were not used lately. To be called once a
    /// second or so.
    pub fn release_unused(&self) {
        self.answering.release_unused();
    }

    /// Takes into account who wrote, until now, what agents opened for writing. To be called once a
    /// second or so, and before what agents made is written down.
    pub fn note_writes(&self) {
        self.answering.note_writes();
    }

    /// The canonical paths of the files that the session's processes have open for writing.
    #[must_use]
    pub fn open_for_writing(&self) -> HashSet<Vec<u8>> {
        writers::written_by_descendants(std::process::id())
    }
}

/// How often the ends of orphans are collected.
const ORPHANS_INTERVAL: Duration = Duration::from_millis(50);
