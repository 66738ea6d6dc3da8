//! The denials that can be read here: those in the rings, which are there at once, and those in the
//! log, which stay.
//!
//! A process in a guarded session is shown its own session's, and only that session's ring is read. A
//! denial that is in both counts once. Nothing is written.

use crate::hex;
use crate::log_files::LogFollower;
use crate::paths::StatePaths;
use crate::record::DecisionRecord;
use crate::rings;
use guard_core::ring::Lane;
use std::collections::HashMap;
use std::io;

/// Denials while they are read: by id, with their times.
#[derive(Debug, Default)]
struct Found {
    lines: HashMap<String, (Option<u64>, String)>,
    own_ring: Option<String>,
}

/// Denials, the oldest first, each as a line of the log.
#[derive(Debug, Default)]
pub struct PastDenials {
    lines: Vec<String>,
    /// The ring of the guard that this process's session has.
    own_ring: Option<String>,
}

// === impl PastDenials ===

impl PastDenials {
    /// Reads them, for a process with these ancestors.
    ///
    /// # Errors
    ///
    /// When the log is there and cannot be read.
    pub fn read(paths: &StatePaths, ancestors: &[u32]) -> io::Result<Self> {
        let mut found = Found::default();
        found.read_rings(paths, ancestors);
        LogFollower::new(paths.denial_log()).read(&mut |line: &str| found.keep(line))?;
        Ok(found.sorted())
    }

    /// Reads those of the rings alone, for a process with these ancestors: what was denied since the
    /// guards that are running began, as far as the rings still hold it.
    #[must_use]
    pub fn in_rings(paths: &StatePaths, ancestors: &[u32]) -> Self {
        let mut found = Found::default();
        found.read_rings(paths, ancestors);
        found.sorted()
    }

    /// Whether this process runs in a guarded session.
    #[must_use]
    pub fn is_in_session(&self) -> bool {
        self.own_ring.is_some()
    }

    /// The newest denial that `wanted` wants.
    pub fn newest(
        &self,
        wanted: impl Fn(&DecisionRecord<'_>) -> bool,
    ) -> Option<DecisionRecord<'_>> {
        self.records().rfind(wanted)
    }

    /// All of them, the oldest first: of this process's own session if it is in one.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = DecisionRecord<'_>> {
        self.lines
            .iter()
            .filter_map(|line| DecisionRecord::parse(line))
    }
}

// === impl Found ===

impl Found {
    fn read_rings(&mut self, paths: &StatePaths, ancestors: &[u32]) {
        let uid = rustix::process::geteuid().as_raw();
        let mut readers = rings::readers(&paths.readable_rings(), uid);
        let own = readers.iter().rposition(|ring| {
            ancestors.contains(&ring.header().writer.pid) && ring.is_writer_alive()
        });
        if let Some(own) = own {
            let ring = readers.swap_remove(own);
            self.own_ring = Some(hex(&ring.header().id));
            readers = vec![ring];
        }
        for mut ring in readers {
            rings::each_line(&mut ring, Lane::Deny, |line| self.keep(line));
        }
    }

    fn keep(&mut self, line: &str) {
        if let Some(record) = DecisionRecord::parse(line) {
            if self
                .own_ring
                .as_ref()
                .is_some_and(|own| record.ring != *own)
            {
                return;
            }
            // A line of several has the fields of another of them; the ring's own is there.
            if record.count.is_some() && self.lines.contains_key(&record.id()) {
                return;
            }
            let kept = (record.wall_ns(), line.trim_end().to_owned());
            self.lines.insert(record.id(), kept);
        }
    }

    fn sorted(self) -> PastDenials {
        let mut lines: Vec<_> = self.lines.into_values().collect();
        // Within one instant by its number, which the line has after its time.
        lines.sort();
        PastDenials {
            lines: lines.into_iter().map(|(_, line)| line).collect(),
            own_ring: self.own_ring,
        }
    }
}
