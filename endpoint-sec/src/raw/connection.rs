//! Calls on a client.
//!
//! A [`Connection`] holds the client's pointer for everyone who has a handle. A call takes a read
//! lock for as long as the C function runs; closing takes the write lock, so that no function is
//! called on a client that is being deleted, as ESClient.h of macOS 27.0 requires. The lock is
//! never held while anything else is waited for.

use crate::answer::Reply;
use crate::audit_token::AuditToken;
use crate::error::{AnswerError, CallError};
use crate::event_type::EventType;
use crate::message::MessageView;
use endpoint_sec_sys::{self as sys, es_client_t, es_event_type_t, es_return_t};
use std::ffi::CStr;
use std::ptr::NonNull;
use std::sync::{PoisonError, RwLock};

mod lists;

/// A client that may be closed at any time.
pub(crate) struct Connection(RwLock<Option<ClientPtr>>);

/// The pointer that `es_new_client` gave.
#[derive(Clone, Copy)]
pub(super) struct ClientPtr(NonNull<es_client_t>);

// SAFETY: ESClient.h of macOS 27.0 allows every function but es_delete_client to be called on a
// client from any thread at any time, and clients of older systems are used so by Apple's own
// examples; es_delete_client is called by the thread that made the client (`client::thread`).
unsafe impl Send for ClientPtr {}

// SAFETY: as for `Send`.
unsafe impl Sync for ClientPtr {}

impl ClientPtr {
    pub(super) fn new(client: NonNull<es_client_t>) -> Self {
        Self(client)
    }

    pub(super) fn as_ptr(self) -> *mut es_client_t {
        self.0.as_ptr()
    }
}

/// The result of a call whose client may be closed, or whose function may be missing.
type Called<T = ()> = Result<T, CallError>;

// === impl Connection ===

impl Connection {
    /// A connection that is not open yet.
    pub(crate) const fn closed() -> Self {
        Self(RwLock::new(None))
    }

