//! Root guards somebody else: the user's exporter reads what root writes, and nobody but root can
//! write it.

#![cfg(target_os = "linux")]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its part of the support"
)]
#![allow(
    clippy::unwrap_used,
    clippy::tests_outside_test_module,
    reason = "a test may fail, and says where it is"
)]

mod support {
    pub(crate) mod exporter;
    pub(crate) mod live;
    pub(crate) mod pty;
    pub(crate) mod stage;
    pub(crate) mod users;
}

use guard_core::ring::Reader;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::exporter::{self, logged};
use support::live::Live;
use support::pty::Terminal;
use support::stage::{POLICY, Stage, copy_program, eventually, left_out};
use support::users::User;

#[test]
fn the_user_s_exporter_reads_what_root_alone_writes() {
    let Some(ward) = Ward::new() else { return };
    let mut session = Live::of(ward.guard(&["run", "--", "bash"]));
    session.denies("rm zone/keep");
    eventually("the user's exporter logs it", || {
        logged(&ward.stage).len() == 1
    });
    ward.owns_all_of(".codex");
    let log = ward.stage.path(".codex/es-guard/denials.jsonl");
    assert_eq!(fs::metadata(log).unwrap().mode() & 0o777, 0o600);

    let [ring] = ward.rings().try_into().unwrap();
    let found = fs::metadata(&ring).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o777), (0, 0o644));
    let quoted = |script: &str| script.replace("RING", ring.to_str().unwrap());
    assert!(ward.can(&quoted("cmp RING RING")));
    for attempt in [
        ": >> RING",
        "truncate -s 0 RING",
        "chmod u+w RING",
        "rm -f RING",
        "mv RING RING.away",
        "touch $(dirname RING)/forged.ring",
        "cp RING /dev/shm/es-guard-$$.ring && mv -f /dev/shm/es-guard-$$.ring RING",
    ] {
        assert!(!ward.can(&quoted(attempt)), "{attempt}");
    }
    let status = ward.stage.path("bin/codex-es-guard");
    let home = ward.stage.path("");
    let mut command = Ward::command(ward.uid, status.to_str().unwrap());
    let seen = command
        .env("HOME", home)
        .args(["status", "--json"])
        .output();
    let seen = String::from_utf8(seen.unwrap().stdout).unwrap();
    let name = ring.file_stem().unwrap().to_str().unwrap();
    assert!(seen.contains(name), "as the user sees it: {seen}");
    let stranger = Ward::command(ward.uid + 1, "cat").arg(&ring).output();
    assert!(!stranger.unwrap().status.success(), "another user sees it");
    // An agent of this session is root.
    session.denies(&quoted("rm RING"));
    session.denies(&format!("mv {} out/", ward.state().display()));
    session.denies("rm .codex/es-guard/denials.jsonl");
    // Some programs try more than once.
    eventually("all are logged", || logged(&ward.stage).len() >= 4);
    session.end().expect(0, &[]);

    // What is over stays for whoever reads late, and is read once.
    ward.stage.kill_exporters();
    let mut session = Live::of(ward.guard(&["run", "--", "bash"]));
    session.denies("rm zone/keep");
    let by_ring = || -> BTreeMap<String, usize> {
        let lines = logged(&ward.stage).into_iter();
        lines.fold(BTreeMap::new(), |mut counts, (ring, _)| {
            *counts.entry(ring).or_default() += 1;
            counts
        })
    };
    eventually("the next denial is logged", || by_ring().len() == 2);
    session.end().expect(0, &[]);
    let lines: HashSet<_> = logged(&ward.stage).into_iter().collect();
    assert_eq!(lines.len(), logged(&ward.stage).len(), "none twice");
    let said = fs::read_to_string(ward.state().join("guard.log")).unwrap_or_default();
    assert!(!said.contains("cannot remove"), "{said}");
    assert_eq!(ward.rings().len(), 2);
}

