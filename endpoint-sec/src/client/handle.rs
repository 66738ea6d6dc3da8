//! Operations on a client, from any thread.

use crate::client::core::Core;
use crate::client::deliver::in_handler;
use crate::client::report::Statistics;
use crate::clock::Clock;
use crate::enums::DeadlineMissMode;
use crate::error::CallError;
use crate::event_type::EventType;
use crate::mute::MutedPath;
use crate::raw::block::{self, Reached};
use endpoint_sec_sys::{es_deadline_miss_mode_t, os_version};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// A handle to a client, for any thread, and cheap to clone. Calls on it fail once the client is
/// closed.
#[derive(Clone)]
pub struct Handle {
    pub(super) core: Arc<Core>,
    /// What the system muted when the client was made; `None` if it cannot list it.
    pub(super) default_mutes: Arc<OnceLock<Vec<MutedPath>>>,
}

/// The result of a subscription.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[must_use = "types that this system does not know were not subscribed to"]
pub struct Subscribed {
    /// The types that this release of macOS does not know. They were not subscribed to: kernels up
    /// to macOS 26.3.1 panic on them.
    pub dropped: Vec<EventType>,
}

// === impl Handle ===

impl Handle {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self {
            core,
            default_mutes: Arc::default(),
        }
    }

    pub(super) fn stop(&self) {
        self.core.alarm.stop();
    }

    /// Whether the client is not closed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.core.connection.is_open()
    }

    /// The clock of this client's messages.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.core.clock
    }

    /// Subscribes to event types, besides those it is subscribed to. Reserved types can be
    /// subscribed to as well. Types that the running system does not know are left out, and
    /// returned.
    ///
    /// # Errors
    ///
    /// If the client is closed or the system refuses; for some reserved types it does.
    /// [`CallError::DefaultSet`] if a type may be a request and muting is inverted over the
    /// system's default mutes.
    pub fn subscribe(&self, events: &[EventType]) -> Result<Subscribed, CallError> {
        let running = os_version();
        let (known, dropped): (Vec<EventType>, Vec<EventType>) =
            events.iter().partition(|event| event.exists_on(running));
        if known.iter().copied().any(EventType::may_be_auth) && self.selects_defaults() {
            let call = "es_subscribe";
            return Err(CallError::DefaultSet { call });
        }
        if !known.is_empty() {
            self.core.connection.subscribe(&known)?;
        }
        Ok(Subscribed { dropped })
    }

    /// Unsubscribes from event types. Those that it is not subscribed to are ignored.
    ///
    /// # Errors
    ///
    /// If the client is closed or the system refuses.
    pub fn unsubscribe(&self, events: &[EventType]) -> Result<(), CallError> {
        let running = os_version();
        let known: Vec<_> = events
            .iter()
            .copied()
            .filter(|event| event.exists_on(running))
            .collect();
        if known.is_empty() {
            return Ok(());
        }
        self.core.connection.unsubscribe(&known)
    }

    /// Unsubscribes from all event types.
    ///
    /// # Errors
    ///
    /// If the client is closed or the system refuses.
    pub fn unsubscribe_all(&self) -> Result<(), CallError> {
        self.core.connection.unsubscribe_all()
    }

    /// The event types that it is subscribed to.
    ///
    /// # Errors
    ///
    /// If the client is closed or the system refuses.
    pub fn subscriptions(&self) -> Result<Vec<EventType>, CallError> {
        self.core.connection.subscriptions()
    }

    /// Clears the kernel's cache of answers, of all clients. The system limits how often.
    ///
    /// # Errors
    ///
    /// [`CallError::InHandler`] in a handler: the call waits for the kernel, which may be waiting
    /// for the handler. [`CallError::Throttled`] if it was done a moment ago. Others if the client
    /// is closed or the system refuses.
    pub fn clear_cache(&self) -> Result<(), CallError> {
        refuse_in_handler("es_clear_cache")?;
        self.core.connection.clear_cache()
    }

    /// The same, but if the system refuses because of the limit, waits and tries again: at most
    /// `tries` times, after a quarter of a second, half a second, a second, and so on.
    ///
    /// # Errors
    ///
    /// As for [`clear_cache`](Self::clear_cache).
    pub fn clear_cache_patiently(&self, tries: u32) -> Result<(), CallError> {
        let mut pause = Duration::from_millis(250);
        for _ in 1..tries {
            match self.clear_cache() {
                Err(CallError::Throttled) => std::thread::sleep(pause),
                done => return done,
            }
            pause *= 2;
        }
        self.clear_cache()
    }

    /// Waits until the handler has returned from every message that was enqueued before, or the
    /// client is closed. macOS 27.0.
    ///
    /// # Errors
    ///
    /// [`CallError::InHandler`] in a handler, which it would wait for. Others if the client is
    /// closed, the system refuses or lacks the function.
    pub fn sync(&self) -> Result<(), CallError> {
        refuse_in_handler("es_sync_client")?;
        let barrier = Arc::new(Barrier::default());
        block::sync(&self.core.connection, &barrier)?;
        barrier.wait();
        Ok(())
    }

    /// What happens when the client misses a deadline. macOS 27.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn deadline_miss_mode(&self) -> Result<DeadlineMissMode, CallError> {
        self.core
            .connection
            .miss_mode()
            .map(DeadlineMissMode::from_c)
    }

    /// Sets what happens when the client misses a deadline. macOS 27.0; older systems kill the
    /// client.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn set_deadline_miss_mode(&self, mode: DeadlineMissMode) -> Result<(), CallError> {
        let mode = es_deadline_miss_mode_t(mode.as_raw());
        self.core.connection.set_miss_mode(mode)
    }

    /// The most time to an answer, in whole milliseconds. macOS 27.0.
    ///
    /// # Errors
    ///
    /// If the client is closed, the system refuses or lacks the function.
    pub fn deadline_max(&self, event: EventType) -> Result<Duration, CallError> {
        self.core.connection.deadline_max(event).map(milliseconds)
    }

    /// Shortens the time to an answer, and if need be the least time with it. macOS 27.0.
    ///
    /// # Errors
    ///
    /// If it is more than the system's own, the client is closed, the system refuses or lacks the
    /// function.
    pub fn set_deadline_max(&self, events: &[EventType], time: Duration) -> Result<(), CallError> {
        self.core
            .connection
            .set_deadline_max(events, whole_milliseconds(time))
    }

    /// The least time to an answer, in whole milliseconds. For descendants clients. macOS 27.0.
    ///
    /// # Errors
    ///
    /// If the client is closed or another one, the system refuses or lacks the function.
    pub fn deadline_min(&self, event: EventType) -> Result<Duration, CallError> {
        self.core.connection.deadline_min(event).map(milliseconds)
    }

    /// Lengthens the time to an answer, beyond the system's own if need be. For descendants
    /// clients, and not for `AUTH_BOOTSTRAP_CHECK_IN` and `AUTH_BOOTSTRAP_LOOK_UP`. macOS 27.0.
    ///
    /// # Errors
    ///
    /// If the client is closed or another one, the system refuses or lacks the function.
    pub fn set_deadline_min(&self, events: &[EventType], time: Duration) -> Result<(), CallError> {
        self.core
            .connection
            .set_deadline_min(events, whole_milliseconds(time))
    }

    /// What was counted since the client was started.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.core.counters.read()
    }

    /// The event types of which the system dropped messages, and how many.
    #[must_use]
    pub fn drops(&self) -> Vec<(EventType, u64)> {
        self.core.drops.read()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("is_open", &self.is_open())
            .finish_non_exhaustive()
    }
}

fn refuse_in_handler(call: &'static str) -> Result<(), CallError> {
    if in_handler() {
        return Err(CallError::InHandler { call });
    }
    Ok(())
}

fn milliseconds(count: u32) -> Duration {
    Duration::from_millis(count.into())
}

fn whole_milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// Where [`Handle::sync`] waits.
#[derive(Default)]
struct Barrier {
    is_reached: Mutex<bool>,
    changed: Condvar,
}

impl Barrier {
    fn wait(&self) {
        let mut is_reached = self
            .is_reached
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while !*is_reached {
            is_reached = self
                .changed
                .wait(is_reached)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Reached for Barrier {
    fn reached(&self) {
        *self
            .is_reached
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }
}
