//! How a command ends, and the signals it is sent.

use crate::{Place, kill, succeed};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::thread;

#[test]
fn every_exit_status_is_passed_on() {
    let place = &Place::new();
    thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                for status in (0..=255).skip(part).step_by(4) {
                    let command = format!("exit {status}");
                    let came = place.guarded("sh").args(["-c", &command]).status().unwrap();
                    assert_eq!(came.code(), Some(status));
                }
            });
        }
    });
}

#[test]
fn death_by_a_signal_is_passed_on() {
    let place = Place::new();
    for (name, signal) in SIGNALS
        .iter()
        .chain(&[("KILL", libc::SIGKILL), ("SEGV", libc::SIGSEGV)])
    {
        let command = format!("ulimit -c 0; kill -{name} $$");
        let came = place.guarded("sh").args(["-c", &command]).status().unwrap();
        assert_eq!(came.signal(), Some(*signal), "{name}: {came}");
    }
}

#[test]
fn what_did_not_run_is_reported_as_a_shell_reports_it() {
    let place = Place::new();
    let text = place.keep("text");
    for (program, status) in [
        ("missing-program", 127),
        ("./missing", 127),
        (".", 126),
        ("./text", 126),
    ] {
        let came = place.guarded(program).output().unwrap();
        assert_eq!(came.status.code(), Some(status), "{program}");
        let output = String::from_utf8_lossy(&came.stderr).into_owned();
        assert!(output.contains(program), "{output}");
    }
    // A script without a first line that says so is a shell's, as everywhere.
    std::fs::write(&text, "exit 3").unwrap();
    std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(place.guarded("./text").status().unwrap().code(), Some(3));
}

#[test]
fn the_guards_own_failure_is_125() {
    let place = Place::new();
    let inner = format!("{} true", place.guarded_words());
    let nested = place.guarded("sh").args(["-c", &inner]).output().unwrap();
    assert_eq!(nested.status.code(), Some(125), "{nested:?}");
    assert!(
        String::from_utf8_lossy(&nested.stderr).contains("inside another"),
        "{nested:?}"
    );
    let mut unprotected = place.bare(env!("CARGO_BIN_EXE_codex-es-guard"));
    assert_eq!(
        unprotected
            .args(["run", "true"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(125)
    );
}

#[test]
fn signals_sent_to_the_outer_process_reach_the_command() {
    let place = Place::new();
    for (name, signal) in SIGNALS {
        // By `wait`: bash sends itself SIGINT without end if one comes just when a command that it
        // waits for in the foreground ends.
        let script =
            format!("trap 'kill $!; echo heard; exit 9' {name}; sleep 1000 & echo ready; wait");
        let mut outer = place
            .guarded("bash")
            .args(["-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(outer.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        kill(outer.id().cast_signed(), *signal);
        assert_eq!(lines.next().unwrap().unwrap(), "heard", "{name}");
        assert_eq!(outer.wait().unwrap().code(), Some(9));
    }
}

#[test]
fn a_stopped_command_goes_on() {
    let place = Place::new();
    let output = succeed(place.bare("bash").args(["-c", &format!(
        "set -m; {} bash -c 'kill -STOP $$; echo went on' & wait; kill -CONT %1; wait %1; echo $?",
        place.guarded_words()
    )]));
    assert_eq!(output, "went on\n0\n");
}

const SIGNALS: &[(&str, i32)] = &[
    ("TERM", libc::SIGTERM),
    ("INT", libc::SIGINT),
    ("HUP", libc::SIGHUP),
    ("QUIT", libc::SIGQUIT),
    ("USR1", libc::SIGUSR1),
    ("USR2", libc::SIGUSR2),
    ("ALRM", libc::SIGALRM),
];
