//! What a client accepts: the format of a scrape, and whether it may be compressed.
//!
//! Several header lines of one name are one list, as RFC 9110 (5.2) has it.

use crate::metrics::exposition::Format;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

/// The format that the client prefers: OpenMetrics 1.0.0 where it likes that no less than plain text.
pub(super) fn format(headers: &HeaderMap) -> Format {
    let mut openmetrics = 0.0_f32;
    let mut text = 0.0_f32;
    for range in ranges(headers, &ACCEPT) {
        match range.name.as_str() {
            "application/openmetrics-text" if range.version.is_none_or(|it| it == "1.0.0") => {
                openmetrics = openmetrics.max(range.quality);
            }
            "text/plain" => text = text.max(range.quality),
            _ => {}
        }
    }
    if openmetrics > 0.0 && openmetrics >= text {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

/// Whether the client asks for gzip.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    ranges(headers, &ACCEPT_ENCODING)
        .any(|range| matches!(range.name.as_str(), "gzip" | "x-gzip") && range.quality > 0.0)
}

/// One entry of such a list.
struct Range<'a> {
    /// In lower case.
    name: String,
    /// From 0 to 1.
    quality: f32,
    version: Option<&'a str>,
}

fn ranges<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Range<'a>> {
    let lines = headers.get_all(name).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let mut found = Range {
            name: parts.next().unwrap_or_default().to_ascii_lowercase(),
            quality: 1.0,
            version: None,
        };
        for (parameter, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match parameter.trim().to_ascii_lowercase().as_str() {
                "q" => found.quality = value.parse().unwrap_or(0.0),
                "version" => found.version = Some(value),
                _ => {}
            }
        }
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&name, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_format_is_the_one_that_the_client_prefers() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,\
             application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;\
             escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let plain = "text/plain;q=0.1";
        let openmetrics = "application/openmetrics-text";
        for lines in [
            &[prometheus_2][..],
            &[prometheus_3],
            &[openmetrics],
            &[plain, openmetrics],
        ] {
            assert_eq!(
                format(&headers(ACCEPT, lines)),
                Format::OpenMetrics,
                "{lines:?}"
            );
        }
        for lines in [
            &[][..],
            &[""],
            &["*/*"],
            &["text/plain"],
            &["application/openmetrics-text;q=0"],
            &["application/openmetrics-text;version=0.0.1"],
            &["application/openmetrics-text;version=2.0.0"],
            &["application/openmetrics-text;q=x"],
            &["text/plain", "application/openmetrics-text;q=0.1"],
        ] {
            assert_eq!(format(&headers(ACCEPT, lines)), Format::Text, "{lines:?}");
        }
    }

    #[test]
    fn gzip_is_for_those_who_ask() {
        let asks = |line| accepts_gzip(&headers(ACCEPT_ENCODING, &[line]));
        assert!(asks("gzip") && asks("deflate, GZIP;q=0.5"));
        assert!(!asks("") && !asks("identity") && !asks("gzip;q=0") && !asks("br, zstd"));
    }
}
