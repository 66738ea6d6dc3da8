//! A guarded session: three processes and what passes between them.
//!
//! ```text
//! the user's shell ── outer (this program's first process: the job the shell knows)
//!                       └─ supervisor (own session, no terminal: answers notifications)
//!                            └─ root command (in the outer's process group, on its terminal)
//! ```
//!
//! The root command installs the filter on itself, hands the listener to the supervisor and waits
//! for its go. The outer process relays signals downwards and stops, continues and ends as the root
//! command does. The supervisor outlives both, until the last process of the session is gone: what
//! an agent leaves running in the background stays guarded.
//!
//! The supervisor adopts the session's orphans (child subreaper), so they stay its descendants,
//! which the Yama module wants of processes whose memory one reads.

use super::filter;
use super::sys::files::poll;
use super::sys::process::{self, Change, Disposition, Fork, SignalSet};
use super::sys::{given, notify};
use anyhow::{Context as _, Result, anyhow};
use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

/// How the root command ended, as the outer process passes it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an exit status.
    Exited(i32),
    /// By a signal.
    Killed(i32),
}

/// What the supervisor is given to begin with.
#[derive(Debug)]
pub struct Beginning {
    /// The listener of the session's filter.
    pub listener: OwnedFd,
    /// Whether callers wait through their signals.
    pub wait_killable: bool,
    /// The root command's process id.
    pub root: u32,
    /// Lets the root command go.
    pub go: Go,
    /// Tells the outer process how the root command fares.
    pub report: Report,
}

/// Ignored signals: they are inherited by the command, as they would be without a guard.
#[derive(Debug, Default)]
pub struct Dispositions(Vec<i32>);

/// Lets the root command go, once.
#[derive(Debug)]
pub struct Go(UnixStream);

/// The line to the outer process.
#[derive(Debug)]
pub struct Report(UnixStream);

/// Starts `command` in a session of its own, answered by `supervise`, which runs in the supervisor
/// process and returns its exit status. Returns in the outer process, when the command has ended.
/// What goes wrong in the other two processes goes to `report_error`.
///
/// # Errors
///
/// Before the command runs: when the kernel refuses a process or the filter. Each says what to do.
pub fn run(
    command: Vec<CString>,
    dispositions: &Dispositions,
    supervise: impl FnOnce(Beginning) -> Result<()>,
    report_error: fn(&anyhow::Error),
) -> Result<Ending> {
    let (ours, theirs) = UnixStream::pair().context("making a socket pair")?;
    let (signals, mask) = SignalSet::block(&RELAYED);
    match process::fork().context("starting the supervisor process")? {
        Fork::Parent(supervisor) => {
            drop(theirs);
            // Best effort: the outer process ends with the command.
            let _as_they_are = given::release_descriptors();
            outer(ours, supervisor, signals)
        }
        Fork::Child => {
            drop(ours);
            let status = match become_supervisor(
                command,
                supervise,
                Report(theirs),
                &mask,
                dispositions,
                report_error,
            ) {
                Ok(()) => 0,
                Err(error) => {
                    report_error(&error);
                    1
                }
            };
            process::exit_at_once(status)
        }
    }
}

fn become_supervisor(
    command: Vec<CString>,
    supervise: impl FnOnce(Beginning) -> Result<()>,
    report: Report,
    mask: &SignalSet,
    dispositions: &Dispositions,
    report_error: fn(&anyhow::Error),
) -> Result<()> {
    process::prctl(libc::PR_SET_CHILD_SUBREAPER, 1).context("becoming a child subreaper")?;
    let (ours, theirs) = UnixStream::pair().context("making a socket pair")?;
    let keep_dumpable = !process::has_capability(CAP_SYS_PTRACE);
    match process::fork().context("starting the command's process")? {
        Fork::Child => {
            drop((ours, report));
            mask.restore();
            dispositions.restore();
            let error = become_command(&command, theirs, keep_dumpable);
            let name = command
                .first()
                .map(|word| word.to_string_lossy().into_owned());
            let status = match error
                .downcast_ref::<std::io::Error>()
                .map(std::io::Error::kind)
            {
                Some(std::io::ErrorKind::NotFound) => 127,
                Some(_) => 126,
                None => 125,
            };
            let error = match status {
                125 => error,
                _ => error.context(format!("cannot run {}", name.unwrap_or_default())),
            };
            report_error(&error);
            process::exit_at_once(status)
        }
        Fork::Parent(root) => {
            drop(theirs);
            // From here on the terminal's signals are not ours, and the command's end is. What the
            // command was given is not ours to hold open.
            let _leader = process::new_session();
            given::release_descriptors().context("letting go of the command's descriptors")?;
            let Ok(listener) = process::receive_descriptor(ours.as_fd()) else {
                // The command's process said why before it ended; its status is the session's.
                return pass_on(&report, root);
            };
            let mut killable = [0u8];
            (&ours)
                .read_exact(&mut killable)
                .context("waiting for the command's process")?;
            let supervised = supervise(Beginning {
                listener,
                wait_killable: killable == [1],
                root: root.cast_unsigned(),
                go: Go(ours),
                report,
            });
            if supervised.is_err() {
                // It still waits for its go, and must not run unguarded.
                let _gone = process::kill(root, libc::SIGKILL);
            }
            supervised
        }
    }
}

