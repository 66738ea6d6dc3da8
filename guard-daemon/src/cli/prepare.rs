//! A policy found, read and compiled, for a guard to start with or for a question about it.

use super::arguments::PolicyArguments;
use super::terminal;
use crate::exporter;
use crate::policy_file::{Granted, LoadPolicyError, Origin, PolicySource, WrittenPolicy, locate};
use crate::undo;
use guard_core::policy::Snapshot;
use guard_report::companion;
use guard_report::directories::DirectoryError;
use guard_report::hex;
use guard_report::paths::{FindPathsError, StatePaths};
use guard_report::sibling::sibling;
use guard_report::time::now_ns;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

/// A policy made ready for a guard.
pub(super) struct Ready {
    pub(super) source: PolicySource,
    pub(super) policy: WrittenPolicy,
    pub(super) snapshot: Snapshot,
    pub(super) origin: Origin,
    /// Why the policy file itself is not in force, if it is not.
    pub(super) warning: Option<LoadPolicyError>,
}

/// Why no guard can start.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrepareError {
    /// It is not known whom to protect.
    #[error(transparent)]
    Paths(#[from] FindPathsError),
    /// There is neither a policy nor `--protect`.
    #[error(
        "nothing to protect: there is no policy file {} and no --protect\n  \
         protect a directory in this session:  codex-es-guard run --protect DIR -- COMMAND\n  \
         write a policy for all sessions:     codex-es-guard policy init DIR",
        .0.display()
    )]
    NothingToProtect(PathBuf),
    /// The file cannot be used, and there is no copy of a good one.
    #[error(
        "the policy cannot be used, and there is no copy of the last good one; correct it \
         (codex-es-guard policy check) and start again"
    )]
    NoGoodPolicy(#[source] LoadPolicyError),
    /// The policy makes no sense here.
    #[error(transparent)]
    Compile(LoadPolicyError),
    /// A zone of the command line cannot be found.
    #[error("finding the zone {}", path.display())]
    Zone {
        /// The zone as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The session cannot be named.
    #[error("asking the kernel for random bytes")]
    Random(#[source] io::Error),
}

// === impl Ready ===

impl Ready {
    /// Warns of what is wrong with the policy, if the policy in force is the file's or not.
    pub(super) fn warn(&self) {
        self.warn_of_origin();
        for warning in self.snapshot.warnings() {
            terminal::warn(&warning.to_string());
        }
    }

    /// Warns if the policy in force is an earlier one than the file's.
    pub(super) fn warn_of_origin(&self) {
        if let Some(error) = &self.warning {
            let error = error.describe();
            terminal::warn(&format!("{error}; the last good policy is in force"));
        }
    }

    /// Makes the guard's own directory, and keeps a copy of the policy there for a guard that finds
    /// a bad one.
    ///
    /// # Errors
    ///
    /// When the directory exists and others could write to it: what is kept there would be believed.
    pub(super) fn keep_state(&self) -> Result<(), DirectoryError> {
        let state = &self.source.paths.state;
        if let Err(error) = self.source.paths.make_state() {
            if state.symlink_metadata().is_ok() {
                return Err(error);
            }
            let error = anyhow::Error::new(error);
            terminal::warn(&format!(
                "{error:#}; the session is guarded, without a log of the guard's own"
            ));
            return Ok(());
        }
        if self.origin == Origin::File
            && let Err(error) = self.source.keep_last_good(&self.policy)
        {
            terminal::warn(&format!(
                "cannot keep a copy of the good policy in {}: {error}",
                state.display()
            ));
        }
        Ok(())
    }
}

// === impl PrepareError ===

impl PrepareError {
    /// Whether somebody may still change what is wrong while a guard waits.
    fn can_change(&self) -> bool {
        match self {
            Self::NothingToProtect(_)
            | Self::NoGoodPolicy(_)
            | Self::Compile(_)
            | Self::Paths(FindPathsError::NoHome(_)) => true,
            Self::Paths(_) | Self::Zone { .. } | Self::Random(_) => false,
        }
    }
}

/// Finds and compiles the policy.
///
/// # Errors
///
/// [`PrepareError`]
pub(super) fn prepare(arguments: &PolicyArguments) -> Result<Ready, PrepareError> {
    let source = policy_source(arguments)?;
    let mut warning = None;
    let (policy, origin) = match source.read() {
        Ok(policy) => (policy, Origin::File),
        Err(LoadPolicyError::Missing(path)) if arguments.policy.is_none() => {
            if source.extra_zones.is_empty() {
                return Err(PrepareError::NothingToProtect(path));
            }
            (WrittenPolicy::absent(), Origin::CommandLine)
        }
        Err(error) => {
            let Ok(policy) = source.read_last_good() else {
                return Err(PrepareError::NoGoodPolicy(error));
            };
            warning = Some(error);
            (policy, Origin::LastGood)
        }
    };
    let snapshot = source.compile(&policy).map_err(PrepareError::Compile)?;
    Ok(Ready {
        source,
        policy,
        snapshot,
        origin,
        warning,
    })
}

/// Prepares again and again until nothing is missing any more that a person can still provide: the
/// home directory, a policy, a policy that can be used. Each reason to wait is passed to `report` once.
/// `pause` waits between two attempts, and returns whether to go on; `None` when it returns false.
///
/// # Errors
///
/// Whatever does not change by waiting.
#[cfg_attr(
    not(any(target_os = "macos", test)),
    expect(dead_code, reason = "only the daemon waits")
)]
pub(super) fn wait_until_ready(
    mut prepare: impl FnMut() -> Result<Ready, PrepareError>,
    mut report: impl FnMut(&str),
    mut pause: impl FnMut() -> bool,
) -> Result<Option<Ready>, PrepareError> {
    let mut reported = String::new();
    loop {
        let error = match prepare() {
            Ok(ready) => return Ok(Some(ready)),
            Err(error) if error.can_change() => anyhow::Error::new(error),
            Err(error) => return Err(error),
        };
        let reason = format!("{error:#}");
        if reason != reported {
            report(&format!(
                "inactive, nothing is guarded: {reason}\nwaiting for that to change"
            ));
            reported = reason;
        }
        if !pause() {
            return Ok(None);
        }
    }
}

