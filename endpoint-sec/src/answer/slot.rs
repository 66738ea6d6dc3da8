//! The right to answer a message: either its owner takes it or the deadline watchdog, never both.
//!
//! ```text
//!              arm                 claim (owner)
//!   Settled ─────────▶ Armed ───────────────────────▶ Settled
//!                        │ ▲
//!      expire (watchdog) │ │ it was not due after all
//!                        ▼ │
//!                     Expiring ── the default was given ──▶ Expired ── arm ──▶ Armed
//! ```
//!
//! An owner that finds `Expiring` waits: the watchdog is reading the message, which the owner may
//! be about to free. The wait is as long as one answer takes.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// The right to answer one message.
pub(crate) struct Slot {
    /// One of the constants below. Owner and watchdog take the right by compare-and-swap.
    state: AtomicU8,
    /// When the watchdog is to answer, in ticks. Written by the owner before it arms.
    due: AtomicU64,
}

impl Slot {
    /// A slot with nothing to answer.
    pub(crate) const fn idle() -> Self {
        Self {
            state: AtomicU8::new(SETTLED),
            due: AtomicU64::new(u64::MAX),
        }
    }

    /// There is a message to answer, by `due` at the latest. For the owner, once the last message's
    /// right was taken.
    pub(crate) fn arm(&self, due: u64) {
        self.due.store(due, Ordering::Relaxed);
        // SYNC POINT: pairs with `expire` (what the owner wrote before is seen after taking the
        // slot), and with `Alarm`: a watchdog that does not see it here is seen sleeping there.
        self.state.store(ARMED, Ordering::SeqCst);
    }

    /// Takes the right to answer; false if it was taken before.
    pub(crate) fn claim(&self) -> bool {
        loop {
            match self.state.compare_exchange_weak(
                ARMED,
                SETTLED,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return true,
                Err(ARMED) => {}
                Err(EXPIRING) => std::thread::yield_now(),
                Err(_) => return false,
            }
        }
    }

    /// When the watchdog is to answer; `None` if there is nothing to answer.
    pub(crate) fn due(&self) -> Option<u64> {
        let armed = self.state.load(Ordering::SeqCst) == ARMED;
        armed.then(|| self.due.load(Ordering::Relaxed))
    }

    /// Calls `answer` if the message is not answered and `now` is not before the time. For the
    /// watchdog.
    pub(crate) fn expire(&self, now: u64, answer: impl FnOnce()) {
        /// Ends the expiry, even if `answer` unwinds: the owner waits for it.
        struct Ending<'s>(&'s Slot, u8);

        impl Drop for Ending<'_> {
            fn drop(&mut self) {
                // SYNC POINT: pairs with `claim`: the owner goes on only after all reading here.
                self.0.state.store(self.1, Ordering::Release);
            }
        }

        let taken =
            self.state
                .compare_exchange(ARMED, EXPIRING, Ordering::AcqRel, Ordering::Relaxed);
        if taken.is_err() {
            return;
        }
        // Only now is it certain which message this is: between reading `due` and here the slot
        // may have been settled and armed again.
        if self.due.load(Ordering::Relaxed) > now {
            drop(Ending(self, ARMED));
            return;
        }
        let ending = Ending(self, EXPIRED);
        answer();
        drop(ending);
    }
}

/// Nothing to answer, or the owner took the right.
const SETTLED: u8 = 0;
/// To be answered.
const ARMED: u8 = 1;
/// The watchdog is answering.
const EXPIRING: u8 = 2;
/// The watchdog has answered.
const EXPIRED: u8 = 3;

#[cfg(test)]
mod tests {
    use super::Slot;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn the_owner_or_the_watchdog_but_not_both() {
        const ROUNDS: u64 = if cfg!(miri) { 50 } else { 20_000 };
        let slot = Slot::idle();
        let expired = AtomicU32::new(0);
        let finished = AtomicU32::new(0);
        let mut claimed = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while finished.load(Ordering::Relaxed) == 0 {
                    slot.expire(u64::MAX, || {
                        expired.fetch_add(1, Ordering::Relaxed);
                    });
                }
            });
            for round in 0..ROUNDS {
                slot.arm(round);
                if round % 3 == 0 {
                    std::thread::yield_now();
                }
                claimed += u64::from(slot.claim());
                assert_eq!(slot.due(), None, "a claimed slot is not armed");
            }
            finished.store(1, Ordering::Relaxed);
        });
        assert_eq!(claimed + u64::from(expired.into_inner()), ROUNDS);
    }

    #[test]
    fn nothing_expires_before_its_time() {
        let slot = Slot::idle();
        slot.expire(u64::MAX, || panic!("there is nothing to answer"));
        slot.arm(10);
        assert_eq!(slot.due(), Some(10));
        slot.expire(9, || panic!("it is not time yet"));
        assert!(slot.claim());
        assert!(!slot.claim());
        slot.arm(10);
        let mut answered = false;
        slot.expire(10, || answered = true);
        assert!(answered);
        assert!(!slot.claim());
    }

    #[test]
    fn an_answer_that_panics_does_not_hold_the_owner() {
        let slot = Slot::idle();
        slot.arm(0);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            slot.expire(0, || panic!("while answering"));
        }));
        assert!(panicked.is_err());
        assert!(!slot.claim());
    }
}
