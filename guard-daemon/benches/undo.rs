//! What preserving costs an agent's work, against the same session with `"undo": false`.
//!
//! `cargo bench -p codex-es-guard --bench undo` runs each piece of work in two sessions, in pairs, in
//! alternating order, and prints the median of the pairs' ratios. Names of works as arguments run
//! those only. What a piece of work needs and is not there is left out, and said.
//!
//! All is on the file system of `TMPDIR`. On a disk, the figures of short works are the disk's: take
//! one in memory.
//!
//! | work | what is timed |
//! |---|---|
//! | git checkout | `git checkout -- .` over 10,000 files with uncommitted work |
//! | npm ci | 60 local packages |
//! | cargo build | a crate of 60 modules |
//! | atomic save | a new file renamed over each of 2,000 files of the person's |
//! | saved again | the same once more, over the agent's own |
//! | open to write | each of 2,000 files of 4 KiB opened and written |
//! | rm -rf | 5,000 files that the agent made |
//!
//! At last the time that it takes to preserve a file of 1 GiB, against one of 1 KiB: by a hard link
//! when it is removed, and by a clone when it is opened for writing, on images of file systems that
//! can clone, where this machine lets root mount one.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod support;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use support::{is_done, is_installed, make_packages, median, sh};

/// One piece of work, in a directory below the zone.
struct Work {
    name: &'static str,
    needs: &'static str,
    /// Makes the directory ready, once.
    prepare: fn(&Path),
    /// A shell script: makes it ready again before each run, outside a session.
    before: &'static str,
    run: Timed,
    pairs: usize,
}

/// What is timed.
enum Timed {
    /// A shell script in a session, with the session around it.
    Script(&'static str),
    /// A workload of this program, which times itself.
    Workload(&'static str),
}

const WORKS: &[Work] = &[
    Work {
        name: "git checkout",
        needs: "git",
        prepare: make_repository,
        before: "for d in d*; do for f in $d/*; do echo work >> $f; done; done",
        run: Timed::Script("git checkout -q -- ."),
        pairs: 5,
    },
    Work {
        name: "npm ci",
        needs: "npm",
        prepare: make_locked_packages,
        before: "rm -rf app/node_modules",
        run: Timed::Script("cd app && npm ci --offline --no-audit --no-fund --silent"),
        pairs: 9,
    },
    Work {
        name: "cargo build",
        needs: "cargo",
        prepare: make_crate,
        before: "rm -rf target",
        run: Timed::Script("cargo build --quiet --offline"),
        pairs: 5,
    },
    Work {
        name: "atomic save",
        needs: "sh",
        prepare: |_| {},
        before: MAKE_FILES,
        run: Timed::Workload("save"),
        pairs: 15,
    },
    Work {
        name: "saved again",
        needs: "sh",
        prepare: |_| {},
        before: MAKE_FILES,
        run: Timed::Workload("save-again"),
        pairs: 15,
    },
    Work {
        name: "open to write",
        needs: "sh",
        prepare: |_| {},
        before: MAKE_FILES,
        run: Timed::Workload("write"),
        pairs: 15,
    },
    Work {
        name: "rm -rf",
        needs: "sh",
        prepare: |_| {},
        before: "true",
        run: Timed::Workload("remove-own"),
        pairs: 15,
    },
];

/// 2,000 files of 4 KiB.
const MAKE_FILES: &str = "rm -rf files; mkdir files; cd files; head -c 8192000 /dev/zero | \
    split -a 4 -d -b 4096 - f";

fn main() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, name, order @ ..] = arguments.as_slice()
        && word == "workload"
    {
        println!(
            "{}",
            workload(name, order.first().is_some_and(|first| first == "small"))
        );
        return;
    }
    let wanted = |name: &str| {
        let mut names = arguments.iter().filter(|name| !name.starts_with('-'));
        names.clone().next().is_none() || names.any(|wanted| wanted == name)
    };
    let home = Home::new(&std::env::temp_dir());
    println!("undo on against undo off, medians of pairs:");
    for work in WORKS.iter().filter(|work| wanted(work.name)) {
        compare(&home, work);
    }
    println!("1 GiB against 1 KiB:");
    if wanted("hard link") {
        compare_sizes("hard link", &home, "remove-sizes");
    }
    for kind in ["btrfs", "xfs"].into_iter().filter(|kind| wanted(kind)) {
        match Image::mount(kind) {
            Some(image) => {
                let home = Home::new(&image.root());
                compare_sizes(kind, &home, "open-sizes");
            }
            None => println!("{kind:<14} left out: it cannot be mounted here"),
        }
    }
}

