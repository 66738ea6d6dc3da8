//! Files of a simulated Mac, as messages describe them.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::BOOTED;

/// A file of any type as a message shows it: its path and the part of `struct stat` that tests
/// care about.
///
/// The inode number comes from the path, so that the same path is always the same file; hard links
/// made on a machine share the number of their source.
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
    /// Birth time, since 1970. Its other times are the same.
    pub(crate) born: Duration,
}

/// The type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileType {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    SymbolicLink,
    /// A named pipe.
    Fifo,
    /// A UNIX-domain socket.
    Socket,
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
            born: BOOTED,
        }
    }

    /// A directory of mode 0755 that belongs to root.
    #[must_use]
    pub fn directory(path: impl AsRef<[u8]>) -> Self {
        Self::of_type(FileType::Directory, path)
    }

    /// A file of any type that belongs to root; what can be searched or followed is of mode 0755,
    /// the rest of mode 0644.
    #[must_use]
    pub fn of_type(file_type: FileType, path: impl AsRef<[u8]>) -> Self {
        let permissions = match file_type {
            FileType::Regular | FileType::Fifo => 0o644,
            FileType::Directory | FileType::SymbolicLink | FileType::Socket => 0o755,
        };
        Self {
            mode: file_type.bits() | permissions,
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

    /// The same file, made at another time since 1970.
    #[must_use]
    pub fn born(mut self, since_1970: Duration) -> Self {
        self.born = since_1970;
        self
    }

    /// The same file, with a path that the kernel truncated (at about 16 KiB).
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
        self.file_type() == Some(FileType::Directory)
    }

    /// Its type; nothing for a device, which only a recording can contain.
    #[must_use]
    pub fn file_type(&self) -> Option<FileType> {
        FileType::ALL
            .into_iter()
            .find(|file_type| file_type.bits() == self.mode & S_IFMT)
    }

    /// The same file under another path: what a rename or a hard link makes of it.
    pub(crate) fn at(&self, path: &[u8]) -> Self {
        Self {
            path: path.into(),
            ..self.clone()
        }
    }

    /// A copy of this file: it has everything but the place, the number and the birth time.
    pub(crate) fn copied_to(&self, path: &[u8], born: Duration) -> Self {
        Self {
            inode: inode_of(path),
            links: 1,
            born,
            ..self.at(path)
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

// === impl FileType ===

impl FileType {
    const ALL: [Self; 5] = [
        Self::Regular,
        Self::Directory,
        Self::SymbolicLink,
        Self::Fifo,
        Self::Socket,
    ];

    /// The type bits of `st_mode` (`<sys/stat.h>`).
    fn bits(self) -> u16 {
        match self {
            Self::Regular => S_IFREG,
            Self::Directory => 0o040_000,
            Self::SymbolicLink => 0o120_000,
            Self::Fifo => 0o010_000,
            Self::Socket => 0o140_000,
        }
    }
}

/// A path as its directory and its last component, for events that report the two apart.
pub(crate) fn directory_and_name(path: &[u8]) -> (File, Vec<u8>) {
    let (directory, name) = split(path);
    (File::directory(directory), name.to_vec())
}

/// A path as its directory and its last component. A path without a slash is in `/`.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(0) => (b"/", &path[1..]),
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"/", path),
    }
}

/// One number per path, the same in every run. Eight bytes at a time: Miri counts every step.
fn inode_of(path: &[u8]) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for chunk in path.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^= hash >> 32;
    }
    hash
}

const S_IFMT: u16 = 0o170_000;
const S_IFREG: u16 = 0o100_000;

#[cfg(test)]
mod tests {
    use super::{File, FileType, S_IFMT, split};

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

    #[test]
    fn a_file_keeps_the_type_it_was_made_with() {
        for file_type in FileType::ALL {
            let file = File::of_type(file_type, "/x").permissions(0o600).at(b"/y");
            assert_eq!(file.file_type(), Some(file_type));
            assert_eq!(file.mode & !S_IFMT, 0o600);
        }
        let mut device = File::regular("/dev/disk0");
        device.mode = 0o060_000;
        assert_eq!(device.file_type(), None);
    }
}
