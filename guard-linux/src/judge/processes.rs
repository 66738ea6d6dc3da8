//! Calls that change the calling process, or reach into another.

use super::{Answered, Case};
use crate::clock;
use crate::directories::int_argument;
use crate::facts::CallFacts;
use crate::files;
use crate::procfs;
use crate::sys::notify::Reply;
use guard_core::decision::decide;
use guard_core::process::ProcessKey;
use guard_core::{Operation, OperationKind};
use rustix::param::clock_ticks_per_second;
use std::ffi::CString;
use std::io::Read;

impl Case<'_> {
    /// `execve`, `execveat`: descent is written down while the parents live. Always goes on.
    pub(super) fn exec(&mut self) -> Answered {
        let wall_ns = clock::wall_ns();
        let process = self.caller.process;
        let parent = procfs::stat(self.caller.ppid)
            .ok()
            .filter(|parent| parent.started_ticks <= process.generation)
            .map(|parent| ProcessKey {
                pid: self.caller.ppid,
                generation: parent.started_ticks,
            });
        let started_ns = self.world.wall_ns(process.generation);
        self.guard
            .program_changes(process, parent, started_ns, wall_ns);
        self.world.process_changes(process.pid);
        Ok(Reply::Continue)
    }

    /// `landlock_restrict_self`: from now on the kernel decides with the caller's own domain.
    pub(super) fn landlock(&mut self) -> Answered {
        let since_boot = clock::since_boot_ns();
        let ticks = u128::from(since_boot) * u128::from(clock_ticks_per_second()) / 1_000_000_000;
        let now_ticks = u64::try_from(ticks).unwrap_or(u64::MAX);
        self.world.confinements.note(self.caller.process, now_ticks);
        self.world.process_changes(self.caller.process.pid);
        Ok(Reply::Continue)
    }

    /// `ptrace` and `process_vm_writev` on one of the guard's own processes.
    pub(super) fn touch_process(&mut self, pid: u64) -> Answered {
        let pid = int_argument(pid);
        if !self.world.shares_pid_namespace(self.caller.base()) {
            return Ok(Reply::Continue);
        }
        Ok(self.judge_touch(pid))
    }

    /// `pidfd_getfd`: the process stands in the descriptor's `fdinfo`.
    pub(super) fn touch_pidfd(&mut self, fd: u64) -> Answered {
        let name = CString::new(format!("fdinfo/{}", int_argument(fd))).unwrap_or_default();
        let mut text = String::new();
        let read = files::open_for_reading(self.caller.base(), &name)
            .map_err(std::io::Error::from)
            .and_then(|fd| std::fs::File::from(fd).read_to_string(&mut text));
        let pid = read.ok().and_then(|_| {
            let line = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
            line.trim().parse::<i32>().ok()
        });
        Ok(pid.map_or(Reply::Continue, |pid| self.judge_touch(pid)))
    }

    /// A thread's id stands for its process.
    fn judge_touch(&self, tid: i32) -> Reply {
        let process = u32::try_from(tid).ok().map(procfs::process_of_thread);
        let Some(Ok(pid)) = process else {
            return Reply::Continue;
        };
        let path = format!("/proc/{pid}");
        let operation = Operation {
            kind: OperationKind::Control,
            path: path.as_bytes(),
            destination: None,
        };
        let snapshot = self.guard.policy.load();
        if !snapshot.touches(&operation) {
            return Reply::Continue;
        }
        let wall_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, wall_ns);
        let decision = decide(&snapshot, &operation, wall_ns, &facts);
        self.refuse_or_continue(&operation, &decision, &facts, wall_ns)
    }
}
