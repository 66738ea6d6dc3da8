//! The latest denials, kept in memory for the page and the API.
//!
//! Each is kept as its line in the denial log. At most [`MAX_KEPT`] denials and [`MAX_KEPT_BYTES`] bytes
//! are kept; the oldest are dropped. After a restart the newest lines of the log are loaded
//! ([`load`]).
//!
//! The id of a denial is the id of its ring and its number there, written `RING-NUMBER`. It never
//! changes, so a reader may continue after any of them, also with another exporter.

pub mod load;

use guard_core::verdict::Verdict;
use guard_core::{DecisionEvent, OperationKind};
use guard_report::filter::{DenialFilter, Subject};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The latest denials. Shared by the reading thread and the HTTP server.
#[derive(Debug, Default)]
pub struct Recent {
    kept: Mutex<Kept>,
}

/// A denial, or in audit mode what would have been denied.
#[derive(Debug)]
pub struct Denial {
    /// Its line in the denial log, without the newline: a JSON object.
    pub line: Box<str>,
    pub agent: Option<Box<str>>,
    /// The name of the zone.
    pub zone: Option<Box<str>>,
    pub zone_path: Option<Box<str>>,
    pub operation: OperationKind,
    pub verdict: Verdict,
    /// Wall clock nanoseconds.
    pub wall_ns: u64,
}

/// The id of a denial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenialId {
    ring: String,
    sequence: u64,
}

/// Some denials, newest first.
#[derive(Debug)]
pub struct Selection {
    /// At most as many as requested.
    pub denials: Vec<Arc<Denial>>,
    /// Whether older ones match as well.
    pub more: bool,
}

/// The number of denials that are kept.
pub const MAX_KEPT: usize = 10_000;
/// The bytes of lines that are kept: a line may have two paths of 16 KiB.
pub const MAX_KEPT_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug, Default)]
struct Kept {
    /// Oldest first.
    denials: VecDeque<Arc<Denial>>,
    bytes: usize,
}

// === impl Recent ===

impl Recent {
    /// Adds the newest denial.
    pub fn push(&self, denial: Arc<Denial>) {
        let mut kept = self.kept();
        kept.bytes += denial.line.len();
        kept.denials.push_back(denial);
        while kept.denials.len() > MAX_KEPT || kept.bytes > MAX_KEPT_BYTES {
            let Some(oldest) = kept.denials.pop_front() else {
                break;
            };
            kept.bytes -= oldest.line.len();
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.kept().denials.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest `limit` denials that `filter` selects, older than `before` if that is given. There is
    /// none before a denial that is not kept any more.
    #[must_use]
    pub fn select(
        &self,
        filter: &DenialFilter,
        before: Option<&DenialId>,
        limit: usize,
    ) -> Selection {
        let kept = self.kept();
        let end = match before {
            None => kept.denials.len(),
            Some(before) => kept.position(before).unwrap_or(0),
        };
        let mut wanted = kept
            .denials
            .range(..end)
            .rev()
            .filter(|denial| filter.wants(&denial.subject()));
        let denials = wanted.by_ref().take(limit).cloned().collect();
        Selection {
            denials,
            more: wanted.next().is_some(),
        }
    }

    /// The denials after `id`, oldest first; `None` when it is not kept.
    #[must_use]
    pub fn after(&self, id: &DenialId) -> Option<Vec<Arc<Denial>>> {
        let kept = self.kept();
        let position = kept.position(id)?;
        Some(kept.denials.range(position + 1..).cloned().collect())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Kept ===

impl Kept {
    fn position(&self, id: &DenialId) -> Option<usize> {
        let mark = id.mark();
        self.denials
            .iter()
            .rposition(|denial| denial.line.contains(&mark))
    }
}

// === impl Denial ===

impl Denial {
    /// The denial of `event`, with its line in the log.
    #[must_use]
    pub fn new(event: &DecisionEvent<'_>, line: &str) -> Self {
        Self {
            line: line.into(),
            agent: event.agent.map(Into::into),
            zone: event.zone.map(|zone| zone.name.into()),
            zone_path: event
                .zone
                .map(|zone| String::from_utf8_lossy(zone.path).into()),
            operation: event.operation,
            verdict: event.verdict,
            wall_ns: event.wall_ns,
        }
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            agent: self.agent.as_deref(),
            zone_name: self.zone.as_deref(),
            zone_path: self.zone_path.as_deref(),
            operation: Some(self.operation),
            verdict: Some(self.verdict),
            wall_ns: Some(self.wall_ns),
        }
    }
}

// === impl DenialId ===

impl DenialId {
    /// Parses `RING-NUMBER`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ring, sequence) = text.split_once('-')?;
        let is_id = ring.len() == RING_ID_DIGITS
            && ring.bytes().all(|byte| byte.is_ascii_hexdigit())
            && sequence.bytes().all(|byte| byte.is_ascii_digit());
        Some(Self {
            ring: ring.to_ascii_lowercase(),
            sequence: sequence.parse().ok().filter(|_| is_id)?,
        })
    }

    /// The part of the denial's line that no other line has. A path cannot contain it, since quotes in
    /// paths are escaped.
    fn mark(&self) -> String {
        format!(r#""ring":"{}","seq":{},"#, self.ring, self.sequence)
    }
}

impl std::fmt::Display for DenialId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.ring, self.sequence)
    }
}

