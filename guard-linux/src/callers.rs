//! The threads whose calls arrive, remembered between calls.
//!
//! A thread's first call costs several reads of `/proc/TID`; later ones cost one system call, which
//! proves that the thread is still the one that was described. That proof comes *after* its memory
//! was read: a path that another process left at the same address never counts as this caller's.

use super::context::ThreadContext;
use super::descriptors;
use super::files::{self, Identity, PATH_MAX};
use super::procfs;
use super::program::Program;
use super::session_caches::SessionCaches;
use super::sys::{memory, notify};
use guard_core::process::ProcessKey;
use rustix::event::PollFlags;
use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::HashMap;
use std::ffi::CString;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

/// A thread that makes judged calls.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Its thread id.
    pub(crate) tid: u32,
    /// Its process.
    pub(crate) process: ProcessKey,
    /// Its process's parent.
    pub(crate) ppid: u32,
    /// Its real user id.
    pub(crate) uid: u32,
    /// Path of its program.
    pub(crate) executable: Vec<u8>,
    /// Its `/proc/TID` directory.
    pub(crate) dir: OwnedFd,
    /// Whether it may do exactly what the guard may do.
    pub(crate) equals_guard: bool,
    /// Whether its root directory is the guard's.
    pub(crate) shares_root: bool,
    /// What is known of its program, once it was asked for.
    pub(crate) program: Program,
    root: Option<Identity>,
    memory: Option<OwnedFd>,
    proof: Proof,
    changes: u32,
}

/// What proves that a thread still exists.
#[derive(Debug)]
enum Proof {
    /// A pidfd of the thread itself.
    Pidfd(OwnedFd),
    /// Its start time: for threads other than the first, before Linux 6.9.
    Started(u64),
}

/// The callers a worker remembers.
#[derive(Debug)]
pub(crate) struct Callers {
    known: HashMap<u32, Caller>,
    capacity: usize,
}

/// Why an argument cannot be read from a caller's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadPathError {
    /// The pointer leads nowhere: `EFAULT`.
    Fault,
    /// No NUL in [`PATH_MAX`] bytes: `ENAMETOOLONG`.
    TooLong,
    /// The guard may not read the caller's memory.
    Unreadable,
    /// The caller is gone.
    Gone,
}

// === impl Callers ===

impl Default for Callers {
    fn default() -> Self {
        let left = descriptors::limit().saturating_sub(OTHER_DESCRIPTORS);
        // The other half is the spare threads'.
        let capacity = usize::try_from(left / 2).unwrap_or(usize::MAX) / DESCRIPTORS_EACH;
        Self {
            known: HashMap::new(),
            capacity: capacity.clamp(1, MAX_CALLERS),
        }
    }
}

impl Callers {
    /// The caller behind a thread id, described again if it may have changed; `None` when it is gone.
    pub(crate) fn get(&mut self, tid: u32, caches: &SessionCaches) -> Option<&Caller> {
        let fresh = self
            .known
            .get(&tid)
            .is_some_and(|caller| caller.is_fresh(caches));
        if !fresh {
            if self.known.len() >= self.capacity {
                self.forget_dead();
            }
            if self.known.len() >= self.capacity {
                self.known.clear();
            }
            self.known.remove(&tid);
            let found = Caller::describe(tid, caches).or_else(|| {
                // Perhaps there were no descriptors left.
                self.known.clear();
                Caller::describe(tid, caches)
            });
            self.known.insert(tid, found?);
        }
        self.known.get(&tid)
    }

    /// Forgets one caller.
    pub(crate) fn forget(&mut self, tid: u32) {
        self.known.remove(&tid);
    }

    /// Forgets the callers that are gone.
    pub(crate) fn forget_dead(&mut self) {
        self.known.retain(|_, caller| caller.is_still_there());
    }
}

// === impl Caller ===

impl Caller {
    fn describe(tid: u32, caches: &SessionCaches) -> Option<Self> {
        let path = CString::new(format!("/proc/{tid}")).ok()?;
        let dir = files::pin_directory(CWD, &path).ok()?;
        let base = dir.as_fd();
        // The count comes first: a change reported after this makes the description stale.
        let tgid = procfs::process_of_thread(tid).ok()?;
        let changes = caches.changes_of(tgid);
        let thread = ThreadContext::read(base)?;
        let stat = procfs::stat(tgid).ok()?;
        let process = ProcessKey {
            pid: tgid,
            generation: stat.started_ticks,
        };
        let confined = caches
            .confinements
            .may_confine(process, caches.session_root);
        let mut executable = Vec::new();
        if files::read_link(base, c"exe", &mut executable).is_err() {
            executable.clear();
        }
        procfs::strip_deleted(&mut executable);
        let proof = match pidfd(tid, tid != tgid) {
            Ok(fd) => Proof::Pidfd(fd),
            Err(_) => Proof::Started(procfs::stat(tid).ok()?.started_ticks),
        };
        Some(Self {
            tid,
            process,
            ppid: stat.ppid,
            uid: thread.uid,
            executable,
            equals_guard: thread.context == caches.guard.context && !confined,
            shares_root: thread.root.is_some() && thread.root == caches.guard.root,
            program: Program::new(thread.shares_mounts_with(&caches.guard)),
            root: thread.root,
            memory: files::open_for_reading(base, c"mem").ok(),
            dir,
            proof,
            changes,
        })
    }

