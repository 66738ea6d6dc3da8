//! One canonical path for a file that macOS knows by several.
//!
//! A Mac's system volume and data volume appear as one tree: firmlinks make `/Users` on the one and
//! `/System/Volumes/Data/Users` on the other the same directory. Endpoint Security reports the
//! short form; programs and policies use either. `/tmp`, `/var` and `/etc` are symbolic links into
//! `/private`.
//!
//! These functions read the bytes of a path only, except [`locate`], which resolves symbolic links
//! in the file system.

use guard_core::path::is_at_or_below;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Where the data volume is mounted.
const DATA: &[u8] = b"/System/Volumes/Data";

/// The directories of the data volume that firmlinks join to the tree (`/usr/share/firmlinks`).
const FIRMLINKS: [&[u8]; 19] = [
    b"/AppleInternal",
    b"/Applications",
    b"/Library",
    b"/System/Library/Assets",
    b"/System/Library/AssetsV2",
    b"/System/Library/Caches",
    b"/System/Library/CoreServices/CoreTypes.bundle/Contents/Library",
    b"/System/Library/PreinstalledAssets",
    b"/System/Library/PreinstalledAssetsV2",
    b"/System/Library/Speech",
    b"/Users",
    b"/Volumes",
    b"/cores",
    b"/opt",
    b"/private",
    b"/usr/libexec/cups",
    b"/usr/local",
    b"/usr/share/snmp",
    b"/pkg",
];

/// The symbolic links in `/`, which every Mac has.
const PRIVATE: [&[u8]; 3] = [b"/etc", b"/tmp", b"/var"];

/// The short form of a path, a slice of the same bytes.
#[must_use]
pub fn without_firmlink(path: &[u8]) -> &[u8] {
    let Some(rest) = path.strip_prefix(DATA) else {
        return path;
    };
    let linked = FIRMLINKS.iter().any(|link| is_at_or_below(rest, link));
    if linked { rest } else { path }
}

/// A path with firmlinks and the symbolic links in `/` resolved.
#[must_use]
pub fn canonical(path: &[u8]) -> Vec<u8> {
    let path = without_firmlink(path);
    if PRIVATE.iter().any(|link| is_at_or_below(path, link)) {
        return [b"/private", path].concat();
    }
    path.to_vec()
}

/// The canonical locations of a configured path: the path itself with the symbolic links among its
/// parents resolved, and, if it is a symbolic link, its target. A path that does not exist yet is
/// resolved as far as its parents exist.
#[must_use]
pub fn locate(path: &[u8]) -> Vec<Vec<u8>> {
    let path = Path::new(OsStr::from_bytes(path));
    let itself = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => resolved(path),
    };
    let mut found = vec![canonical(itself.as_os_str().as_bytes())];
    if let Ok(target) = path.canonicalize() {
        let target = canonical(target.as_os_str().as_bytes());
        if !found.contains(&target) {
            found.push(target);
        }
    }
    found
}

fn resolved(path: &Path) -> PathBuf {
    if let Ok(found) = path.canonicalize() {
        return found;
    }
    match (path.parent(), path.components().next_back()) {
        (Some(parent), Some(Component::Normal(name))) => resolved(parent).join(name),
        (Some(parent), Some(Component::ParentDir)) => resolved(parent)
            .parent()
            .map_or_else(|| PathBuf::from("/"), Path::to_owned),
        (Some(parent), _) => resolved(parent),
        (None, _) => path.to_owned(),
    }
}

/// The parents of a canonical path, the nearest first, without `/`.
pub(crate) fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut path = path;
    std::iter::from_fn(move || {
        let slash = path.iter().rposition(|&byte| byte == b'/')?;
        path = path.get(..slash).filter(|above| !above.is_empty())?;
        Some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firmlinks_and_links_in_the_root_are_resolved() {
        for (path, expected) in [
            ("/System/Volumes/Data/Users/u/w", "/Users/u/w"),
            ("/System/Volumes/Data/Users", "/Users"),
            ("/System/Volumes/Data/private/tmp/a", "/private/tmp/a"),
            (
                "/System/Volumes/Data/Usersx/u",
                "/System/Volumes/Data/Usersx/u",
            ),
            ("/System/Volumes/Data", "/System/Volumes/Data"),
            (
                "/System/Volumes/Database/Users",
                "/System/Volumes/Database/Users",
            ),
            (
                "/System/Volumes/Data/.fseventsd",
                "/System/Volumes/Data/.fseventsd",
            ),
            ("/tmp/a", "/private/tmp/a"),
            ("/tmp", "/private/tmp"),
            ("/tmpfile", "/tmpfile"),
            ("/var/folders/x", "/private/var/folders/x"),
            ("/private/var/x", "/private/var/x"),
            ("/etc/hosts", "/private/etc/hosts"),
            ("/Users/u", "/Users/u"),
            ("/", "/"),
        ] {
            assert_eq!(canonical(path.as_bytes()), expected.as_bytes(), "{path}");
        }
    }

    #[test]
    fn canonical_paths_stay() {
        for path in ["/System/Volumes/Data/Users/u", "/tmp/x", "/a/b"] {
            let once = canonical(path.as_bytes());
            assert_eq!(canonical(&once), once);
        }
    }

    #[test]
    fn parents_go_up_to_the_root_s_children() {
        let above: Vec<&[u8]> = parents(b"/a/b/c").collect();
        assert_eq!(above, [&b"/a/b"[..], b"/a"]);
        assert_eq!(parents(b"/a").count(), 0);
        assert_eq!(parents(b"/").count(), 0);
    }
}
