//! Asking and answering: who may ask, who may grant, and what a grant opens.

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

use serde_json::Value;
use support::live::Live;
use support::pty::Terminal;
use support::stage::{POLICY, Stage, eventually, left_out};
use support::users::User;

const ZONE: &str = "{\n  \"protected_zones\": [\"~/zone\"],\n  \"temporary_overrides\": []\n}\n";

/// A stage for each user that the tester can be.
fn stages(policy: &str) -> Vec<Stage> {
    let users = User::all().into_iter();
    users.map(|user| Stage::with_policy(user, policy)).collect()
}

/// The guard's program, for scripts.
fn program(stage: &Stage) -> String {
    stage.program().display().to_string()
}

/// An agent asks for `zone/keep`; the request's id.
fn asked(stage: &Stage, session: &mut Live) -> String {
    let asked = session.agent(&format!("{} request zone/keep --json", program(stage)));
    assert_eq!(asked.code, 0, "{asked:?}");
    let request: Value = serde_json::from_str(&asked.output).unwrap();
    assert_eq!(request["state"], "open", "{request}");
    request["id"].as_str().unwrap().to_owned()
}

/// The requests of all guards, as a person sees them who is outside.
fn requests(stage: &Stage) -> Vec<Value> {
    let done = stage.run(["requests", "--json"]);
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

/// The last line of what a process in the background wrote. The program's own messages may have the
/// word in others, such as "override".
const OVER: &str = "over\n";

/// What became of a request.
fn state(stage: &Stage, id: &str) -> String {
    let all = requests(stage);
    let request = all.iter().find(|request| request["id"] == id);
    request.unwrap()["state"].as_str().unwrap().to_owned()
}

/// A person outside of the session, on a terminal, runs the guard's program.
fn on_terminal(stage: &Stage, arguments: &[&str], shows: &str) {
    let mut terminal = Terminal::start(stage.guard(arguments));
    terminal.expect(shows);
    let _status = terminal.end();
}

#[test]
fn a_person_outside_grants_and_the_agent_goes_on() {
    for stage in stages(ZONE) {
        let mut session = Live::start(&stage, [""; 0]);
        session.denies("rm zone/keep");
        let id = asked(&stage, &mut session);
        on_terminal(&stage, &["approve", &id, "--once"], "granted");
        assert!(stage.text(POLICY).contains(&id), "{}", stage.text(POLICY));
        session.allows("rm zone/keep");
        assert!(!stage.exists("zone/keep"));
        eventually("the grant ended with its use", || {
            state(&stage, &id) == "ended"
        });
        assert_eq!(stage.text(POLICY), ZONE);
        stage.file("zone/keep", "again");
        session.denies("rm zone/keep");
    }
}

#[test]
fn a_person_in_the_session_grants_and_rejects() {
    let stage = stages(ZONE).remove(0);
    let guard = program(&stage);
    let mut session = Live::start(&stage, [""; 0]);
    let id = asked(&stage, &mut session);
    let rejected = session.human(&format!("{guard} reject {id} --because 'it is mine'"));
    assert_eq!(rejected.code, 0, "{rejected:?}");
    // Its answer is final, also for who waits.
    let again = session.agent(&format!("{guard} request zone/keep --wait 1m"));
    assert_eq!(again.code, 1, "{again:?}");
    assert!(
        again.output.contains("was rejected: it is mine"),
        "{again:?}"
    );
    session.denies("rm zone/keep");

    stage.file("zone/other", "kept");
    session.agent(&format!("{guard} request zone/other --op unlink"));
    let all = requests(&stage);
    let id = all[1]["id"].as_str().unwrap();
    let granted = session.human(&format!("{guard} approve {id} --minutes 2"));
    assert!(granted.output.contains("granted"), "{granted:?}");
    session.denies("mv zone/other out/");
    session.allows("rm zone/other");
    eventually("the use is counted", || requests(&stage)[1]["uses"] == 1);
    assert_eq!(state(&stage, id), "granted");
    // What is granted is of this session, and goes with it.
    assert!(stage.text(POLICY).contains(id));
    session.end();
    eventually("the policy is as it was", || stage.text(POLICY) == ZONE);
    let sockets = || std::fs::read_dir(stage.path(".codex/es-guard/control")).unwrap();
    eventually("the socket is gone", || sockets().count() == 0);
}

/// Ways to grant that an agent in the session has; `$G` is the guard's program and `$ID` the request.
const BY_AGENTS: &[(&str, &str)] = &[
    ("the agent's shell", "$G approve $ID"),
    (
        "a shell of the agent's shell",
        "sh -c '$G approve $ID; exit $?'",
    ),
    (
        "a double fork of it",
        "( (until [ -e out/go ]; do :; done; $G approve $ID > out/said 2>&1; echo over >> out/said) & ); \
         touch out/go; until grep -qx over out/said 2> /dev/null; do :; done; cat out/said; false",
    ),
    ("setsid", "setsid -w $G approve $ID"),
    (
        "setsid of a double fork",
        "( (until [ -e out/go2 ]; do :; done; setsid -w $G approve $ID > out/said2 2>&1; \
         echo over >> out/said2) & ); touch out/go2; \
         until grep -qx over out/said2 2> /dev/null; do :; done; cat out/said2; false",
    ),
    (
        "a terminal of its own",
        "script -qec \"$G approve $ID\" /dev/null < /dev/null",
    ),
    (
        "a person's environment",
        "env -i HOME=$HOME PATH=$PATH USER=me LOGNAME=me SHELL=/bin/bash TERM=xterm \
         SSH_TTY=/dev/pts/0 XDG_SESSION_CLASS=user $G approve $ID",
    ),
    ("a person's name", "exec -a login $G approve $ID"),
    (
        "the socket's bytes",
        "perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => glob \".codex/es-guard/control/*\"); \
         print $s qq({\"do\":\"approve\",\"id\":\"$ENV{ID}\"}\\n); print <$s>; exit 1'",
    ),
    ("reject", "$G reject $ID"),
];

#[test]
fn no_agent_of_the_session_grants() {
    for stage in stages(ZONE) {
        let mut session = Live::start(&stage, [""; 0]);
        let id = asked(&stage, &mut session);
        for (name, way) in BY_AGENTS {
            let way = format!("export G={} ID={id}; {way}", program(&stage));
            let answer = session.agent(&way);
            assert!(
                answer.output.contains("only a person grants"),
                "{name}: {answer:?}"
            );
            assert_ne!(answer.code, 0, "{name}: {answer:?}");
            assert_eq!(state(&stage, &id), "open", "{name}");
        }
        // One whose agent is gone, too.
        let orphan = format!(
            "agent=$$; ( (while kill -0 $agent 2> /dev/null; do :; done; \
             {} approve {id} > out/orphan 2>&1; echo over >> out/orphan) & )",
            program(&stage)
        );
        session.agent(&orphan);
        eventually("the orphan was answered", || {
            stage.text("out/orphan").ends_with(OVER)
        });
        let said = stage.text("out/orphan");
        assert!(said.contains("only a person grants"), "{said}");
        assert_eq!(state(&stage, &id), "open");
        assert_eq!(stage.text(POLICY), ZONE);
        session.denies("rm zone/keep");
    }
}

#[test]
fn a_shell_in_the_agent_s_tmux_does_not_grant() {
    let stage = stages(ZONE).remove(0);
    let mut session = Live::start(&stage, [""; 0]);
    if session.human("command -v tmux").code != 0 {
        left_out("a shell in the agent's tmux: tmux is not installed");
        return;
    }
    let id = asked(&stage, &mut session);
    // The server is nobody's child any more, and has a terminal of its own for each shell.
    session.agent(&format!(
        "TMUX_TMPDIR=$PWD/out tmux -f /dev/null new-session -d \
         '{} approve {id} > out/said 2>&1; echo over >> out/said'",
        program(&stage)
    ));
    eventually("it was answered", || stage.text("out/said").ends_with(OVER));
    let said = stage.text("out/said");
    assert!(said.contains("only a person grants"), "{said}");
    assert_eq!(state(&stage, &id), "open");
    session.agent("TMUX_TMPDIR=$PWD/out tmux kill-server");
}

#[test]
fn an_agent_types_nothing_into_a_person_s_terminal() {
    let Some(stage) = stages(ZONE)
        .into_iter()
        .find(|stage| stage.user() == User::Ordinary)
    else {
        left_out("TIOCSTI: root may type into every terminal");
        return;
    };
    let mut session = Live::start(&stage, [""; 0]);
    let id = asked(&stage, &mut session);
    let mut shell = Terminal::start(stage.command("bash"));
    shell.press("tty > out/tty; echo over >> out/tty\n");
    eventually("the terminal is known", || {
        stage.text("out/tty").ends_with(OVER)
    });
    let tty = stage.text("out/tty");
    let tty = tty.lines().next().unwrap();
    // 0x5412 is TIOCSTI.
    let answer = session.agent(&format!(
        "perl -e 'open(T, q(+<), q({tty})) or die qq(refused: $!\\n); \
         for (split //, qq({} approve {id}\\n)) {{ ioctl(T, 0x5412, $_) or die qq(refused: $!\\n) }}'",
        program(&stage)
    ));
    assert!(answer.output.contains("refused"), "{answer:?}");
    assert_eq!(state(&stage, &id), "open");
    shell.press("exit\n");
    let _status = shell.end();
}

#[test]
fn a_storm_of_requests_loses_no_denial() {
    let stage = stages(ZONE).remove(0);
    let guard = program(&stage);
    let mut session = Live::start(&stage, [""; 0]);
    let deed = format!("perl -e 'for (1 .. {DENIALS}) {{ unlink q(zone/keep) }}'");
    session.agent(&deed);
    let id = asked(&stage, &mut session);
    // Some 1,000 a second, each by a connection of its own, until they are to stop. One of them, after
    // 500, waits for its answer; the next does if its connection was refused or closed.
    let storm = "perl -MIO::Socket::UNIX -e 'until (-e q(out/stop)) { $n++; \
        $s = IO::Socket::UNIX->new(Peer => glob q(.codex/es-guard/control/*)) or next; \
        print $s qq({\"do\":\"request\",\"path\":\"$ENV{HOME}/zone/$n\"}\n); \
        if ($n >= 500 && !$a && ($a = <$s>)) { \
            open(F, q(>out/answer)); print F $a; close F; rename(q(out/answer), q(out/storm)) } \
        select(undef, undef, undef, 0.001) } \
        open(F, q(>out/count)); print F qq($n\n); close F' > /dev/null 2>&1 &";
    session.agent(&format!("{storm} until [ -e out/storm ]; do :; done"));
    session.agent(&deed);
    stage.file("out/stop", "");
    eventually("the storm is over", || {
        stage.text("out/count").ends_with('\n')
    });
    let count: usize = stage.text("out/count").trim().parse().unwrap();
    assert!(count >= 500);
    assert!(requests(&stage).len() <= 6, "they are bounded");
    let answer = stage.text("out/storm");
    assert!(answer.contains("\"answer\""), "they are answered: {answer}");
    let latencies = stage.latencies(guard_core::ring::Lane::Deny);
    assert_eq!(latencies.len(), 2 * DENIALS, "no denial is lost");
    let median = |latencies: &[u64]| {
        let mut sorted = latencies.to_vec();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    };
    let (before, during) = latencies.split_at(DENIALS);
    let (before, during) = (median(before), median(during));
    // A figure and no assertion: what else the machine does counts more.
    left_out(&format!(
        "with {count} requests beside them, decisions took {during} ns instead of {before} ns ({:.2})",
        during as f64 / before as f64
    ));
    // The person's turn comes all the same.
    let answered = session.human(&format!("{guard} reject {id}"));
    assert_eq!(answered.code, 0, "{answered:?}");
}

/// Denials before a storm of requests, and during it.
const DENIALS: usize = 500;

/// Connects to the guard's socket, and starts a program that has the connection as descriptor 3.
const CONNECT: &str = "perl -MIO::Socket::UNIX -e '$^F = 9; \
    $s = IO::Socket::UNIX->new(Peer => glob \".codex/es-guard/control/*\"); \
    open(STDIN, \"<&\", $s) or die; \
    if (!fork) { exec @ARGV } wait' ";

#[test]
fn a_descriptor_that_was_passed_is_not_its_opener_s_word() {
    let stage = stages(ZONE).remove(0);
    let mut session = Live::start(&stage, [""; 0]);
    let id = asked(&stage, &mut session);
    // A person's connection in the hands of an agent.
    let line = format!("{{\"do\":\"approve\",\"id\":\"{id}\"}}");
    stage.file("out/line", format!("{line}\n"));
    let answer = session.human(&format!(
        "{CONNECT} bash -c '(exec -a claude bash -c \"echo \\$(<out/line) >&0; cat; exit\"); exit'"
    ));
    assert!(
        answer
            .output
            .contains("this process descends from claude_code"),
        "{answer:?}"
    );
    // An agent's connection in the hands of a person.
    let pass = "import socket, sys, glob, os
t = socket.socket(socket.AF_UNIX); t.connect(glob.glob('.codex/es-guard/control/*')[0])
p = socket.socket(socket.AF_UNIX); p.connect('out/pass'); socket.send_fds(p, [b'x'], [t.fileno()])
p.recv(1)";
    let take = "import socket
l = socket.socket(socket.AF_UNIX); l.bind('out/pass'); l.listen(); open('out/listens', 'w')
c, _ = l.accept(); _, fds, _, _ = socket.recv_fds(c, 1, 1)
t = socket.socket(fileno=fds[0]); t.sendall(open('out/line', 'rb').read())
open('out/answer', 'wb').write(t.recv(4096) + b'\\n')";
    stage.file("out/pass.py", pass);
    stage.file("out/take.py", take);
    if session.human("command -v python3").code != 0 {
        left_out("passing a descriptor to a person: python3 is not installed");
    } else {
        session
            .human("python3 out/take.py > /dev/null 2>&1 & until [ -e out/listens ]; do :; done");
        session.agent("python3 out/pass.py; exit");
        eventually("it was answered", || {
            stage.text("out/answer").ends_with('\n')
        });
        let answer = stage.text("out/answer");
        assert!(
            answer.contains("this process descends from claude_code"),
            "{answer}"
        );
    }
    assert_eq!(state(&stage, &id), "open");
    // The same by a person alone goes well: it was the agent that made the difference.
    let answer = session.human(&format!("{CONNECT} bash -c 'echo $(<out/line) >&0; cat'"));
    assert!(
        answer.output.contains("\"state\":\"granted\""),
        "{answer:?}"
    );
}

#[test]
fn no_agent_and_nobody_unknown_outside_the_session_grants() {
    let stage = stages(ZONE).remove(0);
    let mut session = Live::start(&stage, [""; 0]);
    let id = asked(&stage, &mut session);
    support::stage::copy_program("/bin/bash".as_ref(), &stage.path("codex"));
    let guard = program(&stage);
    // An agent outside, on a terminal.
    let mut command = stage.command(stage.path("codex"));
    command.args(["-c", &format!("{guard} approve {id}; exit $?")]);
    let mut terminal = Terminal::start(command);
    terminal.expect("only a person grants or rejects, and this process descends from codex");
    assert!(!terminal.end().success());
    // An orphan of a process on a terminal.
    let mut command = stage.command("bash");
    let orphan = format!(
        "( (until [ -e out/go ]; do :; done; {guard} approve {id} > out/said 2>&1; \
         echo over >> out/said) & ); touch out/go; \
         until grep -qx over out/said 2> /dev/null; do :; done; cat out/said"
    );
    command.args(["-c", &orphan]);
    let mut terminal = Terminal::start(command);
    terminal.expect("it lost the parents that lead to its terminal");
    terminal.end();
    // A process without a terminal.
    let mut command = stage.command("setsid");
    command.args(["-w", &guard, "approve", &id]);
    let done = support::stage::finish(command.spawn().unwrap());
    done.expect(
        1,
        &["only a person grants or rejects, and it has no terminal"],
    );
    // They may all ask.
    stage.file("zone/other", "kept");
    let done = stage.run(["request", stage.path("zone/other").to_str().unwrap()]);
    done.expect(0, &[]);
    assert_eq!(state(&stage, &id), "open");
    assert_eq!(stage.text(POLICY), ZONE);
}

#[test]
fn requests_are_bounded_and_refused_with_the_reason() {
    let stage = stages(ZONE).remove(0);
    let guard = program(&stage);
    let mut session = Live::start(&stage, [""; 0]);
    for (path, why) in [
        ("/", "/ is never opened"),
        ("~", "the home directory"),
        ("zone", "the root of zone \"zone\""),
        (".", "the home directory"),
        (".codex/es_policy.json", "is the guard's own"),
        ("out", "nothing denies it"),
        ("zone/../zone/nothing/../../zone", "the root of zone"),
    ] {
        let answer = session.agent(&format!("{guard} request {path}"));
        assert_eq!(answer.code, 1, "{path}: {answer:?}");
        assert!(answer.output.contains(why), "{path}: {answer:?}");
    }
    let long = session.agent(&format!(
        "{guard} request zone/keep --because $(head -c 9000 /dev/zero | tr '\\0' x)"
    ));
    assert!(long.output.contains("too much to ask"), "{long:?}");
    for number in 0..6 {
        let answer = session.agent(&format!(
            "{guard} request zone/{number}; {guard} request zone/{number}"
        ));
        assert_eq!(answer.code, 0, "{answer:?}");
    }
    let more = session.agent(&format!("{guard} request zone/more"));
    assert!(
        more.output.contains("6 requests were made within a minute"),
        "{more:?}"
    );
    assert_eq!(requests(&stage).len(), 6);
    // A storm of connections that say nothing keeps nobody from answering.
    let storm = "perl -MIO::Socket::UNIX -e 'for (1 .. 60) { push @s, IO::Socket::UNIX->new(\
        Peer => glob \".codex/es-guard/control/*\") } open(F, \">out/storm\"); close F; sleep 60' \
        > /dev/null 2>&1 & until [ -e out/storm ]; do :; done; echo $! > out/pid";
    session.agent(storm);
    let id = requests(&stage)[0]["id"].as_str().unwrap().to_owned();
    on_terminal(&stage, &["reject", &id], "rejected");
    session.human("kill $(cat out/pid)");
}

#[test]
fn a_grant_ends_and_is_for_its_path_alone() {
    let stage = stages(ZONE).remove(0);
    let guard = program(&stage);
    let mut session = Live::start(&stage, [""; 0]);
    for name in ["dir", "other"] {
        stage.directory(format!("zone/{name}"));
        stage.file(format!("zone/{name}/file"), "kept");
    }
    session.agent(&format!("{guard} request zone/dir/file"));
    let id = requests(&stage)[0]["id"].as_str().unwrap().to_owned();
    on_terminal(&stage, &["approve", &id], "granted");
    // The directory becomes a link to another: the grant does not follow it.
    session.allows("mv zone/dir zone/moved; ln -s other zone/dir");
    let before = stage.heartbeat();
    eventually("zones were resolved again", || {
        stage.heartbeat() > before + 2_000_000_000
    });
    session.denies("rm zone/dir/file");
    session.denies("rm zone/moved/file");
    assert!(stage.exists("zone/other/file"));

    session.agent(&format!("{guard} request zone/keep"));
    let id = requests(&stage)[1]["id"].as_str().unwrap().to_owned();
    on_terminal(&stage, &["approve", &id, "--for", "1s"], "granted");
    eventually("it expired", || state(&stage, &id) == "ended");
    session.denies("rm zone/keep");
    assert!(!stage.text(POLICY).contains(&id));
    // A person takes one back by editing the file.
    stage.file("zone/third", "kept");
    session.agent(&format!("{guard} request zone/third"));
    let id = requests(&stage)[2]["id"].as_str().unwrap().to_owned();
    on_terminal(&stage, &["approve", &id], "granted");
    stage.replace(POLICY, ZONE);
    eventually("it was taken back", || state(&stage, &id) == "ended");
    session.denies("rm zone/third");
}

#[test]
fn without_a_policy_file_the_guard_keeps_what_it_granted() {
    let stage = Stage::new(User::all()[0]);
    let mut session = Live::start(&stage, ["--protect", "zone"]);
    let id = asked(&stage, &mut session);
    on_terminal(&stage, &["approve", &id, "--once"], "granted");
    assert!(!stage.exists(POLICY));
    session.allows("rm zone/keep");
    eventually("it ended with its use", || state(&stage, &id) == "ended");
    stage.file("zone/keep", "again");
    session.denies("rm zone/keep");
}

#[test]
fn the_policy_may_grant_by_itself() {
    let policy = r#"{"protected_zones": ["~/zone"], "override_approval": "auto"}"#;
    let stage = stages(policy).remove(0);
    let guard = program(&stage);
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    let granted = session.agent(&format!(
        "{guard} request zone/keep --wait 1m && rm zone/keep"
    ));
    assert_eq!(granted.code, 0, "{granted:?}");
    assert!(!stage.exists("zone/keep"));
    let refused = session.agent(&format!("{guard} request zone"));
    assert_eq!(refused.code, 1, "{refused:?}");
    let request = requests(&stage).remove(0);
    assert_eq!(
        request["answered_by"],
        "the policy (override_approval is auto)"
    );
}

#[test]
fn an_agent_learns_why_at_once_and_of_its_own_session_only() {
    let stage = stages(ZONE).remove(0);
    let guard = program(&stage);
    let (mut other, mut session) = (Live::start(&stage, [""; 0]), Live::start(&stage, [""; 0]));
    other.denies("rm -rf zone");
    let none = session.agent(&format!("{guard} why"));
    assert_eq!(none.code, 1, "{none:?}");
    assert!(
        none.output
            .contains("nothing like that was denied in this session"),
        "{none:?}"
    );
    session.denies("rm zone/keep");
    session.denies("mv zone/keep out/");
    session.denies("rm zone/keep");
    let why = session.agent(&format!("{guard} why zone/keep --json"));
    let why: Value = serde_json::from_str(&why.output).unwrap();
    assert_eq!(
        (&why["count"], &why["final"]),
        (&2.into(), &true.into()),
        "{why}"
    );
    assert_eq!(why["denial"]["op"], "unlink");
    assert!(
        why["sentence"]
            .as_str()
            .unwrap()
            .contains("claude_code was stopped"),
        "{why}"
    );
    let ask = format!(
        "codex-es-guard request {}",
        stage.path("zone/keep").display()
    );
    assert_eq!(why["request"], ask.as_str());
    let id = why["id"].as_str().unwrap();
    let story = session.agent(&format!("{guard} why {id}"));
    assert!(story.output.contains("2 times since"), "{story:?}");
    assert!(story.output.contains(&ask), "{story:?}");
    // A person outside is shown the latest of all.
    let last = stage.run(["why", "last", "--json"]);
    let last: Value = serde_json::from_str(&last.stdout).unwrap();
    assert_eq!(last["denial"]["op"], "unlink");
}
