//! Whether the exporter is ready, set by the reading thread and read by the HTTP server.

use std::sync::{Mutex, PoisonError};

/// Why the exporter is not ready. At the start nothing was drained yet.
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

    /// Why the exporter is not ready; `None` when it is.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        self.obstacle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

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