fn compare(home: &Home, work: &Work) {
    if !is_installed(work.needs) {
        let (name, needs) = (work.name, work.needs);
        println!("{name:<14} left out: {needs} is not installed");
        return;
    }
    let dir = home.zone().join(work.name.replace(' ', "-"));
    fs::create_dir(&dir).unwrap();
    (work.prepare)(&dir);
    // Once to warm every cache.
    time(home, work, &dir, true);
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..work.pairs {
        let on_first = pair % 2 == 0;
        let first = time(home, work, &dir, on_first);
        let second = time(home, work, &dir, !on_first);
        let (on, off) = if on_first {
            (first, second)
        } else {
            (second, first)
        };
        with.push(on);
        without.push(off);
        ratios.push(on / off);
    }
    println!(
        "{:<14} {:>5.3} ×   {:.3} s against {:.3} s",
        work.name,
        median(&mut ratios),
        median(&mut with),
        median(&mut without),
    );
}

/// Seconds that a piece of work takes an agent.
fn time(home: &Home, work: &Work, dir: &Path, undo: bool) -> f64 {
    home.set_policy(undo);
    sh(dir, work.before);
    match work.run {
        Timed::Script(script) => {
            let start = Instant::now();
            home.session(dir, script);
            start.elapsed().as_secs_f64()
        }
        Timed::Workload(name) => {
            let own = std::env::current_exe().unwrap();
            let script = format!("{} workload {name}", own.display());
            let nanoseconds = home.session(dir, &script);
            nanoseconds.trim().parse::<f64>().unwrap() / 1e9
        }
    }
}

/// Times a workload of two calls, on a file of 1 GiB and on one of 1 KiB.
fn compare_sizes(name: &str, home: &Home, workload: &str) {
    let dir = home.zone().join("sizes");
    fs::create_dir_all(&dir).unwrap();
    let own = std::env::current_exe().unwrap();
    home.set_policy(true);
    let (mut large, mut small) = (Vec::new(), Vec::new());
    for round in 0..30 {
        let ready = "fallocate -l 1G large && fallocate -l 1K small && fallocate -l 1K first";
        if !is_done(&dir, ready) {
            println!("{name:<14} left out: no room for 1 GiB");
            return;
        }
        let order = if round % 2 == 0 { "large" } else { "small" };
        let script = format!("{} workload {workload} {order}", own.display());
        let text = home.session(&dir, &script);
        let numbers: Vec<f64> = text
            .split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect();
        let [one, other] = numbers.as_slice() else {
            panic!("{text}");
        };
        assert_eq!(home.objects(), 3, "all are preserved");
        large.push(*one);
        small.push(*other);
        sh(&dir, "rm -f large small first");
        home.empty_store();
    }
    // Single calls: the ratio of one pair means little.
    let (large, small) = (median(&mut large), median(&mut small));
    println!(
        "{name:<14} {:>5.3} ×   {:.1} µs against {:.1} µs",
        large / small,
        large / 1e3,
        small / 1e3,
    );
}

