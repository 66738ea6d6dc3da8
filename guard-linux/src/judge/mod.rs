//! From one notification to its answer.
//!
//! ```text
//! notification ─▶ calls: which call ─▶ callers: whose ─▶ resolve: which objects
//!     ─▶ evaluate: the decision ─┬─ deny ────▶ EPERM
//!                                ├─ perform ─▶ execute: by the guard, on the pinned objects
//!                                └─ continue ▶ by the kernel, for the caller
//! ```
//!
//! Each kind of call has a file: `names` for calls that remove, move or link names, `contents`
//! for those that cut or write files, `attributes` for those that could open the guard's own,
//! `subvolumes` for those that remove whole trees, `mounts` for those that put something else at a
//! path, `processes` for those that change or touch processes. `refusal` has what the kernel refuses
//! whoever asks. `creations` reports what agents make,
//! `preserve` keeps what they take.
//!
//! [`Judge`] answers single calls without a session.

mod attributes;
mod contents;
mod creations;
mod evaluate;
mod execute;
mod mounts;
mod names;
mod pending_call;
mod preserve;
mod processes;
mod refusal;
mod resolve;
mod subvolumes;

pub use crate::sys::notify::Reply;

use crate::arguments::{Start, int_argument};
use crate::callers::Callers;
use crate::calls::{self, Call, NATIVE_ARCH};
use crate::clock;
use crate::directories::Directories;
use crate::notice::{Notices, PendingNotice};
use crate::session_caches::SessionCaches;
use crate::sys::notify::Notification;
use guard_core::guard::{Guard, SharedGuard};
use guard_core::ring::Counter;
use guard_undo::Preservation;
use pending_call::{CallerGone, PathBuffers, PendingCall};
use resolve::PathArgument;
use rustix::fs::AtFlags;
use rustix::io::Errno;
use std::cell::RefCell;
use std::io;
use std::os::fd::BorrowedFd;

/// A system call of the native table, made by a thread that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemCall {
    /// The thread's id.
    pub thread: u32,
    /// The call's number (`SYS_unlinkat`, …).
    pub number: i64,
    /// Its arguments as they are in the registers. Paths are addresses in the thread's memory.
    pub args: [u64; 6],
}

/// Answers calls one by one, as a session's supervisor does, without a session around it: what it
/// allows and performs is done. For tests.
#[derive(Debug)]
pub struct Judge {
    guard: SharedGuard,
    session: SessionCaches,
    worker: WorkerCaches,
}

/// What one worker thread remembers from call to call.
#[derive(Debug, Default)]
pub(crate) struct WorkerCaches {
    pub(crate) callers: Callers,
    pub(crate) directories: Directories,
    buffers: PathBuffers,
    /// What the process that was just denied is to be shown.
    pub(crate) notice: RefCell<Option<PendingNotice>>,
}

// === impl Judge ===

impl Judge {
    /// A judge of the calls of process `root` and its descendants.
    ///
    /// # Errors
    ///
    /// When `/proc` cannot be read.
    pub fn new(guard: SharedGuard, root: u32, preservation: Preservation) -> io::Result<Self> {
        Ok(Self {
            guard,
            session: SessionCaches::new(root, preservation, Notices::default())?,
            worker: WorkerCaches::default(),
        })
    }

    /// Answers a call. A reply other than [`Reply::Continue`] is what the caller gets, and what
    /// there was to do is done.
    pub fn answer(&mut self, call: &SystemCall) -> Reply {
        let data = libc::seccomp_data {
            nr: i32::try_from(call.number).unwrap_or(-1),
            arch: NATIVE_ARCH,
            instruction_pointer: 0,
            args: call.args,
        };
        let notification = Notification {
            id: 0,
            pid: call.thread,
            flags: 0,
            data,
        };
        let (session, worker) = (&self.session, &mut self.worker);
        answer(&self.guard, session, worker, None, &notification)
    }
}

/// Answers a notification of `listener`.
pub(crate) fn answer(
    guard: &Guard,
    session: &SessionCaches,
    worker: &mut WorkerCaches,
    listener: Option<BorrowedFd<'_>>,
    notification: &Notification,
) -> Reply {
    let received_ns = clock::monotonic_ns();
    guard.ring.add(Counter::Notifications, 1);
    let Some(call) = calls::identify(notification.data.arch, notification.data.nr) else {
        return Reply::Continue;
    };
    // A remembered caller may be gone, and another thread have its number: then once more.
    for _ in 0..2 {
        let Some(caller) = worker.callers.get(notification.pid, session) else {
            return without_caller(guard, call);
        };
        let mut pending = PendingCall {
            guard,
            session,
            listener,
            notification,
            caller,
            directories: &mut worker.directories,
            buffers: &mut worker.buffers,
            notice: &worker.notice,
            received_ns,
        };
        match dispatch(&mut pending, call) {
            Ok(reply) => return reply,
            Err(CallerGone) => worker.callers.forget(notification.pid),
        }
    }
    // It is gone, or its `/proc` directory is closed; a caller that is gone gets no answer anyway.
    without_caller(guard, call)
}

