//! Ownership against a naive account of it: random calls by an agent, its tools and a person, and
//! changes that no backend sees. The account keeps pairs of a path and an object, and knows nothing
//! of times.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use guard_core::actor::{Actor, FactSource};
use guard_core::decision::{Decision, decide};
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::ownership::{Completion, NewName, Ownership, PendingRename, Target};
use guard_core::process::ProcessDescription;
use guard_core::{Operation, OperationKind, Reason, Verdict};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use support::{AGENT_STARTED_NS, Scene, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Agent,
    /// Version control, which may restore documents.
    Git,
    /// A tool that removes what it makes again.
    Tar,
    Person,
}

/// How a call that the guard allowed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The guard performs it.
    Performed,
    /// The kernel goes on with it.
    Continued,
    /// The kernel goes on with it, and refuses.
    Refused,
}

type Path = &'static str;

#[derive(Clone, Copy, Debug)]
enum Deed {
    Create(Who, Path, FileKind, End),
    Remove(Who, Path, End),
    Rename(Who, Path, Path, End),
    Swap(Who, Path, Path, End),
    Link(Who, Path, Path, End),
    /// One of the two directories becomes the other.
    MoveDirectory(Who, Path, Path, End),
    /// Somebody outside the guard's sight puts another object at a path, or writes into it.
    ReplaceUnseen(Path),
}

/// The files, and what the account says about them.
struct Stage {
    world: World,
    ownership: Ownership,
    files: BTreeMap<String, FileFacts>,
    now_ns: u64,
    next_inode: u64,
    /// Which object is an agent's own under which name.
    own: BTreeSet<(String, u64)>,
    /// Where a tool removed another's object to make it again.
    marked: BTreeSet<String>,
}

struct Facts<'s> {
    scene: Scene,
    files: &'s BTreeMap<String, FileFacts>,
    ownership: &'s Ownership,
}

impl FactSource for Facts<'_> {
    fn actor(&self) -> Actor<'_> {
        self.scene.actor()
    }

    fn arguments(&self) -> Vec<u8> {
        self.scene.arguments()
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        self.scene.executable_changed_ns()
    }

    fn parent(&self) -> Option<ProcessDescription> {
        self.scene.parent()
    }

    fn file(&self, path: &[u8]) -> Option<FileFacts> {
        self.files.get(std::str::from_utf8(path).unwrap()).copied()
    }

    fn claimed_ns(&self, path: &[u8]) -> Option<u64> {
        self.ownership.claimed_ns(path)
    }
}

impl Stage {
    fn new() -> Self {
        Self {
            world: World::linux(r#"{"protected_zones": ["/z"]}"#),
            ownership: Ownership::default(),
            files: BTreeMap::new(),
            now_ns: AGENT_STARTED_NS,
            next_inode: 1,
            own: BTreeSet::new(),
            marked: BTreeSet::new(),
        }
    }

    fn facts(&self, who: Who) -> Facts<'_> {
        Facts {
            scene: match who {
                Who::Agent => Scene::agent("rm"),
                Who::Git => Scene::agent("git").saying("git checkout"),
                Who::Tar => Scene::agent("tar").saying("tar xf a"),
                Who::Person => Scene::human("rm"),
            },
            files: &self.files,
            ownership: &self.ownership,
        }
    }