/// Where the policy comes from, and what it is to be compiled with.
///
/// # Errors
///
/// [`PrepareError`]
pub(super) fn policy_source(arguments: &PolicyArguments) -> Result<PolicySource, PrepareError> {
    let paths = StatePaths::of_user(arguments.policy.as_deref())?;
    let extra_zones = arguments
        .protect
        .iter()
        .map(|zone| {
            let found = std::path::absolute(zone).map_err(|source| PrepareError::Zone {
                path: zone.clone(),
                source,
            })?;
            Ok(found.into_os_string().into_vec())
        })
        .collect::<Result<Vec<_>, PrepareError>>()?;
    let session = crate::random::bytes::<8>().map_err(PrepareError::Random)?;
    Ok(PolicySource {
        own_files: own_files(&paths),
        paths,
        extra_zones,
        session: hex(&session),
        started_ns: now_ns(),
        granted: Granted::default(),
    })
}

/// What no agent may write, replace or remove.
fn own_files(paths: &StatePaths) -> Vec<Vec<u8>> {
    [
        Some(paths.policy.clone()),
        Some(paths.state.clone()),
        paths.protected.map(|_| paths.exporter.clone()),
        // Made later, it is guarded by the guard that makes it.
        undo::store_of_root(paths).filter(|store| store.exists()),
        std::env::current_exe().ok(),
        sibling(exporter::PROGRAM),
        sibling(companion::PROGRAM),
    ]
    .into_iter()
    .flatten()
    .chain(paths.ring_directories())
    .flat_map(|path| locate(path.as_os_str().as_bytes()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_testing::home::Home;
    use std::fs;

    /// What `run --policy FILE` prepares.
    fn with_policy(file: PathBuf) -> PolicyArguments {
        PolicyArguments {
            protect: Vec::new(),
            policy: Some(file),
        }
    }

    #[test]
    fn a_guard_without_a_policy_waits_for_one() {
        let home = Home::new();
        let file = home.path().join("policy.json");
        let texts = [
            "",
            "{\"protected_zones\": [\"relative\"]}",
            "{\"protected_zones\": [\"/p\"]}",
        ];
        let mut reports = Vec::new();
        let mut pauses = 0_usize;
        let ready = wait_until_ready(
            || prepare(&with_policy(file.clone())),
            |report| reports.push(report.to_owned()),
            || {
                // Two attempts for each, and one report.
                if pauses % 2 == 1 {
                    fs::write(&file, texts[pauses / 2]).unwrap();
                }
                pauses += 1;
                true
            },
        );
        let ready = ready.unwrap().expect("nobody asked it to end");
        assert_eq!(ready.snapshot.zones().count(), 1);
        let [missing, empty, relative] = &reports[..] else {
            panic!("{reports:#?}");
        };
        for (report, reason) in [
            (missing, "there is no policy file"),
            (empty, "not JSON"),
            (relative, "`relative` is not an absolute path"),
        ] {
            assert!(
                report.starts_with("inactive, nothing is guarded"),
                "{report}"
            );
            assert!(report.contains(reason), "{reason}: {report}");
        }
    }

    #[test]
    fn waiting_ends_on_request_and_for_what_cannot_change() {
        let file = Home::new().path().join("policy.json");
        let ended = wait_until_ready(|| prepare(&with_policy(file.clone())), |_| (), || false);
        assert!(ended.unwrap().is_none());
        let fixed = wait_until_ready(
            || Err(PrepareError::Paths(FindPathsError::HomeNotSet)),
            |_| panic!("nobody can change it"),
            || true,
        );
        assert!(matches!(
            fixed,
            Err(PrepareError::Paths(FindPathsError::HomeNotSet))
        ));
        let missing = FindPathsError::NoHome("/home/nobody".into());
        assert!(PrepareError::Paths(missing).can_change());
    }
}
