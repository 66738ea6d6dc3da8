//! A path as one word of a POSIX shell, for commands that are shown to be copied.

use crate::visible::misleads;
use std::fmt::Write as _;

/// The bytes as one word: as they are where nothing in them means something to a shell, else quoted,
/// and with escapes (`$'…'`, POSIX.1-2024) where they would not be seen as they are.
///
/// ```
/// use guard_report::shell::word;
///
/// assert_eq!(word(b"/p/main.rs"), "/p/main.rs");
/// assert_eq!(word(b"/p/it's mine"), r"'/p/it'\''s mine'");
/// assert_eq!(word(b"/p/a\n\xff"), r"$'/p/a\x0a\xff'");
/// ```
#[must_use]
pub fn word(bytes: &[u8]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    match str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Ok(text) if !text.contains(misleads) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => escaped(bytes),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut shown = "$'".to_owned();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '\\' => shown.extend(['\\', c]),
                c if misleads(c) => {
                    let mut bytes = [0; 4];
                    let bytes = c.encode_utf8(&mut bytes).as_bytes();
                    append_escapes(&mut shown, bytes);
                }
                c => shown.push(c),
            }
        }
        append_escapes(&mut shown, chunk.invalid());
    }
    shown.push('\'');
    shown
}

/// Hexadecimal escapes end after two digits in every shell that has them.
fn append_escapes(shown: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(shown, "\\x{byte:02x}").expect("a string takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_reads_every_word_as_it_was() {
        for bytes in [
            &b""[..],
            b"-rf",
            b"a b",
            b"it's",
            b"$(touch x)`y`;&|<>*?[~!#\\",
            b"\x1b[2J\n\t\x7f",
            b"\xff\xfe",
            "\u{202e}txt.é日".as_bytes(),
        ] {
            let script = format!("printf %s {}", word(bytes));
            let shell = Command::new("bash").args(["-c", &script]).output();
            let output = shell.expect("bash is installed");
            assert_eq!(output.stdout, bytes, "{script}");
        }
    }
}
