//! What is known of a caller's program: its arguments, and whether it can be trusted by its name.
//!
//! Read when a decision first asks for it, and kept until the process executes another program. A
//! program that writes other arguments over its own later (`setproctitle`) keeps those it was first
//! seen with.
//!
//! A program that only root can change is older than every agent that is not root, whatever the times
//! of its file: a package manager may replace it while the session runs. That holds if the file and
//! every directory above it are root's and writable by nobody else, in the guard's own mount
//! namespace: in another, anything may be mounted there.

use super::files::{self, FileStat};
use super::procfs::read_bounded;
use guard_core::process::{MAX_ARGUMENTS_BYTES, MAX_ENVIRONMENT_BYTES};
use rustix::fs::{CWD, Mode};
use std::cell::OnceCell;
use std::ffi::CString;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;

/// What is known of a caller's program.
#[derive(Debug)]
pub(crate) struct Program {
    shares_mounts: bool,
    arguments: OnceCell<Box<[u8]>>,
    changed_ns: OnceCell<Option<u64>>,
    loads_other_code: OnceCell<bool>,
}

// === impl Program ===

impl Program {
    pub(crate) const fn new(shares_mounts: bool) -> Self {
        Self {
            shares_mounts,
            arguments: OnceCell::new(),
            changed_ns: OnceCell::new(),
            loads_other_code: OnceCell::new(),
        }
    }

    /// Its arguments, NUL-separated, at most [`MAX_ARGUMENTS_BYTES`]; empty if they cannot be read.
    /// `base` is the caller's `/proc/TID` directory.
    pub(crate) fn arguments(&self, base: BorrowedFd<'_>) -> &[u8] {
        self.arguments.get_or_init(|| {
            let mut arguments = Vec::new();
            let _unreadable = read_bounded(base, c"cmdline", MAX_ARGUMENTS_BYTES, &mut arguments);
            arguments.into()
        })
    }

    /// When the program's file last changed, as far as an agent could have changed it.
    pub(crate) fn changed_ns(
        &self,
        base: BorrowedFd<'_>,
        uid: u32,
        executable: &[u8],
    ) -> Option<u64> {
        *self.changed_ns.get_or_init(|| {
            let found = files::stat_path(base, c"exe").ok()?;
            let is_fixed = uid != ROOT
                && self.shares_mounts
                && is_root_s_alone(&found)
                && is_below_root_s_alone(executable);
            Some(if is_fixed {
                BEFORE_EVERY_AGENT_NS
            } else {
                found.changed_ns
            })
        })
    }

    /// Whether its environment makes the dynamic linker load other code into it than the person's own
    /// environment does, from which the guard's is.
    pub(crate) fn loads_other_code(&self, base: BorrowedFd<'_>) -> bool {
        *self.loads_other_code.get_or_init(|| {
            let mut environment = Vec::new();
            let read = read_bounded(base, c"environ", MAX_ENVIRONMENT_BYTES, &mut environment);
            read.is_err() || is_preloading(&environment, &own_value)
        })
    }
}

/// Whether an environment makes the dynamic linker load code, other than the person's does.
fn is_preloading(environment: &[u8], own_value: &dyn Fn(&str) -> Option<Vec<u8>>) -> bool {
    PRELOADING.iter().any(|name| {
        environment
            .split(|&byte| byte == 0)
            .filter_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
            .any(|value| !value.is_empty() && own_value(name).as_deref() != Some(value))
    })
}

fn own_value(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec)
}

/// Whether every directory above this path is root's, and writable by nobody else.
fn is_below_root_s_alone(path: &[u8]) -> bool {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    path.starts_with(b"/")
        && ends.map(|(end, _)| end.max(1)).all(|end| {
            let directory = CString::new(path.get(..end).unwrap_or_default());
            let found = directory
                .ok()
                .and_then(|path| files::stat_name(CWD, &path).ok());
            found.is_some_and(|found| found.is_directory() && is_root_s_alone(&found))
        })
}

/// An access control list shows in the group's bits.
fn is_root_s_alone(found: &FileStat) -> bool {
    found.uid == ROOT && !found.mode.intersects(Mode::WGRP | Mode::WOTH)
}

const ROOT: u32 = 0;

/// A time before every agent's start.
const BEFORE_EVERY_AGENT_NS: u64 = 1;

/// Variables by which the dynamic linker loads code (`ld.so(8)`). `LD_LIBRARY_PATH` is not among
/// them: many programs set it for what they start.
const PRELOADING: [&str; 2] = ["LD_PRELOAD", "LD_AUDIT"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_person_preloads_is_nobody_s_trick() {
        let own = |name: &str| (name == "LD_PRELOAD").then(|| b"libeatmydata.so".to_vec());
        assert!(!is_preloading(b"A=b\0LD_PRELOAD=libeatmydata.so\0", &own));
        assert!(!is_preloading(b"LD_PRELOAD=\0", &own));
        assert!(is_preloading(b"LD_PRELOAD=/tmp/x.so\0", &own));
        assert!(is_preloading(b"LD_AUDIT=libeatmydata.so\0", &own));
        assert!(!is_preloading(b"MY_LD_PRELOAD=x\0", &own));
    }

    #[test]
    fn only_system_directories_are_root_s_alone() {
        assert!(is_below_root_s_alone(b"/usr/bin/env"));
        assert!(!is_below_root_s_alone(b"/tmp/env"));
        assert!(!is_below_root_s_alone(b"/no/such/directory/env"));
        assert!(!is_below_root_s_alone(b"env"));
    }
}
