//! `status`, `denials` and `top`: what people see of guards, with an exporter and without.

#![cfg(target_os = "linux")]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its part of the support"
)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
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

use guard_testing::wait::found;
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use support::exporter;
use support::live::Live;
use support::pty::Terminal;
use support::stage::{DEADLINE, Done, POLICY, Stage, eventually};
use support::users::User;

const STATE: &str = ".codex/es-guard";
const LOG: &str = ".codex/es-guard/denials.jsonl";

fn stage() -> Stage {
    exporter::build();
    Stage::with_policy(User::all()[0], r#"{"protected_zones": ["~/zone"]}"#)
}

/// An exporter of this stage on a free port, once it serves.
fn serve(stage: &Stage) -> Child {
    drop(fs::remove_file(stage.path(STATE).join("exporter.json")));
    let beside = Path::new(env!("CARGO_BIN_EXE_codex-es-guard"));
    let child = stage
        .command(beside.with_file_name("guard-exporter"))
        .arg("--state")
        .arg(stage.path(STATE))
        .args(["--web.listen-address", "127.0.0.1:0"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the exporter serves", || {
        stage.exists(".codex/es-guard/exporter.json")
    });
    child
}

fn end(mut exporter: Child) {
    let pid = exporter.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    exporter.wait().unwrap();
}

fn object(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:#?}"))
}

#[test]
fn status_says_what_is_wrong_and_with_its_status() {
    let stage = stage();
    let idle = stage.run(["status"]);
    assert_eq!((idle.code, idle.stderr.as_str()), (0, ""), "{idle:#?}");
    assert!(idle.stdout.contains("no guard is running"), "{idle:#?}");
    assert!(!stage.exists(STATE), "it writes nothing");

    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    session.denies("mv zone/keep out/kept");
    let alone = stage.run(["status"]);
    assert_eq!(alone.code, 1, "{alone:#?}");
    for expected in [
        "one guard is running",
        "2 denied",
        "no exporter is running",
        "1 zone",
    ] {
        assert!(alone.stdout.contains(expected), "{expected}: {alone:#?}");
    }

    let exporter = serve(&stage);
    let status = found("all is well", || {
        let done = stage.run(["status", "--json"]);
        (done.code == 0).then(|| object(&done))
    });
    assert_eq!(status["ok"], true, "{status}");
    assert_eq!(status["guards"][0]["deny"]["committed"], 2, "{status}");
    assert_eq!(status["guards"][0]["enforcing"], true);
    assert_eq!(status["exporter"]["state"], "serving");
    assert_eq!(status["exporter"]["status"]["ready"], true);
    assert_eq!(status["policy"]["state"], "good");
    assert!(status["log"].as_str().unwrap().ends_with(LOG), "{status}");

    stage.replace(POLICY, "{\n  \"protected_zone\": []}");
    eventually("the guard has seen the bad policy", || {
        let status = object(&stage.run(["status", "--json"]));
        status["guards"][0]["policy"]["ok"] == false
    });
    let bad = stage.run(["status"]);
    assert_eq!(bad.code, 1);
    for expected in [
        "es_policy.json: line 2, column 3",
        "protected_zones",
        "keeps an older policy",
    ] {
        assert!(bad.stdout.contains(expected), "{expected}: {bad:#?}");
    }
    let status = object(&stage.run(["status", "--json"]));
    assert_eq!(
        (&status["policy"]["line"], &status["policy"]["column"]),
        (&2.into(), &3.into())
    );

    // A hung exporter, and one that was killed.
    let pid = exporter.id().to_string();
    let signal = |name: &str| Command::new("kill").args([name, &pid]).status().unwrap();
    signal("-STOP");
    let hung = stage.run(["status"]);
    assert_eq!(hung.code, 1);
    assert!(hung.stdout.contains("does not answer"), "{hung:#?}");
    signal("-KILL");
    let mut exporter = exporter;
    exporter.wait().unwrap();
    let killed = stage.run(["status"]);
    assert!(killed.stdout.contains("none is running"), "{killed:#?}");
    assert!(
        killed.stdout.contains("one guard is running"),
        "{killed:#?}"
    );
    session.end().expect(0, &[]);
}

#[test]
fn an_exporter_that_dies_is_started_again() {
    let stage = stage();
    let mut command = stage.guard(["run", "--", "bash"]);
    command.args([""; 0]);
    let mut session = Live::of(command);
    let mut killed = Vec::new();
    for round in 1..=2 {
        session.denies("rm zone/keep");
        eventually("the denial is logged", || {
            exporter::logged(&stage).len() == 2 * round - 1
        });
        let mut exporters = found("one exporter is running", || {
            let mut exporters = stage.exporters();
            exporters.retain(|pid| !killed.contains(pid));
            (exporters.len() == 1).then_some(exporters)
        });
        stage.kill_exporters();
        killed.append(&mut exporters);
        eventually("status says so", || {
            let status = stage.run(["status"]);
            status.stdout.contains("no exporter is running") || stage.exporters().len() == 1
        });
        // The guard decides meanwhile as ever.
        session.denies("mv zone/keep out/kept");
        eventually("another one logs what came meanwhile", || {
            exporter::logged(&stage).len() == 2 * round
        });
        session.allows("echo edited > zone/keep");
        let log = stage.text(".codex/es-guard/guard.log");
        assert!(
            log.contains("No exporter is running; starting one in"),
            "{log}"
        );
    }
    session.end().expect(0, &[]);
}

/// Runs the guard's program while an exporter serves. On a busy machine that may answer too late once.
fn answered(stage: &Stage, words: &[&str]) -> Done {
    found("the exporter answers in time", || {
        let done = stage.run(words);
        (!done.stderr.contains("no exporter answers")).then_some(done)
    })
}

#[test]
fn an_exporter_whose_port_is_taken_is_said_by_status() {
    let stage = stage();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    let beside = Path::new(env!("CARGO_BIN_EXE_codex-es-guard"));
    let mut exporter = stage
        .command(beside.with_file_name("guard-exporter"))
        .arg("--state")
        .arg(stage.path(STATE))
        .arg("--web.listen-address")
        .arg(taken.local_addr().unwrap().to_string())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the denial is logged", || {
        exporter::logged(&stage).len() == 1
    });
    let status = stage.run(["status"]);
    assert_eq!(status.code, 1, "{status:#?}");
    for expected in ["serves nowhere", "another program may have its port"] {
        assert!(status.stdout.contains(expected), "{expected}: {status:#?}");
    }
    exporter.kill().unwrap();
    exporter.wait().unwrap();
    session.end().expect(0, &[]);
}

