//! The store: one directory a session, and the bounds of them all.

pub(crate) mod bounds;
mod depot;
mod error;
mod keep;
pub(crate) mod layout;
mod own;
mod private;
pub mod recorder;
mod session;

pub use bounds::Bounds;
pub use error::{OpenStoreError, PreserveError, ReadSessionError};
pub use session::{Session, SessionState};

use crate::files::is_absence;
use crate::journal::{BytePath, writer_is_alive};
use layout::{JOURNAL, OBJECTS};
use rustix::fs::Dir;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A user's store.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    /// The root, opened before it was closed to others; `None` opens it each time.
    listing: Option<Arc<Mutex<Dir>>>,
}

/// The directories of a new session.
#[derive(Debug)]
pub(crate) struct SessionDirectories {
    /// Its own, in the store.
    pub(crate) dir: PathBuf,
    /// Beside zones on other file systems.
    pub(crate) depots: Vec<PathBuf>,
}

// === impl Store ===

impl Store {
    /// The store in this directory, which need not be there yet. Its parent must be such that
    /// nobody else can put another directory in its place.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            listing: None,
        }
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
        let names = match self.names() {
            Ok(names) => names,
            Err(error) if is_absence(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut sessions: Vec<_> = names
            .into_iter()
            .filter_map(|name| Session::read(&self.root.join(name)).ok())
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

    /// Where a session that protects these zones also keeps objects: directories beside zones on
    /// other file systems, which are made. Agents must not touch them.
    #[must_use]
    pub fn places_beside(&self, zones: &[BytePath]) -> Vec<PathBuf> {
        if private::make(&self.root).is_err() {
            return Vec::new();
        }
        depot::beside_zones(&self.root, zones)
    }

    /// Makes a session's directories, and the store's when it is the first.
    pub(crate) fn make_session(
        &self,
        name: &str,
        zones: &[BytePath],
    ) -> Result<SessionDirectories, OpenStoreError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenStoreError::Make { path, source }
        };
        private::make(&self.root).map_err(failed(&self.root))?;
        let full = private::unguessable(name);
        let dir = self.root.join(&full);
        let objects = dir.join(OBJECTS);
        let private = |path: &Path| DirBuilder::new().mode(private::OPEN).create(path);
        private(&dir).map_err(failed(&dir))?;
        private(&objects).map_err(failed(&objects))?;
        let beside = self.places_beside(zones).into_iter();
        let made = beside.map(|place| place.join(&full));
        Ok(SessionDirectories {
            dir,
            // Without one, losses there are copied.
            depots: made.filter(|depot| private(depot).is_ok()).collect(),
        })
    }

    /// The same store, listed by this process alone from now on, while its sessions run.
    pub(crate) fn close(&self, depots: &[PathBuf]) -> io::Result<Self> {
        let listing = Dir::new(private::open_for_listing(&self.root)?)?;
        for dir in closed_directories(&self.root, depots) {
            private::set_mode(dir, private::CLOSED)?;
        }
        Ok(Self {
            root: self.root.clone(),
            listing: Some(Arc::new(Mutex::new(listing))),
        })
    }

    /// Lets the person list it again, unless another session runs.
    pub(crate) fn reopen(&self, ending: &Path, depots: &[PathBuf]) -> io::Result<()> {
        let is_used = || -> io::Result<bool> {
            let mut dirs = self.names()?.into_iter().map(|name| self.root.join(name));
            Ok(dirs.any(|dir| dir != ending && writer_is_alive(&dir.join(JOURNAL))))
        };
        let set = |mode| {
            closed_directories(&self.root, depots).try_for_each(|dir| private::set_mode(dir, mode))
        };
        if is_used()? {
            return Ok(());
        }
        set(private::OPEN)?;
        // One that began in between closed it before.
        if is_used()? {
            set(private::CLOSED)?;
        }
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<OsString>> {
        let listed = |dir: &mut Dir| {
            dir.rewind();
            dir.map(|entry| Ok(OsString::from_vec(entry?.file_name().to_bytes().to_vec())))
                .filter(|name| !matches!(name, Ok(name) if name == "." || name == ".."))
                .collect()
        };
        match &self.listing {
            Some(listing) => listed(&mut listing.lock().unwrap_or_else(PoisonError::into_inner)),
            None => listed(&mut Dir::new(private::open_for_listing(&self.root)?)?),
        }
    }
}

/// The directories that are closed while sessions run.
fn closed_directories<'a>(root: &'a Path, depots: &'a [PathBuf]) -> impl Iterator<Item = &'a Path> {
    let beside = depots.iter().filter_map(|depot| depot.parent());
    std::iter::once(root).chain(beside)
}
