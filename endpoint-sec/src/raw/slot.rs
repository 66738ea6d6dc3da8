//! The message that is in the handler, as far as the deadline watchdog must know it.

use crate::answer::slot::Slot;
use crate::message::MessageView;
use endpoint_sec_sys::es_message_t;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// Where the handler's thread shows its current message to the watchdog.
///
/// The message may be gone as soon as the handler has returned; [`watch`](Self::watch) does not
/// return before it is no longer read.
pub(crate) struct Current {
    slot: Slot,
    /// Written by the handler's thread before it arms the slot, read by the watchdog after it took
    /// an armed slot (`Slot::arm` pairs with `Slot::expire`).
    message: AtomicPtr<es_message_t>,
    /// Whether a message is shown: there is room for one.
    is_taken: AtomicBool,
}

impl Current {
    pub(crate) const fn new() -> Self {
        Self {
            slot: Slot::idle(),
            message: AtomicPtr::new(ptr::null_mut()),
            is_taken: AtomicBool::new(false),
        }
    }

    /// Runs `body` while the watchdog may answer `message` once `due` is past. Returns what `body`
    /// returned, and whether the message was left without any answer.
    ///
    /// # Panics
    ///
    /// If it is called while it runs: there is room for one message, the one in the handler.
    pub(crate) fn watch<R>(
        &self,
        message: MessageView<'_>,
        due: u64,
        body: impl FnOnce() -> R,
    ) -> (R, bool) {
        /// Takes the message back, even if `body` unwinds.
        struct Shown<'c>(&'c Current);

        impl Drop for Shown<'_> {
            fn drop(&mut self) {
                self.0.slot.claim();
                self.0.is_taken.store(false, Ordering::Release);
            }
        }

        self.message
            .store(message.as_ptr().as_ptr(), Ordering::Relaxed);
        self.slot.arm(due);
        let shown = Shown(self);
        let result = body();
        let left = self.slot.claim();
        drop(shown);
        (result, left)
    }

    /// Takes the right to answer the message; false if someone else took it.
    pub(crate) fn claim(&self) -> bool {
        self.slot.claim()
    }

    /// When the watchdog is to answer; `None` if there is nothing to answer.
    pub(crate) fn due(&self) -> Option<u64> {
        self.slot.due()
    }

    /// Calls `answer` with the message if it is not answered and `now` is not before its time.
    pub(crate) fn expire(&self, now: u64, answer: impl FnOnce(MessageView<'_>)) {
        self.slot.expire(now, || {
            let Some(at) = NonNull::new(self.message.load(Ordering::Relaxed)) else {
                return;
            };
            // SAFETY: `at` is the message that `watch` stored before it armed the slot, and no
            // other `watch` can store another one before it is settled (`is_taken`). While this
            // closure runs the slot is taken, and `watch` waits in `claim` before it returns, even
            // when it unwinds: the message, which outlives `watch`, is there until the end of this
            // closure, and the view cannot leave it.
            answer(unsafe { MessageView::from_ptr(at) });
        });
    }
}
