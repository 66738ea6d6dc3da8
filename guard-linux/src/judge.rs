//! From one notification to its answer.
//!
//! Each kind of call has a file beside this one's folder: [`names`] for calls that remove, move or
//! link names, [`contents`] for those that cut or write files, [`mounts`] for those that put something
//! else at a path, [`processes`] for those that change or touch processes. [`creations`] reports what
//! agents make; [`preserve`] keeps what they take. This file holds what they share.

mod contents;
mod creations;
mod mounts;
mod names;
mod preserve;
mod processes;

use super::callers::{Caller, Callers, ReadPathError};
use super::calls::{self, Call};
use super::clock;
use super::directories::Directories;
use super::facts::CallFacts;
use super::sys::notify::{Notification, Reply};
use super::world::World;
use guard_core::decision::Decision;
use guard_core::event::ActingProcess;
use guard_core::guard::{Circumstances, Guard};
use guard_core::ring::Counter;
use guard_core::verdict::Answer;
use guard_core::{Operation, OperationKind, Verdict};
use rustix::io::Errno;
use std::os::fd::BorrowedFd;

/// What one worker thread remembers from call to call.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) callers: Callers,
    pub(crate) directories: Directories,
    words: Words,
}

/// Buffers for paths, kept for their capacity.
#[derive(Debug, Default)]
struct Words {
    first: Vec<u8>,
    operation: Vec<u8>,
    destination: Vec<u8>,
}

/// One notification being judged.
struct Case<'a> {
    guard: &'a Guard,
    world: &'a World,
    listener: BorrowedFd<'a>,
    notification: &'a Notification,
    caller: &'a Caller,
    directories: &'a mut Directories,
    words: &'a mut Words,
    /// Monotonic clock when the notification was received.
    received_ns: u64,
}

/// Answers a notification.
pub(crate) fn judge(
    guard: &Guard,
    world: &World,
    memory: &mut Memory,
    listener: BorrowedFd<'_>,
    notification: &Notification,
) -> Reply {
    let received_ns = clock::monotonic_ns();
    guard.ring.add(Counter::Notifications, 1);
    let Some(call) = calls::identify(notification.data.arch, notification.data.nr) else {
        return Reply::Continue;
    };
    // A caller that was remembered may be gone, and another have its number: once more, then.
    for _ in 0..2 {
        let Some(caller) = memory.callers.get(notification.pid, world) else {
            return without_caller(guard, call);
        };
        let mut case = Case {
            guard,
            world,
            listener,
            notification,
            caller,
            directories: &mut memory.directories,
            words: &mut memory.words,
            received_ns,
        };
        match case.answer(call) {
            Ok(reply) => return reply,
            Err(CallerGone) => memory.callers.forget(notification.pid),
        }
    }
    // It is gone, or may not be looked at; whoever waits no longer gets no answer anyway.
    without_caller(guard, call)
}

/// What became of an operation.
#[derive(Clone, Copy)]
struct Outcome {
    answer: Answer,
    errno: i32,
    /// Monotonic clock when the verdict was reached.
    decided_ns: u64,
}

/// The caller that was remembered is not the one that asks.
struct CallerGone;

type Answered = Result<Reply, CallerGone>;

