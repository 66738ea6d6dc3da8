//! Which paths and event types to select: a pure function of the policy.
//!
//! With target-path muting inverted, the kernel sends only operations on the listed paths, and for
//! each path only the listed event types. A zone is listed as a prefix, because its contents are
//! protected. The parents of a zone and of the guard's own files are listed literally, for their
//! removal and renaming. A prefix is compared as a string: `/a/b` also selects `/a/bc`, which the
//! decision then finds outside.
//!
//! Whether an operation that creates a name is compared by the new path or by its directory is not
//! documented. So the directories of the guard's own files are listed for the types that create
//! names.
//!
//! On a volume that folds names, a path that does not exist yet may be created under another
//! spelling, which the kernel would not find equal. Until then its nearest existing parent is
//! listed instead.

use crate::paths::parents;
use endpoint_sec::EventType;
use guard_core::OperationKind;
use guard_core::policy::Snapshot;
use std::collections::BTreeSet;

/// One path to select.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Rule {
    /// A canonical path.
    pub(crate) path: Vec<u8>,
    /// Whether it is compared whole or as a prefix.
    pub(crate) reach: Reach,
    /// Why it is listed, which determines the event types.
    pub(crate) concern: Concern,
}

/// How a path is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reach {
    /// The whole path.
    Literal,
    /// Every path that begins so.
    Prefix,
}

/// Why a path is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Concern {
    /// A zone: the operations that the policy judges.
    Zone(Judged),
    /// A parent of a zone or of an own file, which it contains.
    Above,
    /// One of the guard's own files: every operation that could change it.
    Own,
    /// The directory of an own file: operations that create names there.
    BesideOwn,
}

/// The operations that a policy needs besides removals and renames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Judged {
    /// What changes contents in place, which are preserved.
    pub(crate) contents: bool,
    /// `truncate`, and opening with `O_TRUNC`.
    pub(crate) truncate: bool,
    /// `clone`.
    pub(crate) clone: bool,
    /// `link`.
    pub(crate) link: bool,
}

/// All rules for one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MutePlan(BTreeSet<Rule>);

/// The event types that the enforcement client subscribes to. The kernel compares paths for each of
/// them, so that an operation on a path that is not listed causes no message.
pub(crate) const ENFORCED: [EventType; 12] = [
    EventType::AUTH_UNLINK,
    EventType::AUTH_RENAME,
    EventType::AUTH_EXCHANGEDATA,
    EventType::AUTH_TRUNCATE,
    EventType::AUTH_CLONE,
    EventType::AUTH_COPYFILE,
    EventType::AUTH_LINK,
    EventType::AUTH_OPEN,
    EventType::AUTH_CREATE,
    EventType::NOTIFY_CREATE,
    EventType::NOTIFY_CLONE,
    EventType::NOTIFY_LINK,
];

/// The reports of new names, for what agents make in zones.
const REPORTED: [EventType; 3] = [
    EventType::NOTIFY_CREATE,
    EventType::NOTIFY_CLONE,
    EventType::NOTIFY_LINK,
];

// === impl MutePlan ===

impl MutePlan {
    /// The rules for a policy. `spelled` returns whether a canonical path has one spelling only:
    /// because names there are compared byte by byte, or because the path exists. Where it does
    /// not, the nearest parent that does is listed.
    pub(crate) fn of(snapshot: &Snapshot, spelled: &dyn Fn(&[u8]) -> bool) -> Self {
        let mut rules = BTreeSet::new();
        let judged = Judged::of(snapshot);
        for zone in snapshot.zones() {
            cover(&mut rules, zone.path, Concern::Zone(judged), spelled);
        }
        for own in snapshot.own_files() {
            let covered = cover(&mut rules, own, Concern::Own, spelled);
            if let Some(directory) = parents(covered).next() {
                rules.insert(Rule {
                    path: directory.to_vec(),
                    reach: Reach::Literal,
                    concern: Concern::BesideOwn,
                });
            }
        }
        Self(rules)
    }

    /// The rules.
    pub(crate) fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.0.iter()
    }
}

/// Lists a path and its parents; returns the path that was listed.
fn cover<'p>(
    rules: &mut BTreeSet<Rule>,
    path: &'p [u8],
    concern: Concern,
    spelled: &dyn Fn(&[u8]) -> bool,
) -> &'p [u8] {
    let place = std::iter::once(path)
        .chain(parents(path))
        .find(|place| spelled(place))
        .unwrap_or(b"/");
    rules.insert(Rule {
        path: place.to_vec(),
        reach: Reach::Prefix,
        concern,
    });
    for above in parents(place) {
        rules.insert(Rule {
            path: above.to_vec(),
            reach: Reach::Literal,
            concern: Concern::Above,
        });
    }
    place
}

// === impl Judged ===

impl Judged {
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            contents: snapshot.undo().enabled,
            truncate: snapshot.judges(OperationKind::Truncate),
            clone: snapshot.judges(OperationKind::Clone),
            link: snapshot.judges(OperationKind::Link),
        }
    }
}

// === impl Concern ===

