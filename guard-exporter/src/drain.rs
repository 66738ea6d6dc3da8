//! The reading loop: rings in, metrics and the denial log out.
//!
//! Each pass reads all denials there are before some of the allowed operations, so that a storm of
//! the latter delays no denial. A ring whose writer is gone is read to its end, and its file is
//! removed once all its denials are on the medium.
//!
//! It guarantees that a denial committed to a ring reaches the log exactly once, however often the
//! exporter is killed, unless the ring itself overwrote it first; that is then counted.
//!
//! It deliberately polls: a writer that woke its readers would need a system call. After activity a
//! pass follows within milliseconds; in the long run of nothing the pause grows to
//! `LONGEST_PAUSE`.

use crate::board::Board;
use crate::confine::Places;
use crate::cursors::{Cursors, Mark};
use crate::denial_log::DenialLog;
use crate::denial_log::recover::NextSequences;
use crate::discovery::{Candidate, Discovery, FileId};
use crate::metrics::{ExporterMetrics, GuardState, Infos, Metrics, RingMetrics};
use crate::notice::{self, Notice};
use crate::observe::Observer;
use crate::otlp::Intake;
use crate::ring::{Extent, Ring};
use crate::status::{Guard, LogState};
use guard_core::ring::{AttachRingError, Lane};
use std::collections::HashMap;
use std::path::PathBuf;
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
    log: DenialLog,
    next: NextSequences,
    cursors: Cursors,
    cursors_path: PathBuf,
    /// Rings that were read to the end and are not this user's to remove: how far is kept as long as
    /// the files are there.
    read_out: HashMap<FileId, (String, Mark)>,
    rings_metrics: RingMetrics,
    exporter_metrics: ExporterMetrics,
    observer: Observer,
    board: Arc<Board>,
    scanned: Option<Instant>,
    shown: Option<Instant>,
    infos: Infos,
    saved: Instant,
    last_live: Instant,
    /// When a pass was last traced.
    traced: Option<Instant>,
    /// Whether this pass did more than to look.
    worked: bool,
    unattached: Notice,
    unremoved: Notice,
    unsaved: Notice,
}

/// Where rings are and how far they were read.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Directories of rings.
    pub directories: Vec<PathBuf>,
    /// Whose rings.
    pub uid: u32,
    /// The file of [`Cursors`].
    pub cursors: PathBuf,
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Records read.
    pub records: u64,
    /// Whether more may be waiting.
    pub extent: Extent,
}

// === impl Drain ===

impl Drain {
    /// Reads from `sources` into `log`, which holds each ring's denials before `next`.
    #[must_use]
    pub fn new(
        sources: Sources,
        log: DenialLog,
        next: NextSequences,
        metrics: &Metrics,
        board: Arc<Board>,
        otlp: Intake,
    ) -> Self {
        let now = Instant::now();
        Self {
            discovery: Discovery::new(sources.directories, sources.uid),
            rings: Vec::new(),
            log,
            next,
            cursors: Cursors::load(&sources.cursors),
            cursors_path: sources.cursors,
            read_out: HashMap::new(),
            rings_metrics: metrics.rings.clone(),
            exporter_metrics: metrics.exporter.clone(),
            observer: Observer::new(Arc::clone(&board), metrics.decisions(), otlp),
            board,
            scanned: None,
            shown: None,
            infos: Infos::default(),
            saved: now,
            last_live: now,
            traced: None,
            worked: false,
            unattached: Notice::default(),
            unremoved: Notice::default(),
            unsaved: Notice::default(),
        }
    }

