//! The event of one decision.
//!
//! A [`DecisionEvent`] borrows everything: it is built on the stack of the deciding thread, copied
//! into a ring by [`Producer::publish`](crate::ring::Producer::publish), and lent by
//! [`Reader`](crate::ring::Reader). Bytes from the kernel (paths, names) stay bytes.
//!
//! In a ring an event is a byte string in the format that `encode.rs` describes. No field is
//! shortened silently, see [`FIELD_BOUNDS`].

mod decode;
mod encode;
mod preservation;
mod request;
mod trace;

pub use decode::DecodeEventError;
pub(crate) use encode::{Encoding, GROUP_BYTES, GroupSink};
pub use encode::{FIELD_BOUNDS, MAX_DELIVERY_DELAY_US, MAX_ENCODED_BYTES};
pub use preservation::{
    ChangeKind, MAX_PRESERVATION_NUMBER, Preservation, PreservationMethod, PreservationOutcome,
    UnpreservedCause,
};
pub use request::{BY_POLICY, REQUEST_FIELD_BOUNDS, RequestEvent, RequestStep};
pub use trace::MalformedTrace;

use crate::operation::OperationKind;
use crate::process::ProcessKey;
use crate::verdict::{Answer, Reason, Verdict};

/// One decision. Times are nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionEvent<'a> {
    /// Number within the ring's lane, from 0 without gaps. Given by the ring; ignored when published.
    pub sequence: u64,
    /// Wall clock (Unix epoch) when the verdict was reached.
    pub wall_ns: u64,
    /// Monotonic clock when the verdict was reached.
    pub monotonic_ns: u64,
    /// From the receipt of the operation by the backend to the verdict. Preserving follows the
    /// verdict: see [`Preservation::duration_ns`].
    pub latency_ns: u64,
    /// Time left until the kernel's deadline, where the platform has one.
    pub deadline_left_ns: Option<u64>,
    /// From the kernel's event to its receipt by the backend, microseconds, where the platform
    /// reports it. At most [`MAX_DELIVERY_DELAY_US`]: a longer delay is encoded as that.
    pub delivery_delay_us: Option<u32>,
    /// The kind of operation.
    pub operation: OperationKind,
    /// The verdict.
    pub verdict: Verdict,
    /// Its reason.
    pub reason: Reason,
    /// How the answer was carried out.
    pub answer: Answer,
    /// The error that the caller got; 0 for none. Always 0 for [`Answer::Continued`]: the guard does
    /// not see the kernel's result.
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
    /// The second path, if the operation has one.
    pub destination: Option<&'a [u8]>,
    /// The zone that is touched.
    pub zone: Option<ZoneRef<'a>>,
    /// The trusted tool that allowed it, by its policy name.
    pub tool: Option<&'a [u8]>,
    /// The override that allowed it.
    pub override_id: Option<&'a str>,
    /// What was, or was to be, preserved before the operation. `None` if nothing had to be.
    pub preservation: Option<Preservation>,
    /// Trace context from the acting process's `TRACEPARENT`; for denials only.
    pub trace: Option<TraceContext>,
}

/// The acting process.
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
    /// Its name in the policy, else its last component.
    pub name: &'a str,
    /// Its canonical path.
    pub path: &'a [u8],
}

/// A valid W3C trace context (`00-<trace id>-<span id>-<flags>`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// 16 bytes, not all zero.
    pub trace_id: [u8; 16],
    /// 8 bytes, not all zero.
    pub span_id: [u8; 8],
    /// Trace flags; bit 0 is "sampled".
    pub flags: u8,
}

// === impl DecisionEvent ===

impl DecisionEvent<'_> {
    /// What the operation did to an object that was, or was to be, preserved; `None` if nothing was
    /// to be preserved, or the operation was denied.
    #[must_use]
    pub fn change(&self) -> Option<ChangeKind> {
        let preservation = self.preservation.as_ref()?;
        (self.verdict != Verdict::Deny).then(|| ChangeKind::of(self.operation, preservation))
    }
}
