//! Files that agents were seen making in zones, so that they may remove them again.
//!
//! A bounded memory of canonical paths and the moments at which an agent asked for a name that was
//! not there. Whether the kernel then made the file is not known, nor whether somebody has saved
//! another over it since: so a memory counts only together with the birth time of what stands at
//! the path now, see [`is_birth_of`].
//!
//! The oldest memories go first. A file whose memory is gone is protected like any other.
//!
//! A name that was somebody's and was removed to be made again is remembered as nobody's, so that
//! what a tool unpacks over a document is not its agent's to remove.
//!
//! It deliberately remembers paths, not inodes: when a call is seen the file has none yet. What
//! moves names tells [`Creations::carry`].
//!
//! ```
//! # use guard_core::guard::{Creations, is_birth_of};
//! let creations = Creations::default();
//! creations.remember(b"/zone/draft", 5_000_000_000);
//! assert!(is_birth_of(creations.made_ns(b"/zone/draft").unwrap(), 5_000_100_000));
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What agents made.
#[derive(Debug, Default)]
pub struct Creations {
    /// Whether anything was ever remembered: sessions without agents take no lock. Set before the
    /// first memory can be asked for, never unset.
    used: AtomicBool,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    by_path: HashMap<Arc<[u8]>, Memory>,
    by_age: BTreeMap<u64, Arc<[u8]>>,
    /// The number of the next memory.
    next: u64,
    /// What the paths take.
    bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Memory {
    /// `None`: somebody else's stood there, and was removed to be made again.
    made_ns: Option<u64>,
    /// Its key in `by_age`.
    number: u64,
}

/// Whether a file born at `born_ns` (wall clock) is the one made by the call seen at `made_ns`.
/// Birth times come from a clock that is read once a tick, so they may be a little earlier.
#[must_use]
pub fn is_birth_of(made_ns: u64, born_ns: u64) -> bool {
    let earliest = made_ns.saturating_sub(TICK_NS);
    let latest = made_ns.saturating_add(CALL_NS);
    (earliest..=latest).contains(&born_ns)
}

// === impl Creations ===

impl Creations {
    /// An agent asked for this name, which was not there, at `made_ns` (wall clock).
    pub fn remember(&self, path: &[u8], made_ns: u64) {
        let mut table = self.table_in_use();
        if table.forget(path) == Some(None) {
            table.insert(path.into(), None);
        } else {
            table.insert(path.into(), Some(made_ns));
        }
        table.stay_bounded();
    }

    /// This name was somebody's, and a tool removed it to make it again. What is made under it from
    /// now on is nobody's own, until [`forget`](Self::forget).
    pub fn replace(&self, path: &[u8]) {
        let mut table = self.table_in_use();
        table.forget(path);
        table.insert(path.into(), None);
        table.stay_bounded();
    }

    /// When an agent asked for this name.
    #[must_use]
    pub fn made_ns(&self, path: &[u8]) -> Option<u64> {
        self.table()?.by_path.get(path)?.made_ns
    }

    /// The name was removed, or something else stands there now.
    pub fn forget(&self, path: &[u8]) {
        if let Some(mut table) = self.table() {
            table.forget(path);
        }
    }

    /// A directory was moved, and all below it.
    pub fn carry(&self, from: &[u8], to: &[u8]) {
        let Some(mut table) = self.table() else {
            return;
        };
        let below = |path: &[u8]| {
            let rest = path.strip_prefix(from)?;
            rest.starts_with(b"/").then(|| [to, rest].concat())
        };
        let moved: Vec<_> = table
            .by_age
            .values()
            .filter_map(|path| Some((Arc::clone(path), below(path)?)))
            .collect();
        for (path, new) in moved {
            if let Some(made_ns) = table.forget(&path) {
                table.forget(&new);
                table.insert(new.into(), made_ns);
            }
        }
    }

    fn table_in_use(&self) -> MutexGuard<'_, Table> {
        self.used.store(true, Ordering::Release);
        self.lock()
    }

    fn table(&self) -> Option<MutexGuard<'_, Table>> {
        self.used.load(Ordering::Acquire).then(|| self.lock())
    }

    /// A thread that died between two steps left a table that lacks a memory, which is safe.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Table ===

impl Table {
    /// Call it only for paths that are not remembered.
    fn insert(&mut self, path: Arc<[u8]>, made_ns: Option<u64>) {
        let number = self.next;
        self.next += 1;
        self.bytes += path.len();
        self.by_age.insert(number, Arc::clone(&path));
        self.by_path.insert(path, Memory { made_ns, number });
    }

