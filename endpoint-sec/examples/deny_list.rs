//! Refuses to run listed programs, and to open listed files for writing:
//! `deny_list PATH...`.
//!
//! On macOS it needs root, Full Disk Access and the entitlement, and runs until Return is pressed.
//! Elsewhere a simulated Mac tries what is listed, and what is not.

use endpoint_sec::{
    Answer, AnswerError, AuthMessage, Client, Event, EventType, Message, OpenFlags, OpenMessage,
    Report,
};
use std::collections::HashSet;
use std::error::Error;
use std::os::unix::ffi::OsStringExt;

#[allow(clippy::print_stdout, reason = "this is what the example is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let listed = std::env::args_os().skip(1).map(OsStringExt::into_vec);
    #[cfg(not(target_vendor = "apple"))]
    let listed = listed.chain(simulated::LISTED.map(|path| path.as_bytes().to_vec()));
    let listed: HashSet<Vec<u8>> = listed.collect();

    #[cfg(not(target_vendor = "apple"))]
    let machine = simulated::machine();

    let client = Client::builder()
        .default_answer(Answer::Allow)
        .on_report(|report: Report<'_>| println!("{report:?}"))
        .start(move |message| {
            let answered = match message {
                Message::Auth(message) => run(message, &listed),
                Message::Open(message) => open(message, &listed),
                Message::Notify(_) => Ok(()),
            };
            if let Err(error) = answered {
                println!("{error}");
            }
        })?;
    // Without this the client would receive requests about itself, and could wait for its own
    // answer.
    client.mute_self()?;
    let subscribed = client.subscribe(&[EventType::AUTH_EXEC, EventType::AUTH_OPEN])?;
    assert_eq!(subscribed.dropped, [], "all releases know these");

    #[cfg(not(target_vendor = "apple"))]
    simulated::something_is_tried(&machine);
    #[cfg(target_vendor = "apple")]
    std::io::stdin().read_line(&mut String::new())?;

    client.close();
    Ok(())
}

/// A program runs unless it is listed. That it may is remembered by the kernel, that it may not is
/// sent again: a denial in the cache cannot be removed.
fn run(message: AuthMessage<'_>, listed: &HashSet<Vec<u8>>) -> Result<(), AnswerError> {
    let is_listed = match message.event() {
        Event::Exec(exec) => listed.contains(exec.target().executable().path()),
        _ => false,
    };
    if is_listed {
        return message.deny();
    }
    match message.into_cacheable() {
        Ok(message) => message.allow(),
        Err(message) => message.allow(),
    }
}

/// A file is opened for whatever, but a listed one not for writing.
fn open(message: OpenMessage<'_>, listed: &HashSet<Vec<u8>>) -> Result<(), AnswerError> {
    let is_listed = match message.event() {
        Event::Open(open) => listed.contains(open.file().path()),
        _ => false,
    };
    if is_listed {
        message.allow_flags(OpenFlags::ALL.without(OpenFlags::WRITE))
    } else {
        message.allow_flags_cached(OpenFlags::ALL)
    }
}

#[cfg(not(target_vendor = "apple"))]
mod simulated {
    use endpoint_sec_sim::{Installed, Machine, OsVersion};

    pub(crate) const LISTED: [&str; 2] = ["/usr/local/bin/miner", "/etc/hosts"];

    pub(crate) fn machine() -> Installed {
        Machine::new(OsVersion::new(15, 4, 0)).install()
    }

    #[allow(clippy::print_stdout, reason = "this is what the example is for")]
    pub(crate) fn something_is_tried(machine: &Machine) {
        let zsh = machine.process("/bin/zsh").start();
        for program in ["/usr/local/bin/miner", "/bin/ls"] {
            let (_, attempt) = machine.exec(&zsh, program).args([program]).run();
            println!("running {program}: {}", said(attempt.allowed()));
        }
        for (path, flags, how) in [
            ("/etc/hosts", 1, "reading"),
            ("/etc/hosts", 3, "writing"),
            ("/tmp/notes", 3, "writing"),
        ] {
            let attempt = machine.open(&zsh, path, flags);
            println!("{how} {path}: {}", said(attempt.allowed()));
        }
    }

    fn said(allowed: bool) -> &'static str {
        if allowed { "allowed" } else { "denied" }
    }
}