    fn decide(&self, who: Who, kind: OperationKind, from: &str, to: Option<&str>) -> Decision<'_> {
        let operation = Operation {
            kind,
            path: from.as_bytes(),
            destination: to.map(str::as_bytes),
        };
        decide(
            &self.world.snapshot,
            &operation,
            self.now_ns,
            &self.facts(who),
        )
    }

    fn target(&self, path: &str) -> Target {
        let found = self.files.get(path);
        found.map_or(Target::Free, |file| Target::Taken(*file))
    }

    fn put(&mut self, path: &str, kind: FileKind, inode: u64) {
        let file = FileFacts {
            kind,
            born_ns: Some(self.now_ns),
            identity: FileIdentity { device: 1, inode },
        };
        self.files.insert(path.to_owned(), file);
    }

    fn inode(&self, path: &str) -> Option<u64> {
        Some(self.files.get(path)?.identity.inode)
    }

    fn is_own(&self, path: &str) -> bool {
        self.inode(path)
            .is_some_and(|inode| self.own.contains(&(path.to_owned(), inode)))
    }

    /// Nothing is known of this name any more.
    fn end(&mut self, path: &str) {
        self.own.retain(|(name, _)| name != path);
        self.marked.remove(path);
    }

    fn claim(&mut self, path: &str, inode: u64) {
        self.own.retain(|(name, _)| name != path);
        if !self.marked.contains(path) {
            self.own.insert((path.to_owned(), inode));
        }
    }

    fn perform(&mut self, deed: Deed) {
        // What no backend sees comes long after the call before: its birth is not that call's.
        // What a person makes comes soon after it.
        self.now_ns += match deed {
            Deed::Create(Who::Person, ..) => 1_000_000_000,
            _ => 10_000_000_000,
        };
        match deed {
            Deed::Create(who, path, kind, end) => self.create(who, path, kind, end),
            Deed::Remove(who, path, end) => self.remove(who, path, end),
            Deed::Rename(who, from, to, end) => self.rename(who, from, to, end),
            Deed::Swap(who, from, to, end) => self.swap(who, from, to, end),
            Deed::Link(who, from, to, end) => self.link(who, from, to, end),
            Deed::MoveDirectory(who, from, to, end) => self.move_directory(who, from, to, end),
            Deed::ReplaceUnseen(path) => {
                if self.files.contains_key(path) {
                    self.next_inode += 1;
                    self.put(path, FileKind::Regular, self.next_inode - 1);
                }
            }
        }
    }

    fn create(&mut self, who: Who, path: &str, kind: FileKind, end: End) {
        if self.files.contains_key(path) {
            return;
        }
        let facts = self.facts(who);
        self.ownership
            .created(&self.world.snapshot, path.as_bytes(), self.now_ns, &facts);
        let inode = self.next_inode;
        self.next_inode += 1;
        if end != End::Refused {
            self.put(path, kind, inode);
        }
        if !is_in_zone(path) {
            return;
        }
        if matches!(who, Who::Agent | Who::Tar) {
            self.claim(path, inode);
        } else {
            self.end(path);
        }
    }

    fn remove(&mut self, who: Who, path: &str, end: End) {
        let decision = self.decide(who, OperationKind::Unlink, path, None);
        if decision.verdict == Verdict::Deny {
            return;
        }
        let facts = self.facts(who);
        let pending =
            self.ownership
                .will_remove(&self.world.snapshot, path.as_bytes(), &decision, &facts);
        self.ownership.removed(path.as_bytes(), pending);
        let replaces = who == Who::Tar && is_in_zone(path) && !self.is_maker_s(path);
        self.end(path);
        if replaces {
            self.marked.insert(path.to_owned());
        }
        if end != End::Refused {
            self.files.remove(path);
        }
    }

    fn rename(&mut self, who: Who, from: &str, to: &str, end: End) {
        let decision = self.decide(who, OperationKind::Rename, from, Some(to));
        let (Some(source), false) = (
            self.files.get(from).copied(),
            decision.verdict == Verdict::Deny || from == to,
        ) else {
            return;
        };
        let name = new_name(from, to, source);
        let facts = self.facts(who);
        let pending = self.ownership.will_rename(
            &self.world.snapshot,
            &name,
            || self.target(to),
            self.now_ns,
            &facts,
        );
        self.ownership
            .renamed(name.from, name.to, pending, completion(end));

        let in_zones = is_in_zone(from) && is_in_zone(to);
        let has_maker = source.kind != FileKind::Other;
        if in_zones && has_maker && self.inode(to) == self.inode(from) {
            return;
        }
        let own = who != Who::Person && in_zones && self.is_maker_s(from);
        let own = own && !self.files.contains_key(to);
        if end == End::Performed {
            self.end(from);
        }
        if own {
            self.claim(to, source.identity.inode);
        } else {
            self.end(to);
        }
        if end != End::Refused && self.inode(to) != self.inode(from) {
            self.files.remove(from);
            self.files.insert(to.to_owned(), source);
        }
    }

    fn swap(&mut self, who: Who, from: &str, to: &str, end: End) {
        let decision = self.decide(who, OperationKind::Exchange, from, Some(to));
        let both = self
            .files
            .get(from)
            .copied()
            .zip(self.files.get(to).copied());
        let (Some((left, right)), false) = (both, decision.verdict == Verdict::Deny) else {
            return;
        };
        self.ownership.renamed(
            from.as_bytes(),
            to.as_bytes(),
            PendingRename::SWAP,
            completion(end),
        );
        self.end(from);
        self.end(to);
        if end != End::Refused {
            self.files.insert(from.to_owned(), right);
            self.files.insert(to.to_owned(), left);
        }
    }

    fn link(&mut self, who: Who, from: &str, to: &str, end: End) {
        let Some(source) = self.files.get(from).copied() else {
            return;
        };
        let name = new_name(from, to, source);
        let facts = self.facts(who);
        let pending = self.ownership.will_link(
            &self.world.snapshot,
            &name,
            || self.target(to),
            self.now_ns,
            &facts,
        );
        if end == End::Performed && self.files.contains_key(to) {
            return;
        }
        self.ownership.linked(name.to, pending);

        let in_zones = is_in_zone(from) && is_in_zone(to);
        let is_free = !self.files.contains_key(to);
        if is_free && in_zones && who != Who::Person && self.is_maker_s(from) {
            self.claim(to, source.identity.inode);
        } else if is_free && is_in_zone(to) {
            self.end(to);
        }
        if is_free && end != End::Refused {
            self.files.insert(to.to_owned(), source);
        }
    }

    fn move_directory(&mut self, who: Who, from: &str, to: &str, end: End) {
        let below = |directory: &str, path: &str| path.starts_with(&format!("{directory}/"));
        let decision = self.decide(who, OperationKind::Rename, from, Some(to));
        let taken = self.files.keys().any(|path| below(to, path));
        if decision.verdict == Verdict::Deny || taken || from == to {
            return;
        }
        let directory = FileFacts {
            kind: FileKind::Directory,
            born_ns: Some(1),
            identity: FileIdentity::default(),
        };
        let name = new_name(from, to, directory);
        let facts = self.facts(who);
        let pending = self.ownership.will_rename(
            &self.world.snapshot,
            &name,
            || Target::Free,
            self.now_ns,
            &facts,
        );
        self.ownership
            .renamed(name.from, name.to, pending, completion(end));

        let moved = |path: &str| {
            let rest = path.strip_prefix(from).filter(|_| below(from, path))?;
            Some(format!("{to}{rest}"))
        };
        let own: Vec<(String, u64)> = self
            .own
            .iter()
            .filter(|(path, _)| below(from, path))
            .cloned()
            .collect();
        let marked: Vec<String> = self
            .marked
            .iter()
            .filter(|path| below(from, path))
            .cloned()
            .collect();
        self.own.retain(|(path, _)| !below(to, path));
        self.marked.retain(|path| !below(to, path));
        if end == End::Performed {
            self.own.retain(|(path, _)| !below(from, path));
            self.marked.retain(|path| !below(from, path));
        }
        for (path, inode) in own {
            self.own.insert((moved(&path).unwrap(), inode));
        }
        for path in marked {
            self.marked.insert(moved(&path).unwrap());
        }
        if end != End::Refused {
            let files = std::mem::take(&mut self.files);
            self.files = files
                .into_iter()
                .map(|(path, file)| (moved(&path).unwrap_or(path), file))
                .collect();
        }
    }

    /// Whether the account lets an agent remove the object at a path as its own.
    fn is_maker_s(&self, path: &str) -> bool {
        let has_maker = |file: &FileFacts| file.kind != FileKind::Other;
        self.files.get(path).is_some_and(has_maker) && self.is_own(path)
    }

    /// What the rules say of the same.
    fn may_remove(&self, path: &str) -> bool {
        let decision = self.decide(Who::Agent, OperationKind::Unlink, path, None);
        decision.reason == Reason::Scratch
    }
}

