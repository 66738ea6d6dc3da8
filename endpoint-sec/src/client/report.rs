//! Problems that a client reports, and its counters.

use crate::error::AnswerError;
use crate::event_type::EventType;
use std::sync::atomic::{AtomicU64, Ordering};

/// A problem, reported when it occurs.
///
/// The function that gets it ([`Builder::on_report`](crate::Builder::on_report)) may be called on
/// any thread, while messages wait: it should count or note, and return.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Report<'r> {
    /// The handler panicked. The message, if it was a request, got the default answer; the client
    /// continues.
    HandlerPanicked {
        /// What it was handling.
        event: EventType,
        /// The message of the panic, if it is text.
        panic: &'r str,
    },
    /// The handler, or the owner of a kept message, took too long, and the default answer was
    /// given.
    DeadlineNear {
        /// The event type of the request.
        event: EventType,
    },
    /// The handler dropped a request without an answer, and the default answer was given.
    Unanswered {
        /// The event type of the request.
        event: EventType,
    },
    /// The system refused a default answer.
    DefaultFailed {
        /// The event type of the request.
        event: EventType,
        /// Why.
        error: AnswerError,
    },
    /// The system dropped messages of a type, since this client was too slow to take them. What
    /// they were about was allowed, or denied under
    /// [`DeadlineMissMode::FailClosed`](crate::DeadlineMissMode::FailClosed).
    Dropped {
        /// Their type.
        event: EventType,
        /// How many.
        count: u64,
    },
    /// The library called the handler while it was running, which it documents not to do. The
    /// message got the default answer.
    Overlapped {
        /// What the message was about.
        event: EventType,
    },
    /// `es_delete_client` failed, which leaves its resources behind.
    DeleteFailed,
}

/// Counts since a client was started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Messages that reached the handler.
    pub delivered: u64,
    /// Messages that the system dropped, by the numbers that all messages have; from messages of
    /// version 4 on.
    pub dropped: u64,
    /// Default answers because the deadline was near.
    pub deadline_answers: u64,
    /// Default answers to requests that were dropped.
    pub unanswered: u64,
    /// Answers that came after the default answer.
    pub late_answers: u64,
    /// Answers that the system refused.
    pub failed_answers: u64,
    /// Panics of the handler.
    pub panics: u64,
}

/// The counters behind [`Statistics`].
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) delivered: Counter,
    pub(crate) dropped: Counter,
    pub(crate) deadline_answers: Counter,
    pub(crate) unanswered: Counter,
    pub(crate) late_answers: Counter,
    pub(crate) failed_answers: Counter,
    pub(crate) panics: Counter,
}

/// A number that only grows. Nothing else is ordered by it.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

// === impl Counter ===

impl Counter {
    pub(crate) const fn zero() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

// === impl Counters ===

impl Counters {
    pub(crate) fn read(&self) -> Statistics {
        Statistics {
            delivered: self.delivered.get(),
            dropped: self.dropped.get(),
            deadline_answers: self.deadline_answers.get(),
            unanswered: self.unanswered.get(),
            late_answers: self.late_answers.get(),
            failed_answers: self.failed_answers.get(),
            panics: self.panics.get(),
        }
    }
}
