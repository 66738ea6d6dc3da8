//! Process facts from `/proc` (`proc(5)`).

use super::{clock, files};
use guard_core::process::{
    MAX_ARGUMENTS_BYTES, MAX_ENVIRONMENT_BYTES, ProcessDescription, ProcessGone, ProcessKey,
    ProcessSource,
};
use rustix::fs::CWD;
use rustix::param::clock_ticks_per_second;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, BorrowedFd};

/// The fields of `/proc/PID/stat` that the guard needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// The parent's process id.
    pub(crate) ppid: u32,
    /// Start time in clock ticks since boot: the generation of a [`ProcessKey`].
    pub(crate) started_ticks: u64,
}

/// Reads `/proc` for [`Lineage`](guard_core::lineage::Lineage).
#[derive(Debug)]
pub struct ProcFs {
    /// Wall clock nanoseconds at boot.
    boot_ns: u64,
    ticks_per_second: u64,
}

// === impl ProcFs ===

impl ProcFs {
    /// The processes of this PID namespace, read from `/proc`.
    pub fn new() -> Self {
        let wall = clock::wall_ns();
        let since_boot = clock::since_boot_ns();
        Self {
            boot_ns: wall.saturating_sub(since_boot),
            ticks_per_second: clock_ticks_per_second().max(1),
        }
    }

    /// Start ticks as wall clock nanoseconds, rounded up to the next tick: what happened in the
    /// very tick a process started counts as before it.
    pub(crate) fn wall_ns(&self, ticks: u64) -> u64 {
        let nanoseconds = u128::from(ticks + 1) * 1_000_000_000 / u128::from(self.ticks_per_second);
        self.boot_ns
            .saturating_add(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

impl Default for ProcFs {
    fn default() -> Self {
        Self::new()
    }
}

// === impl ProcessSource for ProcFs ===

impl ProcessSource for ProcFs {
    fn describe(&self, pid: u32, into: &mut ProcessDescription) -> Result<(), ProcessGone> {
        let before = stat(pid).map_err(|_| ProcessGone)?;
        let dir = CString::new(format!("/proc/{pid}")).map_err(|_| ProcessGone)?;
        let dir = files::pin_directory(CWD, &dir).map_err(|_| ProcessGone)?;
        let base = dir.as_fd();
        into.key = ProcessKey {
            pid,
            generation: before.started_ticks,
        };
        into.ppid = before.ppid;
        into.started_ns = self.wall_ns(before.started_ticks);
        // What follows may be unreadable (another user's process, a kernel thread): empty then.
        if files::read_link(base, c"exe", &mut into.executable).is_err() {
            into.executable.clear();
        }
        if into.executable.ends_with(DELETED) {
            into.executable
                .truncate(into.executable.len() - DELETED.len());
        }
        into.executable_changed_ns =
            files::stat_path(base, c"exe").map_or(0, |found| found.changed_ns);
        read_bounded(base, c"cmdline", MAX_ARGUMENTS_BYTES, &mut into.arguments);
        read_bounded(
            base,
            c"environ",
            MAX_ENVIRONMENT_BYTES,
            &mut into.environment,
        );
        let mut status = Vec::new();
        read_bounded(base, c"status", STATUS_BYTES, &mut status);
        into.uid = status_number(&status, b"Uid:").unwrap_or(u32::MAX);
        // Same process at the end as at the beginning: nothing above is another's.
        let after = stat(pid).map_err(|_| ProcessGone)?;
        if after.started_ticks == before.started_ticks {
            Ok(())
        } else {
            Err(ProcessGone)
        }
    }
}

/// This process's identity.
#[must_use]
pub fn this_process() -> ProcessKey {
    let pid = std::process::id();
    ProcessKey {
        pid,
        generation: stat(pid).map_or(0, |stat| stat.started_ticks),
    }
}

/// The parent of process `pid`, while it exists.
#[must_use]
pub fn parent_of(pid: u32) -> Option<u32> {
    stat(pid).ok().map(|stat| stat.ppid)
}

/// Clock ticks since boot: what the start time of a process that starts now will be.
pub(crate) fn ticks_since_boot() -> u64 {
    let since_boot_ns = u128::from(clock::since_boot_ns());
    let ticks = since_boot_ns * u128::from(clock_ticks_per_second()) / 1_000_000_000;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// Reads the parent and start time of a process or thread.
pub(crate) fn stat(pid: u32) -> io::Result<Stat> {
    let mut text = [0u8; 1024];
    let mut file = File::open(format!("/proc/{pid}/stat"))?;
    let length = file.read(&mut text)?;
    parse_stat(text.get(..length).unwrap_or_default())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The second field is the command in parentheses and may itself hold any byte, so fields are
/// counted from the last closing parenthesis: the next is field 3.
pub(crate) fn parse_stat(text: &[u8]) -> Option<Stat> {
    let end = text.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let ppid = fields.nth(1)?.parse().ok()?;
    let started_ticks = fields.nth(17)?.parse().ok()?;
    Some(Stat {
        ppid,
        started_ticks,
    })
}

/// The thread group (process) a thread belongs to.
pub(crate) fn process_of_thread(tid: u32) -> io::Result<u32> {
    let status = std::fs::read(format!("/proc/{tid}/status"))?;
    status_number(&status, b"Tgid:").ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The first number after a label in `/proc/PID/status`.
pub(crate) fn status_number(status: &[u8], label: &[u8]) -> Option<u32> {
    let value = status_line(status, label)?;
    let text = std::str::from_utf8(value).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// The rest of the line that starts with `label` in `/proc/PID/status`.
pub(crate) fn status_line<'a>(status: &'a [u8], label: &[u8]) -> Option<&'a [u8]> {
    status
        .split(|&byte| byte == b'\n')
        .find_map(|line| line.strip_prefix(label))
}

/// Reads at most `bound` bytes of a `/proc` file; leaves nothing when it cannot be read.
pub(crate) fn read_bounded(base: BorrowedFd<'_>, name: &CStr, bound: usize, into: &mut Vec<u8>) {
    into.clear();
    let bound = u64::try_from(bound).unwrap_or(u64::MAX);
    if let Ok(fd) = files::open_for_reading(base, name)
        && File::from(fd).take(bound).read_to_end(into).is_err()
    {
        into.clear();
    }
}

/// What the kernel appends to the path of an executable that was removed.
const DELETED: &[u8] = b" (deleted)";

/// `/proc/PID/status` is a few hundred bytes; a long list of groups makes it longer.
pub(crate) const STATUS_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_may_hold_anything() {
        let text = b"12 (a) R 1 (b)) S 7 12 12 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1";
        assert_eq!(
            parse_stat(text),
            Some(Stat {
                ppid: 7,
                started_ticks: 4242
            })
        );
        assert_eq!(parse_stat(b"12 (a"), None);
    }

    #[test]
    fn this_process_describes_itself() {
        let source = ProcFs::new();
        let mut found = ProcessDescription::default();
        source.describe(std::process::id(), &mut found).unwrap();
        assert_eq!(
            found.executable,
            std::env::current_exe()
                .unwrap()
                .as_os_str()
                .as_encoded_bytes()
        );
        assert_eq!(found.key.pid, std::process::id());
        let now = clock::wall_ns();
        assert!(
            found.started_ns <= now + 1_000_000_000,
            "{} {now}",
            found.started_ns
        );
        assert!(
            found.started_ns + 3_600_000_000_000 > now,
            "{} {now}",
            found.started_ns
        );
        assert_eq!(source.describe(u32::MAX / 2, &mut found), Err(ProcessGone));
    }
}
