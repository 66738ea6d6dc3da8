//! Where a protected user's policy, state, rings and denial log are.
//!
//! A guard's own files are in its user's home. When root guards somebody else, as the daemon does,
//! they are where only root can write, since a root that writes into a user's directory can be
//! redirected by links. The denial log is the exporter's, which runs as the user, and stays in the
//! home:
//!
//! ```text
//! /var/db/codex-es-guard/501/             root's: guard.log, last_good_policy-HASH.json
//! /var/db/codex-es-guard/501/control/     root's: sockets, which 501's processes may connect to
//! /var/db/codex-es-guard/501/reader/      501's, who alone may pass, and root
//! /var/db/codex-es-guard/501/reader/rings root's: rings, which whoever comes here may read
//! /var/db/codex-es-guard/501/undo/SESSION 501's: what is preserved, below a directory of root's
//! ~/.codex/es-guard/                      501's: denials.jsonl
//! ```
//!
//! On Linux it is `/var/lib`. Nothing here makes a home: root would make it root's.

use crate::directories::{DirectoryError, make_passable, make_private};
use crate::rings;
use rustix::process::geteuid;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The paths of a protected user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatePaths {
    /// Their home directory.
    pub home: PathBuf,
    /// The policy file.
    pub policy: PathBuf,
    /// The guard's own directory: log, last good policy, rings.
    pub state: PathBuf,
    /// The exporter's directory, with the denial log. The guard's own, unless root guards somebody
    /// else.
    pub exporter: PathBuf,
    /// Whom root guards, when that is somebody else.
    pub protected: Option<Account>,
}

/// A user as the kernel knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user id.
    pub uid: u32,
    /// The id of their group.
    pub gid: u32,
}

