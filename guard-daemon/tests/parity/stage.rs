//! Where a sequence of operations is performed and written down.

use crate::calls::Outcome;
use crate::house::{House, demolish};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

/// A named part of the sequence.
pub type Act = (&'static str, fn(&mut Stage));

/// One act's tree, and the record of what happened on it.
#[derive(Debug)]
pub struct Stage {
    /// The tree; the working directory is in it.
    pub house: House,
    as_built: String,
    record: File,
}

// === impl Stage ===

impl Stage {
    /// Writes down what a call returned. After a success the tree is written down as well and put
    /// back as it was.
    pub fn attempt(&mut self, what: &str, call: impl FnOnce() -> Outcome) {
        let came = call();
        match came {
            Ok(value) => {
                let tree = self.house.listing();
                if tree == self.as_built {
                    self.write(&format!("{what}: {value}, no change"));
                } else {
                    self.write(&format!("{what}: {value}{tree}"));
                    self.house.rebuild();
                }
            }
            Err(errno) => self.write(&format!("{what}: {}", name_of(errno))),
        }
    }

    /// Writes down what a call returned, and leaves the tree as it is.
    pub fn note(&mut self, what: &str, came: Outcome) {
        match came {
            Ok(value) => self.write(&format!("{what}: {value}")),
            Err(errno) => self.write(&format!("{what}: {}", name_of(errno))),
        }
    }

    /// Writes down the tree as it is.
    pub fn note_tree(&mut self, what: &str) {
        let tree = self.house.listing();
        self.write(&format!("{what}:{tree}"));
    }

    /// Writes a line.
    pub fn write(&mut self, line: &str) {
        writeln!(self.record, "{line}").expect("the record is an open file");
    }
}

/// Performs each act in a process of its own, and leaves its record beside its tree in `dir`: what
/// one act does to its process (another root, fewer rights) does not reach the next.
pub fn perform(dir: &Path, elsewhere: &Path, builder: &Path, acts: &[Act]) {
    for (name, act) in acts {
        let place = dir.join(name);
        let record = File::create(dir.join(format!("{name}.record"))).expect("dir is ours");
        let status = in_child(|| {
            // SAFETY: no preconditions. A call that never returns ends the act, not the test.
            unsafe { libc::alarm(ACT_SECONDS) };
            let house = House::new(&place, elsewhere, builder);
            let record = record.try_clone().expect("descriptors suffice");
            let mut stage = Stage {
                as_built: house.listing(),
                house,
                record,
            };
            act(&mut stage);
        });
        let mut record = record;
        writeln!(record, "ended: {status}").expect("the record is an open file");
        std::env::set_current_dir("/").expect("the root directory is there");
        demolish(&place);
    }
}

/// The records of [`perform`], each line with its act's name.
pub fn records(dir: &Path, acts: &[Act]) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, _) in acts {
        let text = fs::read(dir.join(format!("{name}.record"))).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        lines.extend(text.lines().map(|line| format!("{name}: {line}")));
    }
    lines
}

/// Runs `work` in a child process and returns its wait status; a panic is status 101.
pub fn in_child(work: impl FnOnce()) -> i32 {
    // SAFETY: with `--test-threads=1` the test runs on the process's only thread, so the child
    // inherits no lock that nobody will release.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // SAFETY: ends the child at once, without the parent's destructors.
        unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) };
    }
    let mut status = 0;
    // SAFETY: `status` is writable.
    while unsafe { libc::waitpid(pid, &raw mut status, 0) } != pid {}
    status
}

/// An errno in words.
fn name_of(errno: i32) -> String {
    std::io::Error::from_raw_os_error(errno).to_string()
}

/// Long enough for a busy machine; a hang shows as the act's end by `SIGALRM`.
const ACT_SECONDS: u32 = 300;