#[test]
fn a_collector_that_the_running_exporter_does_not_use_is_said_by_run() {
    let stage = stage();
    fs::create_dir_all(stage.path(STATE)).unwrap();
    let exporter = serve(&stage);
    let mut command = stage.guard(["run", "--", "true"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let mut terminal = Terminal::start(command);
    terminal.expect("was started without OTEL_EXPORTER_OTLP_ENDPOINT=127.0.0.1: nothing");
    assert!(terminal.end().success());
    end(exporter);
}

#[test]
fn an_exporter_that_hangs_is_replaced() {
    let stage = stage();
    let mut session = Live::of(stage.guard(["run", "--", "bash"]));
    session.denies("rm zone/keep");
    eventually("the denial is logged", || {
        exporter::logged(&stage).len() == 1
    });
    eventually("the exporter serves", || {
        stage.exists(".codex/es-guard/exporter.json")
    });
    let [hung] = stage.exporters()[..] else {
        panic!("{:?}", stage.exporters());
    };
    let pid = hung.to_string();
    let stopped = Command::new("kill").args(["-STOP", &pid]).status();
    assert!(stopped.unwrap().success());
    session.denies("mv zone/keep out/kept");
    eventually("the hung one is ended", || {
        stage.text(".codex/es-guard/guard.log").contains(&format!(
            "The exporter (pid {pid}) does not answer; ending it"
        ))
    });
    eventually("another one logs what came meanwhile", || {
        exporter::logged(&stage).len() == 2
    });
    session.end().expect(0, &[]);
}

#[test]
fn denials_are_chosen_and_shown() {
    let stage = stage();
    let none = stage.run(["denials"]);
    none.expect(0, &["no such denial in"]);
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    session.denies("mv zone/keep out/kept");
    let unwritten = stage.run(["denials"]);
    unwritten.expect(
        0,
        &["no exporter answers: the newest denials may wait in the rings"],
    );
    let exporter = serve(&stage);
    let log = found("both are logged", || {
        let log = stage.text(LOG);
        (log.ends_with('\n') && log.lines().count() == 2).then_some(log)
    });
    let lines: Vec<&str> = log.lines().collect();

    let denials = answered(&stage, &["denials"]);
    assert_eq!((denials.code, denials.stderr.as_str()), (0, ""));
    let shown: Vec<&str> = denials.stdout.lines().collect();
    assert_eq!(shown.len(), 2, "{denials:#?}");
    assert!(
        shown[0].contains("claude_code was stopped from removing"),
        "{denials:#?}"
    );
    assert!(
        shown[1].contains("claude_code was stopped from moving"),
        "{denials:#?}"
    );
    assert!(
        !denials.stdout.contains('\x1b'),
        "no colours but on a terminal"
    );

    let zone = stage.path("zone").display().to_string();
    for (words, expected) in [
        (&[][..], &lines[..]),
        (&["-n", "1"], &lines[1..]),
        (&["-n", "0"], &[]),
        (&["--agent", "claude"], &lines),
        (&["--agent", "codex"], &[]),
        (&["--operation", "unlink"], &lines[..1]),
        (&["--zone", "zone"], &lines),
        (&["--zone", &zone], &lines),
        (&["--zone", "other"], &[]),
        (&["--since", "1h"], &lines),
        (&["--since", "2500-01-01"], &[]),
    ] {
        let done = answered(&stage, &[&["denials", "--json"][..], words].concat());
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{words:?}");
        assert_eq!(
            done.stdout.lines().collect::<Vec<_>>(),
            expected,
            "{words:?}"
        );
    }
    for (words, says) in [
        (["--since", "yesterday"], "30s, 10m, 2h, 3d"),
        (["--operation", "unlnk"], "a similar value exists: 'unlink'"),
    ] {
        stage
            .run(["denials"].iter().chain(&words))
            .expect(2, &[says]);
    }
    end(exporter);
    session.end().expect(0, &[]);
}

/// A `denials --follow --json`, and the lines that it says.
fn follow(stage: &Stage) -> (Child, Receiver<String>) {
    let mut child = stage
        .guard(["denials", "--follow", "--json"])
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    (child, receiver)
}

#[test]
fn following_survives_rotation_and_the_exporter_s_restart() {
    let stage = stage();
    let mut session = Live::start(&stage, [""; 0]);
    let (mut following, lines) = follow(&stage);
    let mut heard = Vec::new();
    let mut hear = || {
        let line: Value = serde_json::from_str(&lines.recv_timeout(DEADLINE).unwrap()).unwrap();
        heard.push(line["seq"].as_u64().unwrap());
    };
    session.denies("rm zone/keep");
    let exporter = serve(&stage);
    hear();
    // As a rotation moves it.
    fs::rename(stage.path(LOG), stage.path(format!("{LOG}.1"))).unwrap();
    session.denies("rm zone/keep");
    hear();
    end(exporter);
    session.denies("rm zone/keep");
    let exporter = serve(&stage);
    hear();
    assert_eq!(heard, [0, 1, 2]);
    let pid = following.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    following.wait().unwrap();
    assert_eq!(lines.try_iter().count(), 0);

    // Who reads no more ends it.
    let mut following = stage.guard(["denials", "--follow"]).spawn().unwrap();
    drop(following.stdout.take());
    eventually("it ends", || {
        session.denies("rm zone/keep");
        following
            .try_wait()
            .unwrap()
            .is_some_and(|status| status.success())
    });
    end(exporter);
    session.end().expect(0, &[]);
}

#[test]
fn top_needs_a_terminal() {
    stage()
        .run(["top"])
        .expect(125, &["top needs a terminal; codex-es-guard status"]);
}

#[test]
fn top_shows_what_happens_and_leaves_the_terminal_as_it_was() {
    let stage = stage();
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    let start = || {
        let mut command = stage.guard(["top"]);
        command.env("TERM", "xterm");
        let mut terminal = Terminal::start(command);
        terminal.expect(ENTERED);
        terminal
    };
    // Without an exporter, from the rings.
    let mut terminal = start();
    terminal.expect("1 guard ");
    terminal.expect("no exporter is running");
    terminal.expect("claude_code was stopped from removing");
    terminal.press("q");
    terminal.expect(LEFT);
    assert!(terminal.end().success());

    let exporter = serve(&stage);
    let mut terminal = start();
    terminal.expect("http://127.0.0.1:");
    terminal.expect("enforce");
    terminal.expect("unlink deny");
    terminal.expect("claude_code was stopped from removing");
    session.denies("mv zone/keep out/kept");
    terminal.expect("claude_code was stopped from moving");
    for (rows, columns) in [(10, 40), (1, 1), (3, 200), (60, 17), (24, 80)] {
        terminal.resize(rows, columns);
        terminal.expect("1");
    }
    terminal.expect("1 guard ");
    // A signal gives the terminal back as well as a key.
    let pid = terminal.foreground().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    terminal.expect(LEFT);
    assert!(terminal.end().success());
    end(exporter);
    session.end().expect(0, &[]);
}

/// The alternate screen, entered and left.
const ENTERED: &str = "\x1b[?1049h";
const LEFT: &str = "\x1b[?1049l";
