//! The count of a detection, which grows while what was detected goes on.
//!
//! The detector writes it with each operation; whoever shows the detection reads it. So the last count of
//! an `rm -rf` of 400 files is 400, though it was reported at 200.

use super::operation_count::OperationCount;
use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Allowed and denied operations. A clone is the same count.
#[derive(Clone, Debug, Default)]
pub struct LiveCount(Arc<Counts>);

/// Written by the reading thread alone. Nothing else is published with them, so no order is needed.
#[derive(Debug, Default)]
struct Counts {
    allowed: AtomicU64,
    denied: AtomicU64,
    /// The time they span, if that is counted.
    seconds: AtomicU64,
}

// === impl LiveCount ===

impl LiveCount {
    /// So many operations within so many seconds.
    #[must_use]
    pub fn new(count: u64, denied: u64, seconds: u64) -> Self {
        let live = Self::default();
        live.set(OperationCount { count, denied }, seconds);
        live
    }

    pub(super) fn set(&self, counted: OperationCount, seconds: u64) {
        let OperationCount { count, denied } = counted;
        let allowed = count.saturating_sub(denied);
        self.0.allowed.store(allowed, Ordering::Relaxed);
        self.0.denied.store(denied, Ordering::Relaxed);
        self.0.seconds.store(seconds, Ordering::Relaxed);
    }

    /// All operations until now.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.allowed().saturating_add(self.denied())
    }

    /// Those that were not denied.
    #[must_use]
    pub fn allowed(&self) -> u64 {
        self.0.allowed.load(Ordering::Relaxed)
    }

    #[must_use]
    pub fn denied(&self) -> u64 {
        self.0.denied.load(Ordering::Relaxed)
    }

    /// The time that the operations of a mass deletion span, at most.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.0.seconds.load(Ordering::Relaxed)
    }

    /// Whether both count the same operations.
    #[must_use]
    pub fn is_of_the_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// By value.
impl PartialEq for LiveCount {
    fn eq(&self, other: &Self) -> bool {
        let parts = |count: &Self| (count.allowed(), count.denied(), count.seconds());
        parts(self) == parts(other)
    }
}

impl Eq for LiveCount {}

impl Serialize for LiveCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Once: a count that grows meanwhile is not below its part.
        let (allowed, denied) = (self.allowed(), self.denied());
        let mut object = serializer.serialize_struct("LiveCount", 2)?;
        object.serialize_field("count", &allowed.saturating_add(denied))?;
        object.serialize_field("denied", &denied)?;
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_shows_what_was_counted_since() {
        let live = LiveCount::new(200, 199, 10);
        let shown = live.clone();
        let grown = OperationCount {
            count: 400,
            denied: 397,
        };
        live.set(grown, 12);
        assert_eq!(
            (shown.count(), shown.allowed(), shown.denied()),
            (400, 3, 397)
        );
        assert!(shown.is_of_the_same(&live) && shown.seconds() == 12);
        let another = LiveCount::new(400, 397, 12);
        assert!(another == live && !another.is_of_the_same(&live));
        let json = serde_json::to_string(&live).unwrap();
        assert_eq!(json, r#"{"count":400,"denied":397}"#);
    }
}
