//! The state that the reading thread writes and the HTTP server reads.
//!
//! Every lock here is held for one copy or one batch of records. No guard ever waits for them: guards
//! do not know of the exporter.

use crate::detect::Detection;
use crate::health::Health;
use crate::recent::Recent;
use crate::requests::Requests;
use crate::stream::Stream;
use guard_report::activity::Activity;
use guard_report::api::LogStatus;
use guard_report::status::GuardStatus;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

/// Everything that is served beside the metrics.
#[derive(Debug)]
pub struct AppState {
    /// When the exporter started.
    pub started: SystemTime,
    pub health: Health,
    /// The latest denials.
    pub recent: Recent,
    /// The latest changes.
    pub changes: Recent,
    /// The requests that wait for a person, and the latest steps.
    pub requests: Requests,
    pub stream: Stream,
    activity: Mutex<Activity>,
    guards: Mutex<Arc<[GuardStatus]>>,
    /// The denial log and the change log.
    logs: Mutex<[LogStatus; 2]>,
    detections: Mutex<VecDeque<Arc<Detection>>>,
}

/// The number of detections that are kept.
pub const MAX_DETECTIONS: usize = 256;

// === impl AppState ===

impl AppState {
    /// The state at the start: `recent` denials, `changes` and `requests`, and nothing else.
    #[must_use]
    pub fn new(recent: Recent, changes: Recent, requests: Requests, stream: Stream) -> Self {
        Self {
            started: SystemTime::now(),
            health: Health::new(),
            recent,
            changes,
            requests,
            stream,
            activity: Mutex::new(Activity::new(Instant::now())),
            guards: Mutex::default(),
            logs: Mutex::default(),
            detections: Mutex::default(),
        }
    }

    pub fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[must_use]
    pub fn guards(&self) -> Arc<[GuardStatus]> {
        let guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&guards)
    }

    pub fn set_guards(&self, guards: Arc<[GuardStatus]>) {
        *self.guards.lock().unwrap_or_else(PoisonError::into_inner) = guards;
    }

    /// The denial log and the change log.
    #[must_use]
    pub fn logs(&self) -> [LogStatus; 2] {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.clone()
    }

    pub fn set_logs(&self, denials: LogStatus, changes: LogStatus) {
        let logs = [denials, changes];
        *self.logs.lock().unwrap_or_else(PoisonError::into_inner) = logs;
    }

    /// The latest detections, newest first.
    #[must_use]
    pub fn detections(&self) -> Vec<Arc<Detection>> {
        let detections = self.lock_detections();
        detections.iter().rev().cloned().collect()
    }

    /// How many changes are kept, and of how many the contents were not preserved.
    #[must_use]
    pub fn changes_kept(&self) -> (u64, u64) {
        let (mut all, mut lost) = (0, 0);
        self.changes.for_each(|change| {
            all += 1;
            lost += u64::from(change.is_unpreserved);
        });
        (all, lost)
    }

    /// Adds the newest detection, in place of what was reported of the same before: it has one count.
    pub fn add_detection(&self, detection: Arc<Detection>) {
        let mut detections = self.lock_detections();
        if !detection.begins {
            detections.retain(|other| !other.counted.is_of_the_same(&detection.counted));
        }
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
