//! What a guarded session costs everyday work.
//!
//! `cargo bench -p codex-es-guard --bench everyday` runs three pieces of work inside a session and
//! outside, in pairs, in alternating order: `cargo build` of guard-core with its dependencies, `git
//! clone` of a local repository, `npm install` from local packages. It prints the median of the
//! pairs' ratios. The work is made here and needs no network; what is not installed is left out and
//! said.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{is_installed, make_packages, median, sh};

/// One piece of work.
struct Work {
    name: &'static str,
    needs: &'static str,
    prepare: fn(&Path),
    /// Run in a fresh directory, made by `before`.
    before: &'static str,
    script: &'static str,
    pairs: usize,
}

const WORKS: &[Work] = &[
    Work {
        name: "git clone",
        needs: "git",
        prepare: make_repository,
        before: "rm -rf clone",
        script: "git clone --quiet --no-local repository clone",
        pairs: 15,
    },
    Work {
        name: "npm install",
        needs: "npm",
        prepare: make_packages,
        before: "rm -rf app/node_modules app/package-lock.json",
        script: "cd app && npm install --offline --no-audit --no-fund --silent",
        pairs: 15,
    },
    Work {
        name: "cargo build",
        needs: "cargo",
        prepare: |_| {},
        before: "rm -rf target",
        script: "cargo build --quiet --offline -p guard-core --manifest-path $SOURCE/Cargo.toml \
                 --target-dir target",
        pairs: 7,
    },
];

fn main() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let home = scratch.path().join("home");
    let zone = home.join("zone");
    fs::create_dir_all(&zone).unwrap();
    println!("guarded against unguarded, medians of pairs:");
    for work in WORKS {
        if !is_installed(work.needs) {
            println!(
                "{:<14} left out: {} is not installed",
                work.name, work.needs
            );
            continue;
        }
        let dir = zone.join(work.name.replace(' ', "-"));
        fs::create_dir(&dir).unwrap();
        (work.prepare)(&dir);
        // Once to warm every cache.
        time(work, &home, &dir, false);
        let mut ratios = Vec::new();
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for pair in 0..work.pairs {
            let guarded_first = pair % 2 == 0;
            let first = time(work, &home, &dir, guarded_first);
            let second = time(work, &home, &dir, !guarded_first);
            let (guarded, plain) = if guarded_first {
                (first, second)
            } else {
                (second, first)
            };
            ratios.push(guarded.as_secs_f64() / plain.as_secs_f64());
            with.push(guarded.as_secs_f64());
            without.push(plain.as_secs_f64());
        }
        println!(
            "{:<14} {:>5.3} ×   {:.3} s against {:.3} s   (pairs: {})",
            work.name,
            median(&mut ratios),
            median(&mut with),
            median(&mut without),
            ratios
                .iter()
                .map(|ratio| format!("{ratio:.3}"))
                .collect::<Vec<_>>()
                .join(" ")
        );
    }
}

/// Runs the work in a session or outside, by an agent in both cases, and times it.
fn time(work: &Work, home: &Path, dir: &Path, guarded: bool) -> Duration {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let shell = |script: &str, guarded: bool| {
        let mut command = if guarded {
            let mut command = Command::new(env!("CARGO_BIN_EXE_codex-es-guard"));
            command.args([
                "run",
                "--quiet",
                "--no-exporter",
                "--agent",
                "codex",
                "--protect",
            ]);
            command
                .arg(home.join("zone"))
                .args(["--", "sh", "-c", script]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let usual = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        for (name, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let value = std::env::var_os(name).unwrap_or_else(|| usual.join(below).into());
            command.env(name, value);
        }
        command
            .current_dir(dir)
            .env("HOME", home)
            .env("SOURCE", source)
            .stdin(Stdio::null());
        command.status().unwrap()
    };
    assert!(shell(work.before, false).success(), "{}", work.before);
    let start = Instant::now();
    assert!(shell(work.script, guarded).success(), "{}", work.script);
    start.elapsed()
}

/// A repository of 2,000 files in 10 commits.
fn make_repository(dir: &Path) {
    sh(
        dir,
        "git init -q repository && cd repository && git config user.email a@example.org && \
         git config user.name a && for c in 1 2 3 4 5 6 7 8 9 10; do mkdir d$c; \
         for f in $(seq 200); do seq $f $((f + 50 * c)) > d$c/f$f; done; git add .; \
         git commit -qm $c; done",
    );
}
