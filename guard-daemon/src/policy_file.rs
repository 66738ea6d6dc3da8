//! The policy file: read and compiled.
//!
//! A bad file never disarms the guard. At start the last good copy, kept in the guard's own
//! directory where no agent may write, takes its place; while running, the policy in force stays.
//! Reading is bounded, and a file that is half written is bad until it is whole.

use fnv::FnvHasher;
use guard_core::guard::Guard;
use guard_core::path::is_at_or_below;
use guard_core::policy::{
    CompilePolicyError, OverrideEntry, OwnFile, ParsePolicyError, Platform, Policy, Snapshot,
    Surroundings,
};
use guard_report::directories::{DirectoryError, check_private};
use guard_report::paths::StatePaths;
use std::error::Error as _;
#[cfg(not(target_os = "macos"))]
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::Hasher as _;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
#[cfg(not(target_os = "macos"))]
use std::path::Component;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a snapshot is compiled from besides the file's text.
#[derive(Clone, Debug)]
pub(crate) struct PolicySource {
    /// The user's paths.
    pub(crate) paths: StatePaths,
    /// Zones of the command line, absolute.
    pub(crate) extra_zones: Vec<Vec<u8>>,
    /// What no agent may touch.
    pub(crate) own_files: Vec<Vec<u8>>,
    /// The session's name.
    pub(crate) session: String,
    /// When the guard started, wall clock nanoseconds.
    pub(crate) started_ns: u64,
    /// The overrides that this guard granted.
    pub(crate) granted: Granted,
}

/// The overrides that a guard granted and that have not ended, shared by its threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granted(Arc<Mutex<Vec<GrantedOverride>>>);

/// An override that a guard granted.
#[derive(Clone, Debug)]
pub(crate) struct GrantedOverride {
    /// The override; its path is canonical.
    pub(crate) entry: OverrideEntry,
    /// Whether the policy file has it. The file alone counts then.
    pub(crate) in_file: bool,
}

/// A policy as it was read: parsed, and its text byte for byte.
#[derive(Clone, Debug)]
pub(crate) struct WrittenPolicy {
    path: PathBuf,
    text: Vec<u8>,
    policy: Policy,
}

/// Where the policy in force comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The file, as it is now.
    File,
    /// The file, as it was when it was last good.
    LastGood,
    /// There is no file: the command line's zones and every default.
    CommandLine,
}

/// Why a policy cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadPolicyError {
    /// There is no file.
    #[error("there is no policy file {}", .0.display())]
    Missing(PathBuf),
    /// It cannot be read.
    #[error("cannot read the policy {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its directory may be another user's.
    #[error("the policy {} is not to be believed", path.display())]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// What is wrong with the directory.
        source: DirectoryError,
    },
    /// It is not a policy.
    #[error("{}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: ParsePolicyError,
    },
    /// It makes no sense here.
    #[error("{}", path.display())]
    Senseless {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: CompilePolicyError,
    },
}

/// What distinguishes two states of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

// === impl PolicySource ===

impl PolicySource {
    /// Reads the policy file.
    pub(crate) fn read(&self) -> Result<WrittenPolicy, LoadPolicyError> {
        WrittenPolicy::read(&self.paths.policy)
    }

    /// Reads the last good copy, if nobody else can have written it.
    pub(crate) fn read_last_good(&self) -> Result<WrittenPolicy, LoadPolicyError> {
        let path = self.last_good();
        check_private(&self.paths.state).map_err(|source| LoadPolicyError::NotPrivate {
            path: path.clone(),
            source,
        })?;
        WrittenPolicy::read(&path)
    }

    /// Reads and compiles the policy file.
    pub(crate) fn load(&self) -> Result<Snapshot, LoadPolicyError> {
        self.compile(&self.read()?)
    }

    /// Compiles a policy without a file: the command line's zones and every default.
    pub(crate) fn without_file(&self) -> Result<Snapshot, LoadPolicyError> {
        self.compile(&WrittenPolicy::absent())
    }

