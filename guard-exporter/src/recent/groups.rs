//! The kept denials, or changes, in groups: [`guard_report::groups`] has the rule.
//!
//! What decides about the group of a record is read from its line when it is first asked for, and
//! kept. A group is known by the id of any of its records.

use super::{DecisionId, LoggedDecision, Recent, Selection};
use guard_report::filter::RecordFilter;
use guard_report::groups::{GroupKey, Grouping};
use guard_report::record::DecisionRecord;
use std::sync::Arc;

/// Some groups, those with the newest records first.
#[derive(Debug, Default)]
pub struct GroupSelection {
    /// The records of each, the newest first; none is empty.
    pub groups: Vec<Vec<Arc<LoggedDecision>>>,
    /// Whether there are others after these.
    pub more: bool,
}

/// A record, and how many came before it.
type Placed = (usize, Arc<LoggedDecision>);

// === impl Recent ===

impl Recent {
    /// The `limit` groups of what `filter` selects whose newest records are the newest; of those
    /// groups whose newest record is older than `before`, if that is given.
    #[must_use]
    pub fn groups(
        &self,
        filter: &RecordFilter,
        before: Option<&DecisionId>,
        limit: usize,
    ) -> GroupSelection {
        let (placed, end) = {
            let kept = self.kept();
            let end = match before {
                None => kept.denials.len(),
                Some(before) => kept.position(before).unwrap_or(0),
            };
            let all = kept.denials.iter().cloned().enumerate();
            let may_want = |(_, record): &Placed| filter.may_want(&record.facts.subject());
            (all.filter(may_want).collect::<Vec<_>>(), end)
        };
        let wanted = placed
            .into_iter()
            .filter(|(_, record)| record.is_wanted(filter));
        let mut groups = grouped(wanted);
        groups.retain(|group| newest(group) < end);
        groups.sort_by_key(|group| std::cmp::Reverse(newest(group)));
        let more = groups.len() > limit;
        groups.truncate(limit);
        GroupSelection {
            groups: groups.into_iter().map(newest_first).collect(),
            more,
        }
    }

    /// As [`select`](Self::select), of the group that has the record `id` only.
    #[must_use]
    pub fn select_of_group(
        &self,
        id: &DecisionId,
        filter: &RecordFilter,
        before: Option<&DecisionId>,
        limit: usize,
    ) -> Selection {
        let all: Vec<Placed> = self.kept().denials.iter().cloned().enumerate().collect();
        let place_of = |id: &DecisionId| {
            let mark = id.mark();
            let found = all.iter().find(|(_, record)| id.is_of(&record.line, &mark));
            found.map(|(place, _)| *place)
        };
        let end = before.map_or(all.len(), |before| place_of(before).unwrap_or(0));
        let wanted = place_of(id);
        let group = grouped(all).into_iter().find(|group| {
            wanted.is_some_and(|wanted| group.iter().any(|(place, _)| *place == wanted))
        });
        let mut group = group.unwrap_or_default();
        group.retain(|(place, record)| *place < end && record.is_wanted(filter));
        let mut denials = newest_first(group);
        let more = denials.len() > limit;
        denials.truncate(limit);
        Selection { denials, more }
    }
}

/// The groups of these records, each the oldest first.
fn grouped(records: impl IntoIterator<Item = Placed>) -> Vec<Vec<Placed>> {
    let mut grouping = Grouping::default();
    let mut groups: Vec<Vec<Placed>> = Vec::new();
    for (place, record) in records {
        let Some(key) = record.group_key() else {
            continue;
        };
        let number = grouping.add(key);
        if number == groups.len() {
            groups.push(Vec::new());
        }
        if let Some(group) = groups.get_mut(number) {
            group.push((place, record));
        }
    }
    groups
}

fn newest(group: &[Placed]) -> usize {
    group.last().map_or(0, |(place, _)| *place)
}

fn newest_first(group: Vec<Placed>) -> Vec<Arc<LoggedDecision>> {
    group.into_iter().rev().map(|(_, record)| record).collect()
}

// === impl LoggedDecision ===

