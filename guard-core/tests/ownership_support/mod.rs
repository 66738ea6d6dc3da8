//! Files, deeds on them, and an account of who made and who wrote each of them last.

mod calls;

use super::support::{AGENT_STARTED_NS, Scene, World};
use guard_core::actor::{Actor, FactSource};
use guard_core::decision::{Decision, Preserve, decide};
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::ownership::{Completion, Creation, NewName, Ownership, Target};
use guard_core::process::ProcessDescription;
use guard_core::standing::{Proof, Record, Records, Standing};
use guard_core::{Operation, OperationKind, Reason};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Agent,
    /// Version control, which may restore documents.
    Git,
    /// Version control that fills a new directory.
    Clone,
    /// A tool that removes what it makes again.
    Tar,
    Person,
}

/// How a call that the guard allowed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The guard performs it.
    Performed,
    /// The kernel goes on with it.
    Continued,
    /// The kernel goes on with it, and refuses.
    Refused,
}

pub(crate) type Path = &'static str;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    Create(Who, Path, FileKind, End),
    MakeDirectory(Who, Path, End),
    Remove(Who, Path, End),
    Rename(Who, Path, Path, End),
    Swap(Who, Path, Path, End),
    Link(Who, Path, Path, End),
    /// One of the two directories becomes the other.
    MoveDirectory(Who, Path, Path, End),
    /// An agent opens a file for writing, and writes.
    Edit(Path),
    /// Somebody outside the guard's sight puts another object at a path.
    ReplaceUnseen(Path),
    /// Somebody outside the guard's sight writes into a file.
    EditUnseen(Path),
    /// The session ends, and another begins.
    NextSession,
}

/// The files, and what the account says about them.
pub(crate) struct Stage {
    world: World,
    ownership: Ownership,
    files: BTreeMap<String, FileFacts>,
    now_ns: u64,
    next_inode: u64,
    /// Which object is an agent's under a name.
    own: BTreeMap<String, u64>,
    /// The same from earlier sessions, with the time of its last change then.
    recorded: BTreeMap<String, (u64, u64)>,
    /// Objects of earlier sessions whose names agents changed, with the time of that.
    relinked: BTreeMap<u64, u64>,
    /// Whatever is or comes here is nobody's.
    nobodys: BTreeSet<String>,
    /// Somebody else's object was here in this session.
    foreign: BTreeSet<String>,
    /// Version control took an object of the agent's from here.
    taken: BTreeSet<String>,
    /// An agent removed its own object from here.
    left: BTreeSet<String>,
    records: Vec<(String, FileFacts, Record)>,
    /// Objects that a person made, or version control again for one.
    others: BTreeSet<u64>,
    /// Objects that a person wrote last.
    edited: BTreeSet<u64>,
}

pub(crate) struct Facts<'s> {
    scene: Scene,
    files: &'s BTreeMap<String, FileFacts>,
    ownership: &'s Ownership,
}

/// Records as they were written, looked up one by one.
#[derive(Debug)]
pub(crate) struct Written(Vec<(String, FileFacts, Record)>);

impl Records for Written {
    fn find(&self, path: &[u8], found: &FileFacts) -> Option<Record> {
        let is_it = |(name, was, _): &&(String, FileFacts, Record)| {
            let same = FileFacts {
                changed_ns: if was.is_directory() {
                    found.changed_ns
                } else {
                    was.changed_ns
                },
                modified_ns: found.modified_ns,
                size: if was.is_directory() {
                    found.size
                } else {
                    was.size
                },
                ..*was
            };
            name.as_bytes() == path && same == *found
        };
        self.0
            .iter()
            .rev()
            .find(is_it)
            .map(|(_, _, record)| *record)
    }
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

    fn standing(&self, path: &[u8], found: &FileFacts) -> Standing {
        self.ownership.standing(path, found)
    }

