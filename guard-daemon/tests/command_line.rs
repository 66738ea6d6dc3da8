//! What the command line takes, answers, and leaves behind.
//!
//! The help texts are compared with the files in `tests/golden`; `UPDATE_GOLDEN=1 cargo test -p
//! codex-es-guard --test command_line` writes them.

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
    pub(crate) mod stage;
    pub(crate) mod table;
    pub(crate) mod users;
}

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use support::exporter;
use support::live::{Live, quote};
use support::stage::{Done, POLICY, Stage, finish};
use support::table;
use support::users::User;

#[test]
fn the_help_of_every_command() {
    let commands = [
        "",
        "run",
        "daemon",
        "demo",
        "denials",
        "explain",
        "hook",
        "mcp",
        "setup",
        "policy",
        "policy check",
        "policy show",
        "policy init",
        "policy replay",
        "policy suggest",
        "completions",
        "status",
        "top",
        "why",
        "request",
        "requests",
        "approve",
        "reject",
        "override",
        "override list",
        "override add",
        "override remove",
    ];
    let stage = stage();
    for command in commands {
        let words = command.split_whitespace().chain(["--help"]);
        let done = stage.run(words);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{command}");
        let name = if command.is_empty() { "help" } else { command };
        compare(&name.replace(' ', "-"), &done.stdout);
    }
    let listed = stage.run(["help"]).stdout;
    for command in commands
        .iter()
        .filter_map(|command| command.split(' ').next())
    {
        assert!(listed.contains(command), "{command} is listed");
    }
}

#[test]
fn the_daemon_is_not_offered_and_says_why() {
    let done = stage().run(["daemon"]);
    assert_eq!((done.code, done.stdout.as_str()), (125, ""));
    let why = "the daemon is for macOS: Linux lets no program refuse what all processes do";
    assert!(done.stderr.contains(why), "{}", done.stderr);
    assert!(done.stderr.contains("codex-es-guard run -- COMMAND"));
}

#[test]
fn the_version() {
    let done = stage().run(["--version"]);
    assert_eq!(
        done.stdout,
        concat!("codex-es-guard ", env!("CARGO_PKG_VERSION"), "\n")
    );
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
}

#[test]
fn what_is_mistyped_is_status_2() {
    let stage = stage();
    let cases: [(&[&str], &str); 7] = [
        (&[], "Usage: codex-es-guard <COMMAND>"),
        (&["rum"], "a similar subcommand exists: 'run'"),
        (&["run"], "required arguments were not provided"),
        (
            &["run", "--protct", "a", "--", "true"],
            "a similar argument exists: '--protect'",
        ),
        (&["explain"], "<PATH>"),
        (&["completions", "tcl"], "[possible values: bash"),
        (&["policy", "init"], "<DIR>"),
    ];
    for (words, says) in cases {
        stage.run(words).expect(2, &[says]);
    }
}

#[test]
fn what_a_terminal_obeys_is_escaped_for_people() {
    let stage = stage();
    stage.file(
        POLICY,
        "{\"protected_zones\": [\"~/zone\\u009b2J\\u001b[31m\"]}",
    );
    let path = "zone\u{9b}2J\u{1b}[31m/a\nb";
    for words in [&["explain", path][..], &["policy", "show"]] {
        let done = stage.run(words);
        let obeyed = |found: char| found.is_control() && found != '\n';
        assert!(!done.stdout.contains(obeyed), "{done:#?}");
        assert!(done.stdout.contains("\\u{9b}2J"), "{done:#?}");
    }
}

