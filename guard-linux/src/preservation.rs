//! Where a session's losses are preserved.

use guard_undo::Recorder;
use std::sync::Arc;

/// Where a session's losses are preserved.
#[derive(Debug, Default)]
pub enum Preservation {
    /// The policy wants nothing preserved.
    #[default]
    Off,
    /// The store cannot be used: what must be preserved is denied.
    Unavailable,
    /// In this session's directory.
    Active(Arc<Recorder>),
}
