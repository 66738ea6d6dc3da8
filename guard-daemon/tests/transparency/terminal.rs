//! On a terminal: job control, full-screen programs, sizes.

use crate::pty::Terminal;
use crate::{Place, is_installed};
use guard_testing::wait::found;
use std::fs;
use std::process::Command;

/// An interactive shell without anybody's settings, and its process group.
fn shell(mut command: Command) -> (Terminal, i32) {
    command.args(["--norc", "--noprofile", "-i"]);
    command
        .env("PS1", "ready> ")
        .env("HISTFILE", "")
        .env("TERM", "dumb");
    let mut terminal = Terminal::start(command);
    terminal.expect("ready> ");
    let group = terminal.foreground();
    (terminal, group)
}

/// Runs a shell's command until it has the terminal.
fn start(terminal: &mut Terminal, shell: i32, command: &str) {
    terminal.press(command);
    terminal.press("\n");
    found(command, || terminal.is_taken_from(shell).then_some(()));
}

#[test]
fn a_shell_stops_continues_and_ends_a_guarded_command() {
    let place = Place::new();
    let (mut outer, group) = shell(place.bare("bash"));
    start(&mut outer, group, &format!("{} cat", place.guarded_words()));
    outer.press("typed\n");
    outer.expect("typed\r\ntyped\r\n");
    outer.press(CTRL_Z);
    outer.expect("Stopped");
    outer.expect("ready> ");
    outer.press("jobs\n");
    outer.expect("Stopped");
    outer.expect("ready> ");
    start(&mut outer, group, "fg");
    outer.press("again\n");
    outer.expect("again\r\nagain\r\n");
    outer.press(CTRL_Z);
    outer.expect("Stopped");
    outer.expect("ready> ");
    // In the background, reading the terminal stops it again.
    outer.press("bg; wait; echo waited\n");
    outer.expect("waited\r\n");
    outer.expect("waited\r\n");
    outer.expect("ready> ");
    start(&mut outer, group, "fg");
    outer.press("third\n");
    outer.expect("third\r\nthird\r\n");
    outer.press(CTRL_C);
    outer.expect("ready> ");
    outer.press("echo status $?\n");
    outer.expect("status 130");
    outer.press("exit 3\n");
    assert_eq!(outer.end().code(), Some(3));
}

#[test]
fn a_guarded_shell_has_job_control() {
    let place = Place::new();
    let (mut inner, group) = shell(place.guarded("bash"));
    start(&mut inner, group, "cat");
    inner.press("typed\n");
    inner.expect("typed\r\ntyped\r\n");
    inner.press(CTRL_Z);
    inner.expect("Stopped");
    inner.expect("ready> ");
    inner.press("jobs\n");
    inner.expect("Stopped");
    inner.expect("ready> ");
    start(&mut inner, group, "fg");
    inner.press("again\n");
    inner.expect("again\r\nagain\r\n");
    inner.press(CTRL_C);
    inner.expect("ready> ");
    inner.press("echo status $?\n");
    inner.expect("status 130");
    inner.press("sleep 1000 | cat &\n");
    inner.expect("ready> ");
    inner.press("kill %1; wait; echo waited\n");
    inner.expect("\nwaited");
    inner.press("exit 4\n");
    assert_eq!(inner.end().code(), Some(4));
}

#[test]
fn a_guarded_shell_suspends_into_the_outer_one() {
    let place = Place::new();
    let (mut outer, _) = shell(place.bare("bash"));
    let inner = format!("{} bash --norc --noprofile -i", place.guarded_words());
    outer.press(&format!("PS1='inner> ' {inner}\n"));
    outer.expect("\ninner> ");
    outer.press("suspend\n");
    outer.expect("Stopped");
    outer.expect("ready> ");
    outer.press("fg\n");
    outer.expect("inner> ");
    outer.press("echo back\n");
    outer.expect("\nback");
    outer.press("exit 7\n");
    outer.expect("ready> ");
    outer.press("echo status $?\n");
    outer.expect("status 7");
    outer.press("exit\n");
    outer.end();
}

#[test]
fn a_hang_up_reaches_the_command() {
    let place = Place::new();
    let mut guarded = place.guarded("bash");
    guarded.args([
        "-c",
        "trap 'touch heard; exit' HUP; echo ready; while :; do sleep 0.01; done",
    ]);
    let mut terminal = Terminal::start(guarded);
    terminal.expect("ready");
    drop(terminal);
    found("the hang-up", || {
        place.zone.join("heard").exists().then_some(())
    });
}

#[test]
fn vim_edits_a_file_in_a_zone() {
    if !is_installed("vim") {
        return;
    }
    let place = Place::new();
    for (who, mut vim) in [
        ("human", place.guarded("vim")),
        ("agent", place.agents("vim")),
    ] {
        let file = place.keep(who);
        let options = "set backup writebackup backupskip=";
        vim.args(["-u", "NONE", "-N", "--cmd", options]).arg(&file);
        let mut terminal = Terminal::start(vim);
        terminal.expect(who);
        terminal.press("Oedited \x1b:w\r");
        terminal.expect("written");
        terminal.press("ixx\x1b:wq\r");
        assert!(terminal.end().success());
        let backup = place.zone.join(format!("{who}~"));
        let [now, before] = [&file, &backup].map(|path| fs::read_to_string(path).unwrap());
        assert_eq!(now, format!("editedxx \n{who}\n"));
        assert_eq!(before, format!("edited \n{who}\n"));
        // Its swap file is gone.
        assert!(!place.zone.join(format!(".{who}.swp")).exists());
    }
}

#[test]
fn full_screen_programs_start_and_quit() {
    let place = Place::new();
    place.keep("paged");
    for (program, arguments, shown) in [
        ("less", &["paged"][..], "paged"),
        ("top", &[], "load average"),
    ] {
        if is_installed(program) {
            let mut command = place.guarded(program);
            command.args(arguments);
            let mut terminal = Terminal::start(command);
            terminal.expect(shown);
            terminal.press("q");
            assert!(terminal.end().success(), "{program}");
        }
    }
}

#[test]
fn a_new_size_reaches_the_command() {
    let place = Place::new();
    let mut guarded = place.guarded("bash");
    let script = "trap 'stty size' WINCH; stty size; while :; do sleep 0.01; done";
    guarded.args(["-c", script]);
    let mut terminal = Terminal::start(guarded);
    terminal.expect("24 80");
    terminal.resize(50, 132);
    terminal.expect("50 132");
}

const CTRL_C: &str = "\x03";
const CTRL_Z: &str = "\x1a";
