//! What a denied process is shown on its standard error, and where nothing is shown.

#![cfg(target_os = "linux")]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its part of the support"
)]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support {
    pub(crate) mod live;
    pub(crate) mod pty;
    pub(crate) mod stage;
    pub(crate) mod users;
}

use support::live::Live;
use support::pty::Terminal;
use support::stage::{Stage, eventually};
use support::users::User;

/// A stage for each user that the tester can be.
fn stages(policy: &str) -> Vec<Stage> {
    let users = User::all().into_iter();
    users.map(|user| Stage::with_policy(user, policy)).collect()
}

/// The notice of a denied removal.
fn notice(stage: &Stage, name: &str) -> String {
    let path = stage.path(name).display().to_string();
    format!(
        "codex-es-guard: kept {path}: only a person may remove it (zone \"zone\"); to ask: \
         codex-es-guard request {path}"
    )
}

const POLICY: &str = r#"{"protected_zones": ["~/zone"]}"#;

#[test]
fn a_denied_process_is_shown_why_on_a_pipe_a_file_and_a_socket() {
    for stage in stages(POLICY) {
        let mut session = Live::start(&stage, [""; 0]);
        let shown = notice(&stage, "zone/keep");
        let pipe = session.agent("rm zone/keep 2>&1 | cat");
        assert!(pipe.notices.contains(&shown), "{pipe:?}");
        // The process's own message follows, and is whole.
        let own = "rm: cannot remove 'zone/keep': Operation not permitted";
        assert_eq!(pipe.output, own, "{pipe:?}");
        // A file is continued where the process writes.
        session.agent("rm zone/keep 2> out/err");
        eventually("it is in the file", || {
            stage.text("out/err").contains(&shown)
        });
        // As Node.js starts its children. What the other side reads ends, so the guard kept nothing.
        let socket = session.agent(
            "perl -MSocket -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, 0); \
             if (!fork) { open(STDERR, \">&\", B); close A; exec \"rm\", \"zone/keep\" } \
             close B; print while <A>'",
        );
        assert!(socket.notices.contains(&shown), "{socket:?}");
        assert!(stage.exists("zone/keep"));
    }
}

#[test]
fn nothing_is_shown_on_a_terminal_or_to_people() {
    let stage = stages(POLICY).remove(0);
    let mut session = Live::start(&stage, [""; 0]);
    let person = session.human("rm zone/keep");
    assert_eq!((person.code, person.output.as_str()), (0, ""));
    stage.file("zone/keep", "again");
    drop(session);

    let mut command = stage.guard(["run", "--no-exporter", "--quiet", "--"]);
    command.args([
        "bash",
        "-c",
        "(exec -a claude bash -c 'echo begun; rm zone/keep; echo done'); echo ended",
    ]);
    let mut terminal = Terminal::start(command);
    terminal
        .expect("begun\r\nrm: cannot remove 'zone/keep': Operation not permitted\r\ndone\r\nended");
    assert!(terminal.end().success());
}

#[test]
fn nothing_is_shown_where_the_policy_says_so() {
    let policy = r#"{"protected_zones": ["~/zone"], "notice": "off"}"#;
    let stage = stages(policy).remove(0);
    let mut session = Live::start(&stage, [""; 0]);
    let answer = session.agent("rm zone/keep");
    assert!(
        answer.output.contains("Operation not permitted"),
        "{answer:?}"
    );
    assert!(answer.notices.is_empty(), "{answer:?}");
}

/// How many denials the lines of counts name.
fn counted(text: &str) -> u32 {
    let count = |line: &str| {
        let line = line.strip_prefix("codex-es-guard: kept ")?;
        let count = line.strip_suffix(" more in zone \"zone\"; trying again changes nothing")?;
        count.parse::<u32>().ok()
    };
    text.lines().filter_map(count).sum()
}

#[test]
fn one_notice_for_many_denials_and_then_their_count() {
    for stage in stages(POLICY) {
        for number in 1..=20 {
            stage.file(format!("zone/{number}"), "kept");
        }
        let mut session = Live::start(&stage, [""; 0]);
        session.agent("rm -rf zone 2> out/err");
        // In one line, or in several where the machine is slow: each pause ends a count.
        eventually("the rest is counted", || {
            counted(&stage.text("out/err")) == 20
        });
        let err = stage.text("out/err");
        assert_eq!(
            err.matches(": only a person may remove it").count(),
            1,
            "{err}"
        );
        // Another output is shown it again: an agent's next command reads its own only.
        let next = session.agent("rm zone/keep 2>&1 | cat");
        assert!(
            next.notices.contains(&notice(&stage, "zone/keep")),
            "{next:?}"
        );
    }
}

#[test]
fn a_full_pipe_and_a_reader_that_is_gone_delay_nobody() {
    for stage in stages(POLICY) {
        let mut session = Live::start(&stage, [""; 0]);
        let full = "mkfifo out/full; exec 3<> out/full; \
            dd if=/dev/zero of=/proc/self/fd/3 oflag=nonblock bs=65536 count=16 2> /dev/null; ";
        let removal = "perl -e 'unlink(\"zone/keep\") or exit 7'";
        let answer = session.agent(&format!("{full}{removal} 2>&3"));
        assert_eq!((answer.code, answer.output.as_str()), (7, ""));
        let gone = session.agent(&format!("{removal} 2> >(true); {removal} 2>&-"));
        assert_eq!(gone.code, 7, "{gone:?}");
        // What is open for reading only is not written to.
        let reading = session.agent(&format!("echo mine > out/mine; {removal} 2< out/mine"));
        assert_eq!(reading.code, 7, "{reading:?}");
        assert_eq!(stage.text("out/mine"), "mine\n");
        let last = session.agent("rm zone/keep 2>&1 | cat");
        assert!(last.notices.contains("kept"), "{last:?}");
    }
}
