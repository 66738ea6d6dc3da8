//! Writing overrides into the policy file, and nothing else.
//!
//! The text is edited, not written again: order, spaces and everything that is not an override stay
//! byte for byte ([`crate::policy_text`]). The file is replaced at once, with its owner and its mode, so
//! that a reader finds the old text or the new one whenever the guard is killed. The new file is made in
//! the guard's own directory: elsewhere an agent could put another in its place before it is renamed.
//! Guards take turns by a lock, and a change by somebody else in between is not overwritten.

use crate::policy_file::{Origin, PolicySource};
use crate::policy_text;
use guard_core::policy::{ParsePolicyError, Policy};
use guard_report::time::parse;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// What becomes of the overrides.
#[derive(Clone, Copy)]
pub(crate) enum Edit<'a> {
    /// This entry is added, JSON.
    Add(&'a str),
    /// Those that this accepts are removed.
    Remove(&'a dyn Fn(&serde_json::Value) -> bool),
}

/// Why the policy file was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WritePolicyError {
    /// The policy in force is not that of a file that the guard may write.
    #[error("the policy in force is not a file of this user's")]
    NoFile,
    /// The system refuses.
    #[error("writing {}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text would not be a policy.
    #[error("the policy {} would be bad", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// What would be wrong.
        source: ParsePolicyError,
    },
    /// Somebody writes it all the time.
    #[error("the policy {} changes all the time", .0.display())]
    Busy(PathBuf),
}

/// Edits the policy file that `source` names.
///
/// # Errors
///
/// [`WritePolicyError`]. The file is as it was then.
pub(crate) fn edit(
    source: &PolicySource,
    origin: Origin,
    change: Edit<'_>,
) -> Result<(), WritePolicyError> {
    // Root writes nothing in another user's home: links there could lead it elsewhere.
    if origin != Origin::File || source.paths.protected.is_some() {
        return Err(WritePolicyError::NoFile);
    }
    let policy = &source.paths.policy;
    let failed = |error| WritePolicyError::System {
        path: policy.clone(),
        source: error,
    };
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(source.paths.state.join("policy.lock"))
        .map_err(failed)?;
    take_turn(&lock, policy)?;
    // A link stays one.
    let target = fs::canonicalize(policy).map_err(failed)?;
    for _ in 0..ATTEMPTS {
        let before = source.stamp();
        let text = fs::read_to_string(&target).map_err(failed)?;
        let edited = match change {
            Edit::Add(entry) => policy_text::with_override(&text, entry),
            Edit::Remove(is_meant) => policy_text::without_overrides(&text, is_meant),
        };
        let Some(edited) = edited.filter(|edited| *edited != text) else {
            return Ok(());
        };
        Policy::parse(edited.as_bytes()).map_err(|error| WritePolicyError::Bad {
            path: policy.clone(),
            source: error,
        })?;
        let fresh = source
            .paths
            .state
            .join(format!("policy-{}.fresh", source.session));
        let written = write_like(&fresh, &target, &edited);
        let replaced = written.and_then(|()| {
            let is_as_before = source.stamp() == before;
            if is_as_before {
                fs::rename(&fresh, &target)?;
            }
            Ok(is_as_before)
        });
        if !matches!(replaced, Ok(true)) {
            let _never_made = fs::remove_file(&fresh);
        }
        if replaced.map_err(failed)? {
            return Ok(());
        }
    }
    Err(WritePolicyError::Busy(policy.clone()))
}

/// Whether an override is one of those with these ids.
pub(crate) fn with_ids(ids: &[String]) -> impl Fn(&serde_json::Value) -> bool {
    move |entry| {
        let id = entry.get("id").and_then(serde_json::Value::as_str);
        id.is_some_and(|id| ids.iter().any(|meant| meant == id))
    }
}

/// Whether an override was written by a guard or by `override add`, and its time is over. Those that
/// people wrote by hand stay.
pub(crate) fn expired_before(now_ns: u64) -> impl Fn(&serde_json::Value) -> bool {
    move |entry| {
        let text = |field: &str| entry.get(field).and_then(serde_json::Value::as_str);
        let is_written = text("id").is_some() && text("granted_by").is_some();
        let end = text("expires_at").and_then(|end| parse(end).ok());
        is_written && end.is_some_and(|end| end <= now_ns)
    }
}

