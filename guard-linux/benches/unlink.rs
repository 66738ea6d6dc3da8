//! What a guarded `unlink` costs, against no guard and against the smallest possible supervisor.
//!
//! `cargo bench -p guard-linux --bench unlink` runs the same workload in turn, round by round, and
//! compares medians of one run:
//!
//! - *plain*: no guard;
//! - *floor*: a seccomp supervisor that answers "continue" to every call and does nothing else;
//! - *guarded*: a session of this crate, without policy file, log or exporter, in which a person's
//!   process removes, or an agent's: what is its own, or by a trusted tool.
//!
//! The number to watch is what the guard adds over plain, divided by what the floor adds.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

#[cfg(target_os = "linux")]
#[path = "unlink/floor.rs"]
mod floor;
#[cfg(target_os = "linux")]
#[path = "unlink/guarded.rs"]
mod guarded;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use super::{floor, guarded};
    use std::fs::{self, File};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::Instant;

    pub(super) fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match arguments.as_slice() {
            ["workload", dir] => println!("{}", workload(Path::new(dir))),
            ["floor", dir] => floor::supervise(dir),
            ["floor-workload", dir] => {
                floor::supervised();
                println!("{}", workload(Path::new(dir)));
            }
            ["guarded", zone, dir] => guarded::run(zone, None, &["workload", dir]),
            ["guarded-agent", zone, dir] => guarded::run(zone, Some("bench"), &["workload", dir]),
            _ => compare(),
        }
    }

    /// Nanoseconds an unlink, over [`FILES`] files.
    fn workload(dir: &Path) -> u64 {
        let files: Vec<PathBuf> = (0..FILES)
            .map(|number| dir.join(format!("f{number}")))
            .collect();
        for file in &files {
            File::create_new(file).unwrap();
        }
        let start = Instant::now();
        for file in &files {
            fs::remove_file(file).unwrap();
        }
        u64::try_from(start.elapsed().as_nanos()).unwrap() / u64::from(FILES)
    }

    fn compare() {
        let scratch = tempfile::tempdir().unwrap();
        let scratch = fs::canonicalize(scratch.path()).unwrap();
        let (zone, outside) = (scratch.join("zone"), scratch.join("outside"));
        fs::create_dir(&zone).unwrap();
        fs::create_dir(&outside).unwrap();
        let (zone, outside) = (zone.to_str().unwrap(), outside.to_str().unwrap());
        let me = std::env::current_exe().unwrap();
        // A trusted tool is known by its name, and is older than the session.
        let git = scratch.join("git");
        fs::copy(&me, &git).unwrap();
        let ways: [(&str, &Path, &[&str]); 6] = [
            ("plain", &me, &["workload", outside]),
            ("floor", &me, &["floor", outside]),
            ("outside zones", &me, &["guarded", zone, outside]),
            ("a person's, in a zone", &me, &["guarded", zone, zone]),
            ("an agent's own", &me, &["guarded-agent", zone, zone]),
            ("by a trusted tool", &git, &["guarded-agent", zone, zone]),
        ];
        let mut times = [const { Vec::new() }; 6];
        for _ in 0..ROUNDS {
            for ((_, program, arguments), times) in ways.iter().zip(&mut times) {
                times.push(measure(program, arguments));
            }
        }
        let medians = times.map(|mut times| {
            times.sort_unstable();
            f64::from(times[times.len() / 2])
        });
        let [plain, floor, ..] = medians;
        println!("unlink, medians of {ROUNDS} rounds of {FILES} files:");
        for ((name, ..), time) in ways.iter().zip(medians) {
            let added = time - plain;
            println!(
                "{name:<22} {:>7.2} µs   added {:>6.2} µs   {:>5.2} × the floor's",
                time / 1e3,
                added / 1e3,
                added / (floor - plain)
            );
        }
    }

    /// What this program, or its copy, measures when it is run with these arguments.
    fn measure(program: &Path, arguments: &[&str]) -> u32 {
        let output = Command::new(program).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim().parse().unwrap_or_else(|_| panic!("{output:?}"))
    }

    const FILES: u32 = 10_000;
    const ROUNDS: u32 = 9;
}
