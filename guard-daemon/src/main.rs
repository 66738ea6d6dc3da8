//! codex-es-guard.
fn main() {}
