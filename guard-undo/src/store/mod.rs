//! The store: one directory a session, and the bounds of them all.
//!
//! A store that root keeps for another user has its sessions in a directory where only root can put
//! names, and each session is that user's, who alone may enter it. So nobody can redirect root by a
//! link, and the user restores without being root. What keeps agents from reading it is then the
//! guard alone, and it is never closed.

pub mod agents;
pub(crate) mod bounds;
pub mod change;
mod copies;
mod depot;
mod error;
mod keep;
pub(crate) mod layout;
pub mod outcome;
mod own;
pub(crate) mod private;
pub mod recorder;
mod session;
mod writers;

pub use bounds::Bounds;
pub use error::{OpenStoreError, PreserveError, ReadSessionError};
pub use session::{Session, SessionState};

use crate::files::is_absence;
use crate::journal::{BytePath, writer_is_alive};
use layout::{JOURNAL, OBJECTS};
use rustix::fs::Dir;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{DirBuilderExt as _, lchown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A user's store.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    /// The root, opened before it was closed to others; `None` opens it each time.
    listing: Option<Arc<Mutex<Dir>>>,
    /// Another store of the same user, whose sessions are listed too.
    other: Option<PathBuf>,
    /// Whose the sessions are, if root keeps the store for somebody else.
    owner: Option<Owner>,
}

