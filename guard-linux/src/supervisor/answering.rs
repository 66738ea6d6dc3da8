//! The threads that answer a session's notifications.
//!
//! One primary thread answers nearly everything: with the kernel's synchronous wake-up the
//! processor passes between a caller and it. While it is blocked inside a call that it performs (on a
//! network file system, on a FUSE server that is itself a process of this session), the watchdog
//! starts spare threads, so that a session can wait for itself without a deadlock.

use crate::callers::OTHER_DESCRIPTORS;
use crate::judge::{self, Reply, WorkerCaches};
use crate::session_caches::SessionCaches;
use crate::sys::notify::{self, Notification};
use crate::{clock, descriptors};
use guard_core::guard::SharedGuard;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::thread::set_name;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Answers a session's notifications until no process of it is left.
#[derive(Clone)]
pub(super) struct Answering {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Answering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}

struct Shared {
    guard: SharedGuard,
    caches: Arc<SessionCaches>,
    listener: OwnedFd,
    /// Whether the kernel keeps a caller waiting through its signals once its call was received.
    wait_killable: bool,
    /// The primary thread's caches; housekeeping releases old pins between calls.
    worker: Mutex<WorkerCaches>,
    /// When the primary received the call it is at, monotonic nanoseconds; 0 while it waits.
    busy_since_ns: AtomicU64,
    spares: AtomicUsize,
    over: AtomicBool,
}

/// Answers that could not be delivered because a signal interrupted the caller, on kernels that
/// allow it: the call is made again, and must not be performed twice.
#[derive(Debug, Default)]
struct Undelivered(Vec<(Notification, Reply)>);

// === impl Answering ===

impl Answering {
    /// The guard that decides.
    pub(super) fn guard(&self) -> SharedGuard {
        Arc::clone(&self.shared.guard)
    }

    /// For the filter behind `listener`. Nothing is answered before [`Self::start`].
    pub(super) fn new(
        guard: SharedGuard,
        caches: Arc<SessionCaches>,
        listener: OwnedFd,
        wait_killable: bool,
    ) -> Self {
        // Older kernels lack it; answers are slower then, and the same.
        let _unsupported = notify::wake_synchronously(listener.as_fd());
        Self {
            shared: Arc::new(Shared {
                guard,
                caches,
                listener,
                wait_killable,
                worker: Mutex::default(),
                busy_since_ns: AtomicU64::new(0),
                spares: AtomicUsize::new(0),
                over: AtomicBool::new(false),
            }),
        }
    }

    /// Starts answering.
    pub(super) fn start(&self) -> std::io::Result<()> {
        let primary = self.clone();
        thread::Builder::new()
            .name("guard-primary".into())
            .spawn(move || {
                let _unnamed = set_name(c"guard-primary");
                primary.answer_all();
            })?;
        let watchdog = self.clone();
        thread::Builder::new()
            .name("guard-watchdog".into())
            .spawn(move || watchdog.watch())?;
        Ok(())
    }

    /// Whether no process of the session is left.
    pub(super) fn is_over(&self) -> bool {
        if !self.shared.over.load(Ordering::Acquire) && self.listener_hung_up() {
            self.shared.over.store(true, Ordering::Release);
        }
        self.shared.over.load(Ordering::Acquire)
    }

    /// Releases what the primary has cached and not used lately.
    pub(super) fn release_unused(&self) {
        if let Ok(mut worker) = self.shared.worker.try_lock() {
            worker.directories.forget_old(clock::monotonic_ns());
            worker.callers.forget_dead();
        }
    }

    /// Takes into account who wrote what agents opened for writing.
    pub(super) fn note_writes(&self) {
        self.shared.caches.note_writes(&self.shared.guard);
    }

    fn answer_all(&self) {
        let shared = &self.shared;
        let mut undelivered = Undelivered::default();
        while !shared.over.load(Ordering::Acquire) {
            let Some(notification) = self.receive() else {
                continue;
            };
            shared
                .busy_since_ns
                .store(clock::monotonic_ns(), Ordering::Release);
            let mut worker = shared.worker.lock().unwrap_or_else(PoisonError::into_inner);
            self.answer(&notification, &mut worker, &mut undelivered);
            drop(worker);
            shared.busy_since_ns.store(0, Ordering::Release);
        }
    }

    /// Waits for the next notification; `None` when there is none after all.
    fn receive(&self) -> Option<Notification> {
        match notify::receive(self.shared.listener.as_fd()) {
            Ok(notification) => Some(notification),
            Err(error) => {
                // ENOENT: the caller was killed in between, or the session is over.
                if error != Errno::INTR && self.listener_hung_up() {
                    self.shared.over.store(true, Ordering::Release);
                }
                None
            }
        }
    }

