//! Which process groups were shown a notice, and how many denials they had since.

use super::output::Output;
use std::collections::HashMap;

/// What a notice is shown once for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct GroupKey {
    /// The process group.
    pub(super) group: i32,
    /// The path of the zone.
    pub(super) zone: Vec<u8>,
    /// Where its standard error leads: device and inode. An agent's commands may all be of its own
    /// group, and each has another pipe.
    pub(super) output: (u64, u64),
}

/// The groups that were shown a notice.
#[derive(Debug, Default)]
pub(super) struct Groups(HashMap<GroupKey, Shown>);

/// A count that is to be written.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) more: u64,
    pub(super) zone: Option<String>,
    pub(super) output: Output,
}

#[derive(Debug)]
struct Shown {
    /// Denials since the last notice.
    more: u64,
    /// Monotonic time of the last denial.
    last_ns: u64,
    zone: Option<String>,
    output: Option<Output>,
}

// === impl Groups ===

impl Groups {
    /// Counts a denial, and returns whether it is the group's first.
    pub(super) fn is_first(&mut self, key: &GroupKey, now_ns: u64) -> bool {
        if let Some(shown) = self.0.get_mut(key) {
            shown.more += 1;
            shown.last_ns = now_ns;
            return false;
        }
        if self.0.len() >= MAX_GROUPS {
            self.remove_oldest();
        }
        let shown = Shown {
            more: 0,
            last_ns: now_ns,
            zone: None,
            output: None,
        };
        self.0.insert(key.clone(), shown);
        true
    }

    /// Keeps where the count of a group is to be written.
    pub(super) fn keep_output(
        &mut self,
        key: &GroupKey,
        zone: Option<String>,
        output: Option<Output>,
    ) {
        let kept = self.0.values().filter(|shown| shown.output.is_some());
        let is_room = kept.count() < MAX_OUTPUTS;
        if let Some(shown) = self.0.get_mut(key) {
            shown.zone = zone;
            shown.output = output.filter(|_| is_room);
        }
    }

    /// Whether some group has denials that were not shown; `None` when there are no groups.
    pub(super) fn has_counts(&self) -> Option<bool> {
        let some = self.0.values().any(|shown| shown.more > 0);
        (!self.0.is_empty()).then_some(some)
    }

    /// Takes the counts of the groups that were denied nothing for a while or are gone, and forgets
    /// those that are gone.
    pub(super) fn take_due(&mut self, now_ns: u64, is_alive: impl Fn(i32) -> bool) -> Vec<Due> {
        let mut due = Vec::new();
        self.0.retain(|key, shown| {
            let alive = is_alive(key.group);
            let quiet = now_ns.saturating_sub(shown.last_ns) >= QUIET_NS;
            if quiet || !alive {
                due.extend(shown.take_count(alive));
            }
            alive
        });
        due
    }

    /// Takes every count, and forgets every group.
    pub(super) fn take_all(&mut self) -> Vec<Due> {
        let groups = std::mem::take(&mut self.0);
        let shown = groups.into_values();
        shown
            .filter_map(|mut shown| shown.take_count(false))
            .collect()
    }

    fn remove_oldest(&mut self) {
        let oldest = self.0.iter().min_by_key(|(_, shown)| shown.last_ns);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.0.remove(&key);
        }
    }
}

// === impl Shown ===

impl Shown {
    /// The count, if there is one; `again` when there may be another later.
    fn take_count(&mut self, again: bool) -> Option<Due> {
        if self.more == 0 {
            return None;
        }
        let output = self.output.take()?;
        if again {
            self.output = output.for_later();
        }
        Some(Due {
            more: std::mem::take(&mut self.more),
            zone: self.zone.clone(),
            output,
        })
    }
}

/// Groups remembered at most; the one that was denied something longest ago goes first.
const MAX_GROUPS: usize = 256;

/// Descriptors kept for counts.
const MAX_OUTPUTS: usize = 32;

/// A group that was denied nothing for so long is done for the moment.
const QUIET_NS: u64 = 200_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(group: i32, zone: &str) -> GroupKey {
        GroupKey {
            group,
            zone: zone.into(),
            output: (1, 2),
        }
    }

    /// The counts that are due, with somewhere to write each.
    fn due(groups: &mut Groups, now_ns: u64, alive: bool) -> Vec<u64> {
        let found = groups.take_due(now_ns, |_| alive);
        found.into_iter().map(|due| due.more).collect()
    }

    fn shown(groups: &mut Groups, key: &GroupKey) {
        let (_, pipe) = std::io::pipe().unwrap();
        groups.keep_output(key, None, Some(Output::of_pipe(pipe.into())));
    }

    #[test]
    fn a_group_is_shown_one_notice_for_each_zone_and_output_then_counts() {
        let mut groups = Groups::default();
        assert!(groups.is_first(&key(7, "/a"), 0));
        shown(&mut groups, &key(7, "/a"));
        assert_eq!(groups.has_counts(), Some(false));
        assert!(!groups.is_first(&key(7, "/a"), 1));
        assert!(!groups.is_first(&key(7, "/a"), 2));
        assert!(groups.is_first(&key(7, "/b"), 2));
        assert!(groups.is_first(&key(8, "/a"), 2));
        let elsewhere = GroupKey {
            output: (1, 3),
            ..key(7, "/a")
        };
        assert!(groups.is_first(&elsewhere, 2));
        assert_eq!(groups.has_counts(), Some(true));
        assert!(due(&mut groups, QUIET_NS, true).is_empty());
        assert_eq!(due(&mut groups, QUIET_NS + 2, true), [2]);
        assert!(due(&mut groups, 3 * QUIET_NS, true).is_empty());
        assert!(!groups.is_first(&key(7, "/a"), 4 * QUIET_NS));
        assert_eq!(
            due(&mut groups, 4 * QUIET_NS, false),
            [1],
            "the group is gone"
        );
        assert_eq!(groups.has_counts(), None);
    }

    #[test]
    fn groups_and_descriptors_are_bounded() {
        let mut groups = Groups::default();
        for number in 0..2 * MAX_GROUPS {
            let key = key(i32::try_from(number).unwrap(), "/a");
            assert!(groups.is_first(&key, number as u64));
            if number >= MAX_GROUPS {
                shown(&mut groups, &key);
                assert!(!groups.is_first(&key, number as u64));
            }
        }
        assert_eq!(groups.0.len(), MAX_GROUPS);
        assert_eq!(groups.take_all().len(), MAX_OUTPUTS);
    }
}
