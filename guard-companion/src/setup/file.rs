//! Replacing a person's configuration file: at once or not at all, with a copy of what was there.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The text of a file; `None` when there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        // A link to nothing: a file was meant to be there.
        Err(error)
            if error.kind() == io::ErrorKind::NotFound && path.symlink_metadata().is_err() =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Replaces the text of a file, and keeps what was there beside it. A link stays a link: the file that
/// it leads to is replaced.
pub(super) fn replace(path: &Path, before: Option<&str>, text: &str) -> io::Result<()> {
    let target = target(path)?;
    let mode = match target.metadata() {
        Ok(found) if found.mode() & 0o200 == 0 => {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it is read-only; whatever manages it has to make the change",
            ));
        }
        Ok(found) => found.mode() & 0o7777,
        Err(_) => 0o600,
    };
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    let backup = backup(&target);
    if let Some(before) = before.filter(|_| !backup.exists()) {
        write(&backup, before, mode)?;
    }
    let mut fresh = target.clone().into_os_string();
    fresh.push(format!(".{}.new", std::process::id()));
    let fresh = PathBuf::from(fresh);
    let replaced = write(&fresh, text, mode).and_then(|()| fs::rename(&fresh, &target));
    if replaced.is_err() {
        let _never_made = fs::remove_file(&fresh);
    }
    replaced
}

/// Removes a file that the set-up made, and the copy of what was there before.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(target(path)?)
}

/// What was there before the set-up's first change.
pub(super) fn before(path: &Path) -> Option<String> {
    fs::read_to_string(backup(&target(path).ok()?)).ok()
}

/// The copy is not needed any more.
pub(super) fn forget_before(path: &Path) {
    if let Ok(target) = target(path) {
        let _never_made = fs::remove_file(backup(&target));
    }
}

fn target(path: &Path) -> io::Result<PathBuf> {
    if path.is_symlink() {
        fs::canonicalize(path)
    } else {
        Ok(path.to_owned())
    }
}

fn backup(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".before-codex-es-guard");
    name.into()
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