/// A caller whose `/proc` directory cannot be read. Calls that destroy fail; those that the guard
/// only observes go on.
fn without_caller(guard: &Guard, call: Call) -> Reply {
    match call {
        Call::Exec
        | Call::Symlink
        | Call::Symlinkat
        | Call::Mknod
        | Call::Mknodat
        | Call::Mkdir
        | Call::Mkdirat
        | Call::ContextChange
        | Call::Landlock
        | Call::RootChange
        | Call::Mount
        | Call::Unmount
        | Call::MoveMount
        | Call::MountChange => Reply::Continue,
        _ => {
            guard.ring.add(Counter::PathsUnresolved, 1);
            Reply::Fail(Errno::PERM)
        }
    }
}

fn at_flags(argument: u64) -> AtFlags {
    AtFlags::from_bits_retain(int_argument(argument).cast_unsigned())
}

fn dispatch(pending: &mut PendingCall<'_>, call: Call) -> Result<Reply, CallerGone> {
    let [a, b, c, d, e, _] = pending.notification.data.args;
    let at = |dirfd, address| PathArgument {
        start: Start::from_argument(dirfd),
        address,
    };
    let here = |address| PathArgument {
        start: Start::WorkingDirectory,
        address,
    };
    match call {
        Call::Unlink => pending.remove(here(a), 0),
        Call::Unlinkat => pending.remove(at(a, b), c),
        Call::Rmdir => pending.remove(here(a), libc::AT_REMOVEDIR.cast_unsigned().into()),
        Call::Rename => pending.rename(here(a), here(b), 0),
        Call::Renameat => pending.rename(at(a, b), at(c, d), 0),
        Call::Renameat2 => pending.rename(at(a, b), at(c, d), e),
        Call::Link => pending.link(here(a), here(b), 0),
        Call::Linkat => pending.link(at(a, b), at(c, d), e),
        Call::Symlink => pending.make(here(b), false),
        Call::Symlinkat => pending.make(at(b, c), false),
        Call::Mknod => pending.make(here(a), false),
        Call::Mknodat => pending.make(at(a, b), false),
        Call::Mkdir => pending.make(here(a), true),
        Call::Mkdirat => pending.make(at(a, b), true),
        Call::Truncate => pending.truncate(here(a), b),
        Call::Ftruncate | Call::Fallocate => pending.ftruncate(a),
        Call::Open => pending.open(here(a), b),
        Call::Creat => {
            let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
            pending.open(here(a), flags.cast_unsigned().into())
        }
        Call::Openat => pending.open(at(a, b), c),
        Call::Openat2 => pending.open2(at(a, b), c, d),
        Call::OpenByHandle => Ok(pending.open_by_handle()),
        Call::DestroySubvolume => pending.destroy_subvolume(a, b, c),
        Call::Chmod => pending.change_attributes(here(a), AtFlags::empty()),
        Call::Lsetxattr => pending.change_attributes(here(a), AtFlags::SYMLINK_NOFOLLOW),
        Call::Fchmodat => pending.change_attributes(at(a, b), AtFlags::empty()),
        Call::Fchmodat2 => pending.change_attributes(at(a, b), at_flags(d)),
        Call::Setxattrat => pending.change_attributes(at(a, b), at_flags(c)),
        Call::Exec => Ok(pending.exec()),
        Call::CloneParent => Ok(pending.clone_parent()),
        Call::Subreaper => Ok(pending.become_subreaper()),
        Call::ContextChange => Ok(pending.change_context()),
        Call::Landlock => Ok(pending.enter_landlock()),
        Call::RootChange => Ok(pending.change_root()),
        Call::Mount => pending.mount(here(a), here(b), d),
        Call::Unmount => pending.unmount(here(a)),
        Call::MoveMount => pending.move_mount(at(a, b), at(c, d), e),
        Call::MountChange => Ok(pending.change_mounts()),
        Call::Ptrace => Ok(pending.touch_process(b)),
        Call::ProcessWrite => Ok(pending.touch_process(a)),
        Call::PidfdGetfd => Ok(pending.touch_pidfd(a)),
    }
}
