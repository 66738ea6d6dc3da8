//! What the worker threads of a session share, and what invalidates their caches.
//!
//! Workers cache callers and directories. Each entry carries a generation, and what makes entries
//! stale advances it here: an exec or a change of credentials for a process's callers, a renamed
//! directory or a changed mount table for directories. A change that the kernel is about to make
//! itself (a call that continues) happens a moment after it was reported, so it also disables the
//! cache for a second.

use super::context::{Confinements, ThreadContext};
use super::file_writes::FileWrites;
use super::mounts::Mounts;
use super::notice::Notices;
use super::procfs::ProcFs;
use super::{
    clock,
    files::{self, Identity},
};
use arc_swap::ArcSwap;
use guard_core::guard::Guard;
use guard_undo::Preservation;
use rustix::fs::CWD;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Shared by all workers of a session.
#[derive(Debug)]
pub(crate) struct SessionCaches {
    /// The guard's own credentials and root.
    pub(crate) guard: ThreadContext,
    /// The guard's process id namespace.
    pid_namespace: Option<Identity>,
    /// The guard's mount namespace.
    mount_namespace: Option<Identity>,
    /// Landlock domains entered in the session.
    pub(crate) confinements: Confinements,
    /// The session's root command.
    pub(crate) session_root: u32,
    /// Advanced when a process's callers must be described again. Written by the worker that is
    /// notified of the change, before it answers; read at the process's next call, which comes after.
    changes: Vec<AtomicU32>,
    /// Advanced when cached directories may have moved.
    directories: AtomicU64,
    /// Monotonic time until which directories are not cached.
    cache_disabled_until_ns: AtomicU64,
    /// Whether any process changed its root directory: then every call checks its caller's.
    root_changes: AtomicBool,
    mounts: ArcSwap<Mounts>,
    processes: ProcFs,
    /// Where losses are preserved.
    pub(crate) preservation: Preservation,
    /// Who writes what agents opened for writing.
    file_writes: FileWrites,
    /// What denied processes are shown.
    pub(crate) notices: Notices,
}

// === impl SessionCaches ===

impl SessionCaches {
    /// Reads the guard's own context. `session_root` is the root command's process id.
    pub(crate) fn new(
        session_root: u32,
        preservation: Preservation,
        notices: Notices,
    ) -> std::io::Result<Self> {
        let guard = ThreadContext::read_own()
            .ok_or_else(|| std::io::Error::other("/proc/self cannot be read: is /proc mounted?"))?;
        Ok(Self {
            guard,
            pid_namespace: files::stat_path(CWD, c"/proc/self/ns/pid")
                .ok()
                .map(|l| l.identity),
            mount_namespace: files::stat_path(CWD, c"/proc/self/ns/mnt")
                .ok()
                .map(|l| l.identity),
            confinements: Confinements::default(),
            session_root,
            changes: (0..CHANGE_SLOTS).map(|_| AtomicU32::new(0)).collect(),
            directories: AtomicU64::new(0),
            cache_disabled_until_ns: AtomicU64::new(0),
            root_changes: AtomicBool::new(false),
            mounts: ArcSwap::from_pointee(Mounts::read("self")?),
            processes: ProcFs::new(),
            preservation,
            file_writes: FileWrites::default(),
            notices,
        })
    }

    /// The generation that a description of a caller of process `pid` carries.
    pub(crate) fn changes_of(&self, pid: u32) -> u32 {
        self.change_slot(pid).load(Ordering::Acquire)
    }

    /// Process `pid` is about to become another program, or somebody else.
    pub(crate) fn process_changes(&self, pid: u32) {
        self.change_slot(pid).fetch_add(1, Ordering::AcqRel);
    }

    fn change_slot(&self, pid: u32) -> &AtomicU32 {
        let index = usize::try_from(pid).unwrap_or(0) % CHANGE_SLOTS;
        self.changes
            .get(index)
            .expect("the index is below the number of slots")
    }

    /// The generation that cached directories carry; `None` while nothing may be cached.
    pub(crate) fn directory_generation(&self, now_ns: u64) -> Option<u64> {
        let count = self.directories.load(Ordering::Acquire);
        (now_ns >= self.cache_disabled_until_ns.load(Ordering::Acquire)).then_some(count)
    }

    /// The guard moved a directory.
    pub(crate) fn invalidate_directories(&self) {
        self.directories.fetch_add(1, Ordering::AcqRel);
    }

    /// The kernel is about to move a directory or change a mount.
    pub(crate) fn disable_directory_cache(&self) {
        let until = clock::monotonic_ns().saturating_add(CACHE_DISABLED_NS);
        self.cache_disabled_until_ns
            .fetch_max(until, Ordering::AcqRel);
        self.invalidate_directories();
    }

    /// A process is about to change its root directory.
    pub(crate) fn root_will_change(&self) {
        self.root_changes.store(true, Ordering::Release);
    }

    /// Whether callers' root directories can have changed without a change of their process:
    /// processes may share one (`CLONE_FS`).
    pub(crate) fn roots_may_change(&self) -> bool {
        self.root_changes.load(Ordering::Acquire)
    }

    /// An agent is about to open the file at this canonical path for writing, or to make it: from now
    /// on it is seen who else writes it.
    pub(crate) fn watch_writes(&self, path: &[u8]) {
        self.file_writes.watch(path);
    }

    /// Takes into account who wrote, until now, what agents opened for writing.
    pub(crate) fn note_writes(&self, guard: &Guard) {
        if let Preservation::Session(recorder) = &self.preservation {
            self.file_writes.take_into_account(recorder, guard);
        }
    }

    /// The guard's mount table.
    pub(crate) fn mounts(&self) -> Arc<Mounts> {
        self.mounts.load_full()
    }

    /// Reads the mount table again, after the kernel reported a change.
    pub(crate) fn reread_mounts(&self) -> std::io::Result<()> {
        self.mounts.store(Arc::new(Mounts::read("self")?));
        self.invalidate_directories();
        Ok(())
    }

    /// A start time in ticks as wall clock nanoseconds.
    pub(crate) fn wall_ns(&self, ticks: u64) -> u64 {
        self.processes.wall_ns(ticks)
    }

    /// Whether the thread whose `/proc/TID` directory is `base` counts processes as the guard does.
    pub(crate) fn shares_pid_namespace(&self, base: BorrowedFd<'_>) -> bool {
        files::stat_path(base, c"ns/pid")
            .ok()
            .map(|found| found.identity)
            == self.pid_namespace
    }

    /// Whether the thread whose `/proc/TID` directory is `base` sees the guard's mounts.
    pub(crate) fn shares_mount_namespace(&self, base: BorrowedFd<'_>) -> bool {
        files::stat_path(base, c"ns/mnt")
            .ok()
            .map(|found| found.identity)
            == self.mount_namespace
    }
}

/// Processes share a slot when their ids are equal modulo this, which costs a description too many
/// at worst.
const CHANGE_SLOTS: usize = 1024;

/// How long a call that goes on in the kernel may take to have happened.
const CACHE_DISABLED_NS: u64 = 1_000_000_000;
