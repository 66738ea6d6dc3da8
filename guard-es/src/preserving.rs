//! Preserving what an agent's operation takes, before it is answered.
//!
//! | request | what is kept, and when |
//! |---------|------------------------|
//! | a removal, a rename over an object | the object, as the decision requires it ([`Decision::preserve`]) |
//! | an open for writing, `truncate`, `ftruncate`, `copyfile` over a file, `exchangedata` | the contents, if [`Snapshot::preserves_contents`] |
//!
//! A discard that cannot be preserved is denied; an edit is allowed and recorded as unpreserved. The
//! kernel blocks the caller until the answer, and kills a client that is late: a clone and a hard
//! link take microseconds, and copying bytes ends while there is time left to answer.
//!
//! Messages carry paths. Each is walked without following links, and what is found must be the
//! object of the message: an object that another process puts there in between is not preserved in
//! its place.
//!
//! Only an agent's operations are looked into. What a person does costs one look-up of its lineage.

use crate::facts::RequestFacts;
use crate::request::Request;
use endpoint_sec::Budget;
use guard_core::actor::{AgentRef, Attribution, FactSource as _};
use guard_core::decision::Decision;
use guard_core::event::{self, PreservationOutcome, UnpreservedCause};
use guard_core::file::FileFacts;
use guard_core::ownership::Target;
use guard_core::policy::Snapshot;
use guard_core::{OperationKind, Reason, Verdict};
use guard_undo::store::PreserveError;
use guard_undo::store::agents::AgentKey;
use guard_undo::store::change::{DoneChange, NameChange, NameChangeKind, PendingChange, Place};
use guard_undo::store::outcome::event_of;
use guard_undo::store::recorder::{Lost, Name, OwnedName, Worth};
use guard_undo::{Preservation, Recorder, denies_unpreserved};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time of one request.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// Reads the monotonic clock, nanoseconds.
    pub(crate) monotonic: &'a dyn Fn() -> u64,
    /// The wall clock.
    pub(crate) wall_ns: u64,
    /// Time left until the kernel's deadline, if there is one.
    pub(crate) deadline_left_ns: Option<u64>,
}

/// A change of names that was prepared, to be settled after the answer.
pub(crate) struct PreparedNames<'a> {
    recorder: Arc<Recorder>,
    agent: AgentRef<'a>,
    change: PendingChange,
    kind: NameChangeKind,
    event: Option<event::Preservation>,
}

/// A discard that must be preserved and cannot be.
pub(crate) struct Unpreservable<'s> {
    /// The decision instead.
    pub(crate) denial: Decision<'s>,
    /// What the event says of it.
    pub(crate) event: Option<event::Preservation>,
}

/// An edit whose contents were, or were to be, preserved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit<'m> {
    /// The file.
    pub(crate) path: &'m [u8],
    /// What the event says of it.
    pub(crate) event: event::Preservation,
}

/// The store refuses sessions.
struct Unavailable;

