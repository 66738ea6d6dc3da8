//! Whether the exporter does its work, told by the reader thread to the HTTP server.

use std::sync::{Mutex, PoisonError};

/// What stands in the way of being ready. Starts with a reason: nothing was drained yet.
#[derive(Debug)]
pub struct Health {
    obstacle: Mutex<Option<String>>,
}

// === impl Health ===

impl Health {
    /// Not ready yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            obstacle: Mutex::new(Some("the rings were not drained yet".to_owned())),
        }
    }

    /// What stands in the way; `None` when ready.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        self.obstacle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Tells what stands in the way now.
    pub fn set_obstacle(&self, now: Option<&str>) {
        let mut obstacle = self.obstacle.lock().unwrap_or_else(PoisonError::into_inner);
        if obstacle.as_deref() != now {
            *obstacle = now.map(str::to_owned);
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}
