//! The denials that can be read here: those in the rings, which are there at once, and those in the
//! log, which stay.
//!
//! A denial that is in both counts once. Nothing is written.

use crate::hex;
use crate::log_files::LogFollower;
use crate::paths::StatePaths;
use crate::record::DecisionRecord;
use crate::rings;
use guard_core::ring::{Lane, Reader};
use std::collections::HashMap;
use std::io;

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
        let mut lines = HashMap::new();
        let mut keep = |line: &str| {
            if let Some(record) = DecisionRecord::parse(line) {
                lines.insert(record.id(), (record.wall_ns(), line.trim_end().to_owned()));
            }
        };
        let mut own_ring = None;
        let uid = rustix::process::geteuid().as_raw();
        for mut ring in rings::readers(&paths.readable_rings(), uid) {
            let header = ring.header();
            let id = hex(&header.id);
            if ancestors.contains(&header.writer.pid) && ring.is_writer_alive() {
                own_ring = Some(id.clone());
            }
            for_each_denial(&mut ring, &id, &mut keep);
        }
        LogFollower::new(paths.denial_log()).read(&mut keep)?;
        let mut lines: Vec<_> = lines.into_values().collect();
        // Within one instant by its number, which the line has after its time.
        lines.sort();
        Ok(Self {
            lines: lines.into_iter().map(|(_, line)| line).collect(),
            own_ring,
        })
    }

    /// Whether this process runs in a guarded session.
    #[must_use]
    pub fn is_in_session(&self) -> bool {
        self.own_ring.is_some()
    }

    /// The newest denial that `wanted` wants: of this process's own session if that has one, and in
    /// a session without one, of none.
    pub fn newest(
        &self,
        wanted: impl Fn(&DecisionRecord<'_>) -> bool,
    ) -> Option<DecisionRecord<'_>> {
        let mut records = self.records();
        records.rfind(|record| self.is_own(record) && wanted(record))
    }

    /// All of them, the oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = DecisionRecord<'_>> {
        self.lines
            .iter()
            .filter_map(|line| DecisionRecord::parse(line))
    }

    fn is_own(&self, record: &DecisionRecord<'_>) -> bool {
        self.own_ring
            .as_deref()
            .is_none_or(|ring| record.ring == ring)
    }
}

fn for_each_denial(ring: &mut Reader, id: &str, keep: &mut impl FnMut(&str)) {
    let mut line = Vec::new();
    while let Some(event) = ring.next(Lane::Deny) {
        line.clear();
        DecisionRecord::new(&event, id).append_to(&mut line);
        keep(&String::from_utf8_lossy(&line));
    }
}
