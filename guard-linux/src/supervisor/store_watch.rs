//! Keeping agents from listing the undo store where modes do not: the privileged are not stopped by
//! a mode, but can be asked about opens (`fanotify(7)`).
//!
//! Who is not privileged cannot ask, and needs not: there the mode of the store's directory does it.

use crate::sys::fanotify::{self, OpenRequest};
use crate::{clock, procfs};
use guard_core::guard::SharedGuard;
use guard_core::process::ProcessKey;
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::thread;

/// Starts the thread that answers opens of these directories, if this process may ask for them.
///
/// # Errors
///
/// When the thread cannot be started, or a directory not be marked.
pub(super) fn start(guard: SharedGuard, directories: &[PathBuf]) -> std::io::Result<()> {
    let group = match fanotify::open_group() {
        Ok(group) => group,
        Err(Errno::PERM | Errno::NOSYS | Errno::INVAL) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for dir in directories {
        let dir = CString::new(dir.as_os_str().as_bytes())?;
        match fanotify::mark(group.as_fd(), &dir) {
            // A kernel without permission events, or a file system without any.
            Err(Errno::INVAL | Errno::NODEV | Errno::OPNOTSUPP) => {}
            marked => marked?,
        }
    }
    thread::Builder::new()
        .name("guard-store".into())
        .spawn(move || answer_all(&guard, &group))
        .map(drop)
}

/// Until the group is of no use any more. Its end allows whoever waits.
fn answer_all(guard: &SharedGuard, group: &OwnedFd) {
    loop {
        match fanotify::read(group.as_fd()) {
            Ok(requests) => {
                for request in requests {
                    let allow = !is_agents(guard, &request);
                    // Who was killed meanwhile waits no more.
                    let _gone = fanotify::answer(group.as_fd(), &request, allow);
                }
            }
            Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// Whether an agent's process of this session asks. One that cannot be found may be.
fn is_agents(guard: &SharedGuard, request: &OpenRequest) -> bool {
    if is_outside(request.pid) {
        return false;
    }
    let Ok(found) = procfs::stat(request.pid) else {
        return true;
    };
    let process = ProcessKey {
        pid: request.pid,
        generation: found.started_ticks,
    };
    let entry = guard.entry(process, clock::wall_ns());
    entry.attribution().may_be_agents()
}

/// Whether a process is the guard itself, or none of the session. The session's processes descend
/// from the guard, which adopts orphans.
fn is_outside(pid: u32) -> bool {
    let own = std::process::id();
    // A parent that ends in between leaves its children to another: then once more.
    (0..ATTEMPTS).any(|_| {
        let mut next = pid;
        for depth in 0..MAX_DEPTH {
            if next == own {
                return depth == 0;
            }
            match procfs::stat(next) {
                Ok(found) if found.ppid == 0 => return true,
                Ok(found) => next = found.ppid,
                Err(_) => return false,
            }
        }
        false
    })
}

const ATTEMPTS: usize = 4;

/// Deeper process trees are not followed.
const MAX_DEPTH: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_descends_from_the_guard_is_inside() {
        let own = std::process::id();
        let parent = procfs::stat(own).unwrap().ppid;
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        assert!(is_outside(own) && is_outside(parent) && is_outside(1));
        assert!(!is_outside(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_outside(child.id()), "nobody knows");
    }
}
