//! Bytes as hexadecimal text.

use std::fmt::Write as _;

/// The bytes as lower-case hexadecimal digits, two for each.
///
/// ```
/// assert_eq!(guard_report::hex(&[0, 255]), "00ff");
/// ```
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
    }
    text
}
