//! The exporter beside this program: where it serves, asking it, and starting it.

pub(crate) mod ask;
mod start;

pub(crate) use start::ensure;

use crate::places::Places;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// What a running exporter says of itself in `exporter.json`.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Serving {
    /// Where it serves.
    pub(crate) address: String,
}

/// What the running exporter says of itself.
pub(crate) fn serving(places: &Places) -> Option<Serving> {
    let text = std::fs::read(places.exporter.join("exporter.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Where the metrics of these places are, or will be as soon as an exporter that is started now
/// serves. `None` when only that exporter will know.
pub(crate) fn expected_address(places: &Places) -> Option<String> {
    match serving(places) {
        Some(serving) => Some(serving.address),
        None => (!is_usual_port_taken()).then(|| USUAL_ADDRESS.to_string()),
    }
}

/// Whether somebody serves where an exporter usually does: another user's, or another program.
pub(crate) fn is_usual_port_taken() -> bool {
    TcpStream::connect_timeout(&USUAL_ADDRESS, PATIENCE).is_ok()
}

/// Where an exporter serves when nobody says otherwise.
pub(crate) const USUAL_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 19477);

/// Whoever listens on loopback answers at once.
const PATIENCE: Duration = Duration::from_millis(200);

/// The exporter's binary.
pub(crate) const PROGRAM: &str = "guard-exporter";
