//! A guarded session on macOS 27: one command and what it starts.
//!
//! ```text
//! codex-es-guard ── starts ──▶ command ── starts ──▶ …
//!      ▲                          │                  │
//!      └── the kernel asks about ─┴──────────────────┘
//! ```
//!
//! The client is one for this process's descendants (`es_new_descendants_client`), made before the
//! command is started, so that it receives all that the command does. It needs the entitlement, and neither
//! root nor Full Disk Access. While it exists, a command that is not root cannot execute programs
//! that would make it so: macOS kills those before they begin.
//!
//! The exporter, if one has to be started, is this process's child as well, and the only descendant
//! that is not judged.
//!
//! The guard is the command's parent and passes its status on. Should the guard be killed, the
//! kernel asks nobody any more, and what the command left running is not guarded.

use super::{control_socket, ring_options};
use crate::control::Server;
use crate::exporter::ExporterKeeper;
use crate::log;
use crate::policy_file::{Origin, PolicySource, WrittenPolicy};
use crate::policy_watch::{InForce, PolicyWatch, SharedPolicyWatch};
use crate::rings;
use crate::undo::{self, Keeper};
use anyhow::{Context as _, Result, bail};
use guard_core::actor::AgentMatch;
use guard_core::agents::IgnoredMarkers;
use guard_core::guard::{Guard, SharedGuard};
use guard_core::lineage::Root;
use guard_core::policy::Snapshot;
use guard_core::process::{ProcessDescription, ProcessKey, ProcessSource as _};
use guard_core::ring::Counter;
use guard_es::processes::{LibProc, parent_of};
use guard_es::{AdoptError, Backend, Scope, Settings, signals};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// A command to run, and what guards it.
pub(crate) struct GuardedCommand {
    /// The command and its arguments.
    pub(crate) command: Vec<OsString>,
    /// The agent it is declared to be.
    pub(crate) agent: Option<AgentMatch>,
    /// Where the policy comes from.
    pub(crate) source: PolicySource,
    /// The policy to begin with.
    pub(crate) policy: WrittenPolicy,
    /// Where that is from.
    pub(crate) origin: Origin,
    /// Whether to start an exporter when none serves.
    pub(crate) exporter: bool,
    /// The session's name.
    pub(crate) session: String,
}

/// How a session ended.
pub(crate) enum Ending {
    /// The command ended with this status.
    Exited(u8),
    /// A signal killed it.
    Killed(i32),
    /// It could not be run.
    NotRun(io::Error),
}

/// A backend and the guard it decides with.
struct InSession(Backend);

// === impl InForce for InSession ===

impl InForce for InSession {
    type Error = AdoptError;

    fn guard(&self) -> &Guard {
        self.0.guard()
    }

    fn adopt(&self, snapshot: Snapshot) -> Result<(), AdoptError> {
        self.0.adopt(snapshot)
    }
}

