//! The queue of one signal as the reading thread sees it, with its metrics.

use super::queue::Queue;
use crate::metrics::SignalMetrics;
use std::sync::Arc;

/// Where the items of one signal go.
#[derive(Debug, Default)]
pub(super) enum SignalQueue<T> {
    /// The signal is not sent.
    #[default]
    Disabled,
    /// The signal is wanted and cannot be sent; its items are counted as dropped.
    Unusable(SignalMetrics),
    Open(Arc<Queue<T>>, SignalMetrics),
}

// === impl SignalQueue ===

impl<T> SignalQueue<T> {
    /// Queues an item of about `size` bytes, or counts it as dropped.
    pub(super) fn push(&self, size: usize, item: impl FnOnce() -> T) {
        match self {
            Self::Disabled => {}
            Self::Unusable(metrics) => metrics.dropped.inc(),
            Self::Open(queue, metrics) => {
                // Counted before the item can be taken and subtracted again.
                metrics.queued.inc();
                if queue.push(size, item()).is_err() {
                    metrics.dropped.inc();
                    metrics.queued.dec();
                }
            }
        }
    }

    pub(super) fn close(&self) {
        if let Self::Open(queue, _) = self {
            queue.close();
        }
    }

    /// Counts what is still queued as dropped.
    pub(super) fn abandon(&self, items: &str) {
        let Self::Open(_, metrics) = self else {
            return;
        };
        let left = metrics.queued.get();
        if let Ok(count @ 1..) = u64::try_from(left) {
            metrics.dropped.inc_by(count);
            metrics.queued.sub(left);
            tracing::warn!("{count} {items} were not sent to the collector");
        }
    }
}

impl<T> Clone for SignalQueue<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Disabled => Self::Disabled,
            Self::Unusable(metrics) => Self::Unusable(metrics.clone()),
            Self::Open(queue, metrics) => Self::Open(Arc::clone(queue), metrics.clone()),
        }
    }
}
