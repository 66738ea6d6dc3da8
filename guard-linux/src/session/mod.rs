//! A guarded session: three processes and what passes between them.
//!
//! ```text
//! the user's shell ── outer (this program's first process: the job the shell knows)
//!                       └─ supervisor (own session, no terminal: answers notifications)
//!                            └─ root command (in the outer's process group, on its terminal)
//! ```
//!
//! The root command installs the filter on itself, hands the listener to the supervisor and waits
//! until it may start. The outer process relays signals downwards and stops, continues and ends as
//! the root command does. The supervisor outlives both, until the last process of the session is
//! gone: what an agent leaves running in the background stays guarded.
//!
//! The supervisor adopts the session's orphans (child subreaper), so they stay its descendants,
//! which the Yama module requires of processes whose memory one reads.

mod channel;
mod child;
mod command;
mod dispositions;
mod error;
mod outer;

pub(crate) use channel::{StartGate, StatusChannel};
pub(crate) use child::{Change, wait_for_any};
pub use dispositions::{SignalDispositions, unblock_signals};
pub use error::{ProveError, SessionError};
pub use outer::ExitOutcome;

use crate::descriptors;
use crate::procfs::{self, ProcFs};
use crate::sys::inherited;
use crate::sys::process::{self, Fork, exit_at_once};
use crate::sys::signals::{self, SignalSet};
use guard_core::process::{ProcessDescription, ProcessSource as _};
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, Signal};
use std::error::Error;
use std::ffi::CString;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

/// What to run, and how.
#[derive(Debug)]
pub struct SessionConfig {
    /// The root command and its arguments.
    pub command: Vec<CString>,
    /// The dispositions it starts with.
    pub dispositions: SignalDispositions,
    /// Reports an error of the supervisor's or the command's process, which end with it.
    pub report_error: fn(SessionError),
}

/// What the supervisor process starts with: see [`Supervisor`](crate::supervisor::Supervisor).
#[derive(Debug)]
pub struct SupervisorArgs {
    /// The listener of the session's filter.
    pub(crate) listener: OwnedFd,
    /// Whether callers wait through their signals.
    pub(crate) wait_killable: bool,
    /// The root command's process id.
    pub(crate) root: u32,
    /// The outer process's id.
    outer: u32,
    /// Lets the root command start.
    pub(crate) gate: StartGate,
    /// Reports to the outer process.
    pub(crate) status: StatusChannel,
}

