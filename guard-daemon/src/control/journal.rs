//! The steps of requests as events of the guard's ring, from where they reach the log, metrics and traces.

use super::peer::Peer;
use guard_control::protocol::{RequestStatus, State};
use guard_core::event::{RequestEvent, RequestStep, TraceContext};
use guard_core::guard::Guard;
use guard_core::path::is_at_or_below;
use guard_core::process::ProcessDescription;
use guard_core::ring::{Counter, Lane};
use guard_report::time::parse;
use std::collections::HashMap;

/// What went before a request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cause {
    /// How often the path, or something below it, was denied, as far as the ring remembers.
    pub(super) denials: u64,
    /// The number of the latest of these.
    denial: Option<u64>,
    denial_is_traced: bool,
    /// The trace of that denial, else of the asking process.
    trace: Option<TraceContext>,
}

/// Publishes steps.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Of each request that may still have steps: what went before it, and the number of its first event.
    known: HashMap<String, (Cause, u64)>,
}

// === impl Cause ===

impl Cause {
    /// Of a request of this path by this process.
    pub(super) fn of(path: &str, peer: Peer, guard: &Guard) -> Self {
        let mut cause = Self::default();
        let mut ring = guard.ring.reader();
        while let Some(event) = ring.next(Lane::Deny) {
            if is_at_or_below(event.path, path.as_bytes()) {
                cause.denials += 1;
                cause.denial = Some(event.sequence);
                cause.denial_is_traced = event.trace.is_some();
                cause.trace = event.trace;
            }
        }
        if cause.trace.is_none() {
            cause.trace = trace_of(peer, guard);
        }
        cause
    }
}

/// The trace that a process says it is part of.
fn trace_of(peer: Peer, guard: &Guard) -> Option<TraceContext> {
    let mut process = ProcessDescription::default();
    guard.source().describe(peer.pid, &mut process).ok()?;
    let mut variables = process.environment.split(|&byte| byte == 0);
    let value = variables.find_map(|variable| variable.strip_prefix(b"TRACEPARENT="));
    TraceContext::carried(value).ok().flatten()
}

// === impl Journal ===

impl Journal {
    /// Publishes that somebody asks.
    pub(super) fn requested(
        &mut self,
        request: &RequestStatus,
        cause: Cause,
        guard: &Guard,
        now_ns: u64,
    ) {
        let number = publish(
            RequestStep::Requested,
            request,
            (cause, None),
            guard,
            now_ns,
        );
        self.known.insert(request.id.clone(), (cause, number));
    }

    /// Publishes a later step.
    pub(super) fn step(
        &mut self,
        step: RequestStep,
        request: &RequestStatus,
        guard: &Guard,
        now_ns: u64,
    ) {
        let known = self.known.get(&request.id).copied();
        let (cause, number) = known.unzip();
        let cause = cause.unwrap_or_default();
        publish(step, request, (cause, number), guard, now_ns);
        if !matches!(step, RequestStep::Granted | RequestStep::Used) {
            self.known.remove(&request.id);
        }
    }
}

fn publish(
    step: RequestStep,
    request: &RequestStatus,
    (cause, number): (Cause, Option<u64>),
    guard: &Guard,
    now_ns: u64,
) -> u64 {
    let ns = |time: &Option<String>| parse(time.as_deref()?).ok();
    let asked_ns = parse(&request.asked).unwrap_or(now_ns);
    let is_answer = matches!(step, RequestStep::Granted | RequestStep::Rejected);
    let because = match step {
        RequestStep::Rejected => &request.answer,
        _ => &request.because,
    };
    guard.ring.publish_request(&RequestEvent {
        sequence: 0,
        wall_ns: now_ns,
        step,
        id: &request.id,
        agent: request.agent.as_deref(),
        session: request.session.as_bytes(),
        path: request.path.as_bytes(),
        operations: &request.op.join("+"),
        because: because.as_deref(),
        by: request.answered_by.as_deref(),
        pid: request.pid,
        expires_ns: ns(&request.expires_at),
        wait_ns: is_answer.then(|| now_ns.saturating_sub(asked_ns)),
        once: request.once,
        uses: request.uses,
        denials: cause.denials,
        denial: cause.denial,
        denial_is_traced: cause.denial_is_traced,
        request: number,
        trace: cause.trace,
    })
}

/// Shows in the ring's header how many requests wait, and since when.
pub(super) fn show_open(requests: &[RequestStatus], guard: &Guard) {
    let open = requests
        .iter()
        .filter(|request| request.state == State::Open);
    let oldest = open
        .clone()
        .filter_map(|request| parse(&request.asked).ok())
        .min();
    let count = u64::try_from(open.count()).unwrap_or(u64::MAX);
    guard.ring.set(Counter::OpenRequests, count);
    guard
        .ring
        .set(Counter::OldestRequestNs, oldest.unwrap_or(0));
}
