//! From an operation to its verdict, and what becomes of it.

use super::execute::Execution;
use super::pending_call::PendingCall;
use super::preserve::{Preserving, Unpreservable};
use super::refusal::Rights;
use super::resolve::{Name, Unresolved, join};
use crate::clock;
use crate::facts::CallFacts;
use crate::notice::KeptObject;
use crate::sys::notify::Reply;
use guard_core::actor::FactSource as _;
use guard_core::decision::{Decision, Preserve, decide};
use guard_core::event::{ActingProcess, Preservation, ZoneRef};
use guard_core::guard::Circumstances;
use guard_core::policy::{DenialNotice, Snapshot};
use guard_core::ring::Counter;
use guard_core::verdict::Answer;
use guard_core::{Operation, OperationKind, Reason, Verdict};
use rustix::io::{Errno, Result};

/// An operation and its decision.
struct Evaluation<'a, 'f> {
    operation: &'a Operation<'a>,
    decision: &'a Decision<'a>,
    facts: &'a CallFacts<'f>,
    wall_ns: u64,
    /// Monotonic clock when it was decided.
    decided_ns: u64,
    /// What was done before it, or could not be.
    preservation: Option<Preservation>,
}

/// Nothing that the guard could perform.
type NotPerformed = fn() -> Result<()>;

// === impl PendingCall ===