/// Preserves what the decision on an agent's request requires. `None` if nothing of the kind is
/// concerned.
///
/// # Errors
///
/// The denial, if something must be preserved and cannot be.
pub(crate) fn prepare_names<'s, 'f>(
    preservation: &Preservation,
    snapshot: &Snapshot,
    decision: &Decision<'s>,
    request: &Request<'_>,
    facts: &'f RequestFacts<'_>,
    moment: Moment<'_>,
) -> Result<Option<PreparedNames<'f>>, Unpreservable<'s>> {
    let operation = request.operation;
    // `exchangedata` swaps contents, not names.
    let kind = NameChangeKind::of(operation.kind).filter(|kind| *kind != NameChangeKind::Exchange);
    let Some(kind) = kind else {
        return Ok(None);
    };
    let worth = Worth::of(decision.preserve);
    let is_concerned =
        decision.zone.is_some() && (worth.is_some() || kind == NameChangeKind::Rename);
    if decision.verdict == Verdict::Deny || !is_concerned || !snapshot.undo().enabled {
        return Ok(None);
    }
    let Attribution::Agent(agent) = facts.actor().attribution else {
        return Ok(None);
    };
    let lost_path = operation.destination.unwrap_or(operation.path);
    let is_denied = || denies_unpreserved(decision.preserve, lost_path);
    let recorder = match recorder_of(preservation, &agent, moment.wall_ns) {
        Ok(Some(recorder)) => recorder,
        Err(Unavailable) if is_denied() => {
            return Err(Unpreservable {
                denial: decision.unpreservable(),
                event: Some(unavailable(request)),
            });
        }
        Ok(None) | Err(Unavailable) => return Ok(None),
    };
    let places = places_of(request);
    let (source, destination) = match &places {
        Ok(places) => places,
        Err(error) if is_denied() => {
            return Err(Unpreservable {
                denial: decision.unpreservable(),
                event: event_of(Err(error), lost_bytes(request), None, 0),
            });
        }
        Err(error) => {
            if worth.is_some() {
                recorder.unpreserved(lost_path, kind.how().as_str(), error, moment.wall_ns);
            }
            return Ok(None);
        }
    };
    let change = NameChange {
        kind,
        source: Place {
            name: source.as_name(),
            path: operation.path,
            found: None,
        },
        destination: destination
            .as_ref()
            .zip(operation.destination)
            .map(|(name, path)| Place {
                name: name.as_name(),
                path,
                found: None,
            }),
        worth,
        directory_only: false,
        may_take: false,
        agent: Some(agent.label),
        until: moment.end_of_copying(),
        at_ns: moment.wall_ns,
    };
    let started_ns = (moment.monotonic)();
    let Some(pending) = recorder.prepare(&change) else {
        return Ok(None);
    };
    let event = pending.event((moment.monotonic)().saturating_sub(started_ns));
    if pending.error().is_some() {
        if is_denied() {
            return Err(Unpreservable {
                denial: decision.unpreservable(),
                event,
            });
        }
        pending.note_unpreserved(&recorder, &change);
    }
    Ok(Some(PreparedNames {
        recorder,
        agent,
        change: pending,
        kind,
        event,
    }))
}

/// Preserves the contents that an allowed request of an agent's may change. Returns what is to be
/// recorded of it.
pub(crate) fn preserve_contents<'m>(
    preservation: &Preservation,
    snapshot: &Snapshot,
    request: &Request<'m>,
    facts: &RequestFacts<'_>,
    moment: Moment<'_>,
) -> [Option<Edit<'m>>; 2] {
    changed_contents(request).map(|changed| {
        let (path, object) = changed?;
        if matches!(preservation, Preservation::Off) {
            return None;
        }
        let agent = snapshot.editing_agent(path, facts)?;
        let recorder = recorder_of(preservation, &agent, moment.wall_ns).ok()??;
        let started_ns = (moment.monotonic)();
        let changed = if request.is_truncated {
            Err(io::Error::from(io::ErrorKind::InvalidFilename).into())
        } else {
            place(path, Some(object)).and_then(|place| {
                recorder.change(&Lost {
                    name: place.as_name(),
                    path,
                    found: None,
                    agent: Some(agent.label),
                    until: moment.end_of_copying(),
                    at_ns: moment.wall_ns,
                })
            })
        };
        let duration_ns = (moment.monotonic)().saturating_sub(started_ns);
        if let Err(error) = &changed {
            recorder.unpreserved(path, "changed", error, moment.wall_ns);
        }
        let preserved = changed.as_ref().copied();
        let bytes_after = request.truncates_content.then_some(0);
        let event = event_of(preserved, request.object_bytes, bytes_after, duration_ns)?;
        Some(Edit { path, event })
    })
}

/// An agent made a file at the path of the facts' request, where nothing was.
pub(crate) fn note_made(
    preservation: &Preservation,
    snapshot: &Snapshot,
    facts: &RequestFacts<'_>,
    wall_ns: u64,
) {
    let path = facts.request().operation.path;
    if !matches!(preservation, Preservation::Off)
        && let Some(agent) = snapshot.editing_agent(path, facts)
        && let Ok(Some(recorder)) = recorder_of(preservation, &agent, wall_ns)
    {
        recorder.made(path, wall_ns);
    }
}

/// Whether the contents at a path are preserved before an agent changes them.
pub(crate) fn may_matter(preservation: &Preservation, snapshot: &Snapshot, path: &[u8]) -> bool {
    !matches!(preservation, Preservation::Off)
        && snapshot.undo().enabled
        && snapshot.preserves_contents(path).is_some()
}

// === impl PreparedNames ===

