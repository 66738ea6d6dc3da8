//! What the command line prints, and in which styles.
//!
//! Styles are for terminals: [`anstream`] leaves them out where there is none, with `NO_COLOR` and on
//! a terminal that has no colours.

#![allow(clippy::print_stderr, clippy::print_stdout)]

use anstyle::{AnsiColor, Style};
use std::io::{self, Write as _};

/// An error, with its causes, on standard error.
pub(crate) fn error(error: &anyhow::Error) {
    labelled("error:", RED, &format!("{error:#}"));
}

/// A warning on standard error.
pub(crate) fn warn(message: &str) {
    labelled("warning:", YELLOW, message);
}

/// A note on standard error.
pub(crate) fn note(message: &str) {
    labelled("codex-es-guard:", CYAN, message);
}

/// A line of the answer on standard output. A reader that went away (`| head`) is no error.
pub(crate) fn line(text: &str) {
    let _gone = writeln!(anstream::stdout(), "{text}");
}

/// A line of the answer on standard output. Returns whether somebody still reads.
pub(crate) fn try_line(text: &str) -> bool {
    writeln!(anstream::stdout(), "{text}").is_ok()
}

/// A line for programs on standard output, byte for byte. Returns whether somebody still reads.
pub(crate) fn try_data(text: &str) -> bool {
    writeln!(io::stdout(), "{text}").is_ok()
}

/// `text` in a style.
pub(crate) fn paint(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

fn labelled(label: &str, style: Style, message: &str) {
    let _gone = writeln!(anstream::stderr(), "{} {message}", paint(label, style));
}

pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
