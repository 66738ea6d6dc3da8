//! One exporter per state directory.
//!
//! `exporter.lock` is locked for the life of the process and says who holds it; the kernel lets go
//! of it however the process ends. `exporter.json` tells guards and people the real address; it is
//! written whole or not at all, and removed at an orderly end. Both hold one JSON object:
//!
//! ```json
//! {"pid":4711,"address":"127.0.0.1:19477","version":"0.1.0"}
//! ```
//!
//! `address` is `null` in the lock until the exporter listens, and there is no `exporter.json`. After
//! a crash that may be stale; then `exporter.lock` is not locked.

use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The right to serve a state directory.
#[derive(Debug)]
pub struct Instance {
    lock: File,
    state: PathBuf,
    uid: u32,
}

/// Who serves a state directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Process id.
    pub pid: u32,
    /// Where it listens.
    pub address: Option<SocketAddr>,
    /// Its version.
    pub version: String,
}

/// Why a state directory cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Another exporter does.
    #[error("{} is already served by another guard-exporter ({})", state.display(), whom(.by.as_ref()))]
    Served {
        /// The state directory.
        state: PathBuf,
        /// Who does, when it says so.
        by: Option<Identity>,
    },
    /// A file cannot be used.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

// === impl Instance ===

impl Instance {
    /// Claims the directory `state`, making it if need be.
    ///
    /// # Errors
    ///
    /// [`ClaimError`]
    pub fn claim(state: &Path) -> Result<Self, ClaimError> {
        let path = state.join(LOCK_FILE);
        let wrap = |source| ClaimError::Io {
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
                let by = read_identity(&mut lock);
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
        instance.write_lock(&Identity::own(None)).map_err(wrap)?;
        instance.withdraw();
        Ok(instance)
    }

    /// The user whose exporter this is.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// Tells where this exporter listens.
    ///
    /// # Errors
    ///
    /// When the files cannot be written; whoever looks then finds no address.
    pub fn announce(&mut self, address: SocketAddr) -> Result<(), ClaimError> {
        let identity = Identity::own(Some(address));
        let path = self.state.join(ANNOUNCEMENT_FILE);
        let wrap = |source| ClaimError::Io {
            path: path.clone(),
            source,
        };
        self.write_lock(&identity).map_err(wrap)?;
        write_atomically(&path, &identity.to_json()).map_err(wrap)
    }

    /// Removes the announcement, a killed predecessor's too. Best effort: it is true only while
    /// the lock is held anyway.
    fn withdraw(&self) {
        drop(fs::remove_file(self.state.join(ANNOUNCEMENT_FILE)));
    }

    fn write_lock(&mut self, identity: &Identity) -> io::Result<()> {
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

// === impl Identity ===

impl Identity {
    fn own(address: Option<SocketAddr>) -> Self {
        Self {
            pid: std::process::id(),
            address,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(self).expect("numbers and strings make JSON");
        json.push(b'\n');
        json
    }
}

/// Replaces the file at `path` by one with these bytes: a reader sees the old or the new.
///
/// # Errors
///
/// When it cannot be written. The old file then stands.
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

fn read_identity(file: &mut File) -> Option<Identity> {
    let mut json = Vec::new();
    file.take(4096).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

fn whom(by: Option<&Identity>) -> String {
    match by {
        None => "which is just starting".to_owned(),
        Some(Identity {
            pid, address: None, ..
        }) => format!("pid {pid}, not listening yet"),
        Some(Identity {
            pid,
            address: Some(address),
            ..
        }) => {
            format!("pid {pid}, http://{address}/")
        }
    }
}

const LOCK_FILE: &str = "exporter.lock";
const ANNOUNCEMENT_FILE: &str = "exporter.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_of_the_first_and_succeeds_it() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let mut first = Instance::claim(&state).unwrap();
        let address: SocketAddr = "127.0.0.1:19477".parse().unwrap();
        first.announce(address).unwrap();
        let announced = fs::read(state.join(ANNOUNCEMENT_FILE)).unwrap();
        let announced: Identity = serde_json::from_slice(&announced).unwrap();
        assert_eq!(announced, Identity::own(Some(address)));

        let error = Instance::claim(&state).unwrap_err();
        let pid = std::process::id();
        let message = format!(
            "{} is already served by another guard-exporter (pid {pid}, http://127.0.0.1:19477/)",
            state.display()
        );
        assert_eq!(error.to_string(), message);

        drop(first);
        assert!(!state.join(ANNOUNCEMENT_FILE).exists());
        Instance::claim(&state).unwrap();
    }
}
