//! What a guarded `unlink` costs, against no guard and against the smallest possible supervisor.
//!
//! `cargo bench -p codex-es-guard --bench unlink` runs the same workload three ways, round by round
//! in turn, and compares medians of one run:
//!
//! - *plain*: no guard;
//! - *floor*: a seccomp supervisor that answers "continue" to every call and does nothing else;
//! - *guarded*: `codex-es-guard run`.
//!
//! The number to watch is what the guard adds over plain, divided by what the floor adds.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
#[allow(dead_code, unreachable_pub, clippy::duplicate_mod)]
#[path = "../../guard-linux/src/sys/mod.rs"]
mod sys;

#[cfg(target_os = "linux")]
mod linux {
    use super::sys::notify::{self, Reply};
    use super::sys::process::{self, Fork};
    use std::fs::{self, File};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::Instant;

    pub(super) fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        match arguments
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice()
        {
            ["workload", dir] => println!("{}", workload(Path::new(dir))),
            ["floor", dir] => floor(Path::new(dir)),
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

    /// The workload under a supervisor that lets everything go on.
    fn floor(dir: &Path) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        match process::fork().unwrap() {
            Fork::Child => {
                process::prctl(libc::PR_SET_NO_NEW_PRIVS, 1).unwrap();
                let listener = notify::install(&unlinks_notify(), true).unwrap();
                process::send_descriptor(theirs.as_fd(), listener.as_fd()).unwrap();
                drop(listener);
                println!("{}", workload(dir));
            }
            Fork::Parent(_) => {
                drop(theirs);
                let listener = process::receive_descriptor(ours.as_fd()).unwrap();
                let _older_kernel = notify::wake_synchronously(listener.as_fd());
                while process::wait(None, false).unwrap().is_none() {
                    if let Ok(notification) = notify::receive(listener.as_fd()) {
                        let _gone =
                            notify::answer(listener.as_fd(), notification.id, Reply::Continue);
                    }
                }
            }
        }
    }

    fn unlinks_notify() -> Vec<libc::sock_filter> {
        let unlink = u32::try_from(libc::SYS_unlink).unwrap();
        let unlinkat = u32::try_from(libc::SYS_unlinkat).unwrap();
        let exit = u32::try_from(libc::SYS_exit_group).unwrap();
        let step = |code: u32, jt, jf, k| libc::sock_filter {
            code: u16::try_from(code).unwrap(),
            jt,
            jf,
            k,
        };
        let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        vec![
            step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
            step(equal, 2, 0, unlink),
            step(equal, 1, 0, unlinkat),
            // The end is heard of as well, so that the supervisor ends.
            step(equal, 0, 1, exit),
            step(
                libc::BPF_RET | libc::BPF_K,
                0,
                0,
                libc::SECCOMP_RET_USER_NOTIF,
            ),
            step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
        ]
    }

    fn compare() {
        let scratch = tempfile::tempdir().unwrap();
        let home = scratch.path().join("home");
        let zone = home.join("zone");
        let outside = home.join("outside");
        fs::create_dir_all(&zone).unwrap();
        fs::create_dir_all(&outside).unwrap();
        let me = std::env::current_exe().unwrap();
        let (me, zone, outside) = (
            me.to_str().unwrap(),
            zone.to_str().unwrap(),
            outside.to_str().unwrap(),
        );
        let guard = env!("CARGO_BIN_EXE_codex-es-guard");
        let guarded = |dir| {
            let mut command = Command::new(guard);
            command.args(["run", "--quiet", "--no-exporter", "--protect", zone, "--"]);
            command.args([me, "workload", dir]).env("HOME", &home);
            command
        };
        let mut ways: Vec<Way<'_>> = vec![
            (
                "plain",
                Box::new(|| with(me, &["workload", outside])),
                vec![],
            ),
            ("floor", Box::new(|| with(me, &["floor", outside])), vec![]),
            (
                "guarded, outside zones",
                Box::new(|| guarded(outside)),
                vec![],
            ),
            (
                "guarded, a human's in a zone",
                Box::new(|| guarded(zone)),
                vec![],
            ),
        ];
        for _ in 0..ROUNDS {
            for (_, command, times) in &mut ways {
                let output = command().output().unwrap();
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                times.push(text.trim().parse().unwrap_or_else(|_| panic!("{output:?}")));
            }
        }
        let medians: Vec<(&str, f64)> = ways
            .iter_mut()
            .map(|(name, _, times)| {
                times.sort_unstable();
                let median = times.get(times.len() / 2).copied().unwrap();
                (*name, f64::from(u32::try_from(median).unwrap()))
            })
            .collect();
        let (plain, floor) = (medians[0].1, medians[1].1);
        println!("unlink, medians of {ROUNDS} rounds of {FILES} files:");
        for (name, time) in medians {
            let added = time - plain;
            println!(
                "{name:<30} {:>7.2} µs   added {:>6.2} µs   {:>5.2} × the floor's",
                time / 1e3,
                added / 1e3,
                added / (floor - plain)
            );
        }
    }

    /// A way to run the workload: its name, its command, and the times so far.
    type Way<'a> = (&'a str, Box<dyn Fn() -> Command + 'a>, Vec<u64>);

    fn with(program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments);
        command
    }

    const FILES: u32 = 10_000;
    const ROUNDS: u32 = 9;
}
