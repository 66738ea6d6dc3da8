//! One line on the standard error of a process that was denied: what was kept, and how to ask.
//!
//! A bare `EPERM` makes an agent try the same by other means. This line reaches every agent through
//! its command's own output, without anything to be installed.
//!
//! ```text
//! judge           the denied process's standard error is pinned
//! answering       one write that never waits, into a pipe or a socket
//! writing thread  a file, since a disk may be slow, and counts; a full queue loses them
//! ```
//!
//! All of it is done before the denial is answered, so that the line comes before what the process
//! itself says of the denial, never in the middle of it. Only a disk that does not answer within
//! `FILE_TIMEOUT` gets the line later.
//!
//! It guarantees: once for each process group, zone and output, then a count when the group is done;
//! never on a terminal; never more than fits into a pipe at once ([`MAX_NOTICE_BYTES`]); the flags of
//! the output's open file, which its other holders share, stay as they are; nothing is written that
//! the denied process could not have written itself.
//!
//! It deliberately does not word anything ([`NoticeTexts`]), and promises no delivery.

mod groups;
mod output;

pub use output::MAX_NOTICE_BYTES;

use crate::clock;
use crate::sys::signals::SignalSet;
use groups::{Due, GroupKey, Groups};
use guard_core::event::UnpreservedCause;
use guard_core::{OperationKind, Reason};
use output::{Output, Process};
use rustix::process::{Pid, getpgid, test_kill_process_group};
use rustix::thread::set_name;
use std::convert::Infallible;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How notices are worded.
#[derive(Clone, Copy, Debug)]
pub struct NoticeTexts {
    /// The notice of a first denial, with its newline.
    pub first: fn(&KeptObject) -> String,
    /// The notice of how many more there were in the zone of this name, with its newline.
    pub more: fn(u64, Option<&str>) -> String,
}

/// What a denial kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptObject {
    /// The operation that was denied.
    pub operation: OperationKind,
    /// Why.
    pub reason: Reason,
    /// The canonical path.
    pub path: Vec<u8>,
    /// Why it could not be preserved, if it was denied for that.
    pub cause: Option<UnpreservedCause>,
    /// The name and the path of the zone.
    pub zone: Option<(String, Vec<u8>)>,
}

/// The notices of a session.
#[derive(Debug, Default)]
pub(crate) struct Notices(Option<Active>);

#[derive(Debug)]
struct Active {
    texts: NoticeTexts,
    groups: Arc<Mutex<Groups>>,
    queue: SyncSender<PendingNotice>,
    /// Whether the writing thread let [`FILE_TIMEOUT`] pass, and has written nothing since.
    is_stuck: Arc<AtomicBool>,
}

/// A notice that is to be written before its denial is answered.
#[derive(Debug)]
pub(crate) struct PendingNotice {
    kept: KeptObject,
    key: GroupKey,
    output: Output,
    is_written: bool,
    /// Hangs up when it is written, or dropped.
    written: Option<SyncSender<Infallible>>,
}

// === impl Notices ===

impl Notices {
    /// Starts the thread that writes; without texts, nothing is noticed.
    pub(crate) fn start(texts: Option<NoticeTexts>) -> std::io::Result<Self> {
        let Some(texts) = texts else {
            return Ok(Self(None));
        };
        let groups = Arc::new(Mutex::new(Groups::default()));
        let (queue, received) = sync_channel(MAX_QUEUED);
        let is_stuck = Arc::new(AtomicBool::new(false));
        let (counted, stuck) = (Arc::clone(&groups), Arc::clone(&is_stuck));
        thread::Builder::new()
            .name("guard-notices".into())
            .spawn(move || write_all(texts, &counted, &stuck, &received))?;
        Ok(Self(Some(Active {
            texts,
            groups,
            queue,
            is_stuck,
        })))
    }

