//! Environment variables that agents put into what they start.
//!
//! A marker survives `nohup`, `setsid` and a double fork, so it identifies an agent's descendant whose
//! ancestors have exited. It can be forged, but only to be taken for an agent, which is harmless.

/// A variable, and the values that make it a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvMarker {
    /// Set to anything but the empty string.
    Set(&'static str),
    /// Set to exactly this value.
    Is(&'static str, &'static str),
    /// Set to a value that contains this text.
    Contains(&'static str, &'static str),
}

// === impl EnvMarker ===

impl EnvMarker {
    /// The variable's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Set(name) | Self::Is(name, _) | Self::Contains(name, _) => name,
        }
    }

    /// Whether this entry (`NAME=value`) of an environment is the marker.
    #[must_use]
    pub fn matches(self, entry: &[u8]) -> bool {
        let Some(value) = value_of(entry, self.name()) else {
            return false;
        };
        match self {
            Self::Set(_) => !value.is_empty(),
            Self::Is(_, wanted) => value == wanted.as_bytes(),
            Self::Contains(_, part) => contains(value, part.as_bytes()),
        }
    }
}

/// The entries of a NUL-separated environment.
pub(super) fn entries(environment: &[u8]) -> impl Iterator<Item = &[u8]> {
    environment
        .split(|&byte| byte == 0)
        .filter(|entry| !entry.is_empty())
}

/// The value of an entry, if it is of this name.
pub(super) fn value_of<'a>(entry: &'a [u8], name: &str) -> Option<&'a [u8]> {
    entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

/// Whether `part` occurs in `text`.
pub(super) fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_a_whole_entry() {
        assert!(EnvMarker::Set("CRUSH").matches(b"CRUSH=1"));
        assert!(!EnvMarker::Set("CRUSH").matches(b"CRUSH="));
        assert!(!EnvMarker::Set("CRUSH").matches(b"CRUSHED=1"));
        assert!(!EnvMarker::Set("CRUSH").matches(b"X_CRUSH=1"));
        assert!(EnvMarker::Is("GEMINI_CLI", "1").matches(b"GEMINI_CLI=1"));
        assert!(!EnvMarker::Is("GEMINI_CLI", "1").matches(b"GEMINI_CLI=10"));
        let amazon = EnvMarker::Contains("AWS_EXECUTION_ENV", "AmazonQ-For-CLI");
        assert!(amazon.matches(b"AWS_EXECUTION_ENV=CloudShell AmazonQ-For-CLI Version/1.2"));
        assert!(!amazon.matches(b"AWS_EXECUTION_ENV=CloudShell"));
    }
}