    fn preserves(&self) -> bool {
        true
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let stage = Self {
            world: World::linux(r#"{"protected_zones": ["/z"]}"#),
            ownership: Ownership::default(),
            files: BTreeMap::new(),
            now_ns: AGENT_STARTED_NS,
            next_inode: 1,
            own: BTreeMap::new(),
            recorded: BTreeMap::new(),
            relinked: BTreeMap::new(),
            nobodys: BTreeSet::new(),
            foreign: BTreeSet::new(),
            taken: BTreeSet::new(),
            left: BTreeSet::new(),
            records: Vec::new(),
            others: BTreeSet::new(),
            edited: BTreeSet::new(),
        };
        stage.begin();
        stage
    }

    /// A person's deeds are noted as soon as there is anything of an agent's.
    fn begin(&self) {
        let path = b"/z/first";
        let (is_directory, call_ns) = (false, 1);
        let creation = Creation {
            path,
            is_directory,
            call_ns,
        };
        self.ownership
            .created(&self.world.snapshot, &creation, &self.facts(Who::Agent));
    }

    fn facts(&self, who: Who) -> Facts<'_> {
        Facts {
            scene: match who {
                Who::Agent => Scene::agent("rm"),
                Who::Git => Scene::agent("git").saying("git checkout"),
                Who::Clone => Scene::agent("git").saying("git clone"),
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
            changed_ns: self.now_ns,
            modified_ns: self.now_ns,
            size: 0,
        };
        self.files.insert(path.to_owned(), file);
    }

    fn new_inode(&mut self) -> u64 {
        self.next_inode += 1;
        self.next_inode - 1
    }

    fn inode(&self, path: &str) -> Option<u64> {
        Some(self.files.get(path)?.identity.inode)
    }

    /// Whether the account lets an agent remove the object at a path as its own.
    pub(crate) fn is_own(&self, path: &str) -> bool {
        let Some(file) = self.files.get(path) else {
            return false;
        };
        let is_known = |&inode: &u64| inode == file.identity.inode;
        self.own.get(path).is_some_and(is_known) || self.is_recorded(path, file)
    }

    fn is_recorded(&self, path: &str, file: &FileFacts) -> bool {
        let holds = |&(inode, changed_ns): &(u64, u64)| {
            inode == file.identity.inode && (changed_ns == file.changed_ns || file.is_directory())
        };
        !self.nobodys.contains(path) && self.recorded.get(path).is_some_and(holds)
    }

    /// Nothing is known of this name any more, but that somebody else's object was here.
    fn end(&mut self, path: &str, foreign: bool) {
        self.own.remove(path);
        self.nobodys.remove(path);
        self.taken.remove(path);
        self.left.remove(path);
        if foreign {
            self.foreign.insert(path.to_owned());
        }
    }

    fn claim(&mut self, path: &str, inode: u64) {
        if !self.nobodys.contains(path) {
            self.taken.remove(path);
            self.left.remove(path);
            self.own.insert(path.to_owned(), inode);
        }
    }

    fn disown(&mut self, path: &str) {
        self.end(path, true);
        self.nobodys.insert(path.to_owned());
    }

    pub(crate) fn perform(&mut self, deed: Deed) {
        // What no backend sees comes long after the call before: its birth is not that call's.
        // What a person makes comes soon after it.
        self.now_ns += match deed {
            Deed::Create(Who::Person, ..) => 1_000_000_000,
            _ => 10_000_000_000,
        };
        match deed {
            Deed::Create(who, path, kind, end) => self.create(who, path, kind, end),
            Deed::MakeDirectory(who, path, end) => {
                if self.is_empty(path) {
                    self.create(who, path, FileKind::Directory, end);
                }
            }
            Deed::Remove(who, path, end) => self.remove(who, path, end),
            Deed::Rename(who, from, to, end) => self.rename(who, from, to, end),
            Deed::Swap(who, from, to, end) => self.swap(who, from, to, end),
            Deed::Link(who, from, to, end) => self.link(who, from, to, end),
            Deed::MoveDirectory(who, from, to, end) => self.move_directory(who, from, to, end),
            Deed::Edit(path) => self.edit(path),
            Deed::ReplaceUnseen(path) => {
                if self
                    .files
                    .get(path)
                    .is_some_and(|file| !file.is_directory())
                {
                    let inode = self.new_inode();
                    self.put(path, FileKind::Regular, inode);
                    if is_in_zone(path) {
                        self.others.insert(inode);
                    }
                }
            }
            Deed::EditUnseen(path) => {
                if let Some(inode) = self.inode(path) {
                    self.write(inode);
                    if is_in_zone(path) {
                        self.edited.insert(inode);
                    }
                }
            }
            Deed::NextSession => self.next_session(),
        }
    }

    /// All names of an object change with it.
    fn write(&mut self, inode: u64) {
        let now_ns = self.now_ns;
        for file in self
            .files
            .values_mut()
            .filter(|file| file.identity.inode == inode)
        {
            file.changed_ns = now_ns;
            file.size += 1;
        }
    }

    fn is_empty(&self, directory: &str) -> bool {
        !self.files.keys().any(|path| is_below(directory, path))
    }

    fn new_name<'a>(&self, from: &'a str, to: &'a str, source: FileFacts) -> NewName<'a> {
        NewName {
            from: from.as_bytes(),
            to: to.as_bytes(),
            source: Some(source),
            now_ns: self.now_ns,
        }
    }

    /// What the rules say of an object as an agent's own.
    pub(crate) fn is_own_by_rules(&self, path: &str) -> bool {
        let standing = |found| self.ownership.standing(path.as_bytes(), found);
        let found = self.files.get(path);
        found.is_some_and(|found| matches!(standing(found), Standing::Own(_)))
    }

    /// Whether what an agent may remove without a trace is somebody else's.
    pub(crate) fn loses(&self, path: &str) -> Option<&'static str> {
        let found = self.files.get(path)?;
        let inode = found.identity.inode;
        let decision = self.decide(Who::Agent, OperationKind::Unlink, path, None);
        let is_last = self
            .files
            .values()
            .filter(|file| file.identity.inode == inode)
            .count()
            == 1;
        if decision.reason != Reason::Scratch || found.kind != FileKind::Regular || !is_last {
            return None;
        }
        // Within a session the undo store knows of changes.
        let recorded =
            self.ownership.standing(path.as_bytes(), found) == Standing::Own(Proof::Recorded);
        if decision.preserve != Preserve::Required && self.others.contains(&inode) {
            Some("somebody else made it")
        } else if recorded && self.edited.contains(&inode) {
            Some("somebody else changed it")
        } else {
            None
        }
    }
}

fn completion(end: End) -> Completion {
    match end {
        End::Performed => Completion::Done,
        End::Continued | End::Refused => Completion::Pending,
    }
}

pub(crate) fn is_in_zone(path: &str) -> bool {
    path.starts_with("/z/")
}

fn is_below(directory: &str, path: &str) -> bool {
    path.starts_with(&format!("{directory}/"))
}
