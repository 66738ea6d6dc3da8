//! What each deed does to the files, what is reported of it, and what the account says.

use super::{End, Stage, Who, Written, completion, is_below, is_in_zone};
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::ownership::{Creation, Ownership, PendingRename, Target};
use guard_core::standing::{Proof, Standing};
use guard_core::{OperationKind, Verdict};

impl Stage {
    pub(super) fn create(&mut self, who: Who, path: &str, kind: FileKind, end: End) {
        if self.files.contains_key(path) {
            return;
        }
        let is_directory = kind == FileKind::Directory;
        let creation = Creation {
            path: path.as_bytes(),
            is_directory,
            call_ns: self.now_ns,
        };
        let facts = self.facts(who);
        self.ownership
            .created(&self.world.snapshot, &creation, &facts);
        let inode = self.new_inode();
        let begins = is_directory && who == Who::Clone;
        let fresh = self.taken.contains(path) || self.is_below_own(path) || begins;
        let own = match who {
            Who::Agent | Who::Tar => true,
            Who::Git | Who::Clone => fresh || self.left.contains(path),
            Who::Person => false,
        };
        // What version control makes again may be another's version of it.
        let is_agents = own && (fresh || matches!(who, Who::Agent | Who::Tar));
        if end != End::Refused {
            self.put(path, kind, inode);
            if is_in_zone(path) && (!is_agents || self.nobodys.contains(path)) {
                self.others.insert(inode);
            }
        }
        if !is_in_zone(path) {
            return;
        }
        if own {
            self.claim(path, inode);
        } else {
            self.end(path, true);
        }
    }

    /// Whether the directory above is one that an agent made in this session.
    fn is_below_own(&self, path: &str) -> bool {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let own = self.own.get(parent);
        own.is_some() && own == self.inode(parent).as_ref()
    }

    pub(super) fn remove(&mut self, who: Who, path: &str, end: End) {
        let decision = self.decide(who, OperationKind::Unlink, path, None);
        if decision.verdict == Verdict::Deny
            || !self.files.contains_key(path)
            || !self.is_empty(path)
        {
            return;
        }
        let facts = self.facts(who);
        let snapshot = &self.world.snapshot;
        let ownership = &self.ownership;
        let pending =
            ownership.will_remove(snapshot, path.as_bytes(), &decision, self.now_ns, &facts);
        ownership.removed(path.as_bytes(), pending);
        let theirs = is_in_zone(path) && self.is_theirs(who, path);
        if is_in_zone(path) {
            let own = self.is_own(path);
            match who {
                Who::Person => self.end(path, false),
                Who::Git | Who::Clone if own && !self.foreign.contains(path) => {
                    self.end(path, false);
                    self.taken.insert(path.to_owned());
                }
                Who::Git | Who::Clone => self.disown(path),
                Who::Tar if !own && decision.tool.is_some() => self.disown(path),
                Who::Agent | Who::Tar => {
                    self.end(path, !own);
                    if own && !self.foreign.contains(path) {
                        self.left.insert(path.to_owned());
                    }
                }
            }
        }
        if end != End::Refused
            && let Some(found) = self.files.remove(path)
        {
            self.touch_by(theirs, found);
        }
    }

    pub(super) fn rename(&mut self, who: Who, from: &str, to: &str, end: End) {
        let decision = self.decide(who, OperationKind::Rename, from, Some(to));
        let (Some(source), false) = (
            self.files.get(from).copied(),
            decision.verdict == Verdict::Deny || from == to,
        ) else {
            return;
        };
        let name = self.new_name(from, to, source);
        let facts = self.facts(who);
        let snapshot = &self.world.snapshot;
        let pending = self
            .ownership
            .will_rename(snapshot, &name, || self.target(to), &facts);
        self.ownership
            .renamed(name.from, name.to, pending, completion(end));

        let in_zones = is_in_zone(from) || is_in_zone(to);
        let theirs = in_zones && self.is_theirs(who, from);
        if who == Who::Person || !in_zones {
            if end == End::Performed {
                self.end(from, false);
            }
            self.end(to, true);
        } else if self.inode(to) == self.inode(from) {
            return;
        } else {
            let own = self.is_own(from) || !is_in_zone(from);
            let free = !self.files.contains_key(to) || self.is_own(to);
            if end == End::Performed {
                self.end(from, !own);
            }
            if own && free {
                self.claim(to, source.identity.inode);
            } else {
                self.disown(to);
            }
        }
        if end != End::Refused && self.inode(to) != self.inode(from) {
            self.files.remove(from);
            self.files.insert(to.to_owned(), source);
            self.touch_by(theirs, source);
            self.leave_zones(to, source.identity.inode);
        }
    }

