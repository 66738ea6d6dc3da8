//! What the benches of whole sessions share.

use std::path::Path;
use std::process::Command;

/// Runs a shell script in a directory.
pub(crate) fn sh(dir: &Path, script: &str) {
    assert!(is_done(dir, script), "{script}");
}

/// The same, where it may fail.
pub(crate) fn is_done(dir: &Path, script: &str) -> bool {
    let mut command = Command::new("sh");
    command.args(["-ec", script]).current_dir(dir);
    command.status().unwrap().success()
}

pub(crate) fn is_installed(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$0\" > /dev/null", program])
        .status();
    found.is_ok_and(|status| status.success())
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap()
}

/// An application with 60 packages of 20 files each.
pub(crate) fn make_packages(dir: &Path) {
    sh(
        dir,
        r#"mkdir app; deps=""
        for p in $(seq 60); do
            mkdir -p p$p/lib
            echo "{\"name\": \"p$p\", \"version\": \"1.0.0\"}" > p$p/package.json
            for f in $(seq 20); do seq $f 400 > p$p/lib/f$f.js; done
            (cd p$p && npm pack --silent --pack-destination .. > /dev/null)
            deps="$deps${deps:+,}\"p$p\": \"file:../p$p-1.0.0.tgz\""
        done
        echo "{\"name\": \"app\", \"version\": \"1.0.0\", \"dependencies\": {$deps}}" > app/package.json"#,
    );
}
