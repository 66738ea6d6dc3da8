//! Kills a guard at random moments of 1,000 preserves, and has everything again, without the test
//! harness because this program is also the guard that is killed.
//!
//! In each round a process preserves 1,000 files one after the other, and removes or overwrites each
//! as soon as it is preserved. It is killed when it has come to a random point. Whatever point that
//! is, the journal is read whole, what it offers is whole, and a restore has every file as it was.
//! `UNDO_KILL_ROUNDS` sets the number of rounds.

#![allow(clippy::print_stdout, reason = "the figures are for people")]
#![allow(clippy::unwrap_used, reason = "all of an integration test is test")]

use guard_testing::clock::now_ns;
use guard_undo::journal::{Began, BytePath, Kept, SessionKind};
use guard_undo::restore::{Plan, Request};
use guard_undo::store::recorder::{Discard, Lost, Name, Preserved, Worth};
use guard_undo::store::{Session, SessionState};
use guard_undo::{Bounds, Recorder, Store};
use std::collections::HashSet;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{Read as _, Write as _, stdout};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, hint};

const FILES: usize = 1_000;
const ROUNDS: u64 = 25;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [role, base] = arguments.as_slice()
        && role == "guard"
    {
        preserve_all(Path::new(base));
        return;
    }
    // Whatever else a test runner passes is for harnesses.
    let rounds = env::var("UNDO_KILL_ROUNDS").ok();
    let rounds = rounds.and_then(|rounds| rounds.parse().ok());
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut preserved = 0;
    for _ in 0..rounds.unwrap_or(ROUNDS) {
        preserved += round(&mut random);
    }
    println!("killed again and again, after {preserved} preserves in all: nothing is lost");
}

/// The guard: writes a byte before it begins with each file.
fn preserve_all(base: &Path) {
    let recorder = begin(base, "killed", SessionKind::Agent);
    let zone = base.join("zone");
    let dir = File::open(&zone).unwrap();
    for number in 0..FILES {
        stdout().write_all(b".").unwrap();
        stdout().flush().unwrap();
        let name = number.to_string();
        let path = zone.join(&name);
        let c_name = CString::new(name).unwrap();
        let lost = Lost {
            name: Name {
                dir: dir.as_fd(),
                name: &c_name,
            },
            path: path.as_os_str().as_bytes(),
            found: None,
            agent: Some("codex"),
            until: None,
            at_ns: now_ns(),
        };
        let preserved = if number % 2 == 0 {
            let kept = recorder.discard(&lost, Discard::Removed, Worth::Always, true);
            fs::remove_file(&path).unwrap();
            kept
        } else {
            let kept = recorder.change(&lost);
            fs::write(&path, "overwritten").unwrap();
            kept
        };
        assert!(matches!(preserved.unwrap(), Preserved::Kept { .. }));
    }
}

/// Kills one guard, and counts what it preserved.
fn round(random: &mut Random) -> usize {
    let scratch = tempfile::tempdir().unwrap();
    let base = scratch.path().canonicalize().unwrap();
    fs::create_dir(base.join("zone")).unwrap();
    for number in 0..FILES {
        fs::write(base.join(format!("zone/{number}")), contents(number)).unwrap();
    }
    let mut guard = Command::new(env::current_exe().unwrap())
        .arg("guard")
        .arg(&base)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut begun = vec![0; 1 + random.below(FILES)];
    let read = guard.stdout.as_mut().unwrap().read_exact(&mut begun);
    read.unwrap();
    for _ in 0..random.below(40_000) {
        hint::spin_loop();
    }
    guard.kill().unwrap();
    guard.wait().unwrap();

    let session = Store::at(base.join("undo")).session("killed").unwrap();
    assert_eq!(session.state, SessionState::Interrupted);
    assert!(
        session.skipped <= 1,
        "{} lines are damaged",
        session.skipped
    );
    let preserved = check_offers(&session);
    for number in 0..FILES {
        let path = base.join(format!("zone/{number}"));
        let is_there = fs::read(&path).is_ok_and(|bytes| bytes == contents(number));
        let is_kept = preserved.contains(path.as_os_str().as_bytes());
        assert!(is_there || is_kept, "{number} is lost");
    }
    let plan = Plan::make(&session, &Request::default());
    let applied = plan.apply(&begin(&base, "restore", SessionKind::Restore), now_ns());
    assert!(applied.failures.is_empty(), "{applied:?}");
    for number in 0..FILES {
        let bytes = fs::read(base.join(format!("zone/{number}"))).unwrap();
        assert_eq!(bytes, contents(number), "{number}");
    }
    preserved.len()
}

/// Reads every object that the journal offers, and returns the paths.
fn check_offers(session: &Session) -> HashSet<Vec<u8>> {
    let losses = session
        .records
        .iter()
        .filter_map(|record| record.event.loss());
    losses
        .map(|loss| {
            let Kept::Object { id, .. } = loss.kept else {
                panic!("{loss:?}");
            };
            let name = loss.path.as_path().file_name().unwrap();
            let number = name.to_str().unwrap().parse().unwrap();
            let kept = fs::read(session.object(id)).unwrap();
            assert_eq!(kept, contents(number), "{number} is offered half");
            loss.path.as_bytes().to_vec()
        })
        .collect()
}

fn begin(base: &Path, name: &str, kind: SessionKind) -> Recorder {
    let zone = base.join("zone");
    let began = Began {
        kind,
        zones: vec![BytePath::from(zone.as_os_str().as_bytes())],
        ..Began::default()
    };
    let bounds = Bounds {
        min_free_percent: 0,
        ..Bounds::for_disk(1 << 40)
    };
    let store = Store::at(base.join("undo"));
    Recorder::begin(&store, name, began, bounds, now_ns()).unwrap()
}

/// What a file holds: from nothing to several blocks.
fn contents(number: usize) -> Vec<u8> {
    format!("{number} ").repeat(number * 7 % 1_500).into_bytes()
}

/// The same rounds each time (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bound = u64::try_from(bound).unwrap();
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap()
    }
}
