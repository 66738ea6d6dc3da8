//! The root command's process before it is the command: it installs the filter on itself.

use super::channel::Order;
use super::error::SessionError;
use crate::sys::{inherited, notify, process};
use crate::{descriptors, filter};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, capabilities, set_no_new_privs};
use std::ffi::CString;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

/// Becomes the command, under the filter, when the supervisor opens the gate. Returns only when
/// that fails.
pub(super) fn run(command: &[CString], supervisor: UnixStream) -> SessionError {
    if let Err(error) = prepare(&supervisor) {
        return error;
    }
    inherited::close_closed_streams();
    let source = process::exec(command);
    let name = command.first().map(|word| word.to_string_lossy());
    SessionError::CannotRun {
        name: name.unwrap_or_default().into_owned(),
        source,
    }
}

fn prepare(mut supervisor: &UnixStream) -> Result<(), SessionError> {
    if !has_capability(CapabilitySet::SYS_ADMIN) {
        set_no_new_privs(true)
            .map_err(|errno| SessionError::kernel("setting no_new_privs", errno))?;
    }
    let (listener, wait_killable) = install_filter().map_err(SessionError::filter)?;
    descriptors::send(supervisor.as_fd(), listener.as_fd())
        .map_err(|errno| SessionError::kernel("handing the listener to the supervisor", errno))?;
    supervisor
        .write_all(&[u8::from(wait_killable)])
        .map_err(|error| SessionError::io("writing to the supervisor", error))?;
    drop(listener);
    while Order::receive(supervisor).map_err(|_gone| SessionError::SupervisorGone)?
        == Order::TestCall
    {
        supervisor
            .write_all(&test_call().to_le_bytes())
            .map_err(|_gone| SessionError::SupervisorGone)?;
    }
    Ok(())
}

/// The call of the guard's test of itself: opens a file of this process's own for writing, which
/// changes nothing. Returns its errno, 0 for success.
fn test_call() -> i32 {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    match rustix::fs::open(c"/proc/self/comm", flags, Mode::empty()) {
        Ok(_closed) => 0,
        Err(errno) => errno.raw_os_error(),
    }
}

/// Installs the filter; returns its listener, and whether callers wait through their signals,
/// which older kernels refuse.
fn install_filter() -> Result<(OwnedFd, bool), Errno> {
    let program = filter::build(!has_capability(CapabilitySet::SYS_PTRACE));
    match notify::install(&program, true) {
        Ok(listener) => Ok((listener, true)),
        Err(Errno::INVAL) => Ok((notify::install(&program, false)?, false)),
        Err(errno) => Err(errno),
    }
}

/// Whether this process has an effective capability.
fn has_capability(capability: CapabilitySet) -> bool {
    capabilities(None).is_ok_and(|found| found.effective.contains(capability))
}
