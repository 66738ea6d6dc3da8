//! Points in time as text: one parser for policies, command lines and queries.
//!
//! Times are wall clock nanoseconds since the Unix epoch. Times before it are refused.

use jiff::Timestamp;

/// The text is not a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time: use {FORMS}")]
pub struct ParseTimeError;

/// The forms that [`parse`] accepts, for people.
pub const FORMS: &str = "2026-01-31T08:00Z, a date (2026-01-31, UTC) or seconds since 1970";

/// Parses RFC 3339 with or without seconds, a date (its first moment in UTC), or seconds since the
/// epoch, whole or with a fraction.
///
/// ```
/// use guard_core::time::parse;
///
/// assert_eq!(parse("1970-01-01T01:00+01:00"), parse("0"));
/// assert_eq!(parse("1970-01-02"), Ok(86_400_000_000_000));
/// assert!(parse("yesterday").is_err());
/// ```
///
/// # Errors
///
/// [`ParseTimeError`], also for times before the epoch or beyond 64 bits of nanoseconds.
pub fn parse(text: &str) -> Result<u64, ParseTimeError> {
    if let Some(seconds) = seconds(text) {
        return seconds;
    }
    let time = if is_date(text) {
        format!("{text}T00:00:00Z").parse()
    } else {
        text.parse::<Timestamp>()
    };
    let time = time.map_err(|_| ParseTimeError)?;
    u64::try_from(time.as_nanosecond()).map_err(|_| ParseTimeError)
}

/// Seconds since the epoch; `None` if the text has another form. Digits beyond nanoseconds are
/// dropped.
fn seconds(text: &str) -> Option<Result<u64, ParseTimeError>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let fraction = digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let sum = whole
        .parse::<u64>()
        .ok()
        .and_then(|whole| whole.checked_mul(1_000_000_000)?.checked_add(fraction));
    Some(sum.ok_or(ParseTimeError))
}

/// Whether it has the form `2026-01-31`.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_time_is_parsed() {
        for text in [
            "1769860800",
            "1769860800.0",
            "2026-01-31T12:00Z",
            "2026-01-31T12:00:00Z",
            "2026-01-31t12:00:00.0z",
            "2026-01-31 14:00:00+02:00",
            "2026-01-31T07:30-04:30",
        ] {
            assert_eq!(parse(text), Ok(1_769_860_800_000_000_000), "{text}");
        }
        for (text, nanoseconds) in [
            ("0", 0),
            ("0.5", 500_000_000),
            ("2.0000000019", 2_000_000_001),
            ("1970-01-01", 0),
            ("1970-01-01T00:00:01.25Z", 1_250_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000_000),
            ("18446744073", 18_446_744_073_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "now",
            "yesterday",
            "-1",
            "1e9",
            ".5",
            "1.",
            "1.5.5",
            "1969-12-31T23:59:59Z",
            "1970-13-01",
            "2026-02-29T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00.Z",
            "９026-01-31T12:00:00Z",
            "18446744074",
            "99999999999999999999",
        ] {
            assert_eq!(parse(text), Err(ParseTimeError), "{text}");
        }
    }
}
