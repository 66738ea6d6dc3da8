//! Describes processes with libproc and sysctl.

use super::arguments::ArgumentArea;
use super::sys::{self, ProcessFacts};
use guard_core::process::{
    DescribeProcessError, ProcessDescription, ProcessKey, ProcessSource, TerminalSession,
};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

/// Describes this machine's processes.
#[derive(Debug, Default)]
pub struct LibProc {
    /// `KERN_PROCARGS2` needs a buffer for the longest possible arguments; it is reused.
    buffer: Mutex<Vec<u8>>,
}

/// Describes this machine's processes, and of those of other users, which only root may see whole, what
/// anybody may know: parent, user, start and executable. Of these only programs of the system itself
/// (`launchd`, `login`, `sshd`) are described: what another one does cannot be known.
#[derive(Debug, Default)]
pub struct AnyUsers {
    own: LibProc,
}

/// The identity of this boot (`kern.bootsessionuuid`), as text.
#[must_use]
pub fn boot_session() -> Option<String> {
    let text = sys::system_text(c"kern.bootsessionuuid")?;
    String::from_utf8(text).ok()
}

/// The process ids that are in use now.
#[must_use]
pub fn all_processes() -> Vec<u32> {
    sys::all_processes()
}

/// The parent's process id.
#[must_use]
pub fn parent_of(pid: u32) -> Option<u32> {
    sys::facts(pid).map(|facts| facts.ppid)
}

/// The session that process `pid` is in.
///
/// # Errors
///
/// When the process is gone.
pub fn terminal_session(pid: u32) -> io::Result<TerminalSession> {
    let gone = || io::Error::from(io::ErrorKind::NotFound);
    let facts = sys::facts(pid).ok_or_else(gone)?;
    let terminal = match facts.terminal {
        sys::NO_TERMINAL => 0,
        terminal => u64::from(terminal),
    };
    Ok(TerminalSession {
        leader: sys::session_leader(pid).ok_or_else(gone)?,
        terminal,
    })
}

/// This very process.
#[must_use]
pub fn this_process() -> Option<ProcessKey> {
    let pid = std::process::id();
    let generation = sys::pid_version(pid)?;
    Some(ProcessKey { pid, generation })
}

// === impl LibProc ===

impl LibProc {
    /// Reads a description once. `Some(false)` if the process executed another program meanwhile;
    /// `None` if it has exited.
    fn read(&self, pid: u32, into: &mut ProcessDescription) -> Option<bool> {
        let generation = sys::pid_version(pid)?;
        let facts = sys::facts(pid)?;
        into.key = ProcessKey { pid, generation };
        into.ppid = facts.ppid;
        into.uid = facts.uid;
        into.started_ns = started_ns(&facts);
        sys::executable(pid, &mut into.executable);
        into.executable_changed_ns = changed_ns(&into.executable);
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = sys::arguments(pid, &mut buffer);
        let area = ArgumentArea::parse(answer);
        into.arguments.clear();
        into.arguments.extend_from_slice(area.arguments);
        into.environment.clear();
        into.environment.extend_from_slice(area.environment);
        drop(buffer);
        Some(sys::pid_version(pid)? == generation)
    }
}

impl ProcessSource for LibProc {
    fn describe(
        &self,
        pid: u32,
        into: &mut ProcessDescription,
    ) -> Result<(), DescribeProcessError> {
        for _ in 0..MAX_READS {
            if self.read(pid, into).ok_or(DescribeProcessError::Gone)? {
                return Ok(());
            }
        }
        // It executes one program after another: no description would be consistent.
        Err(DescribeProcessError::Gone)
    }
}

// === impl AnyUsers ===

impl ProcessSource for AnyUsers {
    fn describe(
        &self,
        pid: u32,
        into: &mut ProcessDescription,
    ) -> Result<(), DescribeProcessError> {
        if self.own.describe(pid, into).is_ok() {
            return Ok(());
        }
        let facts = sys::facts(pid).ok_or(DescribeProcessError::Gone)?;
        let own = sys::facts(std::process::id()).ok_or(DescribeProcessError::Gone)?;
        if facts.uid == own.uid {
            // It is gone, or executes one program after another.
            return Err(DescribeProcessError::Gone);
        }
        *into = ProcessDescription {
            key: ProcessKey { pid, generation: 0 },
            ppid: facts.ppid,
            uid: facts.uid,
            started_ns: started_ns(&facts),
            ..ProcessDescription::default()
        };
        sys::executable(pid, &mut into.executable);
        if is_of_the_system(&into.executable) {
            Ok(())
        } else {
            Err(DescribeProcessError::Gone)
        }
    }
}

/// Whether a program is in a directory that System Integrity Protection keeps from everybody, root too
/// (<https://support.apple.com/102149>).
fn is_of_the_system(executable: &[u8]) -> bool {
    let is_below = |dir: &&str| executable.starts_with(dir.as_bytes());
    SYSTEM.iter().any(is_below) && !executable.starts_with(b"/usr/local/")
}

/// The directories that it keeps, but for `/usr/local`.
const SYSTEM: [&str; 4] = ["/System/", "/usr/", "/bin/", "/sbin/"];

fn started_ns(facts: &ProcessFacts) -> u64 {
    facts
        .started_seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(facts.started_microseconds.saturating_mul(1_000))
}

fn changed_ns(executable: &[u8]) -> u64 {
    std::fs::metadata(OsStr::from_bytes(executable)).map_or(0, |found| {
        let seconds = u64::try_from(found.ctime()).unwrap_or(0);
        let nanos = u64::try_from(found.ctime_nsec()).unwrap_or(0);
        seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
    })
}

/// How often a process may execute another program while it is read.
const MAX_READS: usize = 4;
