//! Delivers events to subscribers without ever waiting for one.
//!
//! Each subscriber has its own queue, bounded in events and in bytes. An event that does not fit is
//! dropped for that subscriber, counted in `guard_exporter_event_drops_total`, and reported to the
//! subscriber as a number of missed events when it reads on.
//!
//! Events are typed; whoever serves a subscriber decides how they are written.

use crate::detect::Detection;
use crate::metrics::StreamMetrics;
use crate::recent::LoggedDecision;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// The publishing end.
#[derive(Debug)]
pub struct Stream {
    subscribers: Mutex<Vec<Subscriber>>,
    metrics: StreamMetrics,
}

/// A subscriber's end. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    events: mpsc::Receiver<Event>,
    account: Arc<Account>,
    metrics: StreamMetrics,
}

/// No further subscriber is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_SUBSCRIBERS} clients are subscribed already")]
pub struct TooManySubscribers;

/// One event.
#[derive(Clone, Debug)]
pub enum Event {
    Denial(Arc<LoggedDecision>),
    Detection(Arc<Detection>),
}

/// What a subscriber reads next.
#[derive(Clone, Debug)]
pub enum Next {
    Event(Event),
    /// This many events did not fit into the subscriber's queue.
    Missed(u64),
}

/// Subscribers at one time.
pub const MAX_SUBSCRIBERS: usize = 16;
/// Events in one queue.
pub const MAX_QUEUED: usize = 1024;
/// Bytes that the events in one queue keep in memory.
pub const MAX_QUEUED_BYTES: usize = 512 * 1024;

#[derive(Debug)]
struct Subscriber {
    events: mpsc::Sender<Event>,
    account: Arc<Account>,
}

/// Shared by both ends of a queue.
#[derive(Debug, Default)]
struct Account {
    /// The publisher adds, the subscriber subtracts. It is only compared with a bound, so relaxed
    /// ordering is enough.
    queued_bytes: AtomicUsize,
    /// The publisher adds, the subscriber takes all. A plain number, so relaxed ordering is enough.
    missed: AtomicU64,
}

/// Why an event was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotSent {
    Full,
    Closed,
}

// === impl Stream ===

impl Stream {
    #[must_use]
    pub fn new(metrics: StreamMetrics) -> Self {
        Self {
            subscribers: Mutex::default(),
            metrics,
        }
    }

    /// Runs `keep`, then queues `event` for all subscribers that have room. A subscription begins
    /// either before both or after both.
    pub fn publish(&self, event: &Event, keep: impl FnOnce()) {
        let mut subscribers = self.lock();
        keep();
        subscribers.retain(|subscriber| match subscriber.send(event) {
            Ok(()) => true,
            Err(NotSent::Closed) => false,
            Err(NotSent::Full) => {
                subscriber.account.missed.fetch_add(1, Ordering::Relaxed);
                self.metrics.drops.inc();
                true
            }
        });
    }

