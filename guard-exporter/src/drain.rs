//! The reading loop: rings in, metrics and the logs of denials, changes and requests out.
//!
//! Each pass reads all available denials, then changes, before a bounded number of allowed operations,
//! so that a storm of the latter delays neither. A ring whose writer is gone is read to its end, and its file
//! is removed once all its denials and changes are on disk.
//!
//! It guarantees that a denial or a change committed to a ring reaches its log exactly once, however often the
//! exporter is killed, unless the ring itself overwrote it first; that is then counted.
//!
//! It deliberately polls, at a pace that follows what comes (`pace.rs`).

use crate::app_state::AppState;
use crate::confine::SandboxPaths;
use crate::denial_log::DecisionLog;
use crate::denial_log::recover::NextSequences;
use crate::denial_log::repeats::Repeats;
use crate::discovery::{Discovery, is_fresh};
use crate::metrics::{ExporterMetrics, GuardState, Infos, Metrics, RingMetrics};
use crate::observe::Observer;
use crate::otlp::Recorder;
use crate::pace::{Found, Pace, SCAN_INTERVAL};
use crate::positions::ReadPositions;
use crate::rate_limited::RateLimited;
use crate::ring::{Extent, Ring};
use crate::timer::Timer;
use crate::units::seconds;
use guard_core::ring::{AttachRingError, Lane};
use guard_report::api::LogStatus;
use guard_report::record::DecisionRecord;
use guard_report::rings::RingFile;
use guard_report::time;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};
use tracing::Span;
use tracing::field::Empty;

/// Reads all rings.
#[derive(Debug)]
pub struct Drain {
    discovery: Discovery,
    rings: Vec<Ring>,
    log: DecisionLog,
    changes: DecisionLog,
    overrides: DecisionLog,
    repeats: Repeats,
    positions: ReadPositions,
    observer: Observer,
    app: Arc<AppState>,
    metrics: Counted,
    timers: Timers,
    last_live: Instant,
    /// Whether this pass attached or finished a ring.
    worked: bool,
    unattached: RateLimited,
    unremoved: RateLimited,
}

/// Where rings are and how far they were read.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Directories of rings.
    pub directories: Vec<PathBuf>,
    /// The user whose rings are read.
    pub uid: u32,
    /// The file of [`Cursors`](crate::cursors::Cursors).
    pub cursors: PathBuf,
}

/// When the loop ends by itself.
#[derive(Clone, Debug)]
pub struct Ends {
    /// When no guard was alive for so long.
    pub idle: Option<Duration>,
    /// When this directory is gone, and no guard is alive.
    pub state: PathBuf,
    /// When one of these was replaced by another.
    pub sandbox: SandboxPaths,
}

/// Why the loop ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody sends commands any more.
    Asked,
    /// No guard was alive for long enough.
    Idle,
    /// The exporter's own directory was removed, maybe with the whole home.
    Gone(PathBuf),
    /// The directory that the exporter is confined to is now another.
    Replaced(PathBuf),
}

/// What the loop is asked to do while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderCommand {
    /// Close the logs and open them again by their paths.
    ReopenLogs,
}

/// The result of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Records read.
    pub records: u64,
    /// Whether more may be waiting.
    pub extent: Extent,
}

/// What the loop itself counts.
#[derive(Debug)]
struct Counted {
    all: Metrics,
    rings: RingMetrics,
    exporter: ExporterMetrics,
    /// The info series that are exported now.
    infos: Infos,
}

/// When the parts of a pass that are not for every pass are due.
#[derive(Debug)]
struct Timers {
    scan: Timer,
    publish: Timer,
    save: Timer,
    trace: Timer,
    expire: Timer,
}

// === impl Drain ===

