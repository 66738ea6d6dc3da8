//! The format of both programs' own logs.
//!
//! One line per event: the time, the level, the message and the event's fields, in logfmt or as a JSON
//! object.
//!
//! ```text
//! time=2026-11-24T21:04:00.123Z level=INFO msg="Serving http://127.0.0.1:19477/"
//! {"time":"2026-11-24T21:04:00.123Z","level":"INFO","msg":"Serving http://127.0.0.1:19477/"}
//! ```
//!
//! It guarantees that an event is one line, and that no character of it moves a terminal's cursor or
//! hides another: such characters are written as `\u….`. It deliberately leaves out spans, targets and
//! threads.
//!
//! ```
//! use guard_report::log_format::{LogFormat, layer};
//! use tracing_subscriber::filter::LevelFilter;
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! let log = layer(LogFormat::Logfmt, LevelFilter::INFO, std::io::sink);
//! let subscriber = tracing_subscriber::registry().with(log);
//! tracing::subscriber::with_default(subscriber, || tracing::info!(port = 19_477, "Serving"));
//! ```

use crate::json;
use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// A JSON object.
    Json,
}

/// A layer that writes events of `level` or more severe to `writer`, one line each. Failed writes are
/// ignored: there is nowhere to report them.
pub fn layer<S, W>(format: LogFormat, level: LevelFilter, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    session_layer(format, level, None, writer)
}

/// As [`layer`], for a program whose lines share a file with those of other sessions: each line names
/// the session.
pub fn session_layer<S, W>(
    format: LogFormat,
    level: LevelFilter,
    session: Option<String>,
    writer: W,
) -> impl Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    tracing_subscriber::fmt::layer()
        .event_format(Lines { format, session })
        .log_internal_errors(false)
        .with_writer(writer)
        .with_filter(level)
}

/// Makes lines of events.
struct Lines {
    format: LogFormat,
    session: Option<String>,
}

/// Collects the fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, FieldValue)>,
}

enum FieldValue {
    /// Written without quotes in both formats.
    Plain(String),
    Text(String),
}

// === impl LogFormat ===

impl LogFormat {
    /// One line, with its newline.
    fn line(self, time: &str, level: &str, fields: &Fields) -> String {
        let message = quoted(&capitalised(&fields.message));
        let mut line = match self {
            Self::Logfmt => format!("time={time} level={level} msg={message}"),
            Self::Json => {
                format!("{{\"time\":\"{time}\",\"level\":\"{level}\",\"msg\":{message}")
            }
        };
        for (name, value) in &fields.others {
            let written = match (self, value) {
                (Self::Logfmt, value) => write!(line, " {name}={}", value.in_logfmt()),
                (Self::Json, value) => write!(line, ",{}:{}", quoted(name), value.in_json()),
            };
            written.expect("writing to a string does not fail");
        }
        line.push_str(match self {
            Self::Logfmt => "\n",
            Self::Json => "}\n",
        });
        line
    }
}

// === impl Lines ===

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(session) = &self.session {
            fields
                .others
                .push(("session", FieldValue::Text(session.clone())));
        }
        let time = format!("{:.3}", jiff::Timestamp::now());
        writer.write_str(
            &self
                .format
                .line(&time, event.metadata().level().as_str(), &fields),
        )
    }
}

// === impl Fields ===

impl Fields {
    fn push(&mut self, field: &Field, value: FieldValue) {
        match (field.name(), value) {
            ("message", FieldValue::Plain(text) | FieldValue::Text(text)) => self.message = text,
            (name, value) => self.others.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, FieldValue::Text(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, FieldValue::Text(value.to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, FieldValue::Plain(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, FieldValue::Plain(value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, FieldValue::Plain(value.to_string()));
    }
}

// === impl FieldValue ===

impl FieldValue {
    fn in_logfmt(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Text(text) => {
                let is_plain = |c: char| c.is_ascii_graphic() && !"\"=\\".contains(c);
                if !text.is_empty() && text.chars().all(is_plain) {
                    text.clone()
                } else {
                    quoted(text)
                }
            }
        }
    }

    fn in_json(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Text(text) => quoted(text),
        }
    }
}

/// The text with its first letter in upper case, if that is ASCII.
fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(rest).collect()
}

/// A JSON string, which logfmt has as well, without characters that mislead.
fn quoted(text: &str) -> String {
    json::line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The log of `events`, without the times, which must be valid.
    fn log(format: LogFormat, level: LevelFilter, events: impl FnOnce()) -> String {
        session_log(format, level, None, events)
    }

    fn session_log(
        format: LogFormat,
        level: LevelFilter,
        session: Option<String>,
        events: impl FnOnce(),
    ) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer = session_layer(format, level, session, move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, events);
        let bytes = buffer.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let mut shown = String::new();
        for line in text.lines() {
            let start = line.find("20").unwrap();
            let end = line.find('Z').unwrap() + 1;
            let time = &line[start..end];
            assert_eq!(time.len(), "2026-11-24T21:04:00.123Z".len(), "{time}");
            time.parse::<jiff::Timestamp>().unwrap();
            shown += &format!("{}T{}\n", &line[..start], &line[end..]);
        }
        shown
    }

    fn events() {
        tracing::info!("serving http://127.0.0.1:1/");
        let path = "/p\nq=\u{9b}2J\u{202e}";
        tracing::warn!(
            path,
            port = 7_u64,
            closed = true,
            kind = "none",
            "leaving it"
        );
        tracing::debug!("hidden");
    }

    #[test]
    fn an_event_is_one_line_in_logfmt() {
        assert_eq!(
            log(LogFormat::Logfmt, LevelFilter::INFO, events),
            "time=T level=INFO msg=\"Serving http://127.0.0.1:1/\"\n\
             time=T level=WARN msg=\"Leaving it\" path=\"/p\\nq=\\u009b2J\\u202e\" port=7 \
             closed=true kind=none\n"
        );
    }

    #[test]
    fn an_event_is_one_object_in_json() {
        let log = log(LogFormat::Json, LevelFilter::WARN, events);
        assert_eq!(
            log,
            "{\"time\":\"T\",\"level\":\"WARN\",\"msg\":\"Leaving it\",\
             \"path\":\"/p\\nq=\\u009b2J\\u202e\",\"port\":7,\"closed\":true,\"kind\":\"none\"}\n"
        );
        let value: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(value["path"], "/p\nq=\u{9b}2J\u{202e}");
    }

    #[test]
    fn a_session_is_named_on_each_line() {
        let session = Some("swift-otter-41".to_owned());
        let log = session_log(LogFormat::Logfmt, LevelFilter::INFO, session, || {
            tracing::info!(zones = 2_u64, "policy reloaded");
        });
        let expected = "time=T level=INFO msg=\"Policy reloaded\" zones=2 session=swift-otter-41\n";
        assert_eq!(log, expected);
    }

    #[test]
    fn characters_beyond_16_bits_are_escaped_in_json_s_way() {
        assert_eq!(quoted("a\u{e0041}b"), "\"a\\udb40\\udc41b\"");
        assert_eq!(quoted("日本 é"), "\"日本 é\"");
        assert_eq!(quoted("\u{7f}"), "\"\\u007f\"");
    }
}
