//! The handler of the enforcement client.
//!
//! The library calls it for one message at a time, on a thread of its own. For an allowed operation
//! it allocates nothing, takes no lock and makes no system call, except where [`crate::facts`] says
//! so, and where an agent's operation takes something that is preserved ([`crate::preserving`]).

use crate::evaluate::{AnswerResult, Outcome, Rules, Timing, evaluate};
use crate::facts::{RequestContext, RequestFacts};
use crate::names;
use crate::open_cache::{OpenCache, is_open_to_all};
use crate::preserving;
use crate::probe::Probe;
use crate::reading::{self, created, key_of, request};
use crate::request::PathBuffer;
use endpoint_sec::event::Event;
use endpoint_sec::{Answer, AnswerError, AuthResult, Clock, Message, MessageView, OpenFlags};
use guard_core::OperationKind;
use guard_core::guard::SharedGuard;
use guard_core::policy::OnDeadline;
use guard_core::process::ProcessKey;
use guard_core::ring::Counter;
use guard_undo::Preservation;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Answers requests.
pub(crate) struct Enforcement {
    guard: SharedGuard,
    probe: Arc<Probe>,
    clock: Clock,
    path_buffer: PathBuffer,
    /// Whether lineage is recorded by another client.
    lineage_is_async: bool,
    rules: EnforcementRules,
    cache: Arc<OpenCache>,
}

/// What holds besides the policy, for as long as the guard runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct EnforcementRules {
    /// The guard's own programs, which are always allowed.
    pub(crate) exempt: Vec<ProcessKey>,
    /// Where what agents take is preserved.
    pub(crate) preservation: Preservation,
    /// Canonical paths of directories, among the guard's own files, that agents may not even read.
    pub(crate) unreadable: Vec<Vec<u8>>,
}

// === impl Enforcement ===

impl Enforcement {
    pub(crate) fn new(
        guard: SharedGuard,
        probe: Arc<Probe>,
        lineage_is_async: bool,
        rules: EnforcementRules,
        cache: Arc<OpenCache>,
    ) -> Self {
        Self {
            guard,
            probe,
            clock: Clock::system(),
            path_buffer: PathBuffer::default(),
            lineage_is_async,
            rules,
            cache,
        }
    }

    /// Handles one message: answers a request, and remembers what agents create.
    pub(crate) fn handle(&mut self, message: Message<'_>) {
        let now = self.clock.now();
        let view = message.view();
        self.guard.ring.add(Counter::Notifications, 1);
        let delivery_delay_us = self.note_delay(&view, now);
        if self.is_own(&view) {
            send_answer(message, Outcome::Allowed, &self.guard);
            return;
        }
        if view.is_notify() {
            self.note_names(&view);
            return;
        }
        let message = match message {
            Message::Open(open) if self.may_cache(&view) => {
                // A late answer changes nothing: the default is not cached.
                let _late = open.allow_flags_cached(OpenFlags::ALL);
                return;
            }
            other => other,
        };
        let unreadable = &self.rules.unreadable;
        let Some(request) = request(&view, unreadable, &mut self.path_buffer) else {
            // The request is for nothing that could destroy anything.
            send_answer(message, Outcome::Allowed, &self.guard);
            return;
        };
        let is_probe = request.operation.kind == OperationKind::Unlink
            && self.probe.is_attempt(request.operation.path);
        let deadline = view.deadline();
        let seen = Timing {
            wall_ns: wall_ns(),
            monotonic_ns: nanoseconds(&self.clock, now),
            deadline_left_ns: (deadline != 0)
                .then(|| nanoseconds(&self.clock, deadline.saturating_sub(now))),
            delivery_delay_us,
        };
        let (guard, clock, probe) = (&self.guard, &self.clock, &self.probe);
        let monotonic = || nanoseconds(clock, clock.now());
        let context = RequestContext {
            is_probe,
            lineage_is_async: self.lineage_is_async,
        };
        let preservation = &self.rules.preservation;
        let rules = Rules {
            preservation,
            cache: &self.cache,
        };
        evaluate(
            guard,
            rules,
            request,
            seen,
            context,
            &monotonic,
            |outcome| {
                if is_probe && outcome == Outcome::Denied {
                    probe.note_denial();
                }
                send_answer(message, outcome, guard)
            },
        );
    }

