//! Processes, and the source of facts about them.

/// A process's identity, which a later process with the same id does not share.
///
/// `generation` is the platform's second half of a process's identity: on Linux the start time in
/// clock ticks (`/proc/PID/stat` field 22), on macOS the `pidversion` of the audit token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProcessKey {
    /// Process id.
    pub pid: u32,
    /// Distinguishes processes that had the same id.
    pub generation: u64,
}

/// What is known of a process at one moment. Its buffers can be reused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessDescription {
    /// The process's identity.
    pub key: ProcessKey,
    /// The parent's process id; 0 if there is none.
    pub ppid: u32,
    /// Real user id.
    pub uid: u32,
    /// When the process started, nanoseconds of the wall clock.
    pub started_ns: u64,
    /// Path of the executable image; empty if it cannot be read.
    pub executable: Vec<u8>,
    /// When the executable's inode last changed (ctime), nanoseconds of the wall clock; 0 if it
    /// cannot be read.
    pub executable_changed_ns: u64,
    /// The current argument vector, NUL-separated, first [`MAX_ARGUMENTS_BYTES`] bytes.
    /// A process may overwrite it (`process.title`).
    pub arguments: Vec<u8>,
    /// The environment at exec, NUL-separated `NAME=value`, first [`MAX_ENVIRONMENT_BYTES`] bytes;
    /// empty if it cannot be read.
    pub environment: Vec<u8>,
    /// Whether it is the first process of a PID namespace of its own: the kernel makes it the parent
    /// of orphans.
    pub is_namespace_init: bool,
    /// Equal in a process and in what it forks, until one of them executes a program. `None` where
    /// it is not known.
    pub image: Option<u64>,
}

/// The ids of the ancestors of process `pid`, the parent first, by a function that finds the parent of
/// a process. At most 4,096 are followed.
pub fn ancestors_of(pid: u32, parent_of: impl Fn(u32) -> Option<u32>) -> Vec<u32> {
    let parent = |&pid: &u32| parent_of(pid).filter(|&parent| parent > 0);
    std::iter::successors(Some(pid), parent)
        .skip(1)
        .take(MAX_ANCESTORS)
        .collect()
}

/// Deeper process trees are not followed.
const MAX_ANCESTORS: usize = 4096;

/// A source of facts about processes: `/proc`, `libproc`, or a test's table.
pub trait ProcessSource {
    /// Describes process `pid` as it is now.
    ///
    /// # Errors
    ///
    /// [`DescribeProcessError::Gone`] if no such process exists, or it exits meanwhile.
    fn describe(&self, pid: u32, into: &mut ProcessDescription)
    -> Result<(), DescribeProcessError>;
}

/// Why a process cannot be described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DescribeProcessError {
    /// No such process exists.
    #[error("the process has exited")]
    Gone,
    /// It may exist: the guard itself is short of descriptors or memory.
    #[error("the guard is short of descriptors or memory to examine the process with")]
    Short,
}

/// Bytes of the argument vector that are read: titles and option parsing need no more.
pub const MAX_ARGUMENTS_BYTES: usize = 16 * 1024;

/// Bytes of the environment that are read. Linux allows 2 MiB and more, and agents' markers may be
/// anywhere in it, so the bound is generous.
pub const MAX_ENVIRONMENT_BYTES: usize = 256 * 1024;

/// The session of terminals that a process is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSession {
    /// The process id of the session's leader; 0 for one that has no number here.
    pub leader: u32,
    /// The device number of the controlling terminal; 0 for none.
    pub terminal: u64,
}

// === impl ProcessDescription ===

impl ProcessDescription {
    /// The current `argv[0]`; empty if there is none.
    #[must_use]
    pub fn argv0(&self) -> &[u8] {
        self.arguments().next().unwrap_or_default()
    }

    /// The arguments, `argv[0]` first.
    pub fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        let text = self
            .arguments
            .strip_suffix(b"\0")
            .unwrap_or(&self.arguments);
        text.split(|&byte| byte == 0)
    }

    /// The value of an environment variable.
    #[must_use]
    pub fn variable(&self, name: &[u8]) -> Option<&[u8]> {
        self.environment
            .split(|&byte| byte == 0)
            .find_map(|entry| entry.strip_prefix(name)?.strip_prefix(b"="))
    }
}

/// The last component of a path; all of it if it has no slash.
#[must_use]
pub fn basename(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_and_variables() {
        let description = ProcessDescription {
            arguments: b"git\0-C\0\0clean\0".to_vec(),
            environment: b"HOME=/h\0CLAUDECODE=1\0".to_vec(),
            ..ProcessDescription::default()
        };
        assert_eq!(description.argv0(), b"git");
        let arguments: Vec<&[u8]> = description.arguments().collect();
        assert_eq!(arguments, [&b"git"[..], b"-C", b"", b"clean"]);
        assert_eq!(description.variable(b"CLAUDECODE"), Some(&b"1"[..]));
        assert_eq!(description.variable(b"CLAUDE"), None);
        assert_eq!(basename(b"/usr/bin/rm"), b"rm");
        assert_eq!(basename(b"rm"), b"rm");
    }
}
