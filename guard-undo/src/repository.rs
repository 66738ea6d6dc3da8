//! What a git repository has elsewhere or can lose.

use guard_core::decision::Preserve;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Whether an operation is denied if the object at this canonical path is not preserved.
#[must_use]
pub fn denies_unpreserved(preserve: Preserve, path: &[u8]) -> bool {
    // What a repository has elsewhere or can lose is never a reason to deny.
    preserve == Preserve::Required && !is_repository_object(path)
}

/// Whether an object of a repository is at this path. A bare repository is recognised as git does it:
/// beside `objects` it has `HEAD` and `refs`.
fn is_repository_object(path: &[u8]) -> bool {
    const OBJECTS: &[u8] = b"/objects/";
    let ends = path.windows(OBJECTS.len()).enumerate();
    let mut repositories = ends
        .filter(|(_, part)| *part == OBJECTS)
        .filter_map(|(at, _)| path.get(..at));
    repositories.any(|repository| {
        let place = Path::new(OsStr::from_bytes(repository));
        let has = |name| place.join(name).symlink_metadata().is_ok();
        repository.ends_with(b"/.git") || (has("HEAD") && has("refs"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn objects_of_bare_repositories_count_too() {
        let base = tempfile::tempdir().unwrap();
        let bare = base.path().join("r.git");
        fs::create_dir_all(bare.join("refs")).unwrap();
        fs::write(bare.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        let is_object = |path: &str| {
            let path = base.path().join(path);
            is_repository_object(path.as_os_str().as_bytes())
        };
        assert!(is_object("r.git/objects/pack/pack-1.pack"));
        assert!(is_object("any/.git/objects/ab/cdef"));
        assert!(!is_object("r.git/refs/heads/main"));
        assert!(!is_object("scene/objects/chair.obj"));
        assert!(denies_unpreserved(Preserve::Required, b"/z/doc"));
        assert!(!denies_unpreserved(
            Preserve::Required,
            b"/z/.git/objects/a"
        ));
        assert!(!denies_unpreserved(Preserve::IfPossible, b"/z/doc"));
    }
}
