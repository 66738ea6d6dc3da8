//! One exporter per state directory.
//!
//! `exporter.lock` is locked while the process runs, and names it; the kernel releases the lock however
//! the process ends. `exporter.json` has the actual address for guards and people; it is replaced
//! atomically, and removed at an orderly end. Both contain an [`ExporterIdentity`].

use guard_report::address::{ExporterIdentity, address_file, lock_file, targets_file};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The exclusive right to serve a state directory.
#[derive(Debug)]
pub struct Instance {
    lock: File,
    state: PathBuf,
    uid: u32,
}

/// Why a state directory cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error("{} is already served by another guard-exporter ({})", state.display(), describe(.by.as_ref()))]
    Served {
        state: PathBuf,
        by: Option<ExporterIdentity>,
    },
    #[error("cannot create or lock {}", path.display())]
    Lock { path: PathBuf, source: io::Error },
}

/// The address cannot be announced.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct AnnounceError {
    path: PathBuf,
    source: io::Error,
}

// === impl Instance ===

impl Instance {
    /// Claims the directory `state`, which is created if it does not exist.
    ///
    /// # Errors
    ///
    /// [`ClaimError`]
    pub fn claim(state: &Path) -> Result<Self, ClaimError> {
        let path = lock_file(state);
        let wrap = |source| ClaimError::Lock {
            path: path.clone(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(state)
            .map_err(wrap)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&path)
            .map_err(wrap)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let by = ExporterIdentity::read(&mut lock).ok();
                return Err(ClaimError::Served {
                    state: state.to_owned(),
                    by,
                });
            }
            Err(TryLockError::Error(source)) => return Err(wrap(source)),
        }
        let uid = lock.metadata().map_err(wrap)?.uid();
        let mut instance = Self {
            lock,
            state: state.to_owned(),
            uid,
        };
        instance
            .write_lock(&ExporterIdentity::of_this_process(None))
            .map_err(wrap)?;
        instance.withdraw();
        Ok(instance)
    }

    /// The user of this exporter.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// Announces where this exporter listens.
    ///
    /// # Errors
    ///
    /// When the files cannot be written; then no address is announced.
    pub fn announce(&mut self, address: SocketAddr) -> Result<(), AnnounceError> {
        let identity = ExporterIdentity::of_this_process(Some(address));
        let path = address_file(&self.state);
        let wrap = |source| AnnounceError {
            path: path.clone(),
            source,
        };
        self.write_lock(&identity).map_err(wrap)?;
        write_atomically(&path, &identity.to_json()).map_err(wrap)?;
        let path = targets_file(&self.state);
        write_atomically(&path, &identity.to_targets())
            .map_err(|source| AnnounceError { path, source })
    }

    /// Removes the announcement, also one of a killed predecessor. Failures are ignored: it is only
    /// valid while the lock is held.
    fn withdraw(&self) {
        drop(fs::remove_file(address_file(&self.state)));
        drop(fs::remove_file(targets_file(&self.state)));
    }

    fn write_lock(&mut self, identity: &ExporterIdentity) -> io::Result<()> {
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        self.lock.write_all(&identity.to_json())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// Replaces the file at `path` by one with these bytes: a reader sees the old file or the new one.
///
/// # Errors
///
/// When it cannot be written. The old file is then unchanged.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(bytes)?;
    fs::rename(&temporary, path)
}

fn describe(by: Option<&ExporterIdentity>) -> String {
    match by {
        None => "which is just starting".to_owned(),
        Some(ExporterIdentity {
            pid, address: None, ..
        }) => format!("pid {pid}, not listening yet"),
        Some(ExporterIdentity {
            pid,
            address: Some(address),
            ..
        }) => {
            format!("pid {pid}, http://{address}/")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_names_the_first_and_can_succeed_it() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let mut first = Instance::claim(&state).unwrap();
        let address: SocketAddr = "127.0.0.1:19477".parse().unwrap();
        first.announce(address).unwrap();
        let targets = fs::read_to_string(targets_file(&state)).unwrap();
        assert!(targets.contains("127.0.0.1:19477"), "{targets}");
        let announced = fs::read(address_file(&state)).unwrap();
        let announced: ExporterIdentity = serde_json::from_slice(&announced).unwrap();
        assert_eq!(announced, ExporterIdentity::of_this_process(Some(address)));

        let error = Instance::claim(&state).unwrap_err();
        let pid = std::process::id();
        let message = format!(
            "{} is already served by another guard-exporter (pid {pid}, http://127.0.0.1:19477/)",
            state.display()
        );
        assert_eq!(error.to_string(), message);

        drop(first);
        assert!(!address_file(&state).exists() && !targets_file(&state).exists());
        Instance::claim(&state).unwrap();
    }
}
