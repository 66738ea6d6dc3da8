//! The parsers of `/proc` for `fuzz/`, and for nothing else: built with `--cfg fuzzing` only.

use crate::{mounts, procfs};

/// Where else the directory at `location` on mount `id` is, by a mount table
/// (`/proc/PID/mountinfo`).
#[must_use]
pub fn aliases(mountinfo: &[u8], id: u64, location: &[u8]) -> Vec<Vec<u8>> {
    mounts::Mounts::parse(mountinfo).aliases(id, location)
}

/// Parent and start time in `/proc/PID/stat`.
#[must_use]
pub fn parent_and_start(stat: &[u8]) -> Option<(u32, u64)> {
    procfs::parse_stat(stat).map(|stat| (stat.ppid, stat.started_ticks))
}

/// The first number after a label in `/proc/PID/status`.
#[must_use]
pub fn status_number(status: &[u8], label: &[u8]) -> Option<u32> {
    procfs::status_number(status, label)
}
