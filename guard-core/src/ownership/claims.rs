//! The names that agents made, and when: a bounded table.
//!
//! A claim is a canonical path and the time of the call that asked for it while nothing was there.
//! Whether the kernel then made an object is not known when the call is seen, nor whether another
//! has taken its place since. A claim therefore counts only together with the birth time of the
//! object at the path, see [`FileFacts::is_made_by_call_at`](crate::file::FileFacts).
//!
//! The table holds paths, not inodes: when a call is seen there is no inode yet. It is bounded by
//! number and by bytes; the oldest claims are dropped first, which leaves their files protected.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A table of claims, shared by the threads that answer.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Whether a claim was ever made: sessions without agents take no lock. Written by the thread
    /// that makes the first claim, before it answers; never unset.
    used: AtomicBool,
    table: Mutex<Table>,
}

/// Why a name is in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// An agent asked for the name at this time (wall clock) while nothing was there.
    Made { call_ns: u64 },
    /// A tool removed an object there that was not its agent's, to make it again. What is made
    /// under the name from now on is not the agent's either.
    Replaced,
}

#[derive(Debug, Default)]
struct Table {
    by_path: HashMap<Arc<[u8]>, Numbered>,
    by_age: BTreeMap<u64, Arc<[u8]>>,
    /// The number of the next claim.
    next: u64,
    /// Length of all paths together.
    bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Numbered {
    claim: Claim,
    /// Its key in `by_age`.
    number: u64,
}

// === impl Claims ===

impl Claims {
    /// Claims a name for an agent, unless a tool replaced another's object there.
    pub(super) fn make(&self, path: &[u8], call_ns: u64) {
        let mut table = self.table_in_use();
        let claim = match table.remove(path) {
            Some(Claim::Replaced) => Claim::Replaced,
            _ => Claim::Made { call_ns },
        };
        table.insert(path.into(), claim);
        table.evict();
    }

    /// Notes that the object of somebody else at this name is removed to be made again.
    pub(super) fn replace(&self, path: &[u8]) {
        let mut table = self.table_in_use();
        table.remove(path);
        table.insert(path.into(), Claim::Replaced);
        table.evict();
    }

    /// When an agent asked for this name.
    pub(super) fn call_ns(&self, path: &[u8]) -> Option<u64> {
        match self.table()?.by_path.get(path)?.claim {
            Claim::Made { call_ns } => Some(call_ns),
            Claim::Replaced => None,
        }
    }

    /// Drops what is known of a name.
    pub(super) fn end(&self, path: &[u8]) {
        if let Some(mut table) = self.table() {
            table.remove(path);
        }
    }

    /// Gives what is below the directory `from` the same claims below `to`, where none of before
    /// remain, and drops the old ones unless they are to be kept.
    pub(super) fn move_below(&self, from: &[u8], to: &[u8], keep: bool) {
        let Some(mut table) = self.table() else {
            return;
        };
        let moved = table.take_below(from);
        table.take_below(to);
        for (path, claim) in moved {
            let rest = path.get(from.len()..).unwrap_or_default();
            table.insert([to, rest].concat().into(), claim);
            if keep {
                table.insert(path, claim);
            }
        }
        table.evict();
    }

    fn table_in_use(&self) -> MutexGuard<'_, Table> {
        // SYNC POINT: pairs with the load in `table`.
        self.used.store(true, Ordering::Release);
        self.lock()
    }

    fn table(&self) -> Option<MutexGuard<'_, Table>> {
        self.used.load(Ordering::Acquire).then(|| self.lock())
    }

    /// A thread that panicked between two steps left a table that lacks a claim, which is safe.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Table ===

impl Table {
    /// Adds a path that is not in the table.
    fn insert(&mut self, path: Arc<[u8]>, claim: Claim) {
        let number = self.next;
        self.next += 1;
        self.bytes += path.len();
        self.by_age.insert(number, Arc::clone(&path));
        self.by_path.insert(path, Numbered { claim, number });
    }

    fn remove(&mut self, path: &[u8]) -> Option<Claim> {
        let Numbered { claim, number } = self.by_path.remove(path)?;
        self.by_age.remove(&number);
        self.bytes -= path.len();
        Some(claim)
    }

