//! Full disks, directories that cannot be trusted, and an exporter that is not well: the guard
//! enforces all the same, and says what is lost.

#![cfg(target_os = "linux")]
#![allow(dead_code, reason = "each test binary uses its part of the support")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::tests_outside_test_module,
    reason = "a test may fail, and says where it is"
)]

mod support {
    pub(crate) mod exporter;
    pub(crate) mod live;
    pub(crate) mod mount;
    pub(crate) mod stage;
    pub(crate) mod users;
}

use guard_core::ring::Lane;
use std::collections::HashSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use support::exporter::{self, logged};
use support::live::Live;
use support::mount::Mount;
use support::stage::{Stage, copy_program, eventually, finish, left_out};
use support::users::User;

#[test]
fn a_full_disk_moves_the_ring_elsewhere() {
    let user = User::all()[0];
    if !user.is_root() {
        left_out("a full disk: only root can mount a small one");
        return;
    }
    let stage = Stage::new(user);
    stage.directory(".codex");
    let small = Mount::make(
        &stage,
        ".codex",
        &["-t", "tmpfs", "-o", "size=256k", "es-guard-test"],
    );
    stage.file(support::stage::POLICY, GOOD);
    let fill = "cat /dev/zero > .codex/ballast; [ -s .codex/ballast ]";
    assert!(
        stage
            .command("sh")
            .args(["-c", fill])
            .status()
            .unwrap()
            .success()
    );
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    assert_eq!(stage.events(Lane::Deny).len(), 1);
    let done = session.end();
    let elsewhere = stage.path("runtime/codex-es-guard/rings");
    done.expect(
        0,
        &[
            "cannot keep a copy of the good policy",
            "No space left on device",
            &format!("trying {} instead", elsewhere.display()),
        ],
    );
    assert_eq!(rings_in(&elsewhere).len(), 1);
    assert_eq!(stage.text(support::stage::POLICY), GOOD);
    drop(small);
}

#[test]
fn a_disk_without_room_for_a_directory() {
    let user = User::all()[0];
    if !user.is_root() {
        left_out("a full disk: only root can mount a small one");
        return;
    }
    let stage = Stage::new(user);
    stage.directory(".codex");
    let small = Mount::make(
        &stage,
        ".codex",
        &["-t", "tmpfs", "-o", "nr_inodes=2", "es-guard-test"],
    );
    stage.file(support::stage::POLICY, GOOD);
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    assert_eq!(stage.events(Lane::Deny).len(), 1);
    session.end().expect(
        0,
        &[
            "making the directory",
            "; the session is guarded, without a log of the guard's own",
            "instead",
        ],
    );
    drop(small);
}

#[test]
fn a_file_size_limit_leaves_the_guard_alive_and_is_the_commands() {
    for user in User::all() {
        for limit in ["64", "0"] {
            println!("ulimit -f {limit}, for {user}");
            let stage = Stage::with_policy(user, GOOD);
            let shared = SharedMemory::of(&stage);
            let mut command = stage.command("bash");
            command
                .args(["-c", "ulimit -f $1; exec \"$0\" run --no-exporter -- bash"])
                .arg(stage.program())
                .arg(limit);
            let mut session = Live::of(command);
            session.denies("rm zone/keep");
            // SIGXFSZ is for the command what it was.
            let beyond = session.human("head -c 1000000 /dev/zero > out/big; exit $?");
            assert_eq!(beyond.code, 128 + SIGXFSZ, "{beyond:?}");
            assert_eq!(session.human("rm zone/keep").code, 0);
            session.end().expect(
                0,
                &[
                    "no directory takes the session's ring",
                    "neither the denial log nor the metrics",
                ],
            );
            drop(shared);
        }
    }
}

