//! The calls behind [`super::libproc`], each behind a safe function.
//!
//! The system fills in plain old data of the `libc` crate's layout, or bytes whose number it
//! returns. Each returned length is checked against the length of the buffer.

use libc::{c_char, c_int, c_void};
use std::ffi::CStr;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::ptr;

/// What `PROC_PIDTBSDINFO` returns about a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessFacts {
    pub(super) ppid: u32,
    /// Real user id.
    pub(super) uid: u32,
    pub(super) started_seconds: u64,
    pub(super) started_microseconds: u64,
    /// The device number of the controlling terminal; `NODEV` for none.
    pub(super) terminal: u32,
}

/// The process at the other end of a local socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketPeer {
    /// Its process id.
    pub pid: u32,
    /// Its effective user id.
    pub uid: u32,
}

unsafe extern "C" {
    /// `<mach/mach_traps.h>`: the name port of another process's task; needs no more right over
    /// it than to see it.
    fn task_name_for_pid(
        target: libc::mach_port_t,
        pid: c_int,
        name: *mut libc::mach_port_t,
    ) -> c_int;
    /// `<mach/mach_port.h>`.
    fn mach_port_deallocate(task: libc::mach_port_t, name: libc::mach_port_t) -> c_int;
    /// `<mach/mach_init.h>`: set before `main`, and never again.
    static mach_task_self_: libc::mach_port_t;
}

/// `TASK_AUDIT_TOKEN` of `<mach/task_info.h>`.
const TASK_AUDIT_TOKEN: libc::task_flavor_t = 15;

/// Words of an audit token, and those that hold the effective user (`audit_token_to_euid`), the process
/// (`audit_token_to_pid`) and its `pidversion` (`audit_token_to_pidversion`).
const TOKEN_WORDS: usize = 8;
const EFFECTIVE_USER_WORD: usize = 1;
const PID_WORD: usize = 5;
const PID_VERSION_WORD: usize = 7;

/// `SOL_LOCAL` and `LOCAL_PEERTOKEN` of `<sys/un.h>`.
const SOL_LOCAL: c_int = 0;
const LOCAL_PEERTOKEN: c_int = 6;

/// `NODEV` of `<sys/param.h>`.
pub(super) const NO_TERMINAL: u32 = u32::MAX;

/// `PROC_PIDPATHINFO_MAXSIZE` of `<sys/proc_info.h>`: four times `MAXPATHLEN`.
const MAX_PATH: usize = 4096;

/// The `pidversion` of a process, which changes with each exec.
pub(super) fn pid_version(pid: u32) -> Option<u64> {
    let pid = c_int::try_from(pid).ok()?;
    // SAFETY: the static is written by the system's initialiser before `main` and read-only after.
    let own = unsafe { mach_task_self_ };
    let mut name = 0;
    // SAFETY: `name` is a live local of the type the call writes; `own` is this task's own port.
    let named = unsafe { task_name_for_pid(own, pid, &raw mut name) };
    if named != libc::KERN_SUCCESS {
        return None;
    }
    let mut token = [0u32; TOKEN_WORDS];
    let mut words = u32::try_from(TOKEN_WORDS).ok()?;
    // SAFETY: the buffer is `words` natural-sized words, as the last argument says, and a token is
    // valid whatever bits it holds. The call writes no more words than the last argument says.
    let status = unsafe {
        libc::task_info(
            name,
            TASK_AUDIT_TOKEN,
            (&raw mut token).cast::<libc::integer_t>(),
            &raw mut words,
        )
    };
    // SAFETY: the right was given to this task by the call above, and is given up once.
    let _freed = unsafe { mach_port_deallocate(own, name) };
    let complete = status == libc::KERN_SUCCESS && usize::try_from(words) == Ok(TOKEN_WORDS);
    token
        .get(PID_VERSION_WORD)
        .filter(|_| complete)
        .map(|&version| u64::from(version))
}

/// Parent, user and start.
pub(super) fn facts(pid: u32) -> Option<ProcessFacts> {
    let pid = c_int::try_from(pid).ok()?;
    let mut info = MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let size = c_int::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: the buffer is one whole `proc_bsdinfo` (`<sys/proc_info.h>`), whose size is passed.
    let filled = unsafe {
        libc::proc_pidinfo(
            pid,
            libc::PROC_PIDTBSDINFO,
            0,
            info.as_mut_ptr().cast::<c_void>(),
            size,
        )
    };
    if filled != size {
        return None;
    }
    // SAFETY: the struct holds integers only, for which zeros and whatever the call wrote are
    // valid.
    let info = unsafe { info.assume_init() };
    Some(ProcessFacts {
        ppid: info.pbi_ppid,
        uid: info.pbi_ruid,
        started_seconds: info.pbi_start_tvsec,
        started_microseconds: info.pbi_start_tvusec,
        terminal: info.e_tdev,
    })
}

/// The leader of the session that a process is in.
pub(super) fn session_leader(pid: u32) -> Option<u32> {
    let pid = c_int::try_from(pid).ok()?;
    // SAFETY: the call takes and returns numbers only.
    let leader = unsafe { libc::getsid(pid) };
    u32::try_from(leader).ok()
}