    /// Passes until `stop` says so or hangs up, or no guard has been alive for `exit_when_idle`;
    /// then drains once more and brings all to the medium.
    ///
    /// It ends as well when one of `places` is another directory than it was, and returns which.
    pub fn run(
        mut self,
        stop: &Receiver<()>,
        exit_when_idle: Option<Duration>,
        places: &Places,
    ) -> Option<PathBuf> {
        let mut looked = Instant::now();
        let mut displaced = None;
        let mut pause = SHORTEST_PAUSE;
        loop {
            let now = Instant::now();
            let pass = self.pass(now);
            pause = match pass {
                Pass {
                    extent: Extent::Part,
                    ..
                } if self.log.trouble().is_none() => Duration::ZERO,
                Pass { records: 1.., .. } => SHORTEST_PAUSE,
                _ => (pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE),
            };
            let idle = now.duration_since(self.last_live);
            let is_over = exit_when_idle.is_some_and(|limit| idle >= limit);
            if now.duration_since(looked) >= SCAN_INTERVAL {
                looked = now;
                displaced = places.displaced().map(PathBuf::from);
            }
            if is_over
                || displaced.is_some()
                || stop.recv_timeout(pause) != Err(RecvTimeoutError::Timeout)
            {
                break;
            }
        }
        self.close();
        displaced
    }

    /// Looks for rings when it is time, and reads what there is.
    pub fn pass(&mut self, now: Instant) -> Pass {
        let span = self.trace(now);
        let _entered = span.enter();
        self.worked = false;
        if self
            .scanned
            .is_none_or(|scanned| now.duration_since(scanned) >= SCAN_INTERVAL)
        {
            self.scanned = Some(now);
            self.scan();
        }
        let mut pass = Pass {
            records: 0,
            extent: Extent::All,
        };
        let mut ended = Vec::new();
        for ring in &mut self.rings {
            let mut batch = self.observer.batch(now);
            let (records, extent) = ring.drain_denials(&mut self.log, &mut batch);
            self.rings_metrics.read(Lane::Deny, records);
            pass.add(records, extent);
            ended.push(!ring.is_live && extent == Extent::All);
        }
        let write = if pass.records > 0 && !span.is_disabled() {
            tracing::info_span!("write")
        } else {
            Span::none()
        };
        write.in_scope(|| self.log.flush(now));
        drop(write);
        for (ring, ended) in self.rings.iter_mut().zip(&mut ended) {
            let mut batch = self.observer.batch(now);
            let (records, extent) = ring.drain_allowed(ALLOWED_PER_PASS, &mut batch);
            self.rings_metrics.read(Lane::Allow, records);
            pass.add(records, extent);
            *ended &= extent == Extent::All;
            ring.count(&self.rings_metrics);
        }
        if ended.contains(&true) {
            self.finish(now, &ended);
        }
        if now.duration_since(self.saved) >= SAVE_INTERVAL {
            self.save(now);
        }
        self.show(now);
        let trouble = self.log.trouble();
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

    /// A pass's span: one a second is looked at, and sent if the pass comes to something.
    fn trace(&mut self, now: Instant) -> Span {
        let is_due = |traced| now.duration_since(traced) >= TRACE_INTERVAL;
        if !self.traced.is_none_or(is_due) {
            return Span::none();
        }
        self.traced = Some(now);
        tracing::info_span!(
            parent: None,
            "drain",
            guard.records = Empty,
            guard.rings = Empty,
            error.r#type = Empty,
            otel.status_description = Empty,
        )
    }

    /// Reads what there is and brings it to the medium.
    fn close(&mut self) {
        let deadline = Instant::now() + LONGEST_CLOSE;
        self.scanned = None;
        loop {
            let now = Instant::now();
            let pass = self.pass(now);
            if pass.records == 0 && pass.extent == Extent::All || now >= deadline {
                break;
            }
        }
        self.save(Instant::now());
    }

    /// Attaches new rings and sees which writers are gone.
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
        self.read_out.retain(|id, _| discovery.passes_over(*id));
    }