#[test]
fn rings_that_are_over_do_not_pile_up() {
    let Some(ward) = Ward::new() else { return };
    for _ in 0..12 {
        ward.runs(&["run", "--no-exporter", "--", "true"])
            .expect(0, &[]);
        eventually("its writer is gone", || ward.live_rings() == 0);
    }
    assert_eq!(ward.rings().len(), 9, "the last one, and eight before it");
    assert_eq!(ward.ring_files().len(), 18, "each with its description");
}

#[test]
fn a_user_s_links_lead_root_nowhere() {
    let Some(ward) = Ward::new() else { return };
    ward.runs(&["run", "--no-exporter", "--", "true"])
        .expect(0, &[]);
    let reader = ward.state().join("reader");
    let set_trap = format!(
        "cd {0} && chmod 700 . && mv rings away && ln -s {1} rings",
        reader.display(),
        ward.stage.path("out").display()
    );
    assert!(ward.can(&set_trap), "the gate is the user's");
    let mut session = Live::of(ward.guard(&["run", "--no-exporter", "--", "bash"]));
    session.denies("rm zone/keep");
    session
        .end()
        .expect(0, &["rings is a symbolic link", "instead"]);
    assert_eq!(fs::read_dir(ward.stage.path("out")).unwrap().count(), 0);
    assert_eq!(fs::metadata(&reader).unwrap().mode() & 0o777, 0o500);

    // Nor in the gate's own place: only root can put anything there.
    fs::remove_dir_all(&reader).unwrap();
    symlink(ward.stage.path("out"), &reader).unwrap();
    lchown(&reader, Some(ward.uid), None).unwrap();
    ward.runs(&["run", "--no-exporter", "--", "true"])
        .expect(0, &["is not a directory of user", "instead"]);
    assert_eq!(fs::read_dir(ward.stage.path("out")).unwrap().count(), 0);
}

#[test]
fn the_user_answers_what_is_asked_of_root_s_guard() {
    let Some(ward) = Ward::new() else { return };
    let policy = r#"{"protected_zones": ["~/zone"], "notify_command": "id -u > /dev/shm/NAME"}"#;
    let name = format!("es-guard-notified-{}", ward.uid);
    ward.stage.file(POLICY, policy.replace("NAME", &name));
    let mut session = Live::of(ward.guard(&["run", "--no-exporter", "--", "bash"]));
    session.denies("rm zone/keep");
    let program = ward.stage.path("bin/codex-es-guard").display().to_string();
    let asked = session.agent(&format!("{program} request zone/keep --json"));
    let asked: Value = serde_json::from_str(&asked.output).expect("it was asked");
    assert_eq!(asked["state"], "open", "{asked}");
    let id = asked["id"].as_str().unwrap();

    let notified = Path::new("/dev/shm").join(name);
    eventually("the policy's command ran", || {
        fs::read_to_string(&notified).is_ok_and(|text| text.ends_with('\n'))
    });
    let by = fs::read_to_string(&notified).unwrap();
    fs::remove_file(&notified).unwrap();
    assert_eq!(by.trim(), ward.uid.to_string(), "not as root");

    let as_user = |uid, arguments: &[&str]| {
        let mut command = Ward::command(uid, &program);
        command.env("HOME", ward.stage.path("")).args(arguments);
        command
    };
    let listed = as_user(ward.uid, &["requests", "--json"]).output().unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed[0]["id"], id, "{listed}");
    let socket = fs::read_dir(ward.state().join("control")).unwrap().next();
    let socket = socket.unwrap().unwrap().path().display().to_string();
    assert!(!ward.can(&format!("rm -f {socket}")), "only root can");

    // A stranger may connect, and nothing comes of it.
    let connect = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); \
                   s.sendall(b'\"list\"\\n'); print(len(s.recv(100)))";
    let mut stranger = Ward::command(ward.uid + 1, "python3");
    let answered = stranger.args(["-c", connect, &socket]).output().unwrap();
    let bytes = String::from_utf8_lossy(&answered.stdout).into_owned();
    assert!(["", "0"].contains(&bytes.trim()), "{answered:?}");

    let mut terminal = Terminal::start(as_user(ward.uid, &["approve", id]));
    terminal.expect("granted");
    let _status = terminal.end();
    session.allows("rm zone/keep");
    // Root writes nothing in the user's home.
    assert!(!ward.stage.text(POLICY).contains(id));
    session.end().expect(0, &[]);
    eventually("its socket goes with it", || !Path::new(&socket).exists());
}

