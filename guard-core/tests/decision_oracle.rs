//! The decision against a second implementation, written from the rules alone: it checks every entry,
//! one after the other, and compares paths as lists of names.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use guard_core::actor::Attribution;
use guard_core::{OperationKind, Reason, Verdict};
use proptest::prelude::*;
use std::fmt::Write as _;
use support::{Scene, World, agent_called};

#[derive(Clone, Copy, Debug, PartialEq)]
enum EntryKind {
    Override { alive: bool },
    Zone,
    Disposable,
    Temp,
}

#[derive(Clone, Debug)]
struct Plan {
    entries: Vec<(Vec<String>, EntryKind)>,
    own: Vec<Vec<String>>,
    judged: Vec<OperationKind>,
    audit: bool,
}

#[derive(Clone, Debug)]
struct Question {
    kind: OperationKind,
    path: Vec<String>,
    destination: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug)]
enum Who {
    Human,
    Agent {
        /// Whether it made what it acts on.
        maker: bool,
    },
    Orphan {
        agent_seen: bool,
    },
}

type Answer = (Verdict, Reason, Option<String>);

/// The entry in effect for a path, for the oracle.
#[derive(Clone, PartialEq)]
enum Effective {
    Outside,
    Zone(Vec<String>),
    Open(Reason, Vec<String>),
}

impl Plan {
    /// Zones, overrides and the rest in the order in which the policy lists them.
    fn zones(&self) -> impl Iterator<Item = &Vec<String>> {
        self.entries
            .iter()
            .filter(|(_, what)| *what == EntryKind::Zone)
            .map(|(path, _)| path)
    }

    fn effective(&self, path: &[String]) -> Effective {
        let mut covering: Vec<(usize, usize, Option<Reason>)> = Vec::new();
        for (entry, what) in &self.entries {
            if !path.starts_with(entry) {
                continue;
            }
            covering.push(match what {
                EntryKind::Override { alive: false } => continue,
                EntryKind::Override { alive: true } => (entry.len(), 3, Some(Reason::Override)),
                EntryKind::Zone => (entry.len(), 2, None),
                EntryKind::Disposable => (entry.len(), 1, Some(Reason::Disposable)),
                EntryKind::Temp => (entry.len(), 0, Some(Reason::SystemTemp)),
            });
        }
        let Some(zone_length) = covering
            .iter()
            .filter(|(_, _, open)| open.is_none())
            .map(|(length, ..)| *length)
            .max()
        else {
            return Effective::Outside;
        };
        match covering
            .iter()
            .max_by_key(|(length, rank, _)| (*length, *rank))
        {
            Some((_, _, Some(reason))) => {
                // A zone below the opening closes it again, so the winner is deepest of all; its
                // zone is the deepest one above it.
                Effective::Open(*reason, path[..zone_length].to_vec())
            }
            _ if path.last().is_some_and(|name| name == ".DS_Store") => {
                Effective::Open(Reason::SystemTemp, path[..zone_length].to_vec())
            }
            _ => Effective::Zone(path[..zone_length].to_vec()),
        }
    }

    /// The zone whose root is removed or moved with this name.
    fn contained_zone(&self, path: &[String]) -> Option<Vec<String>> {
        let below = |zone: &&Vec<String>| zone.starts_with(path);
        if self.zones().any(|zone| zone == path) {
            return Some(path.to_vec());
        }
        let outermost = |zone: &&Vec<String>| {
            !self
                .zones()
                .filter(below)
                .any(|other| other != *zone && zone.starts_with(other))
        };
        self.zones().filter(below).find(outermost).cloned()
    }

    fn is_own(&self, path: &[String]) -> bool {
        self.own.iter().any(|own| path.starts_with(own))
    }

    fn contains_own(&self, path: &[String]) -> bool {
        self.own.iter().any(|own| own.starts_with(path))
    }

    fn touches_own(&self, question: &Question) -> bool {
        use OperationKind as Kind;
        let path = &question.path;
        let other = question.destination.as_ref();
        let whole = |path: &Vec<String>| self.is_own(path) || self.contains_own(path);
        match question.kind {
            Kind::Control | Kind::Write | Kind::Truncate => self.is_own(path),
            Kind::Clone => self.is_own(other.unwrap_or(path)),
            Kind::Link => self.is_own(path) || other.is_some_and(|path| self.is_own(path)),
            Kind::Unlink => whole(path),
            _ => whole(path) || other.is_some_and(whole),
        }
    }