#[test]
fn explain_answers_with_its_status() {
    let stage = stage();
    stage.file("zone/package.json", "{}");
    fs::create_dir(stage.path("zone/node_modules")).unwrap();
    let cases: [(&[&str], i32, &str); 14] = [
        (&["zone/keep"], 1, "agent_in_zone"),
        (&["zone"], 1, "agent_in_zone"),
        (&["zone/keep", "--as", "human"], 0, "human"),
        (&["out/any"], 0, "outside_zones"),
        (&["zone/keep", "--op", "truncate"], 0, "not_judged"),
        (
            &["zone/keep", "--op", "rename", "--to", "out/keep"],
            1,
            "agent_in_zone",
        ),
        (
            &["zone/keep", "--op", "rename", "--to", "zone/kept"],
            0,
            "within_zones",
        ),
        (
            &["out/new", "--op", "rename", "--to", "zone/keep"],
            0,
            "replaced",
        ),
        (&["zone/node_modules/a/b", "--with", "npm"], 0, "scratch"),
        (&["zone/keep", "--with", "git rm -q"], 0, "trusted_tool"),
        (
            &["zone/keep", "--with", "git clean -fdx"],
            1,
            "agent_in_zone",
        ),
        (&["out/any", "--protect", "out"], 1, "agent_in_zone"),
        (&[POLICY], 1, "guard_files"),
        (&["zone/../zone/keep", "--as", "codex"], 1, "agent_in_zone"),
    ];
    for (words, code, reason) in cases {
        let spoken = stage.run(["explain"].iter().chain(words));
        assert_eq!(
            (spoken.code, spoken.stderr.as_str()),
            (code, ""),
            "{words:?}"
        );
        assert!(spoken.stdout.contains(reason), "{spoken:#?}");
        let printed = stage.run(["explain", "--json"].iter().chain(words));
        assert_eq!(printed.code, code);
        let answer = object(&printed);
        assert_eq!(answer["reason"], reason, "{words:?}");
        assert_eq!(answer["verdict"], if code == 0 { "allow" } else { "deny" });
    }
    let answer = object(&stage.run(["explain", "--json", "zone/keep"]));
    assert_eq!(answer["path"], json!(stage.path("zone/keep")));
    assert_eq!(
        (&answer["zone"], &answer["agent"]),
        (&json!("zone"), &json!("claude_code"))
    );

    stage.run(["explain", "a", "--op", "erase"]).expect(
        2,
        &[
            "possible values: unlink, rename",
            "a similar value exists: 'rename'",
        ],
    );
    stage
        .run(["explain", "a", "--op", "rename"])
        .expect(125, &["rename takes --to PATH"]);
    stage
        .run(["explain", "a", "--to", "b"])
        .expect(125, &["unlink takes no --to"]);
    // It writes nothing.
    assert!(!stage.exists(".codex/es-guard"));
}

#[test]
fn an_agent_may_ask_what_it_may_do() {
    let stage = stage();
    let guard = quote(&stage.program().display().to_string());
    let mut session = Live::start(&stage, [""; 0]);
    for (words, code) in [
        ("explain zone/keep", 1),
        ("policy check", 0),
        ("policy show", 0),
    ] {
        let answer = session.agent(&format!("{guard} {words}"));
        assert_eq!(answer.code, code, "{answer:?}");
        assert!(!answer.output.contains("warning"), "{answer:?}");
    }
    assert!(stage.events(guard_core::ring::Lane::Deny).is_empty());
    session.end().expect(0, &[]);
}

#[test]
fn policy_check_says_what_is_wrong_and_where() {
    let stage = stage();
    let good = stage.run(["policy", "check"]);
    good.expect(0, &[]);
    assert!(good.stdout.ends_with("es_policy.json: good\n"));
    assert_eq!(
        object(&stage.run(["policy", "check", "--json"])),
        json!({
            "file": stage.path(POLICY), "ok": true, "warnings": [],
        })
    );

    stage.file("bad.json", "{\n  \"protected_zone\": []\n}\n");
    let says = "bad.json: line 2, column 3: unknown field `protected_zone` (did you mean `protected_zones`?)";
    stage
        .run(["policy", "check", "bad.json"])
        .expect(1, &[says]);
    let answer = stage.run(["policy", "check", "--json", "bad.json"]);
    assert_eq!(answer.code, 1);
    assert_eq!(
        object(&answer),
        json!({
            "file": "bad.json", "ok": false, "line": 2, "column": 3,
            "problem": "unknown field `protected_zone` (did you mean `protected_zones`?)",
        })
    );

    stage.file("empty.json", "{}");
    stage
        .run(["policy", "check", "empty.json"])
        .expect(0, &["no zone is protected"]);
    stage
        .run(["policy", "check", "out"])
        .expect(1, &["Is a directory"]);
    let answer = object(&stage.run(["policy", "check", "--json", "/dev/zero"]));
    assert_eq!(answer["problem"], "it is not a regular file");
    stage.run(["policy", "check", "none.json"]).expect(
        125,
        &["none.json; codex-es-guard policy init DIR writes one"],
    );
    assert!(!stage.exists(".codex/es-guard"));
}

