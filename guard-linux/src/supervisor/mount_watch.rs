//! Keeping the mount table fresh: the kernel reports when it changes (`proc_pid_mountinfo(5)`).

use crate::session_caches::SessionCaches;
use crate::{descriptors, files};
use rustix::event::PollFlags;
use rustix::fs::CWD;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Starts the thread that does.
pub(super) fn start(caches: Arc<SessionCaches>) -> std::io::Result<()> {
    let table = files::open_for_reading(CWD, c"/proc/self/mountinfo")?;
    thread::Builder::new()
        .name("guard-mounts".into())
        .spawn(move || {
            loop {
                let changed = descriptors::poll(table.as_fd(), PollFlags::PRI, None);
                if changed.is_err() || caches.reread_mounts().is_err() {
                    thread::sleep(RETRY_INTERVAL);
                }
            }
        })?;
    Ok(())
}

/// How long to wait after a failure.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
