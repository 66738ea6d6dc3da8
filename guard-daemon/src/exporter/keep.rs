//! Keeping an exporter running while a guard runs.
//!
//! One that ended, whatever ended it, is started again, with pauses that grow from [`MIN_PAUSE`] to
//! [`MAX_PAUSE`] while it does not last. That is the work of a thread of its own, so that nothing
//! else in the guard waits for it. Several guards of one user do the same; the lock of the state
//! directory lets one exporter serve.

use super::is_running;
use super::start::ensure;
use crate::log::GuardLog;
use anyhow::Error;
use guard_report::paths::StatePaths;
use std::io;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

/// Starts exporters for a guard.
#[derive(Debug)]
pub(crate) struct ExporterKeeper {
    paths: StatePaths,
    log: GuardLog,
    /// The one that was started last.
    started: Option<Child>,
    pauses: Pauses,
    /// The last failure, which is not reported again and again.
    reported: Option<String>,
}

/// How long to wait before the next start.
#[derive(Debug)]
struct Pauses {
    next: Duration,
}

// === impl ExporterKeeper ===

impl ExporterKeeper {
    pub(crate) fn new(paths: StatePaths, log: GuardLog) -> Self {
        Self {
            paths,
            log,
            started: None,
            pauses: Pauses::default(),
            reported: None,
        }
    }

    /// Starts an exporter, if none is running, and returns it. Why that fails is in the log.
    pub(crate) fn start(&mut self) -> Option<&mut Child> {
        match ensure(&self.paths, &self.log) {
            Ok(started) => {
                self.reported = None;
                self.started = started;
            }
            Err(error) => {
                let message = format!("{:#}", Error::new(error));
                if self.reported.as_ref() != Some(&message) {
                    tracing::warn!("{message}");
                    self.reported = Some(message);
                }
            }
        }
        self.started.as_mut()
    }

    /// Ends the exporter that was started last.
    #[cfg(target_os = "macos")]
    pub(crate) fn stop(&mut self) {
        if let Some(child) = &mut self.started {
            let _gone = child.kill();
        }
    }

    /// Keeps an exporter running from now on, by a thread of its own.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub(crate) fn watch(self) -> io::Result<()> {
        thread::Builder::new()
            .name("guard-exporter".into())
            .spawn(move || self.run())?;
        Ok(())
    }

    fn run(mut self) {
        let mut since = Instant::now();
        loop {
            thread::sleep(CHECK_INTERVAL);
            if self.started.as_mut().is_some_and(is_alive) || is_running(&self.paths) {
                continue;
            }
            let pause = self.pauses.after(since.elapsed());
            if self.reported.is_none() {
                tracing::warn!(
                    "no exporter is running; starting one in {} s",
                    pause.as_secs()
                );
            }
            thread::sleep(pause + jitter());
            self.start();
            since = Instant::now();
        }
    }
}

// === impl Pauses ===

impl Pauses {
    /// The pause after an exporter that lasted so long.
    fn after(&mut self, lasted: Duration) -> Duration {
        if lasted >= MAX_PAUSE {
            self.next = MIN_PAUSE;
        }
        let pause = self.next;
        self.next = (pause * 2).min(MAX_PAUSE);
        pause
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self { next: MIN_PAUSE }
    }
}

/// Whether this child lives. The supervisor of a session collects the statuses of all its children,
/// so the status of one that ended may be gone.
fn is_alive(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(None))
}

/// Up to a second that is this process's own, so that many guards do not start many exporters at once.
fn jitter() -> Duration {
    Duration::from_millis(u64::from(std::process::id() % 1000))
}

const CHECK_INTERVAL: Duration = Duration::from_secs(1);
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_it_does_not_last() {
        let mut pauses = Pauses::default();
        let mut after = |seconds| pauses.after(Duration::from_secs(seconds)).as_secs();
        let short: Vec<u64> = (0..8).map(|_| after(2)).collect();
        assert_eq!(short, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!([after(3600), after(2)], [1, 2]);
    }
}
