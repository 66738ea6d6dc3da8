//! The exporter confines itself once it has what it needs, before its threads start.
//!
//! It reads what agents made happen, so a fault in its parsers must not become more than a wrong
//! page. From then on this process
//!
//! - reads the ring directories, its own directories and `/proc/self`, and writes its own directories
//!   only (by Landlock);
//! - listens on its own port, and connects only to the ports of the OTLP collector and what it takes
//!   to find it, if there is one ([`Needs`]);
//! - starts no program and no process, and enters no namespace, mounts nothing, traces nobody, sends
//!   no signal, and changes no owner, mode or identity (by seccomp).
//!
//! What is refused fails with an error (`EPERM`, `EACCES`, `ENOSYS`); what only an attacker would ask
//! for, such as `ptrace` or loading a kernel module, ends the process.
//!
//! It guarantees that nothing the exporter does fails for it: a ring directory that is not there yet
//! is made, or its parent, so that it may be read when guards put rings there. Where the kernel
//! cannot confine, that is said once and shown by `guard_exporter_confined`.
//!
//! It deliberately has no rules per directory below the exporter's own: Landlock grants whole trees,
//! so rings below the state directory could be written as well. Landlock means directories, not
//! paths: when one of them is [replaced](Places::displaced), the exporter ends, to be started again.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;
mod places;

pub use places::{Needs, Places};

use crate::metrics::ExporterMetrics;
use std::fs::File;

/// How far this process is confined; why not, where it is not.
#[derive(Debug)]
pub struct Confined {
    /// By Landlock.
    pub files: Result<(), String>,
    /// By seccomp.
    pub calls: Result<(), String>,
    /// What is granted stays granted while it is open: a directory of `/proc` that nobody holds may
    /// be another one the next time.
    _held: Vec<File>,
}

/// Confines this thread and those it will start to `needs`, for ever.
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

/// Elsewhere nothing is confined.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn confine(_: &Needs) -> Confined {
    let why = || Err("this system is not Linux".to_owned());
    Confined {
        files: why(),
        calls: why(),
        _held: Vec::new(),
    }
}

// === impl Confined ===

impl Confined {
    /// Says it and shows it.
    pub fn tell(&self, metrics: &ExporterMetrics) {
        for (kind, result) in [("landlock", &self.files), ("seccomp", &self.calls)] {
            metrics
                .confined
                .with_label_values(&[kind])
                .set(i64::from(result.is_ok()));
            match result {
                Ok(()) => tracing::debug!("confined by {kind}"),
                Err(why) if cfg!(target_os = "linux") => {
                    tracing::warn!("not confined by {kind}: {why}");
                }
                Err(_) => {}
            }
        }
    }
}
