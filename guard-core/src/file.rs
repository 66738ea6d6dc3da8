//! What a backend reports of one file system object.
//!
//! These are facts about the name itself: a final symbolic link is not followed.

/// One file system object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// What it is.
    pub kind: FileKind,
    /// Its birth time, wall clock nanoseconds; `None` where the file system keeps none. No other
    /// time is used instead: a process can set the others.
    pub born_ns: Option<u64>,
    /// Which object it is among all that exist now.
    pub identity: FileIdentity,
    /// When its inode last changed, wall clock nanoseconds. Users cannot set it.
    pub changed_ns: u64,
    /// When its contents last changed, wall clock nanoseconds. Users can set it.
    pub modified_ns: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// Device and inode number. Two names with one identity are hard links to one object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

/// The type of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket's name.
    Socket,
    /// A device, or a type that this list does not know.
    Other,
}

// === impl FileFacts ===

impl FileFacts {
    /// Whether it is the object that a call made which a backend saw at `call_ns` (wall clock).
    ///
    /// File systems take birth times from a clock that advances once a tick, so a birth may lie a
    /// little before its call.
    #[must_use]
    pub fn is_made_by_call_at(&self, call_ns: u64) -> bool {
        let earliest = call_ns.saturating_sub(TICK_NS);
        let latest = call_ns.saturating_add(CALL_NS);
        self.born_ns
            .is_some_and(|born_ns| (earliest..=latest).contains(&born_ns))
    }

    /// Whether it is a directory.
    #[must_use]
    pub const fn is_directory(&self) -> bool {
        matches!(self.kind, FileKind::Directory)
    }

    /// Whether it was made after `since_ns`, as far as its birth time is known.
    #[must_use]
    pub fn is_younger_than(&self, since_ns: u64) -> bool {
        self.born_ns.is_some_and(|born_ns| born_ns > since_ns)
    }
}

// === impl FileKind ===

impl FileKind {
    /// The type in the `S_IFMT` bits of a mode. The values are the same on Linux (`inode(7)`) and
    /// Darwin (`<sys/stat.h>`).
    #[must_use]
    pub const fn from_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o100_000 => Self::Regular,
            0o040_000 => Self::Directory,
            0o120_000 => Self::Symlink,
            0o010_000 => Self::Fifo,
            0o140_000 => Self::Socket,
            _ => Self::Other,
        }
    }

    /// Whether such an object holds nothing: what passes through it is nowhere afterwards.
    #[must_use]
    pub const fn holds_nothing(self) -> bool {
        matches!(self, Self::Fifo | Self::Socket)
    }
}

/// Two ticks of the slowest clock (100 Hz).
const TICK_NS: u64 = 20_000_000;

/// How long a call may take from the backend's notification to the object's birth.
const CALL_NS: u64 = 2_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn born(born_ns: u64) -> FileFacts {
        FileFacts {
            kind: FileKind::Regular,
            born_ns: Some(born_ns),
            identity: FileIdentity::default(),
            changed_ns: born_ns,
            modified_ns: born_ns,
            size: 0,
        }
    }

    #[test]
    fn births_long_before_or_after_a_call_are_not_its_doing() {
        let call_ns = 10_000_000_000;
        assert!(born(call_ns).is_made_by_call_at(call_ns));
        assert!(born(call_ns - TICK_NS).is_made_by_call_at(call_ns));
        assert!(!born(call_ns - TICK_NS - 1).is_made_by_call_at(call_ns));
        assert!(born(call_ns + CALL_NS).is_made_by_call_at(call_ns));
        assert!(!born(call_ns + CALL_NS + 1).is_made_by_call_at(call_ns));
        assert!(!born(0).is_made_by_call_at(call_ns));
        let unknown = FileFacts {
            born_ns: None,
            ..born(0)
        };
        assert!(!unknown.is_made_by_call_at(0) && !unknown.is_younger_than(0));
    }

    #[test]
    fn younger_is_strictly_younger() {
        assert!(born(8).is_younger_than(7));
        assert!(!born(7).is_younger_than(7));
    }

    #[test]
    fn modes_give_their_type() {
        for (mode, kind, holds_nothing) in [
            (0o100_644, FileKind::Regular, false),
            (0o041_777, FileKind::Directory, false),
            (0o120_777, FileKind::Symlink, false),
            (0o010_600, FileKind::Fifo, true),
            (0o140_600, FileKind::Socket, true),
            (0o060_600, FileKind::Other, false),
            (0o020_600, FileKind::Other, false),
            (0, FileKind::Other, false),
        ] {
            assert_eq!(FileKind::from_mode(mode), kind, "{mode:o}");
            assert_eq!(kind.holds_nothing(), holds_nothing, "{kind:?}");
        }
    }
}