impl Concern {
    /// The event types to select.
    pub(crate) fn events(self) -> Vec<EventType> {
        let moves = [
            EventType::AUTH_UNLINK,
            EventType::AUTH_RENAME,
            EventType::AUTH_EXCHANGEDATA,
        ];
        let makes = [
            EventType::AUTH_RENAME,
            EventType::AUTH_CREATE,
            EventType::AUTH_LINK,
            EventType::AUTH_CLONE,
            EventType::AUTH_COPYFILE,
        ];
        match self {
            Self::Above => moves.to_vec(),
            Self::BesideOwn => makes.to_vec(),
            Self::Own => ENFORCED
                .into_iter()
                .filter(|kind| !REPORTED.contains(kind))
                .collect(),
            Self::Zone(judged) => {
                let mut kinds = moves.to_vec();
                kinds.extend(REPORTED);
                if judged.truncate || judged.contents {
                    kinds.extend([EventType::AUTH_TRUNCATE, EventType::AUTH_OPEN]);
                }
                if judged.clone {
                    kinds.push(EventType::AUTH_CLONE);
                }
                if judged.clone || judged.contents {
                    kinds.push(EventType::AUTH_COPYFILE);
                }
                if judged.link {
                    kinds.push(EventType::AUTH_LINK);
                }
                kinds
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::policy::{OwnFile, Platform, Policy, Surroundings};

    fn snapshot(policy: &str, own: &[&str]) -> Snapshot {
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        let own: Vec<OwnFile<'_>> = own
            .iter()
            .map(|path| OwnFile {
                path: path.as_bytes(),
            })
            .collect();
        let surroundings = Surroundings {
            home: b"/Users/u",
            platform: Platform::MacOs,
            extra_zones: &[],
            own_files: &own,
            locate: &|path| vec![path.to_vec()],
            session: "",
            started_ns: 0,
        };
        Snapshot::compile(&policy, &surroundings).unwrap()
    }

    fn plan(policy: &str, own: &[&str]) -> MutePlan {
        MutePlan::of(&snapshot(policy, own), &|_| true)
    }

    fn listed(plan: &MutePlan) -> Vec<String> {
        plan.rules()
            .map(|rule| {
                let path = String::from_utf8_lossy(&rule.path);
                let star = if rule.reach == Reach::Prefix { "*" } else { "" };
                let concern = match rule.concern {
                    Concern::Zone(_) => "zone",
                    Concern::Above => "above",
                    Concern::Own => "own",
                    Concern::BesideOwn => "beside",
                };
                format!("{path}{star} {concern}")
            })
            .collect()
    }

    #[test]
    fn zones_their_parents_and_own_files_are_listed() {
        let plan = plan(
            r#"{"protected_zones": ["/Users/u/work/a", "/srv"]}"#,
            &["/Users/u/.codex/guard"],
        );
        assert_eq!(
            listed(&plan),
            [
                "/Users above",
                "/Users/u above",
                "/Users/u/.codex above",
                "/Users/u/.codex beside",
                "/Users/u/.codex/guard* own",
                "/Users/u/work above",
                "/Users/u/work/a* zone",
                "/srv* zone",
            ]
        );
    }

    #[test]
    fn a_zone_s_events_are_those_the_policy_judges() {
        let events = |operations: &str| {
            let text = format!(
                r#"{{"protected_zones": ["/z"], "operations": {operations}, "undo": false}}"#
            );
            let plan = plan(&text, &[]);
            let rule = plan.rules().next().unwrap().clone();
            rule.concern.events()
        };
        let plain = events(r#"["unlink", "rename"]"#);
        for always in [
            EventType::AUTH_UNLINK,
            EventType::AUTH_RENAME,
            EventType::AUTH_EXCHANGEDATA,
            EventType::NOTIFY_CREATE,
            EventType::NOTIFY_CLONE,
            EventType::NOTIFY_LINK,
        ] {
            assert!(plain.contains(&always), "{always:?}");
        }
        assert_eq!(plain.len(), 6);
        let more = events(r#"["unlink", "truncate", "clone", "link"]"#);
        assert_eq!(more.len(), 11);
        let all: Vec<EventType> = more.into_iter().chain(Concern::Own.events()).collect();
        assert!(all.iter().all(|kind| ENFORCED.contains(kind)), "{all:?}");
    }

    #[test]
    fn where_contents_are_preserved_the_kernel_sends_what_changes_them() {
        let text = r#"{"protected_zones": ["/z"]}"#;
        let plan = plan(text, &[]);
        let events = plan.rules().next().unwrap().concern.events();
        for changes in [
            EventType::AUTH_OPEN,
            EventType::AUTH_TRUNCATE,
            EventType::AUTH_COPYFILE,
        ] {
            assert!(events.contains(&changes), "{changes:?}");
        }
        assert_eq!(events.len(), 9);
    }

    #[test]
    fn a_path_that_does_not_exist_is_listed_by_its_parent_where_names_fold() {
        let snapshot = snapshot(
            r#"{"protected_zones": ["/Users/u/new/zone"]}"#,
            &["/etc/own"],
        );
        let plan = MutePlan::of(&snapshot, &|path| {
            path == b"/Users/u" || path == b"/etc/own"
        });
        assert_eq!(
            listed(&plan),
            [
                "/Users above",
                "/Users/u* zone",
                "/etc above",
                "/etc beside",
                "/etc/own* own"
            ]
        );
        let nowhere = MutePlan::of(&snapshot, &|_| false);
        assert_eq!(listed(&nowhere), ["/* zone", "/* own"]);
    }
}
