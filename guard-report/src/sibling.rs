//! The programs beside this one.

use std::path::PathBuf;

/// The program beside this one, as Cargo and packages put them; else of that name in `PATH`.
#[must_use]
pub fn sibling(name: &str) -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.join(name);
    if beside.is_file() {
        return Some(beside);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}
