//! Directories that only one user can write to.
//!
//! What a guard keeps is believed later: rings, the last good policy. So it is kept where nobody
//! but the guard's user can have put it. A directory that the user made with a usual umask, open to
//! its group, is closed; anything else that is open is refused.

use rustix::process::geteuid;
use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It cannot be made.
    #[error("making the directory {}", path.display())]
    Make {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its mode cannot be set.
    #[error("letting others pass through {}", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be examined.
    #[error("examining {}", path.display())]
    Examine {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can write to it.
    #[error("{} {fault}; what the guard keeps there must be this user's alone", path.display())]
    NotPrivate {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What makes a directory another user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Whoever made the link may point it elsewhere.
    #[error("is a symbolic link")]
    Link,
    /// It is a file.
    #[error("is not a directory")]
    NotDirectory,
    /// It has another owner.
    #[error("belongs to another user (uid {0})")]
    Owner(u32),
    /// Its mode lets others write.
    #[error("can be written to by other users")]
    Mode,
}

/// Makes a directory with its parents through which others may pass, and in which nobody but this
/// user can list or change anything.
///
/// # Errors
///
/// [`DirectoryError`]
pub fn make_passable(dir: &Path) -> Result<(), DirectoryError> {
    make_with_mode(dir, 0o711)
}

/// Makes a directory with its parents that others may list, and in which nobody but this user can change
/// anything.
///
/// # Errors
///
/// [`DirectoryError`]
pub fn make_readable(dir: &Path) -> Result<(), DirectoryError> {
    make_with_mode(dir, 0o755)
}

fn make_with_mode(dir: &Path, mode: u32) -> Result<(), DirectoryError> {
    make_private(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(mode)).map_err(|source| DirectoryError::Open {
        path: dir.to_owned(),
        source,
    })
}

/// Makes a directory with its parents that only this user can enter.
///
/// # Errors
///
/// [`DirectoryError`]
pub fn make_private(dir: &Path) -> Result<(), DirectoryError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| DirectoryError::Make {
            path: dir.to_owned(),
            source,
        })?;
    if let Ok(found) = fs::symlink_metadata(dir)
        && found.is_dir()
        && can_others_write(&found)
    {
        // Made by hand, with a usual umask. If it cannot be closed, the check below says so.
        let _unchanged = fs::set_permissions(dir, Permissions::from_mode(0o700));
    }
    check_private(dir)
}

/// Checks that only this user can have written what is in `dir`.
///
/// # Errors
///
/// When `dir` does not exist, is not itself a directory, or others can write to it.
pub fn check_private(dir: &Path) -> Result<(), DirectoryError> {
    let found = fs::symlink_metadata(dir).map_err(|source| DirectoryError::Examine {
        path: dir.to_owned(),
        source,
    })?;
    let fault = if found.is_symlink() {
        Fault::Link
    } else if !found.is_dir() {
        Fault::NotDirectory
    } else if found.uid() != geteuid().as_raw() {
        Fault::Owner(found.uid())
    } else if can_others_write(&found) {
        Fault::Mode
    } else {
        return Ok(());
    };
    Err(DirectoryError::NotPrivate {
        path: dir.to_owned(),
        fault,
    })
}

/// Whether the mode lets somebody other than the owner write.
pub(crate) fn can_others_write(found: &Metadata) -> bool {
    found.mode() & GROUP_AND_OTHERS_WRITE != 0
}

const GROUP_AND_OTHERS_WRITE: u32 = 0o022;

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(dir: &Path) -> Option<Fault> {
        match check_private(dir) {
            Err(DirectoryError::NotPrivate { fault, .. }) => Some(fault),
            _ => None,
        }
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_closed_or_refused() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("a/b");
        make_private(&dir).unwrap();
        fs::set_permissions(&dir, Permissions::from_mode(0o775)).unwrap();
        assert_eq!(fault(&dir), Some(Fault::Mode));
        make_private(&dir).unwrap();
        assert_eq!(fault(&dir), None);
        let link = top.path().join("link");
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        assert_eq!(fault(&link), Some(Fault::Link));
        fs::write(top.path().join("file"), "").unwrap();
        assert_eq!(fault(&top.path().join("file")), Some(Fault::NotDirectory));
        let error = make_private(&link).unwrap_err().to_string();
        assert!(error.ends_with(
            "link is a symbolic link; what the guard keeps there must be this user's alone"
        ));
        if !geteuid().is_root() {
            assert_eq!(fault(Path::new("/")), Some(Fault::Owner(0)));
        }
    }

    #[test]
    fn others_may_pass_and_not_list() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("a");
        make_passable(&dir).unwrap();
        assert_eq!(dir.metadata().unwrap().mode() & 0o777, 0o711);
        check_private(&dir).unwrap();
    }
}
