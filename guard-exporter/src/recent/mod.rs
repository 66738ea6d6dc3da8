//! The latest denials, or the latest changes, kept in memory for the page and the API.
//!
//! Each is kept as its line in its log. At most [`MAX_KEPT`] lines and [`MAX_KEPT_BYTES`] bytes are
//! kept; of older ones only what the picture over time needs. After a restart the log is
//! loaded ([`load`]).
//!
//! The id of a denial is the id of its ring and its number there, written `RING-NUMBER`; that of an
//! allowed change is `RING-cNUMBER`, since changes have numbers of their own. It never changes, so a
//! reader may continue after any of them, also with another exporter.

mod facts;
mod groups;
pub mod load;
mod older;

pub use facts::DecisionFacts;
pub use groups::GroupSelection;
pub use older::OlderDecision;

use guard_core::DecisionEvent;
use guard_core::verdict::Verdict;
use guard_report::filter::RecordFilter;
use guard_report::groups::GroupKey;
use older::Older;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The latest lines of one log. Shared by the reading thread and the HTTP server.
#[derive(Debug, Default)]
pub struct Recent {
    kept: Mutex<Kept>,
}

/// A denial, what would have been denied in audit mode, or a change.
#[derive(Debug)]
pub struct LoggedDecision {
    /// Its line in the log, without the newline: a JSON object.
    pub line: Box<str>,
    pub facts: DecisionFacts<Box<str>>,
    /// Whether something was to be preserved, and was not.
    pub is_unpreserved: bool,
    /// What decides about its group, once that was asked for; nothing of a line that is no record.
    group_key: OnceLock<Option<GroupKey>>,
}

/// The id of a denial or a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionId {
    ring: String,
    sequence: u64,
    /// Whether it was allowed.
    is_change: bool,
}

/// Some denials, newest first.
#[derive(Debug)]
pub struct Selection {
    /// At most as many as requested.
    pub denials: Vec<Arc<LoggedDecision>>,
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
    denials: VecDeque<Arc<LoggedDecision>>,
    bytes: usize,
    older: Older,
}

// === impl Recent ===

impl Recent {
    /// Adds the newest denial.
    pub fn push(&self, denial: Arc<LoggedDecision>) {
        let mut kept = self.kept();
        kept.bytes += denial.line.len();
        kept.denials.push_back(denial);
        while kept.denials.len() > MAX_KEPT || kept.bytes > MAX_KEPT_BYTES {
            let Some(oldest) = kept.denials.pop_front() else {
                break;
            };
            kept.bytes -= oldest.line.len();
            kept.older.push(&oldest.facts);
        }
    }

    /// What `filter` selects of those that are not kept any more, the oldest first.
    #[must_use]
    pub fn older(&self, filter: &RecordFilter) -> Vec<OlderDecision> {
        self.kept().older.select(filter)
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
        filter: &RecordFilter,
        before: Option<&DecisionId>,
        limit: usize,
    ) -> Selection {
        let kept = self.kept();
        let end = match before {
            None => kept.denials.len(),
            Some(before) => kept.position(before).unwrap_or(0),
        };
        let may_want = |denial: &&Arc<LoggedDecision>| filter.may_want(&denial.facts.subject());
        let candidates = kept.denials.range(..end).rev().filter(may_want).cloned();
        let candidates: Vec<_> = if filter.is_shallow() {
            candidates.take(limit.saturating_add(1)).collect()
        } else {
            candidates.collect()
        };
        // Lines are parsed without the lock.
        drop(kept);
        let mut wanted = candidates
            .into_iter()
            .filter(|denial| denial.is_wanted(filter));
        let denials = wanted.by_ref().take(limit).collect();
        Selection {
            denials,
            more: wanted.next().is_some(),
        }
    }

    /// All that `filter` selects, the oldest first.
    #[must_use]
    pub fn all(&self, filter: &RecordFilter) -> Vec<Arc<LoggedDecision>> {
        let may_want = |denial: &&Arc<LoggedDecision>| filter.may_want(&denial.facts.subject());
        let mut found: Vec<_> = self
            .kept()
            .denials
            .iter()
            .filter(may_want)
            .cloned()
            .collect();
        found.retain(|denial| denial.is_wanted(filter));
        found
    }

    /// Calls `visit` with each that is kept, the oldest first.
    pub fn for_each(&self, visit: impl FnMut(&Arc<LoggedDecision>)) {
        self.kept().denials.iter().for_each(visit);
    }

    /// The denials after `id`, oldest first; `None` when it is not kept.
    #[must_use]
    pub fn after(&self, id: &DecisionId) -> Option<Vec<Arc<LoggedDecision>>> {
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
    fn position(&self, id: &DecisionId) -> Option<usize> {
        let mark = id.mark();
        self.denials
            .iter()
            .rposition(|denial| id.is_of(&denial.line, &mark))
    }
}

// === impl LoggedDecision ===

impl LoggedDecision {
    /// The denial of `event`, with its line in the log.
    #[must_use]
    pub fn new(event: &DecisionEvent<'_>, line: &str) -> Self {
        Self {
            line: line.into(),
            facts: DecisionFacts {
                agent: event.agent.map(Into::into),
                zone: event.zone.map(|zone| zone.name.into()),
                zone_path: event
                    .zone
                    .map(|zone| String::from_utf8_lossy(zone.path).into()),
                operation: event.operation,
                verdict: event.verdict,
                wall_ns: event.wall_ns,
                count: 1,
            },
            is_unpreserved: event
                .preservation
                .as_ref()
                .is_some_and(|found| found.cause().is_some()),
            group_key: OnceLock::new(),
        }
    }
}

// === impl DecisionId ===

impl DecisionId {
    /// Parses `RING-NUMBER` or `RING-cNUMBER`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ring, number) = text.split_once('-')?;
        let change = number.strip_prefix('c');
        let sequence = change.unwrap_or(number);
        let is_id = ring.len() == RING_ID_DIGITS
            && ring.bytes().all(|byte| byte.is_ascii_hexdigit())
            && sequence.bytes().all(|byte| byte.is_ascii_digit());
        Some(Self {
            ring: ring.to_ascii_lowercase(),
            sequence: sequence.parse().ok().filter(|_| is_id)?,
            is_change: change.is_some(),
        })
    }