    /// The reason that permits it, or the zone in which something is destroyed.
    fn effect(&self, question: &Question) -> Result<(Reason, Option<Vec<String>>), Vec<String>> {
        use OperationKind as Kind;
        let open = |effective: Effective| match effective {
            Effective::Open(reason, zone) => Ok((reason, Some(zone))),
            Effective::Outside => Ok((Reason::OutsideZones, None)),
            Effective::Zone(zone) => Err(zone),
        };
        let path = &question.path;
        let other = question.destination.as_ref();
        let source = self.effective(path);
        let target = other.map_or(Effective::Outside, |path| self.effective(path));
        let names = match question.kind {
            Kind::Unlink => vec![Some(path)],
            Kind::Rename | Kind::Exchange => vec![Some(path), other],
            _ => vec![],
        };
        for name in names.into_iter().flatten() {
            if let Some(zone) = self.contained_zone(name) {
                return Err(zone);
            }
        }
        match question.kind {
            Kind::Unlink | Kind::Truncate => open(source),
            Kind::Clone => open(if other.is_some() { target } else { source }),
            Kind::Rename => match (source, target) {
                (Effective::Zone(zone), Effective::Zone(_)) => {
                    Ok((Reason::WithinZones, Some(zone)))
                }
                (Effective::Outside, Effective::Zone(zone)) => Ok((Reason::Replaced, Some(zone))),
                (source, _) => open(source),
            },
            Kind::Link => match (source, target) {
                (Effective::Zone(zone), Effective::Zone(_)) => {
                    Ok((Reason::WithinZones, Some(zone)))
                }
                (source, _) => open(source),
            },
            Kind::Exchange => match (source, target) {
                (Effective::Zone(zone), Effective::Zone(_)) => {
                    Ok((Reason::WithinZones, Some(zone)))
                }
                (Effective::Zone(zone), _) | (_, Effective::Zone(zone)) => Err(zone),
                (Effective::Outside, target) => open(target),
                (source, _) => open(source),
            },
            _ => Ok((Reason::NotJudged, None)),
        }
    }

    fn answer(&self, question: &Question, who: Who) -> Answer {
        let innermost = || match self.effective(&question.path) {
            Effective::Outside => None,
            Effective::Zone(zone) | Effective::Open(_, zone) => Some(text(&zone)),
        };
        if self.touches_own(question) {
            return match who {
                Who::Human => (Verdict::Allow, Reason::Human, innermost()),
                Who::Orphan { agent_seen: false } => {
                    (Verdict::Allow, Reason::UnknownLineage, innermost())
                }
                _ => (Verdict::Deny, Reason::GuardFiles, innermost()),
            };
        }
        // A swap is two renames.
        let swaps = question.kind == OperationKind::Exchange;
        let judged = self.judged.contains(&question.kind)
            || (swaps && self.judged.contains(&OperationKind::Rename));
        if !judged {
            return (Verdict::Allow, Reason::NotJudged, None);
        }
        let zone = match self.effect(question) {
            Ok((reason, zone)) => return (Verdict::Allow, reason, zone.map(|zone| text(&zone))),
            Err(zone) => Some(text(&zone)),
        };
        match who {
            Who::Human => (Verdict::Allow, Reason::Human, zone),
            Who::Orphan { agent_seen: false } => (Verdict::Allow, Reason::UnknownLineage, zone),
            Who::Orphan { .. } if self.audit => (Verdict::Audit, Reason::UnknownLineage, zone),
            Who::Orphan { .. } => (Verdict::Deny, Reason::UnknownLineage, zone),
            Who::Agent { maker: true } if self.is_below_zones(question) => {
                (Verdict::Allow, Reason::Scratch, zone)
            }
            Who::Agent { .. } if self.audit => (Verdict::Audit, Reason::AuditOnly, zone),
            Who::Agent { .. } => (Verdict::Deny, Reason::AgentInZone, zone),
        }
    }

    /// Whether an agent loses its own file by this, and no zone with it.
    fn is_below_zones(&self, question: &Question) -> bool {
        let other = question.destination.as_ref();
        let mut names = [Some(&question.path), other].into_iter().flatten();
        match question.kind {
            OperationKind::Truncate => true,
            OperationKind::Unlink => self.contained_zone(&question.path).is_none(),
            OperationKind::Rename => names.all(|name| self.contained_zone(name).is_none()),
            _ => false,
        }
    }

