//! A session on Linux: what the supervisor process does besides answering.

use crate::control::{self, Desk};
use crate::exporter::ExporterKeeper;
use crate::log;
use crate::made::MadeKeeper;
use crate::policy_file::{Origin, PolicySource, WrittenPolicy};
use crate::policy_watch::{PolicyWatch, SharedPolicyWatch};
use crate::rings;
use crate::undo::{self, Keeper};
use anyhow::{Context as _, Result};
use guard_core::actor::AgentMatch;
use guard_core::agents::IgnoredMarkers;
use guard_core::guard::{Guard, SharedGuard};
use guard_core::lineage::Root;
use guard_core::ring::{Counter, RingOptions};
use guard_linux::notice::{KeptObject, NoticeTexts};
use guard_linux::procfs::{self, ProcFs};
use guard_linux::session::{
    self, ExitOutcome, SessionConfig, SessionError, SignalDispositions, SupervisorArgs,
};
use guard_linux::supervisor::{Housekeeping, Supervisor};
use guard_report::notice;
use guard_undo::Preservation;
use std::ffi::CString;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// A command to run, and what guards it.
pub(crate) struct GuardedCommand {
    /// The root command and its arguments.
    pub(crate) command: Vec<CString>,
    /// The signal dispositions it starts with.
    pub(crate) dispositions: SignalDispositions,
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

/// Runs a guarded session to the end of its root command.
///
/// # Errors
///
/// When the session cannot be started. The command has not run then.
pub(crate) fn run(mut guarded: GuardedCommand) -> Result<ExitOutcome> {
    let config = SessionConfig {
        command: guarded.command.clone(),
        dispositions: std::mem::take(&mut guarded.dispositions),
        report_error,
    };
    let outcome = session::run(config, move |args| Ok(supervise(guarded, args)?))?;
    Ok(outcome)
}

/// Prints an error of another of the session's processes.
fn report_error(error: SessionError) {
    crate::cli::terminal::error(&error.into());
}

fn supervise(mut guarded: GuardedCommand, args: SupervisorArgs) -> Result<()> {
    let log = log::init(&guarded.source.paths.state, &guarded.session);
    guarded.source.own_files.extend(args.own_processes());
    let compiled = guarded.source.compile(&guarded.policy);
    let mut snapshot = compiled.context("compiling the policy")?;
    let beside = undo::places_beside(&guarded.source.paths, &snapshot);
    if !beside.is_empty() {
        let bytes = |dir: &PathBuf| dir.as_os_str().as_bytes().to_vec();
        guarded.source.own_files.extend(beside.iter().map(bytes));
        let compiled = guarded.source.compile(&guarded.policy);
        snapshot = compiled.context("compiling the policy")?;
    }
    let root = args.describe_root()?;
    let ignored = IgnoredMarkers::from_environment(&root.environment);
    let name = guarded.session.clone();
    let session = guarded.session.clone().into_bytes();
    let lineage_root = Root {
        key: root.key,
        started_ns: root.started_ns,
        declared_agent: guarded
            .agent
            .take()
            .map(|agent| AgentMatch { session, ..agent }),
    };
    let made_ring = rings::create(&guarded.source.paths, ring_options(&guarded.session)?)?;
    let ring = made_ring.producer;
    let (keeper, preservation) = Keeper::begin(
        &guarded.source.paths,
        &snapshot,
        &guarded.session,
        command_line(&guarded.command),
    );
    let has_no_store = matches!(preservation, Preservation::Unavailable);
    ring.set(Counter::UndoUnavailable, u64::from(has_no_store));
    let guard: SharedGuard = Arc::new(Guard::new(
        snapshot,
        Some(lineage_root),
        ring,
        guarded.session.clone().into_bytes(),
        Box::new(ProcFs::new()),
        procfs::parent_of,
        ignored,
    ));
    let made = MadeKeeper::begin(&guarded.source.paths, &guarded.session, &guard);
    let mut watch = PolicyWatch::new(guarded.source, guarded.origin).showing(made_ring.protection);
    watch.publish(&guard);
    let paths = watch.source.paths.clone();
    let watch = SharedPolicyWatch::new(watch);
    guard.publish_state(guard_report::time::now_ns());
    let supervisor = Supervisor::start(args, guard.clone(), preservation, Some(NOTICES))?;
    guard.ring.set(Counter::EnforcementActive, 1);
    let output = log.descriptor();
    supervisor.detach(output.as_ref().map(|file| file.as_fd()))?;
    if let Err(error) = supervisor.hide_from_session() {
        tracing::warn!("{:#}", anyhow::Error::new(error));
    }
    if let Some(store) = keeper.store() {
        let mut directories = beside;
        directories.push(store.root().to_owned());
        if let Err(error) = supervisor.refuse_listing(&directories) {
            tracing::warn!("{:#}", anyhow::Error::new(error));
        }
    }
    if guarded.exporter {
        let mut keeper = ExporterKeeper::new(paths.clone(), log);
        keeper.start();
        keeper.watch().context("starting the exporter's thread")?;
    }
    keeper.keep(&guard);
    keeper
        .start_sweeping(guard.clone())
        .context("starting the sweeper")?;
    let housekeeping = supervisor.housekeeping();
    // From the first file on.
    keeper.follow_writers(&housekeeping);
    start_housekeeping(
        guard.clone(),
        housekeeping.clone(),
        watch.clone(),
        keeper.clone(),
    )
    .context("starting the housekeeping thread")?;
    let desk = Desk::new(&name, &paths, watch);
    let control = control::start(&paths, &name, guard.clone(), desk);
    if let Err(error) = &control {
        let error = format!("{error:#}");
        tracing::warn!("nothing can be requested in this session: {error}");
    }
    made.start(&guard)
        .context("starting the thread that writes down what agents make")?;
    // Not once more at the session's end: a person may be at work on it since.
    supervisor.run_command(|| {
        // A restore may follow at once.
        keeper.follow_writers(&housekeeping);
        keeper.keep(&guard);
        made.end(&guard);
    })?;
    drop(control);
    keeper.follow_writers(&housekeeping);
    keeper.keep(&guard);
    keeper.end();
    guard.ring.set(Counter::EnforcementActive, 0);
    guard.publish_state(guard_report::time::now_ns());
    guard.ring.finish();
    Ok(())
}

/// The notice of a first denial.
fn first_notice(kept: &KeptObject) -> String {
    let zone = kept.zone.as_ref();
    notice::first(&notice::Kept {
        operation: Some(kept.operation),
        reason: Some(kept.reason),
        path: &kept.path,
        cause: kept.cause,
        zone: zone.map(|(name, path)| (name.as_str(), path.as_slice())),
    })
}

fn command_line(words: &[CString]) -> String {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

fn ring_options(session: &str) -> Result<RingOptions> {
    Ok(RingOptions {
        id: crate::random::bytes().context("asking the kernel for random bytes")?,
        boot_id: rings::boot_id(),
        writer: procfs::this_process(),
        created_wall_ns: guard_report::time::now_ns(),
        session: session.as_bytes().to_vec(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..RingOptions::default()
    })
}

/// Starts the thread that takes up changes of the policy and keeps the ring's header up to date.
fn start_housekeeping(
    guard: SharedGuard,
    housekeeping: Housekeeping,
    watch: SharedPolicyWatch,
    keeper: Keeper,
) -> std::io::Result<()> {
    let name = "guard-housekeeper".into();
    thread::Builder::new().name(name).spawn(move || {
        let mut published = Instant::now();
        while !housekeeping.is_over() {
            thread::sleep(TICK);
            watch.lock().check(guard.as_ref());
            if published.elapsed() >= BEAT {
                published = Instant::now();
                guard.publish_state(guard_report::time::now_ns());
                housekeeping.release_unused();
                keeper.follow_writers(&housekeeping);
                keeper.keep(&guard);
            }
        }
    })?;
    Ok(())
}

/// What denied processes are shown.
const NOTICES: NoticeTexts = NoticeTexts {
    first: first_notice,
    more: notice::more,
};

/// How often the policy file is checked.
const TICK: Duration = Duration::from_millis(250);

/// How often the ring's header is brought up to date.
const BEAT: Duration = Duration::from_secs(1);
