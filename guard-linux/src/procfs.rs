//! Process facts from `/proc` (`proc(5)`).

use super::files::FileStat;
use super::{clock, files};
use fnv::FnvHasher;
use guard_core::process::{
    DescribeProcessError, MAX_ARGUMENTS_BYTES, MAX_ENVIRONMENT_BYTES, ProcessDescription,
    ProcessKey, ProcessSource, TerminalSession,
};
use rustix::fs::CWD;
use rustix::param::clock_ticks_per_second;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::str::SplitAsciiWhitespace;

/// The fields of `/proc/PID/stat` that the guard needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// The parent's process id.
    pub(crate) ppid: u32,
    /// Start time in clock ticks since boot: the generation of a [`ProcessKey`].
    pub(crate) started_ticks: u64,
    /// Where its program's code, stack, arguments and environment are, as one number: a fork keeps
    /// them, and executing a program gives others.
    pub(crate) image: Option<u64>,
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
    fn describe(
        &self,
        pid: u32,
        into: &mut ProcessDescription,
    ) -> Result<(), DescribeProcessError> {
        let before = stat(pid).map_err(|error| gone_or_short(&error))?;
        let dir = CString::new(format!("/proc/{pid}")).map_err(|_| DescribeProcessError::Gone)?;
        let dir = files::pin_directory(CWD, &dir).map_err(|errno| gone_or_short(&errno.into()))?;
        let base = dir.as_fd();
        into.key = ProcessKey {
            pid,
            generation: before.started_ticks,
        };
        into.ppid = before.ppid;
        into.started_ns = self.wall_ns(before.started_ticks);
        into.image = before.image;
        // What follows may be unreadable (another user's process, a kernel thread): empty then.
        if files::read_link(base, c"exe", &mut into.executable).is_err() {
            into.executable.clear();
        }
        strip_deleted(&mut into.executable);
        into.executable_changed_ns =
            files::stat_path(base, c"exe").map_or(0, |found| found.changed_ns);
        let mut status = Vec::new();
        for (name, bound, text) in [
            (c"cmdline", MAX_ARGUMENTS_BYTES, &mut into.arguments),
            (c"environ", MAX_ENVIRONMENT_BYTES, &mut into.environment),
            (c"status", STATUS_BYTES, &mut status),
        ] {
            let read = read_bounded(base, name, bound, text);
            if let Some(short) = read.err().filter(is_shortage) {
                return Err(gone_or_short(&short));
            }
        }
        into.uid = status_number(&status, b"Uid:").unwrap_or(u32::MAX);
        into.is_namespace_init = is_namespace_init(&status);
        // Same process at the end as at the beginning: nothing above is another's.
        let after = stat(pid).map_err(|error| gone_or_short(&error))?;
        if after.started_ticks == before.started_ticks {
            Ok(())
        } else {
            Err(DescribeProcessError::Gone)
        }
    }
}

fn gone_or_short(error: &io::Error) -> DescribeProcessError {
    if is_shortage(error) {
        DescribeProcessError::Short
    } else {
        DescribeProcessError::Gone
    }
}

/// Whether a look-up failed for want of the guard's own means: there may be something to be found.
fn is_shortage(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM)
    )
}

/// Drops what the kernel appends to the path of an executable that was removed or replaced.
pub(crate) fn strip_deleted(executable: &mut Vec<u8>) {
    if executable.ends_with(DELETED) {
        executable.truncate(executable.len() - DELETED.len());
    }
}

/// Whether a process is the first of a PID namespace below this procfs's.
fn is_namespace_init(status: &[u8]) -> bool {
    namespace_ids(status)
        .is_some_and(|mut ids| ids.next().is_some() && ids.next_back() == Some(b"1"))
}

