//! Recognises agents.
//!
//! [`recognise`] examines one process by itself: never its ancestors, the disk or the clock. In this
//! order:
//!
//! 1. the [`CATALOGUE`]: path globs, exact names, an interpreter's script → its label;
//! 2. the policy's `ai_agent_patterns`: substrings of a name → `custom:<pattern>`;
//! 3. the catalogue's markers in the environment: the process is not the agent, but was started by
//!    one.
//!
//! It guarantees that the guard's own programs are no agents by their names, although `codex` is
//! part of one. Markers count even in the guard's programs: a name must not exempt what an agent
//! started.
//!
//! It deliberately lets no name exempt a process: whatever imitates an agent is treated as one.
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
mod ignored_markers;
mod marker;
mod process_names;

pub use catalogue::{AgentSignature, CATALOGUE};
pub use ignored_markers::IgnoredMarkers;
pub use marker::EnvMarker;

use crate::actor::AgentMatch;
use crate::glob;
use crate::process::ProcessDescription;
use process_names::ProcessNames;

/// The agent that this process is, or by its environment was started by.
#[must_use]
pub fn recognise(
    description: &ProcessDescription,
    patterns: &[impl AsRef<[u8]>],
    ignored: &IgnoredMarkers,
) -> Option<AgentMatch> {
    let names = ProcessNames::of(description);
    if !OWN_PROGRAMS.contains(&names.image()) {
        if let Some((row, name)) = CATALOGUE
            .iter()
            .find_map(|row| Some((row, known(row, &names)?)))
        {
            return Some(AgentMatch {
                label: row.label.to_owned(),
                ancestor: bounded(name),
                session: session(row, description, ignored),
                by_environment: false,
            });
        }
        if let Some((pattern, name)) = custom(patterns, &names) {
            return Some(AgentMatch {
                label: format!("{CUSTOM_PREFIX}{}", String::from_utf8_lossy(pattern)),
                ancestor: bounded(name),
                session: Vec::new(),
                by_environment: false,
            });
        }
    }
    started_by(description, ignored)
}

/// Every label of the catalogue. The policy's patterns add `custom:<pattern>` to these.
pub fn labels() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|row| row.label)
}

/// The label of the agent that people call `name`: the catalogue's, by its label or the name of its
/// program; else a custom one.
///
/// ```
/// use guard_core::agents::label_of;
///
/// assert_eq!(label_of("claude"), "claude_code");
/// assert_eq!(label_of("gemini-cli"), "gemini_cli");
/// assert_eq!(label_of("mytool"), "custom:mytool");
/// ```
#[must_use]
pub fn label_of(name: &str) -> String {
    let is_called =
        |row: &&AgentSignature| row.label == name.replace('-', "_") || row.names.contains(&name);
    match CATALOGUE.iter().find(is_called) {
        Some(row) => row.label.to_owned(),
        None => format!("{CUSTOM_PREFIX}{name}"),
    }
}

/// The name by which this process is the agent of `row`.
fn known<'a>(row: &AgentSignature, names: &ProcessNames<'a>) -> Option<&'a [u8]> {
    let is_name = |name: &&[u8]| row.names.iter().any(|known| known.as_bytes() == *name);
    let is_script =
        |name: &&[u8]| is_name(name) || row.scripts.iter().any(|known| known.as_bytes() == *name);
    let matches = |path: &[u8]| {
        row.paths
            .iter()
            .any(|pattern| glob::matches_path(pattern, path))
    };
    names
        .names()
        .find(is_name)
        .or_else(|| names.script().filter(is_script))
        .or_else(|| {
            names
                .paths()
                .any(matches)
                .then_some(row.common_name().as_bytes())
        })
}

/// The policy's first pattern that is part of a name, and that name. An empty pattern matches
/// nothing.
fn custom<'p, 'a>(
    patterns: &'p [impl AsRef<[u8]>],
    names: &ProcessNames<'a>,
) -> Option<(&'p [u8], &'a [u8])> {
    patterns
        .iter()
        .map(AsRef::as_ref)
        .filter(|pattern| !pattern.is_empty())
        .find_map(|pattern| {
            let name = names.names().find(|name| marker::contains(name, pattern))?;
            Some((pattern, name))
        })
}

/// The agent whose marker this process has in its environment.
fn started_by(description: &ProcessDescription, ignored: &IgnoredMarkers) -> Option<AgentMatch> {
    // Environments are long and the catalogue is short: one pass over the former.
    let row = marker::entries(&description.environment)
        .filter_map(|entry| {
            let claims =
                |row: &AgentSignature| row.markers.iter().any(|marker| marker.matches(entry));
            let index = CATALOGUE.iter().position(claims)?;
            (!ignored.contains(entry)).then_some(index)
        })
        .min()
        .and_then(|index| CATALOGUE.get(index))?;
    Some(AgentMatch {
        label: row.label.to_owned(),
        ancestor: row.common_name().as_bytes().to_vec(),
        session: session(row, description, ignored),
        by_environment: true,
    })
}

/// The session id that this agent gave to the process; empty if there is none.
fn session(
    row: &AgentSignature,
    description: &ProcessDescription,
    ignored: &IgnoredMarkers,
) -> Vec<u8> {
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

/// How labels begin that are not the catalogue's.
pub const CUSTOM_PREFIX: &str = "custom:";

/// The guard's own executables, exactly.
const OWN_PROGRAMS: [&[u8]; 3] = [b"codex-es-guard", b"guard-companion", b"guard-exporter"];

/// Bytes of a name or a session id that are kept; the process itself chooses both.
const MAX_NAME_BYTES: usize = 256;

#[cfg(test)]
mod tests;
