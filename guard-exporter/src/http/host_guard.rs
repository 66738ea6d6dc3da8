//! Checks the Host header: only requests to this machine's loopback are answered.
//!
//! A web page can make its visitor's browser send requests to 127.0.0.1 and, by pointing its own name
//! there (DNS rebinding), read the responses. The browser then sends the name of the page's host. A
//! request is therefore refused with 403 unless every host in it is `localhost`, an address in
//! 127.0.0.0/8 or `[::1]`, with any port. A request without a host is refused too.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::Ipv4Addr;

/// The middleware.
pub(super) async fn host_guard(request: Request, next: Next) -> Response {
    if names_loopback_only(&request) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, REFUSAL).into_response()
    }
}

fn names_loopback_only(request: &Request) -> bool {
    let in_target = request
        .uri()
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    let in_headers = request
        .headers()
        .get_all(header::HOST)
        .iter()
        .map(|value| value.as_bytes());
    let mut hosts = in_target.into_iter().chain(in_headers).peekable();
    hosts.peek().is_some() && hosts.all(is_loopback)
}

fn is_loopback(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else {
        return false;
    };
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    };
    let is_name = NAMES.iter().any(|known| known.eq_ignore_ascii_case(name));
    let is_address = || {
        name.parse()
            .is_ok_and(|address: Ipv4Addr| address.is_loopback())
    };
    (is_name || is_address()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

const NAMES: [&str; 2] = ["localhost", "[::1]"];
const REFUSAL: &str =
    "forbidden: the Host header must be localhost, 127.0.0.1 or [::1], with any port\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let loopback = [
            "localhost",
            "LocalHost:1",
            "127.0.0.1",
            "127.0.0.1:19477",
            "127.0.0.50:19477",
            "[::1]",
            "[::1]:80",
        ];
        for host in loopback {
            assert!(is_loopback(host.as_bytes()), "{host}");
        }
        let foreign = [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "localhost:80:80",
            "127.0.0.1.nip.io",
            "user@localhost",
            "localhost:80@evil",
            "::1",
            "128.0.0.1",
            "127.1",
            "0177.0.0.1",
            "2130706433",
            "[::1",
            "localhost ",
        ];
        for host in foreign {
            assert!(!is_loopback(host.as_bytes()), "{host}");
        }
        assert!(!is_loopback(b"localhost\xff"));
    }
}
