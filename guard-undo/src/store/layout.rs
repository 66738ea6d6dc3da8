//! The names in a session's directory.

/// A session's journal.
pub(crate) const JOURNAL: &str = "journal";

/// The directory of a session's kept objects.
pub(crate) const OBJECTS: &str = "objects";