#[test]
fn an_unwritable_state_directory_costs_the_log_and_nothing_else() {
    let user = *User::all().last().unwrap();
    if user.is_root() {
        left_out("a directory that root could not write to");
        return;
    }
    for (locked, says) in [
        (
            ".codex",
            "the session is guarded, without a log of the guard's own",
        ),
        (
            ".codex/es-guard",
            "cannot keep a copy of the good policy in ",
        ),
    ] {
        let stage = Stage::with_policy(user, GOOD);
        if !stage.exists(locked) {
            stage.directory(locked);
        }
        fs::set_permissions(stage.path(locked), PermissionsExt::from_mode(0o500)).unwrap();
        let mut session = Live::start(&stage, [""; 0]);
        session.denies("rm zone/keep");
        assert_eq!(stage.events(Lane::Deny).len(), 1);
        session
            .end()
            .expect(0, &[says, "Permission denied", "instead"]);
        fs::set_permissions(stage.path(locked), PermissionsExt::from_mode(0o700)).unwrap();
    }
}

#[test]
fn a_state_directory_that_others_could_write_is_not_believed() {
    let user = User::all()[0];
    let cases: [(&str, Put, &str); 4] = [
        (
            "a link",
            |stage| symlink("../out", stage.path(STATE)).unwrap(),
            "is a symbolic link",
        ),
        (
            "a dangling link",
            |stage| symlink("no", stage.path(STATE)).unwrap(),
            "making the directory",
        ),
        (
            "a file",
            |stage| stage.file(STATE, ""),
            "making the directory",
        ),
        (
            "another's",
            |stage| {
                stage.directory(STATE);
                chown(stage.path(STATE), Some(54_321), None).unwrap();
            },
            "belongs to another user (uid 54321); what the guard keeps there must be this user's alone",
        ),
    ];
    for (name, make, says) in cases {
        if name == "another's" && !user.is_root() {
            left_out(&format!("{name}: only root can give a directory away"));
            continue;
        }
        let stage = Stage::with_policy(user, GOOD);
        make(&stage);
        let done = stage.run(["run", "--no-exporter", "--", "touch", "out/ran"]);
        done.expect(125, &[says, "es-guard"]);
        assert!(!stage.exists("out/ran"), "{name}");
    }

    let stage = Stage::with_policy(user, GOOD);
    stage.directory(STATE);
    fs::set_permissions(stage.path(STATE), PermissionsExt::from_mode(0o777)).unwrap();
    stage
        .run(["run", "--no-exporter", "--", "true"])
        .expect(0, &[]);
    assert_eq!(
        fs::metadata(stage.path(STATE)).unwrap().mode() & 0o777,
        0o700
    );
}

#[test]
fn a_ring_directory_that_is_not_ones_own_is_passed_over() {
    let stage = Stage::with_policy(User::all()[0], GOOD);
    stage.directory(STATE);
    symlink("../../out", stage.path(STATE).join("rings")).unwrap();
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    session
        .end()
        .expect(0, &["rings is a symbolic link", "instead"]);
    assert_eq!(fs::read_dir(stage.path("out")).unwrap().count(), 0);
}

/// The rings in a directory, without the files that say what their guards protect.
fn rings_in(directory: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(directory).unwrap();
    let found = found.map(|entry| entry.unwrap().path());
    let is_ring = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "ring");
    found.filter(is_ring).collect()
}

