//! OTLP endpoints as they are configured.
//!
//! A URL may carry secrets: a user name and a password, or a token in its query. It guarantees that
//! none of them is shown: `Debug` and `Display` of everything here leave them out, and what is sent
//! goes to a URL without user information, with the credentials in an `Authorization` header.

use super::encoding::percent_decoded;
use crate::metrics::catalogue::Signal;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use url::Url;

/// An endpoint as somebody wrote it, shown without its secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointText(String);

/// An endpoint that can be used.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Without user information.
    url: Url,
    /// The value of an `Authorization` header.
    authorization: Option<String>,
}

/// An OTLP transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

/// Why an endpoint cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("it must begin with http:// or https://")]
    Scheme,
    #[error("it is not a URL")]
    Syntax(#[source] url::ParseError),
    #[error("it has a fragment (#…), which is never sent")]
    Fragment,
    #[error("its user name and password must be percent-encoded UTF-8")]
    Credentials,
    #[error("this guard-exporter is built without TLS (cargo build --features otlp-tls)")]
    NoTls,
}

// === impl EndpointText ===

impl EndpointText {
    pub(super) fn parse(&self) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(&self.0)
    }

    /// Where the collector that listens here for gRPC takes HTTP: one port above, by custom.
    pub(super) fn over_http(&self) -> Self {
        let Ok(mut url) = Url::parse(&self.0) else {
            return self.clone();
        };
        if url.port() == Some(GRPC_PORT) && url.set_port(Some(HTTP_PORT)).is_ok() {
            return Self(url.into());
        }
        self.clone()
    }
}

impl From<&str> for EndpointText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for EndpointText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Display for EndpointText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redacted(&self.0))
    }
}

impl fmt::Debug for EndpointText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

// === impl Endpoint ===

impl Endpoint {
    fn parse(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError::Scheme)?;
        match scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            "https" if cfg!(feature = "otlp-tls") => {}
            "https" => return Err(EndpointError::NoTls),
            _ => return Err(EndpointError::Scheme),
        }
        // `Url` would take the first part of the path for the host.
        if rest.starts_with(['/', '\\']) {
            return Err(EndpointError::Syntax(url::ParseError::EmptyHost));
        }
        let mut url = Url::parse(text).map_err(EndpointError::Syntax)?;
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment);
        }
        let authorization = authorization(&url)?;
        let removed = url.set_username("").and_then(|()| url.set_password(None));
        removed.map_err(|()| EndpointError::Credentials)?;
        Ok(Self { url, authorization })
    }

    /// The URL for one signal: as it is when the endpoint was given for this signal only, and with
    /// the signal's path when it was given for all.
    pub(super) fn url(&self, signal: Signal, is_for_signal: bool) -> Url {
        let mut url = self.url.clone();
        if !is_for_signal {
            let base = url.path().trim_end_matches('/');
            let path = format!("{base}/v1/{}", signal.as_str());
            url.set_path(&path);
        }
        url
    }

    pub(super) const fn base_url(&self) -> &Url {
        &self.url
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redacted(self.url.as_str()))
    }
}

/// The ports of OTLP, as IANA has registered them.
const GRPC_PORT: u16 = 4317;
const HTTP_PORT: u16 = 4318;

/// A URL, or what was meant to be one, without what may be secret: user information and query.
///
/// In a text that is no URL more than that may be left out, and never less.
pub(super) fn redacted(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let (shown, mark) = match rest.find(['?', '#']) {
        Some(at) => (&rest[..at], "?…"),
        None => (rest, ""),
    };
    format!("{scheme}{shown}{mark}")
}

/// The header of HTTP's Basic authentication (RFC 7617) for the URL's user information.
fn authorization(url: &Url) -> Result<Option<String>, EndpointError> {
    let password = url.password();
    if url.username().is_empty() && password.is_none() {
        return Ok(None);
    }
    let decoded = |text| percent_decoded(text).ok_or(EndpointError::Credentials);
    let user = decoded(url.username())?;
    let password = decoded(password.unwrap_or_default())?;
    let credentials = BASE64_STANDARD.encode(format!("{user}:{password}"));
    Ok(Some(format!("Basic {credentials}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoint, EndpointError> {
        EndpointText::from(text).parse()
    }

    fn url(text: &str, is_for_signal: bool) -> String {
        let endpoint = parse(text).unwrap();
        endpoint.url(Signal::Logs, is_for_signal).to_string()
    }

    #[test]
    fn an_endpoint_for_all_signals_gets_the_path_of_each() {
        for (endpoint, expected) in [
            ("http://h", "http://h/v1/logs"),
            ("HTTP://H:4318/base/", "http://h:4318/base/v1/logs"),
            ("http://h/base?token=abc", "http://h/base/v1/logs?token=abc"),
            ("http://[::1]:4318", "http://[::1]:4318/v1/logs"),
        ] {
            assert_eq!(url(endpoint, false), expected);
        }
        assert_eq!(
            url("http://h/logs?token=abc", true),
            "http://h/logs?token=abc"
        );
    }

    #[test]
    fn an_endpoint_that_cannot_work_is_an_error() {
        for text in [
            "",
            "h:4318",
            "http:h",
            "ftp://h",
            "http://",
            "http://:4318",
            "http:///h",
            "http://h:99999",
            "http://h:4318#x",
            "http://a b",
            "http://u:%ff@h",
        ] {
            parse(text).unwrap_err();
        }
    }

    #[test]
    fn credentials_become_a_header() {
        let endpoint = parse("http://u:p%40ss@h:4318/x").unwrap();
        // Of `u:p@ss`.
        assert_eq!(endpoint.authorization(), Some("Basic dTpwQHNz"));
        assert_eq!(endpoint.base_url().as_str(), "http://h:4318/x");
        assert_eq!(parse("http://h").unwrap().authorization(), None);
        assert_eq!(
            parse("http://u@h").unwrap().authorization(),
            Some("Basic dTo=")
        );
    }

    #[test]
    fn secrets_are_never_shown() {
        for text in [
            "http://u:s3cret@h:4318/x",
            "https://s3cret@h",
            "http://h/x?token=s3cret",
            "http://u:a@s3cret@h/x",
            "http://u:pa/ss?s3cret@h/x",
            "u:s3cret@h",
            "http://h/x#s3cret",
            "http://u:s3cret@h:99999",
            "http://u:s3cret@",
        ] {
            let text = EndpointText::from(text);
            let mut shown = format!("{text} {text:?}");
            match text.parse() {
                Ok(endpoint) => shown += &format!("{endpoint:?}"),
                Err(error) => shown += &format!("{error:?}{:#}", anyhow::Error::new(error)),
            }
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        let shown = |text: &str| EndpointText::from(text).to_string();
        assert_eq!(shown("http://u:p@h:4318/x?t=1"), "http://h:4318/x?…");
        assert_eq!(shown("nowhere"), "nowhere");
    }
}
