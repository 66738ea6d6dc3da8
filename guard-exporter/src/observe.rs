//! What is made of each decision that is read from a ring, beside its line in the denial log.
//!
//! Every decision is counted, timed and looked at by the detector; a denial is also kept and told to
//! those who listen. This is the place where another way out of the exporter is joined on.

use crate::activity::Activity;
use crate::board::Board;
use crate::detect::{Detection, Detector, Kind};
use crate::http::events;
use crate::metrics::DecisionMetrics;
use crate::notice::Notice;
use crate::otlp::{Intake, RingId};
use crate::recent::Denial;
use guard_core::DecisionEvent;
use guard_core::event::TraceContext;
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

/// Takes decisions, batch by batch.
#[derive(Debug)]
pub struct Observer {
    board: Arc<Board>,
    decisions: DecisionMetrics,
    detector: Detector,
    otlp: Intake,
    storms: Notice,
    deletions: Notice,
}

/// Some decisions that are read in one go.
#[derive(Debug)]
pub struct Batch<'o> {
    now: Instant,
    board: &'o Board,
    activity: MutexGuard<'o, Activity>,
    decisions: &'o mut DecisionMetrics,
    detector: &'o mut Detector,
    otlp: &'o mut Intake,
    storms: &'o mut Notice,
    deletions: &'o mut Notice,
}

// === impl Observer ===

impl Observer {
    /// Counts into `decisions`, shows on `board` and hands to `otlp`.
    #[must_use]
    pub fn new(board: Arc<Board>, decisions: DecisionMetrics, otlp: Intake) -> Self {
        Self {
            board,
            decisions,
            detector: Detector::default(),
            otlp,
            storms: Notice::default(),
            deletions: Notice::default(),
        }
    }

    /// Begins a batch; until it ends nobody else sees the activity.
    pub fn batch(&mut self, now: Instant) -> Batch<'_> {
        Batch {
            now,
            board: &self.board,
            activity: self.board.activity(),
            decisions: &mut self.decisions,
            detector: &mut self.detector,
            otlp: &mut self.otlp,
            storms: &mut self.storms,
            deletions: &mut self.deletions,
        }
    }
}

// === impl Batch ===

impl Batch<'_> {
    /// Takes an allowed operation, of the ring with this id.
    pub fn allowed(&mut self, event: &DecisionEvent<'_>, ring: RingId) {
        self.otlp.allowed(event, ring);
        self.decision(event);
    }

    fn decision(&mut self, event: &DecisionEvent<'_>) {
        let agent = self.decisions.count(event);
        let label = self.decisions.label(agent);
        self.activity.add(
            self.now,
            (agent, label),
            event.operation,
            event.verdict,
            event.latency_ns,
        );
        for detection in self.detector.look(event, label).into_iter().flatten() {
            self.detected(agent, detection, event.trace);
        }
    }

    /// Takes a denial, of the ring with this id, whose line in the log is `line`, with its newline.
    pub fn denial(&mut self, event: &DecisionEvent<'_>, ring: RingId, line: &[u8]) {
        self.otlp.denial(event, ring);
        self.decision(event);
        let line = std::str::from_utf8(line).expect("a line is JSON, which is text");
        let denial = Arc::new(Denial::new(event, line.trim_end()));
        self.board.stream.publish(
            || self.board.recent.push(Arc::clone(&denial)),
            || events::denial(&denial),
        );
    }

    fn detected(&mut self, agent: usize, detection: Detection, trace: Option<TraceContext>) {
        let notice = match detection.kind {
            Kind::RetryStorm => &mut *self.storms,
            Kind::MassDeletion => &mut *self.deletions,
        };
        notice.warn_at(self.now, detection.sentence());
        if detection.begins {
            match detection.kind {
                Kind::RetryStorm => self.decisions.retry_storm(agent),
                Kind::MassDeletion => self.decisions.mass_deletion(agent, detection.verdict()),
            }
        }
        let detection = Arc::new(detection);
        self.otlp.detection(&detection, trace);
        self.board.stream.publish(
            || self.board.add_detection(Arc::clone(&detection)),
            || events::detection(&detection),
        );
    }
}
