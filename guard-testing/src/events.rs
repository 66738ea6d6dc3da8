//! Sample decisions.
//!
//! Tests change the fields that they are about: `DecisionEvent { verdict, ..events::DENIAL }`.

use guard_core::OperationKind;
use guard_core::event::{
    ActingProcess, DecisionEvent, Preservation, PreservationMethod, PreservationOutcome,
    RequestEvent, RequestStep, TraceContext, ZoneRef,
};
use guard_core::process::ProcessKey;
use guard_core::ring::{Counter, Producer};
use guard_core::verdict::{Answer, Reason, Verdict};

/// An agent moves a file out of a protected project and is refused. Every field that such an event
/// can have has a value.
pub const DENIAL: DecisionEvent<'static> = DecisionEvent {
    sequence: 0,
    wall_ns: 1_718_000_000_000_000_042,
    monotonic_ns: 5,
    latency_ns: 12_500,
    deadline_left_ns: None,
    delivery_delay_us: None,
    operation: OperationKind::Rename,
    verdict: Verdict::Deny,
    reason: Reason::AgentInZone,
    answer: Answer::Denied,
    errno: 1,
    agent: Some("claude_code"),
    ancestor: Some(b"claude"),
    agent_pid: Some(41),
    session: b"s-1",
    process: ActingProcess {
        key: ProcessKey {
            pid: 42,
            generation: 977,
        },
        ppid: 41,
        uid: 1000,
        executable: b"/usr/bin/mv",
        argv0: b"mv",
    },
    path: b"/home/u/project/main.rs",
    destination: Some(b"/tmp/main.rs"),
    zone: Some(ZoneRef {
        name: "project",
        path: b"/home/u/project",
    }),
    tool: None,
    override_id: None,
    preservation: None,
    trace: Some(TraceContext {
        trace_id: *b"\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c",
        span_id: *b"\xb7\xad\x6b\x71\x69\x20\x33\x31",
        flags: 1,
    }),
};

/// A person removes a file that no zone has.
pub const ALLOWED: DecisionEvent<'static> = DecisionEvent {
    latency_ns: 900,
    operation: OperationKind::Unlink,
    verdict: Verdict::Allow,
    reason: Reason::OutsideZones,
    answer: Answer::Performed,
    errno: 0,
    agent: None,
    ancestor: None,
    agent_pid: None,
    process: ActingProcess {
        executable: b"/usr/bin/rm",
        argv0: b"rm",
        ..DENIAL.process
    },
    path: b"/home/u/project/target/main.o",
    destination: None,
    zone: None,
    trace: None,
    ..DENIAL
};

/// An agent's tool replaces a file of a protected project, which is preserved.
pub const CHANGE: DecisionEvent<'static> = DecisionEvent {
    operation: OperationKind::Unlink,
    verdict: Verdict::Allow,
    reason: Reason::TrustedTool,
    answer: Answer::Performed,
    errno: 0,
    process: ActingProcess {
        executable: b"/usr/bin/git",
        argv0: b"",
        ..DENIAL.process
    },
    destination: None,
    tool: Some(b"git"),
    preservation: Some(Preservation {
        outcome: PreservationOutcome::Preserved(PreservationMethod::Hardlink),
        bytes: 4096,
        bytes_after: None,
        duration_ns: 21_000,
    }),
    trace: None,
    ..DENIAL
};

/// [`DENIAL`] with this number.
#[must_use]
pub const fn denial(sequence: u64) -> DecisionEvent<'static> {
    DecisionEvent { sequence, ..DENIAL }
}

/// An agent asks for a path of the same project, after two denials.
pub const REQUEST: RequestEvent<'static> = RequestEvent {
    sequence: 0,
    wall_ns: 1_718_000_001_000_000_000,
    step: RequestStep::Requested,
    id: "0011aa-1",
    agent: Some("codex"),
    session: b"0011aabb",
    path: b"/home/u/project/old",
    operations: "unlink+rename",
    because: Some("replaced by new"),
    by: None,
    pid: 42,
    expires_ns: None,
    wait_ns: None,
    once: false,
    uses: 0,
    denials: 2,
    denial: None,
    denial_is_traced: false,
    request: None,
    trace: None,
};

/// Publishes a request that waits since some minutes, and one that a person granted.
pub fn publish_requests(ring: &Producer, now_ns: u64) {
    let waiting = RequestEvent {
        wall_ns: now_ns.saturating_sub(200_000_000_000),
        ..REQUEST
    };
    let asked = RequestEvent {
        id: "0011aa-0",
        path: b"/home/u/project/build.old",
        ..waiting
    };
    let number = ring.publish_request(&asked);
    ring.publish_request(&RequestEvent {
        wall_ns: asked.wall_ns + 42_000_000_000,
        step: RequestStep::Granted,
        request: Some(number),
        wait_ns: Some(42_000_000_000),
        by: Some("user 1000 (pid 4242)"),
        ..asked
    });
    ring.publish_request(&waiting);
    ring.set(Counter::OpenRequests, 1);
    ring.set(Counter::OldestRequestNs, waiting.wall_ns);
}
