//! Points in time as text.
//!
//! Programs write RFC 3339 in UTC, to the nanosecond ([`rfc3339`]). People see the time of their own
//! zone ([`local`]), in a form that can be pasted back. Whatever reads a time from a person or a
//! program accepts the forms of guard-core's [`parse`], as policies do.
//!
//! Times are wall clock nanoseconds since the Unix epoch. It knows no time before the epoch.

use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp, Zoned};
use std::time::{Duration, SystemTime};

pub use guard_core::time::parse;

/// The text is neither a point in time nor a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time: use {FORMS}")]
pub struct ParseSinceError;

/// The text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a duration: use 30s, 10m, 2h or 1d 12h")]
pub struct ParseDurationError;

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

/// Reads the point in time from which on something is wanted: what [`parse`] reads, or how long
/// before `now_ns` (`30s`, `2h`, `1d 12h`).
///
/// # Errors
///
/// [`ParseSinceError`]
pub fn parse_since(text: &str, now_ns: u64) -> Result<u64, ParseSinceError> {
    if let Ok(time_ns) = parse(text) {
        return Ok(time_ns);
    }
    let ago = parse_duration(text).map_err(|_| ParseSinceError)?;
    let ago = u64::try_from(ago.as_nanos()).map_err(|_| ParseSinceError)?;
    Ok(now_ns.saturating_sub(ago))
}

/// Reads how long something is to be: `30s`, `2h`, `1d 12h`.
///
/// # Errors
///
/// [`ParseDurationError`]
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let span: Span = text.parse().map_err(|_| ParseDurationError)?;
    // Months and years have no fixed length.
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| ParseDurationError)?;
    duration.try_into().map_err(|_| ParseDurationError)
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    #[test]
    fn what_is_written_is_read() {
        let text = rfc3339(1_718_000_000_000_000_042);
        assert_eq!(text, "2024-06-10T06:13:20.000000042Z");
        assert_eq!(parse(&text), Ok(1_718_000_000_000_000_042));
        assert_eq!(parse(&local(7 * SECOND_NS)), Ok(7 * SECOND_NS));
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
            assert_eq!(parse_since(text, now), Err(ParseSinceError), "{text}");
        }
        assert!(
            ParseSinceError
                .to_string()
                .starts_with("not a time: use 30s")
        );
    }

    #[test]
    fn durations_are_not_negative_and_have_a_fixed_length() {
        for (text, seconds) in [("30s", 30), ("2m", 120), ("1d 12h", 129_600)] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for text in ["", "10", "-1m", "1 month", "soon"] {
            assert_eq!(parse_duration(text), Err(ParseDurationError), "{text}");
        }
    }

    #[test]
    fn a_zone_shows_its_offset() {
        let at = |zone| in_zone(1_718_000_000_000_000_042, zone);
        assert_eq!(at(TimeZone::UTC), "2024-06-10T06:13:20Z");
        let zone = TimeZone::fixed(jiff::tz::offset(-3));
        assert_eq!(at(zone), "2024-06-10T03:13:20-03:00");
    }
}
