//! What keeps an exporter from writing its logs, as far as it can be seen without one.
//!
//! An exporter that cannot open its logs ends at once, and its words are in the guard's own log, where
//! nobody looks. One that runs says itself what it cannot write; see `/api/v1/status`. Nothing is
//! written here.

use guard_report::paths::{StatePaths, change_log, override_log};
use rustix::fs::{Access, access, statvfs};
use std::fs::{FileType, Metadata};
use std::path::Path;

/// Each in a sentence, with what to do about it.
pub(crate) fn obstacles(paths: &StatePaths) -> Vec<String> {
    let directory = &paths.exporter;
    // What does not exist is made, if what is above it can be written to.
    let existing = directory.ancestors().find(|path| path.exists());
    let of_directory = existing.and_then(of_directory);
    if of_directory.is_some() || existing != Some(directory) {
        return of_directory.into_iter().collect();
    }
    let denials = paths.denial_log();
    let logs = [
        change_log(&denials),
        override_log(&denials),
        denials.clone(),
    ];
    logs.iter().rev().filter_map(|log| of_log(log)).collect()
}

fn of_directory(path: &Path) -> Option<String> {
    let shown = path.display();
    if let Err(error) = access(path, Access::WRITE_OK | Access::EXEC_OK) {
        let error = std::io::Error::from(error);
        return Some(format!(
            "nothing can be written to {shown}: {error}; denials stay in the rings until it can"
        ));
    }
    let is_full = statvfs(path).is_ok_and(|found| found.f_blocks > 0 && found.f_bavail == 0);
    is_full.then(|| {
        format!("the disk of {shown} is full; denials stay in the rings until it has room")
    })
}

fn of_log(log: &Path) -> Option<String> {
    let shown = log.display();
    let found = log.symlink_metadata().ok()?;
    if let Some(kind) = unfit(&found) {
        return Some(format!(
            "{shown} is {kind}, which no exporter writes to: denials stay in the rings until it is \
             moved away"
        ));
    }
    let error = access(log, Access::READ_OK | Access::WRITE_OK).err()?;
    let error = std::io::Error::from(error);
    Some(format!(
        "{shown} cannot be written to: {error}; denials stay in the rings until it can"
    ))
}

/// What it is, when it is no regular file.
fn unfit(found: &Metadata) -> Option<&'static str> {
    let kind: FileType = found.file_type();
    if kind.is_file() {
        return None;
    }
    Some(if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_dir() {
        "a directory"
    } else {
        "no regular file"
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn paths_in(home: &Path) -> StatePaths {
        StatePaths {
            home: home.to_owned(),
            policy: home.join("policy"),
            state: home.join("state"),
            exporter: home.join("state"),
            protected: None,
        }
    }

    #[test]
    fn a_log_that_is_no_file_is_an_obstacle() {
        let home = tempfile::tempdir().unwrap();
        let paths = paths_in(home.path());
        assert_eq!(obstacles(&paths), [""; 0], "it will be made");
        fs::create_dir(&paths.state).unwrap();
        assert_eq!(obstacles(&paths), [""; 0]);
        fs::write(home.path().join("elsewhere"), "").unwrap();
        symlink(home.path().join("elsewhere"), paths.denial_log()).unwrap();
        fs::create_dir(paths.state.join("changes.jsonl")).unwrap();
        fs::write(paths.state.join("overrides.jsonl"), "").unwrap();
        let found = obstacles(&paths);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("denials.jsonl is a symbolic link"));
        assert!(found[1].contains("changes.jsonl is a directory"));
    }

    #[test]
    fn a_directory_that_cannot_be_written_to_is_one() {
        if rustix::process::geteuid().is_root() {
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let paths = paths_in(home.path());
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o500)).unwrap();
        let found = obstacles(&paths);
        assert!(found[0].contains("nothing can be written to"), "{found:?}");
    }
}
