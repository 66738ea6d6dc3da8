//! Signal handling of the guard's own process: each system call behind a safe function.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set when a signal requested the end of this process.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Records requests to end (`SIGTERM`, `SIGINT`) from now on, instead of being killed by them.
pub fn note_requests_to_end() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: the handler only stores to an atomic, which is safe whenever a signal comes, and
        // it is a function of the C ABI that takes the signal's number, as `signal` calls it.
        let _before = unsafe { libc::signal(signal, note as *const () as libc::sighandler_t) };
    }
}

/// Leaves the terminal's signals to the command in the foreground.
pub fn ignore_terminal_signals() {
    for signal in [libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: ignoring a signal runs none of this process's code.
        let _before = unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Whether a signal requested the end of this process.
#[must_use]
pub fn is_ending() -> bool {
    ENDING.load(Ordering::Acquire)
}

/// Ends with the signal that killed a child, so that the shell sees the same status. Returns if the
/// signal does not kill.
pub fn die_of(signal: i32) {
    // SAFETY: the default disposition runs none of this process's code.
    let _before = unsafe { libc::signal(signal, libc::SIG_DFL) };
    // SAFETY: sending a signal to this very process touches no memory.
    let _sent = unsafe { libc::raise(signal) };
}

extern "C" fn note(_: libc::c_int) {
    ENDING.store(true, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_to_end_is_noted() {
        assert!(!is_ending());
        note_requests_to_end();
        // SAFETY: the signal's handler is the one installed above.
        unsafe { libc::raise(libc::SIGTERM) };
        assert!(is_ending());
    }
}
