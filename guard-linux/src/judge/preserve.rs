//! Preserving what an agent's operation takes, before it goes on.
//!
//! The decision names what must be preserved; the [`Recorder`] of the session does it, on the pinned
//! directories that were judged. A discard that cannot be preserved is denied; an edit goes on and
//! is recorded as unpreserved.

use super::pending_call::PendingCall;
use super::resolve::Name;
use crate::arguments::SplitPath;
use crate::clock;
use crate::facts::CallFacts;
use crate::files;
use crate::preservation::Preservation;
use crate::sys::notify::Reply;
use guard_core::actor::{AgentRef, Attribution, FactSource as _};
use guard_core::decision::{Decision, Preserve};
use guard_core::event::{self, PreservationMethod, PreservationOutcome, UnpreservedCause};
use guard_core::policy::Snapshot;
use guard_core::{Operation, OperationKind, Reason, Verdict};
use guard_undo::Recorder;
use guard_undo::journal::Method;
use guard_undo::store::PreserveError;
use guard_undo::store::recorder::{self, Discard, Kind, Lost, Moved, ObjectStat, Preserved, Worth};
use rustix::fs::CWD;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd as _, BorrowedFd};

/// What was done before an operation, to be settled after it.
pub(super) struct Preserving<'a> {
    recorder: &'a Recorder,
    agent: AgentRef<'a>,
    /// What was kept of the name that is lost.
    preserved: Preserved,
    /// The same for the event, if the operation does not fail.
    preservation: Option<event::Preservation>,
    /// The directory that is removed.
    directory: Option<ObjectStat>,
    /// What is moved, as it was before.
    moved: Option<ObjectStat>,
    kind: OperationKind,
}

/// A discard that must be preserved and cannot be.
pub(super) struct Unpreservable<'s> {
    /// The decision instead.
    pub(super) denial: Decision<'s>,
    /// Why.
    pub(super) preservation: event::Preservation,
}

/// Measures how long preserving takes.
struct Stopwatch {
    started_ns: u64,
}

/// A name without the slashes at its end, in its pinned directory.
struct Pin<'a> {
    dir: BorrowedFd<'a>,
    name: CString,
}

// === impl PendingCall ===

