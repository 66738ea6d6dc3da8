//! JSON that is safe to show on a terminal.
//!
//! JSON itself escapes the control characters of ASCII only. Here every character that
//! [`visible`](crate::sentence::visible) shows by its number is escaped, too (`\u009b`), which every
//! reader takes for the same text: neither `tail`, nor `curl`, nor `--json` sends a terminal what a
//! path has for it.

use crate::visible::misleads;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use std::io::{self, Write};

/// Appends the value to `into`, on one line without a newline.
///
/// # Panics
///
/// When the value has a map whose keys are no strings, or refuses to be serialized.
pub fn append(value: &impl Serialize, into: &mut Vec<u8>) {
    let formatter = Escaping(CompactFormatter);
    let mut serializer = Serializer::with_formatter(into, formatter);
    value.serialize(&mut serializer).expect(IS_JSON);
}

/// The value on one line, without a newline.
///
/// # Panics
///
/// As [`append`].
#[must_use]
pub fn line(value: &impl Serialize) -> String {
    let mut json = Vec::new();
    append(value, &mut json);
    String::from_utf8(json).expect(IS_TEXT)
}

/// The value on indented lines, without a newline at the end.
///
/// # Panics
///
/// As [`append`].
#[must_use]
pub fn pretty(value: &impl Serialize) -> String {
    let mut json = Vec::new();
    let formatter = Escaping(PrettyFormatter::new());
    let mut serializer = Serializer::with_formatter(&mut json, formatter);
    value.serialize(&mut serializer).expect(IS_JSON);
    String::from_utf8(json).expect(IS_TEXT)
}

/// Formats as another does, and escapes what misleads.
struct Escaping<F>(F);

// === impl Escaping ===

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        // What misleads is no ASCII here but DEL: the rest was escaped before.
        while let Some(at) = rest.find(misleads) {
            let (plain, from) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut characters = from.chars();
            if let Some(character) = characters.next() {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_key(writer)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

const IS_JSON: &str = "strings and numbers make JSON, and memory takes it";
const IS_TEXT: &str = "JSON is UTF-8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misleads_is_escaped_and_read_as_it_was() {
        let text = "c1 \u{9b}2J, DEL \u{7f}, bidi \u{202e}x\u{2066}, tag \u{e0041}, ü \" \\ \n é";
        for json in [line(&text), pretty(&text)] {
            assert!(!json.contains(misleads), "{json}");
            assert!(
                json.contains(r"\u009b2J") && json.contains(r"\udb40\udc41") && json.contains('ü')
            );
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn everything_else_is_as_serde_json_has_it() {
        let value = serde_json::json!({ "a": [1, { "b": null }, []], "c": {}, "d": "x", "e": 1.5 });
        assert_eq!(line(&value), value.to_string());
        assert_eq!(
            pretty(&value),
            serde_json::to_string_pretty(&value).unwrap()
        );
    }
}
