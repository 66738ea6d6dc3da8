//! What a client, its handles and its messages share.

use crate::answer::slot::Slot;
use crate::answer::{Answer, Reply};
use crate::client::alarm::Alarm;
use crate::client::report::{Counters, Report};
use crate::client::sequence::Drops;
use crate::clock::Clock;
use crate::deadline::Budget;
use crate::error::AnswerError;
use crate::message::MessageView;
use crate::raw::connection::Connection;
use crate::raw::message::Retained;
use crate::raw::slot::Current;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The function that gets [`Report`]s.
pub(crate) type Observer = Box<dyn Fn(Report<'_>) + Send + Sync>;

/// The shared part of a client.
pub(crate) struct Core {
    pub(crate) connection: Connection,
    pub(crate) alarm: Alarm,
    pub(crate) counters: Counters,
    pub(crate) drops: Drops,
    pub(crate) clock: Clock,
    /// The message that is in the handler.
    pub(crate) current: Current,
    /// The messages that were kept and not answered yet.
    kept: Mutex<Vec<Arc<Kept>>>,
    default_answer: Answer,
    budget: Budget,
    observer: Option<Observer>,
}

/// A request that was kept beyond the handler's return.
pub(crate) struct Kept {
    pub(crate) message: Retained,
    slot: Slot,
    /// Its index in the list of kept messages. Read and written under their lock.
    place: AtomicUsize,
}

// === impl Core ===

impl Core {
    pub(crate) fn new(default_answer: Answer, budget: Budget, observer: Option<Observer>) -> Self {
        Self {
            connection: Connection::closed(),
            alarm: Alarm::new(),
            counters: Counters::default(),
            drops: Drops::none(),
            clock: Clock::system(),
            current: Current::new(),
            kept: Mutex::new(Vec::new()),
            default_answer,
            budget,
            observer,
        }
    }

    /// Calls the observer, if there is one, and catches its panic.
    pub(crate) fn report(&self, report: Report<'_>) {
        if let Some(observer) = &self.observer {
            drop(catch_unwind(AssertUnwindSafe(|| observer(report))));
        }
    }

    /// When the default answer to a message with this deadline is given. A deadline of zero is
    /// none: the system has not set one.
    pub(crate) fn due(&self, deadline: u64) -> u64 {
        if deadline == 0 {
            return u64::MAX;
        }
        let now = self.clock.now();
        let left = self.clock.duration(deadline.saturating_sub(now));
        now.saturating_add(self.clock.ticks(self.budget.of(left)))
    }

    /// Answers; counts an answer that the system refuses. The caller must have the right to.
    pub(crate) fn respond(
        &self,
        message: MessageView<'_>,
        reply: Reply,
        cache: bool,
    ) -> Result<(), AnswerError> {
        let result = self.connection.respond(message, reply, cache);
        if result.is_err() {
            self.counters.failed_answers.add(1);
        }
        result
    }

    /// Gives the default answer, never cached. The caller must have the right to.
    pub(crate) fn default(&self, message: MessageView<'_>) {
        let event = message.event_type();
        if let Err(error) = self.plain(message, self.default_answer, false) {
            self.report(Report::DefaultFailed { event, error });
        }
    }

    /// Answers in the form that the event type wants. For a type that this crate does not know, in
    /// the usual form, and if the system refuses that, in the other one.
    pub(crate) fn plain(
        &self,
        message: MessageView<'_>,
        answer: Answer,
        cache: bool,
    ) -> Result<(), AnswerError> {
        let event = message.event_type();
        if event.is_answered_by_flags() {
            return self.respond(message, Reply::Flags(answer.to_flags()), cache);
        }
        let first = self.connection.respond(message, Reply::Auth(answer), cache);
        match first {
            Err(AnswerError::EventType) if !event.is_auth() => {
                self.respond(message, Reply::Flags(answer.to_flags()), cache)
            }
            Err(error) => {
                self.counters.failed_answers.add(1);
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Counts a request that was not answered, and gives the default answer.
    pub(crate) fn unanswered(&self, message: MessageView<'_>) {
        self.counters.unanswered.add(1);
        self.default(message);
        let event = message.event_type();
        self.report(Report::Unanswered { event });
    }

    /// Counts an answer that came after the default one.
    pub(crate) fn too_late(&self) -> AnswerError {
        self.counters.late_answers.add(1);
        AnswerError::TooLate
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Arc<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message, with the right to answer it if the caller has that.
    pub(crate) fn keep(&self, message: Retained, may_answer: bool) -> Arc<Kept> {
        let due = self.due(message.view().deadline());
        let kept = Arc::new(Kept {
            message,
            slot: Slot::idle(),
            place: AtomicUsize::new(usize::MAX),
        });
        if may_answer {
            {
                let mut all = self.kept();
                kept.place.store(all.len(), Ordering::Relaxed);
                all.push(Arc::clone(&kept));
            }
            kept.slot.arm(due);
            self.alarm.armed(due);
        }
        kept
    }

    /// Takes the right to answer a kept message; false if someone else took it.
    pub(crate) fn claim(&self, kept: &Kept) -> bool {
        let claimed = kept.slot.claim();
        self.forget(kept);
        claimed
    }

    /// Takes a message off the list of those to be watched.
    fn forget(&self, kept: &Kept) {
        let mut all = self.kept();
        let place = kept.place.swap(usize::MAX, Ordering::Relaxed);
        if place == usize::MAX {
            return;
        }
        let forgotten = all.swap_remove(place);
        if let Some(moved) = all.get(place) {
            moved.place.store(place, Ordering::Relaxed);
        }
        // The last reference may be dropped here, and with it the message: not under the lock.
        drop(all);
        drop(forgotten);
    }

    /// Answers everything that is due.
    pub(crate) fn answer_due(&self, now: u64) {
        self.expire(now, &|message| {
            self.counters.deadline_answers.add(1);
            self.default(message);
            let event = message.event_type();
            self.report(Report::DeadlineNear { event });
        });
    }

    /// Answers everything, before the client is deleted.
    pub(crate) fn answer_all(&self) {
        self.expire(u64::MAX, &|message| self.unanswered(message));
    }

    fn expire(&self, now: u64, answer: &dyn Fn(MessageView<'_>)) {
        self.current.expire(now, answer);
        let due: Vec<Arc<Kept>> = self
            .kept()
            .iter()
            .filter(|kept| kept.slot.due().is_some_and(|due| due <= now))
            .map(Arc::clone)
            .collect();
        for kept in due {
            kept.slot.expire(now, || answer(kept.message.view()));
            self.forget(&kept);
        }
    }

    /// When the next answer is due.
    pub(crate) fn next_due(&self) -> u64 {
        let kept = self.kept();
        let kept = kept.iter().filter_map(|kept| kept.slot.due());
        kept.chain(self.current.due()).min().unwrap_or(u64::MAX)
    }
}

/// The message of a panic.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is not text")
}