/// Why the paths of a user are not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindPathsError {
    /// `HOME` is unset or empty.
    #[error("HOME is not set; set it to the protected user's home directory")]
    HomeNotSet,
    /// `HOME` depends on the working directory.
    #[error("HOME is {}, which is not an absolute path", .0.display())]
    HomeNotAbsolute(PathBuf),
    /// Root would have to make somebody's home to guard it.
    #[error("the home directory {} does not exist; set HOME to the protected user's home directory", .0.display())]
    NoHome(PathBuf),
    /// The working directory, which the path is relative to, is not known.
    #[error("finding the policy {}", path.display())]
    Policy {
        /// The policy file as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

// === impl StatePaths ===

impl StatePaths {
    /// The paths of the user whose home is `$HOME`; `policy` replaces the default policy file.
    ///
    /// # Errors
    ///
    /// [`FindPathsError`]
    pub fn of_user(policy: Option<&Path>) -> Result<Self, FindPathsError> {
        let home = std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
            .ok_or(FindPathsError::HomeNotSet)?;
        Self::of_home(home, policy)
    }

    fn of_home(home: PathBuf, policy: Option<&Path>) -> Result<Self, FindPathsError> {
        if !home.is_absolute() {
            return Err(FindPathsError::HomeNotAbsolute(home));
        }
        let is_root = geteuid().is_root();
        if is_root && !home.is_dir() {
            return Err(FindPathsError::NoHome(home));
        }
        let policy = match policy {
            Some(path) => std::path::absolute(path).map_err(|source| FindPathsError::Policy {
                path: path.to_owned(),
                source,
            })?,
            None => home.join(".codex/es_policy.json"),
        };
        let exporter = state_directory(&home);
        let protected = owner(&home).filter(|owner| is_root && owner.uid != 0);
        let state = protected.map_or_else(
            || exporter.clone(),
            |account| rings::machine_state().join(account.uid.to_string()),
        );
        Ok(Self {
            home,
            policy,
            state,
            exporter,
            protected,
        })
    }

    /// Makes the guard's own directory, so that only the guard can write there.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`]
    pub fn make_state(&self) -> Result<(), DirectoryError> {
        if self.protected.is_some() {
            self.state.parent().map_or(Ok(()), make_passable)?;
            return make_passable(&self.state);
        }
        make_private(&self.state)
    }

    /// The denial log.
    #[must_use]
    pub fn denial_log(&self) -> PathBuf {
        denial_log(&self.exporter)
    }

    /// Where a guard tries to put its ring, best first.
    #[must_use]
    pub fn ring_directories(&self) -> Vec<PathBuf> {
        match self.protected {
            Some(Account { uid, .. }) => rings::directories_of_root_for(uid),
            None => rings::own_directories(&self.state, runtime().as_deref(), geteuid().as_raw()),
        }
    }

    /// Where rings of guards that protect this user may be: the user's own, and root's.
    #[must_use]
    pub fn readable_rings(&self) -> Vec<PathBuf> {
        let mut found = self.ring_directories();
        if self.protected.is_none() {
            found.extend(rings::directories_of_root_for(geteuid().as_raw()));
        }
        found
    }

    /// Where root keeps what it preserves and writes down for this user, if they are not root.
    #[must_use]
    pub fn state_of_root(&self) -> Option<PathBuf> {
        let uid = geteuid().as_raw();
        let is_user = self.protected.is_none() && uid != 0;
        is_user.then(|| rings::machine_state().join(uid.to_string()))
    }

    /// Where guards have their control sockets.
    #[must_use]
    pub fn control_directory(&self) -> PathBuf {
        self.state.join(CONTROL)
    }

    /// Where the control sockets of guards that protect this user may be: the user's own, and root's.
    #[must_use]
    pub fn askable_directories(&self) -> Vec<PathBuf> {
        let roots = self.state_of_root().map(|state| state.join(CONTROL));
        [self.control_directory()]
            .into_iter()
            .chain(roots)
            .collect()
    }

    /// The home directory as bytes.
    #[must_use]
    pub fn home_bytes(&self) -> &[u8] {
        self.home.as_os_str().as_bytes()
    }
}

/// The directory of control sockets, in a guard's own directory.
const CONTROL: &str = "control";

/// Where the guard and the exporter of the user with this home keep their files.
#[must_use]
pub fn state_directory(home: &Path) -> PathBuf {
    home.join(".codex/es-guard")
}

/// The denial log of the exporter whose files are in `state`.
#[must_use]
pub fn denial_log(state: &Path) -> PathBuf {
    state.join("denials.jsonl")
}

/// The change log of the exporter whose denial log is this.
#[must_use]
pub fn change_log(denial_log: &Path) -> PathBuf {
    denial_log.with_file_name("changes.jsonl")
}

/// The log of requests and overrides of the exporter whose denial log is this.
#[must_use]
pub fn override_log(denial_log: &Path) -> PathBuf {
    denial_log.with_file_name("overrides.jsonl")
}

fn owner(path: &Path) -> Option<Account> {
    let found = fs::metadata(path).ok()?;
    Some(Account {
        uid: found.uid(),
        gid: found.gid(),
    })
}

fn runtime() -> Option<PathBuf> {
    std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_that_is_not_there_is_not_made() {
        let top = tempfile::tempdir().unwrap();
        let home = top.path().join("u");
        let found = StatePaths::of_home(home.clone(), None);
        if geteuid().is_root() {
            assert!(matches!(found, Err(FindPathsError::NoHome(_))), "{found:?}");
        } else {
            assert_eq!(found.unwrap().protected, None);
        }
        assert!(!home.exists());
        let relative = StatePaths::of_home("u".into(), None).unwrap_err();
        assert_eq!(
            relative.to_string(),
            "HOME is u, which is not an absolute path"
        );
    }

    #[test]
    fn what_root_keeps_for_others_is_outside_their_home() {
        let home = tempfile::tempdir().unwrap();
        if !geteuid().is_root() {
            let paths = StatePaths::of_home(home.path().to_owned(), None).unwrap();
            assert_eq!(paths.state, paths.exporter);
            let roots = rings::machine_state().join(geteuid().as_raw().to_string());
            assert_eq!(paths.state_of_root(), Some(roots));
            assert_eq!(
                paths.denial_log(),
                home.path().join(".codex/es-guard/denials.jsonl")
            );
            return;
        }
        std::os::unix::fs::chown(home.path(), Some(4711), Some(12)).unwrap();
        let paths = StatePaths::of_home(home.path().to_owned(), Some(Path::new("/p"))).unwrap();
        let account = Account { uid: 4711, gid: 12 };
        assert_eq!(paths.protected, Some(account));
        assert_eq!(paths.policy, Path::new("/p"));
        assert_eq!(paths.state, rings::machine_state().join("4711"));
        assert_eq!(paths.exporter, home.path().join(".codex/es-guard"));
        assert_eq!(paths.ring_directories(), paths.readable_rings());
        assert_eq!(paths.state_of_root(), None);
    }
}