    /// Runs `catch_up` and subscribes: every event is either seen by `catch_up` or delivered to the
    /// subscription, and none is in both.
    ///
    /// # Errors
    ///
    /// [`TooManySubscribers`]
    pub fn subscribe<T>(
        &self,
        catch_up: impl FnOnce() -> T,
    ) -> Result<(Subscription, T), TooManySubscribers> {
        let mut subscribers = self.lock();
        subscribers.retain(|subscriber| !subscriber.events.is_closed());
        if subscribers.len() >= MAX_SUBSCRIBERS {
            return Err(TooManySubscribers);
        }
        let (sender, events) = mpsc::channel(MAX_QUEUED);
        let account = Arc::new(Account::default());
        subscribers.push(Subscriber {
            events: sender,
            account: Arc::clone(&account),
        });
        self.metrics.clients.inc();
        let subscription = Subscription {
            events,
            account,
            metrics: self.metrics.clone(),
        };
        Ok((subscription, catch_up()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Subscriber>> {
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Event ===

impl Event {
    /// The memory that the event keeps alive, approximately.
    fn size(&self) -> usize {
        match self {
            Self::Denial(denial) => size_of::<LoggedDecision>() + denial.line.len(),
            Self::Detection(detection) => {
                size_of::<Detection>() + detection.path.len() + detection.session.len()
            }
        }
    }
}

// === impl Subscriber ===

impl Subscriber {
    fn send(&self, event: &Event) -> Result<(), NotSent> {
        if self.events.is_closed() {
            return Err(NotSent::Closed);
        }
        let size = event.size();
        let queued = &self.account.queued_bytes;
        if queued.load(Ordering::Relaxed) + size > MAX_QUEUED_BYTES {
            return Err(NotSent::Full);
        }
        // Added before the subscriber can take the event and subtract its size.
        queued.fetch_add(size, Ordering::Relaxed);
        self.events.try_send(event.clone()).map_err(|error| {
            queued.fetch_sub(size, Ordering::Relaxed);
            match error {
                mpsc::error::TrySendError::Full(_) => NotSent::Full,
                mpsc::error::TrySendError::Closed(_) => NotSent::Closed,
            }
        })
    }
}

// === impl Subscription ===

impl Subscription {
    /// The next event; `None` when no more will come. Missed events are reported before those still
    /// queued: a subscriber that never catches up would otherwise never learn of them.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Next>> {
        let missed = self.account.missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            return Poll::Ready(Some(Next::Missed(missed)));
        }
        let Some(event) = ready!(self.events.poll_recv(context)) else {
            return Poll::Ready(None);
        };
        let queued = &self.account.queued_bytes;
        queued.fetch_sub(event.size(), Ordering::Relaxed);
        Poll::Ready(Some(Next::Event(event)))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.metrics.clients.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use guard_testing::events::denial;
    use std::task::Waker;

    fn next(subscription: &mut Subscription) -> Poll<Option<Next>> {
        subscription.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    fn stream() -> Stream {
        Stream::new(Metrics::new().stream)
    }

    fn subscribe(stream: &Stream) -> Subscription {
        stream.subscribe(|| ()).unwrap().0
    }

    fn event(line: &str) -> Event {
        Event::Denial(Arc::new(LoggedDecision::new(&denial(0), line)))
    }

    fn is_event(next: &Poll<Option<Next>>) -> bool {
        matches!(next, Poll::Ready(Some(Next::Event(Event::Denial(_)))))
    }

    fn missed(next: &Poll<Option<Next>>) -> u64 {
        match next {
            Poll::Ready(Some(Next::Missed(count))) => *count,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_subscriber_that_does_not_read_harms_no_other() {
        let stream = stream();
        let mut slow = subscribe(&stream);
        let mut quick = subscribe(&stream);
        let event = event("line");
        let more = 10;
        for _ in 0..MAX_QUEUED + more {
            stream.publish(&event, || ());
            assert!(is_event(&next(&mut quick)));
        }
        assert_eq!(stream.metrics.drops.get(), more as u64);
        assert_eq!(missed(&next(&mut slow)), more as u64);
        for _ in 0..MAX_QUEUED {
            assert!(is_event(&next(&mut slow)));
        }
        assert!(next(&mut slow).is_pending());
        stream.publish(&event, || ());
        assert!(is_event(&next(&mut slow)));
    }

    #[test]
    fn queues_are_bounded_in_bytes() {
        let stream = stream();
        let mut slow = subscribe(&stream);
        let event = event(&"x".repeat(30_000));
        for _ in 0..100 {
            stream.publish(&event, || ());
        }
        let fit = MAX_QUEUED_BYTES / event.size();
        assert_eq!(missed(&next(&mut slow)), 100 - fit as u64);
        for _ in 0..fit {
            assert!(is_event(&next(&mut slow)));
        }
        assert!(next(&mut slow).is_pending());
    }

    #[test]
    fn a_subscriber_that_leaves_makes_room() {
        let stream = stream();
        let all: Vec<_> = (0..MAX_SUBSCRIBERS).map(|_| subscribe(&stream)).collect();
        assert_eq!(stream.subscribe(|| ()).unwrap_err(), TooManySubscribers);
        assert_eq!(stream.metrics.clients.get(), 16);
        drop(all);
        drop(subscribe(&stream));
        stream.publish(&event("line"), || ());
        assert!(stream.lock().is_empty(), "the dropped one is removed");
    }
}
