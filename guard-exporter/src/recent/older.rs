//! What is remembered of denials and changes that are not kept any more, for the picture over time.
//!
//! The logs hold more lines than are kept in memory. Of the others only what the picture and the
//! shallow part of a filter need is remembered: who, where, what and when.

use guard_core::OperationKind;
use guard_core::verdict::Verdict;
use guard_report::filter::{RecordFilter, Subject};
use std::collections::VecDeque;
use std::sync::Arc;

/// A denial or a change whose line is in the log only.
#[derive(Clone, Debug)]
pub struct OlderDecision {
    pub agent: Option<Arc<str>>,
    pub zone: Option<Arc<str>>,
    zone_path: Option<Arc<str>>,
    operation: OperationKind,
    verdict: Verdict,
    /// Wall clock nanoseconds.
    pub wall_ns: u64,
    /// How many share the line.
    pub count: u64,
}

/// The newest of them.
#[derive(Debug, Default)]
pub(super) struct Older(VecDeque<OlderDecision>);

/// How many are remembered: more than the lines of a log and its numbered files.
const MAX_OLDER: usize = 16_384;

// === impl Older ===

impl Older {
    /// Adds one that is newer than the others, and so many that share its line.
    pub(super) fn push(&mut self, decision: &Subject<'_>, count: u64) {
        let (Some(operation), Some(verdict)) = (decision.operation, decision.verdict) else {
            return;
        };
        // Names repeat, and are shared then.
        let last = self.0.back();
        let share = |of: fn(&OlderDecision) -> &Option<Arc<str>>, name: Option<&str>| {
            let known = last.and_then(|last| of(last).as_ref());
            let known = known.filter(|known| Some(&***known) == name);
            known.cloned().or_else(|| name.map(Arc::from))
        };
        let older = OlderDecision {
            agent: share(|last| &last.agent, decision.agent),
            zone: share(|last| &last.zone, decision.zone_name),
            zone_path: share(|last| &last.zone_path, decision.zone_path),
            operation,
            verdict,
            wall_ns: decision.wall_ns.unwrap_or_default(),
            count,
        };
        if self.0.len() >= MAX_OLDER {
            self.0.pop_front();
        }
        self.0.push_back(older);
    }

    /// Those that `filter` selects, the oldest first. None by a filter that asks for more than is
    /// remembered.
    pub(super) fn select(&self, filter: &RecordFilter) -> Vec<OlderDecision> {
        if !filter.is_shallow() {
            return Vec::new();
        }
        let is_wanted = |older: &&OlderDecision| filter.may_want(&older.subject());
        self.0.iter().filter(is_wanted).cloned().collect()
    }
}

// === impl OlderDecision ===

impl OlderDecision {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_with_what_a_filter_compares_first() {
        let mut older = Older::default();
        for sequence in 0..MAX_OLDER as u64 + 3 {
            let decision = Subject {
                agent: Some(["codex", "claude_code"][usize::from(sequence % 2 == 0)]),
                zone_name: Some("project"),
                zone_path: Some("/p"),
                operation: Some(OperationKind::Unlink),
                verdict: Some(Verdict::Deny),
                wall_ns: Some(sequence),
            };
            older.push(&decision, 1);
        }
        let all = older.select(&RecordFilter::default());
        assert_eq!((all.len(), all[0].wall_ns), (MAX_OLDER, 3));
        let filter = RecordFilter {
            agent: Some("codex".to_owned()),
            zone: Some("project".to_owned()),
            since_ns: Some(10_000),
            ..RecordFilter::default()
        };
        let found = older.select(&filter);
        assert!(found.iter().all(|older| older.wall_ns % 2 == 1));
        assert_eq!(found.len(), (MAX_OLDER + 3 - 10_000) / 2);
        let deep = RecordFilter {
            path: Some("/p".to_owned()),
            ..RecordFilter::default()
        };
        assert!(older.select(&deep).is_empty());
    }
}
