//! Where things are kept.
//!
//! A guard's own files lie in its user's home. When root guards somebody else, the daemon before
//! all, they lie where only root can write, for a root that writes into a user's directory can be
//! led astray by links. The denial log is the exporter's, which is the user's own, and stays in the
//! home:
//!
//! ```text
//! /var/db/codex-es-guard/501/             root's: guard.log, last_good_policy.json
//! /var/db/codex-es-guard/501/reader/      501's, who alone may pass, and root
//! /var/db/codex-es-guard/501/reader/rings root's: rings, which whoever comes here may read
//! ~/.codex/es-guard/                      501's: denials.jsonl
//! ```
//!
//! On Linux it is `/var/lib`.

use anyhow::{Context as _, Result, anyhow};
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The protected user's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// Their home directory.
    pub(crate) home: PathBuf,
    /// The policy file.
    pub(crate) policy: PathBuf,
    /// The guard's own directory: log, last good policy, rings.
    pub(crate) state: PathBuf,
    /// The exporter's directory: the denial log. The guard's own, unless root guards somebody else.
    pub(crate) exporter: PathBuf,
    /// Whom root guards, when that is somebody else.
    pub(crate) protected: Option<Account>,
}

/// A user as the kernel knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

// === impl Places ===

impl Places {
    /// The places of the user whose home is `$HOME`; `policy` replaces the usual policy file.
    pub(crate) fn of_user(policy: Option<&Path>) -> Result<Self> {
        let home = std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
            .ok_or_else(|| {
                anyhow!("HOME is not set; set it to the protected user's home directory")
            })?;
        if !home.is_absolute() {
            return Err(anyhow!(
                "HOME is {}, which is not an absolute path",
                home.display()
            ));
        }
        let policy = match policy {
            Some(path) => std::path::absolute(path)
                .with_context(|| format!("finding the policy {}", path.display()))?,
            None => home.join(".codex/es_policy.json"),
        };
        let exporter = home.join(".codex/es-guard");
        let protected = protected(&home);
        let state = protected.map_or_else(
            || exporter.clone(),
            |account| Path::new(MACHINE_STATE).join(account.uid.to_string()),
        );
        Ok(Self {
            home,
            policy,
            state,
            exporter,
            protected,
        })
    }

    /// Makes the guard's own directory, and makes sure that it is the guard's alone.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or somebody else could write there.
    pub(crate) fn make_state(&self) -> Result<()> {
        if self.protected.is_some() {
            self.state.parent().map_or(Ok(()), make_passable)?;
            return make_passable(&self.state);
        }
        make_private(&self.state)
    }

