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
use crate::files::{self, FileStat};
use crate::sys::notify::Reply;
use guard_core::actor::{AgentRef, Attribution, FactSource as _};
use guard_core::decision::{Decision, Preserve};
use guard_core::event::{self, PreservationOutcome, UnpreservedCause};
use guard_core::policy::Snapshot;
use guard_core::{Operation, OperationKind, Reason, Verdict};
use guard_undo::journal::Facts;
use guard_undo::store::PreserveError;
use guard_undo::store::change::{DoneChange, NameChange, NameChangeKind, PendingChange, Place};
use guard_undo::store::outcome::event_of;
use guard_undo::store::recorder::{self, Kind, Lost, ObjectStat, Preserved, Worth};
use guard_undo::{Preservation, Recorder, denies_unpreserved};
use rustix::fs::CWD;
use std::ffi::CString;
use std::os::fd::{AsFd as _, BorrowedFd};

/// What was done before an operation, to be settled after it.
pub(super) struct Preserving<'a> {
    recorder: &'a Recorder,
    agent: AgentRef<'a>,
    change: PendingChange,
    /// What the event says of it, if the operation does not fail.
    preservation: Option<event::Preservation>,
    kind: NameChangeKind,
}

/// A discard that must be preserved and cannot be.
pub(super) struct Unpreservable<'s> {
    /// The decision instead.
    pub(super) denial: Decision<'s>,
    /// What the event says of it.
    pub(super) preservation: Option<event::Preservation>,
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
            Preservation::Session(recorder) if self.guard.policy.load().undo().enabled => recorder,
            Preservation::Unavailable if decision.preserve == Preserve::Required => {
                return match (facts.actor().attribution, Pin::of(name).stat()) {
                    (Attribution::Agent(_), Some(found)) => Err(Unpreservable {
                        denial: decision.unpreservable(),
                        preservation: Some(event::Preservation {
                            outcome: PreservationOutcome::Unpreserved(
                                UnpreservedCause::Unavailable,
                            ),
                            bytes: found.facts.size,
                            bytes_after: None,
                            duration_ns: 0,
                        }),
                    }),
                    _ => Ok(None),
                };
            }
            _ => return Ok(None),
        };
        let Attribution::Agent(agent) = facts.actor().attribution else {
            return Ok(None);
        };
        let Some(kind) = NameChangeKind::of(operation.kind) else {
            return Ok(None);
        };
        let Some(lost_name) = (if moves { other } else { Some(name) }) else {
            return Ok(None);
        };
        let (pin, other_pin) = (Pin::of(name), other.map(Pin::of));
        let other_place = other_pin.as_ref().zip(operation.destination);
        let change = NameChange {
            kind,
            source: Place {
                name: pin.as_name(),
                path: operation.path,
                found: facts.known(operation.path).map(object_stat),
            },
            destination: other_place.map(|(pin, path)| Place {
                name: pin.as_name(),
                path,
                found: facts.known(path).map(object_stat),
            }),
            worth: Worth::of(decision.preserve),
            directory_only: lost_name.name.as_bytes().ends_with(b"/"),
            may_take: performs,
            agent: Some(agent.label),
            until: None,
            at_ns: clock::wall_ns(),
        };
        let started_ns = clock::monotonic_ns();
        let Some(pending) = recorder.prepare(&change) else {
            return Ok(None);
        };
        let preservation = pending.event(elapsed_ns(started_ns));
        if pending.error().is_some() {
            let path = operation.destination.filter(|_| moves);
            if denies_unpreserved(decision.preserve, path.unwrap_or(operation.path)) {
                return Err(Unpreservable {
                    denial: decision.unpreservable(),
                    preservation,
                });
            }
            pending.note_unpreserved(recorder, &change);
        }
        Ok(Some(Preserving {
            recorder,
            agent,
            change: pending,
            preservation,
            kind,
        }))
    }

    /// Whether what a decision requires to be preserved is, or is denied.
    pub(super) fn preserves(&self, snapshot: &Snapshot) -> bool {
        snapshot.undo().enabled && self.session.preservation.is_required()
    }

    /// An agent is about to open this file for writing, or to cut it to `bytes_after`. `pin` is its
    /// name and what is there, unless it was reached through a link.
    pub(super) fn preserve_contents(
        &self,
        path: &[u8],
        pin: Option<(&Name, &FileStat)>,
        bytes_after: Option<u64>,
    ) {
        let Some((recorder, facts)) = self.contents_recorder(path) else {
            return;
        };
        let Attribution::Agent(agent) = facts.actor().attribution else {
            return;
        };
        self.session.note_writes(self.guard);
        self.session.watch_writes(path);
        let at_ns = clock::wall_ns();
        let found = pin.map(|(_, found)| object_stat(*found));
        let change = |name: recorder::Name<'_>| {
            let agent = Some(agent.label);
            let lost = Lost {
                name,
                path,
                found,
                agent,
                until: None,
                at_ns,
            };
            recorder.change(&lost)
        };
        let decided_ns = clock::monotonic_ns();
        let changed = match pin {
            Some((name, _)) => change(Pin::of(name).as_name()),
            None => change_by_path(path, change),
        };
        let duration_ns = elapsed_ns(decided_ns);
        let preservation = match changed {
            Ok(preserved) => event_of(Ok(preserved), 0, bytes_after, duration_ns),
            Err(error) => {
                recorder.unpreserved(path, "changed", &error, at_ns);
                let bytes = found.map_or(0, |found| found.facts.size);
                event_of(Err(&error), bytes, bytes_after, duration_ns)
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
        if let Some((recorder, _)) = self.contents_recorder(path) {
            self.session.note_writes(self.guard);
            self.session.watch_writes(path);
            recorder.made(path, clock::wall_ns());
        }
    }

    fn contents_recorder(&self, path: &[u8]) -> Option<(&Recorder, CallFacts<'_>)> {
        let Preservation::Session(recorder) = &self.session.preservation else {
            return None;
        };
        let snapshot = self.guard.policy.load();
        let facts = CallFacts::new(self.guard, self.caller, clock::wall_ns());
        let is_preserved = snapshot.editing_agent(path, &facts).is_some();
        is_preserved.then_some((recorder, facts))
    }
}

