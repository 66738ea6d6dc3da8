//! guard-exporter.
fn main() {}
