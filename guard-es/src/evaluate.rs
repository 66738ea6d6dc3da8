//! From one request to its verdict, its answer and its record.
//!
//! The order is: decide, preserve, answer, record. The kernel blocks the caller until the answer, so
//! nothing slow may come before it but what must: preserving what an agent's operation would take
//! ([`crate::preserving`]). The arguments and the trace context of a denied caller, two system calls,
//! are read afterwards. The answer is a closure, so that the order is visible in one place.

use crate::facts::{RequestContext, RequestFacts};
use crate::names;
use crate::open_cache::OpenCache;
use crate::preserving::{self, Edit, Moment, PreparedNames, Unpreservable};
use crate::request::Request;
use guard_core::actor::FactSource as _;
use guard_core::decision::{self, Decision, Preserve};
use guard_core::event::{self, ActingProcess};
use guard_core::guard::{Circumstances, Guard};
use guard_core::policy::Snapshot;
use guard_core::verdict::Answer;
use guard_core::{Operation, OperationKind, Reason, Verdict};
use guard_undo::Preservation;

/// When a request was received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Wall clock, nanoseconds.
    pub(crate) wall_ns: u64,
    /// Monotonic clock, nanoseconds.
    pub(crate) monotonic_ns: u64,
    /// Time left until the kernel's deadline.
    pub(crate) deadline_left_ns: Option<u64>,
    /// How long the kernel took to deliver the message.
    pub(crate) delivery_delay_us: u32,
}

/// What holds besides the policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    /// Where what agents take is preserved.
    pub(crate) preservation: &'a Preservation,
    /// What the kernel may have cached.
    pub(crate) cache: &'a OpenCache,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The operation proceeds.
    Allowed,
    /// The operation fails with `EPERM`.
    Denied,
}

/// Whether an answer took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerResult {
    /// It did.
    Accepted,
    /// The default answer was given before it, because the deadline was near.
    DeadlinePassed {
        /// Whether the default answer is a denial.
        denied: bool,
    },
}

/// Evaluates a request: decides, preserves, calls `answer`, and records. `monotonic` reads the clock.
pub(crate) fn evaluate(
    guard: &Guard,
    Rules {
        preservation,
        cache,
    }: Rules<'_>,
    request: Request<'_>,
    seen: Timing,
    context: RequestContext,
    monotonic: &dyn Fn() -> u64,
    answer: impl FnOnce(Outcome) -> AnswerResult,
) -> Outcome {
    let snapshot = guard.policy.load();
    let moment = Moment {
        monotonic,
        wall_ns: seen.wall_ns,
        deadline_left_ns: seen.deadline_left_ns,
    };
    let Some(relevant) = request.relevant_under(&snapshot) else {
        let facts = RequestFacts::new(guard, &request, seen.wall_ns, context);
        let decided_ns = monotonic();
        let edits =
            preserving::preserve_contents(preservation, &snapshot, &request, &facts, moment);
        answer(Outcome::Allowed);
        record_edits(guard, &snapshot, &facts, seen, decided_ns, edits);
        return Outcome::Allowed;
    };
    let request = &relevant;
    let preserves = snapshot.undo().enabled && preservation.is_required();
    let facts = RequestFacts::new(guard, request, seen.wall_ns, context).preserving(preserves);
    let decision = decide(&snapshot, request, &facts, seen.wall_ns);
    let decided_ns = monotonic();
    let prepared =
        preserving::prepare_names(preservation, &snapshot, &decision, request, &facts, moment);
    let (decision, prepared, event) = match prepared {
        Ok(prepared) => {
            let event = prepared.as_ref().and_then(PreparedNames::event);
            (decision, prepared, event)
        }
        Err(Unpreservable { denial, event }) => (denial, None, event),
    };
    let (outcome, edits) = if decision.verdict == Verdict::Deny {
        (Outcome::Denied, [None; 2])
    } else {
        let edits = preserving::preserve_contents(preservation, &snapshot, request, &facts, moment);
        (Outcome::Allowed, edits)
    };
    let delivery = answer(outcome);
    if let Some(prepared) = prepared {
        let is_allowed = delivery != AnswerResult::DeadlinePassed { denied: true };
        prepared.settle(
            &snapshot,
            request,
            decision.reason,
            is_allowed,
            seen.wall_ns,
        );
    }
    record_edits(guard, &snapshot, &facts, seen, decided_ns, edits);
    if context.is_probe || is_bookkeeping(&decision) {
        return outcome;
    }
    if outcome == Outcome::Allowed {
        let operation = request.operation;
        if let (OperationKind::Rename, Some(to)) = (operation.kind, operation.destination) {
            cache.note_move(&snapshot, preservation, operation.path, to);
        }
        names::note_allowed(guard, &snapshot, request, &facts, &decision, seen.wall_ns);
    }
    let (decision, outcome) = match delivery {
        AnswerResult::Accepted => (decision, outcome),
        AnswerResult::DeadlinePassed { denied } => after_deadline(&decision, denied),
    };
    let recorded = Recorded {
        decision: &decision,
        decided_ns,
        outcome,
        preservation: event,
    };
    record(guard, &request.operation, &facts, seen, recorded);
    outcome
}