impl PendingCall<'_> {
    /// Preserves what this decision requires. `None` when nothing of the session's is
    /// concerned.
    ///
    /// # Errors
    ///
    /// The denial, when something must be preserved and cannot be.
    pub(super) fn preserve<'f, 's>(
        &'f self,
        decision: &Decision<'s>,
        operation: &Operation<'_>,
        (name, other): (&Name, Option<&Name>),
        facts: &'f CallFacts<'_>,
        performs: bool,
    ) -> Result<Option<Preserving<'f>>, Unpreservable<'s>> {
        let moves = matches!(
            operation.kind,
            OperationKind::Rename | OperationKind::Exchange
        );
        let needed = decision.preserve != Preserve::Nothing;
        let concerns_zone = decision.zone.is_some() && (needed || moves);
        if decision.verdict == Verdict::Deny || !concerns_zone {
            return Ok(None);
        }
        let recorder = match &self.session.preservation {
            Preservation::Active(recorder) if self.guard.policy.load().undo().enabled => recorder,
            Preservation::Unavailable if decision.preserve == Preserve::Required => {
                return match (facts.actor().attribution, Pin::of(name).stat()) {
                    (Attribution::Agent(_), Some(found)) => Err(Unpreservable {
                        denial: decision.unpreservable(),
                        preservation: event::Preservation {
                            outcome: PreservationOutcome::Unpreserved(
                                UnpreservedCause::Unavailable,
                            ),
                            bytes: found.facts.size,
                            bytes_after: None,
                            duration_ns: 0,
                        },
                    }),
                    _ => Ok(None),
                };
            }
            _ => return Ok(None),
        };
        let Attribution::Agent(agent) = facts.actor().attribution else {
            return Ok(None);
        };
        let mut preserving = Preserving {
            recorder,
            agent,
            preserved: Preserved::NotNeeded,
            preservation: None,
            directory: None,
            moved: None,
            kind: operation.kind,
        };
        let Some(lost_name) = (if moves { other } else { Some(name) }) else {
            return Ok(None);
        };
        let pin = Pin::of(lost_name);
        let found = pin.stat();
        if moves {
            preserving.moved = Pin::of(name).stat();
            let is_it = |moved: ObjectStat| {
                found.is_some_and(|found| found.facts.inode == moved.facts.inode)
            };
            // Nothing there to be moved, or two names of one file: the kernel changes nothing.
            if preserving.moved.is_none_or(is_it) {
                return Ok(None);
            }
        }
        let Some(found) = found.filter(|_| needed) else {
            return Ok(Some(preserving));
        };
        let path = operation
            .destination
            .filter(|_| moves)
            .unwrap_or(operation.path);
        let bytes_after = preserving.moved.map(|moved| moved.facts.size);
        if found.kind == Kind::Directory {
            preserving.directory = Some(found);
            if !moves {
                let watch = Stopwatch::start();
                preserving.preservation = watch.preserved(Preserved::Recorded, None);
            }
            return Ok(Some(preserving));
        }
        // `f/` is a directory's name: the kernel refuses it of a file.
        if lost_name.name.as_bytes().ends_with(b"/") {
            return Ok(None);
        }
        let lost = Lost {
            name: pin.as_name(),
            path,
            agent: Some(agent.label),
            at_ns: clock::wall_ns(),
        };
        let how = if moves {
            Discard::Replaced
        } else {
            Discard::Removed
        };
        let worth = match decision.preserve {
            Preserve::IfChanged => Worth::IfChanged,
            _ => Worth::Always,
        };
        let watch = Stopwatch::start();
        match recorder.discard(&lost, how, worth, performs && !moves) {
            Ok(preserved) => {
                preserving.preserved = preserved;
                preserving.preservation = watch.preserved(preserved, bytes_after);
            }
            Err(error) => {
                let what = if moves { "replaced" } else { "removed" };
                let must = decision.preserve == Preserve::Required && !is_repository_object(path);
                let preservation = watch.unpreserved(&error, found.facts.size, bytes_after);
                if must {
                    return Err(Unpreservable {
                        denial: decision.unpreservable(),
                        preservation,
                    });
                }
                preserving.preservation = Some(preservation);
                recorder.unpreserved(path, what, &error, lost.at_ns);
            }
        }
        Ok(Some(preserving))
    }

    /// An agent is about to open this file for writing, or to cut it to `bytes_after`.
    pub(super) fn preserve_contents(
        &self,
        path: &[u8],
        pin: Option<&Name>,
        bytes_after: Option<u64>,
    ) {
        let Some((recorder, facts)) = self.contents_recorder(path) else {
            return;
        };
        let Attribution::Agent(agent) = facts.actor().attribution else {
            return;
        };
        let at_ns = clock::wall_ns();
        let change = |name: recorder::Name<'_>| {
            let agent = Some(agent.label);
            let lost = Lost {
                name,
                path,
                agent,
                at_ns,
            };
            recorder.change(&lost)
        };
        let watch = Stopwatch::start();
        let decided_ns = watch.started_ns;
        let changed = match pin {
            Some(name) => change(Pin::of(name).as_name()),
            None => change_by_path(path, change),
        };
        let preservation = match changed {
            Ok(preserved) => watch.preserved(preserved, bytes_after),
            Err(error) => {
                recorder.unpreserved(path, "changed", &error, at_ns);
                let found = pin.and_then(|name| Pin::of(name).stat());
                let bytes = found.map_or(0, |found| found.facts.size);
                Some(watch.unpreserved(&error, bytes, bytes_after))
            }
        };
        if let Some(preservation) = preservation {
            let snapshot = self.guard.policy.load();
            let times = (at_ns, decided_ns);
            self.record_edit(path, snapshot.zone_of(path), &facts, times, preservation);
        }
    }

    /// An agent is about to make a file at this path, where nothing is.
    pub(super) fn contents_made(&self, path: &[u8]) {
        if let Some((recorder, facts)) = self.contents_recorder(path)
            && matches!(facts.actor().attribution, Attribution::Agent(_))
        {
            recorder.made(path, clock::wall_ns());
        }
    }

    fn contents_recorder(&self, path: &[u8]) -> Option<(&Recorder, CallFacts<'_>)> {
        let Preservation::Active(recorder) = &self.session.preservation else {
            return None;
        };
        let snapshot = self.guard.policy.load();
        if !snapshot.undo().enabled || !snapshot.preserves_contents(path) {
            return None;
        }
        let wall_ns = clock::wall_ns();
        Some((recorder, CallFacts::new(self.guard, self.caller, wall_ns)))
    }
}

// === impl Preserving ===

impl Preserving<'_> {
    /// What the event says of it.
    pub(super) const fn preservation(&self) -> Option<event::Preservation> {
        self.preservation
    }

    /// Whether the removal is done already: the object was moved into the store.
    pub(super) fn is_removal_done(&self) -> bool {
        matches!(
            self.preserved,
            Preserved::Kept {
                method: Method::Rename,
                ..
            }
        )
    }

    /// The operation was answered: what failed is withdrawn, what happened is written down.
    pub(super) fn settle(
        &self,
        snapshot: &Snapshot,
        operation: &Operation<'_>,
        reason: Reason,
        reply: Reply,
    ) {
        let at_ns = clock::wall_ns();
        if matches!(reply, Reply::Fail(_)) {
            self.recorder.withdraw(self.preserved, at_ns);
            return;
        }
        let agent = Some(self.agent.label);
        if let (Some(found), OperationKind::Unlink) = (&self.directory, operation.kind) {
            // Without its record the directory is made again with usual modes.
            let _full = self
                .recorder
                .directory_removed(operation.path, agent, found, at_ns);
        }
        let (Some(found), Some(to)) = (self.moved, operation.destination) else {
            return;
        };
        let in_zone = |path| snapshot.zone_of(path).is_some();
        if reason != Reason::Replaced && in_zone(operation.path) {
            let moved = Moved {
                from: operation.path,
                to,
                exchange: self.kind == OperationKind::Exchange,
                found,
                agent,
            };
            let _full = self.recorder.renamed(&moved, at_ns);
        } else if found.changed_ns >= self.agent.started_ns {
            self.recorder.brought(to, &found, at_ns);
        }
    }
}

