//! Who runs a test's session.
//!
//! The guard serves ordinary people and root alike, and the kernel treats them differently: without
//! privileges the filter needs `no_new_privs`, and `/proc` hides more. Tests started by root run
//! everything twice, the others once.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// A user that sessions run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// Whoever runs the tests.
    Tester {
        /// Whether that is root.
        is_root: bool,
    },
    /// Nobody in particular; only root can become them.
    Ordinary,
}

// === impl User ===

impl User {
    /// All that the tester can be.
    pub(crate) fn all() -> Vec<Self> {
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0);
        let tester = Self::Tester { is_root };
        if is_root {
            vec![tester, Self::Ordinary]
        } else {
            vec![tester]
        }
    }

    pub(crate) fn is_root(self) -> bool {
        self == Self::Tester { is_root: true }
    }

    /// A command that this user runs, with a clean environment.
    pub(crate) fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        if self == Self::Ordinary {
            // Leaves the tester's supplementary groups, too.
            command.uid(ORDINARY_ID).gid(ORDINARY_ID);
        }
        command
    }

    /// Makes a file or directory theirs.
    pub(crate) fn own(self, path: &Path) {
        if self == Self::Ordinary {
            chown(path, Some(ORDINARY_ID), Some(ORDINARY_ID)).unwrap();
        }
    }
}

// === impl Display for User ===

impl std::fmt::Display for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_root() {
            "root"
        } else {
            "an ordinary user"
        })
    }
}

/// No account has it.
const ORDINARY_ID: u32 = 12_345;
