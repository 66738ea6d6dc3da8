//! The exporter beside this program: where it listens, asking it, and starting it.

pub(crate) mod ask;
mod start;

pub(crate) use start::ensure;

use guard_report::address::{DEFAULT_ADDRESS, announced};
use guard_report::paths::StatePaths;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

/// Where the exporter of this user says that it listens.
pub(crate) fn address(paths: &StatePaths) -> Option<SocketAddr> {
    announced(&paths.exporter)?.address
}

/// Where the metrics of this user are, or will be as soon as an exporter that is started now
/// listens. `None` when only that exporter will know.
pub(crate) fn expected_address(paths: &StatePaths) -> Option<SocketAddr> {
    address(paths).or_else(|| (!is_default_port_taken()).then_some(DEFAULT_ADDRESS))
}

/// Whether somebody listens where an exporter does by default: another user's, or another program.
pub(crate) fn is_default_port_taken() -> bool {
    TcpStream::connect_timeout(&DEFAULT_ADDRESS, CONNECT_TIMEOUT).is_ok()
}

/// The program beside this one, as Cargo and packages put them; else of that name in `PATH`.
pub(crate) fn sibling(name: &str) -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.join(name);
    if beside.is_file() {
        return Some(beside);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}

/// Whoever listens on loopback accepts at once.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(200);

/// The exporter's binary.
pub(crate) const PROGRAM: &str = "guard-exporter";
