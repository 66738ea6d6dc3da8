//! Whether git tracks a path: which repository it is in, and what its index says.

use super::git_index;
use crate::actor::FactSource;
use crate::path::parent;

/// Whether a path is in a repository of git that tracks nothing at or below it. A repository whose
/// `.git` is the agent's proves nothing; `is_marker` says so of a path.
pub(super) fn is_untracked<F: FactSource + ?Sized>(
    path: &[u8],
    is_marker: &dyn Fn(&[u8]) -> bool,
    facts: &F,
) -> bool {
    let Some((top, git)) = repository(path, facts) else {
        return false;
    };
    let below = path.get(top.len() + 1..).unwrap_or_default();
    if !is_marker(&[top, b"/.git"].concat()) {
        return false;
    }
    let index = [&git, &b"/index"[..]].concat();
    if facts.file(&index).is_none() {
        // Nothing was ever added.
        return facts.file(&[&git, &b"/HEAD"[..]].concat()).is_some();
    }
    let bytes = facts.beginning(&index, MAX_INDEX_BYTES);
    bytes.is_some_and(|bytes| git_index::tracks(&bytes, below) == Some(false))
}

/// The top of the work tree that a path is in, and its git directory.
fn repository<'p, F: FactSource + ?Sized>(
    path: &'p [u8],
    facts: &F,
) -> Option<(&'p [u8], Vec<u8>)> {
    let mut top = parent(path);
    loop {
        let git = [top, b"/.git"].concat();
        if let Some(found) = facts.file(&git) {
            if found.is_directory() {
                return Some((top, git));
            }
            // A linked work tree or a submodule.
            let text = facts.beginning(&git, MAX_LINK_BYTES)?;
            let linked = text.strip_prefix(b"gitdir: ")?;
            let linked = linked.strip_suffix(b"\n").unwrap_or(linked);
            let is_absolute = linked.starts_with(b"/");
            let git = if is_absolute {
                linked.to_vec()
            } else {
                [top, b"/", linked].concat()
            };
            return Some((top, git));
        }
        if top.is_empty() {
            return None;
        }
        top = parent(top);
    }
}

/// Of larger indexes nothing is known: this is more than two million names.
const MAX_INDEX_BYTES: usize = 256 << 20;

/// The longest file that leads to a git directory.
const MAX_LINK_BYTES: usize = 8192;
