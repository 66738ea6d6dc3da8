//! What is made of each decision that is read from a ring, beside its record in a log.
//!
//! Every decision is counted, timed and checked by the detector; a denial and a change are also kept in
//! memory, and a denial is published as an event. Another destination for decisions is added here.

use crate::app_state::AppState;
use crate::detect::{Detection, DetectionKind, Detector};
use crate::metrics::DecisionMetrics;
use crate::otlp::{Recorder, RingId};
use crate::rate_limited::RateLimited;
use crate::recent::LoggedDecision;
use crate::stream::Event;
use guard_core::DecisionEvent;
use guard_core::event::{RequestEvent, TraceContext};
use guard_report::activity::Activity;
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

/// Takes decisions, batch by batch.
#[derive(Debug)]
pub struct Observer {
    app: Arc<AppState>,
    sinks: Sinks,
}

/// A batch of decisions, read in one go.
#[derive(Debug)]
pub struct Batch<'o> {
    now: Instant,
    app: &'o AppState,
    activity: MutexGuard<'o, Activity>,
    sinks: &'o mut Sinks,
}

/// Where decisions go that only the reading thread uses.
#[derive(Debug)]
struct Sinks {
    decisions: DecisionMetrics,
    detector: Detector,
    otlp: Recorder,
    storms: RateLimited,
    deletions: RateLimited,
}

// === impl Observer ===

impl Observer {
    /// Counts into `decisions`, shows on `app` and records for `otlp`.
    #[must_use]
    pub fn new(app: Arc<AppState>, decisions: DecisionMetrics, otlp: Recorder) -> Self {
        Self {
            app,
            sinks: Sinks {
                decisions,
                detector: Detector::default(),
                otlp,
                storms: RateLimited::default(),
                deletions: RateLimited::default(),
            },
        }
    }

    /// Begins a batch, which holds the lock of the activity until it is dropped.
    pub fn batch(&mut self, now: Instant) -> Batch<'_> {
        Batch {
            now,
            app: &self.app,
            activity: self.app.activity(),
            sinks: &mut self.sinks,
        }
    }
}

// === impl Batch ===

impl Batch<'_> {
    /// Takes an allowed operation from the ring with this id.
    pub fn allowed(&mut self, event: &DecisionEvent<'_>, ring: RingId) {
        self.sinks.otlp.allowed(event, ring);
        self.decision(event);
    }

    /// Takes a denial from the ring with this id; `line` is its record in the log, with the newline.
    pub fn denial(&mut self, event: &DecisionEvent<'_>, ring: RingId, line: &[u8]) {
        self.sinks.otlp.denial(event, ring);
        self.decision(event);
        let line = std::str::from_utf8(line).expect("a record is JSON, which is UTF-8");
        self.publish(LoggedDecision::new(event, line.trim_end()));
    }

    /// Takes a denial that has no line of its own, from the ring with this id.
    pub fn repeated_denial(&mut self, event: &DecisionEvent<'_>, ring: RingId) {
        self.sinks.otlp.denial(event, ring);
        self.sinks.decisions.repeated();
        self.decision(event);
    }

    /// Takes the line in which several denials are counted; each of them was taken before.
    pub fn counted_denials(&mut self, line: &[u8]) {
        let line = std::str::from_utf8(line).expect("a record is JSON, which is UTF-8");
        if let Some(denial) = LoggedDecision::parse(line.trim_end()) {
            self.publish(denial);
        }
    }

    fn publish(&self, denial: LoggedDecision) {
        let denial = Arc::new(denial);
        let published = Event::Denial(Arc::clone(&denial));
        let recent = &self.app.recent;
        self.app.stream.publish(&published, || recent.push(denial));
    }

    /// When this batch began.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Takes an allowed operation from the change lane of the ring with this id; `line` is its record
    /// in the change log, with the newline.
    pub fn changed(&mut self, event: &DecisionEvent<'_>, ring: RingId, line: &[u8]) {
        self.sinks.otlp.changed(event, ring);
        self.decision(event);
        self.change(event, line);
    }

    /// Takes the record of a change; its decision is taken separately.
    pub fn change(&mut self, event: &DecisionEvent<'_>, line: &[u8]) {
        let line = std::str::from_utf8(line).expect("a record is JSON, which is UTF-8");
        let change = LoggedDecision::new(event, line.trim_end());
        self.app.changes.push(Arc::new(change));
    }

    /// Takes a step of a request from the ring with this id; `line` is its record in the log, with the
    /// newline.
    pub fn request(&mut self, event: &RequestEvent<'_>, ring: RingId, line: &[u8]) {
        self.sinks.otlp.request(event, ring);
        self.sinks.decisions.count_request(event);
        let line = std::str::from_utf8(line).expect("a record is JSON, which is UTF-8");
        self.app.requests.push(line.trim_end());
    }

    fn decision(&mut self, event: &DecisionEvent<'_>) {
        let Sinks {
            decisions,
            detector,
            ..
        } = &mut *self.sinks;
        let agent = decisions.count(event);
        let label = decisions.label(agent);
        self.activity.add(
            self.now,
            event.agent,
            event.operation,
            event.verdict,
            event.latency_ns,
        );
        if detector.is_denied_command(event) {
            decisions.denied_command(agent);
        }
        for detection in detector.check(event, label).into_iter().flatten() {
            self.detected(agent, detection, event.trace);
        }
    }

    fn detected(&mut self, agent: usize, detection: Detection, trace: Option<TraceContext>) {
        let sinks = &mut *self.sinks;
        let log = match detection.kind {
            DetectionKind::RetryStorm => &mut sinks.storms,
            DetectionKind::MassDeletion => &mut sinks.deletions,
        };
        log.warn(self.now, detection.sentence());
        if detection.begins {
            match detection.kind {
                DetectionKind::RetryStorm => sinks.decisions.retry_storm(agent),
                DetectionKind::MassDeletion => {
                    sinks
                        .decisions
                        .mass_deletion(agent, detection.place, detection.verdict())
                }
            }
        }
        let detection = Arc::new(detection);
        sinks.otlp.detection(&detection, trace);
        let published = Event::Detection(Arc::clone(&detection));
        self.app
            .stream
            .publish(&published, || self.app.add_detection(detection));
    }
}
