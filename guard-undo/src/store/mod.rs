//! The store: one directory a session, and the bounds of them all.

pub(crate) mod bounds;
mod error;
pub(crate) mod layout;
mod own;
pub mod recorder;
mod session;

pub use bounds::Bounds;
pub use error::{OpenStoreError, PreserveError, ReadSessionError};
pub use session::{Session, SessionState};

use crate::files::is_absence;
use layout::OBJECTS;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// A user's store. Holding one opens nothing.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

// === impl Store ===

impl Store {
    /// The store in this directory, which need not be there yet. Its parent must be such that
    /// nobody else can put another directory in its place.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All sessions that can be read, the newest first. What is no session is passed over.
    ///
    /// # Errors
    ///
    /// When the store is there and cannot be read.
    pub fn sessions(&self) -> io::Result<Vec<Session>> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if is_absence(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut sessions: Vec<_> = entries
            .flatten()
            .filter_map(|entry| Session::read(&entry.path()).ok())
            .collect();
        sessions.sort_by(|one, other| {
            let key = |session: &Session| (session.began_ns(), session.name().to_owned());
            key(other).cmp(&key(one))
        });
        Ok(sessions)
    }

    /// The session of this name, or the only one whose name begins so; `last` is the newest session
    /// of an agent in which something was preserved or moved.
    ///
    /// # Errors
    ///
    /// When there is none, more than one, or the store cannot be read.
    pub fn session(&self, name: &str) -> Result<Session, ReadSessionError> {
        let sessions = self.sessions().map_err(ReadSessionError::Read)?;
        if name == "last" {
            let found = sessions.into_iter().find(Session::has_anything_of_agents);
            return found.ok_or(ReadSessionError::Nothing);
        }
        let mut found = sessions
            .into_iter()
            .filter(|session| !name.is_empty() && session.name().starts_with(name));
        match (found.next(), found.next()) {
            (Some(session), None) => Ok(session),
            (None, _) => Err(ReadSessionError::Missing(name.to_owned())),
            (Some(session), Some(_)) if session.name() == name => Ok(session),
            _ => Err(ReadSessionError::Ambiguous(name.to_owned())),
        }
    }

    /// Makes a session's directory, and the store's when it is the first.
    pub(crate) fn make_session(&self, name: &str) -> Result<PathBuf, OpenStoreError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenStoreError::Make { path, source }
        };
        make_private(&self.root).map_err(failed(&self.root))?;
        let dir = self.root.join(name);
        let objects = dir.join(OBJECTS);
        let private = |path: &Path| DirBuilder::new().mode(0o700).create(path);
        private(&dir).map_err(failed(&dir))?;
        private(&objects).map_err(failed(&objects))?;
        Ok(dir)
    }
}

/// Makes a directory that is this user's alone, and makes sure that it is.
fn make_private(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    let found = fs::symlink_metadata(dir)?;
    let own = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    if !own || found.mode() & 0o077 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it must be a directory that only this user can enter",
        ));
    }
    Ok(())
}