// === impl Stopwatch ===

impl Stopwatch {
    fn start() -> Self {
        Self {
            started_ns: clock::monotonic_ns(),
        }
    }

    /// What an event says of an object that was preserved; `None` if nothing had to be.
    fn preserved(
        &self,
        preserved: Preserved,
        bytes_after: Option<u64>,
    ) -> Option<event::Preservation> {
        let (method, bytes) = match preserved {
            Preserved::NotNeeded => return None,
            Preserved::Recorded => (PreservationMethod::Record, 0),
            Preserved::Kept { method, size, .. } => {
                (PreservationMethod::from_name(method.as_str())?, size)
            }
        };
        let outcome = PreservationOutcome::Preserved(method);
        Some(self.after(outcome, bytes, bytes_after))
    }

    /// What an event says of an object that could not be preserved.
    fn unpreserved(
        &self,
        error: &PreserveError,
        bytes: u64,
        bytes_after: Option<u64>,
    ) -> event::Preservation {
        let cause = UnpreservedCause::from_name(error.cause());
        let outcome = PreservationOutcome::Unpreserved(cause);
        self.after(outcome, bytes, bytes_after)
    }

    fn after(
        &self,
        outcome: PreservationOutcome,
        bytes: u64,
        bytes_after: Option<u64>,
    ) -> event::Preservation {
        event::Preservation {
            outcome,
            bytes,
            bytes_after,
            duration_ns: clock::monotonic_ns().saturating_sub(self.started_ns),
        }
    }
}

// === impl Pin ===

impl<'a> Pin<'a> {
    fn of(name: &'a Name) -> Self {
        Self {
            dir: name.directory.fd.as_fd(),
            // It is a part of a string of C.
            name: CString::new(name.bare()).unwrap_or_default(),
        }
    }

    fn as_name(&self) -> recorder::Name<'_> {
        recorder::Name {
            dir: self.dir,
            name: &self.name,
        }
    }

    fn stat(&self) -> Option<ObjectStat> {
        self.as_name().stat().ok()
    }
}

/// Whether a file has nothing to be cut.
pub(super) fn is_empty(name: Option<&Name>) -> bool {
    name.and_then(|name| Pin::of(name).stat())
        .is_some_and(|found| found.facts.size == 0)
}

/// Pins a file by its canonical path: it was reached through a link.
fn change_by_path(
    path: &[u8],
    change: impl FnOnce(recorder::Name<'_>) -> Result<Preserved, PreserveError>,
) -> Result<Preserved, PreserveError> {
    let split = SplitPath::new(path);
    let parent = CString::new(split.parent).map_err(std::io::Error::from)?;
    let name = CString::new(split.bare_name()).map_err(std::io::Error::from)?;
    let dir = files::pin_directory(CWD, &parent).map_err(std::io::Error::from)?;
    change(recorder::Name {
        dir: dir.as_fd(),
        name: &name,
    })
}

/// What a repository has elsewhere or can lose: never a reason to deny what removes it. A bare
/// repository is recognised as git does it: beside `objects` it has `HEAD` and `refs`.
fn is_repository_object(path: &[u8]) -> bool {
    const OBJECTS: &[u8] = b"/objects/";
    let ends = path.windows(OBJECTS.len()).enumerate();
    let mut repositories = ends
        .filter(|(_, part)| *part == OBJECTS)
        .filter_map(|(at, _)| path.get(..at));
    repositories.any(|repository| {
        let has = |name: &CStr| {
            let name = [repository, b"/", name.to_bytes()].concat();
            CString::new(name).is_ok_and(|name| files::stat_name(CWD, &name).is_ok())
        };
        repository.ends_with(b"/.git") || (has(c"HEAD") && has(c"refs"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn objects_of_bare_repositories_count_too() {
        let base = tempfile::tempdir().unwrap();
        let bare = base.path().join("r.git");
        fs::create_dir_all(bare.join("refs")).unwrap();
        fs::write(bare.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        let is_object = |path: &str| {
            let path = base.path().join(path);
            is_repository_object(path.as_os_str().as_bytes())
        };
        assert!(is_object("r.git/objects/pack/pack-1.pack"));
        assert!(is_object("any/.git/objects/ab/cdef"));
        assert!(!is_object("r.git/refs/heads/main"));
        assert!(!is_object("scene/objects/chair.obj"));
    }
}
