//! Wakes the watchdog in time, but not for every message.
//!
//! The watchdog sleeps until the earliest time it knows of. A thread that arms a slot wakes it only
//! if the new time is earlier. The time that the watchdog knows of is usually that of a message
//! that was answered long ago, so it wakes once in a deadline, finds a later time, and sleeps
//! again.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// When the watchdog wakes.
pub(crate) struct Alarm {
    /// Written by the watchdog before it reads all slots a last time and sleeps; read by the thread
    /// that armed a slot.
    wakes_at: AtomicU64,
    /// Set by the thread that wakes the watchdog, cleared by the watchdog.
    is_rung: AtomicBool,
    is_stopped: AtomicBool,
    watchdog: OnceLock<Thread>,
}

impl Alarm {
    pub(crate) const fn new() -> Self {
        Self {
            wakes_at: AtomicU64::new(u64::MAX),
            is_rung: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
            watchdog: OnceLock::new(),
        }
    }

    /// Makes the calling thread the one that is woken.
    pub(crate) fn own(&self) {
        let _earlier = self.watchdog.set(thread::current());
    }

    /// To be called when a slot was armed.
    pub(crate) fn armed(&self, due: u64) {
        // SYNC POINT: pairs with `sleep`. Both sides write, then read what the other wrote, all
        // sequentially consistent: either this sees the time the watchdog is about to sleep to, or
        // the watchdog's last read sees the armed slot.
        if due < self.wakes_at.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Stops the watchdog.
    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }

    fn wake(&self) {
        self.is_rung.store(true, Ordering::SeqCst);
        if let Some(watchdog) = self.watchdog.get() {
            watchdog.unpark();
        }
    }

    /// Sleeps until `next`, the earliest time that the watchdog saw, or until woken. `earliest`
    /// reads the earliest time again, `left` returns how long it is until then.
    pub(crate) fn sleep(
        &self,
        next: u64,
        earliest: impl FnOnce() -> u64,
        left: impl Fn(u64) -> Duration,
    ) {
        self.wakes_at.store(next, Ordering::SeqCst);
        if earliest() >= next {
            while !self.is_rung.swap(false, Ordering::SeqCst) && !self.is_stopped() {
                let left = left(next);
                if next == u64::MAX {
                    thread::park();
                } else if left.is_zero() {
                    break;
                } else {
                    thread::park_timeout(left.min(LONGEST_SLEEP));
                }
            }
        }
        // Slots that are armed from here on are seen by the next read.
        self.wakes_at.store(0, Ordering::SeqCst);
    }
}

/// The simulator's clock goes on when a test says so, not while a thread sleeps: there the time
/// is read often. Under Miri a millisecond is 200 steps of the program, and too often.
const LONGEST_SLEEP: Duration = if cfg!(target_vendor = "apple") {
    Duration::from_secs(3600)
} else if cfg!(miri) {
    Duration::from_millis(100)
} else {
    Duration::from_millis(1)
};
