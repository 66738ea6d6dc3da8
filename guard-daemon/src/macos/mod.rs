//! The guard on macOS, by Endpoint Security.
//!
//! [`daemon`] guards the whole machine, as root; [`session`] one command and what it starts, on
//! macOS 27. What they share with each other and with tests on other systems is the crate
//! [`guard_es`].

pub(crate) mod daemon;
pub(crate) mod session;
mod undo;

use crate::control::{Desk, Server};
use crate::policy_watch::SharedPolicyWatch;
use anyhow::{Context as _, Result, anyhow};
use guard_core::process::ProcessKey;
use guard_core::ring::RingOptions;
use guard_report::paths::StatePaths;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn ring_options(session: &str) -> Result<RingOptions> {
    let writer = guard_es::processes::this_process();
    Ok(RingOptions {
        id: crate::random::bytes().context("asking the kernel for random bytes")?,
        boot_id: crate::rings::boot_id(),
        writer: writer.unwrap_or_else(|| ProcessKey {
            pid: std::process::id(),
            generation: 0,
        }),
        created_wall_ns: guard_report::time::now_ns(),
        session: session.as_bytes().to_vec(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..RingOptions::default()
    })
}

/// The control socket of a guard on macOS. Without it the guard works on, and nothing can be requested.
fn control_socket(watch: &SharedPolicyWatch) -> Option<Server> {
    let source = watch.lock().source.clone();
    let desk = Desk::new(&source.session, &source.paths, watch.clone());
    match Server::listen(&source.paths, &source.session, desk) {
        Ok(server) => Some(server),
        Err(error) => {
            let error = anyhow::Error::new(error);
            tracing::warn!("nothing can be requested of this guard: {error:#}");
            None
        }
    }
}

/// Has another process remove a file, and waits until it has exited, whatever its status.
fn remove_by_other_process(path: &Path) -> io::Result<()> {
    // A refusal fails the command; what counts is whether the file is there.
    let _status = Command::new("/bin/rm")
        .arg("-f")
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(())
}

/// The guard's own directory as the kernel names it.
fn canonical_state(paths: &StatePaths) -> Result<PathBuf> {
    let located = crate::policy_file::locate(paths.state.as_os_str().as_bytes());
    let found = located.into_iter().next_back();
    found
        .map(|bytes| PathBuf::from(OsString::from_vec(bytes)))
        .filter(|found| found.is_dir())
        .ok_or_else(|| anyhow!("the directory {} does not exist", paths.state.display()))
}
