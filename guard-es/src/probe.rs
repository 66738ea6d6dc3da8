//! The self-test: what this machine is proven to do.
//!
//! A guard that was started is not a guard that works: an event may never come, an answer may come
//! to nothing. So a file of the guard's own is made, another process is told to remove it, and the
//! denial must have been asked of this very process and obeyed by the kernel. The file's path is
//! known before any event is delivered, and whoever touches it counts as an agent's process:
//! everything else on the way is what every denial goes through.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The file that nobody can remove, and what became of those who tried.
#[derive(Debug)]
pub struct Probe {
    path: PathBuf,
    bytes: Box<[u8]>,
    /// SYNC: set before the attempt is begun, whose event comes later through the kernel.
    armed: AtomicBool,
    /// SYNC: counted by the handler before it answers; read after the attempt ended, which the
    /// answer lets it do.
    denials: AtomicU64,
    /// Programs that the lineage client heard of.
    programs: AtomicU64,
}

/// What a self-test proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// News of new programs arrives, so lineage is ahead of the questions.
    pub lineage: bool,
}

/// What a self-test disproved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelfTestError {
    /// The file could not be made, or nobody could be told to remove it.
    #[error("the self-test could not be made: {0}")]
    Attempt(#[from] io::Error),
    /// The kernel did not ask.
    #[error(
        "a removal in {} was not asked about: no event arrived, so nothing is guarded",
        .0.display()
    )]
    NotAsked(PathBuf),
    /// It asked, and did not obey.
    #[error(
        "a removal was denied and the file {} is gone all the same: denials come to nothing",
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

    /// Makes the file, lets `attempt` have another process remove it, and says what that proves.
    /// The attempt returns when that process has ended.
    ///
    /// # Errors
    ///
    /// [`SelfTestError`] when nothing is proven.
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

    /// The attempt is about to be denied.
    pub(crate) fn note_denial(&self) {
        self.denials.fetch_add(1, Ordering::AcqRel);
    }

    /// A new program was heard of.
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
    fn only_a_denial_that_was_asked_for_and_obeyed_proves_anything() {
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
