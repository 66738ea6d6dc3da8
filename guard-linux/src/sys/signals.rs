//! Dispositions of signals, and sets of blocked ones.

use super::process::exit_at_once;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

/// What happens on a signal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disposition {
    /// The kernel's default action.
    Default,
    /// Nothing.
    Ignore,
}

/// Sets what happens on `signal`.
pub(crate) fn set_disposition(signal: i32, disposition: Disposition) {
    let handler = match disposition {
        Disposition::Default => libc::SIG_DFL,
        Disposition::Ignore => libc::SIG_IGN,
    };
    // SAFETY: neither value is a function that could run.
    unsafe { libc::signal(signal, handler) };
}

/// Whether `signal` is ignored now.
pub(crate) fn is_ignored(signal: i32) -> bool {
    // SAFETY: zero is a valid `sigaction` to be overwritten.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `now` is writable; a null new action only reads.
    unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut now) };
    now.sa_sigaction == libc::SIG_IGN
}

/// Ends this process by a signal, as if it had not been caught.
pub(crate) fn die_by(signal: i32) -> ! {
    set_disposition(signal, Disposition::Default);
    SignalSet::none().restore();
    raise(signal);
    // Only a signal that does not kill comes here.
    exit_at_once(128 + signal)
}

/// Stops this process by a stop signal that the calling thread blocks, if `still` holds; returns
/// when it is continued. A `SIGCONT` that arrives between the question and the stop cancels the
/// stop, as it does for any other pending stop signal.
pub(crate) fn stop_by(signal: i32, still: impl FnOnce() -> bool) {
    // It stays pending: this thread blocks it.
    raise(signal);
    let (set, _) = SignalSet::block(&[signal]);
    if still() {
        set.unblock();
        // Here it stops.
        let _blocked_again = SignalSet::block(&[signal]);
    } else {
        let _taken_back = set.wait(Duration::ZERO);
    }
}

/// Sends a signal, of any number, to the calling thread.
fn raise(signal: i32) {
    // SAFETY: no memory is involved.
    unsafe { libc::raise(signal) };
}

/// A set of signals.
#[derive(Debug)]
pub(crate) struct SignalSet(libc::sigset_t);

// === impl SignalSet ===

impl SignalSet {
    /// No signal.
    pub(crate) fn none() -> Self {
        // SAFETY: zero is valid storage for a set that `sigemptyset` makes.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` is writable.
        unsafe { libc::sigemptyset(&raw mut set) };
        Self(set)
    }

    /// Blocks these signals for the calling thread and the threads it starts; returns the set and
    /// the mask as it was.
    pub(crate) fn block(signals: &[i32]) -> (Self, Self) {
        let (mut set, mut before) = (Self::none(), Self::none());
        for &signal in signals {
            // SAFETY: `set` was made by `sigemptyset`.
            unsafe { libc::sigaddset(&raw mut set.0, signal) };
        }
        // SAFETY: both sets are valid.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set.0, &raw mut before.0) };
        (set, before)
    }

    /// The same set, for another thread.
    pub(crate) fn copy(&self) -> Self {
        Self(self.0)
    }

    /// Makes this the calling thread's mask.
    pub(crate) fn restore(&self) {
        self.change_mask(libc::SIG_SETMASK);
    }

    /// Unblocks these signals for the calling thread.
    fn unblock(&self) {
        self.change_mask(libc::SIG_UNBLOCK);
    }

    fn change_mask(&self, how: libc::c_int) {
        // SAFETY: a valid set; a null old set is not written.
        unsafe { libc::pthread_sigmask(how, &raw const self.0, std::ptr::null_mut()) };
    }

    /// Starts `command` with this mask, whatever its parent's is.
    pub(crate) fn begin_with(self, command: &mut Command) {
        let begin = move || {
            self.restore();
            Ok(())
        };
        // SAFETY: between fork and exec it sets a mask from memory that it owns, by a call that is
        // async-signal-safe, and allocates nothing.
        unsafe { command.pre_exec(begin) };
    }

    /// Waits for one of the signals; `None` after `timeout`. Returns the signal and its code
    /// (`SI_USER`, `SI_KERNEL`, …).
    pub(crate) fn wait(&self, timeout: Duration) -> Option<(i32, i32)> {
        // SAFETY: zero is valid storage to be overwritten.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let timeout = libc::timespec {
            tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(timeout.subsec_nanos().cast_signed()),
        };
        // SAFETY: all three live across the call.
        let signal =
            unsafe { libc::sigtimedwait(&raw const self.0, &raw mut info, &raw const timeout) };
        (signal > 0).then_some((signal, info.si_code))
    }
}
