//! One decision, as it is told to the world.
//!
//! A [`DecisionEvent`] borrows everything: it is built on the stack of the deciding thread, copied
//! into a ring by [`Producer::publish`](crate::ring::Producer::publish), and lent out again by
//! [`Reader`](crate::ring::Reader). Bytes that came from the kernel (paths, names) stay bytes.
//!
//! In a ring an event is a byte string, described and written by `encode.rs`; no field is ever cut
//! silently, see [`FIELD_BOUNDS`].

mod decode;
mod encode;
mod trace;

pub use decode::DecodeEventError;
pub use encode::{FIELD_BOUNDS, MAX_DELIVERY_DELAY_US, MAX_ENCODED_BYTES};
pub(crate) use encode::{GROUP_BYTES, Plan, Sink};
pub use trace::MalformedTrace;

use crate::operation::OperationKind;
use crate::process::ProcessKey;
use crate::verdict::{Answer, Reason, Verdict};

/// One decision. Times are nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionEvent<'a> {
    /// Number within the ring's lane, from 0, dense. Given by the ring; ignored when published.
    pub sequence: u64,
    /// Wall clock (Unix epoch) when the verdict was reached.
    pub wall_ns: u64,
    /// Monotonic clock when the verdict was reached.
    pub monotonic_ns: u64,
    /// From the backend's first sight of the operation to the verdict.
    pub latency_ns: u64,
    /// What was left until the kernel's deadline, where the platform has one.
    pub deadline_left_ns: Option<u64>,
    /// From the kernel's notice of the operation to the backend's first sight of it, microseconds,
    /// where the platform tells. What is longer than [`MAX_DELIVERY_DELAY_US`] is told as that.
    pub delivery_delay_us: Option<u32>,
    /// What was asked.
    pub operation: OperationKind,
    /// What was answered.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// How the answer was carried out.
    pub answer: Answer,
    /// What the caller got: 0 for success, else an errno. For
    /// [`Answer::Continued`] always 0: the guard does not see the kernel's result.
    pub errno: u32,
    /// Stable label of the agent in the actor's lineage (`claude_code`, `custom:NAME`, …).
    pub agent: Option<&'a str>,
    /// The name by which the agent was recognised (`claude`); the log's `ancestor`.
    pub ancestor: Option<&'a [u8]>,
    /// The agent's process id.
    pub agent_pid: Option<u32>,
    /// The agent's own session id, else the guard session's.
    pub session: &'a [u8],
    /// The acting process.
    pub process: ActingProcess<'a>,
    /// The object's canonical path.
    pub path: &'a [u8],
    /// Where it would go.
    pub destination: Option<&'a [u8]>,
    /// The zone that is touched.
    pub zone: Option<ZoneRef<'a>>,
    /// The trusted tool that allowed it, by its policy name.
    pub tool: Option<&'a [u8]>,
    /// The override that allowed it.
    pub override_id: Option<&'a str>,
    /// Trace context from the acting process's `TRACEPARENT`; read for denials only.
    pub trace: Option<TraceContext>,
}

/// The process that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActingProcess<'a> {
    /// Its identity.
    pub key: ProcessKey,
    /// Its parent's process id.
    pub ppid: u32,
    /// Its real user id.
    pub uid: u32,
    /// Path of its executable image.
    pub executable: &'a [u8],
    /// Its `argv[0]`, first 4,096 bytes.
    pub argv0: &'a [u8],
}

/// A zone, by its configured name and its canonical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneRef<'a> {
    /// The name the policy gives it, else its last component.
    pub name: &'a str,
    /// Its canonical path.
    pub path: &'a [u8],
}

/// A W3C trace context (`00-<trace id>-<span id>-<flags>`), already validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// 16 bytes, not all zero.
    pub trace_id: [u8; 16],
    /// 8 bytes, not all zero.
    pub span_id: [u8; 8],
    /// Trace flags; bit 0 is "sampled".
    pub flags: u8,
}