/// The process that last used the other end of a connected local socket. Who was handed the
/// descriptor is found as soon as it sends.
///
/// # Errors
///
/// When the socket has no other end any more, or that process is gone.
pub fn socket_peer(socket: BorrowedFd<'_>) -> io::Result<SocketPeer> {
    let mut token = [0u32; TOKEN_WORDS];
    let size = libc::socklen_t::try_from(size_of::<[u32; TOKEN_WORDS]>()).unwrap_or(0);
    let mut length = size;
    // SAFETY: the descriptor is open while it is borrowed; the buffer is one whole audit token, whose
    // size is passed, and which is valid whatever bits it holds.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            SOL_LOCAL,
            LOCAL_PEERTOKEN,
            (&raw mut token).cast::<c_void>(),
            &raw mut length,
        )
    };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    match (token.get(PID_WORD), token.get(EFFECTIVE_USER_WORD)) {
        (Some(&pid), Some(&uid)) if length == size => Ok(SocketPeer { pid, uid }),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// The path of the executable as the kernel knows it; empty if it cannot be read.
pub(super) fn executable(pid: u32, into: &mut Vec<u8>) {
    into.clear();
    let Ok(pid) = c_int::try_from(pid) else {
        return;
    };
    into.resize(MAX_PATH, 0);
    let buffer = u32::try_from(into.len()).unwrap_or(0);
    // SAFETY: the buffer is `into`'s own initialised bytes, whose number is passed.
    let length = unsafe { libc::proc_pidpath(pid, into.as_mut_ptr().cast::<c_void>(), buffer) };
    into.truncate(usize::try_from(length).unwrap_or(0));
}

/// The result of `KERN_PROCARGS2`, in `buffer`; empty if the process has exited or is another
/// user's.
pub(super) fn arguments(pid: u32, buffer: &mut Vec<u8>) -> &[u8] {
    let Ok(pid) = c_int::try_from(pid) else {
        return &[];
    };
    if buffer.is_empty() {
        buffer.resize(most_arguments(), 0);
    }
    let mut mib = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
    let mut length = buffer.len();
    let words = u32::try_from(mib.len()).unwrap_or(0);
    // SAFETY: the name has `words` words, and the buffer is `buffer`'s own initialised bytes, whose
    // number is passed and comes back as the number written. Nothing is set.
    let status = unsafe {
        libc::sysctl(
            mib.as_mut_ptr(),
            words,
            buffer.as_mut_ptr().cast::<c_void>(),
            &raw mut length,
            ptr::null_mut(),
            0,
        )
    };
    let length = if status == 0 { length } else { 0 };
    buffer.get(..length).unwrap_or_default()
}

/// `kern.argmax`: the most that arguments and environment can be together, one mebibyte by default.
fn most_arguments() -> usize {
    let mut most: c_int = 0;
    let mut length = size_of::<c_int>();
    // SAFETY: the name is NUL-terminated, the buffer is one live `int`, whose size is passed.
    // Nothing is set.
    let status = unsafe {
        libc::sysctlbyname(
            c"kern.argmax".as_ptr(),
            (&raw mut most).cast::<c_void>(),
            &raw mut length,
            ptr::null_mut(),
            0,
        )
    };
    let most = usize::try_from(most).unwrap_or(0);
    if status == 0 {
        most.max(1 << 20)
    } else {
        1 << 20
    }
}

/// The text value of a sysctl.
pub(super) fn system_text(name: &CStr) -> Option<Vec<u8>> {
    let mut text = vec![0u8; 128];
    let mut length = text.len();
    // SAFETY: the name is NUL-terminated, the buffer is `text`'s own initialised bytes, whose
    // number is passed. Nothing is set.
    let status = unsafe {
        libc::sysctlbyname(
            name.as_ptr(),
            text.as_mut_ptr().cast::<c_void>(),
            &raw mut length,
            ptr::null_mut(),
            0,
        )
    };
    if status != 0 {
        return None;
    }
    text.truncate(length);
    let end = text.iter().position(|&byte| byte == 0);
    text.truncate(end.unwrap_or(length));
    Some(text)
}

/// The process ids in use.
pub(super) fn all_processes() -> Vec<u32> {
    // Twice the processes there are: more may come between the two calls.
    // SAFETY: without a buffer the call only counts.
    let count = unsafe { libc::proc_listallpids(ptr::null_mut(), 0) };
    let buffer = usize::try_from(count).unwrap_or(0) * 2 + 64;
    let mut pids: Vec<c_int> = vec![0; buffer];
    let size = c_int::try_from(buffer * size_of::<c_int>()).unwrap_or(0);
    // SAFETY: the buffer is `pids`' own initialised words, whose size in bytes is passed.
    let filled = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast::<c_void>(), size) };
    pids.truncate(usize::try_from(filled).unwrap_or(0));
    let pids = pids.into_iter().filter_map(|pid| u32::try_from(pid).ok());
    pids.filter(|&pid| pid != 0).collect()
}

/// Whether the volume of this path distinguishes names that differ in case; `None` if it does not
/// answer.
pub(crate) fn is_case_sensitive(path: &CStr) -> Option<bool> {
    // SAFETY: the path is NUL-terminated and only read.
    let answer = unsafe { libc::pathconf(path.as_ptr(), libc::_PC_CASE_SENSITIVE) };
    match answer {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// The name of the file system that this path is on (`apfs`, `hfs`, …).
pub(crate) fn file_system(path: &CStr) -> Option<Vec<u8>> {
    let mut found = MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: the path is NUL-terminated and only read; the buffer is one whole `statfs`.
    let status = unsafe { libc::statfs(path.as_ptr(), found.as_mut_ptr()) };
    if status != 0 {
        return None;
    }
    // SAFETY: the struct holds integers and arrays of them only, for which zeros and whatever the
    // call wrote are valid.
    let found = unsafe { found.assume_init() };
    let name: Vec<u8> = found
        .f_fstypename
        .iter()
        .map(|&letter: &c_char| letter.cast_unsigned())
        .take_while(|&letter| letter != 0)
        .collect();
    Some(name)
}