    /// Keeps a policy, good and in force, as the last good copy. Its text is not read again: by
    /// now the file may hold another.
    pub(crate) fn keep_last_good(&self, policy: &WrittenPolicy) -> io::Result<()> {
        let fresh = self
            .paths
            .state
            .join(format!("last_good_policy.{}", std::process::id()));
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(&policy.text)?;
        fs::rename(&fresh, self.last_good())
    }

    fn last_good(&self) -> PathBuf {
        // One for each policy file, so that sessions with `--policy` do not trade theirs.
        let mut hasher = FnvHasher::default();
        hasher.write(self.paths.policy.as_os_str().as_bytes());
        let hash = hasher.finish();
        self.paths
            .state
            .join(format!("last_good_policy-{hash:016x}.json"))
    }

    /// Makes a policy ready for decisions.
    pub(crate) fn compile(&self, written: &WrittenPolicy) -> Result<Snapshot, LoadPolicyError> {
        let granted = self.granted.all();
        // A path that was canonical when it was granted stays that path: resolved again, links that an
        // agent put on its way since would lead elsewhere.
        let locate = |path: &[u8]| {
            let is_granted = |granted: &GrantedOverride| granted.entry.path.as_bytes() == path;
            if granted.iter().any(is_granted) {
                vec![path.to_vec()]
            } else {
                locate(path)
            }
        };
        let mut policy = written.policy.clone();
        let kept = granted.iter().filter(|granted| !granted.in_file);
        policy
            .temporary_overrides
            .extend(kept.map(|granted| granted.entry.clone()));
        let own: Vec<OwnFile<'_>> = self.own_files.iter().map(|path| OwnFile { path }).collect();
        let surroundings = Surroundings {
            home: self.paths.home_bytes(),
            platform: if cfg!(target_os = "macos") {
                Platform::MacOs
            } else {
                Platform::Linux
            },
            extra_zones: &self.extra_zones,
            own_files: &own,
            locate: &locate,
            session: &self.session,
            started_ns: self.started_ns,
        };
        #[cfg(target_os = "macos")]
        let compiled = {
            let volumes = guard_es::volumes::Volumes::of_this_machine();
            let folding = |directory: &[u8]| volumes.folding(directory);
            Snapshot::compile_folding(&policy, &surroundings, &folding)
        };
        #[cfg(not(target_os = "macos"))]
        let compiled = Snapshot::compile(&policy, &surroundings);
        compiled.map_err(|source| LoadPolicyError::Senseless {
            path: written.path.clone(),
            source,
        })
    }

    /// Whether the policy file is, all its links followed, where no agent may make or write files.
    pub(crate) fn is_own_place(&self, guard: &Guard) -> bool {
        let Ok(found) = fs::canonicalize(&self.paths.policy) else {
            // There is nothing that could count.
            return true;
        };
        let snapshot = guard.policy.load();
        let mut own = snapshot.own_files();
        own.any(|own| is_at_or_below(found.as_os_str().as_bytes(), own))
    }

