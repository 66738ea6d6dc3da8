//! Which files the agents of a session still have open for writing.
//!
//! A backend sees opens, not writes. From time to time its housekeeper asks which of the files that
//! were opened still are: what changes until then is the agents', and not a person's.

use super::own::{OpenFile, Seen};
use super::recorder::{Name, Recorder};
use std::collections::HashSet;
use std::ffi::CString;

// === impl Recorder ===

impl Recorder {
    /// Sees which files agents still have open. `find_open` returns the canonical paths of all that
    /// the session's processes have open for writing; it is not called if no file is concerned. For
    /// a housekeeper, once a second or so.
    pub fn follow_writers(&self, find_open: impl FnOnce() -> HashSet<Vec<u8>>) {
        let files = self.state().touches.watch();
        if files.is_empty() {
            return;
        }
        let open = find_open();
        let see = |file: OpenFile| {
            // What an agent made has no earlier version, and each that changed is kept.
            let changed_ns = if file.made { 0 } else { changed_ns(&file.path) };
            let is_open = open.contains(&*file.path);
            let seen = Seen {
                is_open,
                changed_ns,
            };
            (file, seen)
        };
        let seen: Vec<_> = files.into_iter().map(see).collect();
        let mut state = self.state();
        for (file, seen) in seen {
            state.touches.settle(&file, seen);
        }
    }
}

/// The last change of what is at a path; 0 if nothing is, or it cannot be found by its path.
fn changed_ns(path: &[u8]) -> u64 {
    let Ok(name) = CString::new(path) else {
        return 0;
    };
    let name = Name {
        dir: rustix::fs::CWD,
        name: &name,
    };
    name.stat().map_or(0, |found| found.changed_ns)
}