/// What is recorded of a request.
#[derive(Clone, Copy)]
struct Recorded<'a> {
    decision: &'a Decision<'a>,
    /// Monotonic clock when it was decided.
    decided_ns: u64,
    outcome: Outcome,
    /// What was preserved before it, or could not be.
    preservation: Option<event::Preservation>,
}

fn decide<'s>(
    snapshot: &'s Snapshot,
    request: &Request<'_>,
    facts: &RequestFacts<'_>,
    wall_ns: u64,
) -> Decision<'s> {
    if request.is_truncated && snapshot.touches(&request.operation) {
        // The kernel truncated the path, and the rest of it is not known.
        return Decision::unresolved(facts.actor().attribution.may_be_agents());
    }
    decision::decide(snapshot, &request.operation, wall_ns, facts)
}

/// Whether this is an operation of a person's program on the guard's own files, above all the
/// exporter's writes to its logs. It is not recorded: each record would cause further writes.
fn is_bookkeeping(decision: &Decision<'_>) -> bool {
    decision.reason == Reason::Human && decision.zone.is_none()
}

/// The decision to record when the default answer was given before the decision's own.
fn after_deadline<'s>(decision: &Decision<'s>, denied: bool) -> (Decision<'s>, Outcome) {
    let (verdict, outcome) = if denied {
        (Verdict::Deny, Outcome::Denied)
    } else {
        // An operation that should have been denied proceeded: recorded like a denial.
        let late = match decision.verdict {
            Verdict::Allow => Verdict::Allow,
            _ => Verdict::Audit,
        };
        (late, Outcome::Allowed)
    };
    let reason = Reason::Deadline;
    (
        Decision {
            verdict,
            reason,
            ..*decision
        },
        outcome,
    )
}

/// Records what was done before contents changed. Edits are not judged, and have no other event.
fn record_edits(
    guard: &Guard,
    snapshot: &Snapshot,
    facts: &RequestFacts<'_>,
    seen: Timing,
    decided_ns: u64,
    edits: [Option<Edit<'_>>; 2],
) {
    for Edit { path, event } in edits.into_iter().flatten() {
        let operation = Operation {
            kind: OperationKind::Write,
            path,
            destination: None,
        };
        let recorded = Recorded {
            decision: &Decision {
                verdict: Verdict::Allow,
                reason: Reason::NotJudged,
                zone: snapshot.zone_of(path),
                override_id: None,
                tool: None,
                preserve: Preserve::IfPossible,
            },
            decided_ns,
            outcome: Outcome::Allowed,
            preservation: Some(event),
        };
        record(guard, &operation, facts, seen, recorded);
    }
}

fn record(
    guard: &Guard,
    operation: &Operation<'_>,
    facts: &RequestFacts<'_>,
    seen: Timing,
    recorded: Recorded<'_>,
) {
    let acting = &facts.request().acting;
    let (answer, errno) = match recorded.outcome {
        Outcome::Denied => (Answer::Denied, EPERM),
        Outcome::Allowed => (Answer::Continued, 0),
    };
    guard.record_decision(
        operation,
        recorded.decision,
        &Circumstances {
            process: ActingProcess {
                key: acting.key,
                ppid: acting.ppid,
                uid: acting.uid,
                executable: acting.executable,
                argv0: b"",
            },
            answer,
            errno,
            wall_ns: seen.wall_ns,
            received_ns: seen.monotonic_ns,
            decided_ns: recorded.decided_ns,
            deadline_left_ns: seen.deadline_left_ns,
            delivery_delay_us: Some(seen.delivery_delay_us),
            preservation: recorded.preservation,
        },
        facts,
    );
}

/// `EPERM`, the error of a denied operation; the same number on every system.
const EPERM: i32 = 1;
