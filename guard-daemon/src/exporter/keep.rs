//! Keeping an exporter running while a guard runs.
//!
//! One that ended, whatever ended it, is started again, with pauses that grow from [`MIN_PAUSE`] to
//! [`MAX_PAUSE`] while it does not last. That is the work of a thread of its own, so that nothing
//! else in the guard waits for it. Several guards of one user do the same; the lock of the state
//! directory lets one exporter serve.
//!
//! One that hangs keeps that lock. A guard ends the exporter that it started itself once that has left
//! [`MOST_UNANSWERED`] questions in a row unanswered; nothing is lost, since what is not in a log stays in
//! its ring. It deliberately ends no other's: a person may have stopped their own to look at it.

use super::ask::ask;
use super::is_running;
use super::start::ensure;
use crate::log::GuardLog;
use anyhow::Error;
use guard_report::address::announced;
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
    answers: Answers,
    /// The last failure, which is not reported again and again.
    reported: Option<String>,
}

/// Whether the exporter still answers.
#[derive(Debug)]
struct Answers {
    asked: Instant,
    unanswered: u32,
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
            answers: Answers::new(Instant::now()),
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
            if self.started.as_mut().is_some_and(is_alive) {
                self.end_if_hung();
                continue;
            }
            if is_running(&self.paths) {
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
            self.answers = Answers::new(since);
        }
    }

    /// Ends the exporter that was started last when it hangs, which shows from when it
    /// listens on.
    fn end_if_hung(&mut self) {
        let Some(child) = &mut self.started else {
            return;
        };
        let announced = announced(&self.paths.exporter).filter(|by| by.pid == child.id());
        let Some(address) = announced.and_then(|by| by.address) else {
            return;
        };
        let hangs = self.answers.are_missing(Instant::now(), || {
            ask(address, "/-/healthy").map(drop).is_ok()
        });
        if hangs {
            tracing::warn!(
                "the exporter (pid {}) does not answer; ending it",
                child.id()
            );
            // It may have ended meanwhile.
            let _gone = child.kill();
        }
    }
}

// === impl Answers ===

impl Answers {
    const fn new(now: Instant) -> Self {
        Self {
            asked: now,
            unanswered: 0,
        }
    }

    /// Whether too many are missing at `now`; asks now and then.
    fn are_missing(&mut self, now: Instant, answers: impl FnOnce() -> bool) -> bool {
        if now.duration_since(self.asked) < ASK_INTERVAL {
            return false;
        }
        self.asked = now;
        self.unanswered = if answers() { 0 } else { self.unanswered + 1 };
        self.unanswered >= MOST_UNANSWERED
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
/// How often the exporter is asked whether it is well.
const ASK_INTERVAL: Duration = Duration::from_secs(5);
/// It hangs when it leaves so many questions in a row unanswered.
const MOST_UNANSWERED: u32 = 4;
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

    #[test]
    fn it_hangs_when_several_answers_in_a_row_are_missing() {
        let start = Instant::now();
        let mut answers = Answers::new(start);
        let mut after =
            |asked: u32, is_well| answers.are_missing(start + ASK_INTERVAL * asked, || is_well);
        assert!(!after(0, false), "not yet asked");
        let replies = [false, false, false, true, false, false, false, false];
        let missing: Vec<bool> = (1..).zip(replies).map(|(at, it)| after(at, it)).collect();
        assert_eq!(missing.iter().position(|&missing| missing), Some(7));
    }
}
