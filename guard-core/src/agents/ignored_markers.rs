//! Markers in the environment of the guard itself, which are no evidence about what it guards.

use super::catalogue::CATALOGUE;
use super::marker::entries;

/// Markers that were set before the session began, and are no evidence about what runs in it.
///
/// The guard may itself be started below an agent: every process then has that agent's variables.
/// Entries are compared whole, name and value, so another agent of the same kind that is started
/// within the session is still recognised by its own session id.
///
/// ```
/// use guard_core::agents::IgnoredMarkers;
///
/// let ignored = IgnoredMarkers::from_environment(b"HOME=/home/u\0GEMINI_CLI=1\0");
/// assert!(ignored.contains(b"GEMINI_CLI=1"));
/// assert!(!ignored.contains(b"HOME=/home/u"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoredMarkers {
    entries: Vec<Box<[u8]>>,
}

// === impl IgnoredMarkers ===

impl IgnoredMarkers {
    /// The markers and session ids in the environment of the session's root, NUL-separated.
    #[must_use]
    pub fn from_environment(environment: &[u8]) -> Self {
        let entries = entries(environment)
            .filter(|entry| CATALOGUE.iter().any(|agent| agent.claims(entry)))
            .map(Into::into)
            .collect();
        Self { entries }
    }

    /// Whether this entry (`NAME=value`) was set before the session began.
    #[must_use]
    pub fn contains(&self, entry: &[u8]) -> bool {
        self.entries.iter().any(|ignored| **ignored == *entry)
    }
}
