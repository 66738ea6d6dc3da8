//! Whether a caller may do exactly what the guard may do.
//!
//! The guard performs an allowed call itself, on the objects it judged, only for callers whose
//! security context equals its own; for all others the kernel goes on with the caller's call, so
//! that nothing is ever done for a caller that the kernel would refuse it. Equal means: user and
//! group ids, supplementary groups and effective capabilities as `/proc/PID/status` prints them,
//! the user and mount namespaces, and the label of a mandatory access control module. Landlock
//! domains cannot be read from outside; [`Confinements`] keeps them by lineage.
//!
//! Seccomp filters a process adds do not count: every filter decides before the guard is notified.

use super::files::{self, Identity};
use super::procfs::{self, STATUS_BYTES, read_bounded, status_line};
use guard_core::process::ProcessKey;
use rustix::fs::CWD;
use std::collections::HashMap;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// The part of a process's credentials that decides what the kernel lets it do to files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecurityContext {
    ids: Vec<Vec<u8>>,
    user_namespace: Option<(u64, u64)>,
    /// A directory is a mount point, and so not to be removed or moved, only to those who see the
    /// mount.
    mount_namespace: Option<(u64, u64)>,
    label: Vec<u8>,
}

/// What a thread's `/proc` directory contains about its rights.
#[derive(Clone, Debug)]
pub(crate) struct ThreadContext {
    /// Its credentials.
    pub(crate) context: SecurityContext,
    /// Its root directory.
    pub(crate) root: Option<Identity>,
    /// Its real user id.
    pub(crate) uid: u32,
}

/// Which processes entered a Landlock domain since the session began.
#[derive(Debug, Default)]
pub(crate) struct Confinements {
    any: AtomicBool,
    /// When each process restricted itself, in start-time ticks.
    since: Mutex<HashMap<ProcessKey, u64>>,
}

// === impl ThreadContext ===

impl ThreadContext {
    /// Reads the context of the thread whose `/proc/TID` directory is `base`; `None` when it is gone.
    pub(crate) fn read(base: BorrowedFd<'_>) -> Option<Self> {
        let mut status = Vec::new();
        let _unreadable = read_bounded(base, c"status", STATUS_BYTES, &mut status);
        let ids = LABELS
            .iter()
            .map(|label| status_line(&status, label).map(<[u8]>::to_vec))
            .collect::<Option<Vec<_>>>()?;
        let mut label = Vec::new();
        let _unreadable = read_bounded(base, c"attr/current", STATUS_BYTES, &mut label);
        let namespace = |name: &std::ffi::CStr| {
            let found = files::stat_path(base, name).ok()?;
            Some((found.identity.device, found.identity.inode))
        };
        let user_namespace = namespace(c"ns/user");
        let mount_namespace = namespace(c"ns/mnt");
        Some(Self {
            context: SecurityContext {
                ids,
                user_namespace,
                mount_namespace,
                label,
            },
            root: files::stat_path(base, c"root")
                .ok()
                .map(|found| found.identity),
            uid: procfs::status_number(&status, b"Uid:")?,
        })
    }

    /// Whether both see the same mounts.
    pub(crate) fn shares_mounts_with(&self, other: &Self) -> bool {
        let (own, other) = (&self.context, &other.context);
        own.mount_namespace.is_some() && own.mount_namespace == other.mount_namespace
    }

    /// Reads this process's own.
    pub(crate) fn read_own() -> Option<Self> {
        let dir = files::pin_following(CWD, c"/proc/self").ok()?;
        Self::read(dir.as_fd())
    }
}

// === impl Confinements ===

impl Confinements {
    /// Notes that a process is about to restrict itself. It counts as confined from now on, even
    /// if the kernel refuses: that only means its calls go on in the kernel.
    pub(crate) fn note(&self, process: ProcessKey, now_ticks: u64) {
        let mut since = self
            .since
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        since.entry(process).or_insert(now_ticks);
        self.any.store(true, Ordering::Release);
    }

    /// Whether `process` may be in a Landlock domain: it or an ancestor restricted itself before
    /// the child was made, or its ancestry cannot be followed to `root`.
    pub(crate) fn may_confine(&self, process: ProcessKey, root: u32) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let since = self
            .since
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if since.contains_key(&process) {
            return true;
        }
        let (mut pid, mut born) = (process.pid, process.generation);
        for _ in 0..MAX_DEPTH {
            if pid == root {
                return false;
            }
            let Ok(stat) = procfs::stat(pid) else {
                return true;
            };
            let Ok(parent) = procfs::stat(stat.ppid) else {
                return true;
            };
            let key = ProcessKey {
                pid: stat.ppid,
                generation: parent.started_ticks,
            };
            if since.get(&key).is_some_and(|&ticks| ticks <= born) {
                return true;
            }
            if stat.ppid <= 1 {
                return true;
            }
            (pid, born) = (stat.ppid, parent.started_ticks);
        }
        true
    }
}

/// Lines of `/proc/PID/status` (`proc_pid_status(5)`); each of the first two holds the real,
/// effective, saved and file system id.
const LABELS: [&[u8]; 4] = [b"Uid:", b"Gid:", b"Groups:", b"CapEff:"];

/// Deeper process trees than this are not followed.
const MAX_DEPTH: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_equals_itself_and_a_child_of_it() {
        let guard = ThreadContext::read_own().unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let path = std::ffi::CString::new(format!("/proc/{}", child.id())).unwrap();
        let dir = files::pin_following(CWD, &path).unwrap();
        let found = ThreadContext::read(dir.as_fd()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found.context, guard.context);
        assert_eq!(found.root, guard.root);
    }

    #[test]
    fn confinement_is_inherited_from_the_moment_it_began() {
        let confinements = Confinements::default();
        let me = std::process::id();
        let stat = procfs::stat(me).unwrap();
        let child = ProcessKey {
            pid: me,
            generation: stat.started_ticks,
        };
        assert!(!confinements.may_confine(child, 1));
        let parent = procfs::stat(stat.ppid).unwrap();
        let parent = ProcessKey {
            pid: stat.ppid,
            generation: parent.started_ticks,
        };
        confinements.note(parent, stat.started_ticks + 1);
        assert!(
            !confinements.may_confine(child, parent.pid),
            "restricted after the fork"
        );
        confinements.note(
            ProcessKey {
                pid: 1,
                generation: 0,
            },
            0,
        );
        assert!(
            confinements.may_confine(child, u32::MAX),
            "ancestry leaves the session"
        );
    }
}
