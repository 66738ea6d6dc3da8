//! The programs beside the guard's.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

/// Makes sure that a program is beside the guard, as it is when both are installed. Cargo builds only
/// this package's programs for its tests. The program that is there already may be an older one, so
/// Cargo is asked once in each test binary. It builds with the workspace's features, as for the tests of
/// the workspace: with the package's alone it would compile most dependencies again.
pub(crate) fn build(package: &'static str) {
    static BUILT: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    let mut built = BUILT.lock().unwrap();
    if built.contains(&package) {
        return;
    }
    let profile = Path::new(env!("CARGO_BIN_EXE_codex-es-guard"))
        .parent()
        .unwrap();
    let name = match profile.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        name => name,
    };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--workspace", "--bin", package])
        .args(["--profile", name])
        .arg("--target-dir")
        .arg(profile.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(status.unwrap().success(), "{package} is built");
    built.push(package);
}