/// A caller of which `/proc` says nothing. Calls that destroy fail; those the guard only wants to
/// hear of go on.
fn without_caller(guard: &Guard, call: Call) -> Reply {
    match call {
        Call::Exec
        | Call::Symlink
        | Call::Symlinkat
        | Call::Mknod
        | Call::Mknodat
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

impl Case<'_> {
    fn answer(&mut self, call: Call) -> Answered {
        let args = self.notification.data.args;
        match call {
            Call::Unlink => self.remove(libc::AT_FDCWD.cast_unsigned().into(), args[0], 0),
            Call::Unlinkat => self.remove(args[0], args[1], args[2]),
            Call::Rmdir => self.remove(
                libc::AT_FDCWD.cast_unsigned().into(),
                args[0],
                libc::AT_REMOVEDIR.cast_unsigned().into(),
            ),
            Call::Rename => self.rename(here(args[0]), here(args[1]), 0),
            Call::Renameat => self.rename((args[0], args[1]), (args[2], args[3]), 0),
            Call::Renameat2 => self.rename((args[0], args[1]), (args[2], args[3]), args[4]),
            Call::Link => self.link(here(args[0]), here(args[1]), 0),
            Call::Linkat => self.link((args[0], args[1]), (args[2], args[3]), args[4]),
            Call::Symlink => self.make(here(args[1])),
            Call::Symlinkat => self.make((args[1], args[2])),
            Call::Mknod => self.make(here(args[0])),
            Call::Mknodat => self.make((args[0], args[1])),
            Call::Truncate => self.truncate(args[0]),
            Call::Ftruncate => self.ftruncate(args[0]),
            Call::Open => self.open(here(args[0]), Some(args[1])),
            Call::Creat => {
                let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
                self.open(here(args[0]), Some(flags.cast_unsigned().into()))
            }
            Call::Openat => self.open((args[0], args[1]), Some(args[2])),
            Call::Openat2 => self.open2((args[0], args[1]), args[2], args[3]),
            Call::OpenByHandle => self.open_by_handle(args[0]),
            Call::Exec => self.exec(),
            Call::ContextChange => {
                self.world.process_changes(self.caller.process.pid);
                Ok(Reply::Continue)
            }
            Call::Landlock => self.landlock(),
            Call::RootChange => {
                self.world.root_will_change();
                self.world.process_changes(self.caller.process.pid);
                Ok(Reply::Continue)
            }
            Call::Mount => self.mount(args[0], args[1], args[3]),
            Call::Unmount => self.unmount(args[0]),
            Call::MoveMount => self.move_mount((args[0], args[1]), (args[2], args[3]), args[4]),
            Call::MountChange => self.mount_changes(),
            Call::Ptrace => self.touch_process(args[1]),
            Call::ProcessWrite => self.touch_process(args[0]),
            Call::PidfdGetfd => self.touch_pidfd(args[0]),
        }
    }

    /// Reads a path argument, and makes sure that it was this caller's.
    fn read_path(&self, address: u64, into: &mut Vec<u8>) -> Result<Result<(), Errno>, CallerGone> {
        let read = self.caller.read_path(address, into);
        if read == Err(ReadPathError::Gone)
            || !self.caller.is_asking(self.listener, self.notification.id)
        {
            return Err(CallerGone);
        }
        Ok(match read {
            Ok(()) if into.is_empty() => Err(Errno::NOENT),
            Ok(()) => Ok(()),
            Err(ReadPathError::TooLong) => Err(Errno::NAMETOOLONG),
            Err(ReadPathError::Unreadable) => {
                self.guard.ring.add(Counter::PathsUnresolved, 1);
                Err(Errno::PERM)
            }
            Err(ReadPathError::Fault | ReadPathError::Gone) => Err(Errno::FAULT),
        })
    }

    /// Records the decision.
    fn record(
        &self,
        operation: &Operation<'_>,
        decision: &Decision<'_>,
        facts: &CallFacts<'_>,
        wall_ns: u64,
        outcome: Outcome,
    ) {
        self.guard.record_decision(
            operation,
            decision,
            &Circumstances {
                process: ActingProcess {
                    key: self.caller.process,
                    ppid: self.caller.ppid,
                    uid: self.caller.uid,
                    executable: &self.caller.executable,
                    argv0: b"",
                },
                answer: outcome.answer,
                errno: outcome.errno,
                wall_ns,
                received_ns: self.received_ns,
                decided_ns: outcome.decided_ns,
                deadline_left_ns: None,
                delivery_delay_us: None,
            },
            facts,
        );
    }

    /// Carries out a verdict on a call that the guard does not perform itself.
    fn refuse_or_continue(
        &self,
        operation: &Operation<'_>,
        decision: &Decision<'_>,
        facts: &CallFacts<'_>,
        wall_ns: u64,
    ) -> Reply {
        let decided_ns = clock::monotonic_ns();
        let (reply, answer, errno) = if decision.verdict == Verdict::Deny {
            (Reply::Fail(Errno::PERM), Answer::Denied, libc::EPERM)
        } else {
            (Reply::Continue, Answer::Continued, 0)
        };
        self.record(
            operation,
            decision,
            facts,
            wall_ns,
            Outcome {
                answer,
                errno,
                decided_ns,
            },
        );
        reply
    }
}

/// A path argument that starts at the working directory.
fn here(address: u64) -> (u64, u64) {
    (libc::AT_FDCWD.cast_unsigned().into(), address)
}

/// Puts a directory and a name together.
fn join(location: &[u8], name: &[u8], into: &mut Vec<u8>) {
    into.clear();
    into.extend_from_slice(location);
    if location != b"/" {
        into.push(b'/');
    }
    into.extend_from_slice(name);
}

/// The kinds of operation the guard's own files are protected from besides removal.
const OWN_WRITE: OperationKind = OperationKind::Write;
