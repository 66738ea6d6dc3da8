//! How often something happened, and when that is worth a report.

/// A count of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OperationCount {
    pub(super) count: u64,
    /// How many of them were denied.
    pub(super) denied: u64,
}

// === impl OperationCount ===

impl OperationCount {
    /// Counts one more.
    pub(super) fn add(&mut self, is_denied: bool) {
        self.count += 1;
        self.denied += u64::from(is_denied);
    }
}

/// Whether `count` is `first` times a power of ten.
pub(super) const fn is_reported_at(count: u64, first: u64) -> bool {
    let mut reported = first;
    while reported < count {
        reported = reported.saturating_mul(10);
    }
    reported == count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenfold_is_reported() {
        let reported: Vec<u64> = (0..6000)
            .filter(|&count| is_reported_at(count, 5))
            .collect();
        assert_eq!(reported, [5, 50, 500, 5000]);
    }
}
