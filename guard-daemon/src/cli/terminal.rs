//! What the command line says, and in which colours.

#![allow(clippy::print_stderr, clippy::print_stdout)]

use std::io::{self, IsTerminal};

/// An error, with its causes, on standard error.
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("{} {error:#}", label("error:", RED));
}

/// A warning on standard error.
pub(crate) fn warn(message: &str) {
    eprintln!("{} {message}", label("warning:", YELLOW));
}

/// A note on standard error.
pub(crate) fn note(message: &str) {
    eprintln!("{} {message}", label("codex-es-guard:", CYAN));
}

/// A line of the answer on standard output.
pub(crate) fn line(text: &str) {
    use io::Write;
    // A reader that went away (`| head`) is no error.
    let _gone = writeln!(io::stdout(), "{text}");
}

/// A line of the answer on standard output. Returns whether somebody still reads.
pub(crate) fn try_line(text: &str) -> bool {
    use io::Write;
    writeln!(io::stdout(), "{text}").is_ok()
}

/// `text` in a colour, if standard output is a terminal that wants colours.
pub(crate) fn paint(text: &str, colour: &str) -> String {
    if wants_colour(&io::stdout()) {
        format!("{colour}{text}{RESET}")
    } else {
        text.to_owned()
    }
}

fn label(text: &str, colour: &str) -> String {
    if wants_colour(&io::stderr()) {
        format!("{colour}{text}{RESET}")
    } else {
        text.to_owned()
    }
}

/// <https://no-color.org>, and terminals that cannot.
fn wants_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

pub(crate) const RED: &str = "\x1b[1;31m";
pub(crate) const GREEN: &str = "\x1b[1;32m";
pub(crate) const YELLOW: &str = "\x1b[1;33m";
pub(crate) const CYAN: &str = "\x1b[1;36m";
pub(crate) const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";
