//! The result cache: one for all clients of a machine.
//!
//! Rules (ESClient.h and ESMessage.h, macOS 27.0): only listed AUTH types are cached, keyed by the
//! process's executable file and the object of the operation; changing a file drops the results
//! about it; a hit spares the AUTH message but never the NOTIFY. For an open, the authorised flags
//! are cached, and a later open is allowed only if all its flags are among them.

use std::collections::HashMap;

use endpoint_sec_sys::es_event_type_t;

/// What a result is kept under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) event: es_event_type_t,
    /// The executable file of the process.
    pub(crate) executable: Vec<u8>,
    /// The object, as the event type defines it: a path, or a path and a number.
    pub(crate) object: Vec<u8>,
}

/// A kept result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Allowed(bool),
    /// The flags that were authorised for an open.
    Flags(u32),
}

/// All kept results, and when they were last cleared by a client.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    kept: HashMap<Key, Kept>,
    /// Times of `es_clear_cache` calls that were let through, in nanoseconds since boot.
    cleared: Vec<u64>,
}

// === impl Cache ===

impl Cache {
    pub(crate) fn get(&self, key: &Key) -> Option<Kept> {
        self.kept.get(key).copied()
    }

    pub(crate) fn keep(&mut self, key: Key, result: Kept) {
        self.kept.insert(key, result);
    }

    /// Drops every result about a file, as its executable or as its object.
    pub(crate) fn forget(&mut self, path: &[u8]) {
        self.kept
            .retain(|key, _| key.executable != path && !key.object.starts_with(path));
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    /// Clears on behalf of a client, unless it did so `limit` times within the last `window`
    /// nanoseconds.
    pub(crate) fn clear_throttled(&mut self, now: u64, limit: usize, window: u64) -> bool {
        self.cleared
            .retain(|time| now.saturating_sub(*time) < window);
        if self.cleared.len() >= limit {
            return false;
        }
        self.cleared.push(now);
        self.clear();
        true
    }
}
