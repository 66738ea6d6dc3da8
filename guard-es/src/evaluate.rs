//! From one request to its verdict, its answer and its record.
//!
//! The order is: decide, answer, record. The kernel blocks the caller until the answer, so nothing
//! slow may come before it. The arguments and the trace context of a denied caller, two system
//! calls, are read afterwards. The answer is a closure, so that the order is visible in one place.

use crate::facts::{RequestContext, RequestFacts};
use crate::names;
use crate::request::Request;
use guard_core::actor::FactSource as _;
use guard_core::decision::{self, Decision};
use guard_core::event::ActingProcess;
use guard_core::guard::{Circumstances, Guard};
use guard_core::policy::Snapshot;
use guard_core::verdict::Answer;
use guard_core::{Reason, Verdict};

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

/// Evaluates a request: decides, calls `answer`, and records. `monotonic` reads the clock.
pub(crate) fn evaluate(
    guard: &Guard,
    request: Request<'_>,
    seen: Timing,
    context: RequestContext,
    monotonic: &dyn Fn() -> u64,
    answer: impl FnOnce(Outcome) -> AnswerResult,
) -> Outcome {
    let snapshot = guard.policy.load();
    let Some(request) = request.relevant_under(&snapshot) else {
        answer(Outcome::Allowed);
        return Outcome::Allowed;
    };
    let request = &request;
    let facts = RequestFacts::new(guard, request, seen.wall_ns, context);
    let decision = decide(&snapshot, request, &facts, seen.wall_ns);
    let decided_ns = monotonic();
    let outcome = if decision.verdict == Verdict::Deny {
        Outcome::Denied
    } else {
        Outcome::Allowed
    };
    let delivery = answer(outcome);
    if context.is_probe || is_bookkeeping(&decision) {
        return outcome;
    }
    if outcome == Outcome::Allowed {
        names::note_allowed(guard, &snapshot, request, &facts, &decision, seen.wall_ns);
    }
    let (decision, outcome) = match delivery {
        AnswerResult::Accepted => (decision, outcome),
        AnswerResult::DeadlinePassed { denied } => after_deadline(&decision, denied),
    };
    record(guard, request, &decision, &facts, seen, decided_ns, outcome);
    outcome
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

fn record(
    guard: &Guard,
    request: &Request<'_>,
    decision: &Decision<'_>,
    facts: &RequestFacts<'_>,
    seen: Timing,
    decided_ns: u64,
    outcome: Outcome,
) {
    let acting = &request.acting;
    let (answer, errno) = match outcome {
        Outcome::Denied => (Answer::Denied, EPERM),
        Outcome::Allowed => (Answer::Continued, 0),
    };
    guard.record_decision(
        &request.operation,
        decision,
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
            decided_ns,
            deadline_left_ns: seen.deadline_left_ns,
            delivery_delay_us: Some(seen.delivery_delay_us),
            preservation: None,
        },
        facts,
    );
}

/// `EPERM`, the error of a denied operation; the same number on every system.
const EPERM: i32 = 1;
