//! The self-test: a removal that must be denied.
//!
//! That a client started does not prove that it works: messages may not arrive, and answers may
//! have no effect. The self-test creates a file of the guard's own and runs another process that
//! removes it. It passes if this process received the request and the file still exists. The path
//! is known before any message is delivered, and the process that touches it counts as an agent's;
//! everything else is the path of every denial.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The file that cannot be removed, and counts of the attempts.
#[derive(Debug)]
pub struct Probe {
    path: PathBuf,
    bytes: Box<[u8]>,
    /// SYNC: set before the attempt starts, whose message arrives later through the kernel.
    armed: AtomicBool,
    /// SYNC: incremented by the handler before it answers; read after the attempt has ended, which
    /// it does after the answer.
    denials: AtomicU64,
    /// Execs that the lineage client received.
    programs: AtomicU64,
}

/// What a self-test proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Exec messages arrive, so that lineage is recorded before requests are evaluated.
    pub lineage: bool,
}

/// Why a self-test failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelfTestError {
    /// The file could not be created, or the process that removes it could not be run.
    #[error("the self-test could not be run")]
    Attempt(#[from] io::Error),
    /// No request arrived.
    #[error(
        "no event arrived for the removal of {}, so nothing is guarded",
        .0.display()
    )]
    NotAsked(PathBuf),
    /// The request was denied, and the file was removed all the same.
    #[error(
        "the file {} was removed although that was denied: denials have no effect",
        .0.display()
    )]
    NotObeyed(PathBuf),
}

// === impl Probe ===

impl Probe {
    /// A probe at this canonical path, which must be one of the guard's own files or below one.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        use std::os::unix::ffi::OsStrExt;
        let bytes = path.as_os_str().as_bytes().into();
        Self {
            path,
            bytes,
            armed: AtomicBool::new(false),
            denials: AtomicU64::new(0),
            programs: AtomicU64::new(0),
        }
    }

    /// Creates the file, has `attempt` run a process that removes it, and returns what that proves.
    /// The attempt returns when the process has exited.
    ///
    /// # Errors
    ///
    /// [`SelfTestError`] if the denial had no effect or was never requested.
    pub fn test(&self, attempt: &dyn Fn(&Path) -> io::Result<()>) -> Result<Proof, SelfTestError> {
        let denials = self.denials.load(Ordering::Acquire);
        let programs = self.programs.load(Ordering::Acquire);
        File::create(&self.path)?;
        self.armed.store(true, Ordering::Release);
        let attempted = attempt(&self.path);
        self.armed.store(false, Ordering::Release);
        let stays = self.path.symlink_metadata().is_ok();
        if stays {
            fs::remove_file(&self.path)?;
        }
        attempted?;
        if self.denials.load(Ordering::Acquire) == denials {
            return Err(SelfTestError::NotAsked(self.path.clone()));
        }
        if !stays {
            return Err(SelfTestError::NotObeyed(self.path.clone()));
        }
        Ok(Proof {
            lineage: self.programs.load(Ordering::Acquire) != programs,
        })
    }

    /// Whether an operation on this path is the attempt.
    pub(crate) fn is_attempt(&self, path: &[u8]) -> bool {
        self.armed.load(Ordering::Acquire) && path == self.bytes.as_ref()
    }

    /// Counts the denial of the attempt; call it before the answer.
    pub(crate) fn note_denial(&self) {
        self.denials.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts an exec.
    pub(crate) fn note_program(&self) {
        self.programs.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe() -> (tempfile::TempDir, Probe) {
        let dir = tempfile::tempdir().unwrap();
        let probe = Probe::at(dir.path().join("probe"));
        (dir, probe)
    }

    #[test]
    fn only_a_denial_that_was_requested_and_took_effect_passes() {
        let (_dir, probe) = probe();
        let unasked = probe.test(&|_| Ok(()));
        assert!(matches!(unasked, Err(SelfTestError::NotAsked(_))));
        let unobeyed = probe.test(&|path| {
            probe.note_denial();
            fs::remove_file(path)
        });
        assert!(matches!(unobeyed, Err(SelfTestError::NotObeyed(_))));
        let denied = probe.test(&|_| {
            probe.note_denial();
            Ok(())
        });
        assert_eq!(denied.unwrap(), Proof { lineage: false });
        let heard = probe.test(&|_| {
            probe.note_program();
            probe.note_denial();
            Ok(())
        });
        assert_eq!(heard.unwrap(), Proof { lineage: true });
        assert!(!probe.path.exists());
    }

    #[test]
    fn it_is_armed_while_it_lasts() {
        let (_dir, probe) = probe();
        let bytes = probe.bytes.clone();
        assert!(!probe.is_attempt(&bytes));
        let armed = AtomicBool::new(false);
        let _unproven = probe.test(&|_| {
            armed.store(probe.is_attempt(&bytes), Ordering::Relaxed);
            Err(io::ErrorKind::NotFound.into())
        });
        assert!(armed.into_inner() && !probe.is_attempt(&bytes));
    }
}