#[test]
fn what_else_lies_among_the_rings_does_not_hinder() {
    exporter::build();
    let stage = Stage::with_policy(User::all()[0], GOOD);
    // A ring of an earlier session, to be cut and scribbled over.
    let mut earlier = Live::start(&stage, [""; 0]);
    earlier.denies("rm zone/keep");
    earlier.end().expect(0, &[]);
    let rings = stage.path(STATE).join("rings");
    let earlier = rings_in(&rings).remove(0);
    let bytes = fs::read(&earlier).unwrap();
    fs::write(rings.join("cut.ring"), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(rings.join("short.ring"), &bytes[..100]).unwrap();
    fs::write(rings.join("copy.ring"), &bytes).unwrap();
    let mut scribbled = bytes;
    scribbled[..4096].fill(0xa5);
    fs::write(rings.join("scribbled.ring"), &scribbled).unwrap();
    fs::write(rings.join("empty.ring"), "").unwrap();
    fs::write(rings.join("text.ring"), "hello\n".repeat(1000)).unwrap();
    fs::create_dir(rings.join("directory.ring")).unwrap();
    symlink("/dev/zero", rings.join("device.ring")).unwrap();
    let pipe = stage
        .command("mkfifo")
        .arg(rings.join("pipe.ring"))
        .status();
    assert!(pipe.unwrap().success());

    let mut session = Live::of(with_exporter(&stage));
    session.denies("rm zone/keep");
    eventually("both sessions' denials are logged", || {
        logged(&stage).len() == 2
    });
    session.denies("rm zone/keep");
    eventually("and the third", || logged(&stage).len() == 3);
    session.end().expect(0, &[]);
    assert_eq!(distinct(&stage), 3);
}

#[test]
fn without_an_exporter_the_journal_says_what_to_do() {
    let stage = Stage::with_policy(User::all()[0], GOOD);
    let alone = stage.path("alone");
    copy_program(Path::new(env!("CARGO_BIN_EXE_codex-es-guard")), &alone);
    let mut command = stage.command(alone);
    command
        .args(["run", "--", "bash"])
        .env("PATH", "/usr/bin:/bin");
    let mut session = Live::of(command);
    session.denies("rm zone/keep");
    let journal = stage.text(".codex/es-guard/guard.log");
    assert!(journal.contains("There is no guard-exporter beside codex-es-guard or in PATH"));
    assert_eq!(stage.events(Lane::Deny).len(), 1);
    session.end().expect(0, &[]);
}

#[test]
fn where_the_port_is_taken_another_is_found() {
    exporter::build();
    // If it is taken by another program already, all the better.
    let _taken = TcpListener::bind("127.0.0.1:19477");
    let stage = Stage::with_policy(User::all()[0], GOOD);
    let mut session = Live::of(with_exporter(&stage));
    session.denies("rm zone/keep");
    eventually("the denial is logged", || logged(&stage).len() == 1);
    eventually("the exporter serves elsewhere", || {
        let text = fs::read_to_string(stage.path(".codex/es-guard/exporter.json"));
        text.is_ok_and(|text| text.contains("127.0.0.1:") && !text.contains(":19477\""))
    });
    session.end().expect(0, &[]);
}

#[test]
fn many_sessions_at_once_share_one_exporter() {
    exporter::build();
    let stage = Stage::with_policy(User::all()[0], GOOD);
    let sessions: Vec<_> = (0..8)
        .map(|_| {
            let mut command = stage.guard(["run", "--", "bash", "-c"]);
            command.arg("(exec -a claude bash -c 'rm zone/keep; exit 7'); exit $?");
            command.spawn().unwrap()
        })
        .collect();
    for session in sessions {
        finish(session).expect(7, &[]);
    }
    eventually("one exporter is left", || stage.exporters().len() == 1);
    eventually("every denial is logged", || logged(&stage).len() >= 8);
    eventually("every ring is done with", || {
        let rings = stage.path(STATE).join("rings");
        fs::read_dir(rings).unwrap().count() == 0
    });
    assert_eq!((logged(&stage).len(), distinct(&stage)), (8, 8));
}

#[test]
fn the_next_session_starts_the_exporter_again() {
    exporter::build();
    let stage = Stage::with_policy(User::all()[0], GOOD);
    let mut session = Live::of(with_exporter(&stage));
    session.denies("rm zone/keep");
    eventually("the denial is logged", || logged(&stage).len() == 1);
    stage.kill_exporters();
    session.denies("rm zone/keep");
    stage.run(["run", "--", "true"]).expect(0, &[]);
    eventually("the log is complete", || logged(&stage).len() == 2);
    session.denies("rm zone/keep");
    eventually("and goes on", || logged(&stage).len() == 3);
    assert_eq!(distinct(&stage), 3);
    session.end().expect(0, &[]);
}

#[test]
fn a_log_that_is_no_file_is_said_by_run_and_status() {
    exporter::build();
    let put: [(&str, Put); 2] = [
        ("is a symbolic link", |stage| {
            symlink(stage.path("out"), stage.path(LOG)).unwrap();
        }),
        ("is a directory", |stage| stage.directory(LOG)),
    ];
    for (says, put) in put {
        let stage = Stage::with_policy(User::all()[0], GOOD);
        stage
            .run(["run", "--no-exporter", "--", "true"])
            .expect(0, &[]);
        put(&stage);
        let mut session = Live::of(with_exporter(&stage));
        session.denies("rm zone/keep");
        let status = stage.run(["status"]);
        assert_eq!(status.code, 1, "{status:#?}");
        assert!(status.stdout.contains(says), "{status:#?}");
        let aside = stage.path(".codex/es-guard/aside");
        fs::rename(stage.path(LOG), aside).unwrap();
        eventually("the denial is logged", || logged(&stage).len() == 1);
        eventually("all is well", || stage.run(["status"]).code == 0);
        session
            .end()
            .expect(0, &[says, "denials stay in the rings"]);
    }
}

#[test]
fn a_read_only_home_is_said_by_run_and_status() {
    is_said_with_the_state_on(
        "ro,size=64k,mode=700",
        "true",
        "Read-only file system",
        &["nothing can be written to", "Read-only file system"],
    );
}

#[test]
fn a_full_disk_is_said_by_run_and_status() {
    is_said_with_the_state_on(
        "size=64k,mode=700",
        &format!("cat /dev/zero > {STATE}/ballast; [ -s {STATE}/ballast ]"),
        "is full",
        &["is full", "denials stay in the rings until it has room"],
    );
}

/// The state is on a file system in memory, mounted with `options`, which `prepare` makes ready.
fn is_said_with_the_state_on(options: &str, prepare: &str, by_status: &str, by_run: &[&str]) {
    let user = User::all()[0];
    if !user.is_root() {
        left_out("the state on a file system of its own: only root can mount one");
        return;
    }
    exporter::build();
    let stage = Stage::with_policy(user, GOOD);
    stage.directory(STATE);
    let mount = Mount::make(
        &stage,
        STATE,
        &["-t", "tmpfs", "-o", options, "es-guard-test"],
    );
    let prepared = stage.command("sh").args(["-c", prepare]).status();
    assert!(prepared.unwrap().success());
    let mut session = Live::of(with_exporter(&stage));
    session.denies("rm zone/keep");
    let status = stage.run(["status"]);
    assert_eq!(status.code, 1, "{status:#?}");
    assert!(status.stdout.contains(by_status), "{status:#?}");
    session.end().expect(0, by_run);
    drop(mount);
}

#[test]
fn the_exporter_of_a_home_that_is_gone_ends_with_the_last_session() {
    exporter::build();
    let stage = Stage::with_policy(User::all()[0], GOOD);
    let mut session = Live::of(with_exporter(&stage));
    session.denies("rm zone/keep");
    eventually("the denial is logged", || logged(&stage).len() == 1);
    let [exporter] = stage.exporters()[..] else {
        panic!("{:?}", stage.exporters());
    };
    let home = stage.path(".codex").parent().unwrap().to_owned();
    // The exporter and the guard may be writing there meanwhile.
    eventually("the home is gone", || {
        fs::remove_dir_all(&home).is_ok() || !home.exists()
    });
    session.human("true");
    assert_eq!(stage.exporters(), [exporter], "a session has it");
    session.end();
    eventually("it ends", || stage.exporters().is_empty());
    assert!(!home.exists(), "and nobody makes the home again");
}

/// Puts something in the state directory's place.
type Put = fn(&Stage);

/// The directory in shared memory where rings are tried last; gone again if it was not there.
struct SharedMemory(Option<PathBuf>);

// === impl SharedMemory ===

impl SharedMemory {
    fn of(stage: &Stage) -> Self {
        let uid = fs::metadata(stage.path("out")).unwrap().uid();
        let path = Path::new("/dev/shm").join(format!("codex-es-guard-{uid}"));
        Self((!path.exists()).then_some(path))
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Another guard's ring in it keeps it.
            let _kept = fs::remove_dir(path.join("rings")).and_then(|()| fs::remove_dir(path));
        }
    }
}

/// A session whose root is a shell, with an exporter.
fn with_exporter(stage: &Stage) -> std::process::Command {
    stage.guard(["run", "--", "bash"])
}

fn distinct(stage: &Stage) -> usize {
    logged(stage).into_iter().collect::<HashSet<_>>().len()
}

const GOOD: &str = r#"{"protected_zones": ["~/zone"]}"#;
const LOG: &str = ".codex/es-guard/denials.jsonl";
const STATE: &str = ".codex/es-guard";

/// `signal(7)`: the same on every architecture that the guard runs on.
const SIGXFSZ: i32 = 25;
