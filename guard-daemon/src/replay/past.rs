//! What is known of the past: the logs, and what of the rings is not in them yet.

use guard_core::ring::{Lane, Reader};
use guard_report::log_files::LogFollower;
use guard_report::paths::{StatePaths, change_log, override_log};
use guard_report::record::DecisionRecord;
use guard_report::request_record::RequestRecord;
use guard_report::{hex, rings};
use std::collections::BTreeMap;
use std::io;

/// Lines of the logs, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// Of denials and changes.
    decisions: Vec<String>,
    /// Of requests.
    requests: Vec<String>,
}

/// Lines by time and identity: one that is in a ring and in a log counts once.
type Lines = BTreeMap<(u64, String, u64, bool), String>;

// === impl Past ===

impl Past {
    /// Reads what is not older than `since_ns`.
    ///
    /// # Errors
    ///
    /// When a log is there and cannot be read.
    pub(crate) fn read(paths: &StatePaths, since_ns: u64) -> io::Result<Self> {
        let (mut decisions, mut requests) = (Lines::new(), Lines::new());
        let mut keep_decision = |line: &str| {
            if let Some(record) = DecisionRecord::parse(line)
                && let Some(wall_ns) = record.wall_ns().filter(|wall| *wall >= since_ns)
            {
                let is_change = record.verdict == "allow";
                let key = (wall_ns, record.ring.to_string(), record.seq, is_change);
                // A line of several has the fields of another of them; the ring's own is there.
                if record.count.is_none() || !decisions.contains_key(&key) {
                    decisions.insert(key, line.trim_end().to_owned());
                }
            }
        };
        let mut keep_request = |line: &str| {
            if let Some(record) = RequestRecord::parse(line)
                && let Ok(wall_ns) = guard_report::time::parse(&record.time)
                && wall_ns >= since_ns
            {
                let key = (wall_ns, record.ring.to_string(), record.seq, false);
                requests.insert(key, line.trim_end().to_owned());
            }
        };
        let uid = rustix::process::geteuid().as_raw();
        for mut ring in rings::readers(&paths.readable_rings(), uid) {
            read_ring(&mut ring, &mut keep_decision, &mut keep_request);
        }
        let log = paths.denial_log();
        LogFollower::new(log.clone()).read(&mut keep_decision)?;
        LogFollower::new(change_log(&log)).read(&mut keep_decision)?;
        LogFollower::new(override_log(&log)).read(&mut keep_request)?;
        Ok(Self {
            decisions: decisions.into_values().collect(),
            requests: requests.into_values().collect(),
        })
    }

    /// Denials and changes.
    pub(crate) fn decisions(&self) -> impl Iterator<Item = DecisionRecord<'_>> {
        let lines = self.decisions.iter();
        lines.filter_map(|line| DecisionRecord::parse(line))
    }

    /// Steps of requests.
    pub(crate) fn requests(&self) -> impl Iterator<Item = RequestRecord<'_>> {
        let lines = self.requests.iter();
        lines.filter_map(|line| RequestRecord::parse(line))
    }
}

fn read_ring(
    ring: &mut Reader,
    keep_decision: &mut impl FnMut(&str),
    keep_request: &mut impl FnMut(&str),
) {
    let id = hex(&ring.header().id);
    for lane in [Lane::Deny, Lane::Change] {
        rings::each_line(ring, lane, &mut *keep_decision);
    }
    let mut line = Vec::new();
    while let Some(event) = ring.next_request() {
        line.clear();
        RequestRecord::new(&event, &id).append_to(&mut line);
        keep_request(&String::from_utf8_lossy(&line));
    }
}