impl Drain {
    /// Reads from `sources` into `denials`, `changes` and `overrides`, each of which holds what is before
    /// its numbers already.
    #[must_use]
    pub fn new(
        sources: Sources,
        (denials, next): (DecisionLog, NextSequences),
        (changes, next_changes): (DecisionLog, NextSequences),
        (overrides, next_requests): (DecisionLog, NextSequences),
        metrics: &Metrics,
        app: Arc<AppState>,
        otlp: Recorder,
    ) -> Self {
        let now = Instant::now();
        let positions = ReadPositions::load(sources.cursors, next, next_changes, next_requests);
        let mut decisions = metrics.decisions();
        metrics.restore(positions.counters(), &mut decisions);
        Self {
            discovery: Discovery::new(sources.directories, sources.uid),
            rings: Vec::new(),
            log: denials,
            changes,
            overrides,
            repeats: Repeats::default(),
            positions,
            observer: Observer::new(Arc::clone(&app), decisions, otlp),
            app,
            metrics: Counted {
                rings: metrics.rings.clone(),
                exporter: metrics.exporter.clone(),
                infos: Infos::default(),
                all: metrics.clone(),
            },
            timers: Timers {
                scan: Timer::new(SCAN_INTERVAL),
                publish: Timer::new(SCAN_INTERVAL),
                save: Timer::starting_at(SAVE_INTERVAL, now),
                trace: Timer::new(TRACE_INTERVAL),
                expire: Timer::new(EXPIRE_INTERVAL),
            },
            last_live: now,
            worked: false,
            unattached: RateLimited::default(),
            unremoved: RateLimited::default(),
        }
    }