impl PreparedNames<'_> {
    /// What the event says of it.
    pub(crate) const fn event(&self) -> Option<event::Preservation> {
        self.event
    }

    /// The request was answered. The kernel goes on with what was allowed, and may still refuse;
    /// then a restore finds the object in its place.
    pub(crate) fn settle(
        &self,
        snapshot: &Snapshot,
        request: &Request<'_>,
        reason: Reason,
        is_allowed: bool,
        wall_ns: u64,
    ) {
        if !is_allowed {
            self.change.withdraw(&self.recorder, wall_ns);
            return;
        }
        let path = request.operation.path;
        self.change.settle(
            &self.recorder,
            &DoneChange {
                kind: self.kind,
                path,
                destination: request.operation.destination,
                agent: Some(self.agent.label),
                agent_started_ns: self.agent.started_ns,
                from_zone: reason != Reason::Replaced && snapshot.zone_of(path).is_some(),
                at_ns: wall_ns,
            },
        );
    }
}

// === impl Moment ===

impl Moment<'_> {
    /// When copying bytes ends, so that there is time left to answer and for what waits behind.
    fn end_of_copying(self) -> Option<Instant> {
        let left = Duration::from_nanos(self.deadline_left_ns?);
        Instant::now().checked_add(Budget::default().of(left) / 2)
    }
}

/// The session that an agent's losses are preserved in; `None` if nothing is preserved.
fn recorder_of(
    preservation: &Preservation,
    agent: &AgentRef<'_>,
    now_ns: u64,
) -> Result<Option<Arc<Recorder>>, Unavailable> {
    match preservation {
        Preservation::Off => Ok(None),
        Preservation::Unavailable => Err(Unavailable),
        Preservation::Session(recorder) => Ok(Some(Arc::clone(recorder))),
        Preservation::Agents(agents) => {
            let key = AgentKey {
                pid: agent.pid,
                started_ns: agent.started_ns,
            };
            let name = String::from_utf8_lossy(agent.ancestor);
            let recorder = agents.recorder(key, &name, now_ns);
            recorder.map(Some).ok_or(Unavailable)
        }
    }
}

fn unavailable(request: &Request<'_>) -> event::Preservation {
    event::Preservation {
        outcome: PreservationOutcome::Unpreserved(UnpreservedCause::Unavailable),
        bytes: lost_bytes(request),
        bytes_after: None,
        duration_ns: 0,
    }
}

/// The length of the object that loses its name, as far as the message says it.
fn lost_bytes(request: &Request<'_>) -> u64 {
    match request.operation.kind {
        OperationKind::Unlink => request.object_bytes,
        _ => 0,
    }
}

/// The files whose contents the request may change.
fn changed_contents<'m>(request: &Request<'m>) -> [Option<(&'m [u8], FileFacts)>; 2] {
    let operation = request.operation;
    let itself = request.object.map(|object| (operation.path, object));
    let other = match (operation.destination, request.target) {
        (Some(path), Target::Taken(object)) => Some((path, object)),
        _ => None,
    };
    match operation.kind {
        OperationKind::Write | OperationKind::Truncate => [itself, None],
        OperationKind::Clone => [other, None],
        OperationKind::Exchange => [itself, other],
        _ => [None, None],
    }
}

/// The names of a removal or a rename, in their pinned directories.
fn places_of(request: &Request<'_>) -> Result<(OwnedName, Option<OwnedName>), PreserveError> {
    let operation = request.operation;
    let source = place(operation.path, request.object)?;
    let object = match request.target {
        Target::Taken(object) => Some(object),
        Target::Free | Target::Unknown => None,
    };
    let destination = operation.destination.map(|path| place(path, object));
    Ok((source, destination.transpose()?))
}

/// Pins a path, at which this object must be.
fn place(path: &[u8], object: Option<FileFacts>) -> Result<OwnedName, PreserveError> {
    let place = OwnedName::of_path(path, false)?;
    if let Some(object) = object {
        check_object(place.as_name(), object)?;
    }
    Ok(place)
}

fn check_object(name: Name<'_>, object: FileFacts) -> io::Result<()> {
    if name.stat()?.facts.inode == object.identity.inode {
        Ok(())
    } else {
        Err(io::Error::other("another object has this name by now"))
    }
}