#[test]
fn policy_show_fills_in_the_defaults() {
    let stage = stage();
    let spoken = stage.run(["policy", "show", "--protect", "out"]);
    spoken.expect(0, &[]);
    for line in [
        "mode        enforce",
        "operations  unlink, rename, exchange",
        "zone        out  /",
    ] {
        assert!(spoken.stdout.contains(line), "{spoken:#?}");
    }
    let answer = object(&stage.run(["policy", "show", "--json"]));
    let zone = stage.path("zone");
    assert_eq!(answer["zones"], json!([{ "name": "zone", "path": zone }]));
    assert_eq!(
        (&answer["mode"], &answer["current"]),
        (&json!("enforce"), &json!(true))
    );
    assert_eq!(
        answer["operations"],
        json!(["unlink", "rename", "exchange"])
    );
}

#[test]
fn policy_init_writes_once() {
    let stage = Stage::new(User::all()[0]);
    stage.file("zone/package.json", "{}");
    fs::create_dir(stage.path("zone/dist")).unwrap();
    let done = stage.run(["policy", "init", "zone", "out/../out"]);
    done.expect(0, &[]);
    assert!(done.stdout.contains("zone/dist is built again"));
    assert!(done.stdout.contains("next: codex-es-guard run -- claude"));
    let text = stage.text(POLICY);
    let written: Value = serde_json::from_str(&text).unwrap();
    let zones = json!([stage.path("zone"), stage.path("out")]);
    assert_eq!(written["protected_zones"], zones);
    assert_eq!(
        written["disposable_paths"],
        json!([stage.path("zone/dist")])
    );
    let mode = fs::metadata(stage.path(POLICY))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    stage.run(["policy", "check"]).expect(0, &[]);

    stage
        .run(["policy", "init", "other"])
        .expect(125, &["exists already; add to its protected_zones"]);
    assert_eq!(stage.text(POLICY), text);
    stage
        .run(["policy", "init", "zone", "--policy", "other/p.json"])
        .expect(0, &[]);
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    session.denies("rmdir out");
    session.end().expect(0, &[]);
}

