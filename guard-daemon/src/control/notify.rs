//! Running what shows a person a request: the companion program, which has the desktop's notices, and the
//! policy's `notify_command`. Both read it as JSON on standard input.
//!
//! Bounded and apart: a thread of its own runs one command after the other, each for
//! [`LONGEST_RUN`] at most, and holds [`MAX_WAITING`] that wait; more are logged as not run. Nothing in
//! the guard waits for it.

use guard_control::protocol::RequestStatus;
use guard_report::companion;
use guard_report::paths::Account;
use guard_report::sibling::sibling;
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Runs commands.
#[derive(Debug)]
pub(super) struct Notifier {
    /// As whom, when that is not this process's own user: whoever writes a policy is not to run
    /// commands as root by it.
    user: Option<Account>,
    /// The thread's; none before the first command.
    jobs: Option<SyncSender<Job>>,
}

/// One command to run.
#[derive(Debug)]
struct Job {
    command: Vec<OsString>,
    user: Option<Account>,
    input: Vec<u8>,
}

// === impl Notifier ===

impl Notifier {
    /// For a policy of this user, or of this process's own.
    pub(super) const fn new(user: Option<Account>) -> Self {
        Self { user, jobs: None }
    }

    /// Shows what happened to a request, on the desktop and by `command`. Never waits.
    pub(super) fn notify(&mut self, command: &[String], step: &str, request: &RequestStatus) {
        let desktop = sibling(companion::PROGRAM)
            .map(|program| vec![program.into_os_string(), companion::NOTIFY.into()]);
        let command = (!command.is_empty()).then(|| command.iter().map(OsString::from).collect());
        for command in [desktop, command].into_iter().flatten() {
            let name = name_of(&command);
            let job = Job {
                command,
                user: self.user,
                input: input(step, request),
            };
            if let Err(error) = self.send(job) {
                tracing::warn!("{name} is not run for request {}: {error}", request.id);
            }
        }
    }

    fn send(&mut self, job: Job) -> Result<(), String> {
        let jobs = match &self.jobs {
            Some(jobs) => jobs,
            None => {
                let (sender, receiver) = sync_channel(MAX_WAITING);
                let name = "guard-notifier".to_owned();
                let started = thread::Builder::new()
                    .name(name)
                    .spawn(move || run(&receiver));
                started.map_err(|error| error.to_string())?;
                self.jobs.insert(sender)
            }
        };
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => format!("{MAX_WAITING} others wait already"),
            TrySendError::Disconnected(_) => "its thread ended".to_owned(),
        })
    }
}

/// What a command reads.
fn input(step: &str, request: &RequestStatus) -> Vec<u8> {
    let approve = format!("codex-es-guard approve {}", request.id);
    let reject = format!("codex-es-guard reject {}", request.id);
    let open = (step == REQUESTED).then_some((approve, reject));
    let (approve, reject) = open.unzip();
    let input = serde_json::json!({
        "event": step,
        "request": request,
        "approve": approve,
        "reject": reject,
    });
    format!("{input}\n").into_bytes()
}

/// What the log calls a command.
fn name_of(command: &[OsString]) -> String {
    let program = command.first().map(OsString::as_os_str).unwrap_or_default();
    let is_own = command.get(1).is_some_and(|word| word == companion::NOTIFY);
    let kind = if is_own {
        "the desktop's"
    } else {
        "the policy's"
    };
    format!("{kind} notify command {}", program.display())
}

fn run(jobs: &Receiver<Job>) {
    for job in jobs {
        if let Err(error) = run_one(&job) {
            tracing::warn!("{} failed: {error}", name_of(&job.command));
        }
    }
}

fn run_one(job: &Job) -> io::Result<()> {
    let (program, arguments) = job.command.split_first().ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    if let Some(user) = job.user {
        command.uid(user.uid).gid(user.gid);
    }
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // What it starts ends with it.
        .process_group(0)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // Less than a pipe holds, so that nothing waits for its reader, who may not want it.
        let _unread = stdin.write_all(&job.input);
    }
    wait(&mut child)
}

fn wait(child: &mut Child) -> io::Result<()> {
    let start = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(io::Error::other(format!("it ended with {status}"))),
            None if start.elapsed() >= LONGEST_RUN => {
                let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                if let Some(group) = group {
                    kill_process_group(group, Signal::KILL)?;
                }
                child.wait()?;
                let seconds = LONGEST_RUN.as_secs();
                return Err(io::Error::other(format!("it did not end in {seconds} s")));
            }
            None => thread::sleep(POLL),
        }
    }
}

/// The step of a request that waits for a person.
pub(super) const REQUESTED: &str = "requested";

/// The step of one that the policy granted.
pub(super) const GRANTED: &str = "granted";

/// Commands that wait for their turn at most.
const MAX_WAITING: usize = 16;

/// How long a command may run.
const LONGEST_RUN: Duration = Duration::from_secs(10);

/// How often is checked whether it ended.
const POLL: Duration = Duration::from_millis(20);
