//! Reports the names that operations create, move and remove to guard-core, which knows from them
//! what agents made.
//!
//! | name | reported when |
//! |------|---------------|
//! | removed, moved, exchanged | the request was allowed; the kernel may still refuse the operation |
//! | of a new object | the kernel reports the object (`NOTIFY_CREATE`) |
//! | of a clone | the kernel reports the call (`NOTIFY_CLONE`): xnu reports the new object before it has a path |
//! | of a hard link | the kernel reports the call (`NOTIFY_LINK`) |

use crate::facts::RequestFacts;
use crate::request::Request;
use guard_core::actor::FactSource as _;
use guard_core::decision::Decision;
use guard_core::file::FileFacts;
use guard_core::guard::Guard;
use guard_core::ownership::{Completion, Creation, NewName, PendingRename, Target};
use guard_core::policy::Snapshot;
use guard_core::{Operation, OperationKind};

/// Reports the names of a request that was allowed.
pub(crate) fn note_allowed(
    guard: &Guard,
    snapshot: &Snapshot,
    request: &Request<'_>,
    facts: &RequestFacts<'_>,
    decision: &Decision<'_>,
    wall_ns: u64,
) {
    let ownership = &guard.ownership;
    let Operation {
        kind,
        path,
        destination,
    } = request.operation;
    match (kind, destination) {
        (OperationKind::Unlink, _) => {
            let removal = ownership.will_remove(snapshot, path, decision, wall_ns, facts);
            ownership.removed(path, removal);
        }
        (OperationKind::Exchange, Some(to)) => {
            ownership.renamed(path, to, PendingRename::SWAP, Completion::Pending);
        }
        (OperationKind::Rename, Some(to)) => {
            let name = new_name(request, to, wall_ns);
            let target = || request.target;
            let rename = ownership.will_rename(snapshot, &name, target, facts);
            ownership.renamed(path, to, rename, Completion::Pending);
        }
        _ => {}
    }
}

/// Reports a new object, the one at the path of the facts' request.
pub(crate) fn note_creation(guard: &Guard, object: FileFacts, facts: &RequestFacts<'_>) {
    if let Some(call_ns) = object.born_ns {
        let creation = Creation {
            path: facts.request().operation.path,
            is_directory: object.is_directory(),
            call_ns,
        };
        let snapshot = guard.policy.load();
        guard.ownership.created(&snapshot, &creation, facts);
    }
}

/// Reports a clone at `path`, of which the kernel reported the call at `call_ns`. Whether the clone
/// exists by then, and whether it has its own birth time or that of its source, is not documented.
pub(crate) fn note_clone(guard: &Guard, path: &[u8], call_ns: u64, facts: &RequestFacts<'_>) {
    let source = facts.request().object;
    let is_clone = |found: &FileFacts| {
        let has_birth_of_source = source.is_some_and(|source| source.born_ns == found.born_ns);
        has_birth_of_source || found.is_made_by_call_at(call_ns)
    };
    let born_ns = facts
        .file(path)
        .filter(is_clone)
        .and_then(|found| found.born_ns);
    let creation = Creation {
        path,
        is_directory: source.is_some_and(|source| source.is_directory()),
        call_ns: born_ns.unwrap_or(call_ns),
    };
    let snapshot = guard.policy.load();
    guard.ownership.created(&snapshot, &creation, facts);
}

/// Reports a hard link at `to`.
pub(crate) fn note_link(guard: &Guard, to: &[u8], wall_ns: u64, facts: &RequestFacts<'_>) {
    let snapshot = guard.policy.load();
    let name = new_name(facts.request(), to, wall_ns);
    let free = || Target::Free;
    let link = guard.ownership.will_link(&snapshot, &name, free, facts);
    guard.ownership.linked(name.from, to, link);
}

fn new_name<'n>(request: &Request<'n>, to: &'n [u8], now_ns: u64) -> NewName<'n> {
    NewName {
        from: request.operation.path,
        to,
        source: request.object,
        now_ns,
    }
}
