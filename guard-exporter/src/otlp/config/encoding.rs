//! The encodings of OpenTelemetry's environment variables.

/// Decodes percent-encoding; `None` when the text is not percent-encoded UTF-8.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Not a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number from 0 to 1")]
pub struct ParseRatioError;

/// Parses a number from 0 to 1.
///
/// # Errors
///
/// [`ParseRatioError`]
pub fn parse_ratio(text: &str) -> Result<f64, ParseRatioError> {
    let ratio = text.parse().ok();
    ratio
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .ok_or(ParseRatioError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_decoded_or_refused() {
        for (text, decoded) in [
            ("", Some("")),
            ("a%20b%2c", Some("a b,")),
            ("%C3%A9", Some("é")),
            ("%ff", None),
            ("%2", None),
            ("%zz", None),
        ] {
            assert_eq!(percent_decoded(text).as_deref(), decoded, "{text}");
        }
    }

    #[test]
    fn ratios_are_from_0_to_1() {
        assert_eq!(parse_ratio("0.25"), Ok(0.25));
        for text in ["-0.1", "1.1", "NaN", "", "half"] {
            assert_eq!(parse_ratio(text), Err(ParseRatioError), "{text}");
        }
    }
}