    /// Counts a denial of the process `pid`, one of whose threads has the directory `base` in `/proc`,
    /// and pins its standard error if it is to be shown.
    pub(crate) fn prepare(
        &self,
        base: BorrowedFd<'_>,
        pid: u32,
        kept: impl FnOnce() -> KeptObject,
        zone: Option<&[u8]>,
    ) -> Option<PendingNotice> {
        let active = self.0.as_ref()?;
        let group = getpgid(Pid::from_raw(pid.cast_signed())).ok()?;
        let process = Process { base, pid };
        let found = Output::find(process)?;
        let key = GroupKey {
            group: group.as_raw_pid(),
            zone: zone.unwrap_or_default().to_vec(),
            output: (found.device, found.inode),
        };
        if !lock(&active.groups).is_first(&key, clock::monotonic_ns()) {
            return None;
        }
        Some(PendingNotice {
            kept: kept(),
            key,
            output: Output::pin(process, found)?,
            is_written: false,
            written: None,
        })
    }

    /// Shows a notice whose denial is about to be answered. Waits for a file alone, and once for a
    /// disk that does not answer.
    pub(crate) fn show(&self, mut notice: PendingNotice) {
        let Some(active) = &self.0 else { return };
        if notice.output.is_written_at_once() {
            notice.write(active.texts);
            let _lost = active.queue.try_send(notice);
            return;
        }
        let (sender, written) = sync_channel(0);
        notice.written = Some(sender);
        // A full queue: a notice is lost, and nothing else.
        let is_queued = active.queue.try_send(notice).is_ok();
        if is_queued
            && !active.is_stuck.load(Ordering::Relaxed)
            && written.recv_timeout(FILE_TIMEOUT) == Err(RecvTimeoutError::Timeout)
        {
            active.is_stuck.store(true, Ordering::Relaxed);
        }
    }

    /// Writes the counts that are still due, when the session is over.
    pub(crate) fn finish(&self) {
        if let Some(active) = &self.0 {
            write_counts(active.texts, lock(&active.groups).take_all());
        }
    }
}

// === impl PendingNotice ===

impl PendingNotice {
    /// Writes it, unless that was done.
    fn write(&mut self, texts: NoticeTexts) {
        if !std::mem::replace(&mut self.is_written, true) {
            self.output.write((texts.first)(&self.kept).as_bytes());
        }
        drop(self.written.take());
    }
}

/// What the writing thread does.
fn write_all(
    texts: NoticeTexts,
    groups: &Mutex<Groups>,
    is_stuck: &AtomicBool,
    received: &Receiver<PendingNotice>,
) {
    let _unnamed = set_name(c"guard-notices");
    // A file may reach the user's limit of its size, and a pipe lose its reader, at any time.
    let _blocked = SignalSet::block(&[libc::SIGXFSZ, libc::SIGPIPE]);
    loop {
        let interval = lock(groups)
            .has_counts()
            .map(|some| if some { COUNT_INTERVAL } else { GROUP_INTERVAL });
        let next = match interval {
            Some(interval) => received.recv_timeout(interval),
            None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(mut notice) => {
                notice.write(texts);
                is_stuck.store(false, Ordering::Relaxed);
                let zone = notice.kept.zone.map(|(name, _)| name);
                lock(groups).keep_output(&notice.key, zone, notice.output.for_later());
            }
            Err(RecvTimeoutError::Timeout) => {
                let now_ns = clock::monotonic_ns();
                let due = lock(groups).take_due(now_ns, is_group_alive);
                write_counts(texts, due);
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn write_counts(texts: NoticeTexts, due: Vec<Due>) {
    for Due {
        more,
        zone,
        mut output,
    } in due
    {
        output.write((texts.more)(more, zone.as_deref()).as_bytes());
    }
}

fn is_group_alive(group: i32) -> bool {
    let alive = Pid::from_raw(group).map(test_kill_process_group);
    alive.is_some_and(|found| found != Err(rustix::io::Errno::SRCH))
}

fn lock(groups: &Mutex<Groups>) -> MutexGuard<'_, Groups> {
    groups.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notices that wait to be written at most.
const MAX_QUEUED: usize = 64;

/// How long a denial's answer waits for a line that goes into a file.
const FILE_TIMEOUT: Duration = Duration::from_millis(250);

/// How often is checked whether a count is due.
const COUNT_INTERVAL: Duration = Duration::from_millis(100);

/// How often is checked which groups are gone.
const GROUP_INTERVAL: Duration = Duration::from_secs(1);