/// Runs a command under guard to its end.
///
/// # Errors
///
/// When the session cannot be started. The command has not run then.
pub(crate) fn run(guarded: GuardedCommand) -> Result<Ending> {
    let paths = guarded.source.paths.clone();
    let log = log::init(&paths.state, &guarded.source.session);
    let snapshot = guarded.source.compile(&guarded.policy)?;
    let source = LibProc::default();
    let mut itself = ProcessDescription::default();
    source
        .describe(std::process::id(), &mut itself)
        .context("describing this process")?;
    let is_agent = guarded.agent.is_some();
    // The command runs in a child of this process. Nothing above it counts, and the kernel sends
    // nothing about this process itself.
    let root = Root {
        key: itself.key,
        started_ns: itself.started_ns,
        declared_agent: guarded.agent.map(|agent| AgentMatch {
            session: guarded.session.clone().into_bytes(),
            ..agent
        }),
    };
    let ignored = IgnoredMarkers::from_environment(&itself.environment);
    let made_ring = rings::create(&paths, ring_options(&guarded.session)?)?;
    let ring = made_ring.producer;
    let mut exporter = guarded
        .exporter
        .then(|| ExporterKeeper::new(paths.clone(), log));
    let started = exporter.as_mut().and_then(ExporterKeeper::start);
    // The kernel sends what it does like all that this process's descendants do, but it is neither
    // the command's nor an agent's. It has executed its program by now, so that its identity stays.
    let exempt = started.and_then(|child| key_of(&source, child));
    let (keeper, preservation) = Keeper::begin(
        &paths,
        &snapshot,
        &guarded.session,
        command_line(&guarded.command),
    );
    let guard: SharedGuard = Arc::new(Guard::new(
        snapshot,
        Some(root),
        ring,
        guarded.session.clone().into_bytes(),
        Box::new(source),
        parent_of,
        ignored,
    ));
    let settings = Settings {
        scope: Scope::Descendants,
        probe: super::canonical_state(&paths)?.join(format!("self-test-{}", guarded.session)),
        running: Box::new(|| vec![std::process::id()]),
        exempt: exempt.into_iter().collect(),
        preservation,
        unreadable: undo::directories(&paths),
    };
    let backend = match proven_backend(&guard, &settings) {
        Ok(backend) => backend,
        Err(error) => {
            // Nothing was guarded, so there is nothing to export.
            let _gone = exporter.as_mut().map(ExporterKeeper::stop);
            keeper.end();
            return Err(error);
        }
    };
    guard.ring.set(Counter::EnforcementActive, 1);
    // A later exporter is not exempt: in a session whose every process is an agent's it could not
    // keep its files.
    if let Some(exporter) = exporter.filter(|_| !is_agent) {
        exporter.watch().context("starting the exporter's thread")?;
    }
    keeper
        .start_sweeping(Arc::clone(&guard))
        .context("starting the sweeper")?;
    let mut watch = PolicyWatch::new(guarded.source, guarded.origin).showing(made_ring.protection);
    watch.publish(&guard);
    guard.publish_state(guard_report::time::now_ns());
    let child = match spawn(&guarded.command) {
        Ok(child) => child,
        Err(error) => {
            keeper.end();
            return Ok(Ending::NotRun(error));
        }
    };
    // From here on the terminal's signals are the command's.
    signals::ignore_terminal_signals();
    let backend = InSession(backend);
    let watch = SharedPolicyWatch::new(watch);
    let mut control = control_socket(&watch);
    let status = keep_house_until_end(&backend, &watch, control.as_mut(), &keeper, child);
    if let Some(mut control) = control {
        control.end(&backend);
    }
    let status = status?;
    keeper.end();
    guard.ring.set(Counter::EnforcementActive, 0);
    guard.publish_state(guard_report::time::now_ns());
    guard.ring.finish();
    Ok(status.signal().map_or_else(
        || Ending::Exited(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)),
        Ending::Killed,
    ))
}

/// Starts a backend, and verifies that it denies.
fn proven_backend(guard: &SharedGuard, settings: &Settings) -> Result<Backend> {
    let backend = Backend::start(Arc::clone(guard), settings)?;
    backend
        .probe()
        .test(&super::remove_by_other_process)
        .context("testing whether a denial works on this machine")?;
    Ok(backend)
}

/// The identity of a child, if it lives.
fn key_of(source: &LibProc, child: &Child) -> Option<ProcessKey> {
    let mut found = ProcessDescription::default();
    source.describe(child.id(), &mut found).ok()?;
    Some(found.key)
}

/// Ends this process as the command did.
pub(crate) fn end_as(ending: Ending) -> Result<std::process::ExitCode> {
    match ending {
        Ending::Exited(status) => Ok(status.into()),
        Ending::Killed(signal) => {
            signals::die_of(signal);
            // It returns only if the signal does not kill.
            Ok(u8::try_from(128 + signal).unwrap_or(u8::MAX).into())
        }
        Ending::NotRun(error) => {
            let status = match error.kind() {
                io::ErrorKind::NotFound => 127u8,
                _ => 126,
            };
            crate::cli::terminal::error(
                &anyhow::Error::new(error).context("cannot run the command"),
            );
            Ok(status.into())
        }
    }
}

fn command_line(words: &[OsString]) -> String {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

fn spawn(command: &[OsString]) -> io::Result<Child> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    Command::new(program).args(arguments).spawn()
}

/// Does the housekeeping on this thread, which owns the backend, while another waits for the command.
fn keep_house_until_end(
    backend: &InSession,
    watch: &SharedPolicyWatch,
    mut control: Option<&mut Server>,
    keeper: &Keeper,
    mut child: Child,
) -> Result<ExitStatus> {
    let (ended, end) = mpsc::channel();
    thread::Builder::new()
        .name("guard-waiter".into())
        .spawn(move || {
            // The receiver is gone when this process is about to end.
            let _gone = ended.send(child.wait());
        })
        .context("starting a thread")?;
    let mut published = Instant::now();
    loop {
        match end.recv_timeout(TICK) {
            Ok(status) => return status.context("waiting for the command"),
            Err(RecvTimeoutError::Disconnected) => bail!("nobody waits for the command"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        backend.0.update_counters();
        backend.0.keep_house();
        watch.lock().check(backend);
        if let Some(control) = &mut control {
            control.turn(backend, Duration::ZERO);
        }
        if published.elapsed() >= BEAT {
            published = Instant::now();
            backend.guard().publish_state(guard_report::time::now_ns());
            keeper.keep(backend.guard());
        }
    }
}

/// How often the policy file is checked.
const TICK: Duration = Duration::from_millis(250);

/// How often the ring's header is brought up to date.
const BEAT: Duration = Duration::from_secs(1);
