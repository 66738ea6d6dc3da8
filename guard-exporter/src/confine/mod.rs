//! The exporter confines itself after it has opened its files and before its threads start.
//!
//! It parses what agents caused, so a fault in its parsers must not become more than a wrong page. Once
//! confined, this process
//!
//! - reads the ring directories, its own directories and `/proc/self`, and writes its own directories
//!   only (by Landlock);
//! - listens on its own port, and connects only to the ports of the OTLP collector, if there is one,
//!   and those needed to resolve its name ([`Needs`]);
//! - starts no program and no process, enters no namespace, mounts nothing, traces nobody, sends no
//!   signal, and changes no owner, mode or identity (by seccomp).
//!
//! A refused call fails with an error (`EPERM`, `EACCES`, `ENOSYS`); calls that only an attacker would
//! make, such as `ptrace` or loading a kernel module, kill the process.
//!
//! It guarantees that nothing the exporter needs is refused: a ring directory that does not exist yet,
//! or its parent, is created, so that it may be read when guards put rings there. Where the kernel
//! cannot confine, that is logged once and exported as `guard_exporter_confined`.
//!
//! It deliberately has no rules below the exporter's own directories: Landlock grants whole trees, so
//! rings below the state directory could also be written. Landlock grants directories, not paths: when
//! one of them is [replaced](SandboxPaths::replaced), the exporter ends, to be started again.

#[cfg(target_os = "linux")]
mod calls;
mod error;
#[cfg(target_os = "linux")]
mod files;
mod needs;

pub use needs::{Needs, SandboxPaths};

#[cfg(target_os = "linux")]
use crate::error_chain::error_chain;
use crate::metrics::ExporterMetrics;
use error::ConfineError;
use std::fs::File;

/// How this process is confined, or why it is not.
#[derive(Debug)]
pub struct Confined {
    /// By Landlock.
    pub files: Result<(), ConfineError>,
    /// By seccomp.
    pub calls: Result<(), ConfineError>,
    /// Held open, so that the rules stay valid: a directory of `/proc` that is not open may be another
    /// inode the next time.
    _held: Vec<File>,
}

/// Confines this thread and those it will start to `needs`, permanently.
#[cfg(target_os = "linux")]
#[must_use]
pub fn confine(needs: &Needs) -> Confined {
    let held = needs.read.iter().filter_map(|path| File::open(path).ok());
    Confined {
        _held: held.collect(),
        files: files::confine(needs),
        calls: calls::confine(needs),
    }
}

/// Other systems are not supported.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn confine(_: &Needs) -> Confined {
    Confined {
        files: Err(ConfineError::NotLinux),
        calls: Err(ConfineError::NotLinux),
        _held: Vec::new(),
    }
}

// === impl Confined ===

impl Confined {
    /// Logs and exports how the process is confined; nothing where the platform cannot.
    pub fn report(&self, metrics: &ExporterMetrics) {
        for (kind, result) in [("landlock", &self.files), ("seccomp", &self.calls)] {
            let is_confined = match result {
                Ok(()) => {
                    tracing::debug!("confined by {kind}");
                    true
                }
                Err(ConfineError::NotLinux) => continue,
                #[cfg(target_os = "linux")]
                Err(error) => {
                    tracing::warn!("not confined by {kind}: {}", error_chain(error));
                    false
                }
            };
            metrics
                .confined
                .with_label_values(&[kind])
                .set(i64::from(is_confined));
        }
    }
}
