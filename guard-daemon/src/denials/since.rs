//! Moments as people type them: `10m`, `2h`, a date, RFC 3339.

use crate::observed::guards::nanoseconds;

/// A moment, wall clock nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since(u64);

// === impl Since ===

impl Since {
    /// Reads a moment, relative ones to `now_ns`.
    ///
    /// # Errors
    ///
    /// What may be typed instead.
    pub(crate) fn parse(text: &str, now_ns: u64) -> Result<Self, String> {
        let ago = || {
            let (digits, seconds) = UNITS
                .iter()
                .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
            let nanoseconds = digits
                .parse::<u64>()
                .ok()?
                .checked_mul(*seconds)?
                .checked_mul(1_000_000_000)?;
            Some(now_ns.saturating_sub(nanoseconds))
        };
        let day = || nanoseconds(&format!("{text}T00:00:00Z"));
        ago()
            .or_else(|| nanoseconds(text))
            .or_else(day)
            .map(Self)
            .ok_or_else(|| {
                "not a time: 30s, 10m, 2h, 3d, 2026-01-31 (UTC) or 2026-01-31T08:00:00Z".to_owned()
            })
    }

    /// Wall clock nanoseconds.
    pub(crate) const fn nanoseconds(self) -> u64 {
        self.0
    }

    /// Whether an RFC 3339 time is not before this moment.
    pub(crate) fn is_before(self, time: &str) -> bool {
        nanoseconds(time).is_some_and(|time| time >= self.0)
    }
}

const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_typed() {
        const SECOND: u64 = 1_000_000_000;
        let now = 1_000_000 * SECOND;
        for (text, seconds) in [
            ("30s", 999_970),
            ("10m", 999_400),
            ("2h", 992_800),
            ("3d", 740_800),
            ("999d", 0),
            ("1970-01-02", 86_400),
            ("1970-01-02T00:00:01Z", 86_401),
            ("1970-01-02T01:00:01+01:00", 86_401),
        ] {
            assert_eq!(
                Since::parse(text, now),
                Ok(Since(seconds * SECOND)),
                "{text}"
            );
        }
        for text in ["", "m", "-1m", "10", "1.5h", "yesterday", "1970-13-01"] {
            Since::parse(text, now).unwrap_err();
        }
        let since = Since(86_400 * SECOND);
        assert!(
            since.is_before("1970-01-02T00:00:00Z") && !since.is_before("1970-01-01T23:59:59Z")
        );
        assert!(!since.is_before("no time"));
    }
}