    fn is_fresh(&self, caches: &SessionCaches) -> bool {
        self.changes == caches.changes_of(self.process.pid)
            && (!caches.roots_may_change()
                || files::stat_path(self.base(), c"root")
                    .ok()
                    .map(|found| found.identity)
                    == self.root)
    }

    /// Whether the thread that was described still exists.
    pub(crate) fn is_still_there(&self) -> bool {
        match &self.proof {
            Proof::Pidfd(fd) => is_alive(fd.as_fd()),
            Proof::Started(ticks) => {
                procfs::stat(self.tid).is_ok_and(|stat| stat.started_ticks == *ticks)
            }
        }
    }

    /// Its `/proc/TID` directory, as the start of a path.
    pub(crate) fn base(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Reads the path at `address`, without its NUL.
    pub(crate) fn read_path(&self, address: u64, into: &mut Vec<u8>) -> Result<(), ReadPathError> {
        into.clear();
        let mut chunk = [0u8; CHUNK];
        while into.len() < PATH_MAX {
            let at = address.wrapping_add(into.len() as u64);
            // Never across a page: what follows may not be mapped, though the path ends before.
            let in_page = PAGE - usize::try_from(at % PAGE as u64).unwrap_or(0);
            let length = in_page.min(CHUNK).min(PATH_MAX - into.len());
            let room = chunk.get_mut(..length).unwrap_or_default();
            let read = self.read(at, room)?;
            let got = room.get(..read).unwrap_or_default();
            if let Some(end) = got.iter().position(|&byte| byte == 0) {
                into.extend_from_slice(got.get(..end).unwrap_or_default());
                // `/proc/PID/mem` also reads pages that the process itself may not.
                if into.is_empty() && self.may_not_read(address) {
                    return Err(ReadPathError::Fault);
                }
                return Ok(());
            }
            into.extend_from_slice(got);
        }
        Err(ReadPathError::TooLong)
    }

    /// Reads exactly `count` bytes at `address`.
    pub(crate) fn read_exactly(
        &self,
        address: u64,
        count: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadPathError> {
        into.clear();
        into.resize(count, 0);
        let read = self.read(address, into)?;
        if read == count {
            Ok(())
        } else {
            Err(ReadPathError::Fault)
        }
    }

    fn may_not_read(&self, address: u64) -> bool {
        memory::read_of(self.tid, address, &mut [0]) == Err(Errno::FAULT)
    }

    fn read(&self, address: u64, into: &mut [u8]) -> Result<usize, ReadPathError> {
        let read = match &self.memory {
            Some(memory) => rustix::io::pread(memory, &mut *into, address),
            None => memory::read_of(self.tid, address, into),
        };
        match read {
            Ok(0) => Err(ReadPathError::Gone),
            Ok(count) => Ok(count),
            Err(error) => Err(match error {
                Errno::SRCH => ReadPathError::Gone,
                Errno::PERM | Errno::ACCESS => ReadPathError::Unreadable,
                _ => ReadPathError::Fault,
            }),
        }
    }

    /// Whether a notification read before is still this caller's.
    pub(crate) fn is_asking(&self, listener: Option<BorrowedFd<'_>>, id: u64) -> bool {
        match &self.proof {
            Proof::Pidfd(_) => self.is_still_there(),
            Proof::Started(_) => {
                let waits = |listener| notify::is_waiting(listener, id);
                self.is_still_there() && listener.is_none_or(waits)
            }
        }
    }
}

/// A pidfd for process `pid`; for one thread of it where `thread` (Linux 6.9).
fn pidfd(pid: u32, thread: bool) -> rustix::io::Result<OwnedFd> {
    let flags = if thread {
        PIDFD_THREAD
    } else {
        PidfdFlags::empty()
    };
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pidfd_open(pid.ok_or(Errno::SRCH)?, flags)
}

/// Whether the process or thread behind a pidfd is still there: a pidfd becomes readable when it
/// ends (`pidfd_open(2)`). This costs half of what sending signal 0 does.
fn is_alive(pidfd: BorrowedFd<'_>) -> bool {
    descriptors::poll(pidfd, PollFlags::IN, Some(0)).is_ok_and(|found| found.is_empty())
}

/// `include/uapi/linux/pidfd.h`: `O_EXCL`.
const PIDFD_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(0o200);

/// Threads remembered at most; then the dead are forgotten, and if that is not enough, all.
const MAX_CALLERS: usize = 1024;

/// Descriptors a remembered caller takes: its `/proc` directory, its memory, its pidfd.
const DESCRIPTORS_EACH: usize = 3;

/// Descriptors for everything else: remembered directories (128), the ring, the policy.
pub(crate) const OTHER_DESCRIPTORS: u64 = 160;

/// Most paths are shorter; longer ones take more reads.
const CHUNK: usize = 256;

/// The smallest page size: reading in smaller steps than the machine's pages is only slower.
const PAGE: usize = 4096;
