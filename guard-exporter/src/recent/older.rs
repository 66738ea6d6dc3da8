//! What is remembered of denials and changes that are not kept any more, for the picture over time.
//!
//! The logs hold more lines than are kept in memory. Of the others only what the picture and the
//! shallow part of a filter need is remembered: who, where, what and when.

use super::DecisionFacts;
use guard_report::filter::RecordFilter;
use std::collections::VecDeque;
use std::sync::Arc;

/// A denial or a change whose line is in the log only.
pub type OlderDecision = DecisionFacts<Arc<str>>;

/// The newest of them.
#[derive(Debug, Default)]
pub(super) struct Older(VecDeque<OlderDecision>);

/// How many are remembered: more than the lines of a log and its numbered files.
const MAX_OLDER: usize = 16_384;

// === impl Older ===

impl Older {
    /// Adds one that is newer than the others.
    pub(super) fn push(&mut self, decision: &DecisionFacts<Box<str>>) {
        // Names repeat, and are shared then.
        let last = self.0.back();
        let share = |of: fn(&OlderDecision) -> &Option<Arc<str>>, name: &Option<Box<str>>| {
            let name = name.as_deref();
            let known = last.and_then(|last| of(last).as_ref());
            let known = known.filter(|known| Some(&***known) == name);
            known.cloned().or_else(|| name.map(Arc::from))
        };
        let older = OlderDecision {
            agent: share(|last| &last.agent, &decision.agent),
            zone: share(|last| &last.zone, &decision.zone),
            zone_path: share(|last| &last.zone_path, &decision.zone_path),
            operation: decision.operation,
            verdict: decision.verdict,
            wall_ns: decision.wall_ns,
            count: decision.count,
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

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::OperationKind;
    use guard_core::verdict::Verdict;

    #[test]
    fn the_newest_are_remembered_with_what_a_filter_compares_first() {
        let mut older = Older::default();
        for sequence in 0..MAX_OLDER as u64 + 3 {
            older.push(&DecisionFacts {
                agent: Some(["codex", "claude_code"][usize::from(sequence % 2 == 0)].into()),
                zone: Some("project".into()),
                zone_path: Some("/p".into()),
                operation: OperationKind::Unlink,
                verdict: Verdict::Deny,
                wall_ns: sequence,
                count: 1,
            });
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
