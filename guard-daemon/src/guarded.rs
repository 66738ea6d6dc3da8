//! A session from its plan to its end: what the supervisor process does.

use crate::exporter;
use crate::journal::Journal;
use crate::policy_file::{Origin, PolicySource, WrittenPolicy};
use crate::policy_watch::PolicyWatch;
use crate::rings;
use anyhow::{Context as _, Result};
use guard_core::actor::AgentMatch;
use guard_core::agents::IgnoredMarkers;
use guard_core::guard::{Guard, SharedGuard};
use guard_core::lineage::Root;
use guard_core::policy::Snapshot;
use guard_core::process::{ProcessDescription, ProcessKey, ProcessSource};
use guard_core::ring::{Counter, RingOptions};
use guard_linux::procfs::{self, ProcFs};
use guard_linux::session::{self, Beginning, Dispositions, Ending, Report};
use guard_linux::supervisor::Supervisor;
use guard_linux::sys::files::{Base, open_for_reading, poll};
use guard_linux::sys::process::{self, Change, clock_ns};
use guard_linux::world::World;
use std::ffi::CString;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// What to run, and under what.
pub(crate) struct Plan {
    /// The root command and its arguments.
    pub(crate) command: Vec<CString>,
    /// The signals that it is to ignore.
    pub(crate) dispositions: Dispositions,
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
pub(crate) fn run(mut plan: Plan) -> Result<Ending> {
    let command = std::mem::take(&mut plan.command);
    let outer = std::process::id();
    let dispositions = std::mem::take(&mut plan.dispositions);
    session::run(
        command,
        &dispositions,
        move |beginning| supervise(plan, outer, beginning),
        crate::cli::terminal::error,
    )
}

fn supervise(mut plan: Plan, outer: u32, beginning: Beginning) -> Result<()> {
    let Beginning {
        listener,
        wait_killable,
        root,
        go,
        report,
    } = beginning;
    // Pins take descriptors; the command has its own, older bound.
    process::set_soft_limit(libc::RLIMIT_NOFILE, u64::MAX).context("asking for descriptors")?;
    let journal = Journal::open(&plan.source.places.state);
    let snapshot = protect_processes(&mut plan, &[outer, std::process::id()])?;
    let source = ProcFs::new();
    let mut description = ProcessDescription::default();
    source
        .describe(root, &mut description)
        .context("looking at the command's process")?;
    let declared_agent = plan.agent.take().map(|agent| AgentMatch {
        session: plan.session.clone().into_bytes(),
        ..agent
    });
    let lineage_root = Root {
        key: description.key,
        started_ns: description.started_ns,
        declared_agent,
    };
    let ignored = IgnoredMarkers::from_environment(&description.environment);
    let ring = rings::create(&plan.source.places, ring_options(&plan.session)?, &journal)?;
    let guard: SharedGuard = Arc::new(Guard::new(
        snapshot,
        Some(lineage_root),
        ring,
        plan.session.into_bytes(),
        Box::new(source),
        |pid| procfs::stat(pid).ok().map(|stat| stat.ppid),
        ignored,
    ));
    let world = Arc::new(World::new(root).context("looking around")?);
    let watch = PolicyWatch::new(plan.source, plan.origin);
    watch.tell(&guard);
    guard.publish_state(clock_ns(libc::CLOCK_REALTIME));
    let supervisor = Supervisor::new(guard.clone(), world.clone(), listener, wait_killable);
    supervisor
        .start()
        .context("starting the answering threads")?;
    watch_mounts(world).context("watching the mount table")?;
    guard.ring.set(Counter::EnforcementActive, 1);
    report.introduce(root);
    detach_from_terminal(&journal)?;
    // No more than the command's own use keeps a file system busy.
    std::env::set_current_dir("/").context("leaving the working directory")?;
    hide_from_agents(&journal);
    if plan.exporter {
        // The reaper hears of its end.
        let _started = exporter::ensure(&watch.source.places, &journal);
    }
    {
        let guard = guard.clone();
        let supervisor = supervisor.clone();
        let journal = journal.clone();
        thread::Builder::new()
            .name("guard-housekeeper".into())
            .spawn(move || keep_house(&guard, &supervisor, watch, &journal))
            .context("starting the housekeeper")?;
    }
    go.go().context("letting the command go")?;
    reap(root, &report);
    // The command ended; what it left behind stays guarded until it is gone.
    while !supervisor.is_over() {
        thread::sleep(TICK / 5);
        while matches!(process::wait(None, false), Ok(Some(_))) {}
    }
    guard.ring.set(Counter::EnforcementActive, 0);
    guard.publish_state(clock_ns(libc::CLOCK_REALTIME));
    guard.ring.finish();
    Ok(())
}

/// The guard's own processes are files to be protected, too: `/proc/PID/mem`.
fn protect_processes(plan: &mut Plan, pids: &[u32]) -> Result<Snapshot> {
    let own = pids.iter().map(|pid| format!("/proc/{pid}").into_bytes());
    plan.source.own_files.extend(own);
    let compiled = plan.source.compile(&plan.policy);
    compiled.context("making the policy ready")
}

fn ring_options(session: &str) -> Result<RingOptions> {
    let me = std::process::id();
    let generation = procfs::stat(me).map_or(0, |stat| stat.started_ticks);
    Ok(RingOptions {
        id: crate::random_bytes().context("reading /dev/urandom")?,
        boot_id: rings::boot_id(),
        writer: ProcessKey {
            pid: me,
            generation,
        },
        created_wall_ns: clock_ns(libc::CLOCK_REALTIME),
        session: session.as_bytes().to_vec(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..RingOptions::default()
    })
}

/// Waits for children until the root command ended, reporting what becomes of it.
fn reap(root: u32, report: &Report) {
    loop {
        match process::wait(None, true) {
            Ok(Some((pid, change))) if pid.cast_unsigned() == root => {
                report.tell(change);
                if matches!(change, Change::Exited(_) | Change::Killed(_)) {
                    return;
                }
            }
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            Err(_) => return,
        }
    }
}

/// The terminal is the command's. What the guard has to say from here on goes to its journal.
fn detach_from_terminal(journal: &Journal) -> Result<()> {
    let nothing = open_for_reading(Base::Here, c"/dev/null").context("opening /dev/null")?;
    process::become_descriptor(nothing.as_fd(), 0).context("leaving the terminal")?;
    let output = journal.file();
    let target = output.as_ref().map_or_else(|| nothing.as_fd(), AsFd::as_fd);
    process::become_descriptor(target, 1).context("leaving the terminal")?;
    process::become_descriptor(target, 2).context("leaving the terminal")
}

/// No process of the same user may attach to the guard, write its memory or take its descriptors.
/// The privileged may; the filter hears of that.
fn hide_from_agents(journal: &Journal) {
    if let Err(error) = process::prctl(libc::PR_SET_DUMPABLE, 0) {
        journal.write(&format!(
            "cannot make the guard unreadable to others: {error}"
        ));
    }
}

/// Keeps the mount table fresh: the kernel says when it changes (`proc_pid_mountinfo(5)`).
fn watch_mounts(world: Arc<World>) -> std::io::Result<()> {
    let table = open_for_reading(Base::Here, c"/proc/self/mountinfo")?;
    thread::Builder::new()
        .name("guard-mounts".into())
        .spawn(move || {
            loop {
                let mut fds = [(table.as_fd(), libc::POLLPRI, 0)];
                if poll(&mut fds, -1).is_err() || world.reread_mounts().is_err() {
                    thread::sleep(TICK);
                }
            }
        })?;
    Ok(())
}

fn keep_house(guard: &Guard, supervisor: &Supervisor, mut watch: PolicyWatch, journal: &Journal) {
    let mut told = Instant::now();
    while !supervisor.is_over() {
        thread::sleep(TICK);
        watch.check(guard, journal);
        if told.elapsed() >= BEAT {
            told = Instant::now();
            guard.publish_state(clock_ns(libc::CLOCK_REALTIME));
            supervisor.tidy();
        }
    }
}

/// How often the policy file is looked at.
const TICK: Duration = Duration::from_millis(250);

/// How often the ring's header is brought up to date.
const BEAT: Duration = Duration::from_secs(1);