    fn policy(&self) -> String {
        let (mut zones, mut overrides, mut disposable) = (vec![], vec![], vec![]);
        for (path, what) in &self.entries {
            let path = text(path);
            match what {
                EntryKind::Zone => zones.push(format!("{path:?}")),
                EntryKind::Override { alive } => overrides.push(format!(
                    r#"{{"path": {path:?}, "expires_at": {}}}"#,
                    1 + 2 * u8::from(*alive)
                )),
                EntryKind::Disposable => disposable.push(format!("{path:?}")),
                EntryKind::Temp => {}
            }
        }
        let judged: Vec<String> = self
            .judged
            .iter()
            .map(|kind| format!("{:?}", kind.as_str()))
            .collect();
        let mut policy = String::new();
        write!(
            policy,
            r#"{{"protected_zones": [{}], "temporary_overrides": [{}], "disposable_paths": [{}],
                "operations": [{}], "mode": "{}"}}"#,
            zones.join(","),
            overrides.join(","),
            disposable.join(","),
            judged.join(","),
            if self.audit { "audit" } else { "enforce" },
        )
        .unwrap();
        policy
    }
}

fn text(path: &[String]) -> String {
    format!("/{}", path.join("/"))
}

fn path() -> impl Strategy<Value = Vec<String>> {
    let name = prop_oneof![
        5 => "[ab]".boxed(),
        1 => Just("ab".to_owned()).boxed(),
        1 => Just("tmp".to_owned()).boxed(),
        1 => Just(".DS_Store".to_owned()).boxed(),
    ];
    proptest::collection::vec(name, 0..5)
}

fn plan() -> impl Strategy<Value = Plan> {
    let what = prop_oneof![
        3 => Just(EntryKind::Zone),
        1 => Just(EntryKind::Override { alive: true }),
        1 => Just(EntryKind::Override { alive: false }),
        1 => Just(EntryKind::Disposable),
    ];
    let entries = proptest::collection::vec((path(), what), 0..8);
    let own = proptest::collection::vec(path(), 0..2);
    let judged = proptest::sample::subsequence(OperationKind::ALL[..6].to_vec(), 0..=6);
    (entries, own, judged, any::<bool>()).prop_map(|(entries, own, judged, audit)| {
        let mut distinct: Vec<(Vec<String>, EntryKind)> = Vec::new();
        for entry in entries {
            if !distinct.contains(&entry) {
                distinct.push(entry);
            }
        }
        for temp in ["/tmp", "/var/tmp", "/dev/shm"] {
            let path = temp[1..].split('/').map(str::to_owned).collect();
            distinct.push((path, EntryKind::Temp));
        }
        Plan {
            entries: distinct,
            own,
            judged,
            audit,
        }
    })
}

fn question() -> impl Strategy<Value = Question> {
    let kind = proptest::sample::select(OperationKind::ALL.to_vec());
    (kind, path(), proptest::option::of(path())).prop_map(|(kind, path, destination)| Question {
        kind,
        path,
        destination,
    })
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        1 => Just(Who::Human),
        3 => any::<bool>().prop_map(|maker| Who::Agent { maker }),
        2 => any::<bool>().prop_map(|agent_seen| Who::Orphan { agent_seen }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn agrees_with_a_linear_scan(
        plan in plan(),
        questions in proptest::collection::vec((question(), who()), 1..12),
    ) {
        let own: Vec<String> = plan.own.iter().map(|path| text(path)).collect();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let world = World::with(&plan.policy(), guard_core::policy::Platform::Linux, &own);
        for (question, who) in questions {
            let mut scene = Scene::human("rm");
            scene.file_born_ns = None;
            scene.attribution = match who {
                Who::Human => Attribution::Human,
                Who::Agent { .. } => agent_called("codex"),
                Who::Orphan { agent_seen } => Attribution::Unknown { agent_seen },
            };
            let path = text(&question.path);
            let is_maker = matches!(who, Who::Agent { maker: true });
            scene.made_here = if is_maker { vec![path.clone()] } else { Vec::new() };
            let destination = question.destination.as_deref().map(text);
            let decision =
                world.decide(&scene, question.kind, &path, destination.as_deref());
            let zone = decision.zone.map(|zone| String::from_utf8(zone.path.to_vec()).unwrap());
            prop_assert_eq!(
                (decision.verdict, decision.reason, zone),
                plan.answer(&question, who),
                "{:?} by {:?}", question, who
            );
            let operation = guard_core::Operation {
                kind: question.kind,
                path: path.as_bytes(),
                destination: destination.as_deref().map(str::as_bytes),
            };
            let quiet = matches!(decision.reason, Reason::OutsideZones | Reason::NotJudged);
            prop_assert!(world.snapshot.touches(&operation) || quiet, "{:?}", question);
            prop_assert!(!quiet || scene.questions.get() == 0, "no fact is asked for without need");
        }
    }
}
