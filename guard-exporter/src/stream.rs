//! Telling what happens to whoever listens, without ever waiting for a listener.
//!
//! Each subscriber has a queue of its own, bounded in messages and in bytes. To a full queue nothing
//! is added: the message is counted as dropped, for that subscriber and in
//! `guard_exporter_event_drops_total`, and the subscriber hears how many it missed once it reads on.

use crate::metrics::StreamMetrics;
use axum::body::Bytes;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// Where messages go out.
#[derive(Debug)]
pub struct Stream {
    subscribers: Mutex<Vec<Subscriber>>,
    metrics: StreamMetrics,
}

/// One listener's end. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    messages: mpsc::Receiver<Bytes>,
    account: Arc<Account>,
    metrics: StreamMetrics,
}

/// As many listen as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_SUBSCRIBERS} listen already")]
pub struct TooManySubscribers;

/// What a subscriber reads next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A message.
    Message(Bytes),
    /// So many messages did not fit into its queue.
    Missed(u64),
}

/// Listeners at one time.
pub const MAX_SUBSCRIBERS: usize = 16;
/// Messages in one queue.
pub const MAX_QUEUED: usize = 1024;
/// Bytes in one queue.
pub const MAX_QUEUED_BYTES: usize = 512 * 1024;

#[derive(Debug)]
struct Subscriber {
    messages: mpsc::Sender<Bytes>,
    account: Arc<Account>,
}

/// What both ends of a queue know.
#[derive(Debug, Default)]
struct Account {
    /// The publisher adds, the subscriber takes away. Only a bound hangs on it, so no ordering
    /// does.
    queued_bytes: AtomicUsize,
    /// The publisher adds, the subscriber takes all. A number, so no ordering hangs on it.
    missed: AtomicU64,
}

// === impl Stream ===

impl Stream {
    /// Nobody listens yet.
    #[must_use]
    pub fn new(metrics: StreamMetrics) -> Self {
        Self {
            subscribers: Mutex::default(),
            metrics,
        }
    }

    /// Does `keep`, then hands `message` to all that have room for it. Who begins to listen does so
    /// before both or after both.
    pub fn publish(&self, keep: impl FnOnce(), message: impl FnOnce() -> Bytes) {
        let mut subscribers = self.subscribers();
        keep();
        if subscribers.is_empty() {
            return;
        }
        let message = message();
        subscribers.retain(|subscriber| {
            let sent = subscriber.send(&message);
            if let Err(mpsc::error::TrySendError::Full(())) = sent {
                subscriber.account.missed.fetch_add(1, Ordering::Relaxed);
                self.metrics.drops.inc();
            }
            !matches!(sent, Err(mpsc::error::TrySendError::Closed(())))
        });
    }

    /// Does `catch_up` and listens from then on: nothing that is published falls between them, and
    /// nothing is in both.
    ///
    /// # Errors
    ///
    /// [`TooManySubscribers`]
    pub fn subscribe<T>(
        &self,
        catch_up: impl FnOnce() -> T,
    ) -> Result<(Subscription, T), TooManySubscribers> {
        let mut subscribers = self.subscribers();
        subscribers.retain(|subscriber| !subscriber.messages.is_closed());
        if subscribers.len() >= MAX_SUBSCRIBERS {
            return Err(TooManySubscribers);
        }
        let (sender, messages) = mpsc::channel(MAX_QUEUED);
        let account = Arc::new(Account::default());
        subscribers.push(Subscriber {
            messages: sender,
            account: Arc::clone(&account),
        });
        self.metrics.clients.inc();
        let subscription = Subscription {
            messages,
            account,
            metrics: self.metrics.clone(),
        };
        Ok((subscription, catch_up()))
    }

