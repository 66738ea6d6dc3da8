//! What must be preserved before an allowed operation goes on.
//!
//! A decision says so ([`Preserve`]); the backend does it. Contents that are opened for writing are
//! asked about apart ([`Snapshot::preserves_contents`]): no decision is made about them.
//!
//! Nothing is preserved where a tool makes everything again: below directories of these names, in
//! disposable and temporary places.

use super::Decision;
use super::cover::{self, Cover};
use super::scratch::is_claimed_object;
use crate::actor::FactSource;
use crate::event::ZoneRef;
use crate::file::{FileFacts, FileKind};
use crate::policy::{Snapshot, Zone};
use crate::process::basename;
use crate::tools::Making;
use crate::verdict::{Reason, Verdict};

/// What an allowed operation needs first. It concerns the name that is removed, or the one that
/// a rename replaces, and only agents' processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preserve {
    /// Nothing is lost, or it is made again.
    #[default]
    Nothing,
    /// An agent made it: only what somebody else changed since is preserved.
    IfChanged,
    /// As far as possible: a name gets new contents, or a person allowed it.
    IfPossible,
    /// It must be, else the operation is denied ([`Reason::Unpreservable`]).
    Required,
}

// === impl Decision ===

impl Decision<'_> {
    /// The decision on an operation that was to be preserved and could not be.
    #[must_use]
    pub const fn unpreservable(self) -> Self {
        Self {
            verdict: Verdict::Deny,
            reason: Reason::Unpreservable,
            override_id: None,
            tool: None,
            preserve: Preserve::Nothing,
            ..self
        }
    }
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

    /// For people; `None` where nothing is preserved.
    #[must_use]
    pub const fn explain(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::IfChanged => Some("preserved if somebody else changed it since"),
            Self::IfPossible => Some("preserved first, as far as possible"),
            Self::Required => Some("preserved first, else denied"),
        }
    }

    /// For what a trusted tool removes.
    pub(super) const fn of_making(making: Making) -> Self {
        match making {
            // Version control discards for good; a tool of the policy's own removes what it likes.
            Making::BroughtBack => Self::Required,
            Making::InPlace | Making::New => Self::IfPossible,
        }
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// The zone over a canonical path, whatever else covers it.
    #[must_use]
    pub fn zone_of(&self, path: &[u8]) -> Option<ZoneRef<'_>> {
        self.zone_over(self.tree.place(path)).map(Zone::as_ref)
    }

    /// Whether the contents of the file at this canonical path are preserved before an agent
    /// changes them.
    #[must_use]
    pub fn preserves_contents(&self, path: &[u8]) -> bool {
        let place = self.tree.place(path);
        !place.is_own()
            && matches!(cover::cover(self, place, path, |_| false), Cover::Zone(zone)
                if !is_made_again(zone.as_ref().path, path))
    }
}

/// Whether a file below this zone is one that tools make again.
pub(super) fn is_made_again(zone: &[u8], path: &[u8]) -> bool {
    let below = path.strip_prefix(zone).unwrap_or(path);
    let mut components = below.split(|&byte| byte == b'/');
    // The last is the file's own name.
    components.next_back();
    components.any(|name| MADE_AGAIN.contains(&name))
}

/// Whether a rename of one name over the other is a rotation or a backup: in one directory, and the
/// names differ only by a number or a backup's suffix.
pub(super) fn is_rotation(from: &[u8], to: &[u8]) -> bool {
    let directory = |path: &[u8]| path.len() - basename(path).len();
    if from.get(..directory(from)) != to.get(..directory(to)) {
        return false;
    }
    let (from, to) = (basename(from), basename(to));
    from != to && stem(from) == stem(to)
}

/// A name without what rotations and backups add to it.
fn stem(name: &[u8]) -> &[u8] {
    let name = COMPRESSED
        .iter()
        .find_map(|suffix| name.strip_suffix(*suffix))
        .unwrap_or(name);
    let name = BACKUPS
        .iter()
        .find_map(|suffix| name.strip_suffix(*suffix))
        .unwrap_or(name);
    let digits = name
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (plain, number) = name.split_at(name.len() - digits);
    match plain.strip_suffix(b".") {
        Some(stem) if !number.is_empty() && !stem.is_empty() => stem,
        _ => name,
    }
}

/// Whether a rename over an existing file replaces a kept file by another kept one: neither is an
/// agent's, and the source is older than the agent.
pub(super) fn is_kept_over_kept<W: FactSource + ?Sized>(
    from: &[u8],
    to: &[u8],
    agent_since_ns: u64,
    facts: &W,
) -> bool {
    let is_file = |found: &FileFacts| found.kind == FileKind::Regular;
    let Some(_) = facts.file(to).filter(is_file) else {
        return false;
    };
    let is_old = |found: FileFacts| found.born_ns.is_some_and(|born| born <= agent_since_ns);
    facts.file(from).filter(is_file).is_some_and(is_old)
        && !is_claimed_object(from, facts)
        && !is_claimed_object(to, facts)
}

/// Directories that package managers and compilers fill from something else.
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

const COMPRESSED: &[&[u8]] = &[b".gz", b".bz2", b".xz", b".zst"];

const BACKUPS: &[&[u8]] = &[
    b"~", b".bak", b".orig", b".old", b".save", b".backup", b".prev",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_and_backups_differ_by_a_number_or_a_suffix() {
        for (from, to, rotation) in [
            ("/z/app.log.1", "/z/app.log.2", true),
            ("/z/app.log", "/z/app.log.1", true),
            ("/z/app.log.1.gz", "/z/app.log.2.gz", true),
            ("/z/f", "/z/f~", true),
            ("/z/f.bak", "/z/f", true),
            ("/z/p1.jpg", "/z/p2.jpg", false),
            ("/z/Screen 1.mov", "/z/rec_.mov", false),
            ("/z/notes", "/z/notes.md", false),
            ("/z/d/f", "/z/e/f~", false),
            ("/z/1", "/z/2", false),
            ("/z/.1", "/z/.2", false),
            ("/z/f", "/z/f", false),
        ] {
            assert_eq!(
                is_rotation(from.as_bytes(), to.as_bytes()),
                rotation,
                "{from} {to}"
            );
        }
    }

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
