//! What the kernel is to send: a pure function of the policy.
//!
//! With target-path muting inverted the kernel sends only operations on the listed paths, for each
//! path only the listed kinds. Every zone is a prefix, for its content matters; what is above a zone
//! or one of the guard's files matters by itself only, when it is removed or moved. A prefix is a
//! plain string's: `/a/b` brings `/a/bc` along, and the decision tells them apart.
//!
//! What an operation on a new name is compared with, the name or the directory it would stand in,
//! is not documented. So the directories of the guard's own files are listed for the kinds that make
//! names.
//!
//! On a volume that folds names, a place that does not exist yet may come to be under another
//! spelling, which the kernel would not compare equal. Its nearest existing directory is listed
//! instead, until the place is there.

use crate::paths::parents;
use endpoint_sec::EventType;
use guard_core::OperationKind;
use guard_core::policy::Snapshot;
use std::collections::BTreeSet;

/// One path that the kernel is to tell of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Rule {
    /// A canonical path.
    pub(crate) path: Vec<u8>,
    /// Whether it stands for itself or for all that begins so.
    pub(crate) reach: Reach,
    /// Which kinds of operation matter there.
    pub(crate) concern: Concern,
}

/// How far a path reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reach {
    /// This very path.
    Literal,
    /// Every path that begins so.
    Prefix,
}

/// Why a path is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Concern {
    /// A zone: what the policy judges.
    Zone(Judged),
    /// Above a zone or an own file: it takes them along.
    Above,
    /// One of the guard's own files: everything that could change it.
    Own,
    /// The directory of an own file: names that are made there.
    BesideOwn,
}

/// The kinds that a policy judges besides removing and moving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Judged {
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

/// Everything the enforcement client subscribes to. The kernel compares paths for each of them, so
/// that what nobody listed costs no message.
pub(crate) const ENFORCED: [EventType; 10] = [
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
];

// === impl MutePlan ===

impl MutePlan {
    /// The rules for a policy. `spelled` says whether names below this canonical path are compared
    /// byte by byte, or the path exists and so has its one spelling; where not, the nearest parent
    /// for which it holds stands in.
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

/// Lists a place and what is above it; returns the place that was listed.
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
            truncate: snapshot.judges(OperationKind::Truncate),
            clone: snapshot.judges(OperationKind::Clone),
            link: snapshot.judges(OperationKind::Link),
        }
    }
}

// === impl Concern ===

impl Concern {
    /// The kinds of event that matter.
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
                .filter(|&kind| kind != EventType::NOTIFY_CREATE)
                .collect(),
            Self::Zone(judged) => {
                let mut kinds = moves.to_vec();
                kinds.push(EventType::NOTIFY_CREATE);
                if judged.truncate {
                    kinds.extend([EventType::AUTH_TRUNCATE, EventType::AUTH_OPEN]);
                }
                if judged.clone {
                    kinds.extend([EventType::AUTH_CLONE, EventType::AUTH_COPYFILE]);
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

    fn told(plan: &MutePlan) -> Vec<String> {
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
            told(&plan),
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
            let text = format!(r#"{{"protected_zones": ["/z"], "operations": {operations}}}"#);
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
        ] {
            assert!(plain.contains(&always), "{always:?}");
        }
        assert_eq!(plain.len(), 4);
        let more = events(r#"["unlink", "truncate", "clone", "link"]"#);
        assert_eq!(more.len(), 9);
        let all: Vec<EventType> = more.into_iter().chain(Concern::Own.events()).collect();
        assert!(all.iter().all(|kind| ENFORCED.contains(kind)), "{all:?}");
    }

    #[test]
    fn what_is_not_there_yet_is_listed_by_its_parent_where_names_fold() {
        let snapshot = snapshot(
            r#"{"protected_zones": ["/Users/u/new/zone"]}"#,
            &["/etc/own"],
        );
        let plan = MutePlan::of(&snapshot, &|path| {
            path == b"/Users/u" || path == b"/etc/own"
        });
        assert_eq!(
            told(&plan),
            [
                "/Users above",
                "/Users/u* zone",
                "/etc above",
                "/etc beside",
                "/etc/own* own"
            ]
        );
        let nowhere = MutePlan::of(&snapshot, &|_| false);
        assert_eq!(told(&nowhere), ["/* zone", "/* own"]);
    }
}
