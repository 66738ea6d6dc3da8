//! What must be preserved before an allowed operation proceeds.
//!
//! A decision requires it ([`Preserve`]), and the backend does it. Contents that are opened for
//! writing are a separate question ([`Snapshot::preserves_contents`]), without a decision.
//!
//! Nothing is preserved where a tool makes everything again: below directories with certain names,
//! in disposable and in temporary paths.

use super::effective::{self, EffectiveEntry};
use crate::event::ZoneRef;
use crate::policy::{Snapshot, Zone};
use crate::tools::OutputOwner;
use crate::zones::below;

/// Whether an object must be preserved before an allowed operation: the one that is removed, or that
/// a rename replaces, by an agent's process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preserve {
    /// Nothing is destroyed, or it is made again.
    #[default]
    Nothing,
    /// An agent made it: it is preserved only if somebody else has changed it since.
    IfChanged,
    /// If possible: a name gets new contents, or a person allowed the removal.
    IfPossible,
    /// It is preserved, or else the operation is denied ([`Unpreservable`](crate::Reason::Unpreservable)).
    Required,
}

// === impl Preserve ===

impl Preserve {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::IfChanged => "if_changed",
            Self::IfPossible => "if_possible",
            Self::Required => "required",
        }
    }

    /// For people; `None` if nothing is preserved.
    #[must_use]
    pub const fn explain(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::IfChanged => Some("preserved if somebody else changed it since"),
            Self::IfPossible => Some("preserved first, as far as possible"),
            Self::Required => Some("preserved first, else denied"),
        }
    }

    /// For what a trusted tool removes, by the owner of its output.
    pub(super) const fn of_tool(owner: OutputOwner) -> Self {
        match owner {
            // Version control discards for good, and a tool of the policy removes anything.
            OutputOwner::Original => Self::Required,
            OutputOwner::AgentIfNew | OutputOwner::Agent => Self::IfPossible,
        }
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// The zone that contains a canonical path, whatever else covers it.
    #[must_use]
    pub fn zone_of(&self, path: &[u8]) -> Option<ZoneRef<'_>> {
        self.zone_over(self.tree.lookup(path)).map(Zone::as_ref)
    }

    /// Whether the contents of the file at this canonical path are preserved before an agent
    /// changes them.
    #[must_use]
    pub fn preserves_contents(&self, path: &[u8]) -> bool {
        let found = self.tree.lookup(path);
        let entry = effective::effective_entry(self, found, path, |_| false);
        !found.is_own()
            && matches!(entry, EffectiveEntry::Zone(zone)
                if !is_made_again(zone.as_ref().path, path))
    }
}

/// Whether a file below this zone is one that tools make again.
pub(super) fn is_made_again(zone: &[u8], path: &[u8]) -> bool {
    let Some(below) = below(zone, path) else {
        return false;
    };
    let mut components = below.split(|&byte| byte == b'/');
    // The last is the file's own name.
    components.next_back();
    components.any(|name| MADE_AGAIN.contains(&name))
}

/// Directories whose contents package managers and compilers make from something else.
const MADE_AGAIN: &[&[u8]] = &[
    b"node_modules",
    b"target",
    b"__pycache__",
    b".venv",
    b"venv",
    b".tox",
    b".nox",
    b".mypy_cache",
    b".pytest_cache",
    b".ruff_cache",
    b".hypothesis",
    b".gradle",
    b".next",
    b".nuxt",
    b".turbo",
    b".vite",
    b".svelte-kit",
    b".parcel-cache",
    b".angular",
    b".dart_tool",
    b".zig-cache",
    b"zig-cache",
    b"zig-out",
    b"dist-newstyle",
    b".stack-work",
    b"CMakeFiles",
    b"DerivedData",
    b".build",
    b"_build",
    b".terraform",
    b".cache",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_a_tool_s_directory_is_made_again() {
        for (path, made_again) in [
            ("/z/node_modules/a/b", true),
            ("/z/p/target/debug/x", true),
            ("/z/target", false),
            ("/z/src/main.rs", false),
            ("/z/build/icon.png", false),
        ] {
            assert_eq!(is_made_again(b"/z", path.as_bytes()), made_again, "{path}");
        }
        assert!(!is_made_again(b"/node_modules", b"/node_modules/a"));
    }
}
