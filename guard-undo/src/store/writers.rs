//! Which files the agents of a session still have open for writing.
//!
//! A backend is asked about opens, not about writes. From time to time its housekeeper asks which of
//! the files that were opened still are: what changes until then is the agents', and not a person's.
//! Where it can, a backend also reports each write and each end of writing, in their order, whoever
//! does it.

use super::own::{OpenFile, Seen};
use super::recorder::{Name, Recorder};
use std::collections::HashSet;
use std::ffi::CString;

// === impl Recorder ===

impl Recorder {
    /// The file at this canonical path was written. Returns whether no agent has it open, so that this
    /// is somebody else's, and the first since an agent opened it.
    pub fn written(&self, path: &[u8]) -> bool {
        self.state().touches.write(path)
    }

    /// Somebody ended writing the file at this canonical path.
    pub fn closed(&self, path: &[u8]) {
        self.state().touches.close(path);
    }

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
