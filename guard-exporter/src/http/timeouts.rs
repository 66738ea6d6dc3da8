//! How long the server waits for its clients.

use std::time::Duration;

/// The time-outs of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Time for the head of a request to arrive; an idle connection is closed after the same time.
    pub head: Duration,
    /// The longest that a response waits for its client to read some of it.
    pub write: Duration,
}

// === impl Timeouts ===

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            write: Duration::from_secs(20),
        }
    }
}
