//! The values of options that need more than a type to be checked.

use guard_report::address::{DEFAULT_ADDRESS, DEFAULT_PORT};
use guard_report::time::{ParseDurationError, parse_duration};
use std::net::{IpAddr, SocketAddr};
use std::num::ParseFloatError;
use std::time::{Duration, TryFromFloatSecsError};

/// An address that the exporter does not listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenAddressError {
    #[error("not an address with a port, such as {DEFAULT_ADDRESS} or [::1]:{DEFAULT_PORT}")]
    Syntax,
    #[error(
        "{0} is not a loopback address; the exporter serves this machine only (use an SSH tunnel or \
         a local Prometheus agent to reach it from another)"
    )]
    NotLoopback(IpAddr),
}

/// A URL path that the metrics cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryPathError {
    #[error("not a path such as /metrics, of letters, digits and -_.~")]
    Syntax,
    #[error("the path has an empty, `.` or `..` part; use one such as /metrics")]
    Part,
    #[error("/{0} is taken; use another path, such as /metrics")]
    Taken(String),
}

/// Not a time-out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeoutError {
    #[error("not a number of seconds")]
    Syntax(#[source] ParseFloatError),
    #[error("out of range")]
    Range(#[source] TryFromFloatSecsError),
}

/// Not an age that lines may have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MaxAgeError {
    #[error("not a duration such as 90d")]
    Syntax(#[source] ParseDurationError),
    #[error("less than a day")]
    Short,
}

/// Parses how old lines may become.
pub(super) fn max_age(text: &str) -> Result<Duration, MaxAgeError> {
    let max_age = parse_duration(text).map_err(MaxAgeError::Syntax)?;
    if max_age < SHORTEST_AGE {
        return Err(MaxAgeError::Short);
    }
    Ok(max_age)
}

/// Parses a loopback address with a port.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, ListenAddressError> {
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
    let address: SocketAddr = text.parse().map_err(|_| ListenAddressError::Syntax)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(ListenAddressError::NotLoopback(address.ip()))
    }
}

/// Parses a URL path that no other endpoint has, of characters that need no escaping.
pub(super) fn telemetry_path(text: &str) -> Result<String, TelemetryPathError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    if !text.starts_with('/') || !text.chars().all(is_plain) {
        return Err(TelemetryPathError::Syntax);
    }
    let mut parts = text.split('/').skip(1);
    if parts.clone().any(|part| ["", ".", ".."].contains(&part)) {
        return Err(TelemetryPathError::Part);
    }
    match parts.next() {
        Some(first) if TAKEN.contains(&first) => Err(TelemetryPathError::Taken(first.to_owned())),
        _ => Ok(text.to_owned()),
    }
}

/// Parses seconds, with or without a fraction.
pub(super) fn timeout(text: &str) -> Result<Duration, TimeoutError> {
    let seconds = text.parse().map_err(TimeoutError::Syntax)?;
    Duration::try_from_secs_f64(seconds).map_err(TimeoutError::Range)
}

/// The logs would be empty for most of the time, and rotate by the minute.
const SHORTEST_AGE: Duration = Duration::from_secs(24 * 60 * 60);
const TAKEN: [&str; 4] = ["api", "-", "page.css", "page.js"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_accepted() {
        for address in ["127.0.0.1:0", "127.1.2.3:80", "[::1]:19477", "localhost:80"] {
            listen_address(address).unwrap();
        }
        for address in [
            "0.0.0.0:1",
            "192.168.1.1:19477",
            "[::]:1",
            "example.org:80",
            ":19477",
            "127.0.0.1",
        ] {
            listen_address(address).unwrap_err();
        }
    }

    #[test]
    fn a_telemetry_path_is_plain_and_not_taken() {
        for good in ["/metrics", "/guard/metrics", "/m.2~x_y-z"] {
            assert_eq!(telemetry_path(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "/",
            "metrics",
            "/a//b",
            "/a/",
            "/../a",
            "/a b",
            "/{a}",
            "/a?b",
            "/api/v1/x",
            "/-/ready",
            "/page.js",
            "/*x",
            "/é",
        ] {
            telemetry_path(bad).unwrap_err();
        }
    }

    #[test]
    fn time_outs_are_seconds() {
        assert_eq!(timeout("0.25"), Ok(Duration::from_millis(250)));
        for bad in ["", "soon", "-1", "inf", "1e300"] {
            timeout(bad).unwrap_err();
        }
    }
}