/// Runs a command in a session of its own, answered by `supervise`, which runs in the supervisor
/// process until the session is over. Returns in the outer process, when the command has ended.
///
/// # Errors
///
/// When the session cannot be started: the kernel refuses a process or the filter, or `/proc` is
/// another PID namespace's. The command has
/// not run then. Errors of the supervisor and of the command's process go to
/// [`SessionConfig::report_error`].
pub fn run(
    config: SessionConfig,
    supervise: impl FnOnce(SupervisorArgs) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<ExitOutcome, SessionError> {
    let outer = std::process::id();
    if procfs::is_of_another_namespace() {
        return Err(SessionError::ForeignProc);
    }
    let (ours, theirs) = UnixStream::pair().map_err(|error| SessionError::io(PAIR, error))?;
    let (signals, mask) = SignalSet::block(&dispositions::RELAYED);
    let forked = process::fork();
    match forked.map_err(|errno| SessionError::kernel("starting the supervisor process", errno))? {
        Fork::Parent(supervisor) => {
            drop(theirs);
            // Best effort: the outer process ends with the command.
            let _as_they_are = inherited::release_descriptors();
            outer::run(ours, supervisor, signals)
        }
        Fork::Child => {
            drop(ours);
            let report_error = config.report_error;
            let status = StatusChannel::new(theirs);
            match become_supervisor(config, outer, supervise, status, &mask) {
                Ok(()) => exit_at_once(0),
                Err(error) => {
                    report_error(error);
                    exit_at_once(1)
                }
            }
        }
    }
}

fn become_supervisor(
    config: SessionConfig,
    outer: u32,
    supervise: impl FnOnce(SupervisorArgs) -> Result<(), Box<dyn Error + Send + Sync>>,
    status: StatusChannel,
    mask: &SignalSet,
) -> Result<(), SessionError> {
    let itself = Some(rustix::process::getpid());
    rustix::process::set_child_subreaper(itself)
        .map_err(|errno| SessionError::kernel("becoming a child subreaper", errno))?;
    let (ours, theirs) = UnixStream::pair().map_err(|error| SessionError::io(PAIR, error))?;
    let forked = process::fork();
    match forked.map_err(|errno| SessionError::kernel("starting the command's process", errno))? {
        Fork::Child => {
            drop((ours, status));
            mask.restore();
            config.dispositions.restore();
            let error = command::run(&config.command, theirs);
            let exit_status = error.exit_status();
            (config.report_error)(error);
            exit_at_once(exit_status)
        }
        Fork::Parent(root) => {
            drop(theirs);
            // From here on the terminal's signals are not ours, and the command's end is. The
            // descriptors that the command inherited are not held open here.
            let _leader = rustix::process::setsid();
            // The command's is its own; what the guard makes is the user's alone.
            let _inherited = rustix::process::umask(Mode::RWXG | Mode::RWXO);
            inherited::release_descriptors()
                .map_err(|error| SessionError::io("releasing the command's descriptors", error))?;
            let Ok(listener) = descriptors::receive(ours.as_fd()) else {
                // The command's process reported why before it ended; its status is the session's.
                return pass_on(&status, root);
            };
            let mut killable = [0u8];
            (&ours)
                .read_exact(&mut killable)
                .map_err(|error| SessionError::io("waiting for the command's process", error))?;
            // Pins take descriptors; the command has its own, older limit.
            descriptors::raise_limit()
                .map_err(|errno| SessionError::kernel("asking for descriptors", errno))?;
            let supervised = supervise(SupervisorArgs {
                listener,
                wait_killable: killable == [1],
                root: root.cast_unsigned(),
                outer,
                gate: StartGate::new(ours),
                status,
            });
            if supervised.is_err() {
                // It still waits at its gate, and must not run unguarded.
                child::kill(root, Signal::KILL);
            }
            supervised.map_err(SessionError::Supervise)
        }
    }
}

/// Waits for the end of a command that never ran, and reports it.
fn pass_on(status: &StatusChannel, root: libc::pid_t) -> Result<(), SessionError> {
    let waited = child::wait_for(root);
    let change = waited.map_err(|errno| SessionError::kernel("waiting for the command", errno))?;
    status.report(change);
    Ok(())
}

// === impl SupervisorArgs ===

impl SupervisorArgs {
    /// The `/proc` directories of the guard's own two processes, to be protected like its files:
    /// `/proc/PID/mem` is one of them.
    #[must_use]
    pub fn own_processes(&self) -> [Vec<u8>; 2] {
        [self.outer, std::process::id()].map(|pid| format!("/proc/{pid}").into_bytes())
    }

    /// Describes the root command's process, which is not yet the command.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn describe_root(&self) -> Result<ProcessDescription, SessionError> {
        let mut root = ProcessDescription::default();
        let described = ProcFs::new().describe(self.root, &mut root);
        described.map_err(SessionError::CommandGone)?;
        Ok(root)
    }
}

/// Ends this process as the command ended.
pub fn end_as(outcome: ExitOutcome) -> ! {
    match outcome {
        ExitOutcome::Exited(status) => exit_at_once(status),
        ExitOutcome::Killed(signal) => {
            // One core file is enough.
            let no_core = Rlimit {
                current: Some(0),
                ..rustix::process::getrlimit(Resource::Core)
            };
            let _best_effort = rustix::process::setrlimit(Resource::Core, no_core);
            signals::die_by(signal)
        }
    }
}

const PAIR: &str = "making a socket pair";