// === impl Preserving ===

impl Preserving<'_> {
    /// What the event says of it.
    pub(super) const fn preservation(&self) -> Option<event::Preservation> {
        self.preservation
    }

    /// Whether the removal is done already: the object was moved into the store.
    pub(super) const fn is_removal_done(&self) -> bool {
        self.change.is_removal_done()
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
            self.change.withdraw(self.recorder, at_ns);
            return;
        }
        let done = DoneChange {
            kind: self.kind,
            path: operation.path,
            destination: operation.destination,
            agent: Some(self.agent.label),
            agent_started_ns: self.agent.started_ns,
            from_zone: reason != Reason::Replaced && snapshot.zone_of(operation.path).is_some(),
            at_ns,
        };
        self.change.settle(self.recorder, &done);
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

fn elapsed_ns(since_ns: u64) -> u64 {
    clock::monotonic_ns().saturating_sub(since_ns)
}

/// What is preserved of an object.
fn object_stat(found: FileStat) -> ObjectStat {
    let mode = found.mode.as_raw_mode() | found.file_type.as_raw_mode();
    ObjectStat {
        facts: Facts {
            mode,
            uid: found.uid,
            gid: found.gid,
            size: found.size,
            mtime_ns: found.modified_ns,
            device: found.identity.device,
            inode: found.identity.inode,
        },
        kind: Kind::of_mode(mode),
        links: found.links.into(),
        disk_bytes: found.blocks.saturating_mul(512),
        changed_ns: found.changed_ns,
    }
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
