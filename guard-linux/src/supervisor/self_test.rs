//! The guard's test of itself, before the command starts.
//!
//! The command's process, under the session's filter already, makes one harmless call twice. The
//! first time it counts as a person's, and must be let through; the second time as an agent's, and it
//! must get the guard's EPERM. So the kernel asks the guard, the guard finds out through `/proc` who
//! asks and what for, and the answer takes effect: what the session's protection rests on has been
//! seen to work in this very process, and is not assumed.
//!
//! The session's own policy, ring and lineage have no part in it, so nothing of the test is recorded.

use crate::clock;
use crate::descriptors;
use crate::judge::{self, Reply, WorkerCaches};
use crate::notice::Notices;
use crate::procfs::{self, ProcFs};
use crate::session::{ProveError, StartGate};
use crate::session_caches::SessionCaches;
use crate::sys::notify;
use guard_core::actor::AgentMatch;
use guard_core::agents::IgnoredMarkers;
use guard_core::guard::Guard;
use guard_core::lineage::Root;
use guard_core::policy::{OwnFile, Platform, Policy, Snapshot, Surroundings};
use guard_core::process::{ProcessDescription, ProcessSource as _};
use guard_core::ring::{Producer, RingOptions};
use guard_undo::Preservation;
use rustix::event::PollFlags;
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

/// Makes the test in process `root`, which waits at `gate`.
///
/// # Errors
///
/// When the guard is not asked, answers wrongly, or is not obeyed.
pub(super) fn prove(
    listener: BorrowedFd<'_>,
    gate: &StartGate,
    root: u32,
) -> Result<(), ProveError> {
    let caches = SessionCaches::new(root, Preservation::Off, Notices::default())
        .map_err(ProveError::NotMade)?;
    let test = Test {
        listener,
        gate,
        caches,
        root,
    };
    let (answer, _whatever_the_kernel_returned) = test.call_of(None)?;
    if answer != Reply::Continue {
        return Err(answered(answer, "a person's process"));
    }
    let agent = AgentMatch {
        label: "self_test".to_owned(),
        ancestor: b"self_test".to_vec(),
        session: Vec::new(),
        by_environment: false,
    };
    let (answer, errno) = test.call_of(Some(agent))?;
    if answer != Reply::Fail(Errno::PERM) {
        return Err(answered(answer, "an agent's process"));
    }
    if errno != libc::EPERM {
        return Err(ProveError::NotObeyed(errno));
    }
    Ok(())
}

struct Test<'a> {
    listener: BorrowedFd<'a>,
    gate: &'a StartGate,
    caches: SessionCaches,
    root: u32,
}

// === impl Test ===

impl Test<'_> {
    /// Has the process make the call, as this agent's or a person's. Returns the guard's answer and
    /// the errno that the process got.
    fn call_of(&self, agent: Option<AgentMatch>) -> Result<(Reply, i32), ProveError> {
        let guard = self.guard(agent).map_err(ProveError::NotMade)?;
        let mut worker = WorkerCaches::default();
        let mut answer = None;
        self.gate.order_test_call().map_err(ProveError::NotMade)?;
        let until = clock::monotonic_ns().saturating_add(DEADLINE_NS);
        while !has_input(self.gate.as_fd(), 0) {
            if clock::monotonic_ns() > until {
                return Err(ProveError::NotAsked);
            }
            if !has_input(self.listener, POLL_MS) {
                continue;
            }
            let Ok(notification) = notify::receive(self.listener) else {
                continue;
            };
            let reply = judge::answer(
                &guard,
                &self.caches,
                &mut worker,
                Some(self.listener),
                &notification,
            );
            // If it is not delivered, the process says so.
            let _delivered = notify::answer(self.listener, notification.id, reply);
            answer = Some(reply);
        }
        let errno = self.gate.test_result().map_err(ProveError::NotMade)?;
        Ok((answer.ok_or(ProveError::NotAsked)?, errno))
    }

    /// A guard whose own file is the process's `/proc` directory.
    fn guard(&self, declared_agent: Option<AgentMatch>) -> io::Result<Guard> {
        let mut root = ProcessDescription::default();
        ProcFs::new()
            .describe(self.root, &mut root)
            .map_err(io::Error::other)?;
        let own = format!("/proc/{}", self.root);
        let surroundings = Surroundings {
            home: b"/",
            platform: Platform::Linux,
            extra_zones: &[],
            own_files: &[OwnFile {
                path: own.as_bytes(),
            }],
            locate: &|path| vec![path.to_vec()],
            session: "",
            started_ns: 0,
        };
        let snapshot = Snapshot::compile(&Policy::default(), &surroundings);
        Ok(Guard::new(
            snapshot.map_err(io::Error::other)?,
            Some(Root {
                key: root.key,
                started_ns: root.started_ns,
                declared_agent,
            }),
            Producer::anonymous(&RingOptions::default()).map_err(io::Error::other)?,
            Vec::new(),
            Box::new(ProcFs::new()),
            procfs::parent_of,
            IgnoredMarkers::default(),
        ))
    }
}

fn has_input(fd: BorrowedFd<'_>, timeout_ms: u16) -> bool {
    descriptors::poll(fd, PollFlags::IN, Some(timeout_ms)).is_ok_and(|found| !found.is_empty())
}

fn answered(answer: Reply, of: &'static str) -> ProveError {
    let answer = format!("{answer:?}");
    ProveError::Answered { answer, of }
}

/// Far more than a call takes on a machine that does anything at all.
const DEADLINE_NS: u64 = 20_000_000_000;

/// How often it is asked whether the process has a result that no notification preceded.
const POLL_MS: u16 = 20;
