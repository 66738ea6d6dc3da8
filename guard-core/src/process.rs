//! What the guard knows of a process, and where it asks.

/// A process, never confused with a later one of the same number.
///
/// `generation` is the platform's second half of a process's identity: on Linux the start time in
/// clock ticks (`/proc/PID/stat` field 22), on macOS the `pidversion` of the audit token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProcessKey {
    /// Process id.
    pub pid: u32,
    /// Tells apart processes that had the same id.
    pub generation: u64,
}

/// One look at a process. Buffers are reused between looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessDescription {
    /// Whom this describes.
    pub key: ProcessKey,
    /// The parent's process id; 0 when there is none.
    pub ppid: u32,
    /// Real user id.
    pub uid: u32,
    /// When the process started, nanoseconds of the wall clock.
    pub started_ns: u64,
    /// Path of the executable image; empty when it cannot be read.
    pub executable: Vec<u8>,
    /// When the executable's inode last changed (ctime), nanoseconds of the wall clock; 0 when it
    /// cannot be read.
    pub executable_changed_ns: u64,
    /// The argument vector as it stands now, NUL-separated, first [`MAX_ARGUMENTS_BYTES`] bytes.
    /// A process may overwrite it (`process.title`).
    pub arguments: Vec<u8>,
    /// The environment at exec, NUL-separated `NAME=value`, first [`MAX_ENVIRONMENT_BYTES`] bytes;
    /// empty when it cannot be read.
    pub environment: Vec<u8>,
}

/// Where facts about processes come from: `/proc`, `libproc`, or a test's table.
pub trait ProcessSource {
    /// Describes process `pid` as it is now.
    ///
    /// # Errors
    ///
    /// [`ProcessGone`] when no such process exists, or it ended during the look.
    fn describe(&self, pid: u32, into: &mut ProcessDescription) -> Result<(), ProcessGone>;
}

/// The process does not exist any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the process is gone")]
pub struct ProcessGone;

/// Bytes of the argument vector that are looked at: titles and option parsing need no more.
pub const MAX_ARGUMENTS_BYTES: usize = 16 * 1024;

/// Bytes of the environment that are looked at. Linux allows 2 MiB and more; agents' markers stand
/// wherever the agent's spawn put them, so the bound is generous.
pub const MAX_ENVIRONMENT_BYTES: usize = 256 * 1024;

// === impl ProcessDescription ===

impl ProcessDescription {
    /// `argv[0]` as it stands now; empty when there is none.
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

/// The last component of a path; the whole when it has no slash.
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