    /// Where rings are tried, best first: the state directory survives a log-out, the others a full
    /// disk.
    pub(crate) fn ring_directories(&self) -> Vec<PathBuf> {
        let uid = crate::effective_uid();
        if let Some(Account { uid: user, .. }) = self.protected {
            return root_s_rings_for(user);
        }
        let runtime = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join("codex-es-guard/rings"));
        let shared = PathBuf::from(format!("{MEMORY}/codex-es-guard-{uid}/rings"));
        [Some(self.state.join("rings")), runtime, Some(shared)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Where rings of guards may be that protect this user: their own, and root's.
    pub(crate) fn readable_rings(&self) -> Vec<PathBuf> {
        let mut found = self.ring_directories();
        if self.protected.is_none() {
            found.extend(root_s_rings_for(crate::effective_uid()));
        }
        found
    }

    /// The guard's own directory as the kernel names it.
    ///
    /// # Errors
    ///
    /// When it is not there.
    #[cfg(target_os = "macos")]
    pub(crate) fn state_canonical(&self) -> Result<PathBuf> {
        use std::os::unix::ffi::OsStringExt;
        let located = crate::policy_file::locate(self.state.as_os_str().as_bytes());
        let found = located.into_iter().next_back();
        let found = found.map(|bytes| PathBuf::from(std::ffi::OsString::from_vec(bytes)));
        found
            .filter(|found| found.is_dir())
            .ok_or_else(|| anyhow!("the directory {} is not there", self.state.display()))
    }

    /// The home directory as bytes.
    pub(crate) fn home_bytes(&self) -> &[u8] {
        self.home.as_os_str().as_bytes()
    }
}

/// Where a guard that root runs tries to put its rings for this user.
fn root_s_rings_for(user: u32) -> Vec<PathBuf> {
    let shared = Path::new(MEMORY).join(format!("codex-es-guard-0-{user}"));
    [Path::new(MACHINE_STATE).join(user.to_string()), shared]
        .map(|dir| dir.join("reader/rings"))
        .into()
}

/// The owner of this home, when this process is root and they are not.
fn protected(home: &Path) -> Option<Account> {
    let is_root = crate::effective_uid() == 0;
    let found = fs::metadata(home).ok().filter(|_| is_root)?;
    (found.uid() != 0).then(|| Account {
        uid: found.uid(),
        gid: found.gid(),
    })
}

/// Makes a directory with its parents through which others may pass, and in which nobody but this
/// user can list or change anything.
///
/// # Errors
///
/// When it cannot be made, or somebody else could write there.
pub(crate) fn make_passable(dir: &Path) -> Result<()> {
    make_private(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o711))
        .with_context(|| format!("letting others pass through {}", dir.display()))
}

/// Makes a private directory with its parents, and makes sure that it is this user's alone.
///
/// # Errors
///
/// When it cannot be made, or somebody else could write there.
pub(crate) fn make_private(dir: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("making the directory {}", dir.display()))?;
    if let Ok(found) = fs::symlink_metadata(dir)
        && found.is_dir()
        && found.mode() & OTHERS_MAY_WRITE != 0
    {
        // Made by hand, under a usual umask. If it cannot be mended, the check says so.
        let _unmended = fs::set_permissions(dir, Permissions::from_mode(0o700));
    }
    check_private(dir)
}

/// Makes sure that only this user can have written what is in `dir`.
///
/// # Errors
///
/// When `dir` is not there, is no directory itself, or others may write to it.
pub(crate) fn check_private(dir: &Path) -> Result<()> {
    let found =
        fs::symlink_metadata(dir).with_context(|| format!("looking at {}", dir.display()))?;
    let fault = if found.is_symlink() {
        "is a symbolic link".to_owned()
    } else if !found.is_dir() {
        "is not a directory".to_owned()
    } else if found.uid() != crate::effective_uid() {
        format!("belongs to another user (uid {})", found.uid())
    } else if found.mode() & OTHERS_MAY_WRITE != 0 {
        "can be written to by other users".to_owned()
    } else {
        return Ok(());
    };
    Err(anyhow!(
        "{} {fault}; what the guard keeps there must be this user's alone",
        dir.display()
    ))
}

/// Whether a directory is root's alone to write.
pub(crate) fn is_root_s_alone(dir: &Path) -> bool {
    let is = |found: fs::Metadata| {
        found.is_dir() && found.uid() == 0 && found.mode() & OTHERS_MAY_WRITE == 0
    };
    fs::symlink_metadata(dir).is_ok_and(is)
}

/// The program beside this one, as Cargo and packages put them; else of that name in `PATH`.
pub(crate) fn sibling(name: &str) -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.join(name);
    if beside.is_file() {
        return Some(beside);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}

/// What root keeps for the users that it guards.
const MACHINE_STATE: &str = if cfg!(target_os = "macos") {
    "/private/var/db/codex-es-guard"
} else {
    "/var/lib/codex-es-guard"
};

/// A directory that no full disk touches. On a Mac none is in memory; this one is emptied when it
/// starts.
const MEMORY: &str = if cfg!(target_os = "macos") {
    "/private/var/run"
} else {
    "/dev/shm"
};

/// Group and others.
const OTHERS_MAY_WRITE: u32 = 0o022;