const RING_ID_DIGITS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_report::record::DenialRecord;
    use guard_testing::events::denial;

    const RING: &str = "000102030405060708090a0b0c0d0e0f";

    fn push(recent: &Recent, event: &DecisionEvent<'_>) {
        let mut bytes = Vec::new();
        DenialRecord::new(event, RING).append_to(&mut bytes);
        let line = std::str::from_utf8(&bytes).unwrap().trim_end();
        recent.push(Arc::new(Denial::new(event, line)));
    }

    fn id(sequence: u64) -> DenialId {
        DenialId::parse(&format!("{RING}-{sequence}")).unwrap()
    }

    fn sequences(denials: &[Arc<Denial>]) -> Vec<u64> {
        let records = denials
            .iter()
            .map(|denial| DenialRecord::parse(&denial.line));
        records.map(|record| record.unwrap().seq).collect()
    }

    #[test]
    fn the_newest_are_kept_within_both_limits() {
        let recent = Recent::default();
        for sequence in 0..MAX_KEPT as u64 + 5 {
            push(&recent, &denial(sequence));
        }
        assert_eq!(recent.len(), MAX_KEPT);
        assert_eq!(recent.after(&id(4)).map(|after| after.len()), None);
        let long = vec![b'x'; 16 * 1024];
        for sequence in 20_000..21_000 {
            let mut event = denial(sequence);
            event.path = &long;
            push(&recent, &event);
        }
        let kept = recent.kept();
        assert!(kept.denials.len() < 513 && kept.bytes <= MAX_KEPT_BYTES);
        let counted: usize = kept.denials.iter().map(|denial| denial.line.len()).sum();
        assert_eq!(counted, kept.bytes);
    }

    #[test]
    fn pages_follow_each_other_without_a_gap() {
        let recent = Recent::default();
        for sequence in 0..10 {
            let mut event = denial(sequence);
            event.agent = Some(["codex", "claude_code"][usize::from(sequence % 2 == 0)]);
            push(&recent, &event);
        }
        let first = recent.select(&DenialFilter::default(), None, 4);
        assert_eq!(
            (sequences(&first.denials), first.more),
            (vec![9, 8, 7, 6], true)
        );
        let last = recent.select(&DenialFilter::default(), Some(&id(6)), 6);
        assert_eq!(sequences(&last.denials), [5, 4, 3, 2, 1, 0]);
        assert!(!last.more);
        let of_codex = DenialFilter {
            agent: Some("codex".to_owned()),
            ..DenialFilter::default()
        };
        let page = recent.select(&of_codex, Some(&id(6)), 2);
        assert_eq!((sequences(&page.denials), page.more), (vec![5, 3], true));
        assert!(
            recent
                .select(&of_codex, Some(&id(77)), 2)
                .denials
                .is_empty()
        );
        assert_eq!(sequences(&recent.after(&id(7)).unwrap()), [8, 9]);
    }

    #[test]
    fn every_condition_of_a_filter_must_hold() {
        let recent = Recent::default();
        push(&recent, &denial(0));
        let finds = |filter: DenialFilter| recent.select(&filter, None, 9).denials.len();
        let wall_ns = denial(0).wall_ns;
        for (filter, expected) in [
            (
                DenialFilter {
                    zone: Some("project".into()),
                    ..DenialFilter::default()
                },
                1,
            ),
            (
                DenialFilter {
                    zone: Some("proj".into()),
                    ..DenialFilter::default()
                },
                0,
            ),
            (
                DenialFilter {
                    operation: Some(OperationKind::Rename),
                    ..DenialFilter::default()
                },
                1,
            ),
            (
                DenialFilter {
                    operation: Some(OperationKind::Unlink),
                    ..DenialFilter::default()
                },
                0,
            ),
            (
                DenialFilter {
                    verdict: Some(Verdict::Audit),
                    ..DenialFilter::default()
                },
                0,
            ),
            (
                DenialFilter {
                    since_ns: Some(wall_ns),
                    ..DenialFilter::default()
                },
                1,
            ),
            (
                DenialFilter {
                    since_ns: Some(wall_ns + 1),
                    ..DenialFilter::default()
                },
                0,
            ),
        ] {
            assert_eq!(finds(filter.clone()), expected, "{filter:?}");
        }
    }

    #[test]
    fn only_complete_ids_are_parsed() {
        assert_eq!(id(7).to_string(), format!("{RING}-7"));
        for text in [
            "",
            "-",
            "00-1",
            &format!("{RING}-"),
            &format!("{RING}-+1"),
            &format!("{RING}x-1"),
        ] {
            assert_eq!(DenialId::parse(text), None, "{text}");
        }
    }
}
