//! What a command is given: environment, directory, descriptors, signals, groups.

use crate::{Place, for_users, kill, succeed};
use guard_testing::wait::found;
use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::process::Stdio;

#[test]
fn the_environment_is_unchanged_byte_by_byte() {
    let place = Place::new();
    let odd = OsString::from_vec(b"line\nline \xff\xfe = \\ '\"".to_vec());
    let long = "x".repeat(100_000);
    let [bare, guarded] = [place.bare("env"), place.guarded("env")].map(|mut command| {
        command
            .arg("-0")
            .env("ODD", &odd)
            .env("LONG", &long)
            .env("EMPTY", "");
        command
            .env("LD_LIBRARY_PATH", "/nowhere")
            .output()
            .unwrap()
            .stdout
    });
    assert!(bare == guarded, "{}", guarded.escape_ascii());
    assert!(bare.windows(4).any(|part| part == b"ODD="));
}

#[test]
fn arguments_are_unchanged() {
    let place = Place::new();
    let odd = OsString::from_vec(b"\xff\n --help".to_vec());
    let [bare, guarded] = [place.bare("printf"), place.guarded("printf")].map(|mut command| {
        command
            .args(["%s\\n", "", "--", "-x", "a b"])
            .arg(&odd)
            .output()
            .unwrap()
            .stdout
    });
    assert_eq!(bare, guarded);
}

#[test]
fn the_working_directory_is_unchanged() {
    let place = Place::new();
    let odd = place.zone.join(OsString::from_vec(b"odd \n\xff".to_vec()));
    fs::create_dir(&odd).unwrap();
    let [bare, guarded] = [place.bare("pwd"), place.guarded("pwd")]
        .map(|mut command| command.arg("-P").current_dir(&odd).output().unwrap().stdout);
    assert!(
        !bare.is_empty() && bare == guarded,
        "{}",
        guarded.escape_ascii()
    );
}

/// Each of these, said before a command, changes what it is given; the last word shows it.
#[test]
fn a_command_is_given_what_its_shell_gives() {
    for_users(|place| {
        for given in [
            "X ls /proc/self/fd",
            "exec 3</dev/null 9>/dev/null 200</dev/null; X ls /proc/self/fd",
            "exec 0<&-; X ls /proc/self/fd",
            "umask 0137; X sh -c umask",
            "X grep Sig[BIC] /proc/self/status",
            "trap '' HUP; X grep Sig[BIC] /proc/self/status",
            "trap '' PIPE; X grep Sig[BIC] /proc/self/status",
            "trap '' INT TERM USR1 TTOU CHLD; X grep Sig[BIC] /proc/self/status",
            "nohup X grep Sig[BIC] /proc/self/status",
            "ulimit -n 77; ulimit -c 0; X bash -c 'ulimit -a; ulimit -Ha'",
            "nice -n 5 X nice",
            "X cat /proc/self/oom_score_adj /proc/self/timerslack_ns /proc/self/comm",
            "X cat /proc/self/coredump_filter /proc/self/cgroup /proc/self/loginuid",
            "X id",
            "X readlink /proc/self/ns/mnt /proc/self/ns/pid /proc/self/ns/net /proc/self/root",
            "echo in | X cat",
            "X sh -c 'echo out; echo err >&2' 2>&1",
            "X sh -c 'exec >&-; echo nothing' 2>/dev/null; echo $?",
            "exec 7<<<there; X cat <&7",
            "(yes; echo $? >&2) 2>&1 >/dev/full | X head -c 3",
            "yes | X head -n 1",
            "X yes | head -n 1; echo ${PIPESTATUS[*]}",
        ] {
            let words = format!("{} ", place.guarded_words());
            let [bare, guarded] = ["", &words].map(|x| {
                let script = given.replace("X ", x);
                place.bare("bash").args(["-c", &script]).output().unwrap()
            });
            let [bare, guarded] = [bare, guarded].map(|output| {
                let shown = String::from_utf8_lossy(&output.stdout).into_owned();
                (
                    output.status.code(),
                    shown,
                    String::from_utf8_lossy(&output.stderr).into_owned(),
                )
            });
            assert_eq!(bare, guarded, "{given}");
        }
    });
}

#[test]
fn groups_session_and_terminal_are_the_shells() {
    let place = Place::new();
    let show = "cut -d' ' -f5-8 /proc/$$/stat";
    let output = succeed(place.bare("bash").args([
        "-c",
        &format!(
            "{show}; {} bash -c \"cut -d' ' -f5-8 /proc/self/stat\"",
            place.guarded_words()
        ),
    ]));
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], lines[1]);
}

/// A pipe ends when the command and its children have closed it, whatever of the guard lives on.
#[test]
fn nothing_of_the_commands_is_held_open() {
    let place = Place::new();
    let script = "exec 3>&1 >&-; (exec 3>&-; exec sleep 1000) & echo $! > sleeper; echo end >&3";
    let mut outer = place.guarded("bash");
    let outer = outer
        .args(["-c", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut outer = outer.spawn().unwrap();
    let mut output = String::new();
    outer
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut output)
        .unwrap();
    assert_eq!(output, "end\n");
    assert!(outer.wait().unwrap().success());
    let sleeper = found("the sleeper", || {
        fs::read_to_string(place.zone.join("sleeper"))
            .ok()?
            .trim()
            .parse::<i32>()
            .ok()
    });
    kill(sleeper, libc::SIGKILL);
}

#[test]
fn an_inherited_descriptor_is_let_go_by_the_guard() {
    let place = Place::new();
    let script = format!(
        "exec 3>&1; {} bash -c 'sleep 1000 3>&- > /dev/null 2>&1 & echo $! > sleeper' > /dev/null",
        place.guarded_words()
    );
    let output = place.bare("bash").args(["-c", &script]).output().unwrap();
    // Here the end of the pipe was reached, though the sleeper and its supervisor live.
    assert!(output.status.success());
    let sleeper = fs::read_to_string(place.zone.join("sleeper")).unwrap();
    kill(sleeper.trim().parse().unwrap(), libc::SIGKILL);
}