    /// The state of the policy file; `None` when there is none.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        let found = fs::metadata(&self.paths.policy).ok()?;
        Some(Stamp {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

// === impl Granted ===

impl Granted {
    /// One more.
    pub(crate) fn pin(&self, granted: GrantedOverride) {
        self.lock().push(granted);
    }

    /// The policy file does not have it.
    pub(crate) fn keep(&self, id: &str) {
        for granted in self.lock().iter_mut() {
            if granted.entry.id.as_deref() == Some(id) {
                granted.in_file = false;
            }
        }
    }

    /// Those with these ids ended.
    pub(crate) fn forget(&self, ids: &[String]) {
        let is_meant = |granted: &GrantedOverride| {
            let id = granted.entry.id.as_ref();
            id.is_some_and(|id| ids.contains(id))
        };
        self.lock().retain(|granted| !is_meant(granted));
    }

    fn all(&self) -> Vec<GrantedOverride> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<GrantedOverride>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl LoadPolicyError ===

impl LoadPolicyError {
    /// Line and column, from 1, where the text is wrong.
    pub(crate) fn position(&self) -> Option<(usize, usize)> {
        match self {
            Self::Malformed { source, .. } => Some((source.line, source.column)),
            Self::Missing(_)
            | Self::Unreadable { .. }
            | Self::NotPrivate { .. }
            | Self::Senseless { .. } => None,
        }
    }

    /// What is wrong, without the file's name.
    pub(crate) fn problem(&self) -> String {
        match self {
            Self::Missing(_) => "there is no such file".to_owned(),
            Self::Unreadable { source, .. } => source.to_string(),
            Self::NotPrivate { source, .. } => source.to_string(),
            Self::Malformed { source, .. } => source.problem.to_string(),
            Self::Senseless { source, .. } => source.to_string(),
        }
    }

    /// The error with its causes, in one line.
    pub(crate) fn describe(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

// === impl WrittenPolicy ===

impl WrittenPolicy {
    /// What a missing file means: every default.
    pub(crate) fn absent() -> Self {
        Self {
            path: PathBuf::from("the command line"),
            text: Vec::new(),
            policy: Policy::default(),
        }
    }

    /// The parsed policy.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    fn read(path: &Path) -> Result<Self, LoadPolicyError> {
        let text = read_bounded(path)?;
        let policy = Policy::parse(&text).map_err(|source| LoadPolicyError::Malformed {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            text,
            policy,
        })
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, LoadPolicyError> {
    let unreadable = |source: io::Error| match source.kind() {
        // A link to nothing: a file was meant to be there.
        io::ErrorKind::NotFound if path.symlink_metadata().is_err() => {
            LoadPolicyError::Missing(path.to_owned())
        }
        _ => LoadPolicyError::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    // Not blocking, should it be a pipe; the parser refuses what is too large.
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(unreadable)?;
    let kind = file.metadata().map_err(unreadable)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(unreadable(io::Error::other("it is not a regular file")));
    }
    let mut text = Vec::new();
    let bound = u64::try_from(guard_core::policy::MAX_POLICY_BYTES).unwrap_or(u64::MAX) + 1;
    file.take(bound)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    Ok(text)
}

#[cfg(target_os = "macos")]
pub(crate) use guard_es::paths::locate;

/// The canonical locations of a configured path: itself, with the links on its way resolved, and
/// what it points to when it is itself a link. What does not exist yet is placed below its longest
/// existing parent.
#[cfg(not(target_os = "macos"))]
pub(crate) fn locate(path: &[u8]) -> Vec<Vec<u8>> {
    let path = Path::new(OsStr::from_bytes(path));
    let mut found = Vec::new();
    let itself = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => canonical(parent).join(name),
        _ => canonical(path),
    };
    found.push(itself.as_os_str().as_bytes().to_vec());
    if let Ok(target) = fs::canonicalize(path) {
        let target = target.as_os_str().as_bytes().to_vec();
        if !found.contains(&target) {
            found.push(target);
        }
    }
    found
}

#[cfg(not(target_os = "macos"))]
fn canonical(path: &Path) -> PathBuf {
    if let Ok(found) = fs::canonicalize(path) {
        return found;
    }
    match (path.parent(), path.components().next_back()) {
        (Some(parent), Some(Component::Normal(name))) => canonical(parent).join(name),
        (Some(parent), Some(Component::ParentDir)) => canonical(parent)
            .parent()
            .map_or_else(|| PathBuf::from("/"), Path::to_owned),
        (Some(parent), _) => canonical(parent),
        (None, _) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn text(path: &Path) -> Vec<u8> {
        path.as_os_str().as_bytes().to_vec()
    }

    #[test]
    fn a_link_is_protected_with_what_it_points_to() {
        let dir = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir(top.join("real")).unwrap();
        symlink("real", top.join("link")).unwrap();
        assert_eq!(
            locate(&text(&top.join("link"))),
            [text(&top.join("link")), text(&top.join("real"))]
        );
        assert_eq!(
            locate(&text(&top.join("link/x"))),
            [text(&top.join("real/x"))]
        );
        assert_eq!(
            locate(&text(&top.join("link/no/../y"))),
            [text(&top.join("real/y"))]
        );
        assert_eq!(locate(b"/"), [b"/".to_vec()]);
    }
}
