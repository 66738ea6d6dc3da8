//! The exporter beside this program: whether it runs, where it listens, what hinders it, asking it, and
//! starting it.

pub(crate) mod ask;
mod collector;
mod keep;
mod obstacles;
mod start;

pub(crate) use collector::unused_collector;
pub(crate) use keep::ExporterKeeper;
pub(crate) use obstacles::obstacles;

use guard_report::address::{DEFAULT_ADDRESS, ExporterIdentity, announced, lock_file};
use guard_report::paths::StatePaths;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// The address that the exporter of this user published. One that was killed leaves its address
/// behind.
pub(crate) fn address(paths: &StatePaths) -> Option<SocketAddr> {
    announced(&paths.exporter)?.address
}

/// Whether an exporter of this user is running.
pub(crate) fn is_running(paths: &StatePaths) -> bool {
    running(paths).is_some()
}

/// The process id of the exporter of this user that is running.
pub(crate) fn running(paths: &StatePaths) -> Option<u32> {
    let mut lock = File::open(lock_file(&paths.exporter)).ok()?;
    // Trying the lock would turn away an exporter that is just about to take it. It is tried only
    // when the process that last held it, or a later one with its number, is alive.
    let holder = ExporterIdentity::read(&mut lock).ok()?;
    let is_held =
        is_alive(holder.pid) && matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock));
    is_held.then_some(holder.pid)
}

/// Whether there is a process of this number, whoever it belongs to.
fn is_alive(pid: u32) -> bool {
    let found = Pid::from_raw(pid.cast_signed()).map(test_kill_process);
    matches!(found, Some(Ok(()) | Err(Errno::PERM)))
}

/// Where the metrics of this user are, or will be as soon as an exporter that is started now
/// listens. `None` when only that exporter will know.
pub(crate) fn expected_address(paths: &StatePaths) -> Option<SocketAddr> {
    address(paths).or_else(|| (!is_default_port_taken()).then_some(DEFAULT_ADDRESS))
}

/// Whether somebody listens where an exporter does by default: another user's, or another program.
pub(crate) fn is_default_port_taken() -> bool {
    // Connecting would fail when whoever listens accepts too slowly.
    let bound = TcpListener::bind(DEFAULT_ADDRESS);
    bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

/// The exporter's binary.
pub(crate) const PROGRAM: &str = "guard-exporter";
