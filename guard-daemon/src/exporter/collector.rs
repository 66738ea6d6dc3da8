//! Whether the exporter that is running sends where this session's environment says.
//!
//! An exporter has the environment of the session that started it. A collector that a later session
//! configures is used by the next exporter only, and nobody would see why nothing arrives.

use super::{address, ask::ask};
use guard_report::api::Status;
use guard_report::paths::StatePaths;

/// What to say of a collector that is configured here and that the running exporter does not use.
pub(crate) fn unused_collector(paths: &StatePaths) -> Option<String> {
    let (name, endpoint) = configured(|name| std::env::var(name).ok())?;
    let answer = ask(address(paths)?, "/api/v1/status").ok()?;
    let status: Status<'_> = serde_json::from_slice(&answer).ok()?;
    let mut used = status
        .otlp
        .iter()
        .filter_map(|sent| sent.endpoint.as_deref());
    if used.any(|used| host(used) == host(&endpoint)) {
        return None;
    }
    Some(format!(
        "the exporter that is running was started without {name}={}: nothing is sent there until it \
         starts again (kill {})",
        host(&endpoint),
        status.pid
    ))
}

/// The variable that names a collector, and its value.
fn configured(variable: impl Fn(&str) -> Option<String>) -> Option<(String, String)> {
    let is_set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let with_prefix = |name: &str| {
        let names = [format!("GUARD_{name}"), name.to_owned()];
        names
            .into_iter()
            .find_map(|name| is_set(&name).map(|value| (name, value)))
    };
    let disabled = with_prefix("OTEL_SDK_DISABLED");
    if disabled.is_some_and(|(_, value)| value.trim().eq_ignore_ascii_case("true")) {
        return None;
    }
    with_prefix("OTEL_EXPORTER_OTLP_ENDPOINT")
}

/// The host of a URL: the rest may be secret, and the port depends on the protocol.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let end = match place.rfind(']') {
        Some(end) => end + 1,
        None => place.find(':').unwrap_or(place.len()),
    };
    place.get(..end).unwrap_or(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_url_the_host_is_shown() {
        for (url, shown) in [
            ("http://127.0.0.1:4318", "127.0.0.1"),
            ("https://u:s3cret@h.example:4318/v1?token=x", "h.example"),
            ("http://[::1]:4317/", "[::1]"),
            ("h", "h"),
        ] {
            assert_eq!(host(url), shown);
        }
    }

    #[test]
    fn the_guard_s_own_variable_goes_first() {
        let found = |variables: &'static [(&str, &str)]| {
            let variable = move |name: &str| {
                let mut all = variables.iter();
                all.find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            configured(variable).map(|(_, value)| value)
        };
        assert_eq!(found(&[]), None);
        let shared = found(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a")]);
        assert_eq!(shared.as_deref(), Some("http://a"));
        let both = found(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"),
            ("GUARD_OTEL_EXPORTER_OTLP_ENDPOINT", "http://b"),
        ]);
        assert_eq!(both.as_deref(), Some("http://b"));
        let disabled = found(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"),
            ("OTEL_SDK_DISABLED", "true"),
        ]);
        assert_eq!(disabled, None);
    }
}