#[derive(Clone, Copy, Debug)]
struct Owner {
    uid: u32,
    gid: u32,
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
            other: None,
            owner: None,
        }
    }

    /// The same store, kept by root for this user.
    #[must_use]
    pub const fn for_user(mut self, uid: u32, gid: u32) -> Self {
        self.owner = Some(Owner { uid, gid });
        self
    }

    /// The same store, which also lists the sessions below `other`: the store that root keeps for
    /// this user.
    #[must_use]
    pub fn with_sessions_of(mut self, other: impl Into<PathBuf>) -> Self {
        self.other = Some(other.into());
        self
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
        let mut sessions = Vec::new();
        let own = match self.names() {
            Err(error) if is_absence(&error) => Vec::new(),
            names => names?,
        };
        // What root does not let its user list is not the user's.
        let other = self.other.as_deref();
        let others = other.and_then(|other| Some((other, list(other).ok()?)));
        for (root, names) in [(self.root(), own)].into_iter().chain(others) {
            let read = |name| Session::read(&root.join(name)).ok();
            sessions.extend(names.into_iter().filter_map(read));
        }
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
        if self.owner.is_some() || private::make(&self.root).is_err() {
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
        let made = match self.owner {
            None => private::make(&self.root),
            Some(_) => private::make_passable(&self.root),
        };
        made.map_err(failed(&self.root))?;
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
        if self.owner.is_some() {
            return Ok(self.clone());
        }
        let listing = Dir::new(private::open_for_listing(&self.root)?)?;
        for dir in closed_directories(&self.root, depots) {
            private::set_mode(dir, private::CLOSED)?;
        }
        Ok(Self {
            listing: Some(Arc::new(Mutex::new(listing))),
            ..self.clone()
        })
    }

    /// Lets the person list it again, unless another session runs.
    pub(crate) fn reopen(&self, ending: &Path, depots: &[PathBuf]) -> io::Result<()> {
        if self.owner.is_some() {
            return Ok(());
        }
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

    /// Gives a session that was made completely to its user. Until then only root can enter it.
    pub(crate) fn give_to_owner(&self, dir: &Path) -> Result<(), OpenStoreError> {
        let Some(Owner { uid, gid }) = self.owner else {
            return Ok(());
        };
        // The directory last: from then on its user can put other names into it.
        for path in [dir.join(JOURNAL), dir.join(OBJECTS), dir.to_owned()] {
            let given = lchown(&path, Some(uid), Some(gid));
            given.map_err(|source| OpenStoreError::Make { path, source })?;
        }
        Ok(())
    }

    /// Removes the directories that are left of sessions that their user removed: only root can.
    pub(crate) fn remove_remains(&self) {
        let names = self.owner.and_then(|_| self.names().ok());
        for name in names.into_iter().flatten() {
            let dir = self.root.join(name);
            let modified = fs::symlink_metadata(&dir).and_then(|found| found.modified());
            let age = modified.map(|time| SystemTime::now().duration_since(time));
            let is_made = age.is_ok_and(|age| age.is_ok_and(|age| age > BEGINNING));
            if is_made && !dir.join(JOURNAL).exists() {
                // One that is not empty is not what is left of a session.
                let _stays = fs::remove_dir(dir);
            }
        }
    }

    fn names(&self) -> io::Result<Vec<OsString>> {
        match &self.listing {
            Some(listing) => names_in(&mut listing.lock().unwrap_or_else(PoisonError::into_inner)),
            None => list(&self.root),
        }
    }
}

fn list(root: &Path) -> io::Result<Vec<OsString>> {
    names_in(&mut Dir::new(private::open_for_listing(root)?)?)
}

fn names_in(dir: &mut Dir) -> io::Result<Vec<OsString>> {
    dir.rewind();
    dir.map(|entry| Ok(OsString::from_vec(entry?.file_name().to_bytes().to_vec())))
        .filter(|name| !matches!(name, Ok(name) if name == "." || name == ".."))
        .collect()
}

/// The directories that are closed while sessions run.
fn closed_directories<'a>(root: &'a Path, depots: &'a [PathBuf]) -> impl Iterator<Item = &'a Path> {
    let beside = depots.iter().filter_map(|depot| depot.parent());
    std::iter::once(root).chain(beside)
}

/// How long a session may be without a journal while it is being made.
const BEGINNING: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recorder;
    use crate::journal::Began;
    use crate::sweep::{forget, sweep};
    use std::fs::File;
    use std::os::unix::fs::MetadataExt as _;

    fn begin(store: &Store, name: &str) -> Result<Recorder, OpenStoreError> {
        let bounds = Bounds::for_disk(1 << 40);
        Recorder::begin(store, name, Began::default(), bounds, 1)
    }

    fn facts(path: &Path) -> (u32, u32) {
        let found = fs::symlink_metadata(path).unwrap();
        (found.uid(), found.mode() & 0o7777)
    }

    #[test]
    fn what_root_keeps_for_a_user_is_theirs_where_only_root_puts_names() {
        let base = tempfile::tempdir().unwrap();
        let root = base.path().join("undo");
        let store = Store::at(&root).for_user(4711, 4712);
        if !rustix::process::geteuid().is_root() {
            assert!(begin(&store, "one").is_err(), "only root gives files away");
            return;
        }
        let recorder = begin(&store, "one").unwrap();
        assert_eq!(facts(&root), (0, 0o755));
        let one = store.session("one").unwrap().dir().to_owned();
        assert_eq!(facts(&one), (4711, 0o700));
        assert_eq!(facts(&one.join("objects")), (4711, 0o700));
        assert_eq!(facts(&one.join("journal")), (4711, 0o600));
        recorder.end(2).unwrap();
        assert_eq!(facts(&root), (0, 0o755), "it is never closed");
        drop(recorder);
        // As its user leaves it who forgets a session.
        fs::remove_file(one.join("journal")).unwrap();
        fs::remove_dir(one.join("objects")).unwrap();
        sweep(&store, &Bounds::for_disk(1 << 40), 1).unwrap();
        assert!(one.exists(), "it may be in the making");
        let old = SystemTime::now() - 2 * BEGINNING;
        File::open(&one).unwrap().set_modified(old).unwrap();
        sweep(&store, &Bounds::for_disk(1 << 40), 1).unwrap();
        assert!(!one.exists());
    }

    #[test]
    fn a_user_s_store_lists_what_root_keeps_for_them() {
        let base = tempfile::tempdir().unwrap();
        let (own, roots) = (base.path().join("own"), base.path().join("root"));
        let both = Store::at(&own).with_sessions_of(&roots);
        assert!(both.sessions().unwrap().is_empty());
        begin(&Store::at(&roots), "by-root").unwrap();
        begin(&both, "own").unwrap();
        let found = both.sessions().unwrap();
        assert_eq!(found.len(), 2);
        let dir = both.session("own").unwrap().dir().to_owned();
        assert!(dir.starts_with(&own), "new sessions are in their own");
        forget(&both.session("by-root").unwrap()).unwrap();
        assert_eq!(both.sessions().unwrap().len(), 1);
    }

    #[test]
    fn a_store_that_others_could_write_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = tempfile::tempdir().unwrap();
        let root = base.path().join("undo");
        fs::create_dir(&root).unwrap();
        for (store, mode) in [
            (Store::at(&root), 0o710),
            (Store::at(&root).for_user(4711, 4712), 0o775),
        ] {
            fs::set_permissions(&root, fs::Permissions::from_mode(mode)).unwrap();
            assert!(begin(&store, "one").is_err(), "{mode:o}");
        }
    }
}
