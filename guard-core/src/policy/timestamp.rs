//! RFC 3339 times, as far as an expiry needs them.
//!
//! Reads `2026-01-31T12:00:00Z`, `2026-01-31 12:00:00.5+02:00`, in either case; a leap second counts
//! as the second after it. It knows no zone names and no years before 1970.

/// Nanoseconds since the Unix epoch; `None` when it is no RFC 3339 time after 1970.
pub(super) fn parse(text: &str) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut date = date.split('-');
    let (year, month, day) = (
        digits(date.next()?, 4)?,
        digits(date.next()?, 2)?,
        digits(date.next()?, 2)?,
    );
    if date.next().is_some() || !(1..=12).contains(&month) || !valid_day(year, month, day) {
        return None;
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let mut time = time.split(':');
    let (hour, minute, second) = (
        digits(time.next()?, 2)?,
        digits(time.next()?, 2)?,
        digits(time.next()?, 2)?,
    );
    if time.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanoseconds, rest) = fraction(rest)?;
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
        - offset(rest)?;
    u64::try_from(seconds)
        .ok()?
        .checked_mul(NANOSECONDS)?
        .checked_add(nanoseconds)
}

/// Unix seconds, whole or with a fraction; `None` when negative or too late for nanoseconds.
pub(super) fn from_seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: u64 = whole.parse().ok()?;
    seconds
        .checked_mul(NANOSECONDS)?
        .checked_add(nanoseconds_of(fraction)?)
}

fn digits(text: &str, length: usize) -> Option<i64> {
    let plain = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn fraction(text: &str) -> Option<(u64, &str)> {
    let Some(text) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, rest) = text.split_at_checked(length)?;
    if fraction.is_empty() {
        None
    } else {
        Some((nanoseconds_of(fraction)?, rest))
    }
}

/// The digits after the point; what is finer than a nanosecond is dropped.
fn nanoseconds_of(fraction: &str) -> Option<u64> {
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let plain = fraction.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// Seconds east of Greenwich.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = text
        .strip_prefix('+')
        .map(|rest| (1, rest))
        .or_else(|| text.strip_prefix('-').map(|rest| (-1, rest)))?;
    let (hour, minute) = rest.split_once(':')?;
    let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
    (hour <= 23 && minute <= 59).then_some(sign * (hour * 3_600 + minute * 60))
}

fn valid_day(year: i64, month: i64, day: i64) -> bool {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=days).contains(&day)
}

/// Days of the proleptic Gregorian calendar since 1970-01-01. Years begin in March, so that the
/// leap day is a year's last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - DAYS_BEFORE_EPOCH
}

/// From 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_EPOCH: i64 = 719_468;

const NANOSECONDS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2026-01-31T12:00:00Z", 1_769_860_800),
            ("2026-01-31t14:00:00+02:00", 1_769_860_800),
            ("2026-01-31 07:30:00-04:30", 1_769_860_800),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
        ] {
            assert_eq!(parse(text), Some(seconds * NANOSECONDS), "{text}");
        }
        assert_eq!(parse("1970-01-01T00:00:01.25Z"), Some(1_250_000_000));
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T12:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00+0200",
            "1969-12-31T23:59:59Z",
            "2026-01-31T12:00:00.Z",
            "+026-01-31T12:00:00Z",
            "９026-01-31T",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn seconds() {
        assert_eq!(
            from_seconds("1769860800"),
            Some(1_769_860_800 * NANOSECONDS)
        );
        assert_eq!(from_seconds("0.5"), Some(500_000_000));
        assert_eq!(from_seconds("-1"), None);
        assert_eq!(from_seconds("1e9"), None);
        assert_eq!(from_seconds("99999999999999"), None);
    }
}