/// Waits for the end of a command that never ran, and tells it.
fn pass_on(report: &Report, root: libc::pid_t) -> Result<()> {
    if let Some((_, change)) = process::wait(Some(root), true).context("waiting for the command")? {
        report.tell(change);
    }
    Ok(())
}

/// The root command's process before it is the command. Returns only when that fails.
fn become_command(
    command: &[CString],
    supervisor: UnixStream,
    keep_dumpable: bool,
) -> anyhow::Error {
    let prepared = (|| -> Result<()> {
        if !process::has_capability(CAP_SYS_ADMIN) {
            process::prctl(libc::PR_SET_NO_NEW_PRIVS, 1).context("setting no_new_privs")?;
        }
        let program = filter::build(keep_dumpable);
        let (listener, killable) = match notify::install(&program, true) {
            Ok(listener) => (listener, 1u8),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => (
                notify::install(&program, false).map_err(|error| refused(&error))?,
                0,
            ),
            Err(error) => return Err(refused(&error)),
        };
        process::send_descriptor(supervisor.as_fd(), listener.as_fd())
            .context("handing the listener to the supervisor")?;
        (&supervisor)
            .write_all(&[killable])
            .context("telling the supervisor")?;
        drop(listener);
        (&supervisor)
            .read_exact(&mut [0u8])
            .map_err(|_| anyhow!("the supervisor did not start; see the message above"))?;
        Ok(())
    })();
    match prepared {
        Ok(()) => {
            given::close_closed_streams();
            process::exec(command).into()
        }
        Err(error) => error,
    }
}

/// Why the kernel refused the filter, and what to do about it.
fn refused(error: &std::io::Error) -> anyhow::Error {
    match error.raw_os_error() {
        Some(libc::EBUSY) => anyhow!(
            "this process is already supervised through seccomp: a guarded session cannot run \
             inside another one (the outer one guards this command too), nor inside a tool that \
             uses the same kernel feature; run it outside"
        ),
        Some(libc::EINVAL | libc::ENOSYS) => anyhow!(
            "this kernel has no seccomp user notification ({error}): guarded sessions need \
             Linux 5.14 or later with CONFIG_SECCOMP_FILTER"
        ),
        Some(libc::EPERM | libc::EACCES) => anyhow!(
            "installing a seccomp filter is forbidden here ({error}): in a container, run it with \
             a seccomp profile that allows the seccomp() system call, for example \
             `--security-opt seccomp=unconfined`"
        ),
        _ => anyhow!("the kernel refused the seccomp filter: {error}"),
    }
}

// === impl Go ===

impl Go {
    /// The command runs from here on.
    pub fn go(mut self) -> std::io::Result<()> {
        self.0.write_all(&[1])
    }
}

// === impl Report ===

impl Report {
    /// Tells a change of the root command. That the outer process is gone is no error: nobody asks.
    pub fn tell(&self, change: Change) {
        let (kind, value) = match change {
            Change::Exited(status) => (EXITED, status),
            Change::Killed(signal) => (KILLED, signal),
            Change::Stopped(signal) => (STOPPED, signal),
            Change::Continued => (CONTINUED, 0),
        };
        let [a, b, c, d] = value.to_le_bytes();
        let _nobody_asks = (&self.0).write_all(&[kind, a, b, c, d]);
    }

    /// Tells who the root command is.
    pub fn introduce(&self, root: u32) {
        let [a, b, c, d] = root.to_le_bytes();
        let _nobody_asks = (&self.0).write_all(&[ROOT, a, b, c, d]);
    }
}

