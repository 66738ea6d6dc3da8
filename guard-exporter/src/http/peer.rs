//! Restricts endpoints that show paths to the exporter's own user and root.
//!
//! Any user of a machine can connect to its loopback. Counts are for all of them, so that a Prometheus
//! with an account of its own can scrape. The denial log is readable by its owner only (mode 0600), and
//! so are the endpoints that show its lines. On Linux `/proc/net/tcp` has the user of a local
//! connection (`proc_net_tcp(5)`). On other systems the user is not known, and there is no restriction.

use axum::extract::{Extension, Request};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpStream;

/// Both ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    client: SocketAddr,
    server: SocketAddr,
}

// === impl Peer ===

impl Peer {
    pub(super) fn of(stream: &TcpStream) -> io::Result<Self> {
        Ok(Self {
            client: stream.peer_addr()?,
            server: stream.local_addr()?,
        })
    }

    /// The user of the client; `None` when the connection is not in the table.
    fn uid(self) -> io::Result<Option<u32>> {
        let table = match self.client {
            SocketAddr::V4(_) => "/proc/net/tcp",
            SocketAddr::V6(_) => "/proc/net/tcp6",
        };
        Ok(self.find(&fs::read_to_string(table)?))
    }

    fn find(self, table: &str) -> Option<u32> {
        let (client, server) = (as_in_table(self.client), as_in_table(self.server));
        table.lines().find_map(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let is_it = fields.next()? == client && fields.next()? == server;
            // State, queues, timer and retransmissions are between.
            is_it.then(|| fields.nth(4)?.parse().ok()).flatten()
        })
    }
}

/// The middleware of endpoints that show paths.
pub(super) async fn own_user_only(
    peer: Option<Extension<Peer>>,
    request: Request,
    next: Next,
) -> Response {
    let may_see = match peer.map(|Extension(peer)| peer.uid()) {
        Some(Ok(uid)) => uid.is_some_and(|uid| uid == 0 || uid == own_uid()),
        // A system without the table.
        Some(Err(error)) => error.kind() == io::ErrorKind::NotFound,
        None => false,
    };
    if may_see {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, REFUSAL).into_response()
    }
}

/// The user of this process: the owner of its directory in `/proc`.
fn own_uid() -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").map_or(0, |directory| directory.uid())
}

/// An address as the table writes it: each 32-bit word in the byte order of the machine, then the port.
fn as_in_table(address: SocketAddr) -> String {
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (words, _) = octets.as_chunks::<4>();
    let mut text: String = words
        .iter()
        .map(|word| format!("{:08X}", u32::from_ne_bytes(*word)))
        .collect();
    text.push_str(&format!(":{:04X}", address.port()));
    text
}

const REFUSAL: &str =
    "forbidden: denials are shown to the exporter's own user only; /metrics is open to all\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_client_s_line_is_found_and_not_the_server_s() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n\
            0: 0100007F:4C15 00000000:0000 0A 00000000:00000000 00:00000000 00000000     7        0 1\n\
            1: 0100007F:4C15 0100007F:A0B1 01 00000000:00000000 00:00000000 00000000     8        0 2\n\
            2: 0100007F:A0B1 0100007F:4C15 01 00000000:00000000 00:00000000 00000000  1000        0 3\n";
        let peer = |client: &str| Peer {
            client: client.parse().unwrap(),
            server: "127.0.0.1:19477".parse().unwrap(),
        };
        assert_eq!(peer("127.0.0.1:41137").find(table), Some(1000));
        assert_eq!(peer("127.0.0.1:41138").find(table), None);
        assert_eq!(peer("127.0.0.1:41137").find("junk\n0:\n"), None);
        let six: SocketAddr = "[::1]:80".parse().unwrap();
        assert_eq!(as_in_table(six), "00000000000000000000000001000000:0050");
    }
}
