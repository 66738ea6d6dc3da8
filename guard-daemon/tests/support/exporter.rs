//! The exporter's program, and the log it writes.

use super::stage::Stage;
use std::path::Path;
use std::process::Command;
use std::sync::Once;

/// Makes sure that the exporter is beside the guard, as it is when both are installed. Cargo
/// builds only this package's programs for its tests.
pub(crate) fn build() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let profile = Path::new(env!("CARGO_BIN_EXE_codex-es-guard"))
            .parent()
            .unwrap();
        if profile.join("guard-exporter").exists() {
            return;
        }
        let name = match profile.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            name => name,
        };
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package",
                "guard-exporter",
                "--profile",
                name,
            ])
            .arg("--target-dir")
            .arg(profile.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success(), "guard-exporter is built");
    });
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
