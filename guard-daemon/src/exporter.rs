//! The exporter beside this program: where it serves, asking it, and starting it.

pub(crate) mod ask;
mod start;

pub(crate) use start::ensure;

use crate::places::Places;

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

/// The exporter's binary.
pub(crate) const PROGRAM: &str = "guard-exporter";