    fn answer(
        &self,
        notification: &Notification,
        worker: &mut WorkerCaches,
        undelivered: &mut Undelivered,
    ) {
        let shared = &self.shared;
        let listener = shared.listener.as_fd();
        let reply = undelivered.take(notification).unwrap_or_else(|| {
            // A panic is a bug, and must neither let the call through nor end the session.
            catch_unwind(AssertUnwindSafe(|| {
                judge::answer(
                    &shared.guard,
                    &shared.caches,
                    worker,
                    Some(listener),
                    notification,
                )
            }))
            .unwrap_or(Reply::Fail(Errno::PERM))
        });
        if let Some(notice) = worker.notice.take() {
            shared.caches.notices.show(notice);
        }
        let sent = notify::answer(listener, notification.id, reply);
        if sent.is_err() && !shared.wait_killable {
            undelivered.keep(*notification, reply);
        }
    }

    /// Starts spare threads while the primary is blocked.
    fn watch(&self) {
        let _unnamed = set_name(c"guard-watchdog");
        let shared = &self.shared;
        let left = descriptors::limit().saturating_sub(OTHER_DESCRIPTORS);
        let max_spares = usize::try_from(left / 2 / SPARE_DESCRIPTORS).unwrap_or(usize::MAX);
        let max_spares = max_spares.clamp(1, MAX_SPARES);
        while !shared.over.load(Ordering::Acquire) {
            thread::sleep(WATCH_INTERVAL);
            let spares = shared.spares.load(Ordering::Acquire);
            if self.is_blocked() && self.has_waiting() && spares < max_spares {
                shared.spares.fetch_add(1, Ordering::AcqRel);
                let spare = self.clone();
                let started = thread::Builder::new()
                    .name("guard-spare".into())
                    .spawn(move || {
                        spare.answer_while_blocked();
                        spare.shared.spares.fetch_sub(1, Ordering::AcqRel);
                    });
                if started.is_err() {
                    shared.spares.fetch_sub(1, Ordering::AcqRel);
                }
            }
        }
    }

    /// What a spare thread does while the primary is blocked.
    fn answer_while_blocked(&self) {
        let _unnamed = set_name(c"guard-spare");
        let mut undelivered = Undelivered::default();
        while self.is_blocked() && !self.shared.over.load(Ordering::Acquire) {
            if self.has_waiting()
                && let Some(notification) = self.receive()
            {
                // Nothing is cached: many spares would take many descriptors.
                self.answer(
                    &notification,
                    &mut WorkerCaches::default(),
                    &mut undelivered,
                );
            }
        }
    }

    fn is_blocked(&self) -> bool {
        let since = self.shared.busy_since_ns.load(Ordering::Acquire);
        since != 0 && clock::monotonic_ns().saturating_sub(since) > BLOCKED_NS
    }

    /// Whether a notification waits to be received; waits some milliseconds for one.
    fn has_waiting(&self) -> bool {
        let listener = self.shared.listener.as_fd();
        descriptors::poll(listener, PollFlags::IN, Some(5))
            .is_ok_and(|found| found.contains(PollFlags::IN))
    }

    fn listener_hung_up(&self) -> bool {
        let listener = self.shared.listener.as_fd();
        descriptors::poll(listener, PollFlags::empty(), Some(0))
            .is_ok_and(|found| found.contains(PollFlags::HUP))
    }
}

// === impl Undelivered ===

impl Undelivered {
    fn keep(&mut self, notification: Notification, reply: Reply) {
        self.0.retain(|(kept, _)| kept.pid != notification.pid);
        if self.0.len() < MAX_UNDELIVERED {
            self.0.push((notification, reply));
        }
    }

    /// The answer kept for the same thread's same call, at the same instruction.
    fn take(&mut self, notification: &Notification) -> Option<Reply> {
        let index = self
            .0
            .iter()
            .position(|(kept, _)| kept.pid == notification.pid)?;
        let (kept, reply) = self.0.swap_remove(index);
        let (kept, now) = (kept.data, notification.data);
        let same = kept.nr == now.nr
            && kept.args == now.args
            && kept.instruction_pointer == now.instruction_pointer;
        same.then_some(reply)
    }
}

/// How often the watchdog checks.
const WATCH_INTERVAL: Duration = Duration::from_millis(20);

/// A primary that is at one call for longer is blocked.
const BLOCKED_NS: u64 = 10_000_000;

/// Spare threads at a time: each may be blocked itself.
const MAX_SPARES: usize = 64;

/// Descriptors a spare thread takes for one call: a caller's, two directories, a walk's.
const SPARE_DESCRIPTORS: u64 = 8;

/// Callers whose answer was not delivered and whose call was not made again yet.
const MAX_UNDELIVERED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn call(pid: u32, path: u64) -> Notification {
        let data = libc::seccomp_data {
            nr: 87,
            arch: 0,
            instruction_pointer: 4096,
            args: [path, 0, 0, 0, 0, 0],
        };
        Notification {
            id: 1,
            pid,
            flags: 0,
            data,
        }
    }

    #[test]
    fn an_undelivered_answer_is_given_to_the_same_call_once() {
        let mut undelivered = Undelivered::default();
        undelivered.keep(call(1, 10), Reply::Return(0));
        undelivered.keep(call(2, 10), Reply::Return(0));
        assert_eq!(undelivered.take(&call(2, 11)), None, "another call");
        assert_eq!(undelivered.take(&call(1, 10)), Some(Reply::Return(0)));
        assert_eq!(undelivered.take(&call(1, 10)), None);
    }
}
