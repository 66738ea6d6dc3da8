//! The outer process: the job that the user's shell knows, which does what the root command does.

use super::channel::{Status, StatusReader};
use super::child::{self, Change};
use super::error::SessionError;
use crate::descriptors::poll;
use crate::sys::signals::{self, SignalSet};
use rustix::event::PollFlags;
use rustix::process::Signal;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

/// How the root command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitOutcome {
    /// With an exit status.
    Exited(i32),
    /// By a signal.
    Killed(i32),
}

/// Relays, stops and continues until the root command has ended.
pub(super) fn run(
    supervisor_line: UnixStream,
    supervisor: i32,
    signals: SignalSet,
) -> Result<ExitOutcome, SessionError> {
    let line = StatusReader::new(supervisor_line);
    let mut root = None;
    loop {
        let Ok(status) = line.receive() else {
            // The supervisor reported why on the terminal, or was killed.
            return Err(match child::wait_for(supervisor) {
                Ok(Change::Killed(signal)) => SessionError::SupervisorKilled(signal),
                _ => SessionError::NotStarted,
            });
        };
        match status {
            Status::Root(pid) => {
                root = Some(pid);
                let relay = signals.copy();
                thread::spawn(move || relay_signals(&relay, pid));
            }
            Status::Changed(Change::Exited(status)) => return Ok(ExitOutcome::Exited(status)),
            Status::Changed(Change::Killed(signal)) => return Ok(ExitOutcome::Killed(signal)),
            Status::Changed(Change::Stopped(signal)) => stop_with(root, signal, &line),
            Status::Changed(Change::Continued) => {}
        }
    }
}

/// Stops as the command did, unless it goes on already.
///
/// A shell takes its terminal back when the outer process stops, so that must not happen before the
/// command has stopped: it would still read what is typed next. What the terminal sends to stop the
/// job is therefore blocked here.
fn stop_with(root: Option<i32>, signal: i32, line: &StatusReader) {
    let Some(root) = root else { return };
    if HELD.contains(&signal) {
        signals::stop_by(signal, || is_stopped(root));
    } else {
        for _ in 0..4 {
            if !is_stopped(root) {
                return;
            }
            // Both may just be continued by one signal to their group; it reaches one of them first.
            thread::sleep(Duration::from_millis(5));
        }
        child::kill(std::process::id().cast_signed(), Signal::STOP);
    }
    // Continued. A command in a process group of its own has not received that signal. One that
    // has, and was stopped again, has reported more.
    let reported = poll(line.as_fd(), PollFlags::IN, Some(REPORT_MS));
    if is_stopped(root) && reported.is_ok_and(|found| found.is_empty()) {
        child::kill(root, Signal::CONT);
    }
}

fn is_stopped(pid: i32) -> bool {
    let mut text = String::new();
    let read =
        File::open(format!("/proc/{pid}/stat")).and_then(|mut f| f.read_to_string(&mut text));
    read.is_ok()
        && text
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('T'))
}

/// Passes on the signals that somebody sent to the outer process. What the terminal sends, it
/// sends to the command as well.
fn relay_signals(signals: &SignalSet, root: i32) {
    loop {
        if let Some((signal, code)) = signals.wait(Duration::from_secs(3600))
            && code <= SI_USER
            && let Some(signal) = Signal::from_named_raw(signal)
        {
            child::kill(root, signal);
        }
    }
}

/// Signals that stop a job and can be held back.
const HELD: [i32; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// How long the supervisor may take to report that the command was continued.
const REPORT_MS: u16 = 50;

/// `include/uapi/asm-generic/siginfo.h`: codes up to this are senders' own.
const SI_USER: i32 = 0;
