//! Processes: forking the session, pidfds, descriptors passed between relatives, dispositions.

use super::check;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Fork {
    /// The new process.
    Child,
    /// The old one, and the new one's id.
    Parent(libc::pid_t),
}

/// How a child changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Ended with this exit status.
    Exited(i32),
    /// Ended by this signal.
    Killed(i32),
    /// Stopped by this signal.
    Stopped(i32),
    /// Went on after a stop.
    Continued,
}

/// Forks. Must be called while the process has one thread; the child may then go on as any
/// program does.
///
/// # Errors
///
/// The kernel's (`EAGAIN`, `ENOMEM`), and `EDEADLK` when other threads run: a fork would copy
/// their locks in whatever state they are.
pub fn fork() -> io::Result<Fork> {
    let threads = std::fs::read_dir("/proc/self/task")
        .map(Iterator::count)
        .unwrap_or(1);
    if threads != 1 {
        return Err(io::Error::from_raw_os_error(libc::EDEADLK));
    }
    // SAFETY: checked above: this is the only thread, so no lock is held by a thread that will not
    // exist in the child.
    let pid = unsafe { libc::fork() };
    match check(libc::c_long::from(pid))? {
        0 => Ok(Fork::Child),
        _ => Ok(Fork::Parent(pid)),
    }
}

/// Replaces this process by `command`, looked up in `PATH` as a shell does. Returns only on error.
pub fn exec(command: &[CString]) -> io::Error {
    let mut pointers: Vec<*const libc::c_char> = command.iter().map(|word| word.as_ptr()).collect();
    pointers.push(std::ptr::null());
    let Some(first) = command.first() else {
        return io::Error::from_raw_os_error(libc::ENOENT);
    };
    // SAFETY: `pointers` is NULL-terminated and each of its strings NUL-terminated and alive.
    unsafe { libc::execvp(first.as_ptr(), pointers.as_ptr()) };
    io::Error::last_os_error()
}

/// Ends this process without running anything of the parent's (no destructors, no `atexit`).
pub fn exit_at_once(status: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(status) }
}

/// Waits for a change of child `pid`; `None` for any child. With `block == false` returns
/// `Ok(None)` when nothing changed.
pub fn wait(pid: Option<libc::pid_t>, block: bool) -> io::Result<Option<(libc::pid_t, Change)>> {
    let mut status = 0;
    let mut flags = libc::WUNTRACED | libc::WCONTINUED;
    if !block {
        flags |= libc::WNOHANG;
    }
    // SAFETY: `status` is writable.
    let changed = unsafe { libc::waitpid(pid.unwrap_or(-1), &raw mut status, flags) };
    if check(libc::c_long::from(changed))? == 0 {
        return Ok(None);
    }
    let change = if libc::WIFEXITED(status) {
        Change::Exited(libc::WEXITSTATUS(status))
    } else if libc::WIFSIGNALED(status) {
        Change::Killed(libc::WTERMSIG(status))
    } else if libc::WIFSTOPPED(status) {
        Change::Stopped(libc::WSTOPSIG(status))
    } else {
        Change::Continued
    };
    Ok(Some((changed, change)))
}

/// Sends a signal to a process.
pub fn kill(pid: libc::pid_t, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    check(libc::c_long::from(unsafe { libc::kill(pid, signal) })).map(drop)
}

/// A pidfd for process `pid`; for one thread of it where `thread` (Linux 6.9).
pub fn pidfd(pid: u32, thread: bool) -> io::Result<OwnedFd> {
    let flags = if thread { PIDFD_THREAD } else { 0 };
    let pid = libc::pid_t::try_from(pid).unwrap_or(-1);
    // SAFETY: no memory is involved.
    let fd = check(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) })?;
    let fd = i32::try_from(fd).map_err(|_| io::ErrorKind::InvalidData)?;
    // SAFETY: the kernel just gave us this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether the process or thread behind a pidfd is still there: a pidfd becomes readable when it