    /// The part before the verdict that no line of another number has. A path cannot contain it, since
    /// quotes in paths are escaped.
    fn mark(&self) -> String {
        format!(
            r#""ring":"{}","seq":{},"verdict":""#,
            self.ring, self.sequence
        )
    }

    /// Whether it is the id of this line, in which its `mark` is looked for.
    fn is_of(&self, line: &str, mark: &str) -> bool {
        let verdict = line.split_once(mark).map(|(_, verdict)| verdict);
        let allow = Verdict::Allow.as_str();
        verdict.is_some_and(|verdict| verdict.starts_with(allow) == self.is_change)
    }
}

impl std::fmt::Display for DecisionId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lane = if self.is_change { "c" } else { "" };
        write!(formatter, "{}-{lane}{}", self.ring, self.sequence)
    }
}

const RING_ID_DIGITS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::OperationKind;
    use guard_report::record::DecisionRecord;
    use guard_testing::events::{CHANGE, denial};

    const RING: &str = "000102030405060708090a0b0c0d0e0f";

    fn push(recent: &Recent, event: &DecisionEvent<'_>) {
        let mut bytes = Vec::new();
        DecisionRecord::new(event, RING).append_to(&mut bytes);
        let line = std::str::from_utf8(&bytes).unwrap().trim_end();
        recent.push(Arc::new(LoggedDecision::new(event, line)));
    }

    fn id(sequence: u64) -> DecisionId {
        DecisionId::parse(&format!("{RING}-{sequence}")).unwrap()
    }

    fn sequences(denials: &[Arc<LoggedDecision>]) -> Vec<u64> {
        let records = denials
            .iter()
            .map(|denial| DecisionRecord::parse(&denial.line));
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
        let first = recent.select(&RecordFilter::default(), None, 4);
        assert_eq!(
            (sequences(&first.denials), first.more),
            (vec![9, 8, 7, 6], true)
        );
        let last = recent.select(&RecordFilter::default(), Some(&id(6)), 6);
        assert_eq!(sequences(&last.denials), [5, 4, 3, 2, 1, 0]);
        assert!(!last.more);
        let of_codex = RecordFilter {
            agent: Some("codex".to_owned()),
            ..RecordFilter::default()
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
        let finds = |filter: RecordFilter| recent.select(&filter, None, 9).denials.len();
        let wall_ns = denial(0).wall_ns;
        for (filter, expected) in [
            (
                RecordFilter {
                    zone: Some("project".into()),
                    ..RecordFilter::default()
                },
                1,
            ),
            (
                RecordFilter {
                    zone: Some("proj".into()),
                    ..RecordFilter::default()
                },
                0,
            ),
            (
                RecordFilter {
                    operation: Some(OperationKind::Rename),
                    ..RecordFilter::default()
                },
                1,
            ),
            (
                RecordFilter {
                    operation: Some(OperationKind::Unlink),
                    ..RecordFilter::default()
                },
                0,
            ),
            (
                RecordFilter {
                    verdict: Some(Verdict::Audit),
                    ..RecordFilter::default()
                },
                0,
            ),
            (
                RecordFilter {
                    since_ns: Some(wall_ns),
                    ..RecordFilter::default()
                },
                1,
            ),
            (
                RecordFilter {
                    since_ns: Some(wall_ns + 1),
                    ..RecordFilter::default()
                },
                0,
            ),
        ] {
            assert_eq!(finds(filter.clone()), expected, "{filter:?}");
        }
    }

    #[test]
    fn a_change_and_an_audited_denial_of_one_number_differ() {
        let recent = Recent::default();
        let audited = DecisionEvent {
            verdict: Verdict::Audit,
            ..denial(7)
        };
        push(&recent, &audited);
        push(
            &recent,
            &DecisionEvent {
                sequence: 7,
                ..CHANGE
            },
        );
        let after = |id: &str| {
            let id = DecisionId::parse(&format!("{RING}-{id}")).unwrap();
            recent.after(&id).map(|after| after.len())
        };
        assert_eq!(
            (after("7"), after("c7"), after("c8")),
            (Some(1), Some(0), None)
        );
    }

    #[test]
    fn only_complete_ids_are_parsed() {
        assert_eq!(id(7).to_string(), format!("{RING}-7"));
        let change = format!("{RING}-c7");
        assert_eq!(DecisionId::parse(&change).unwrap().to_string(), change);
        for text in [
            "",
            "-",
            "00-1",
            &format!("{RING}-"),
            &format!("{RING}-+1"),
            &format!("{RING}-c"),
            &format!("{RING}-d1"),
            &format!("{RING}x-1"),
        ] {
            assert_eq!(DecisionId::parse(text), None, "{text}");
        }
    }
}
