//! Wall clock times as text.

use std::time::SystemTime;

/// Nanoseconds since the Unix epoch as RFC 3339, to the nanosecond.
#[must_use]
pub fn rfc3339(wall_ns: u64) -> String {
    let time = jiff::Timestamp::from_nanosecond(i128::from(wall_ns))
        .expect("64 bits of nanoseconds end in the year 2554");
    format!("{time:.9}")
}

/// Nanoseconds since the Unix epoch.
#[must_use]
pub fn wall_ns(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since_epoch.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// Reads RFC 3339, or seconds since the Unix epoch. `None` for anything else and for times before
/// the epoch.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds.checked_mul(1_000_000_000);
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = rfc3339(1_718_000_000_000_000_042);
        assert_eq!(text, "2024-06-10T06:13:20.000000042Z");
        assert_eq!(parse(&text), Some(1_718_000_000_000_000_042));
        assert_eq!(parse("1718000000"), Some(1_718_000_000_000_000_000));
        assert_eq!(
            parse("2024-06-10T08:13:20+02:00"),
            Some(1_718_000_000_000_000_000)
        );
        for text in [
            "",
            "now",
            "1969-12-31T23:59:59Z",
            "99999999999999999999",
            "-1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
