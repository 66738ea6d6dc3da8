//! What may be asked for: a path in a zone, and less than a zone.

use guard_core::OperationKind;
use guard_core::path::is_at_or_below;
use guard_core::policy::{MAX_PATH_BYTES, Snapshot};
use std::path::Path;

/// Why a path cannot be opened by a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RefusedPath {
    /// It depends on who reads it.
    #[error("{0} is not an absolute path without `.` and `..`")]
    NotPlain(String),
    /// It is longer than a policy takes.
    #[error("the path is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    /// It is `/`.
    #[error("/ is never opened")]
    Root,
    /// It is the home directory, or above it.
    #[error("{0} is or contains the home directory, which is never opened as a whole")]
    Home(String),
    /// It is a zone's root, or above it.
    #[error("{path} is or contains the root of zone \"{zone}\", which only a person removes")]
    Zone {
        /// The path.
        path: String,
        /// The zone's name.
        zone: String,
    },
    /// It is one of the guard's own files.
    #[error("{0} is the guard's own")]
    Own(String),
    /// It is in no zone.
    #[error("{0} is in no protected zone: nothing denies it")]
    Unprotected(String),
}

/// Checks that a canonical path may be opened.
pub(crate) fn check(path: &str, home: &Path, snapshot: &Snapshot) -> Result<(), RefusedPath> {
    let shown = || path.to_owned();
    let is_plain = |component: &str| !matches!(component, "" | "." | "..");
    if path == "/" {
        return Err(RefusedPath::Root);
    }
    if path.len() > MAX_PATH_BYTES {
        return Err(RefusedPath::TooLong);
    }
    let below_root = path.strip_prefix('/');
    if !below_root.is_some_and(|rest| !rest.contains('\0') && rest.split('/').all(is_plain)) {
        return Err(RefusedPath::NotPlain(shown()));
    }
    let bytes = path.as_bytes();
    let contains = |inner: &[u8]| is_at_or_below(inner, bytes);
    if contains(home.as_os_str().as_encoded_bytes()) {
        return Err(RefusedPath::Home(shown()));
    }
    if let Some(zone) = snapshot.zones().find(|zone| contains(zone.path)) {
        return Err(RefusedPath::Zone {
            path: shown(),
            zone: zone.name.to_owned(),
        });
    }
    if snapshot
        .own_files()
        .any(|own| contains(own) || is_at_or_below(bytes, own))
    {
        return Err(RefusedPath::Own(shown()));
    }
    if !snapshot
        .zones()
        .any(|zone| is_at_or_below(bytes, zone.path))
    {
        return Err(RefusedPath::Unprotected(shown()));
    }
    Ok(())
}

/// What is asked for when no operation is named: to remove and to move.
pub(crate) const DEFAULT_OPERATIONS: [OperationKind; 2] =
    [OperationKind::Unlink, OperationKind::Rename];

/// The longest that a grant lasts: a day.
pub(crate) const MAX_SECONDS: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::policy::{OwnFile, Platform, Policy, Surroundings};

    #[test]
    fn less_than_a_zone_may_be_asked_for_and_nothing_else() {
        let policy = br#"{"protected_zones": ["~/work", "~/work/in/inner"]}"#;
        let surroundings = Surroundings {
            home: b"/home/me",
            platform: Platform::Linux,
            extra_zones: &[],
            own_files: &[OwnFile {
                path: b"/home/me/work/own",
            }],
            locate: &|path| vec![path.to_vec()],
            session: "",
            started_ns: 0,
        };
        let policy = Policy::parse(policy).unwrap();
        let snapshot = Snapshot::compile(&policy, &surroundings).unwrap();
        let check = |path: &str| check(path, Path::new("/home/me"), &snapshot);
        assert_eq!(check("/home/me/work/thesis.tex"), Ok(()));
        assert_eq!(check("/home/me/work/a/b"), Ok(()));
        let zone = |path: &str, zone: &str| {
            Err(RefusedPath::Zone {
                path: path.to_owned(),
                zone: zone.to_owned(),
            })
        };
        for (path, refused) in [
            ("/", Err(RefusedPath::Root)),
            ("/home", Err(RefusedPath::Home("/home".to_owned()))),
            ("/home/me", Err(RefusedPath::Home("/home/me".to_owned()))),
            ("/home/me/work", zone("/home/me/work", "work")),
            ("/home/me/work/in", zone("/home/me/work/in", "inner")),
            (
                "/home/me/work/in/inner",
                zone("/home/me/work/in/inner", "inner"),
            ),
            (
                "/home/me/work/own/ring",
                Err(RefusedPath::Own("/home/me/work/own/ring".to_owned())),
            ),
            (
                "/home/me/workshop",
                Err(RefusedPath::Unprotected("/home/me/workshop".to_owned())),
            ),
        ] {
            assert_eq!(check(path), refused, "{path}");
        }
        for path in [
            "",
            "work",
            "~/work/a",
            "/home/me/work/",
            "/home/me/work//a",
            "/home/me/work/../work/a",
            "/home/me/work/a\0",
        ] {
            assert!(
                matches!(check(path), Err(RefusedPath::NotPlain(_))),
                "{path:?}"
            );
        }
        assert_eq!(
            check(&format!("/{}", "a".repeat(4096))),
            Err(RefusedPath::TooLong)
        );
    }
}
