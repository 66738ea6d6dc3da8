//! What the exporter says on standard error, and not too often.
//!
//! One line a message, with its time and level, in logfmt or as a JSON object:
//!
//! ```text
//! time=2026-11-24T21:04:00.123Z level=INFO msg="Serving http://127.0.0.1:19477/"
//! {"time":"2026-11-24T21:04:00.123Z","level":"INFO","msg":"Serving http://127.0.0.1:19477/"}
//! ```
//!
//! A condition that repeats (a full disk, a port that is taken) has a [`Notice`] of its own, which
//! speaks at once, then at most once a minute.

use serde::Serialize;
use std::fmt::Display;
use std::io::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

/// How much a message matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Level {
    /// What it does from ring to ring.
    Debug,
    /// What an operator may want to know.
    #[default]
    Info,
    /// What does not work and is tried again.
    Warn,
    /// What ends it.
    Error,
}

/// How a message is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// A JSON object.
    Json,
}

/// The right to speak of one condition.
#[derive(Debug, Default)]
pub struct Notice {
    spoke: Option<Instant>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: &'a str,
    level: &'a str,
    msg: &'a str,
}

/// Says from now on what matters at least as much as `level`, in `format`. The first call counts.
pub fn configure(level: Level, format: Format) {
    CONFIGURED.get_or_init(|| (level, format));
}

/// Says what it does.
pub fn debug(text: impl Display) {
    write(Level::Debug, text);
}

/// Says what an operator may want to know.
pub fn say(text: impl Display) {
    write(Level::Info, text);
}

/// Says what does not work.
pub fn warn(text: impl Display) {
    write(Level::Warn, text);
}

/// Says why it ends.
pub fn error(text: impl Display) {
    write(Level::Error, text);
}

fn write(level: Level, text: impl Display) {
    let (least, format) = CONFIGURED.get().copied().unwrap_or_default();
    if level < least {
        return;
    }
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let milliseconds = i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or(jiff::Timestamp::MAX);
    let line = line(format, &format!("{time:.3}"), level, &text.to_string());
    // Whoever closed standard error does not want to hear.
    drop(std::io::stderr().write_all(line.as_bytes()));
}

fn line(format: Format, time: &str, level: Level, text: &str) -> String {
    let mut rest = text.chars();
    let capital = rest.next().map(|first| first.to_ascii_uppercase());
    let msg: String = capital.into_iter().chain(rest).collect();
    let level = level.name();
    let msg = msg.as_str();
    let mut line = match format {
        Format::Logfmt => {
            let quoted = serde_json::to_string(msg).expect("a string makes JSON");
            format!("time={time} level={level} msg={quoted}")
        }
        Format::Json => {
            serde_json::to_string(&Line { time, level, msg }).expect("strings make JSON")
        }
    };
    line.push('\n');
    line
}

// === impl Level ===

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

// === impl Notice ===

impl Notice {
    /// Says what does not work unless this condition was spoken of within the last minute before
    /// `now`.
    pub fn warn_at(&mut self, now: Instant, text: impl Display) {
        if self.may_speak(now) {
            warn(text);
        }
    }

    /// Says `text` unless this condition was spoken of within the last minute before `now`.
    pub fn say_at(&mut self, now: Instant, text: impl Display) {
        if self.may_speak(now) {
            say(text);
        }
    }

    fn may_speak(&mut self, now: Instant) -> bool {
        let silent = self
            .spoke
            .is_none_or(|spoke| now.duration_since(spoke) >= INTERVAL);
        if silent {
            self.spoke = Some(now);
        }
        silent
    }
}

static CONFIGURED: OnceLock<(Level, Format)> = OnceLock::new();

const INTERVAL: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_speaks_at_once_and_then_once_a_minute() {
        let mut notice = Notice::default();
        let start = Instant::now();
        let spoken = [0, 1, 59, 60, 61, 119, 120]
            .map(|second| notice.may_speak(start + Duration::from_secs(second)));
        assert_eq!(spoken, [true, false, false, true, false, false, true]);
    }

    #[test]
    fn a_message_is_one_line_in_both_formats() {
        let text = "leaving \"/p\nq\" alone";
        assert_eq!(
            line(Format::Logfmt, "T", Level::Warn, text),
            "time=T level=WARN msg=\"Leaving \\\"/p\\nq\\\" alone\"\n"
        );
        let json = line(Format::Json, "T", Level::Error, "/p is gone");
        assert_eq!(
            json,
            "{\"time\":\"T\",\"level\":\"ERROR\",\"msg\":\"/p is gone\"}\n"
        );
    }
}
