//! What a file is opened for, in the kernel's flags.

use std::fmt;
use std::ops::{BitAnd, BitOr};

/// What a file is opened for, or what of it is allowed, in the kernel's flags: `FREAD` and `FWRITE`
/// instead of `O_RDONLY`, `O_WRONLY` and `O_RDWR`; the other bits are those of `open`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpenFlags(u32);

impl OpenFlags {
    /// Nothing: as an answer, a denial.
    pub const NONE: Self = Self(0);
    /// All flags: as an answer, allow everything.
    pub const ALL: Self = Self(u32::MAX);
    /// Reading (`FREAD`).
    pub const READ: Self = Self(1);
    /// Writing (`FWRITE`).
    pub const WRITE: Self = Self(2);
    /// Writing at the end only (`O_APPEND`).
    pub const APPEND: Self = Self(0x8);
    /// Creating the file if it is not there (`O_CREAT`).
    pub const CREATE: Self = Self(0x200);
    /// Cutting the file to nothing (`O_TRUNC`).
    pub const TRUNCATE: Self = Self(0x400);
    /// Watching only (`O_EVTONLY`).
    pub const EVENT_ONLY: Self = Self(0x8000);
    /// Directories only (`O_DIRECTORY`).
    pub const DIRECTORY: Self = Self(0x10_0000);
    /// Executing (`O_EXEC`).
    pub const EXECUTE: Self = Self(0x4000_0000);

    /// The flags with these bits.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `other` is in these.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is in these.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for OpenFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for OpenFlags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for OpenFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenFlags({:#x})", self.0)
    }
}
