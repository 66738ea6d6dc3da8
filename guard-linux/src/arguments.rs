//! What the registers of a call mean: integers, where a path starts, and a path's two parts.

/// Where a caller's relative path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Start {
    /// The caller's working directory.
    WorkingDirectory,
    /// A descriptor of the caller's.
    Descriptor(i32),
}

/// A caller's path, split before its last component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SplitPath<'p> {
    /// Everything before the last component; empty when that is all there is.
    pub(crate) parent: &'p [u8],
    /// The last component with the slashes after it, as the kernel wants to see it.
    pub(crate) name: &'p [u8],
}

// === impl Start ===

impl Start {
    /// From a `dirfd` argument.
    pub(crate) fn from_argument(argument: u64) -> Self {
        match int_argument(argument) {
            libc::AT_FDCWD => Self::WorkingDirectory,
            fd => Self::Descriptor(fd),
        }
    }
}

/// An `int` argument of a system call: the low half of the register.
pub(crate) fn int_argument(argument: u64) -> i32 {
    let [a, b, c, d, ..] = argument.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

// === impl SplitPath ===

impl<'p> SplitPath<'p> {
    /// Splits a path. Slashes at the end stay with the name: the kernel treats `b/` unlike `b`.
    pub(crate) fn new(path: &'p [u8]) -> Self {
        let trimmed = without_slashes(path);
        let start = trimmed
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(0, |at| at + 1);
        if trimmed.is_empty() && !path.is_empty() {
            // Only slashes: the root, which is its own name.
            return Self {
                parent: b"/",
                name: b"/",
            };
        }
        Self {
            parent: path.get(..start).unwrap_or_default(),
            name: path.get(start..).unwrap_or_default(),
        }
    }

    /// The name without slashes.
    pub(crate) fn bare_name(&self) -> &'p [u8] {
        without_slashes(self.name)
    }

    /// Whether the last component is one that no call removes or moves: `.`, `..`, `/`, nothing.
    /// The kernel refuses those by itself.
    pub(crate) fn is_special(&self) -> bool {
        matches!(self.bare_name(), b"" | b"." | b"..")
    }
}

/// `path` without the slashes at its end.
pub(crate) fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path
        .iter()
        .rposition(|&byte| byte != b'/')
        .map_or(0, |at| at + 1);
    path.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_before_its_last_component() {
        for (path, parent, name) in [
            ("a", "", "a"),
            ("a/b", "a/", "b"),
            ("/a", "/", "a"),
            ("/a/b///", "/a/", "b///"),
            ("///", "/", "/"),
            ("", "", ""),
            ("a/..", "a/", ".."),
            ("./", "", "./"),
        ] {
            let split = SplitPath::new(path.as_bytes());
            assert_eq!(
                (split.parent, split.name),
                (parent.as_bytes(), name.as_bytes()),
                "{path:?}"
            );
        }
        assert!(SplitPath::new(b"a/./").is_special());
        assert!(SplitPath::new(b"/").is_special());
        assert!(!SplitPath::new(b"a/.b").is_special());
        assert_eq!(SplitPath::new(b"a/b//").bare_name(), b"b");
    }

    #[test]
    fn a_dirfd_is_an_int() {
        assert_eq!(Start::from_argument(0xFFFF_FF9C), Start::WorkingDirectory);
        assert_eq!(
            Start::from_argument(0xFFFF_FFFF_FFFF_FF9C),
            Start::WorkingDirectory
        );
        assert_eq!(Start::from_argument(7), Start::Descriptor(7));
        assert_eq!(Start::from_argument(0xFFFF_FFFF), Start::Descriptor(-1));
    }
}
