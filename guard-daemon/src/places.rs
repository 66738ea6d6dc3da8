//! Where things are kept.

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
        Ok(Self {
            state: home.join(".codex/es-guard"),
            policy,
            home,
        })
    }

    /// Where rings are tried, best first: the state directory survives a log-out, the others a full
    /// disk.
    pub(crate) fn ring_directories(&self) -> Vec<PathBuf> {
        let uid = crate::effective_uid();
        let runtime = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join("codex-es-guard/rings"));
        let memory = if cfg!(target_os = "macos") {
            // No directory of a Mac is in memory; this one is emptied when it starts.
            "/private/var/run"
        } else {
            "/dev/shm"
        };
        let shared = PathBuf::from(format!("{memory}/codex-es-guard-{uid}/rings"));
        [Some(self.state.join("rings")), runtime, Some(shared)]
            .into_iter()
            .flatten()
            .collect()
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

/// Group and others.
const OTHERS_MAY_WRITE: u32 = 0o022;