/// Works in the present directory, as an agent, and says how many nanoseconds it took. Of two files
/// of different sizes the small one comes first if `small_first`.
fn workload(name: &str, small_first: bool) -> String {
    let files = || -> Vec<PathBuf> {
        let entries = fs::read_dir("files").unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let save = |files: &[PathBuf]| {
        let start = Instant::now();
        for file in files {
            let mut part = File::create_new("files/.part").unwrap();
            part.write_all(&[b'y'; 4096]).unwrap();
            drop(part);
            fs::rename("files/.part", file).unwrap();
        }
        start.elapsed().as_nanos()
    };
    let once = |act: &dyn Fn(&str), name: &str| {
        let start = Instant::now();
        act(name);
        start.elapsed().as_nanos()
    };
    let nanoseconds = match name {
        "save" => save(&files()),
        "save-again" => {
            let files = files();
            save(&files);
            save(&files)
        }
        "write" => {
            let files = files();
            let start = Instant::now();
            for file in files {
                fs::write(file, [b'y'; 4096]).unwrap();
            }
            start.elapsed().as_nanos()
        }
        "remove-own" => {
            for number in 0..5_000 {
                let dir = format!("own/d{}", number / 100);
                fs::create_dir_all(&dir).unwrap();
                fs::write(format!("{dir}/f{number}"), "own").unwrap();
            }
            let start = Instant::now();
            fs::remove_dir_all("own").unwrap();
            start.elapsed().as_nanos()
        }
        "remove-sizes" | "open-sizes" => {
            let remove = |name: &str| fs::remove_file(name).unwrap();
            let open = |name: &str| drop(File::options().append(true).open(name).unwrap());
            let act: &dyn Fn(&str) = if name == "remove-sizes" {
                &remove
            } else {
                &open
            };
            // The first call of a process is the one that is looked up.
            act("first");
            let (large, small) = if small_first {
                let small = once(act, "small");
                (once(act, "large"), small)
            } else {
                (once(act, "large"), once(act, "small"))
            };
            return format!("{large} {small}");
        }
        _ => panic!("{name}"),
    };
    nanoseconds.to_string()
}

/// A home with a zone, whose store is emptied before each run.
struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new(place: &Path) -> Self {
        let dir = tempfile::tempdir_in(place).unwrap();
        fs::create_dir(dir.path().join(".codex")).unwrap();
        fs::create_dir(dir.path().join("zone")).unwrap();
        Self { dir }
    }

    fn zone(&self) -> PathBuf {
        self.dir.path().join("zone")
    }

    fn set_policy(&self, undo: bool) {
        // A fifth of a small disk would hold no file of 1 GiB.
        let undo = if undo {
            r#"{"min_free": 0, "max_bytes": "4 GiB"}"#
        } else {
            "false"
        };
        let policy =
            format!(r#"{{"protected_zones": ["~/zone"], "removals": "preserve", "undo": {undo}}}"#);
        fs::write(self.dir.path().join(".codex/es_policy.json"), policy).unwrap();
        self.empty_store();
    }

    /// The guard of a session that just ended may still write there.
    fn empty_store(&self) {
        let empty = "until rm -rf .codex/es-guard 2> /dev/null; do sleep 0.1; done";
        sh(self.dir.path(), empty);
    }

    /// How many objects the store holds.
    fn objects(&self) -> usize {
        let sessions = fs::read_dir(self.dir.path().join(".codex/es-guard/undo")).unwrap();
        let objects =
            sessions.filter_map(|dir| fs::read_dir(dir.unwrap().path().join("objects")).ok());
        objects.map(Iterator::count).sum()
    }

    /// Runs a script as an agent in a session; returns what it printed.
    fn session(&self, dir: &Path, script: &str) -> String {
        let usual = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        let mut command = Command::new(env!("CARGO_BIN_EXE_codex-es-guard"));
        command.args(["run", "--quiet", "--no-exporter", "--agent", "codex"]);
        command.args(["--", "sh", "-c", script]);
        for (name, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let value = std::env::var_os(name).unwrap_or_else(|| usual.join(below).into());
            command.env(name, value);
        }
        command
            .current_dir(dir)
            .env("HOME", self.dir.path())
            .stdin(Stdio::null());
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{script}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A file system of its own on a loop device.
struct Image {
    place: tempfile::TempDir,
}

impl Image {
    fn mount(kind: &str) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let script = format!(
            "truncate -s 4G image && mkfs.{kind} -q image && mkdir m && mount -o loop image m"
        );
        if !is_done(place.path(), &script) {
            return None;
        }
        Some(Self { place })
    }

    fn root(&self) -> PathBuf {
        self.place.path().join("m")
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _busy = is_done(self.place.path(), "umount --lazy m");
    }
}

/// 10,000 files in one commit.
fn make_repository(dir: &Path) {
    sh(
        dir,
        "git init -q . && git config user.email a@example.org && git config user.name a && \
         for d in $(seq 100); do mkdir d$d; for f in $(seq 100); do seq $f $((f + 50)) > d$d/f$f; done; \
         done; git add . && git commit -qm all",
    );
}

/// An application of packages, and its lock file.
fn make_locked_packages(dir: &Path) {
    make_packages(dir);
    sh(
        dir,
        "cd app && npm install --offline --no-audit --no-fund --silent",
    );
}

fn make_crate(dir: &Path) {
    sh(
        dir,
        r#"mkdir src
        printf '[package]\nname = "small"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n' > Cargo.toml
        for m in $(seq 60); do
            echo "pub mod m$m;" >> src/lib.rs
            for f in $(seq 40); do
                echo "pub fn f$f(x: u64) -> String { (0..x).map(|n| format!(\"{n}-{}\", n * $f)).collect() }"
            done > src/m$m.rs
        done
        cargo generate-lockfile --quiet --offline"#,
    );
}