    /// Removes everything below a directory, the oldest first.
    fn take_below(&mut self, directory: &[u8]) -> Vec<(Arc<[u8]>, Claim)> {
        let is_below = |path: &[u8]| {
            let rest = path.strip_prefix(directory);
            rest.is_some_and(|rest| rest.starts_with(b"/"))
        };
        let below: Vec<_> = self
            .by_age
            .values()
            .filter(|path| is_below(path))
            .cloned()
            .collect();
        below
            .into_iter()
            .filter_map(|path| Some((Arc::clone(&path), self.remove(&path)?)))
            .collect()
    }

    fn evict(&mut self) {
        while self.by_path.len() > MAX_PATHS || self.bytes > MAX_BYTES {
            let Some((_, path)) = self.by_age.pop_first() else {
                return;
            };
            self.by_path.remove(&path);
            self.bytes -= path.len();
        }
    }
}

/// How many names are kept: more than an agent makes before it clears away.
const MAX_PATHS: usize = 65_536;

/// How long all kept paths may be together.
const MAX_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_lasts_until_it_ends() {
        let claims = Claims::default();
        claims.end(b"/z/a");
        assert_eq!(claims.call_ns(b"/z/a"), None);
        claims.make(b"/z/a", 7);
        assert_eq!(claims.call_ns(b"/z/a"), Some(7));
        assert_eq!(claims.call_ns(b"/z/a/b"), None);
        claims.make(b"/z/a", 8);
        assert_eq!(claims.call_ns(b"/z/a"), Some(8));
        claims.end(b"/z/a");
        assert_eq!(claims.call_ns(b"/z/a"), None);
        let table = claims.lock();
        assert!(table.by_path.is_empty() && table.by_age.is_empty() && table.bytes == 0);
    }

    #[test]
    fn a_replaced_name_cannot_be_claimed_until_its_mark_ends() {
        let claims = Claims::default();
        claims.replace(b"/z/a");
        claims.make(b"/z/a", 7);
        assert_eq!(claims.call_ns(b"/z/a"), None);
        claims.move_below(b"/z", b"/y", false);
        claims.make(b"/y/a", 8);
        assert_eq!(claims.call_ns(b"/y/a"), None);
        claims.end(b"/y/a");
        claims.make(b"/y/a", 9);
        assert_eq!(claims.call_ns(b"/y/a"), Some(9));
    }

    #[test]
    fn claims_below_a_directory_move_with_it() {
        for keep in [false, true] {
            let claims = Claims::default();
            claims.make(b"/z/d/a", 1);
            claims.make(b"/z/d/e/b", 2);
            claims.make(b"/z/dd/c", 3);
            claims.make(b"/z/new/a", 9);
            claims.make(b"/z/new/old", 9);
            claims.move_below(b"/z/d", b"/z/new", keep);
            let call_ns = |path: &str| claims.call_ns(path.as_bytes());
            assert_eq!(call_ns("/z/new/a"), Some(1));
            assert_eq!(call_ns("/z/new/e/b"), Some(2));
            assert_eq!(call_ns("/z/dd/c"), Some(3));
            assert_eq!(call_ns("/z/new/old"), None);
            let old = (call_ns("/z/d/a"), call_ns("/z/d/e/b"));
            assert_eq!(
                old,
                if keep {
                    (Some(1), Some(2))
                } else {
                    (None, None)
                }
            );
        }
    }

    #[test]
    fn the_oldest_claims_are_dropped_when_there_are_too_many() {
        let claims = Claims::default();
        let path = |index: usize| format!("/z/{index}").into_bytes();
        for index in 0..MAX_PATHS {
            claims.make(&path(index), 1);
        }
        // Claimed again, it is the youngest.
        claims.make(&path(0), 2);
        claims.make(b"/z/one more", 3);
        assert_eq!(claims.call_ns(&path(0)), Some(2));
        assert_eq!(claims.call_ns(&path(1)), None);
        assert_eq!(claims.call_ns(&path(2)), Some(1));
    }

    #[test]
    fn long_paths_are_bounded_together() {
        let claims = Claims::default();
        let path = |index: usize| format!("/{index}/{}", "x".repeat(4_000)).into_bytes();
        let count = MAX_BYTES / 4_000 + 1;
        for index in 0..count {
            claims.make(&path(index), 1);
        }
        assert_eq!(claims.call_ns(&path(0)), None);
        assert_eq!(claims.call_ns(&path(count - 1)), Some(1));
        assert!(claims.lock().bytes <= MAX_BYTES);
    }
}
