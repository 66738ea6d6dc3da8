//! Asking the exporter: one GET at a time, on loopback, answered soon or not at all.
//!
//! It speaks as much HTTP/1.1 as the exporter's API needs: one request a connection, answers of a
//! known length. It deliberately follows nothing, keeps nothing, and sends nothing but the request.

use anyhow::{Context as _, Result, anyhow, bail};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The answer to `GET path`, when it is 200.
///
/// # Errors
///
/// When nobody answers in time, or otherwise.
pub(crate) fn ask(address: SocketAddr, path: &str) -> Result<Vec<u8>> {
    if !address.ip().is_loopback() {
        bail!("{address} is not a loopback address; the exporter serves this machine only");
    }
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("connecting to {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream
        .take(MAX_ANSWER_BYTES)
        .read_to_end(&mut answer)
        .with_context(|| format!("waiting for {address} to answer"))?;
    body(&answer).with_context(|| format!("asking {address} for {path}"))
}

/// The body of a whole answer.
fn body(answer: &[u8]) -> Result<Vec<u8>> {
    let end = answer
        .windows(HEAD_END.len())
        .position(|four| four == HEAD_END)
        .ok_or_else(|| anyhow!("the answer has no end of its head"))?;
    let (head, rest) = answer.split_at(end);
    let body = rest.get(HEAD_END.len()..).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 200 ") {
        bail!("the answer is {status:?}");
    }
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok());
    match length {
        Some(length) if length == body.len() => Ok(body.to_owned()),
        Some(length) => bail!("the answer has {} bytes of {length}", body.len()),
        None => bail!("the answer does not say its length"),
    }
}

/// A well exporter answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest answer of the API is about 2 MB.
const MAX_ANSWER_BYTES: u64 = 16 * 1024 * 1024;
const HEAD_END: &[u8] = b"\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_is_one() {
        let good = "HTTP/1.1 200 OK\r\nContent-Type: x\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(body(good.as_bytes()).unwrap(), b"{}");
        for bad in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}",
            "SSH-2.0-OpenSSH\r\n\r\n",
        ] {
            body(bad.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn elsewhere_is_never_asked() {
        let error = ask("192.0.2.1:80".parse().unwrap(), "/").unwrap_err();
        assert!(error.to_string().contains("not a loopback address"));
    }
}