/// A user that root guards, and what is kept for them.
#[derive(Debug)]
struct Ward {
    stage: Stage,
    /// No account's, and no other test's.
    uid: u32,
}

// === impl Ward ===

impl Ward {
    /// A user with a home, if this is root.
    fn new() -> Option<Self> {
        let user = User::all()[0];
        if !user.is_root() {
            left_out("root guards somebody else: this is not root");
            return None;
        }
        exporter::build();
        let stage = Stage::with_policy(user, r#"{"protected_zones": ["~/zone"]}"#);
        let inode = fs::metadata(stage.path(POLICY)).unwrap().ino();
        let uid = 0x1000_0000 + u32::try_from(inode % 0x1000_0000).unwrap();
        let built = Path::new(env!("CARGO_BIN_EXE_codex-es-guard"));
        stage.directory("bin");
        for name in ["codex-es-guard", "guard-exporter"] {
            copy_program(&built.with_file_name(name), &stage.path("bin").join(name));
        }
        let given = Command::new("chown")
            .arg("-R")
            .arg(uid.to_string())
            .arg(stage.path(""))
            .status();
        assert!(given.unwrap().success());
        Some(Self { stage, uid })
    }

    /// What root keeps for this user.
    fn state(&self) -> PathBuf {
        Path::new("/var/lib/codex-es-guard").join(self.uid.to_string())
    }

    /// Root's guard, with the user's home.
    fn guard(&self, arguments: &[&str]) -> Command {
        let mut command = self.stage.command(self.stage.path("bin/codex-es-guard"));
        command.args(arguments);
        command
    }

    fn runs(&self, arguments: &[&str]) -> support::stage::Done {
        support::stage::finish(self.guard(arguments).spawn().unwrap())
    }

    /// The files among the rings.
    fn rings(&self) -> Vec<PathBuf> {
        let mut rings = self.ring_files();
        rings.retain(|path| path.extension().is_some_and(|ending| ending == "ring"));
        rings
    }

    /// Rings, and the files beside them that say what their guards protect.
    fn ring_files(&self) -> Vec<PathBuf> {
        let found = fs::read_dir(self.state().join("reader/rings"));
        let found = found.into_iter().flatten();
        found.map(|entry| entry.unwrap().path()).collect()
    }

    fn live_rings(&self) -> usize {
        let rings = self.rings().into_iter();
        rings
            .filter(|path| Reader::attach(path).is_ok_and(|ring| ring.is_writer_alive()))
            .count()
    }

    /// Whether the user can do this.
    fn can(&self, script: &str) -> bool {
        let mut shell = Self::command(self.uid, "sh");
        let done = shell.args(["-c", script]).output().unwrap();
        done.status.success()
    }

    fn command(uid: u32, program: &str) -> Command {
        let mut command = Command::new(program);
        command.uid(uid).gid(uid).current_dir("/");
        command
    }

    /// Fails unless everything there belongs to the user.
    #[track_caller]
    fn owns_all_of(&self, name: &str) {
        let found = Command::new("find")
            .arg(self.stage.path(name))
            .args(["!", "-uid", &self.uid.to_string()])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    }
}

impl Drop for Ward {
    fn drop(&mut self) {
        self.stage.kill_exporters();
        // Root's directories, and this user's alone.
        let shared = format!("/dev/shm/codex-es-guard-0-{}", self.uid);
        for dir in [self.state(), PathBuf::from(shared)] {
            let _it_may_not_be_there = fs::remove_dir_all(dir);
        }
    }
}