impl LoggedDecision {
    /// Whether `filter` wants it.
    pub(super) fn is_wanted(&self, filter: &RecordFilter) -> bool {
        if !filter.may_want(&self.facts.subject()) {
            return false;
        }
        filter.is_shallow()
            || DecisionRecord::parse(&self.line).is_some_and(|record| filter.wants(&record))
    }

    fn group_key(&self) -> Option<&GroupKey> {
        let read = || DecisionRecord::parse(&self.line).map(|record| GroupKey::of(&record));
        self.group_key.get_or_init(read).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::DecisionEvent;
    use guard_core::event::ActingProcess;
    use guard_core::process::ProcessKey;
    use guard_testing::events::DENIAL;

    const RING: &str = "000102030405060708090a0b0c0d0e0f";

    fn push(recent: &Recent, sequence: u64, pid: u32, path: &str) {
        let event = DecisionEvent {
            sequence,
            path: path.as_bytes(),
            // Further apart than a burst.
            wall_ns: DENIAL.wall_ns + sequence * 11_000_000_000,
            process: ActingProcess {
                key: ProcessKey { pid, generation: 1 },
                ..DENIAL.process
            },
            ..DENIAL
        };
        let mut bytes = Vec::new();
        DecisionRecord::new(&event, RING).append_to(&mut bytes);
        let line = std::str::from_utf8(&bytes).unwrap().trim_end();
        recent.push(Arc::new(LoggedDecision::new(&event, line)));
    }

    fn id(sequence: u64) -> DecisionId {
        DecisionId::parse(&format!("{RING}-{sequence}")).unwrap()
    }

    fn sequences(denials: &[Arc<LoggedDecision>]) -> Vec<u64> {
        let records = denials.iter();
        let records = records.map(|denial| DecisionRecord::parse(&denial.line).unwrap().seq);
        records.collect()
    }

    /// Two commands at once, a third before them.
    fn three() -> Recent {
        let recent = Recent::default();
        for (sequence, pid) in [(0, 7), (1, 1), (2, 2), (3, 1), (4, 2), (5, 1)] {
            push(&recent, sequence, pid, &format!("/p/{pid}/{sequence}"));
        }
        recent
    }

    #[test]
    fn groups_come_by_their_newest_records_and_by_pages() {
        let recent = three();
        let page = |before: Option<&DecisionId>, limit| {
            let found = recent.groups(&RecordFilter::default(), before, limit);
            let numbers: Vec<_> = found.groups.iter().map(|group| sequences(group)).collect();
            (numbers, found.more)
        };
        assert_eq!(
            page(None, 9),
            (vec![vec![5, 3, 1], vec![4, 2], vec![0]], false)
        );
        assert_eq!(page(None, 1), (vec![vec![5, 3, 1]], true));
        // The page after the group whose newest is 5: whole groups, and none that was shown.
        assert_eq!(page(Some(&id(5)), 1), (vec![vec![4, 2]], true));
        assert_eq!(page(Some(&id(4)), 9), (vec![vec![0]], false));
        assert_eq!(page(Some(&id(77)), 9), (vec![], false));
    }

    #[test]
    fn a_filter_comes_before_the_grouping() {
        let recent = three();
        let filter = RecordFilter {
            path: Some("/p/1".into()),
            ..RecordFilter::default()
        };
        let found = recent.groups(&filter, None, 9).groups;
        assert_eq!(found.len(), 1);
        assert_eq!(sequences(&found[0]), [5, 3, 1]);
    }

    #[test]
    fn a_group_is_found_by_any_of_its_records() {
        let recent = three();
        let of = |number, before: Option<&DecisionId>, limit| {
            let all = RecordFilter::default();
            let found = recent.select_of_group(&id(number), &all, before, limit);
            (sequences(&found.denials), found.more)
        };
        assert_eq!(of(1, None, 9), (vec![5, 3, 1], false));
        assert_eq!(of(5, None, 2), (vec![5, 3], true));
        assert_eq!(of(3, Some(&id(3)), 9), (vec![1], false));
        assert_eq!(of(77, None, 9), (vec![], false));
    }
}