/// A process's ids, from the namespace of the procfs down to its own; `None` from a kernel that does
/// not list them.
fn namespace_ids(status: &[u8]) -> Option<impl DoubleEndedIterator<Item = &[u8]>> {
    let ids = status_line(status, b"NSpid:")?.split(u8::is_ascii_whitespace);
    Some(ids.filter(|id| !id.is_empty()))
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

/// Whether `/proc` can be read and has another PID namespace's numbers: then each number in it is
/// another process than the one that the kernel means by it here.
pub(crate) fn is_of_another_namespace() -> bool {
    let link = std::fs::read_link("/proc/self").ok();
    let number = link.and_then(|link| link.to_str()?.parse().ok());
    let status = std::fs::read("/proc/self/status").unwrap_or_default();
    is_foreign(number, std::process::id(), &status)
}

/// From what `/proc/self` leads to, the process's own id and `/proc/self/status`.
fn is_foreign(link: Option<u32>, own: u32, status: &[u8]) -> bool {
    let ids = namespace_ids(status).map(Iterator::count);
    link.is_some_and(|link| link != own) || ids.is_some_and(|ids| ids != 1)
}

/// The parent of process `pid`, while it exists.
#[must_use]
pub fn parent_of(pid: u32) -> Option<u32> {
    stat(pid).ok().map(|stat| stat.ppid)
}

/// The session that process `pid` is in.
///
/// # Errors
///
/// When the process is gone.
pub fn terminal_session(pid: u32) -> io::Result<TerminalSession> {
    let text = std::fs::read(format!("/proc/{pid}/stat"))?;
    parse_terminal_session(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// What a process has open, as far as this one may see it.
pub(crate) fn open_files(pid: u32) -> impl Iterator<Item = FileStat> {
    open_links(pid).filter_map(|link| files::stat_path(CWD, &link).ok())
}

/// The links in `/proc/PID/fd` to what a process has open, as far as this one may see them.
pub(crate) fn open_links(pid: u32) -> impl Iterator<Item = CString> {
    let directory = format!("/proc/{pid}/fd");
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| CString::new(entry.path().into_os_string().into_vec()).ok())
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

fn parse_terminal_session(text: &[u8]) -> Option<TerminalSession> {
    // state, ppid, pgrp, session, tty_nr.
    let mut numbers = fields(text)?.skip(3).map(|field| field.parse::<i64>().ok());
    let (leader, terminal) = (numbers.next()??, numbers.next()??);
    Some(TerminalSession {
        leader: u32::try_from(leader).unwrap_or(0),
        terminal: terminal.unsigned_abs(),
    })
}

/// The fields of `/proc/PID/stat` from the third on. The second is the command in parentheses and may
/// itself hold any byte, so fields are counted from the last closing parenthesis.
fn fields(text: &[u8]) -> Option<SplitAsciiWhitespace<'_>> {
    let end = text.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    Some(rest.split_ascii_whitespace())
}

pub(crate) fn parse_stat(text: &[u8]) -> Option<Stat> {
    let mut fields = fields(text)?;
    let ppid = fields.nth(1)?.parse().ok()?;
    let started_ticks = fields.nth(17)?.parse().ok()?;
    Some(Stat {
        ppid,
        started_ticks,
        image: image(fields),
    })
}

/// From the fields behind the start time, field 23 and on. Without the right to read them they are
/// zero.
fn image<'a>(mut fields: impl Iterator<Item = &'a str>) -> Option<u64> {
    // startcode (26), startstack (28), arg_start (48), env_start (50).
    let mut hasher = FnvHasher::default();
    for skipped in [3, 1, 19, 1] {
        let address: u64 = fields.nth(skipped)?.parse().ok()?;
        if address == 0 {
            return None;
        }
        hasher.write_u64(address);
    }
    Some(hasher.finish())
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
pub(crate) fn read_bounded(
    base: BorrowedFd<'_>,
    name: &CStr,
    bound: usize,
    into: &mut Vec<u8>,
) -> io::Result<()> {
    into.clear();
    let bound = u64::try_from(bound).unwrap_or(u64::MAX);
    let file = File::from(files::open_for_reading(base, name)?);
    let read = file.take(bound).read_to_end(into);
    if read.is_err() {
        into.clear();
    }
    read.map(drop)
}

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
                started_ticks: 4242,
                image: None
            })
        );
        assert_eq!(parse_stat(b"12 (a"), None);
    }

    #[test]
    fn a_fork_has_its_parent_s_image_and_another_program_has_not() {
        let image = |pid| stat(pid).unwrap().image;
        let own = image(std::process::id());
        assert!(own.is_some());
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        // Executing a program, it has no stack for a moment.
        let other = std::iter::repeat_with(|| image(child.id())).find(Option::is_some);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_ne!(other.flatten(), own);
        assert_eq!(image(std::process::id()), own);
    }

    #[test]
    fn the_first_process_of_an_inner_namespace_is_its_init() {
        assert!(is_namespace_init(b"Pid:\t7\nNSpid:\t7\t1\nX:\n"));
        assert!(is_namespace_init(b"NSpid:\t70\t7\t1\n"));
        assert!(!is_namespace_init(b"NSpid:\t7\t3\n"));
        assert!(!is_namespace_init(b"NSpid:\t1\n"));
        assert!(!is_namespace_init(b"Pid:\t1\n"));
    }

    #[test]
    fn numbers_of_another_namespace_are_noticed() {
        assert!(!is_of_another_namespace());
        assert!(!is_foreign(Some(7), 7, b"NSpid:\t7\n"));
        assert!(!is_foreign(None, 7, b""));
        assert!(is_foreign(Some(70), 7, b"NSpid:\t70\t7\n"));
        // By chance the same number in both.
        assert!(is_foreign(Some(7), 7, b"NSpid:\t7\t7\n"));
    }

    #[test]
    fn want_of_descriptors_is_no_sign_of_an_exit() {
        for (errno, expected) in [
            (libc::EMFILE, DescribeProcessError::Short),
            (libc::ENOMEM, DescribeProcessError::Short),
            (libc::ENOENT, DescribeProcessError::Gone),
            (libc::ESRCH, DescribeProcessError::Gone),
        ] {
            let error = io::Error::from_raw_os_error(errno);
            assert_eq!(gone_or_short(&error), expected);
        }
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
        assert_eq!(
            source.describe(u32::MAX / 2, &mut found),
            Err(DescribeProcessError::Gone)
        );
    }
}
