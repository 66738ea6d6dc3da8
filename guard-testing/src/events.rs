//! Sample decisions.
//!
//! Tests change the fields that they are about: `DecisionEvent { verdict, ..events::DENIAL }`.

use guard_core::OperationKind;
use guard_core::event::{
    ActingProcess, DecisionEvent, Preservation, PreservationMethod, PreservationOutcome,
    TraceContext, ZoneRef,
};
use guard_core::process::ProcessKey;
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
