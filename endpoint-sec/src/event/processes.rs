//! Events about processes: beginnings, ends, and what one does to another.

use crate::enums::{GetTaskType, ProcCheckType, ProcSuspendResumeType};
use crate::file::File;
use crate::process::{Process, ThreadState};
use crate::raw::entitlements::Entitlements;
use crate::raw::exec::{Arguments, Descriptors, Environment};
use crate::raw::view;

view! {
    /// A process becomes another program. The message's own process is the caller as it was before.
    pub struct Exec<'a>(es_event_exec_t) {
        /// The process as it will be: same process identifier, new version of it, perhaps other
        /// users.
        target: Process<'a>,
        /// The path that was executed, before symbolic links were followed, as the dynamic linker
        /// sees it. Message version 7.
        [maybe 7] dyld_exec_path: Option<&'a [u8]>,
        /// The script that the program interprets, if it was started by one's `#!` line. Message
        /// version 2.
        [maybe 2] script: Option<File<'a>> = anonymous.fields.script,
        /// The working directory. Message version 3.
        [since 3] cwd: File<'a> = anonymous.fields.cwd,
        /// The highest descriptor that is open after the exec. Message version 4.
        [since 4] last_fd: i32 = anonymous.fields.last_fd,
        /// The CPU type of the image (`cpu_type_t`). Message version 6.
        [since 6] image_cputype: i32 = anonymous.fields.image_cputype,
        /// The CPU subtype of the image (`cpu_subtype_t`). Message version 6.
        [since 6] image_cpusubtype: i32 = anonymous.fields.image_cpusubtype,
    }
}

impl<'a> Exec<'a> {
    /// The arguments, the program's own name first.
    #[must_use]
    pub fn arguments(&self) -> Arguments<'a> {
        Arguments::of(self.0)
    }

    /// The environment.
    #[must_use]
    pub fn environment(&self) -> Environment<'a> {
        Environment::of(self.0)
    }

    /// The descriptors that the program starts with; the system may leave some out. Message version
    /// 4: older systems than macOS 11.0 have no function to read them.
    #[must_use]
    pub fn descriptors(&self) -> Option<Descriptors<'a>> {
        (self.0.version() >= 4).then(|| Descriptors::of(self.0))
    }

    /// What the program is entitled to; `None` when it has no entitlements, or before macOS 27.0.
    #[must_use]
    pub fn entitlements(&self) -> Option<Entitlements> {
        Entitlements::of(self.0)
    }
}

view! {
    /// A process is made. The message's own process is the parent.
    pub struct Fork<'a>(es_event_fork_t) {
        /// The new process.
        child: Process<'a>,
    }
}

view! {
    /// The message's process ends.
    pub struct Exit<'a>(es_event_exit_t) {
        /// Its status, as `wait` would give it.
        stat: i32,
    }
}

view! {
    /// A signal is sent to another process. A process that signals itself does not show.
    pub struct Signal<'a>(es_event_signal_t) {
        /// The signal's number; zero checks only whether the process exists.
        sig: i32,
        /// The process that gets it.
        target: Process<'a>,
        /// The process that had launchd send it, if it did. Message version 9.
        [maybe 9] instigator: Option<Process<'a>>,
    }
}

view! {
    /// A process is suspended or resumed.
    pub struct ProcSuspendResume<'a>(es_event_proc_suspend_resume_t) {
        /// The process, if it is known.
        target: Option<Process<'a>>,
        /// What is done.
        kind: ProcSuspendResumeType = type_,
    }
}

view! {
    /// A process is examined with `proc_info`.
    pub struct ProcCheck<'a>(es_event_proc_check_t) {
        /// The process, if it is about one.
        target: Option<Process<'a>>,
        /// The kind of access.
        kind: ProcCheckType = type_,
        /// The flavour of the question.
        flavor: i32,
    }
}

view! {
    /// The task port of another process is obtained, and with it full control.
    pub struct GetTask<'a>(es_event_get_task_t) {
        /// The other process.
        target: Process<'a>,
        /// By which way. Message version 5.
        [since 5] kind: GetTaskType = type_,
    }
}

view! {
    /// The task read port of another process is obtained.
    pub struct GetTaskRead<'a>(es_event_get_task_read_t) {
        /// The other process.
        target: Process<'a>,
        /// By which way. Message version 5.
        [since 5] kind: GetTaskType = type_,
    }
}

view! {
    /// The task inspection port of another process is obtained.
    pub struct GetTaskInspect<'a>(es_event_get_task_inspect_t) {
        /// The other process.
        target: Process<'a>,
        /// By which way. Message version 5.
        [since 5] kind: GetTaskType = type_,
    }
}

view! {
    /// The task name port of another process is obtained.
    pub struct GetTaskName<'a>(es_event_get_task_name_t) {
        /// The other process.
        target: Process<'a>,
        /// By which way. Message version 5.
        [since 5] kind: GetTaskType = type_,
    }
}

view! {
    /// A process begins to be traced. It may come more than once.
    pub struct Trace<'a>(es_event_trace_t) {
        /// The traced process.
        target: Process<'a>,
    }
}

view! {
    /// A thread is made in another process.
    pub struct RemoteThreadCreate<'a>(es_event_remote_thread_create_t) {
        /// The other process.
        target: Process<'a>,
        /// The state the thread starts with, if it is given one.
        thread_state: Option<ThreadState<'a>>,
    }
}

view! {
    /// The protection of memory changes.
    pub struct Mprotect<'a>(es_event_mprotect_t) {
        /// The new protection (`PROT_READ`, `PROT_WRITE`, `PROT_EXEC`).
        protection: i32,
        /// Where the memory begins, in the process's address space.
        address: u64,
        /// How long it is, in bytes.
        size: u64,
    }
}

view! {
    /// The code signature of the message's process becomes invalid: a page does not have the hash
    /// it should have.
    pub struct CsInvalidated<'a>(es_event_cs_invalidated_t) {}
}

view! {
    /// The message's process sets its user (`setuid`).
    pub struct SetUid<'a>(es_event_setuid_t) {
        /// The argument of the call.
        uid: u32,
    }
}

view! {
    /// The message's process sets its group (`setgid`).
    pub struct SetGid<'a>(es_event_setgid_t) {
        /// The argument of the call.
        gid: u32,
    }
}

view! {
    /// The message's process sets its effective user (`seteuid`).
    pub struct SetEuid<'a>(es_event_seteuid_t) {
        /// The argument of the call.
        euid: u32,
    }
}

view! {
    /// The message's process sets its effective group (`setegid`).
    pub struct SetEgid<'a>(es_event_setegid_t) {
        /// The argument of the call.
        egid: u32,
    }
}

view! {
    /// The message's process sets its real and effective user (`setreuid`).
    pub struct SetReuid<'a>(es_event_setreuid_t) {
        /// The first argument of the call.
        ruid: u32,
        /// The second argument of the call.
        euid: u32,
    }
}

view! {
    /// The message's process sets its real and effective group (`setregid`).
    pub struct SetRegid<'a>(es_event_setregid_t) {
        /// The first argument of the call.
        rgid: u32,
        /// The second argument of the call.
        egid: u32,
    }
}