    fn attach(&mut self, candidate: Candidate) {
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
                let next = self.next.get(&ring.id).copied().unwrap_or(0);
                notice::debug(format_args!("reading the ring {}", ring.id));
                ring.resume(self.cursors.0.get(&ring.id).cloned(), next);
                self.rings.push(ring);
            }
            Err(AttachRingError::Header { source, .. }) => {
                // Its writer may still be making it.
                if !candidate.is_fresh() {
                    self.reject(&candidate, source);
                }
            }
            // Gone again, or no descriptor is left: the next scan will tell.
            Err(error) => {
                let error = anyhow::Error::new(error);
                self.unattached
                    .warn_at(Instant::now(), format_args!("{error:#}"));
            }
        }
    }

    fn reject(&mut self, candidate: &Candidate, why: impl std::fmt::Display) {
        self.rings_metrics.rejected();
        self.discovery.reject(candidate, why);
    }

    /// Lets go of the rings that `ended`: read to the end after their writer's death.
    fn finish(&mut self, now: Instant, ended: &[bool]) {
        self.worked = true;
        let _span = tracing::info_span!("finish").entered();
        // The rings hold the only other copy of their denials.
        if !self.save(now) {
            return;
        }
        let mut ended = ended.iter();
        let notice = &mut self.unremoved;
        let next = &mut self.next;
        let (discovery, read_out) = (&mut self.discovery, &mut self.read_out);
        self.rings.retain(|ring| {
            if ended.next() != Some(&true) {
                return true;
            }
            if let Err(error) = ring.remove() {
                notice.warn_at(
                    now,
                    format_args!("cannot remove the finished ring {}: {error}", ring.id),
                );
                return true;
            }
            notice::debug(format_args!("the ring {} is read to its end", ring.id));
            next.insert(ring.id.clone(), ring.reader.cursor(Lane::Deny).delivered);
            if !ring.candidate.is_own {
                discovery.done(&ring.candidate);
                read_out.insert(ring.file, (ring.id.clone(), ring.mark()));
            }
            false
        });
    }

    /// Brings the log to the medium, then notes how far rings were read. Returns whether the log
    /// is there.
    fn save(&mut self, now: Instant) -> bool {
        self.saved = now;
        if !self.log.sync(now) {
            return false;
        }
        let marks = self.rings.iter().map(|ring| (ring.id.clone(), ring.mark()));
        let kept = self.read_out.values().cloned();
        let cursors = Cursors(kept.chain(marks).collect());
        if cursors != self.cursors {
            if let Err(error) = cursors.save(&self.cursors_path) {
                let path = self.cursors_path.display();
                self.unsaved
                    .warn_at(now, format_args!("cannot write {path}: {error}"));
            }
            self.cursors = cursors;
        }
        true
    }

    fn show(&mut self, now: Instant) {
        let mut state = GuardState::default();
        for ring in &self.rings {
            state.add(&ring.reader, ring.capacity, &ring.version, ring.is_live);
        }
        if state.live > 0 {
            self.last_live = now;
        }
        self.rings_metrics.show(&state);
        let trouble = self.log.trouble();
        self.board.health.set_obstacle(trouble);
        let exporter = &self.exporter_metrics;
        exporter.ready.set(i64::from(trouble.is_none()));
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        exporter
            .last_pass
            .set(since_epoch.unwrap_or_default().as_secs_f64());
        let is_due = |shown| now.duration_since(shown) >= SCAN_INTERVAL;
        if self.shown.is_none_or(is_due) {
            self.shown = Some(now);
            self.rings_metrics.show_infos(&self.infos, &state.infos);
            self.infos = state.infos;
            self.board
                .set_guards(self.rings.iter().map(Guard::of).collect());
            self.board.set_log(LogState {
                path: self.log.path().to_string_lossy().into_owned(),
                head: self.log.head().map(|head| head.to_string()),
            });
        }
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

/// After a pass that read something.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
/// The most a denial waits for its line.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// How often directories are looked through, writers' locks are tried, and what guards say of
/// themselves is put up.
const SCAN_INTERVAL: Duration = Duration::from_millis(200);
/// How often a pass may be traced.
const TRACE_INTERVAL: Duration = Duration::from_secs(1);
/// How often the log is brought to the medium.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// How long a last drain may take under a storm: well below what launchd and others wait.
const LONGEST_CLOSE: Duration = Duration::from_secs(2);
/// About a millisecond's worth.
const ALLOWED_PER_PASS: u64 = 4096;
