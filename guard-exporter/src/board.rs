//! What the reading thread puts up and the HTTP server reads.
//!
//! Every lock here is held for the time of a copy or of one batch of records. No guard waits for any
//! of them: guards know nothing of the exporter.

use crate::detect::Detection;
use crate::health::Health;
use crate::recent::Recent;
use crate::stream::Stream;
use guard_report::activity::Activity;
use guard_report::api::LogStatus;
use guard_report::status::GuardStatus;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

/// All that is shown beside the metrics.
#[derive(Debug)]
pub struct Board {
    /// When the exporter began.
    pub started: SystemTime,
    /// Whether it does its work.
    pub health: Health,
    /// The latest denials.
    pub recent: Recent,
    /// Who listens to what happens.
    pub stream: Stream,
    activity: Mutex<Activity>,
    guards: Mutex<Arc<[GuardStatus]>>,
    log: Mutex<LogStatus>,
    detections: Mutex<VecDeque<Arc<Detection>>>,
}

/// The most detections that are kept.
pub const MAX_DETECTIONS: usize = 256;

// === impl Board ===

impl Board {
    /// Shows `recent` and nothing else yet.
    #[must_use]
    pub fn new(recent: Recent, stream: Stream) -> Self {
        Self {
            started: SystemTime::now(),
            health: Health::new(),
            recent,
            stream,
            activity: Mutex::new(Activity::new(Instant::now())),
            guards: Mutex::default(),
            log: Mutex::default(),
            detections: Mutex::default(),
        }
    }

    /// Latencies and decisions of the last minutes.
    pub fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the guards say of themselves.
    #[must_use]
    pub fn guards(&self) -> Arc<[GuardStatus]> {
        let guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&guards)
    }

    /// Puts up what the guards say of themselves now.
    pub fn set_guards(&self, now: Arc<[GuardStatus]>) {
        *self.guards.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// What is told of the denial log.
    #[must_use]
    pub fn log(&self) -> LogStatus {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.clone()
    }

    /// Puts up what is told of the denial log now.
    pub fn set_log(&self, now: LogStatus) {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// The latest detections, newest first.
    #[must_use]
    pub fn detections(&self) -> Vec<Arc<Detection>> {
        let detections = self.lock_detections();
        detections.iter().rev().cloned().collect()
    }

    /// Puts up a detection.
    pub fn add_detection(&self, detection: Arc<Detection>) {
        let mut detections = self.lock_detections();
        if detections.len() == MAX_DETECTIONS {
            detections.pop_front();
        }
        detections.push_back(detection);
    }

    fn lock_detections(&self) -> MutexGuard<'_, VecDeque<Arc<Detection>>> {
        self.detections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