    fn subscribers(&self) -> MutexGuard<'_, Vec<Subscriber>> {
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Subscriber ===

impl Subscriber {
    fn send(&self, message: &Bytes) -> Result<(), mpsc::error::TrySendError<()>> {
        let queued = &self.account.queued_bytes;
        if queued.load(Ordering::Relaxed) + message.len() > MAX_QUEUED_BYTES {
            return Err(if self.messages.is_closed() {
                mpsc::error::TrySendError::Closed(())
            } else {
                mpsc::error::TrySendError::Full(())
            });
        }
        // Before it can be taken, lest the taker subtract first.
        queued.fetch_add(message.len(), Ordering::Relaxed);
        self.messages.try_send(message.clone()).map_err(|error| {
            queued.fetch_sub(message.len(), Ordering::Relaxed);
            match error {
                mpsc::error::TrySendError::Full(_) => mpsc::error::TrySendError::Full(()),
                mpsc::error::TrySendError::Closed(_) => mpsc::error::TrySendError::Closed(()),
            }
        })
    }
}

// === impl Subscription ===

impl Subscription {
    /// What comes next, as soon as it is there; `None` when nothing will come any more. What was
    /// missed is told at once, before what is still queued: else one who never catches up would
    /// never hear of it.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Next>> {
        let missed = self.account.missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            return Poll::Ready(Some(Next::Missed(missed)));
        }
        let Some(message) = ready!(self.messages.poll_recv(context)) else {
            return Poll::Ready(None);
        };
        let queued = &self.account.queued_bytes;
        queued.fetch_sub(message.len(), Ordering::Relaxed);
        Poll::Ready(Some(Next::Message(message)))
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
    use std::task::Waker;

    fn next(subscription: &mut Subscription) -> Poll<Option<Next>> {
        subscription.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    fn stream() -> Stream {
        Stream::new(Metrics::new().stream)
    }

    fn listen(stream: &Stream) -> Subscription {
        stream.subscribe(|| ()).unwrap().0
    }

    fn publish(stream: &Stream, message: &Bytes) {
        stream.publish(|| (), || message.clone());
    }

    #[test]
    fn one_that_does_not_read_harms_no_other() {
        let stream = stream();
        let mut slow = listen(&stream);
        let mut quick = listen(&stream);
        let message = Bytes::from_static(b"message");
        let more = 10;
        for _ in 0..MAX_QUEUED + more {
            publish(&stream, &message);
            assert_eq!(
                next(&mut quick),
                Poll::Ready(Some(Next::Message(message.clone())))
            );
        }
        assert_eq!(stream.metrics.drops.get(), more as u64);
        assert_eq!(
            next(&mut slow),
            Poll::Ready(Some(Next::Missed(more as u64)))
        );
        for _ in 0..MAX_QUEUED {
            assert_eq!(
                next(&mut slow),
                Poll::Ready(Some(Next::Message(message.clone())))
            );
        }
        assert_eq!(next(&mut slow), Poll::Pending);
        publish(&stream, &message);
        assert_eq!(next(&mut slow), Poll::Ready(Some(Next::Message(message))));
    }

    #[test]
    fn queues_are_bounded_in_bytes_too() {
        let stream = stream();
        let mut slow = listen(&stream);
        let message = Bytes::from(vec![b'x'; 30_000]);
        for _ in 0..100 {
            publish(&stream, &message);
        }
        let fit = MAX_QUEUED_BYTES / message.len();
        let missed = 100 - fit as u64;
        assert_eq!(next(&mut slow), Poll::Ready(Some(Next::Missed(missed))));
        for _ in 0..fit {
            assert_eq!(
                next(&mut slow),
                Poll::Ready(Some(Next::Message(message.clone())))
            );
        }
        assert_eq!(next(&mut slow), Poll::Pending);
    }

    #[test]
    fn who_leaves_makes_room() {
        let stream = stream();
        let all: Vec<_> = (0..MAX_SUBSCRIBERS).map(|_| listen(&stream)).collect();
        assert_eq!(stream.subscribe(|| ()).unwrap_err(), TooManySubscribers);
        assert_eq!(stream.metrics.clients.get(), 16);
        drop(all);
        drop(listen(&stream));
        publish(&stream, &Bytes::from_static(b"x"));
        assert!(
            stream.subscribers().is_empty(),
            "the dropped one is forgotten"
        );
    }
}