/// ends (`pidfd_open(2)`). Asking so costs half of what sending signal 0 does.
pub fn is_alive(pidfd: BorrowedFd<'_>) -> bool {
    let mut entry = libc::pollfd {
        fd: pidfd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: exactly one entry, which lives across the call.
    let ready = unsafe { libc::poll(&raw mut entry, 1, 0) };
    ready == 0
}

/// Sends one byte and a descriptor over a Unix socket.
pub fn send_descriptor(socket: BorrowedFd<'_>, fd: BorrowedFd<'_>) -> io::Result<()> {
    let mut byte = [0u8; 1];
    let mut part = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let mut control = ControlBuffer([0; CONTROL_BYTES]);
    let message = message_header(&mut part, &mut control);
    // SAFETY: `message` has a control buffer with room for one header and one descriptor.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    // SAFETY: `header` is not null (the buffer is large enough) and aligned, as `ControlBuffer` is.
    let header = unsafe { &mut *header };
    header.cmsg_level = libc::SOL_SOCKET;
    header.cmsg_type = libc::SCM_RIGHTS;
    // SAFETY: arithmetic only.
    header.cmsg_len = unsafe { libc::CMSG_LEN(DESCRIPTOR_BYTES) } as _;
    // SAFETY: the data of a header with room for one descriptor.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: `data` points to room for one descriptor inside the control buffer, maybe unaligned.
    unsafe { data.cast::<i32>().write_unaligned(fd.as_raw_fd()) };
    // SAFETY: every pointer in `message` is to a live local.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
    check(libc::c_long::try_from(sent).unwrap_or(-1)).map(drop)
}

/// Receives what [`send_descriptor`] sent; `UnexpectedEof` when the other side is gone.
pub fn receive_descriptor(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut byte = [0u8; 1];
    let mut part = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let mut control = ControlBuffer([0; CONTROL_BYTES]);
    let mut message = message_header(&mut part, &mut control);
    // SAFETY: every pointer in `message` is to a live, writable local.
    let got =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    if check(libc::c_long::try_from(got).unwrap_or(-1))? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    // SAFETY: `message` was filled by the kernel.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    if header.is_null() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: not null, inside the aligned control buffer.
    let found = unsafe { &*header };
    if (found.cmsg_level, found.cmsg_type) != (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: a header of this kind carries at least one descriptor.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: `data` points to one descriptor inside the control buffer, maybe unaligned.
    let fd = unsafe { data.cast::<i32>().read_unaligned() };
    // SAFETY: the kernel just installed this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[repr(C, align(8))]
struct ControlBuffer([u8; CONTROL_BYTES]);

fn message_header(part: &mut libc::iovec, control: &mut ControlBuffer) -> libc::msghdr {
    // SAFETY: an all-zero `msghdr` is an empty message.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    // SAFETY: arithmetic only.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(DESCRIPTOR_BYTES) } as _;
    message
}

/// `prctl` with one argument.
pub fn prctl(option: i32, argument: u64) -> io::Result<i32> {
    let zero: libc::c_ulong = 0;
    // SAFETY: only called with options whose argument is a number (see the callers: NO_NEW_PRIVS,
    // DUMPABLE, CHILD_SUBREAPER, NAME is not among them).
    let result = unsafe { libc::prctl(option, argument, zero, zero, zero) };
    check(libc::c_long::from(result)).map(|value| i32::try_from(value).unwrap_or(0))
}

/// Names this thread, as `ps -L` shows it.
pub fn name_thread(name: &CStr) {
    // SAFETY: `name` is NUL-terminated; the kernel copies at most 16 bytes.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// Starts a session of its own, away from the terminal.
pub fn new_session() -> io::Result<()> {
    // SAFETY: no preconditions.
    check(libc::c_long::from(unsafe { libc::setsid() })).map(drop)
}

/// Makes `fd` also known as `number` (0, 1, 2).
pub fn become_descriptor(fd: BorrowedFd<'_>, number: i32) -> io::Result<()> {
    // SAFETY: replaces a standard stream, which std reads by number and does not own.
    check(libc::c_long::from(unsafe {
        libc::dup2(fd.as_raw_fd(), number)
    }))
    .map(drop)
}

/// What to do on a signal.
#[derive(Clone, Copy, Debug)]
pub enum Disposition {
    /// As the kernel does by default.
    Default,
    /// Nothing.
    Ignore,
}

/// Sets what happens on `signal`.
pub fn set_disposition(signal: i32, disposition: Disposition) {
    let handler = match disposition {
        Disposition::Default => libc::SIG_DFL,
        Disposition::Ignore => libc::SIG_IGN,
    };
    // SAFETY: neither value is a function that could run.
    unsafe { libc::signal(signal, handler) };
}

/// Whether `signal` is ignored now.
pub fn is_ignored(signal: i32) -> bool {
    // SAFETY: zero is a valid `sigaction` to be overwritten.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `now` is writable; a null new action only reads.
    unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut now) };
    now.sa_sigaction == libc::SIG_IGN
}

/// Ends this process by a signal, as if it had not been caught.
pub fn die_by(signal: i32) -> ! {
    set_disposition(signal, Disposition::Default);
    let nothing = SignalSet::none();
    nothing.restore();
    let _self = kill(std::process::id().cast_signed(), signal);
    // Only a signal that does not kill comes here.
    exit_at_once(128 + signal)
}

/// Stops this process by a stop signal that the calling thread blocks, if `still` says so; returns
/// when it is continued. A `SIGCONT` that comes between the question and the stop takes the stop
/// back, as it does for any other pending stop signal.
pub fn stop_by(signal: i32, still: impl FnOnce() -> bool) {
    // SAFETY: no memory is involved. The signal is the calling thread's, and waits.
    unsafe { libc::raise(signal) };
    let (set, _) = SignalSet::block(&[signal]);
    if still() {
        // SAFETY: a valid set; a null old set is not written.
        unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set.0, std::ptr::null_mut()) };
        // Here it stops.
        let _blocked_again = SignalSet::block(&[signal]);
    } else {
        let _taken_back = set.wait(Duration::ZERO);
    }
}