#[test]
fn completions_for_every_shell() {
    let stage = stage();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = stage.run(["completions", shell]);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{shell}");
        for word in ["run", "explain", "policy", "protect"] {
            assert!(done.stdout.contains(word), "{word} for {shell}");
        }
        stage.file("out/script", done.stdout);
        if shell == "bash" {
            finish(
                stage
                    .command("bash")
                    .args(["-n", "out/script"])
                    .spawn()
                    .unwrap(),
            )
            .expect(0, &[]);
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let stage = stage();
    let commands = [
        "--help",
        "run --help",
        "completions bash",
        "policy show",
        "policy show --json",
        "policy check --json",
        "explain zone/keep",
        "explain --json zone/keep",
    ];
    for command in commands {
        for reader in ["head -n 1", "true"] {
            let script = format!("\"$0\" {command} | {reader}; exit ${{PIPESTATUS[0]}}");
            let mut shell = stage.command("bash");
            let done = finish(
                shell
                    .args(["-c", &script])
                    .arg(stage.program())
                    .spawn()
                    .unwrap(),
            );
            assert!(
                done.code < 2 && done.stderr.is_empty(),
                "{command} | {reader}: {done:#?}"
            );
        }
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let stage = stage();
    for words in [
        &["explain", "zone/keep"][..],
        &["explain"],
        &["policy", "check", "out"],
    ] {
        let done = stage.run(words);
        assert!(
            !done.stdout.contains('\x1b') && !done.stderr.contains('\x1b'),
            "{done:#?}"
        );
    }
    // `script` provides a terminal.
    let found = stage.command("script").arg("--version").status();
    if !found.is_ok_and(|status| status.success()) {
        table::skip("colours on a terminal", "script").unwrap();
        return;
    }
    let guard = quote(&stage.program().display().to_string());
    let on_terminal = |no_colour: &str| {
        let mut command = stage.command("script");
        let explain = format!("{guard} explain zone/keep");
        command.args(["-qec", &explain, "/dev/null"]);
        finish(
            command
                .env("TERM", "xterm")
                .env("NO_COLOR", no_colour)
                .spawn()
                .unwrap(),
        )
    };
    let (plain, coloured) = (on_terminal("1"), on_terminal(""));
    assert_eq!((plain.code, coloured.code), (1, 1));
    assert!(coloured.stdout.contains("\x1b[31m"), "{coloured:#?}");
    assert!(!plain.stdout.contains('\x1b'), "{plain:#?}");
}

#[test]
fn a_home_that_makes_no_sense_is_refused() {
    let stage = stage();
    for words in [
        &["run", "--", "touch", "out/ran"][..],
        &["policy", "show"],
        &["explain", "a"],
    ] {
        let without = finish(stage.guard(words).env_remove("HOME").spawn().unwrap());
        without.expect(
            125,
            &["HOME is not set; set it to the protected user's home directory"],
        );
        let empty = finish(stage.guard(words).env("HOME", "").spawn().unwrap());
        empty.expect(125, &["HOME is not set"]);
        let relative = finish(
            stage
                .guard(words)
                .env("HOME", "some/where")
                .spawn()
                .unwrap(),
        );
        relative.expect(125, &["HOME is some/where, which is not an absolute path"]);
    }
    assert!(!stage.exists("out/ran"));
}

#[test]
fn run_passes_the_commands_status_on() {
    let stage = stage();
    let run = |words: &[&str]| stage.run(["run", "--no-exporter", "--"].iter().chain(words));
    assert_eq!(run(&["true"]).code, 0);
    assert_eq!(run(&["sh", "-c", "exit 42"]).code, 42);
    assert_eq!(run(&["sh", "-c", "kill -TERM $$"]).code, 128 + 15);
    run(&["no-such-program"]).expect(
        127,
        &["cannot run no-such-program: No such file or directory"],
    );
    run(&["./out"]).expect(126, &["cannot run ./out: Permission denied"]);
    let mut command = stage.guard(["run", "--no-exporter", "--"]);
    let mut session = Live::of({
        command.arg("bash");
        command
    });
    session.denies("rm zone/keep");
    session.end().expect(0, &[]);
}

#[test]
fn the_demo_goes_well_and_leaves_nothing() {
    exporter::build();
    for user in User::all().into_iter().take(1) {
        let stage = Stage::new(user);
        let mut command = stage.guard(["demo"]);
        let done = finish(command.env("TMPDIR", stage.path("out")).spawn().unwrap());
        assert_eq!(done.code, 0, "{done:#?}");
        for text in [
            "Every answer was the one expected.",
            "DENIED",
            "allowed",
            "\"op\":\"unlink\"",
            "guard_decisions_total",
        ] {
            assert!(done.stdout.contains(text), "{text} in {done:#?}");
        }
        assert_eq!(fs::read_dir(stage.path("out")).unwrap().count(), 0);
        assert!(
            !stage.exists(".codex"),
            "the user's own places are not touched"
        );
        support::stage::eventually("no process is left", || !is_named(&stage.path("out")));
    }
}

/// Whether a process's environment or command line names this path.
fn is_named(path: &Path) -> bool {
    let name = path.as_os_str().as_encoded_bytes();
    let names_it = |file: std::path::PathBuf| {
        let text = fs::read(file).unwrap_or_default();
        text.windows(name.len()).any(|window| window == name)
    };
    let me = std::process::id().to_string();
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(Result::ok)
        .any(|entry| {
            let is_process = entry
                .file_name()
                .to_str()
                .is_some_and(|pid| pid != me && pid.bytes().all(|byte| byte.is_ascii_digit()));
            is_process
                && (names_it(entry.path().join("environ"))
                    || names_it(entry.path().join("cmdline")))
        })
}

/// Compares a text with the one kept.
fn compare(name: &str, text: &str) {
    let text: String = text
        .lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(kept.parent().unwrap()).unwrap();
        fs::write(kept, text).unwrap();
        return;
    }
    let expected = fs::read_to_string(&kept).unwrap();
    assert_eq!(
        text,
        expected,
        "{} differs; see this file's head",
        kept.display()
    );
}

fn object(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:#?}"))
}

fn stage() -> Stage {
    Stage::with_policy(User::all()[0], r#"{"protected_zones": ["~/zone"]}"#)
}
