//! How far each ring was read: what the denial log shows, and what `cursors.json` adds.
//!
//! It guarantees that a lane is never resumed before a decision that is in its log.

use crate::cursors::{Cursors, Mark};
use crate::denial_log::recover::{NextNumbers, NextSequences};
use crate::metrics::carried::CarriedCounter;
use crate::rate_limited::RateLimited;
use crate::ring::Ring;
use guard_core::ring::Lane;
use guard_report::rings::FileId;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Instant;

/// The read positions of all rings.
#[derive(Debug)]
pub(crate) struct ReadPositions {
    /// From the denial log: the number after each ring's last denial.
    next: NextSequences,
    /// From the change log, likewise.
    changes: NextSequences,
    /// From the log of requests and overrides, likewise.
    requests: NextSequences,
    saved: Cursors,
    path: PathBuf,
    /// Rings that were read to their end and that this user may not remove. Their marks are kept
    /// while the files exist.
    finished: HashMap<FileId, (String, Mark)>,
    failing: RateLimited,
}

// === impl ReadPositions ===

impl ReadPositions {
    /// Loads the cursors at `path`; the denial log holds each ring's denials before `next`, the change
    /// log its changes before `changes`, and the log of requests its steps before `requests`.
    pub(crate) fn load(
        path: PathBuf,
        next: NextSequences,
        changes: NextSequences,
        requests: NextSequences,
    ) -> Self {
        Self {
            next,
            changes,
            requests,
            saved: Cursors::load(&path),
            path,
            finished: HashMap::new(),
            failing: RateLimited::default(),
        }
    }

    /// Moves `ring` to where an earlier exporter ended.
    pub(crate) fn resume(&self, ring: &mut Ring) {
        let numbers = |of: &NextSequences| of.get(&ring.id).copied().unwrap_or_default();
        let next = NextNumbers {
            request: numbers(&self.requests).request,
            ..numbers(&self.next)
        };
        let changes = numbers(&self.changes);
        ring.resume(self.saved.rings.get(&ring.id).cloned(), next, changes);
    }

    /// Remembers a ring that was read to its end.
    pub(crate) fn finish(&mut self, ring: &Ring) {
        let numbers = NextNumbers {
            deny: ring.reader.cursor(Lane::Deny).delivered,
            change: ring.reader.cursor(Lane::Change).delivered,
            request: ring.reader.cursor(Lane::Request).delivered,
        };
        self.next.insert(ring.id.clone(), numbers);
        self.changes.insert(ring.id.clone(), numbers);
        self.requests.insert(ring.id.clone(), numbers);
        if !ring.candidate.is_own {
            self.finished
                .insert(ring.file, (ring.id.clone(), ring.mark()));
        }
    }

    /// Forgets the finished rings whose files do not exist any more.
    pub(crate) fn retain_finished(&mut self, exists: impl Fn(FileId) -> bool) {
        self.finished.retain(|id, _| exists(*id));
    }

    /// The counters of the exporter that saved last.
    pub(crate) fn counters(&self) -> &[CarriedCounter] {
        &self.saved.counters
    }

    /// Saves the positions of `rings` if they changed, and the `counters` with them. What they say must
    /// be on disk already.
    pub(crate) fn save(
        &mut self,
        now: Instant,
        rings: &[Ring],
        counters: impl FnOnce() -> Vec<CarriedCounter>,
    ) {
        let marks = rings.iter().map(|ring| (ring.id.clone(), ring.mark()));
        let finished = self.finished.values().cloned();
        let rings: BTreeMap<_, _> = finished.chain(marks).collect();
        if rings == self.saved.rings {
            return;
        }
        let cursors = Cursors {
            rings,
            counters: counters(),
        };
        if let Err(error) = cursors.save(&self.path) {
            let path = self.path.display();
            self.failing
                .warn(now, format_args!("cannot write {path}: {error}"));
        }
        self.saved = cursors;
    }
}