/// Whether this process has an effective capability.
pub fn has_capability(number: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = line.and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
    set.is_some_and(|set| set & (1 << number) != 0)
}

/// A set of blocked signals, read one by one.
#[derive(Debug)]
pub struct SignalSet(libc::sigset_t);

impl SignalSet {
    /// No signal.
    pub fn none() -> Self {
        // SAFETY: zero is valid storage for a set that `sigemptyset` makes.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` is writable.
        unsafe { libc::sigemptyset(&raw mut set) };
        Self(set)
    }

    /// Has `command` begin with this mask, whatever its parent's is.
    pub fn begin_with(self, command: &mut Command) {
        let begin = move || {
            self.restore();
            Ok(())
        };
        // SAFETY: between fork and exec it sets a mask from memory that it owns, by a call that is
        // async-signal-safe, and allocates nothing.
        unsafe { command.pre_exec(begin) };
    }

    /// Blocks these signals for the calling thread and the threads it starts; returns the set and
    /// the mask as it was.
    pub fn block(signals: &[i32]) -> (Self, Self) {
        // SAFETY: zero is valid storage for a set that `sigemptyset` makes.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut old: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` is writable.
        unsafe { libc::sigemptyset(&raw mut set) };
        for &signal in signals {
            // SAFETY: `set` was made by `sigemptyset`.
            unsafe { libc::sigaddset(&raw mut set, signal) };
        }
        // SAFETY: both sets are valid.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut old) };
        (Self(set), Self(old))
    }

    /// The same set, for another thread.
    pub fn copy(&self) -> Self {
        Self(self.0)
    }

    /// Makes this the calling thread's mask.
    pub fn restore(&self) {
        // SAFETY: a valid set; a null old set is not written.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut())
        };
    }

    /// Waits for one of the signals; `None` when the time is over. Tells the signal, its code
    /// (`SI_USER`, `SI_KERNEL`, …) and the sender.
    pub fn wait(&self, patience: Duration) -> Option<(i32, i32, libc::pid_t)> {
        // SAFETY: zero is valid storage to be overwritten.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let timeout = libc::timespec {
            tv_sec: libc::time_t::try_from(patience.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(patience.subsec_nanos().cast_signed()),
        };
        // SAFETY: all three live across the call.
        let signal =
            unsafe { libc::sigtimedwait(&raw const self.0, &raw mut info, &raw const timeout) };
        if signal <= 0 {
            return None;
        }
        // SAFETY: for the signals waited for (`SI_USER`, `SIGCHLD`, `SI_KERNEL`) the sender's field
        // is set or zero.
        let sender = unsafe { info.si_pid() };
        Some((signal, info.si_code, sender))
    }
}

/// Bounds this process's resource `resource` to `soft`, keeping the hard bound.
pub fn set_soft_limit(resource: libc::__rlimit_resource_t, soft: u64) -> io::Result<()> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is writable.
    check(libc::c_long::from(unsafe {
        libc::getrlimit(resource, &raw mut limit)
    }))?;
    limit.rlim_cur = soft.min(limit.rlim_max);
    // SAFETY: `limit` is valid.
    check(libc::c_long::from(unsafe {
        libc::setrlimit(resource, &raw const limit)
    }))
    .map(drop)
}

/// How many descriptors this process may have.
pub fn descriptor_limit() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is writable.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    limit.rlim_cur
}

/// Clock ticks a second, the unit of start times in `/proc/PID/stat`.
pub fn ticks_per_second() -> u64 {
    // SAFETY: no memory is involved.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) })
        .unwrap_or(100)
        .max(1)
}

/// A clock's time in nanoseconds.
pub fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is writable; the clocks asked for always exist.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

const DESCRIPTOR_BYTES: u32 = 4;

/// `CMSG_SPACE(4)` is 24 on 64-bit Linux; twice that is room enough.
const CONTROL_BYTES: usize = 48;

/// `include/uapi/linux/pidfd.h`: `O_EXCL`.
const PIDFD_THREAD: u32 = 0o200;
