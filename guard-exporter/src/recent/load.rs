//! Loads a log at the start.

use super::{DecisionFacts, LoggedDecision, Recent};
use guard_report::log_files::read_all;
use guard_report::record::DecisionRecord;
use std::path::Path;
use std::sync::{Arc, OnceLock};

// === impl Recent ===

impl Recent {
    /// Loads a log and its numbered files: the newest lines as they are, of the others what is
    /// remembered. Lines that cannot be read or parsed are skipped.
    #[must_use]
    pub fn load(log: &Path) -> Self {
        let recent = Self::default();
        for text in read_all(log) {
            for denial in text.lines().filter_map(LoggedDecision::parse) {
                recent.push(Arc::new(denial));
            }
        }
        recent
    }
}

// === impl LoggedDecision ===

impl LoggedDecision {
    /// The decision of a line of a log; `None` when it is none that this version knows.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let record = DecisionRecord::parse(line)?;
        Some(Self {
            facts: DecisionFacts {
                agent: record.agent.as_deref().map(Into::into),
                zone: record.zone_name.as_deref().map(Into::into),
                zone_path: record.zone.as_deref().map(Into::into),
                operation: record.operation()?,
                verdict: record.verdict()?,
                wall_ns: record.wall_ns()?,
                count: record.count.unwrap_or(1),
            },
            is_unpreserved: record.unpreserved.is_some(),
            line: line.into(),
            group_key: OnceLock::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::MAX_KEPT;
    use super::*;
    use guard_core::DecisionEvent;
    use guard_report::filter::RecordFilter;
    use guard_report::log_files::{KEPT, numbered};
    use guard_testing::events::denial;

    #[test]
    fn as_many_are_loaded_as_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("denials.jsonl");
        let each = MAX_KEPT as u64 / 7;
        let short = |sequence| DecisionEvent {
            trace: None,
            destination: None,
            ..denial(sequence)
        };
        for number in 0..=KEPT {
            let mut bytes = Vec::new();
            let oldest = u64::from(KEPT - number) * each;
            for sequence in oldest..oldest + each {
                DecisionRecord::new(&short(sequence), "00ff").append_to(&mut bytes);
            }
            std::fs::write(numbered(&log, number), bytes).unwrap();
        }
        // A number that an interrupted rotation left free.
        std::fs::remove_file(numbered(&log, 2)).unwrap();
        let recent = Recent::load(&log);
        assert_eq!(recent.len(), MAX_KEPT);
        let found = recent
            .select(&RecordFilter::default(), None, MAX_KEPT)
            .denials;
        let numbers: Vec<u64> = found
            .iter()
            .map(|denial| DecisionRecord::parse(&denial.line).unwrap().seq)
            .collect();
        let files = [8, 7, 5, 4, 3, 2, 1, 0].map(|file| (file * each..(file + 1) * each).rev());
        let expected: Vec<u64> = files.into_iter().flatten().take(MAX_KEPT).collect();
        assert_eq!(numbers, expected);
        let older = recent.older(&RecordFilter::default());
        assert_eq!(older.len() as u64, 8 * each - MAX_KEPT as u64);
    }

    #[test]
    fn lines_are_loaded_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("denials.jsonl");
        let lines = |events: &[DecisionEvent<'_>]| {
            let mut bytes = Vec::new();
            for event in events {
                DecisionRecord::new(event, "00ff").append_to(&mut bytes);
            }
            bytes
        };
        let mut live = lines(&[denial(2)]);
        live.extend(b"by hand\n{}\n{\"ring\":");
        std::fs::write(numbered(&log, 0), live).unwrap();
        std::fs::write(numbered(&log, 1), lines(&[denial(0), denial(1)])).unwrap();

        let recent = Recent::load(&log);
        let found = recent.select(&RecordFilter::default(), None, 10).denials;
        let expected: Vec<LoggedDecision> = [2, 1, 0]
            .map(|sequence| {
                let event = denial(sequence);
                let line = String::from_utf8(lines(&[event])).unwrap();
                LoggedDecision::new(&event, line.trim_end())
            })
            .into();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        }
        assert_eq!(found.len(), 3);
        assert!(Recent::load(&dir.path().join("none")).is_empty());
    }
}