    pub(super) fn open(&self, client: ClientPtr) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(client);
    }

    /// Takes the client out, once no call on it runs any more; later ones find it closed.
    pub(super) fn take(&self) -> Option<ClientPtr> {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Whether it is open.
    pub(crate) fn is_open(&self) -> bool {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Runs a C function on the client, which cannot be deleted meanwhile.
    fn with<T>(&self, function: impl FnOnce(*mut es_client_t) -> T) -> Option<T> {
        let client = self.0.read().unwrap_or_else(PoisonError::into_inner);
        client.map(|client| function(client.as_ptr()))
    }

    /// The same for a function that returns success or not.
    pub(super) fn call(
        &self,
        call: &'static str,
        function: impl FnOnce(*mut es_client_t) -> es_return_t,
    ) -> Called {
        match self.with(function) {
            None => Err(CallError::Closed { call }),
            Some(es_return_t::ES_RETURN_SUCCESS) => Ok(()),
            Some(_) => Err(CallError::Failed { call }),
        }
    }

    /// Answers a request.
    pub(crate) fn respond(
        &self,
        message: MessageView<'_>,
        reply: Reply,
        cache: bool,
    ) -> Result<(), AnswerError> {
        let message = message.as_ptr().as_ptr().cast_const();
        let result = self.with(|client| match reply {
            Reply::Auth(answer) => {
                // SAFETY: the client is not deleted while the lock is held; the view is of a
                // message that is there.
                unsafe { sys::es_respond_auth_result(client, message, answer.to_c(), cache) }
            }
            Reply::Flags(flags) => {
                // SAFETY: the same.
                unsafe { sys::es_respond_flags_result(client, message, flags.bits(), cache) }
            }
        });
        match result {
            None => Err(AnswerError::Closed),
            Some(result) => AnswerError::check(result),
        }
    }

    pub(crate) fn subscribe(&self, events: &[EventType]) -> Called {
        self.with_events("es_subscribe", events, |client, first, count| {
            // SAFETY: the client is there, and `count` event types are at `first`. The caller
            // filtered out what this system's kernel does not know.
            unsafe { sys::es_subscribe(client, first, count) }
        })
    }

    pub(crate) fn unsubscribe(&self, events: &[EventType]) -> Called {
        self.with_events("es_unsubscribe", events, |client, first, count| {
            // SAFETY: as for `subscribe`.
            unsafe { sys::es_unsubscribe(client, first, count) }
        })
    }

    pub(crate) fn unsubscribe_all(&self) -> Called {
        // SAFETY: the client is there.
        self.call("es_unsubscribe_all", |client| unsafe {
            sys::es_unsubscribe_all(client)
        })
    }

    /// Calls a function that takes a list with a count of 32 bits.
    fn with_events(
        &self,
        call: &'static str,
        events: &[EventType],
        function: impl FnOnce(*mut es_client_t, *const es_event_type_t, u32) -> es_return_t,
    ) -> Called {
        let events: Vec<es_event_type_t> = events.iter().map(|event| event.to_c()).collect();
        let Ok(count) = u32::try_from(events.len()) else {
            return Err(CallError::Failed { call });
        };
        self.call(call, |client| function(client, events.as_ptr(), count))
    }

    pub(crate) fn clear_cache(&self) -> Called {
        const CALL: &str = "es_clear_cache";
        // SAFETY: the client is there; the caller is not its handler.
        let result = self.with(|client| unsafe { sys::es_clear_cache(client) });
        match result {
            None => Err(CallError::Closed { call: CALL }),
            Some(sys::es_clear_cache_result_t::ES_CLEAR_CACHE_RESULT_SUCCESS) => Ok(()),
            Some(sys::es_clear_cache_result_t::ES_CLEAR_CACHE_RESULT_ERR_THROTTLE) => {
                Err(CallError::Throttled)
            }
            Some(_) => Err(CallError::Failed { call: CALL }),
        }
    }

    pub(crate) fn mute_process(&self, process: AuditToken) -> Called {
        let token = process.to_c();
        self.call("es_mute_process", |client| {
            // SAFETY: the client and the token are there.
            unsafe { sys::es_mute_process(client, &raw const token) }
        })
    }

    pub(crate) fn unmute_process(&self, process: AuditToken) -> Called {
        let token = process.to_c();
        self.call("es_unmute_process", |client| {
            // SAFETY: the client and the token are there.
            unsafe { sys::es_unmute_process(client, &raw const token) }
        })
    }

    pub(crate) fn mute_process_events(&self, process: AuditToken, events: &[EventType]) -> Called {
        const CALL: &str = "es_mute_process_events";
        let function = available(CALL, sys::newer::es_mute_process_events())?;
        let token = process.to_c();
        let events = to_c(events);
        self.call(CALL, |client| {
            // SAFETY: client, token and so many event types are there.
            unsafe { function(client, &raw const token, events.as_ptr(), events.len()) }
        })
    }

    pub(crate) fn unmute_process_events(
        &self,
        process: AuditToken,
        events: &[EventType],
    ) -> Called {
        const CALL: &str = "es_unmute_process_events";
        let function = available(CALL, sys::newer::es_unmute_process_events())?;
        let token = process.to_c();
        let events = to_c(events);
        self.call(CALL, |client| {
            // SAFETY: client, token and so many event types are there.
            unsafe { function(client, &raw const token, events.as_ptr(), events.len()) }
        })
    }

    /// Mutes a path. On macOS 11 by the functions that came first, which know executables only.
    pub(crate) fn mute_path(&self, path: &CStr, kind: sys::es_mute_path_type_t) -> Called {
        use sys::es_mute_path_type_t as Kind;

        const CALL: &str = "es_mute_path";
        let function = available(CALL, sys::newer::es_mute_path());
        match (function, kind) {
            (Ok(function), _) => self.call(CALL, |client| {
                // SAFETY: the client and the C string are there.
                unsafe { function(client, path.as_ptr(), kind) }
            }),
            (Err(_), Kind::ES_MUTE_PATH_TYPE_PREFIX) => {
                self.call("es_mute_path_prefix", |client| {
                    // SAFETY: the client and the C string are there.
                    unsafe { sys::es_mute_path_prefix(client, path.as_ptr()) }
                })
            }
            (Err(_), Kind::ES_MUTE_PATH_TYPE_LITERAL) => {
                self.call("es_mute_path_literal", |client| {
                    // SAFETY: the client and the C string are there.
                    unsafe { sys::es_mute_path_literal(client, path.as_ptr()) }
                })
            }
            (Err(missing), _) => Err(missing),
        }
    }

    pub(crate) fn unmute_path(&self, path: &CStr, kind: sys::es_mute_path_type_t) -> Called {
        const CALL: &str = "es_unmute_path";
        let function = available(CALL, sys::newer::es_unmute_path())?;
        // SAFETY: the client and the C string are there.
        self.call(CALL, |client| unsafe {
            function(client, path.as_ptr(), kind)
        })
    }

    pub(crate) fn mute_path_events(
        &self,
        path: &CStr,
        kind: sys::es_mute_path_type_t,
        events: &[EventType],
    ) -> Called {
        const CALL: &str = "es_mute_path_events";
        let function = available(CALL, sys::newer::es_mute_path_events())?;
        let events = to_c(events);
        self.call(CALL, |client| {
            // SAFETY: the client, the C string and so many event types are there.
            unsafe { function(client, path.as_ptr(), kind, events.as_ptr(), events.len()) }
        })
    }

    pub(crate) fn unmute_path_events(
        &self,
        path: &CStr,
        kind: sys::es_mute_path_type_t,
        events: &[EventType],
    ) -> Called {
        const CALL: &str = "es_unmute_path_events";
        let function = available(CALL, sys::newer::es_unmute_path_events())?;
        let events = to_c(events);
        self.call(CALL, |client| {
            // SAFETY: the client, the C string and so many event types are there.
            unsafe { function(client, path.as_ptr(), kind, events.as_ptr(), events.len()) }
        })
    }

    pub(crate) fn unmute_all_executables(&self) -> Called {
        // SAFETY: the client is there.
        self.call("es_unmute_all_paths", |client| unsafe {
            sys::es_unmute_all_paths(client)
        })
    }

    pub(crate) fn unmute_all_targets(&self) -> Called {
        const CALL: &str = "es_unmute_all_target_paths";
        let function = available(CALL, sys::newer::es_unmute_all_target_paths())?;
        // SAFETY: the client is there.
        self.call(CALL, |client| unsafe { function(client) })
    }

    /// Inverts a dimension of muting; twice is as if never.
    pub(crate) fn invert(&self, dimension: sys::es_mute_inversion_type_t) -> Called {
        const CALL: &str = "es_invert_muting";
        let function = available(CALL, sys::newer::es_invert_muting())?;
        // SAFETY: the client is there.
        self.call(CALL, |client| unsafe { function(client, dimension) })
    }

    pub(crate) fn is_inverted(&self, dimension: sys::es_mute_inversion_type_t) -> Called<bool> {
        use sys::es_mute_inverted_return_t as Inverted;

        const CALL: &str = "es_muting_inverted";
        let function = available(CALL, sys::newer::es_muting_inverted())?;
        // SAFETY: the client is there.
        match self.with(|client| unsafe { function(client, dimension) }) {
            None => Err(CallError::Closed { call: CALL }),
            // Zero means inverted here.
            Some(Inverted::ES_MUTE_INVERTED) => Ok(true),
            Some(Inverted::ES_MUTE_NOT_INVERTED) => Ok(false),
            Some(_) => Err(CallError::Failed { call: CALL }),
        }
    }

    pub(crate) fn set_miss_mode(&self, mode: sys::es_deadline_miss_mode_t) -> Called {
        const CALL: &str = "es_set_deadline_miss_mode";
        let function = available(CALL, sys::newer::es_set_deadline_miss_mode())?;
        // SAFETY: the client is there.
        self.call(CALL, |client| unsafe { function(client, mode) })
    }

    pub(crate) fn miss_mode(&self) -> Called<sys::es_deadline_miss_mode_t> {
        const CALL: &str = "es_get_deadline_miss_mode";
        let function = available(CALL, sys::newer::es_get_deadline_miss_mode())?;
        let mut mode = sys::es_deadline_miss_mode_t::ES_DEADLINE_MISS_MODE_KILL;
        // SAFETY: the client is there, and so is the local it writes to.
        self.call(CALL, |client| unsafe { function(client, &raw mut mode) })?;
        Ok(mode)
    }

    pub(crate) fn set_deadline_max(&self, events: &[EventType], milliseconds: u32) -> Called {
        const CALL: &str = "es_set_deadline_max_milliseconds";
        let function = available(CALL, sys::newer::es_set_deadline_max_milliseconds())?;
        self.with_events(CALL, events, |client, first, count| {
            // SAFETY: client and event types are there.
            unsafe { function(client, first, count, milliseconds) }
        })
    }

    pub(crate) fn set_deadline_min(&self, events: &[EventType], milliseconds: u32) -> Called {
        const CALL: &str = "es_set_deadline_min_milliseconds";
        let function = available(CALL, sys::newer::es_set_deadline_min_milliseconds())?;
        self.with_events(CALL, events, |client, first, count| {
            // SAFETY: client and event types are there.
            unsafe { function(client, first, count, milliseconds) }
        })
    }

    pub(crate) fn deadline_max(&self, event: EventType) -> Called<u32> {
        const CALL: &str = "es_get_deadline_max_milliseconds";
        let function = available(CALL, sys::newer::es_get_deadline_max_milliseconds())?;
        let mut milliseconds = 0;
        self.call(CALL, |client| {
            // SAFETY: the client is there, and so is the local it writes to.
            unsafe { function(client, event.to_c(), &raw mut milliseconds) }
        })?;
        Ok(milliseconds)
    }

    pub(crate) fn deadline_min(&self, event: EventType) -> Called<u32> {
        const CALL: &str = "es_get_deadline_min_milliseconds";
        let function = available(CALL, sys::newer::es_get_deadline_min_milliseconds())?;
        let mut milliseconds = 0;
        self.call(CALL, |client| {
            // SAFETY: the client is there, and so is the local it writes to.
            unsafe { function(client, event.to_c(), &raw mut milliseconds) }
        })?;
        Ok(milliseconds)
    }
}

fn to_c(events: &[EventType]) -> Vec<es_event_type_t> {
    events.iter().map(|event| event.to_c()).collect()
}

/// The function, or the error that this release of macOS lacks it.
pub(super) fn available<F>(call: &'static str, function: Option<F>) -> Called<F> {
    function.ok_or_else(|| CallError::NotAvailable {
        call,
        since: introduced(call),
        running: sys::os_version(),
    })
}

/// The first release that has a function.
pub(super) fn introduced(call: &str) -> sys::OsVersion {
    sys::functions()
        .find(|function| function.name == call)
        .map_or(sys::OsVersion::new(0, 0, 0), |function| function.introduced)
}
