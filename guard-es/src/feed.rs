//! The handler of the lineage client: records forks, execs and exits.
//!
//! The messages contain everything that is recorded. A look-up in the process table would be too
//! late for short-lived processes, and would ask the kernel for what the message already has.

use crate::probe::Probe;
use crate::reading::{acting, key_of};
use endpoint_sec::event::{Event, Exec};
use endpoint_sec::{EventType, MessageView, Process};
use guard_core::guard::SharedGuard;
use guard_core::process::{MAX_ARGUMENTS_BYTES, MAX_ENVIRONMENT_BYTES, ProcessDescription};
use std::sync::Arc;

/// The event types that the lineage client subscribes to.
pub(crate) const LINEAGE: [EventType; 3] = [
    EventType::NOTIFY_FORK,
    EventType::NOTIFY_EXEC,
    EventType::NOTIFY_EXIT,
];

/// Records lineage.
pub(crate) struct LineageFeed {
    guard: SharedGuard,
    probe: Arc<Probe>,
    /// Reused, so that its buffers are allocated once.
    description: ProcessDescription,
}

// === impl LineageFeed ===

impl LineageFeed {
    pub(crate) fn new(guard: SharedGuard, probe: Arc<Probe>) -> Self {
        Self {
            guard,
            probe,
            description: ProcessDescription::default(),
        }
    }

    /// Handles one message; types other than [`LINEAGE`] are ignored.
    pub(crate) fn record(&mut self, message: &MessageView<'_>, now_ns: u64) {
        let process = message.process();
        match message.event() {
            Event::Fork(fork) => {
                self.note_orphan(&process, now_ns);
                let child = acting(&fork.child());
                let parent = key_of(process.audit_token());
                self.guard
                    .process_forked(parent, child.key, child.started_ns, now_ns);
            }
            Event::Exec(exec) => {
                self.probe.note_program();
                self.note_orphan(&process, now_ns);
                describe(&exec, &mut self.description);
                let before = key_of(process.audit_token());
                self.guard
                    .program_started(before, &self.description, now_ns);
            }
            Event::Exit(_) => self.guard.process_ended(key_of(process.audit_token())),
            _ => {}
        }
    }

    /// Records a process as an orphan if its fork was never received and its parent has exited. In
    /// the process table it would look like a child of launchd, and what it starts like a person's.
    fn note_orphan(&self, process: &Process<'_>, now_ns: u64) {
        let acting = acting(process);
        if acting.is_orphan() && self.guard.lineage.find(acting.key).is_none() {
            let _entry = self
                .guard
                .process_orphaned(acting.key, acting.started_ns, now_ns);
        }
    }
}

/// Describes the process as it is after an exec.
fn describe(exec: &Exec<'_>, into: &mut ProcessDescription) {
    let after = acting(&exec.target());
    into.key = after.key;
    into.ppid = after.ppid;
    into.uid = after.uid;
    into.started_ns = after.started_ns;
    into.executable.clear();
    into.executable.extend_from_slice(after.executable);
    into.executable_changed_ns = after.executable_changed_ns;
    join(
        exec.arguments().iter(),
        MAX_ARGUMENTS_BYTES,
        &mut into.arguments,
    );
    join(
        exec.environment().iter(),
        MAX_ENVIRONMENT_BYTES,
        &mut into.environment,
    );
}

/// Concatenates words, each followed by a NUL, up to a number of bytes.
fn join<'a>(words: impl Iterator<Item = &'a [u8]>, limit: usize, into: &mut Vec<u8>) {
    into.clear();
    for word in words {
        let left = limit.saturating_sub(into.len());
        if left == 0 {
            return;
        }
        into.extend_from_slice(word.get(..left).unwrap_or(word));
        into.push(0);
    }
    into.truncate(limit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_up_to_the_limit() {
        let mut joined = vec![9];
        let words = [&b"rm"[..], b"", b"-rf"];
        join(words.into_iter(), 100, &mut joined);
        assert_eq!(joined, b"rm\0\0-rf\0");
        join(words.into_iter(), 6, &mut joined);
        assert_eq!(joined, b"rm\0\0-r");
        join(words.into_iter(), 0, &mut joined);
        assert_eq!(joined, b"");
    }
}
