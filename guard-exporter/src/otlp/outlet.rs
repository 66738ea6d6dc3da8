//! The queue of one signal, as the reading thread sees it: open, or why nothing is queued.

use super::queue::Queue;
use crate::metrics::SignalMetrics;
use crate::notice;
use std::sync::Arc;

/// What becomes of one kind of items.
#[derive(Debug, Default)]
pub(super) enum Outlet<T> {
    /// They are not wanted.
    #[default]
    Closed,
    /// They are wanted, and cannot be sent.
    Blocked(SignalMetrics),
    /// They are queued.
    Open(Arc<Queue<T>>, SignalMetrics),
}

// === impl Outlet ===

impl<T> Outlet<T> {
    /// Queues an item of about so many bytes, or counts it as dropped.
    pub(super) fn offer(&self, size: usize, item: impl FnOnce() -> T) {
        match self {
            Self::Closed => {}
            Self::Blocked(metrics) => metrics.dropped.inc(),
            Self::Open(queue, metrics) => {
                // Before it can be taken, lest it be counted out first.
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
    pub(super) fn abandon(&self, what: &str) {
        let Self::Open(_, metrics) = self else {
            return;
        };
        let left = metrics.queued.get();
        if let Ok(items @ 1..) = u64::try_from(left) {
            metrics.dropped.inc_by(items);
            metrics.queued.sub(left);
            notice::warn(format_args!(
                "{items} {what} were not sent to the collector"
            ));
        }
    }
}

impl<T> Clone for Outlet<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Closed => Self::Closed,
            Self::Blocked(metrics) => Self::Blocked(metrics.clone()),
            Self::Open(queue, metrics) => Self::Open(Arc::clone(queue), metrics.clone()),
        }
    }
}
