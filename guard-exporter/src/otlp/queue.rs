//! A bounded queue between the reading thread, which never waits, and a batch processor, which does.
//!
//! It is bounded in items and in bytes. Pushing to a full queue is an error, so that the caller counts
//! what is dropped. The lock is held for one push or for taking one batch.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The queue.
#[derive(Debug)]
pub(super) struct Queue<T> {
    limits: Limits,
    state: Mutex<State<T>>,
    /// Notified when a batch is full, and when the queue is closed.
    changed: Condvar,
}

/// The limits of a queue and of its batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Items in the queue.
    pub(crate) items: usize,
    /// Bytes in the queue.
    pub(crate) bytes: usize,
    /// Items in a batch.
    pub(crate) batch: usize,
    /// How long an item waits for its batch to fill.
    pub(crate) delay: Duration,
}

/// The queue is full or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(usize, T)>,
    bytes: usize,
    /// When the oldest item was pushed.
    since: Option<Instant>,
    closed: bool,
}

// === impl Queue ===

impl<T> Queue<T> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::new(State {
                items: VecDeque::new(),
                bytes: 0,
                since: None,
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Pushes an item of so many bytes.
    pub(super) fn push(&self, bytes: usize, item: T) -> Result<(), Full> {
        let mut state = self.lock();
        let full = state.items.len() >= self.limits.items
            || state.bytes.saturating_add(bytes) > self.limits.bytes;
        if full || state.closed {
            return Err(Full);
        }
        state.items.push_back((bytes, item));
        state.bytes += bytes;
        let first = state.since.is_none();
        if first {
            state.since = Some(Instant::now());
        }
        let batch_is_full = state.items.len() == self.limits.batch;
        drop(state);
        // The first item sets the time at which the processor wakes by itself.
        if first || batch_is_full {
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Waits for the next batch: until it is full or its oldest item has waited long enough. `None`
    /// when the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<T>> {
        let mut state = self.lock();
        loop {
            let waited = state.since.map(|since| since.elapsed());
            let is_due = state.items.len() >= self.limits.batch
                || state.bytes >= MAX_BATCH_BYTES
                || waited.is_some_and(|waited| waited >= self.limits.delay);
            if state.closed || is_due {
                break;
            }
            state = match waited {
                Some(waited) => {
                    let rest = self.limits.delay.saturating_sub(waited);
                    let woken = self.changed.wait_timeout(state, rest);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
        state.batch(self.limits.batch)
    }

    /// Waits for this time, or until the queue is closed. Returns whether it is closed.
    pub(super) fn wait_closed(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut state = self.lock();
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            if state.closed || rest.is_zero() {
                return state.closed;
            }
            let woken = self.changed.wait_timeout(state, rest);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether a push now could fail.
    pub(super) fn is_full(&self) -> bool {
        let state = self.lock();
        state.items.len() >= self.limits.items || state.bytes >= self.limits.bytes / 8 * 7
    }

    /// Refuses further items; those in the queue can still be taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Removes all items. Returns how many there were.
    pub(super) fn clear(&self) -> usize {
        let mut state = self.lock();
        let count = state.items.len();
        state.items = VecDeque::new();
        state.bytes = 0;
        state.since = None;
        count
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl<T> State<T> {
    fn batch(&mut self, most: usize) -> Option<Vec<T>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < most
            && let Some((size, _)) = self.items.front()
            && (batch.is_empty() || bytes + size <= MAX_BATCH_BYTES)
            && let Some((size, item)) = self.items.pop_front()
        {
            bytes += size;
            batch.push(item);
        }
        self.bytes -= bytes;
        // Otherwise `since` stays: the remaining items have waited too and are due.
        if self.items.is_empty() {
            self.since = None;
            // Frees the memory of a burst.
            self.items = VecDeque::new();
        }
        (!batch.is_empty()).then_some(batch)
    }
}

/// Encoded as OTLP an item is about three times as long; collectors accept requests of 4 MiB.
const MAX_BATCH_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LIMITS: Limits = Limits {
        items: 4,
        bytes: 100,
        batch: 3,
        delay: Duration::from_secs(3600),
    };

    #[test]
    fn an_item_that_does_not_fit_is_refused() {
        let queue = Queue::new(LIMITS);
        for number in 0..4 {
            assert_eq!(queue.push(10, number), Ok(()));
        }
        assert_eq!(queue.push(10, 4), Err(Full), "too many");
        assert_eq!(queue.take(), Some(vec![0, 1, 2]));
        assert_eq!(queue.push(91, 5), Err(Full), "too large");
        assert_eq!(queue.push(90, 6), Ok(()));
        queue.close();
        assert_eq!(queue.push(0, 7), Err(Full), "closed");
        assert_eq!(queue.take(), Some(vec![3, 6]));
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn a_batch_is_due_when_full_or_old_or_at_the_end() {
        let queue = Queue::new(LIMITS);
        thread::scope(|scope| {
            let taken = scope.spawn(|| queue.take());
            for number in 0..3 {
                assert_eq!(queue.push(1, number), Ok(()));
            }
            assert_eq!(taken.join().unwrap(), Some(vec![0, 1, 2]), "full");
        });
        let prompt = Queue::new(Limits {
            delay: Duration::ZERO,
            ..LIMITS
        });
        thread::scope(|scope| {
            let taken = scope.spawn(|| prompt.take());
            assert_eq!(prompt.push(1, 7), Ok(()));
            assert_eq!(taken.join().unwrap(), Some(vec![7]), "old");
        });
        thread::scope(|scope| {
            assert_eq!(queue.push(1, 8), Ok(()));
            let taken = scope.spawn(|| (queue.take(), queue.take()));
            queue.close();
            assert_eq!(taken.join().unwrap(), (Some(vec![8]), None), "closed");
        });
    }

    #[test]
    fn batches_are_bounded_in_bytes_but_never_empty() {
        let queue = Queue::new(Limits {
            bytes: usize::MAX,
            ..LIMITS
        });
        queue.push(2 * MAX_BATCH_BYTES, 0).unwrap();
        queue.push(1, 1).unwrap();
        queue.close();
        assert_eq!(queue.take(), Some(vec![0]));
        assert_eq!(queue.take(), Some(vec![1]));
    }
}
