//! What can be muted: paths of programs, paths of operations' targets, processes.
//!
//! The two kinds of paths are two types: muting a file's path where a program's was meant lets
//! everything through.

use crate::audit_token::AuditToken;
use crate::error::PathError;
use crate::event_type::EventType;
use endpoint_sec_sys::{es_mute_inversion_type_t, es_mute_path_type_t};
use std::ffi::{CStr, CString};

/// Paths of programs: they mute what the programs do.
///
/// Paths are compared as the kernel has them, symbolic links resolved: `/private/tmp`, not `/tmp`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ExecutablePath(Pattern);

/// Paths of what operations are about: they mute what is done to them, if the event type has such
/// paths ([`EventType::target_paths`]). An operation with two of them is muted if both are.
///
/// Paths are compared as the kernel has them, symbolic links resolved: `/private/tmp`, not `/tmp`.
/// A file with several names has several paths, and only the one in use is compared.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TargetPath(Pattern);

/// A path, and whether it is a prefix.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Pattern {
    path: CString,
    is_prefix: bool,
}

/// Declares what both kinds of paths have.
macro_rules! paths {
    ($($Path:ident: $literal:ident, $prefix:ident;)*) => {$(
        impl $Path {
            /// This very path.
            ///
            /// # Errors
            ///
            /// If it has a NUL, or does not begin with a slash.
            pub fn literal(path: impl AsRef<[u8]>) -> Result<Self, PathError> {
                Pattern::new(path.as_ref(), false).map(Self)
            }

            /// Every path that begins with these bytes, whether a name ends there or not: `/a/b`
            /// also matches `/a/bc`, `/a/b/` does not.
            ///
            /// # Errors
            ///
            /// If it has a NUL, or does not begin with a slash.
            pub fn prefix(path: impl AsRef<[u8]>) -> Result<Self, PathError> {
                Pattern::new(path.as_ref(), true).map(Self)
            }

            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                self.0.path.to_bytes()
            }

            /// Whether it is a prefix.
            #[must_use]
            pub fn is_prefix(&self) -> bool {
                self.0.is_prefix
            }

            pub(crate) fn as_c(&self) -> (&CStr, es_mute_path_type_t) {
                let kind = if self.0.is_prefix {
                    es_mute_path_type_t::$prefix
                } else {
                    es_mute_path_type_t::$literal
                };
                (&self.0.path, kind)
            }
        }
    )*};
}

paths! {
    ExecutablePath: ES_MUTE_PATH_TYPE_LITERAL, ES_MUTE_PATH_TYPE_PREFIX;
    TargetPath: ES_MUTE_PATH_TYPE_TARGET_LITERAL, ES_MUTE_PATH_TYPE_TARGET_PREFIX;
}

impl Pattern {
    fn new(path: &[u8], is_prefix: bool) -> Result<Self, PathError> {
        if path.first() != Some(&b'/') {
            return Err(PathError::NotAbsolute);
        }
        let path = CString::new(path).map_err(|error| PathError::Nul {
            position: error.nul_position(),
        })?;
        Ok(Self { path, is_prefix })
    }
}

/// What muting goes by. The three are independent of each other, and each can be inverted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MuteDimension {
    /// The process.
    Process,
    /// The path of the process's program.
    Executable,
    /// The paths of what the operation is about.
    Target,
}

impl MuteDimension {
    pub(crate) fn to_c(self) -> es_mute_inversion_type_t {
        match self {
            Self::Process => es_mute_inversion_type_t::ES_MUTE_INVERSION_TYPE_PROCESS,
            Self::Executable => es_mute_inversion_type_t::ES_MUTE_INVERSION_TYPE_PATH,
            Self::Target => es_mute_inversion_type_t::ES_MUTE_INVERSION_TYPE_TARGET_PATH,
        }
    }
}

/// A muted path, as the system lists it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MutedPath {
    /// What it is compared with, and how.
    pub kind: MutedPathKind,
    /// The path.
    pub path: Vec<u8>,
    /// The event types that it is muted for.
    pub events: Vec<EventType>,
}

/// What a muted path is compared with, and how.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum MutedPathKind {
    /// Programs whose path begins so.
    ExecutablePrefix,
    /// Programs of this path.
    ExecutableLiteral,
    /// Targets whose path begins so.
    TargetPrefix,
    /// Targets of this path.
    TargetLiteral,
    /// A kind that is newer than this crate.
    Other(u32),
}

impl MutedPathKind {
    pub(crate) fn from_c(kind: es_mute_path_type_t) -> Self {
        match kind {
            es_mute_path_type_t::ES_MUTE_PATH_TYPE_PREFIX => Self::ExecutablePrefix,
            es_mute_path_type_t::ES_MUTE_PATH_TYPE_LITERAL => Self::ExecutableLiteral,
            es_mute_path_type_t::ES_MUTE_PATH_TYPE_TARGET_PREFIX => Self::TargetPrefix,
            es_mute_path_type_t::ES_MUTE_PATH_TYPE_TARGET_LITERAL => Self::TargetLiteral,
            es_mute_path_type_t(other) => Self::Other(other),
        }
    }

    pub(crate) fn to_c(self) -> es_mute_path_type_t {
        match self {
            Self::ExecutablePrefix => es_mute_path_type_t::ES_MUTE_PATH_TYPE_PREFIX,
            Self::ExecutableLiteral => es_mute_path_type_t::ES_MUTE_PATH_TYPE_LITERAL,
            Self::TargetPrefix => es_mute_path_type_t::ES_MUTE_PATH_TYPE_TARGET_PREFIX,
            Self::TargetLiteral => es_mute_path_type_t::ES_MUTE_PATH_TYPE_TARGET_LITERAL,
            Self::Other(other) => es_mute_path_type_t(other),
        }
    }

    /// Which dimension of muting it belongs to, if that is known.
    #[must_use]
    pub fn dimension(self) -> Option<MuteDimension> {
        match self {
            Self::ExecutablePrefix | Self::ExecutableLiteral => Some(MuteDimension::Executable),
            Self::TargetPrefix | Self::TargetLiteral => Some(MuteDimension::Target),
            Self::Other(_) => None,
        }
    }
}

/// A muted process, as the system lists it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MutedProcess {
    /// The process.
    pub process: AuditToken,
    /// The event types that it is muted for. macOS 11 mutes processes for all and lists none.
    pub events: Vec<EventType>,
}

#[cfg(test)]
mod tests {
    use super::{ExecutablePath, TargetPath};
    use crate::error::PathError;

    #[test]
    fn only_whole_absolute_paths_are_paths() {
        // A C string would end at the NUL, and `/` would be muted: everything.
        let cut = ExecutablePath::prefix(b"/\0bin/ls");
        assert_eq!(cut, Err(PathError::Nul { position: 1 }));
        assert_eq!(TargetPath::literal(b""), Err(PathError::NotAbsolute));
        assert_eq!(TargetPath::literal("tmp/x"), Err(PathError::NotAbsolute));
        let path = TargetPath::prefix("/private/tmp/\u{e9}/").expect("a good path");
        assert_eq!(path.as_bytes(), "/private/tmp/\u{e9}/".as_bytes());
        assert!(path.is_prefix());
    }
}
