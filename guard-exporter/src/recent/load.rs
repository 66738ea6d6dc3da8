//! The denial log's newest lines, for an exporter that starts again.

use super::told::Told;
use super::{Denial, Recent};
use crate::denial_log::rotate::numbered;
use crate::time;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

// === impl Recent ===

impl Recent {
    /// Takes what `denials.jsonl` and, when that is nearly empty, the newest numbered file hold.
    ///
    /// What cannot be read or understood is passed over: the log itself is the record, and this
    /// only its shadow.
    #[must_use]
    pub fn load(log: &Path) -> Self {
        let live = text(log, 0);
        let older = if live.len() < ENOUGH_BYTES {
            text(log, 1)
        } else {
            String::new()
        };
        let recent = Self::default();
        for line in older.lines().chain(live.lines()) {
            if let Some(denial) = parse(line) {
                recent.push(Arc::new(denial));
            }
        }
        recent
    }
}

fn parse(line: &str) -> Option<Denial> {
    let told = Told::parse(line)?;
    Some(Denial {
        operation: told.operation()?,
        verdict: told.verdict()?,
        wall_ns: time::parse(&told.time)?,
        agent: told.agent.as_deref().map(Into::into),
        zone: told.zone_name.as_deref().map(Into::into),
        line: line.into(),
    })
}

fn text(log: &Path, number: u32) -> String {
    let mut bytes = Vec::new();
    let read = File::open(numbered(log, number)).and_then(|file| {
        file.take(crate::denial_log::MAX_BYTES)
            .read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// Some hundred denials: more than a first look at the page needs.
const ENOUGH_BYTES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial_log::line;
    use crate::recent::Filter;
    use crate::testing::denial;
    use guard_core::DecisionEvent;

    #[test]
    fn the_log_s_lines_come_back_as_they_were() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("denials.jsonl");
        let lines = |events: &[DecisionEvent<'_>]| {
            let mut bytes = Vec::new();
            for event in events {
                line::encode(event, "00ff", &mut bytes);
            }
            bytes
        };
        let mut live = lines(&[denial(2)]);
        live.extend(b"by hand\n{}\n{\"ring\":");
        std::fs::write(numbered(&log, 0), live).unwrap();
        std::fs::write(numbered(&log, 1), lines(&[denial(0), denial(1)])).unwrap();

        let recent = Recent::load(&log);
        let found = recent.select(&Filter::default(), None, 10).denials;
        let expected: Vec<Denial> = [2, 1, 0]
            .map(|sequence| {
                let event = denial(sequence);
                let line = String::from_utf8(lines(&[event])).unwrap();
                Denial::new(&event, line.trim_end())
            })
            .into();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        }
        assert_eq!(found.len(), 3);
        assert!(Recent::load(&dir.path().join("none")).is_empty());
    }
}