    /// Outside the zones nothing protects an object any more.
    fn leave_zones(&mut self, path: &str, inode: u64) {
        if !is_in_zone(path) {
            self.others.remove(&inode);
            self.edited.remove(&inode);
        }
    }

    /// Whether an agent's process acts on its own object, of which something was written down that
    /// still holds or that its like changed last.
    fn is_theirs(&self, who: Who, path: &str) -> bool {
        let Some(found) = self.files.get(path) else {
            return false;
        };
        let changed = self.relinked.get(&found.identity.inode);
        who != Who::Person
            && !found.is_directory()
            && (self.is_recorded(path, found)
                || (self.is_own(path) && changed == Some(&found.changed_ns)))
    }

    /// As [`touch`](Self::touch). If it is theirs, what was written down of its other names holds on.
    fn touch_by(&mut self, is_theirs: bool, before: FileFacts) {
        let inode = before.identity.inode;
        self.touch(inode);
        if !is_theirs {
            return;
        }
        self.relinked.insert(inode, self.now_ns);
        for (was_inode, changed_ns) in self.recorded.values_mut() {
            if *was_inode == inode && *changed_ns == before.changed_ns {
                *changed_ns = self.now_ns;
            }
        }
    }

    /// The inode changes, its contents do not.
    fn touch(&mut self, inode: u64) {
        let now_ns = self.now_ns;
        for file in self
            .files
            .values_mut()
            .filter(|file| file.identity.inode == inode)
        {
            file.changed_ns = now_ns;
        }
    }

    pub(super) fn swap(&mut self, who: Who, from: &str, to: &str, end: End) {
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
        self.end(from, true);
        self.end(to, true);
        if end != End::Refused {
            self.files.insert(from.to_owned(), right);
            self.files.insert(to.to_owned(), left);
            for (path, moved) in [(to, left), (from, right)] {
                self.touch(moved.identity.inode);
                self.leave_zones(path, moved.identity.inode);
            }
        }
    }

    pub(super) fn link(&mut self, who: Who, from: &str, to: &str, end: End) {
        let Some(source) = self.files.get(from).copied() else {
            return;
        };
        let name = self.new_name(from, to, source);
        let facts = self.facts(who);
        let snapshot = &self.world.snapshot;
        let pending = self
            .ownership
            .will_link(snapshot, &name, || self.target(to), &facts);
        self.ownership.linked(name.from, name.to, pending);
        if self.files.contains_key(to) {
            return;
        }
        let theirs = self.is_theirs(who, from);
        if is_in_zone(to) {
            if who != Who::Person && self.is_recorded(from, &source) {
                self.claim(from, source.identity.inode);
            }
            if who == Who::Person {
                self.end(to, true);
            } else if self.is_own(from) || !is_in_zone(from) {
                self.claim(to, source.identity.inode);
            } else {
                self.disown(to);
            }
        }
        if end != End::Refused {
            self.files.insert(to.to_owned(), source);
            self.touch_by(theirs, source);
            self.leave_zones(to, source.identity.inode);
        }
    }

