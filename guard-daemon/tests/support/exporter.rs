//! The exporter's program, and the log it writes.

#[path = "beside.rs"]
mod beside;

use super::stage::Stage;
use std::path::Path;

/// Makes sure that the exporter is beside the guard, as it is when both are installed. One that is there
/// already serves.
pub(crate) fn build() {
    let beside = Path::new(env!("CARGO_BIN_EXE_codex-es-guard")).with_file_name("guard-exporter");
    if !beside.exists() {
        beside::build("guard-exporter");
    }
}

/// The ring and the number of each denial in the log.
pub(crate) fn logged(stage: &Stage) -> Vec<(String, u64)> {
    let text = stage.text(".codex/es-guard/denials.jsonl");
    // The last line may be half written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let line = |line| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        (
            value["ring"].as_str().unwrap().to_owned(),
            value["seq"].as_u64().unwrap(),
        )
    };
    whole.lines().map(line).collect()
}
