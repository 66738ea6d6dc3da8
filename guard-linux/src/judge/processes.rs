//! Calls that change the calling process, or reach into another.

use super::pending_call::PendingCall;
use crate::arguments::int_argument;
use crate::facts::CallFacts;
use crate::sys::notify::Reply;
use crate::{clock, files, procfs};
use guard_core::actor::FactSource as _;
use guard_core::process::ProcessKey;
use guard_core::{Operation, OperationKind};
use rustix::io::Errno;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read as _};

// === impl PendingCall ===

impl PendingCall<'_> {
    /// `execve`, `execveat`: descent is recorded while the parents live. Always continues.
    pub(super) fn exec(&self) -> Reply {
        let wall_ns = clock::wall_ns();
        let process = self.caller.process;
        let parent = procfs::stat(self.caller.ppid)
            .ok()
            .filter(|parent| parent.started_ticks <= process.generation)
            .map(|parent| ProcessKey {
                pid: self.caller.ppid,
                generation: parent.started_ticks,
            });
        let started_ns = self.session.wall_ns(process.generation);
        self.guard
            .program_changes(process, parent, started_ns, wall_ns);
        self.change_context()
    }

    /// `clone(CLONE_PARENT)`: the child would be its caller's brother, and descend from no agent as far
    /// as anybody can see.
    pub(super) fn clone_parent(&self) -> Reply {
        let facts = CallFacts::new(self.guard, self.caller, clock::wall_ns());
        let may_be_agents = facts.actor().attribution.may_be_agents();
        if facts.is_unexamined() {
            Reply::Fail(Errno::AGAIN)
        } else if may_be_agents {
            Reply::Fail(Errno::PERM)
        } else {
            Reply::Continue
        }
    }

    /// `prctl(PR_SET_CHILD_SUBREAPER)`: from now on it may be the parent of processes that it has not
    /// made.
    pub(super) fn become_subreaper(&self) -> Reply {
        self.guard.process_adopts(self.caller.process);
        Reply::Continue
    }

    /// Calls after which the caller may be another program or have other rights.
    pub(super) fn change_context(&self) -> Reply {
        self.session.process_changes(self.caller.process.pid);
        Reply::Continue
    }

    /// `landlock_restrict_self`: from now on the kernel decides with the caller's own domain.
    pub(super) fn enter_landlock(&self) -> Reply {
        let now_ticks = procfs::ticks_since_boot();
        self.session
            .confinements
            .note(self.caller.process, now_ticks);
        self.change_context()
    }

    /// `chroot`, `pivot_root`.
    pub(super) fn change_root(&self) -> Reply {
        self.session.root_will_change();
        self.change_context()
    }

    /// `ptrace` and `process_vm_writev` on one of the guard's own processes.
    pub(super) fn touch_process(&self, tid: u64) -> Reply {
        if !self.session.shares_pid_namespace(self.caller.base()) {
            return Reply::Continue;
        }
        self.evaluate_control(int_argument(tid))
    }

    /// `pidfd_getfd`: the descriptor's `fdinfo` names the process.
    pub(super) fn touch_pidfd(&self, fd: u64) -> Reply {
        let process = self.process_of_pidfd(int_argument(fd));
        process.map_or(Reply::Continue, |pid| self.evaluate_control(pid))
    }

    fn process_of_pidfd(&self, fd: i32) -> Option<i32> {
        let name = CString::new(format!("fdinfo/{fd}")).ok()?;
        let file = files::open_for_reading(self.caller.base(), &name).ok()?;
        let mut text = String::new();
        let read: io::Result<usize> = File::from(file).read_to_string(&mut text);
        read.ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
        line.trim().parse().ok()
    }

    /// Decides reaching into the process of a thread.
    fn evaluate_control(&self, tid: i32) -> Reply {
        let process = u32::try_from(tid).ok().map(procfs::process_of_thread);
        let Some(Ok(pid)) = process else {
            return Reply::Continue;
        };
        self.evaluate_or_continue(&Operation {
            kind: OperationKind::Control,
            path: format!("/proc/{pid}").as_bytes(),
            destination: None,
        })
    }
}
