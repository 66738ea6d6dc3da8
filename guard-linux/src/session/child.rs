//! Children: what becomes of them, and signals to them.

use rustix::io::{Errno, Result};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, waitpid};

/// How a child changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Ended with this exit status.
    Exited(i32),
    /// Ended by this signal.
    Killed(i32),
    /// Stopped by this signal.
    Stopped(i32),
    /// Went on after a stop.
    Continued,
}

/// Waits for a change of any child. With `block == false` returns `Ok(None)` when there is none.
pub(crate) fn wait_for_any(block: bool) -> Result<Option<(i32, Change)>> {
    let mut options = WaitOptions::UNTRACED | WaitOptions::CONTINUED;
    if !block {
        options |= WaitOptions::NOHANG;
    }
    let changed = rustix::process::wait(options)?;
    Ok(changed.map(|(pid, status)| (pid.as_raw_pid(), change(status))))
}

/// Waits for the end of child `pid`.
pub(super) fn wait_for(pid: i32) -> Result<Change> {
    let pid = Pid::from_raw(pid).ok_or(Errno::CHILD)?;
    let ended = waitpid(Some(pid), WaitOptions::empty())?;
    let (_, status) = ended.ok_or(Errno::CHILD)?;
    Ok(change(status))
}

fn change(status: WaitStatus) -> Change {
    if let Some(status) = status.exit_status() {
        Change::Exited(status)
    } else if let Some(signal) = status.terminating_signal() {
        Change::Killed(signal)
    } else if let Some(signal) = status.stopping_signal() {
        Change::Stopped(signal)
    } else {
        Change::Continued
    }
}

/// Sends a signal to a process, if it still exists.
pub(super) fn kill(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _gone = kill_process(pid, signal);
    }
}