    /// Runs passes and `commands` until these hang up, or one of `ends` has come; then drains once more
    /// and syncs everything to disk.
    pub fn run(mut self, commands: &Receiver<ReaderCommand>, ends: &Ends) -> End {
        let mut check = Timer::starting_at(SCAN_INTERVAL, Instant::now());
        let mut end = None;
        let mut pace = Pace::new(Instant::now());
        loop {
            let now = Instant::now();
            let pass = self.pass(now);
            let pause = pace.after(self.found(pass), now);
            self.timers.set_scan_interval(pace.scan_interval(now));
            let idle = now.duration_since(self.last_live);
            if check.is_due(now) {
                end = ends.has_come(idle);
            }
            if end.is_some() {
                break;
            }
            match commands.recv_timeout(pause) {
                Ok(ReaderCommand::ReopenLogs) => {
                    self.log.reopen(Instant::now());
                    self.changes.reopen(Instant::now());
                    self.overrides.reopen(Instant::now());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.close();
        end.unwrap_or(End::Asked)
    }

    /// What a pass has found.
    fn found(&self, pass: Pass) -> Found {
        match pass {
            Pass {
                extent: Extent::Part,
                ..
            } if self.trouble().is_none() => Found::More,
            Pass { records: 1.., .. } => Found::Records,
            _ if self.worked => Found::Rings,
            _ => Found::Nothing,
        }
    }

    /// Scans for rings when it is due, and reads what is available.
    pub fn pass(&mut self, now: Instant) -> Pass {
        let span = self.trace(now);
        let _entered = span.enter();
        self.worked = false;
        if self.timers.scan.is_due(now) {
            self.scan();
        }
        let mut pass = Pass {
            records: 0,
            extent: Extent::All,
        };
        let mut ended = Vec::new();
        for ring in &mut self.rings {
            let mut batch = self.observer.batch(now);
            let (records, extent) = ring.drain_denials(
                &mut self.log,
                &mut self.repeats,
                &mut self.changes,
                &mut batch,
            );
            self.metrics.rings.read(Lane::Deny, records);
            pass.add(records, extent);
            let is_read = extent == Extent::All;
            let (records, extent) = ring.drain_changes(&mut self.changes, &mut batch);
            self.metrics.rings.read(Lane::Change, records);
            pass.add(records, extent);
            let is_read = is_read && extent == Extent::All;
            let (records, extent) = ring.drain_requests(&mut self.overrides, &mut batch);
            self.metrics.rings.read(Lane::Request, records);
            pass.add(records, extent);
            ended.push(!ring.is_live && is_read && extent == Extent::All);
        }
        // What ends with its ring is not waited for.
        self.log_repeats(now, ended.contains(&true));
        let write = if pass.records > 0 && !span.is_disabled() {
            tracing::info_span!("write")
        } else {
            Span::none()
        };
        write.in_scope(|| {
            // First: a denial that is in its log is not read again for the change log.
            self.changes.flush(now);
            self.overrides.flush(now);
            self.log.flush(now);
        });
        drop(write);
        for (ring, ended) in self.rings.iter_mut().zip(&mut ended) {
            let mut batch = self.observer.batch(now);
            let (records, extent) = ring.drain_allowed(ALLOWED_PER_PASS, &mut batch);
            self.metrics.rings.read(Lane::Allow, records);
            pass.add(records, extent);
            *ended &= extent == Extent::All;
            ring.count(&self.metrics.rings);
        }
        // Before rings that ended go away.
        let readers = self.rings.iter().map(|ring| &ring.reader);
        self.metrics.rings.show_store(readers);
        if ended.contains(&true) {
            self.finish(now, &ended);
        }
        if self.timers.expire.is_due(now) {
            for log in [&mut self.changes, &mut self.overrides, &mut self.log] {
                log.expire(now, SystemTime::now());
            }
        }
        if self.timers.save.is_due(now) {
            self.save(now);
        }
        self.publish(now);
        let trouble = self.trouble();
        if pass.records > 0 || self.worked || trouble.is_some() {
            // OTLP has signed numbers only.
            span.record("guard.records", pass.records.cast_signed());
            span.record("guard.rings", self.rings.len().cast_signed());
        }
        if let Some(trouble) = trouble {
            span.record("error.type", "denial_log");
            span.record("otel.status_description", trouble);
        }
        pass
    }

    /// Writes the lines of several denials that are due, or all.
    fn log_repeats(&mut self, now: Instant, all: bool) {
        if !all && !self.repeats.is_due(now) {
            return;
        }
        let (log, mut batch) = (&mut self.log, self.observer.batch(now));
        let write = |record: &DecisionRecord<'_>| {
            let line = log.encode(|into| record.append_to(into));
            batch.counted_denials(line);
        };
        if all {
            self.repeats.take_all(write);
        } else {
            self.repeats.take_due(now, write);
        }
    }

    /// The span of a pass: at most one a second, which is sent if the pass did any work.
    fn trace(&mut self, now: Instant) -> Span {
        if !self.timers.trace.is_due(now) {
            return Span::none();
        }
        tracing::info_span!(
            parent: None,
            "drain",
            guard.records = Empty,
            guard.rings = Empty,
            error.r#type = Empty,
            otel.status_description = Empty,
        )
    }

    /// Reads what is available and syncs it to disk.
    fn close(&mut self) {
        let deadline = Instant::now() + LONGEST_CLOSE;
        self.timers.scan.expire();
        loop {
            let now = Instant::now();
            let pass = self.pass(now);
            if pass.records == 0 && pass.extent == Extent::All || now >= deadline {
                break;
            }
        }
        self.log_repeats(Instant::now(), true);
        self.save(Instant::now());
    }

    /// Attaches new rings and checks which writers are gone.
    fn scan(&mut self) {
        for ring in &mut self.rings {
            ring.is_live = ring.is_live && ring.reader.is_writer_alive();
        }
        for candidate in self.discovery.scan() {
            if self.rings.iter().all(|ring| ring.file != candidate.id) {
                self.attach(candidate);
            }
        }
        let discovery = &self.discovery;
        self.positions.retain_finished(|id| discovery.skips(id));
    }

    fn attach(&mut self, candidate: RingFile) {
        self.worked = true;
        let _span = tracing::info_span!("attach").entered();
        if let Some(unfit) = candidate.unfit {
            self.reject(&candidate, unfit);
            return;
        }
        match Ring::attach(candidate.clone()) {
            Ok(ring) if self.rings.iter().any(|other| other.id == ring.id) => {
                self.reject(&candidate, "it is a copy of a ring that is being read");
            }
            Ok(mut ring) => {
                tracing::debug!("reading the ring {}", ring.id);
                self.positions.resume(&mut ring);
                self.rings.push(ring);
            }
            Err(AttachRingError::Header { source, .. }) => {
                // Its writer may still be preparing it.
                if !is_fresh(&candidate) {
                    self.reject(&candidate, source);
                }
            }
            // Removed already, or out of descriptors: the next scan tries again.
            Err(error) => {
                let error = anyhow::Error::new(error);
                self.unattached
                    .warn(Instant::now(), format_args!("{error:#}"));
            }
        }
    }

    fn reject(&mut self, candidate: &RingFile, why: impl std::fmt::Display) {
        self.metrics.rings.rejected();
        self.discovery.reject(candidate, why);
    }

    /// Removes the rings that `ended`: read to their end after their writer ended.
    fn finish(&mut self, now: Instant, ended: &[bool]) {
        self.worked = true;
        let _span = tracing::info_span!("finish").entered();
        // The rings hold the only other copy of their denials and changes.
        if !self.save(now) {
            return;
        }
        let mut ended = ended.iter();
        let unremoved = &mut self.unremoved;
        let (discovery, positions) = (&mut self.discovery, &mut self.positions);
        self.rings.retain(|ring| {
            if ended.next() != Some(&true) {
                return true;
            }
            if let Err(error) = ring.remove() {
                unremoved.warn(
                    now,
                    format_args!("cannot remove the finished ring {}: {error}", ring.id),
                );
                return true;
            }
            tracing::debug!("the ring {} is read to its end", ring.id);
            positions.finish(ring);
            if !ring.candidate.is_own {
                discovery.done(&ring.candidate);
            }
            false
        });
    }

    /// Syncs the logs to disk, then saves how far rings were read. Returns whether all are synced.
    fn save(&mut self, now: Instant) -> bool {
        let logs = [&mut self.changes, &mut self.overrides, &mut self.log];
        if logs.map(|log| log.sync(now)).contains(&false) {
            return false;
        }
        let metrics = &self.metrics.all;
        self.positions.save(now, &self.rings, || metrics.carry());
        true
    }

    /// Sets the gauges, and now and then what the HTTP server shows of the guards.
    fn publish(&mut self, now: Instant) {
        let mut state = GuardState::default();
        for ring in &self.rings {
            state.add(&ring.reader, ring.capacity, &ring.version, ring.is_live);
        }
        if state.live > 0 {
            self.last_live = now;
        }
        self.metrics.rings.show(&state);
        let trouble = self.trouble();
        self.app.health.set_obstacle(trouble);
        let exporter = &self.metrics.exporter;
        exporter.ready.set(i64::from(trouble.is_none()));
        exporter.last_pass.set(seconds(time::now_ns()));
        if self.timers.publish.is_due(now) {
            self.metrics
                .rings
                .show_infos(&self.metrics.infos, &state.infos);
            self.metrics.infos = state.infos;
            self.app
                .set_guards(self.rings.iter_mut().map(Ring::status).collect());
            self.app.set_logs(status(&self.log), status(&self.changes));
            let is_live = |id: &str| self.rings.iter().any(|ring| ring.is_live && ring.id == id);
            self.app.requests.retain(is_live);
        }
    }

    /// Why a log cannot be written.
    fn trouble(&self) -> Option<&str> {
        let others = [&self.changes, &self.overrides];
        let others = || others.into_iter().find_map(|log| log.trouble());
        self.log.trouble().or_else(others)
    }
}

// === impl Timers ===

impl Timers {
    fn set_scan_interval(&mut self, interval: Duration) {
        self.scan.set_interval(interval);
        self.publish.set_interval(interval);
    }
}

// === impl Ends ===

impl Ends {
    /// Which end has come, when no guard was alive for `idle`.
    fn has_come(&self, idle: Duration) -> Option<End> {
        if let Some(path) = self.sandbox.replaced() {
            return Some(End::Replaced(path.to_owned()));
        }
        if self.idle.is_some_and(|limit| idle >= limit) {
            return Some(End::Idle);
        }
        // A directory that is moved aside and back is gone for a moment only.
        let is_gone = idle >= GONE_PATIENCE && is_missing(&self.state);
        is_gone.then(|| End::Gone(self.state.clone()))
    }
}

// === impl Pass ===

impl Pass {
    fn add(&mut self, records: u64, extent: Extent) {
        self.records += records;
        if extent == Extent::Part {
            self.extent = extent;
        }
    }
}

/// Whether nothing has this path. A path that cannot be looked at may have something.
fn is_missing(path: &Path) -> bool {
    let found = path.symlink_metadata();
    found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn status(log: &DecisionLog) -> LogStatus {
    LogStatus {
        path: log.path().to_string_lossy().into_owned(),
        head: log.head().map(|head| head.to_string()),
    }
}

/// How long no guard was alive before an exporter without its directory ends.
const GONE_PATIENCE: Duration = Duration::from_secs(5);
/// How often logs are searched for what is too old.
const EXPIRE_INTERVAL: Duration = Duration::from_secs(60);
/// How often a pass may be traced.
const TRACE_INTERVAL: Duration = Duration::from_secs(1);
/// How often the log is synced to disk.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// The longest that the last drain may take under a storm: well below the time-outs of launchd and
/// other supervisors.
const LONGEST_CLOSE: Duration = Duration::from_secs(2);
/// About a millisecond of work.
const ALLOWED_PER_PASS: u64 = 4096;
