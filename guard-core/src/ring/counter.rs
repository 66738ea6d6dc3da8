//! The counters and gauges that a guard keeps beside its events.
//!
//! They are in the ring's header, so that they can be read without the guard's help and outlive it.
//! Counters only grow; gauges are set.

/// A counter or gauge. Its discriminant is its index in the header and never changes; the header has
/// room for [`MAX_COUNTERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Counter {
    /// Counter: operations that the backend received, before any decision.
    Notifications = 0,
    /// Counter: answers by which the guard performed the call for its caller.
    AnswersPerformed = 1,
    /// Counter: answers by which the kernel continued the caller's own call.
    AnswersContinued = 2,
    /// Counter: answers by which the guard refused.
    AnswersDenied = 3,
    /// Counter: decisions on a path that could not be resolved.
    PathsUnresolved = 4,
    /// Counter: answers given after the kernel's deadline.
    DeadlineMisses = 5,
    /// Counter: events that the kernel reported as dropped.
    KernelEventsDropped = 6,
    /// Counter: denied attempts on the guard's own files and processes.
    ProtectedWritesDenied = 7,
    /// Gauge: 1 while operations are judged, else 0.
    EnforcementActive = 8,
    /// Gauge: processes in the lineage table.
    LineageEntries = 9,
    /// Counter: live processes evicted from the full lineage table.
    LineageEvictions = 10,
    /// Gauge: agents alive.
    ActiveAgents = 11,
    /// Counter: policies read and put in force.
    PolicyReloads = 12,
    /// Counter: policies that could not be read; the last good one stayed in force.
    PolicyReloadFailures = 13,
    /// Gauge: 1 if the policy in force is the file's, 0 if the last reload failed.
    PolicyOk = 14,
    /// Gauge: 1 in audit mode, 0 in enforce mode.
    PolicyAudit = 15,
    /// Gauge: when the policy in force was read, wall clock nanoseconds.
    PolicyLoadedNs = 16,
    /// Gauge: the first 8 bytes of a digest of the policy in force.
    PolicyRevision = 17,
    /// Gauge: protected zones.
    Zones = 18,
    /// Gauge: temporary overrides in force.
    Overrides = 19,
    /// Counter: events with a field beyond its bound; see
    /// [`FIELD_BOUNDS`](crate::event::FIELD_BOUNDS). Kept by the ring itself.
    EventsCut = 20,
    /// Counter: nanoseconds between the kernel's event and its receipt by the backend, summed over
    /// all operations; divided by `Notifications` it is the mean.
    DeliveryDelayNs = 21,
    /// Gauge: the longest such delay since the guard started, nanoseconds.
    LongestDeliveryDelayNs = 22,
    /// Counter: panics in the guard's code, each answered as the policy answers at a deadline.
    Panics = 23,
    /// Counter: denials whose process had a malformed trace context.
    MalformedTraces = 24,
    /// Gauge: 1 if the policy wants losses preserved and the session has no undo store, else 0.
    UndoUnavailable = 25,
    /// Gauge: bytes of all sessions in the undo store.
    UndoStoreBytes = 26,
    /// Gauge: objects of all sessions in the undo store, as of the last sweep.
    UndoStoreFiles = 27,
    /// Gauge: the most bytes that the undo store may have.
    UndoStoreLimitBytes = 28,
    /// Counter: sessions that this guard's sweeper evicted from the undo store.
    UndoEvictedSessions = 29,
    /// Counter: bytes that it evicted.
    UndoEvictedBytes = 30,
    /// Counter: times a person restored something. A restore has a ring of its own.
    UndoRestores = 31,
    /// Counter: files that were restored, put beside a newer one, or moved back.
    UndoRestoredFiles = 32,
    /// Gauge: requests that wait for a person.
    OpenRequests = 33,
    /// Gauge: when the oldest of them was made, wall clock nanoseconds; 0 when there is none.
    OldestRequestNs = 34,
}

/// The capacity of a ring's header for counters.
pub const MAX_COUNTERS: usize = 64;

// === impl Counter ===

impl Counter {
    /// All counters, in the order of their numbers.
    pub const ALL: [Self; 35] = [
        Self::Notifications,
        Self::AnswersPerformed,
        Self::AnswersContinued,
        Self::AnswersDenied,
        Self::PathsUnresolved,
        Self::DeadlineMisses,
        Self::KernelEventsDropped,
        Self::ProtectedWritesDenied,
        Self::EnforcementActive,
        Self::LineageEntries,
        Self::LineageEvictions,
        Self::ActiveAgents,
        Self::PolicyReloads,
        Self::PolicyReloadFailures,
        Self::PolicyOk,
        Self::PolicyAudit,
        Self::PolicyLoadedNs,
        Self::PolicyRevision,
        Self::Zones,
        Self::Overrides,
        Self::EventsCut,
        Self::DeliveryDelayNs,
        Self::LongestDeliveryDelayNs,
        Self::Panics,
        Self::MalformedTraces,
        Self::UndoUnavailable,
        Self::UndoStoreBytes,
        Self::UndoStoreFiles,
        Self::UndoStoreLimitBytes,
        Self::UndoEvictedSessions,
        Self::UndoEvictedBytes,
        Self::UndoRestores,
        Self::UndoRestoredFiles,
        Self::OpenRequests,
        Self::OldestRequestNs,
    ];
}

const _: () = assert!(Counter::ALL.len() <= MAX_COUNTERS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_indices() {
        for (number, counter) in (0u8..).zip(Counter::ALL) {
            assert_eq!(counter as u8, number);
        }
    }
}