fn new_name<'a>(from: &'a str, to: &'a str, source: FileFacts) -> NewName<'a> {
    NewName {
        from: from.as_bytes(),
        to: to.as_bytes(),
        source: Some(source),
    }
}

fn completion(end: End) -> Completion {
    match end {
        End::Performed => Completion::Done,
        End::Continued | End::Refused => Completion::Pending,
    }
}

fn is_in_zone(path: &str) -> bool {
    path.starts_with("/z/")
}

const PATHS: [Path; 7] = ["/z/a", "/z/b", "/z/d/a", "/z/d/b", "/z/e/a", "/o/a", "/o/b"];

const DIRECTORIES: [Path; 3] = ["/z/d", "/z/e", "/o"];

fn deed() -> impl Strategy<Value = Deed> {
    let who = || {
        prop_oneof![
            3 => Just(Who::Agent),
            1 => Just(Who::Git),
            1 => Just(Who::Tar),
            2 => Just(Who::Person),
        ]
    };
    let kind = prop_oneof![
        4 => Just(FileKind::Regular),
        1 => Just(FileKind::Symlink),
        1 => Just(FileKind::Fifo),
        1 => Just(FileKind::Socket),
        1 => Just(FileKind::Other),
    ];
    let path = || proptest::sample::select(PATHS.to_vec());
    let directory = || proptest::sample::select(DIRECTORIES.to_vec());
    let end = || {
        prop_oneof![
            3 => Just(End::Performed),
            2 => Just(End::Continued),
            1 => Just(End::Refused),
        ]
    };
    prop_oneof![
        5 => (who(), path(), kind, end())
            .prop_map(|(who, path, kind, end)| Deed::Create(who, path, kind, end)),
        3 => (who(), path(), end()).prop_map(|(who, path, end)| Deed::Remove(who, path, end)),
        4 => (who(), path(), path(), end())
            .prop_map(|(who, from, to, end)| Deed::Rename(who, from, to, end)),
        1 => (who(), path(), path(), end())
            .prop_map(|(who, from, to, end)| Deed::Swap(who, from, to, end)),
        2 => (who(), path(), path(), end())
            .prop_map(|(who, from, to, end)| Deed::Link(who, from, to, end)),
        1 => (who(), directory(), directory(), end())
            .prop_map(|(who, from, to, end)| Deed::MoveDirectory(who, from, to, end)),
        1 => path().prop_map(Deed::ReplaceUnseen),
    ]
}

