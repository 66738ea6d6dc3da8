//! The program that a process runs: its executable, or the script that an interpreter runs.
//!
//! `hg` is a script: its process executes Python, and its first argument is the script's path. Only
//! scripts by an absolute path are seen, since whose directory a relative one starts from is not
//! known here.

use crate::actor::FactSource;
use crate::file::FileKind;
use crate::process::basename;

/// The program of one process.
#[derive(Debug)]
pub(super) enum Program<'a> {
    /// An executable.
    Executable(&'a [u8]),
    /// A script.
    Script {
        /// Its interpreter.
        interpreter: &'a [u8],
        /// Its arguments, NUL-separated, its own path first.
        arguments: Vec<u8>,
    },
}

// === impl Program ===

impl<'a> Program<'a> {
    /// The script that the acting process runs, if it is an interpreter of scripts that may be tools.
    pub(super) fn script_of<F: FactSource + ?Sized>(
        executable: &'a [u8],
        facts: &F,
    ) -> Option<Self> {
        if strip_version(basename(executable)) != b"python" {
            return None;
        }
        let arguments = facts.arguments();
        let mut rest = arguments.as_slice();
        loop {
            let end = rest.iter().position(|&byte| byte == 0)?;
            rest = rest.get(end + 1..)?;
            if rest.starts_with(b"/") {
                return Some(Self::Script {
                    interpreter: executable,
                    arguments: rest.to_vec(),
                });
            }
            let end = rest.iter().position(|&byte| byte == 0)?;
            if !is_switches(rest.get(..end)?) {
                return None;
            }
        }
    }

    /// The executable's path.
    pub(super) fn path(&self) -> &'a [u8] {
        match self {
            Self::Executable(path) => path,
            Self::Script { interpreter, .. } => interpreter,
        }
    }

    /// The last component of the script's path, else of the executable's.
    pub(super) fn name(&self) -> &[u8] {
        match self {
            Self::Executable(path) => basename(path),
            Self::Script { arguments, .. } => basename(first(arguments)),
        }
    }

    /// The arguments, NUL-separated, the program's name first; empty if they cannot be read.
    pub(super) fn arguments<F: FactSource + ?Sized>(&self, facts: &F) -> Vec<u8> {
        match self {
            Self::Executable(_) => facts.arguments(),
            Self::Script { arguments, .. } => arguments.clone(),
        }
    }

    /// Whether it is a script that nobody changed since.
    pub(super) fn script_is_older_than<F: FactSource + ?Sized>(
        &self,
        changed_before_ns: u64,
        facts: &F,
    ) -> bool {
        match self {
            Self::Executable(_) => true,
            Self::Script { arguments, .. } => facts.file(first(arguments)).is_some_and(|found| {
                found.kind == FileKind::Regular && found.changed_ns <= changed_before_ns
            }),
        }
    }
}

fn first(arguments: &[u8]) -> &[u8] {
    arguments
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or_default()
}

/// Whether an argument has only switches of Python that take no value and run no other code.
fn is_switches(argument: &[u8]) -> bool {
    argument.strip_prefix(b"-").is_some_and(|letters| {
        !letters.is_empty() && letters.iter().all(|at| SWITCHES.contains(at))
    })
}

/// `python3.11` → `python`, `gcc-12` → `gcc`; a name that is nothing but a version stays.
pub(super) fn strip_version(name: &[u8]) -> &[u8] {
    let is_version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let length = name
        .iter()
        .rposition(|byte| !is_version(byte))
        .map_or(0, |last| last + 1);
    match name.get(..length) {
        Some(plain) if length < name.len() && length > 0 => {
            plain.strip_suffix(b"-").unwrap_or(plain)
        }
        _ => name,
    }
}

/// Of python(1).
const SWITCHES: &[u8] = b"bBdEIOPqsSuvx";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_take_no_value() {
        assert!(is_switches(b"-I") && is_switches(b"-sE"));
        for other in [&b"-c"[..], b"-m", b"-W", b"-", b"--version", b"x", b"-Ic"] {
            assert!(!is_switches(other), "{other:?}");
        }
    }
}
