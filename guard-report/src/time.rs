//! Points in time as text.
//!
//! Programs write RFC 3339 in UTC, to the nanosecond ([`rfc3339`]). People see the time of their own
//! zone ([`local`]), in a form that can be pasted back. Whatever reads a time from a person or a
//! program ([`parse`], [`parse_since`]) accepts the same forms.
//!
//! Times are wall clock nanoseconds since the Unix epoch. It knows no time before the epoch.

use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp, Zoned};
use std::time::SystemTime;

/// Text that is no point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time: use {FORMS}")]
#[non_exhaustive]
pub struct ParseTimeError;

/// What [`parse_since`] accepts, for people.
pub const FORMS: &str =
    "30s, 10m, 2h, 3d, a date (2026-01-31, UTC), 2026-01-31T08:00Z or seconds since 1970";

/// The wall clock, nanoseconds.
#[must_use]
pub fn now_ns() -> u64 {
    nanoseconds(SystemTime::now())
}

/// Wall clock nanoseconds of `time`; 0 before the epoch.
#[must_use]
pub fn nanoseconds(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since_epoch.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// RFC 3339 in UTC, to the nanosecond: `2024-06-10T06:13:20.000000042Z`.
#[must_use]
pub fn rfc3339(wall_ns: u64) -> String {
    format!("{:.9}", timestamp(wall_ns))
}

/// RFC 3339 in this machine's time zone, to the second: `2024-06-10T08:13:20+02:00`, and
/// `2024-06-10T06:13:20Z` where it is UTC.
#[must_use]
pub fn local(wall_ns: u64) -> String {
    in_zone(wall_ns, TimeZone::system())
}

/// The hour, minute and second of [`local`], without the offset: `08:13:20`.
#[must_use]
pub fn local_clock(wall_ns: u64) -> String {
    let zoned = timestamp(wall_ns).to_zoned(TimeZone::system());
    zoned.strftime("%H:%M:%S").to_string()
}

/// Reads a point in time: RFC 3339 with or without seconds, a date (its first moment in UTC), or
/// seconds since the epoch.
///
/// ```
/// use guard_report::time::parse;
///
/// assert_eq!(parse("1970-01-01T01:00+01:00"), parse("0"));
/// assert_eq!(parse("1970-01-02"), Ok(86_400_000_000_000));
/// assert!(parse("yesterday").is_err());
/// ```
///
/// # Errors
///
/// [`ParseTimeError`], also for times before the epoch.
pub fn parse(text: &str) -> Result<u64, ParseTimeError> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        let seconds: u64 = text.parse().map_err(|_| ParseTimeError)?;
        return seconds.checked_mul(SECOND_NS).ok_or(ParseTimeError);
    }
    let time: Timestamp = if is_date(text) {
        format!("{text}T00:00:00Z").parse()
    } else {
        text.parse()
    }
    .map_err(|_| ParseTimeError)?;
    u64::try_from(time.as_nanosecond()).map_err(|_| ParseTimeError)
}

/// Reads the point in time from which on something is wanted: what [`parse`] reads, or how long
/// before `now_ns` (`30s`, `2h`, `1d 12h`).
///
/// # Errors
///
/// [`ParseTimeError`]
pub fn parse_since(text: &str, now_ns: u64) -> Result<u64, ParseTimeError> {
    parse(text).or_else(|error| {
        let span: Span = text.parse().map_err(|_| error.clone())?;
        // Months and years have no fixed length.
        let ago = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| error.clone())?;
        let ago = u64::try_from(ago.as_nanos()).map_err(|_| error)?;
        Ok(now_ns.saturating_sub(ago))
    })
}

fn in_zone(wall_ns: u64, zone: TimeZone) -> String {
    let time: Zoned = timestamp(wall_ns).to_zoned(zone);
    if time.offset().is_zero() {
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    } else {
        time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

fn timestamp(wall_ns: u64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(wall_ns))
        .expect("64 bits of nanoseconds end in the year 2554")
}

/// Whether it has the shape `2026-01-31`.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

const SECOND_NS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = rfc3339(1_718_000_000_000_000_042);
        assert_eq!(text, "2024-06-10T06:13:20.000000042Z");
        assert_eq!(parse(&text), Ok(1_718_000_000_000_000_042));
        assert_eq!(parse(&local(7 * SECOND_NS)), Ok(7 * SECOND_NS));
    }

    #[test]
    fn every_form_of_a_time_is_read() {
        for text in [
            "1769860800",
            "2026-01-31T12:00Z",
            "2026-01-31T12:00:00Z",
            "2026-01-31t12:00:00.0z",
            "2026-01-31 14:00:00+02:00",
            "2026-01-31T07:30-04:30",
        ] {
            assert_eq!(parse(text), Ok(1_769_860_800 * SECOND_NS), "{text}");
            assert_eq!(parse_since(text, 0), parse(text), "{text}");
        }
        for text in [
            "",
            "now",
            "yesterday",
            "-1",
            "1e9",
            "1969-12-31T23:59:59Z",
            "1970-13-01",
            "2026-01-31T12:00:00",
            "99999999999999999999",
            "9999999999999",
        ] {
            assert_eq!(parse(text), Err(ParseTimeError), "{text}");
        }
    }

    #[test]
    fn moments_are_read_as_they_are_typed() {
        let now = 1_000_000 * SECOND_NS;
        for (text, seconds) in [
            ("30s", 999_970),
            ("10m", 999_400),
            ("2h", 992_800),
            ("1.5h", 994_600),
            ("3d", 740_800),
            ("1d 12h", 870_400),
            ("999d", 0),
            ("10", 10),
            ("1970-01-02", 86_400),
            ("1970-01-02T00:00:01Z", 86_401),
            ("1970-01-02T01:00:01+01:00", 86_401),
        ] {
            assert_eq!(parse_since(text, now), Ok(seconds * SECOND_NS), "{text}");
        }
        for text in ["", "m", "-1m", "2 moons", "1 month", "yesterday"] {
            assert_eq!(parse_since(text, now), Err(ParseTimeError), "{text}");
        }
        assert!(
            ParseTimeError
                .to_string()
                .starts_with("not a time: use 30s")
        );
    }

    #[test]
    fn a_zone_shows_its_offset() {
        let at = |zone| in_zone(1_718_000_000_000_000_042, zone);
        assert_eq!(at(TimeZone::UTC), "2024-06-10T06:13:20Z");
        let zone = TimeZone::fixed(jiff::tz::offset(-3));
        assert_eq!(at(zone), "2024-06-10T03:13:20-03:00");
    }
}