impl PendingCall<'_> {
    /// Decides an operation that the kernel executes if it is allowed. What touches neither a zone
    /// nor the guard's own files continues unrecorded.
    pub(super) fn evaluate_or_continue(&self, operation: &Operation<'_>) -> Reply {
        let snapshot = self.guard.policy.load();
        if !snapshot.touches(operation) {
            return Reply::Continue;
        }
        let wall_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, wall_ns);
        let evaluation = Evaluation {
            operation,
            decision: &decide(&snapshot, operation, wall_ns, &facts),
            facts: &facts,
            wall_ns,
            decided_ns: clock::monotonic_ns(),
            preservation: None,
        };
        self.enforce(&evaluation, Execution::<NotPerformed>::Continue)
    }

    /// Decides an operation on a path that the guard could not resolve.
    pub(super) fn unresolved(&self, kind: OperationKind, path: &Unresolved) -> Reply {
        self.unresolved_pair(kind, (&path.text, None), path.missing)
    }

    /// Decides an operation on paths that the guard could not resolve. An agent's fails if its
    /// arguments as they are may touch a zone; all others go on in the kernel, which refuses what it
    /// refuses. `missing` is what the guard found missing on the way: then nothing is denied.
    pub(super) fn unresolved_pair(
        &self,
        kind: OperationKind,
        (path, destination): (&[u8], Option<&[u8]>),
        missing: Option<Errno>,
    ) -> Reply {
        let operation = Operation {
            kind,
            path,
            destination,
        };
        let wall_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, wall_ns);
        let may_touch = path.is_empty() || self.guard.policy.load().touches(&operation);
        let denied = may_touch && facts.actor().attribution.may_be_agents();
        if let Some(errno) = missing.filter(|_| denied) {
            return Reply::Fail(errno);
        }
        let evaluation = Evaluation {
            operation: &operation,
            decision: &Decision::unresolved(denied),
            facts: &facts,
            wall_ns,
            decided_ns: clock::monotonic_ns(),
            preservation: None,
        };
        self.enforce(&evaluation, Execution::<NotPerformed>::Continue)
    }

    /// Decides that the tree at a name ends, with all that is in it. Left to the kernel if it is
    /// allowed.
    pub(super) fn evaluate_tree(&mut self, name: &Name) -> Reply {
        let snapshot = self.guard.policy.load();
        let mut path = std::mem::take(&mut self.buffers.path);
        let removal = |path| Operation {
            kind: OperationKind::Unlink,
            path,
            destination: None,
        };
        self.choose_location(&snapshot, OperationKind::Unlink, name, &mut path);
        let reply = if snapshot.touches(&removal(&path)) {
            let wall_ns = clock::wall_ns();
            let facts = CallFacts::new(self.guard, self.caller, wall_ns);
            let facts = facts.with_object(&name.directory, &name.name, &path);
            // As if it were moved away: what is below goes with it, as it does not by `rmdir`.
            let moved = Operation {
                kind: OperationKind::Rename,
                ..removal(&path)
            };
            let evaluation = Evaluation {
                operation: &removal(&path),
                decision: &decide(&snapshot, &moved, wall_ns, &facts),
                facts: &facts,
                wall_ns,
                decided_ns: clock::monotonic_ns(),
                preservation: None,
            };
            self.enforce(&evaluation, Execution::<NotPerformed>::Continue)
        } else {
            Reply::Continue
        };
        self.buffers.path = path;
        reply
    }

    /// What is known of the caller's rights.
    pub(super) const fn rights(&self) -> Rights {
        if self.caller.equals_guard {
            Rights::Equal
        } else {
            Rights::Unknown
        }
    }

    /// Decides an operation on one or two names, and executes it if it is allowed. `refusal` is why
    /// the kernel would refuse it: then nothing is denied.
    pub(super) fn decide_and_execute(
        &mut self,
        kind: OperationKind,
        names: (&Name, Option<&Name>),
        refusal: &dyn Fn(Rights) -> Option<Errno>,
        execution: Execution<impl FnOnce() -> Result<()>>,
    ) -> Reply {
        let (name, other) = names;
        let both = || [Some(name), other].into_iter().flatten();
        let may_perform = self.caller.equals_guard && !both().any(Name::is_in_procfs);
        let execution = execution.only_if(may_perform);
        if both().any(|name| name.special) {
            // Nothing can come of it but the kernel's refusal.
            return execution.run();
        }
        let mut path = std::mem::take(&mut self.buffers.path);
        let mut destination = std::mem::take(&mut self.buffers.destination);
        let snapshot = self.guard.policy.load();
        self.choose_location(&snapshot, kind, name, &mut path);
        if let Some(other) = other {
            self.choose_location(&snapshot, kind, other, &mut destination);
        }
        let operation = Operation {
            kind,
            path: &path,
            destination: other.map(|_| destination.as_slice()),
        };
        let refusal = || refusal(self.rights());
        let reply = self.decide_and_execute_on(&snapshot, &operation, names, &refusal, execution);
        self.buffers.path = path;
        self.buffers.destination = destination;
        reply
    }

    fn decide_and_execute_on(
        &self,
        snapshot: &Snapshot,
        operation: &Operation<'_>,
        names: (&Name, Option<&Name>),
        refusal: &dyn Fn() -> Option<Errno>,
        execution: Execution<impl FnOnce() -> Result<()>>,
    ) -> Reply {
        let (name, other) = names;
        if operation.kind == OperationKind::Unlink && snapshot.touches(operation) {
            self.session.note_writes(self.guard);
        }
        let wall_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, wall_ns);
        let facts = facts.preserving(self.preserves(snapshot)).with_object(
            &name.directory,
            &name.name,
            operation.path,
        );
        let facts = match other.zip(operation.destination) {
            Some((other, path)) => facts.with_destination(&other.directory, &other.name, path),
            None => facts,
        };
        let decision = decide(snapshot, operation, wall_ns, &facts);
        let decided_ns = clock::monotonic_ns();
        // What cannot succeed destroys nothing. It is answered here and not performed: by then it
        // might succeed.
        if decision.verdict != Verdict::Allow
            && let Some(errno) = refusal()
        {
            return Reply::Fail(errno);
        }
        let removal = (operation.kind == OperationKind::Unlink).then(|| {
            let ownership = &self.guard.ownership;
            ownership.will_remove(snapshot, operation.path, &decision, wall_ns, &facts)
        });
        let performs = execution.is_performed();
        let preserved = self.preserve(&decision, operation, names, &facts, performs);
        let (decision, preserving, preservation) = match preserved {
            Ok(preserving) => {
                let preservation = preserving.as_ref().and_then(Preserving::preservation);
                (decision, preserving, preservation)
            }
            Err(Unpreservable {
                denial,
                preservation,
            }) => match refusal() {
                Some(errno) => return Reply::Fail(errno),
                None => (denial, None, preservation),
            },
        };
        let is_done = preserving.as_ref().is_some_and(Preserving::is_removal_done);
        let evaluation = Evaluation {
            operation,
            decision: &decision,
            facts: &facts,
            wall_ns,
            decided_ns,
            preservation,
        };
        let reply = self.enforce(&evaluation, execution.unless(is_done));
        if let Some(preserving) = preserving {
            preserving.settle(snapshot, operation, decision.reason, reply);
        }
        if let Some(removal) = removal {
            self.note_removal(name, reply, removal);
        }
        reply
    }

    /// Denies a call or executes it, and records the decision.
    fn enforce(
        &self,
        evaluation: &Evaluation<'_, '_>,
        execution: Execution<impl FnOnce() -> Result<()>>,
    ) -> Reply {
        let (reply, answer) = if evaluation.facts.is_unexamined() {
            // Nobody knows who acts. It is refused, not decided, and may be tried again.
            self.guard.ring.add(Counter::PathsUnresolved, 1);
            return Reply::Fail(Errno::AGAIN);
        } else if evaluation.decision.verdict == Verdict::Deny {
            self.prepare_notice(evaluation);
            (Reply::Fail(Errno::PERM), Answer::Denied)
        } else {
            let answer = match execution {
                Execution::Perform(_) => Answer::Performed,
                Execution::Continue => Answer::Continued,
            };
            (execution.run(), answer)
        };
        self.record(evaluation, reply, answer);
        reply
    }

    /// Records what was done before the contents of the file at `path` change. It has no decision:
    /// edits are not judged.
    pub(super) fn record_edit(
        &self,
        path: &[u8],
        zone: Option<ZoneRef<'_>>,
        facts: &CallFacts<'_>,
        (wall_ns, decided_ns): (u64, u64),
        preservation: Preservation,
    ) {
        let operation = Operation {
            kind: OperationKind::Write,
            path,
            destination: None,
        };
        let decision = Decision {
            verdict: Verdict::Allow,
            reason: Reason::NotJudged,
            zone,
            override_id: None,
            tool: None,
            preserve: Preserve::IfPossible,
        };
        let evaluation = Evaluation {
            operation: &operation,
            decision: &decision,
            facts,
            wall_ns,
            decided_ns,
            preservation: Some(preservation),
        };
        self.record(&evaluation, Reply::Continue, Answer::Continued);
    }

    /// Leaves a notice for the denied process; it is written before the answer.
    fn prepare_notice(&self, evaluation: &Evaluation<'_, '_>) {
        if self.guard.policy.load().notice() == DenialNotice::Off {
            return;
        }
        let decision = evaluation.decision;
        let kept = || KeptObject {
            operation: evaluation.operation.kind,
            reason: decision.reason,
            path: evaluation.operation.path.to_vec(),
            cause: evaluation.preservation.and_then(|kept| kept.cause()),
            zone: decision
                .zone
                .map(|zone| (zone.name.to_owned(), zone.path.to_vec())),
        };
        let zone = decision.zone.map(|zone| zone.path);
        let notices = &self.session.notices;
        let (base, pid) = (self.caller.base(), self.caller.process.pid);
        self.notice.replace(notices.prepare(base, pid, kept, zone));
    }

    fn record(&self, evaluation: &Evaluation<'_, '_>, reply: Reply, answer: Answer) {
        let failed = matches!(reply, Reply::Fail(_)) && answer != Answer::Denied;
        let errno = match reply {
            Reply::Fail(errno) => errno.raw_os_error(),
            Reply::Continue | Reply::Return(_) => 0,
        };
        self.guard.record_decision(
            evaluation.operation,
            evaluation.decision,
            &Circumstances {
                process: ActingProcess {
                    key: self.caller.process,
                    ppid: self.caller.ppid,
                    uid: self.caller.uid,
                    executable: &self.caller.executable,
                    argv0: b"",
                },
                answer,
                errno,
                wall_ns: evaluation.wall_ns,
                received_ns: self.received_ns,
                decided_ns: evaluation.decided_ns,
                deadline_left_ns: None,
                delivery_delay_us: None,
                // Of an operation that failed nothing was lost.
                preservation: evaluation.preservation.filter(|_| !failed),
            },
            evaluation.facts,
        );
    }

    /// Writes the path at which a name is judged. A directory may be at several places (bind
    /// mounts): the first of them that touches a zone counts, for each name by itself, so that a
    /// rename inside a zone stays one at every mount of it; if none does, the kernel's own.
    fn choose_location(
        &mut self,
        snapshot: &Snapshot,
        kind: OperationKind,
        name: &Name,
        into: &mut Vec<u8>,
    ) {
        let touches = |path: &[u8]| {
            snapshot.touches(&Operation {
                kind,
                path,
                destination: None,
            })
        };
        join(&name.directory.location, name.bare(), into);
        if name.directory.aliases.is_empty() || touches(into) {
            return;
        }
        let spare = &mut self.buffers.text;
        for location in &name.directory.aliases {
            join(location, name.bare(), spare);
            if touches(spare) {
                std::mem::swap(spare, into);
                return;
            }
        }
    }
}
