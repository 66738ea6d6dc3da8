//! The root command's process before it is the command: it installs the filter on itself.

use super::error::SessionError;
use crate::sys::{inherited, notify, process};
use crate::{descriptors, filter};
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, capabilities, set_no_new_privs};
use std::ffi::CString;
use std::io::{Read as _, Write as _};
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
    supervisor
        .read_exact(&mut [0u8])
        .map_err(|_gone| SessionError::SupervisorGone)
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