    pub(super) fn move_directory(&mut self, who: Who, from: &str, to: &str, end: End) {
        let decision = self.decide(who, OperationKind::Rename, from, Some(to));
        let taken = !self.is_empty(to) || self.files.contains_key(to);
        let leaves = is_in_zone(from) != is_in_zone(to);
        if decision.verdict == Verdict::Deny || taken || leaves || from == to {
            return;
        }
        let fallback = FileFacts {
            kind: FileKind::Directory,
            born_ns: Some(1),
            identity: FileIdentity::default(),
            changed_ns: 1,
            modified_ns: 1,
            size: 0,
        };
        let directory = self.files.get(from).copied().unwrap_or(fallback);
        let name = self.new_name(from, to, directory);
        let facts = self.facts(who);
        let snapshot = &self.world.snapshot;
        let pending = self
            .ownership
            .will_rename(snapshot, &name, || Target::Free, &facts);
        self.ownership
            .renamed(name.from, name.to, pending, completion(end));

        let moves = |path: &str| path == from || is_below(from, path);
        let moved = |path: &str| format!("{to}{}", &path[from.len()..]);
        let performed = end == End::Performed;
        let stays = |path: &str| path != to && !is_below(to, path) && !(performed && moves(path));
        let own: Vec<_> = self
            .own
            .iter()
            .map(|(path, own)| (path.clone(), *own))
            .collect();
        self.own.retain(|path, _| stays(path));
        let own = own.into_iter().filter(|(path, _)| moves(path));
        self.own.extend(own.map(|(path, own)| (moved(&path), own)));
        let recorded = self.recorded.clone().into_iter();
        self.recorded.retain(|path, _| stays(path));
        let recorded = recorded.filter(|(path, _)| moves(path));
        self.recorded
            .extend(recorded.map(|(path, was)| (moved(&path), was)));
        for names in [&mut self.nobodys, &mut self.foreign, &mut self.taken] {
            let below: Vec<String> = names.iter().filter(|path| moves(path)).cloned().collect();
            names.retain(|path| stays(path));
            names.extend(below.iter().map(|path| moved(path)));
        }
        if end != End::Refused {
            let files = std::mem::take(&mut self.files);
            let place = |path: String| if moves(&path) { moved(&path) } else { path };
            self.files = files
                .into_iter()
                .map(|(path, file)| (place(path), file))
                .collect();
        }
    }

    pub(super) fn edit(&mut self, path: &str) {
        let Some(found) = self
            .files
            .get(path)
            .copied()
            .filter(|file| !file.is_directory())
        else {
            return;
        };
        let standing = self.ownership.standing(path.as_bytes(), &found);
        let facts = self.facts(Who::Agent);
        let snapshot = &self.world.snapshot;
        self.ownership.edited(
            snapshot,
            path.as_bytes(),
            || Some(found),
            self.now_ns,
            &facts,
        );
        let recorded = [Proof::Recorded, Proof::Doubtful].map(Standing::Own);
        if recorded.contains(&standing) && is_in_zone(path) {
            self.claim(path, found.identity.inode);
        }
        self.write(found.identity.inode);
    }

    pub(super) fn next_session(&mut self) {
        let (claims, rest) = self.ownership.claims(0);
        assert_eq!(rest, None);
        for claim in claims {
            let path = String::from_utf8(claim.path.clone()).unwrap();
            let found = self.files.get(&path).copied();
            if let Some((found, record)) =
                found.and_then(|found| Some((found, claim.record(&found)?)))
            {
                self.records.push((path, found, record));
            }
        }
        // Each object is found again where a record was written of it, if it is as it was then.
        self.own.clear();
        self.recorded.clear();
        self.relinked.clear();
        for (path, was, _) in &self.records {
            let place = (was.identity.inode, was.changed_ns);
            let found = self.files.get(path);
            let holds = |file: &&FileFacts| {
                file.identity == was.identity
                    && (file.changed_ns == was.changed_ns || file.is_directory())
            };
            if found.filter(holds).is_some() {
                self.recorded.insert(path.clone(), place);
            }
        }
        self.nobodys.clear();
        self.foreign.clear();
        self.taken.clear();
        self.left.clear();
        self.ownership = Ownership::default();
        self.ownership
            .attach(Box::new(Written(self.records.clone())));
        self.begin();
    }
}