    fn forget(&mut self, path: &[u8]) -> Option<Option<u64>> {
        let memory = self.by_path.remove(path)?;
        self.by_age.remove(&memory.number);
        self.bytes -= path.len();
        Some(memory.made_ns)
    }

    fn stay_bounded(&mut self) {
        while self.by_path.len() > MAX_PATHS || self.bytes > MAX_BYTES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, path)) = self.by_age.pop_first() {
            self.by_path.remove(&path);
            self.bytes -= path.len();
        }
    }
}

/// How many files are remembered: more than an agent makes before it clears away.
const MAX_PATHS: usize = 65_536;

/// How long all remembered paths may be together.
const MAX_BYTES: usize = 16 << 20;

/// Two ticks of the slowest clock (100 Hz).
const TICK_NS: u64 = 20_000_000;

/// How long a call may take from the guard's sight to the file's birth.
const CALL_NS: u64 = 2_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_lasts_until_it_is_forgotten() {
        let creations = Creations::default();
        creations.forget(b"/z/a");
        assert_eq!(creations.made_ns(b"/z/a"), None);
        creations.remember(b"/z/a", 7);
        assert_eq!(creations.made_ns(b"/z/a"), Some(7));
        assert_eq!(creations.made_ns(b"/z/a/b"), None);
        creations.remember(b"/z/a", 8);
        assert_eq!(creations.made_ns(b"/z/a"), Some(8));
        creations.forget(b"/z/a");
        assert_eq!(creations.made_ns(b"/z/a"), None);
        let table = creations.lock();
        assert!(table.by_path.is_empty() && table.by_age.is_empty() && table.bytes == 0);
    }

    #[test]
    fn what_is_made_where_somebody_s_file_was_replaced_is_nobody_s() {
        let creations = Creations::default();
        creations.replace(b"/z/a");
        creations.remember(b"/z/a", 7);
        assert_eq!(creations.made_ns(b"/z/a"), None);
        creations.carry(b"/z", b"/y");
        creations.remember(b"/y/a", 8);
        assert_eq!(creations.made_ns(b"/y/a"), None);
        creations.forget(b"/y/a");
        creations.remember(b"/y/a", 9);
        assert_eq!(creations.made_ns(b"/y/a"), Some(9));
    }

    #[test]
    fn what_is_below_a_directory_moves_with_it() {
        let creations = Creations::default();
        creations.remember(b"/z/d/a", 1);
        creations.remember(b"/z/d/e/b", 2);
        creations.remember(b"/z/dd/c", 3);
        creations.remember(b"/z/new/a", 9);
        creations.carry(b"/z/d", b"/z/new");
        let made = |path: &str| creations.made_ns(path.as_bytes());
        assert_eq!(made("/z/new/a"), Some(1));
        assert_eq!(made("/z/new/e/b"), Some(2));
        assert_eq!(made("/z/dd/c"), Some(3));
        assert_eq!((made("/z/d/a"), made("/z/d/e/b")), (None, None));
    }

    #[test]
    fn the_oldest_go_first_when_there_are_too_many() {
        let creations = Creations::default();
        let path = |index: usize| format!("/z/{index}").into_bytes();
        for index in 0..MAX_PATHS {
            creations.remember(&path(index), 1);
        }
        // Made again, it is the youngest.
        creations.remember(&path(0), 2);
        creations.remember(b"/z/one more", 3);
        assert_eq!(creations.made_ns(&path(0)), Some(2));
        assert_eq!(creations.made_ns(&path(1)), None);
        assert_eq!(creations.made_ns(&path(2)), Some(1));
    }

    #[test]
    fn long_paths_are_bounded_together() {
        let creations = Creations::default();
        let path = |index: usize| format!("/{index}/{}", "x".repeat(4_000)).into_bytes();
        let count = MAX_BYTES / 4_000 + 1;
        for index in 0..count {
            creations.remember(&path(index), 1);
        }
        assert_eq!(creations.made_ns(&path(0)), None);
        assert_eq!(creations.made_ns(&path(count - 1)), Some(1));
        assert!(creations.lock().bytes <= MAX_BYTES);
    }

    #[test]
    fn births_long_before_or_after_are_somebody_else_s() {
        let made_ns = 10_000_000_000;
        assert!(is_birth_of(made_ns, made_ns));
        assert!(is_birth_of(made_ns, made_ns - TICK_NS));
        assert!(!is_birth_of(made_ns, made_ns - TICK_NS - 1));
        assert!(is_birth_of(made_ns, made_ns + CALL_NS));
        assert!(!is_birth_of(made_ns, made_ns + CALL_NS + 1));
        assert!(!is_birth_of(made_ns, 0));
    }
}
