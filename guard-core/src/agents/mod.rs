//! Tells agents from their looks.
//!
//! [`recognise`] looks at one process, by itself: never at its ancestors, the disk or the clock.
//! In this order:
//!
//! 1. the [`CATALOGUE`]: path globs, exact names, an interpreter's script → its label;
//! 2. the policy's `ai_agent_patterns`: substrings of a name → `custom:<pattern>`;
//! 3. the catalogue's strong markers in the environment: the process is not the agent, but was
//!    started by one.
//!
//! It guarantees that the guard's own programs are no agents by their names, although `codex` is
//! part of one, and that a weak marker alone makes no agent. The environment speaks even of the
//! guard's programs: a name must not shield what an agent started.
//!
//! It deliberately trusts no name *away* from being an agent: whoever imitates one is judged as
//! one.
//!
//! ```
//! use guard_core::agents::{IgnoredMarkers, recognise};
//! use guard_core::process::ProcessDescription;
//!
//! let description = ProcessDescription {
//!     executable: b"/home/u/.local/share/claude/versions/2.1.37".to_vec(),
//!     ..ProcessDescription::default()
//! };
//! let agent = recognise(&description, &["codex"], &IgnoredMarkers::default()).unwrap();
//! assert_eq!(agent.label, "claude_code");
//! assert_eq!(agent.ancestor, b"claude");
//! ```

mod catalogue;
mod glob;
mod looks;
mod marker;

pub use catalogue::{CATALOGUE, Signature};
pub use marker::{IgnoredMarkers, Marker};

use crate::actor::AgentMatch;
use crate::process::ProcessDescription;
use looks::Looks;

/// The agent this process is, or, going by its environment alone, the one that started it.
#[must_use]
pub fn recognise(
    description: &ProcessDescription,
    patterns: &[impl AsRef<[u8]>],
    ignored: &IgnoredMarkers,
) -> Option<AgentMatch> {
    let looks = Looks::of(description);
    if !OWN_PROGRAMS.contains(&looks.image()) {
        if let Some((row, name)) = CATALOGUE
            .iter()
            .find_map(|row| Some((row, known(row, &looks)?)))
        {
            return Some(AgentMatch {
                label: row.label.to_owned(),
                ancestor: bounded(name),
                session: session(row, description, ignored),
                by_environment: false,
            });
        }
        if let Some((pattern, name)) = custom(patterns, &looks) {
            return Some(AgentMatch {
                label: format!("custom:{}", String::from_utf8_lossy(pattern)),
                ancestor: bounded(name),
                session: Vec::new(),
                by_environment: false,
            });
        }
    }
    started_by(description, ignored)
}

/// Every label of the catalogue. Agents of the policy's patterns are `custom:<pattern>` beside
/// these.
pub fn labels() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|row| row.label)
}

/// The name by which this process is the agent of `row`.
fn known<'a>(row: &Signature, looks: &Looks<'a>) -> Option<&'a [u8]> {
    let is_name = |name: &&[u8]| row.names.iter().any(|known| known.as_bytes() == *name);
    let is_script =
        |name: &&[u8]| is_name(name) || row.scripts.iter().any(|known| known.as_bytes() == *name);
    let matches = |path: &[u8]| row.paths.iter().any(|pattern| glob::matches(pattern, path));
    looks
        .names()
        .find(is_name)
        .or_else(|| looks.script().filter(is_script))
        .or_else(|| {
            looks
                .paths()
                .any(matches)
                .then_some(row.common_name().as_bytes())
        })
}

/// The policy's first pattern that is part of a name, and that name. An empty pattern is part of
/// every name and means none.
fn custom<'p, 'a>(
    patterns: &'p [impl AsRef<[u8]>],
    looks: &Looks<'a>,
) -> Option<(&'p [u8], &'a [u8])> {
    patterns
        .iter()
        .map(AsRef::as_ref)
        .filter(|pattern| !pattern.is_empty())
        .find_map(|pattern| {
            let name = looks.names().find(|name| marker::contains(name, pattern))?;
            Some((pattern, name))
        })
}

/// The agent whose strong marker this process has in its environment.
fn started_by(description: &ProcessDescription, ignored: &IgnoredMarkers) -> Option<AgentMatch> {
    // Environments are long and the catalogue is short: one way through the former.
    let row = marker::entries(&description.environment)
        .filter_map(|entry| {
            let claims = |row: &Signature| row.strong.iter().any(|marker| marker.matches(entry));
            let place = CATALOGUE.iter().position(claims)?;
            (!ignored.contains(entry)).then_some(place)
        })
        .min()
        .and_then(|place| CATALOGUE.get(place))?;
    Some(AgentMatch {
        label: row.label.to_owned(),
        ancestor: row.common_name().as_bytes().to_vec(),
        session: session(row, description, ignored),
        by_environment: true,
    })
}

/// The session id this agent gave to the process; empty when there is none.
fn session(row: &Signature, description: &ProcessDescription, ignored: &IgnoredMarkers) -> Vec<u8> {
    marker::entries(&description.environment)
        .filter(|entry| !ignored.contains(entry))
        .find_map(|entry| {
            row.sessions
                .iter()
                .find_map(|name| marker::value_of(entry, name))
        })
        .map(bounded)
        .unwrap_or_default()
}

fn bounded(text: &[u8]) -> Vec<u8> {
    text.get(..MAX_NAME_BYTES).unwrap_or(text).to_vec()
}

/// The guard's own executables, exactly.
const OWN_PROGRAMS: [&[u8]; 2] = [b"codex-es-guard", b"guard-exporter"];

/// Bytes of a name or a session id that are kept: both are chosen by the process itself.
const MAX_NAME_BYTES: usize = 256;

#[cfg(test)]
mod tests;
