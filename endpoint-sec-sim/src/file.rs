//! Files of a simulated Mac, as messages describe them.

use std::sync::Arc;

/// A file or directory as a message shows it: its path and the part of `struct stat` that tests
/// care about.
///
/// The inode number comes from the path, so that the same path is the same file without anyone
/// keeping books; hard links made on a machine share the number of their source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub(crate) path: Arc<[u8]>,
    pub(crate) path_truncated: bool,
    pub(crate) inode: u64,
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: i64,
    pub(crate) device: i32,
    pub(crate) links: u16,
}

// === impl File ===

impl File {
    /// A regular file of mode 0644 that belongs to root.
    #[must_use]
    pub fn regular(path: impl AsRef<[u8]>) -> Self {
        let path = path.as_ref();
        Self {
            path: path.into(),
            path_truncated: false,
            inode: inode_of(path),
            mode: S_IFREG | 0o644,
            uid: 0,
            gid: 0,
            size: 0,
            device: 0x0100_000F,
            links: 1,
        }
    }

    /// A directory of mode 0755 that belongs to root.
    #[must_use]
    pub fn directory(path: impl AsRef<[u8]>) -> Self {
        Self {
            mode: S_IFDIR | 0o755,
            ..Self::regular(path)
        }
    }

    /// The same file with other owners.
    #[must_use]
    pub fn owned_by(mut self, uid: u32, gid: u32) -> Self {
        (self.uid, self.gid) = (uid, gid);
        self
    }

    /// The same file with other permission bits; the file type stays.
    #[must_use]
    pub fn permissions(mut self, bits: u16) -> Self {
        self.mode = (self.mode & S_IFMT) | (bits & !S_IFMT);
        self
    }

    /// The same file with a size in bytes.
    #[must_use]
    pub fn size(mut self, bytes: i64) -> Self {
        self.size = bytes;
        self
    }

    /// The same file with an inode number of the test's choice.
    #[must_use]
    pub fn inode(mut self, number: u64) -> Self {
        self.inode = number;
        self
    }

    /// The same file on another device.
    #[must_use]
    pub fn device(mut self, number: i32) -> Self {
        self.device = number;
        self
    }

    /// The same file, with a path that the kernel cut off (at about 16 KiB).
    #[must_use]
    pub fn truncated(mut self) -> Self {
        self.path_truncated = true;
        self
    }

    /// The path, without a terminating zero.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// Whether this is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.mode & S_IFMT == S_IFDIR
    }

    /// The same file under another path: what a rename or a hard link makes of it.
    pub(crate) fn at(&self, path: &[u8]) -> Self {
        Self {
            path: path.into(),
            ..self.clone()
        }
    }

    /// The directory that holds this file; `/` holds itself.
    pub(crate) fn parent(&self) -> Self {
        Self::directory(split(&self.path).0)
    }

    /// The last component of the path; empty for `/`.
    pub(crate) fn name(&self) -> &[u8] {
        split(&self.path).1
    }
}

/// A path as its directory and its last component. A path without a slash is in `/`.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(0) => (b"/", &path[1..]),
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"/", path),
    }
}

/// FNV-1a of the path: one number per path, the same in every run.
fn inode_of(path: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    path.iter().fold(0xCBF2_9CE4_8422_2325, step)
}

const S_IFMT: u16 = 0o170_000;
const S_IFREG: u16 = 0o100_000;
const S_IFDIR: u16 = 0o040_000;

#[cfg(test)]
mod tests {
    use super::{File, split};

    #[test]
    fn paths_split_at_their_last_slash() {
        assert_eq!(split(b"/a/b"), (&b"/a"[..], &b"b"[..]));
        assert_eq!(split(b"/a"), (&b"/"[..], &b"a"[..]));
        assert_eq!(split(b"/"), (&b"/"[..], &b""[..]));
        assert_eq!(split(b"a"), (&b"/"[..], &b"a"[..]));
    }

    #[test]
    fn a_path_is_one_file() {
        assert_eq!(File::regular("/x").inode, File::directory("/x").inode);
        assert_ne!(File::regular("/x").inode, File::regular("/y").inode);
        assert!(File::directory("/x").permissions(0o700).is_directory());
    }
}
