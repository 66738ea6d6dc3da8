//! Finding what a person names: a session of the store, a path of a journal.

use anyhow::{Context as _, Result};
use guard_undo::Store;
use guard_undo::store::Session;
use std::path::PathBuf;

/// The session of this name.
pub(super) fn find(store: &Store, name: &str) -> Result<Session> {
    store
        .session(name)
        .with_context(|| format!("looking in {}", store.root().display()))
}

/// A path as the kernel names it, for comparison with a journal's.
pub(super) fn canonical(path: &PathBuf) -> Result<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt as _;
    let path = std::path::absolute(path).with_context(|| format!("finding {}", path.display()))?;
    let mut located = crate::policy_file::locate(path.as_os_str().as_bytes());
    Ok(located.swap_remove(0))
}
