//! Events for unit tests.

use guard_core::OperationKind;
use guard_core::event::{ActingProcess, DecisionEvent, TraceContext, ZoneRef};
use guard_core::process::ProcessKey;
use guard_core::verdict::{Answer, Reason, Verdict};

/// A denial with every field set.
pub(crate) fn denial(sequence: u64) -> DecisionEvent<'static> {
    DecisionEvent {
        sequence,
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
        trace: Some(TraceContext {
            trace_id: *b"\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c",
            span_id: *b"\xb7\xad\x6b\x71\x69\x20\x33\x31",
            flags: 1,
        }),
    }
}
