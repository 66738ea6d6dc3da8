//! What a guarded command inherits besides descriptors: ignored signals, and the mask of its parent.

use crate::sys::inherited;
use crate::sys::signals::{Disposition, SignalSet, is_ignored, set_disposition};
use std::process::Command;

/// The signals that are ignored: a command inherits them, as it would without a guard.
#[derive(Debug, Default)]
pub struct SignalDispositions(Vec<i32>);

// === impl SignalDispositions ===

impl SignalDispositions {
    /// Records what is ignored now. From here on exceeding the file size limit is an error of
    /// `write` and does not end the guard, and the ends of children are reported.
    #[must_use]
    pub fn take() -> Self {
        let signals = RELAYED.into_iter().chain([libc::SIGXFSZ, libc::SIGCHLD]);
        let ignored = signals.filter(|&signal| is_ignored(signal));
        // Of this one only the state before `main` counts: std ignores it for this program.
        let pipe = inherited::ignored_sigpipe().then_some(libc::SIGPIPE);
        let dispositions = Self(ignored.chain(pipe).collect());
        set_disposition(libc::SIGXFSZ, Disposition::Ignore);
        set_disposition(libc::SIGCHLD, Disposition::Default);
        dispositions
    }

    pub(super) fn restore(&self) {
        let changed = [libc::SIGPIPE, libc::SIGXFSZ, libc::SIGCHLD];
        for signal in RELAYED.into_iter().chain(changed) {
            let disposition = if self.0.contains(&signal) {
                Disposition::Ignore
            } else {
                Disposition::Default
            };
            set_disposition(signal, disposition);
        }
    }
}

/// Starts `command` with no signal blocked. A child of the supervisor would inherit that the
/// signals of people and programs are, and not end when it is asked to.
pub fn unblock_signals(command: &mut Command) {
    SignalSet::none().begin_with(command);
}

/// Signals that people and programs send to a job.
pub(super) const RELAYED: [i32; 11] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGWINCH,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];