/// Takes the lock, which an agent could hold for ever: it may read the file.
fn take_turn(lock: &File, policy: &Path) -> Result<(), WritePolicyError> {
    let start = Instant::now();
    while lock.try_lock().is_err() {
        if start.elapsed() >= PATIENCE {
            return Err(WritePolicyError::Busy(policy.to_owned()));
        }
        thread::sleep(RETRY_INTERVAL);
    }
    Ok(())
}

/// Writes a file with the owner and the mode of another, to the disk.
fn write_like(fresh: &Path, like: &Path, text: &str) -> io::Result<()> {
    let found = fs::metadata(like)?;
    match fs::remove_file(fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(fresh)?;
    file.write_all(text.as_bytes())?;
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (found.uid(), found.gid()) {
        fchown(&file, Some(found.uid()), Some(found.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(found.mode() & 0o7777))?;
    file.sync_all()
}

/// How long another guard may take to write.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often the lock is tried.
const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// How often a file that somebody else changes meanwhile is tried.
const ATTEMPTS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_report::paths::StatePaths;
    use guard_testing::home::Home;
    use std::os::unix::fs::symlink;

    fn source(home: &Path) -> PolicySource {
        let state = home.join("state");
        fs::create_dir(&state).unwrap();
        PolicySource {
            paths: StatePaths {
                home: home.to_owned(),
                policy: home.join("policy.json"),
                state: state.clone(),
                exporter: state,
                protected: None,
            },
            extra_zones: Vec::new(),
            own_files: Vec::new(),
            session: "s".to_owned(),
            started_ns: 0,
            granted: crate::policy_file::Granted::default(),
        }
    }

    #[test]
    fn an_override_comes_and_goes_and_the_rest_stays() {
        let home = Home::new();
        let source = source(home.path());
        let text = "{\n  \"mode\" : \"audit\",\n\n  \"temporary_overrides\": [ ]\n}\n";
        // A dotfile manager's link, and a mode that the user chose.
        let target = home.path().join("dotfiles.json");
        fs::write(&target, text).unwrap();
        fs::set_permissions(&target, Permissions::from_mode(0o640)).unwrap();
        symlink("dotfiles.json", &source.paths.policy).unwrap();
        let entry = "{\"path\": \"/p/a\", \"id\": \"1\"}";
        edit(&source, Origin::File, Edit::Add(entry)).unwrap();
        let read = source.read().unwrap();
        assert_eq!(read.policy().temporary_overrides[0].path, "/p/a");
        assert!(source.paths.policy.is_symlink());
        assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o640);
        let ids = ["1".to_owned()];
        edit(&source, Origin::File, Edit::Remove(&with_ids(&ids))).unwrap();
        edit(&source, Origin::File, Edit::Remove(&with_ids(&ids))).unwrap();
        let after = fs::read_to_string(&target).unwrap();
        assert_eq!(after.replace("[]", "[ ]"), text);
        let left: Vec<_> = fs::read_dir(&source.paths.state).unwrap().collect();
        assert_eq!(left.len(), 1, "the lock alone: {left:?}");
    }

    #[test]
    fn what_the_program_wrote_goes_when_its_time_is_over() {
        let entry = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let end = "\"expires_at\": \"1970-01-01T00:00:02Z\"";
        let written = entry(&format!(
            "{{\"path\": \"/a\", \"id\": \"1\", \"granted_by\": \"me\", {end}}}"
        ));
        let by_hand = entry(&format!("{{\"path\": \"/a\", {end}}}"));
        let second = 1_000_000_000;
        assert!(expired_before(2 * second)(&written));
        assert!(!expired_before(2 * second - 1)(&written));
        assert!(!expired_before(3 * second)(&by_hand));
        assert!(!expired_before(3 * second)(&entry("\"/a\"")));
    }

    #[test]
    fn what_is_no_policy_or_no_file_is_not_written() {
        let home = Home::new();
        let source = source(home.path());
        let add = |origin, entry| edit(&source, origin, Edit::Add(entry));
        assert!(matches!(
            add(Origin::File, "{}"),
            Err(WritePolicyError::System { .. })
        ));
        fs::write(&source.paths.policy, "{}").unwrap();
        assert!(matches!(
            add(Origin::File, "{\"path\": \"relative\"}"),
            Err(WritePolicyError::Bad { .. })
        ));
        for origin in [Origin::LastGood, Origin::CommandLine] {
            assert!(matches!(add(origin, "{}"), Err(WritePolicyError::NoFile)));
        }
        assert_eq!(fs::read_to_string(&source.paths.policy).unwrap(), "{}");
    }
}