    /// Whether the answer to an open may be cached.
    fn may_cache(&self, view: &MessageView<'_>) -> bool {
        match view.event() {
            Event::Open(open) => {
                self.cache.note_use();
                let snapshot = self.guard.policy.load();
                is_open_to_all(&snapshot, &self.rules.preservation, &open.file())
            }
            _ => false,
        }
    }

    /// Whether the acting process is exempt.
    fn is_own(&self, view: &MessageView<'_>) -> bool {
        // Most guards exempt no program, and read no token here.
        let is = |own: &ProcessKey| *own == key_of(view.process().audit_token());
        self.rules.exempt.iter().any(is)
    }

    /// Records how long the kernel took to deliver the message, and returns it in microseconds.
    fn note_delay(&self, view: &MessageView<'_>, now: u64) -> u32 {
        let ticks = now.saturating_sub(view.mach_time());
        let delay_ns = nanoseconds(&self.clock, ticks);
        self.guard.ring.add(Counter::DeliveryDelayNs, delay_ns);
        self.guard
            .ring
            .raise(Counter::LongestDeliveryDelayNs, delay_ns);
        u32::try_from(delay_ns / 1000).unwrap_or(u32::MAX)
    }

    /// Reports the name that an operation created.
    fn note_names(&mut self, view: &MessageView<'_>) {
        let context = RequestContext {
            is_probe: false,
            lineage_is_async: self.lineage_is_async,
        };
        let guard = &self.guard;
        let result = view.outcome().and_then(|outcome| outcome.auth());
        if result != Some(AuthResult::Allow) {
            return;
        }
        if let Some((request, object)) = created(view) {
            if !request.is_truncated {
                let now_ns = wall_ns();
                let facts = RequestFacts::new(guard, &request, now_ns, context);
                names::note_creation(guard, object, &facts);
                let snapshot = guard.policy.load();
                preserving::note_made(&self.rules.preservation, &snapshot, &facts, now_ns);
            }
            return;
        }
        let Some(request) = request(view, &[], &mut self.path_buffer) else {
            return;
        };
        let facts = RequestFacts::new(guard, &request, wall_ns(), context);
        match (request.operation.kind, request.operation.destination) {
            _ if request.is_truncated => {}
            (OperationKind::Clone, Some(path)) => {
                names::note_clone(guard, path, reading::nanoseconds(view.time()), &facts);
            }
            (OperationKind::Link, Some(to)) => names::note_link(guard, to, wall_ns(), &facts),
            _ => {}
        }
    }
}

/// Answers a message. The kernel does not cache the answer: a verdict depends on the acting process
/// and on a policy that changes.
fn send_answer(message: Message<'_>, outcome: Outcome, guard: &SharedGuard) -> AnswerResult {
    let answer = match outcome {
        Outcome::Allowed => Answer::Allow,
        Outcome::Denied => Answer::Deny,
    };
    match message.answer(answer) {
        Err(AnswerError::TooLate) => AnswerResult::DeadlinePassed {
            denied: guard.policy.load().on_deadline() == OnDeadline::Deny,
        },
        // After any other error the message cannot be answered any more; the client counts it.
        _ => AnswerResult::Accepted,
    }
}

fn nanoseconds(clock: &Clock, ticks: u64) -> u64 {
    u64::try_from(clock.duration(ticks).as_nanos()).unwrap_or(u64::MAX)
}

/// Wall clock nanoseconds.
pub(crate) fn wall_ns() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