/// Performs calls, and compares rules and account after each.
fn compare(deeds: &[Deed]) -> Result<(), TestCaseError> {
    let mut stage = Stage::new();
    for (index, deed) in deeds.iter().enumerate() {
        stage.perform(*deed);
        for path in PATHS.into_iter().filter(|path| is_in_zone(path)) {
            prop_assert_eq!(
                stage.may_remove(path),
                stage.is_maker_s(path),
                "{} after {:?}",
                path,
                &deeds[..=index]
            );
        }
    }
    Ok(())
}

/// What the calls seldom hit upon by chance: a person's object comes where an agent's call came to
/// nothing a second before.
#[test]
fn a_stale_claim_ends_where_somebody_else_s_object_comes() {
    use End::{Performed, Refused};
    let file = FileKind::Regular;
    let stale = Deed::Create(Who::Agent, "/z/e/a", file, Refused);
    for deeds in [
        &[Deed::Create(Who::Person, "/z/e/a", file, Performed)][..],
        &[
            Deed::Create(Who::Person, "/z/d/a", file, Performed),
            Deed::MoveDirectory(Who::Agent, "/z/d", "/z/e", Performed),
        ],
        &[
            Deed::Create(Who::Person, "/z/a", file, Performed),
            Deed::Rename(Who::Agent, "/z/a", "/z/e/a", Performed),
        ],
        &[
            Deed::Create(Who::Person, "/z/a", file, Performed),
            Deed::Link(Who::Agent, "/z/a", "/z/e/a", Performed),
        ],
    ] {
        compare(&[&[stale], deeds].concat()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn agrees_with_an_account_by_objects(deeds in proptest::collection::vec(deed(), 1..40)) {
        compare(&deeds)?;
    }
}