/// The outer process's life.
fn outer(line: UnixStream, supervisor: libc::pid_t, signals: SignalSet) -> Result<Ending> {
    let mut root = None;
    loop {
        let mut message = [0u8; 5];
        if (&line).read_exact(&mut message).is_err() {
            // The supervisor is gone without a word: it said why on the terminal, or was killed.
            let ended = process::wait(Some(supervisor), true).ok().flatten();
            return Err(match ended {
                Some((_, Change::Killed(signal))) => anyhow!(
                    "the guard was killed by signal {signal}; the session's destructive calls \
                     fail from now on"
                ),
                _ => anyhow!("the session could not be started"),
            });
        }
        let [kind, value @ ..] = message;
        let value = i32::from_le_bytes(value);
        match kind {
            ROOT => {
                root = Some(value);
                let relay = signals.copy();
                thread::spawn(move || relay_signals(&relay, value));
            }
            EXITED => return Ok(Ending::Exited(value)),
            KILLED => return Ok(Ending::Killed(value)),
            STOPPED => stop_with(root, value, &line),
            _ => {}
        }
    }
}

/// Stops as the command did, unless it goes on already.
///
/// A shell takes its terminal back when the outer process stops, so that must not happen before the
/// command has stopped: it would still read what is typed next. What the terminal sends to stop the
/// job is therefore blocked here.
fn stop_with(root: Option<i32>, signal: i32, line: &UnixStream) {
    let Some(root) = root else { return };
    if HELD.contains(&signal) {
        process::stop_by(signal, || is_stopped(root));
    } else {
        for _ in 0..4 {
            if !is_stopped(root) {
                return;
            }
            // Both may just be continued by one signal to their group; it reaches one of them first.
            thread::sleep(Duration::from_millis(5));
        }
        let _self = process::kill(std::process::id().cast_signed(), libc::SIGSTOP);
    }
    // Continued: a command in a process group of its own has not heard of it. One that has, and was
    // stopped anew, has more to tell.
    let mut news = [(line.as_fd(), libc::POLLIN, 0)];
    if is_stopped(root) && poll(&mut news, NEWS_MS).is_ok_and(|ready| ready == 0) {
        let _gone = process::kill(root, libc::SIGCONT);
    }
}

fn is_stopped(pid: i32) -> bool {
    let mut text = String::new();
    let read =
        File::open(format!("/proc/{pid}/stat")).and_then(|mut f| f.read_to_string(&mut text));
    read.is_ok()
        && text
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('T'))
}

/// Passes on the signals that somebody sent to the outer process. What the terminal sends, it
/// sends to the command as well.
fn relay_signals(signals: &SignalSet, root: libc::pid_t) {
    loop {
        if let Some((signal, code, _)) = signals.wait(Duration::from_secs(3600))
            && code <= SI_USER
        {
            let _gone = process::kill(root, signal);
        }
    }
}

/// Ends this process as the command ended.
pub fn end_as(ending: Ending) -> ! {
    match ending {
        Ending::Exited(status) => process::exit_at_once(status),
        Ending::Killed(signal) => {
            // One core file is enough.
            let _best_effort = process::set_soft_limit(libc::RLIMIT_CORE, 0);
            process::die_by(signal)
        }
    }
}

// === impl Dispositions ===

impl Dispositions {
    /// Notes what is ignored now. From here on a file size limit is an error of `write` and not
    /// the end of the guard, and children's ends are told.
    pub fn take() -> Self {
        let signals = RELAYED.into_iter().chain([libc::SIGXFSZ, libc::SIGCHLD]);
        let ignored = signals.filter(|&signal| process::is_ignored(signal));
        // Of this one only the start tells: std ignores it for this program.
        let pipe = given::ignored_sigpipe().then_some(libc::SIGPIPE);
        let dispositions = Self(ignored.chain(pipe).collect());
        process::set_disposition(libc::SIGXFSZ, Disposition::Ignore);
        process::set_disposition(libc::SIGCHLD, Disposition::Default);
        dispositions
    }

    fn restore(&self) {
        let changed = [libc::SIGPIPE, libc::SIGXFSZ, libc::SIGCHLD];
        for signal in RELAYED.into_iter().chain(changed) {
            let disposition = if self.0.contains(&signal) {
                Disposition::Ignore
            } else {
                Disposition::Default
            };
            process::set_disposition(signal, disposition);
        }
    }
}

/// Signals that people and programs send to a job.
const RELAYED: [i32; 11] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGWINCH,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];

/// Signals that stop a job and can be held back.
const HELD: [i32; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// How long the supervisor may take to tell that the command was continued.
const NEWS_MS: i32 = 50;

/// `include/uapi/asm-generic/siginfo.h`: codes up to this are senders' own.
const SI_USER: i32 = 0;

const ROOT: u8 = 0;
const EXITED: u8 = 1;
const KILLED: u8 = 2;
const STOPPED: u8 = 3;
const CONTINUED: u8 = 4;

/// `include/uapi/linux/capability.h`.
const CAP_SYS_PTRACE: u32 = 19;
const CAP_SYS_ADMIN: u32 = 21;
