//! Running the policy's `notify_command`: what a person is to know, as JSON on its standard input.
//!
//! Bounded and apart: a thread of its own runs one command after the other, each for
//! [`LONGEST_RUN`] at most, and holds [`MAX_WAITING`] that wait; more are counted as dropped and logged.
//! Nothing in the guard waits for it.

use guard_control::protocol::RequestStatus;
use guard_report::paths::Account;
use rustix::process::{Pid, Signal, kill_process_group};
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
    command: Vec<String>,
    user: Option<Account>,
    input: Vec<u8>,
}

// === impl Notifier ===

impl Notifier {
    /// For a policy of this user, or of this process's own.
    pub(super) const fn new(user: Option<Account>) -> Self {
        Self { user, jobs: None }
    }

    /// Runs `command` with what happened to a request. Never waits.
    pub(super) fn notify(&mut self, command: &[String], step: &str, request: &RequestStatus) {
        if command.is_empty() {
            return;
        }
        let job = Job {
            command: command.to_vec(),
            user: self.user,
            input: input(step, request),
        };
        if let Err(error) = self.send(job) {
            tracing::warn!(
                "notify_command is not run for request {}: {error}",
                request.id
            );
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

fn run(jobs: &Receiver<Job>) {
    for job in jobs {
        if let Err(error) = run_one(&job) {
            let program = job.command.first().map_or("", String::as_str);
            tracing::warn!("notify_command {program} failed: {error}");
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
