//! Hooks of agents: for each input in `hooks/` the answer that the agent reads.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

use guard_core::DecisionEvent;
use guard_core::OperationKind;
use guard_core::ring::Producer;
use guard_testing::clock::now_ns;
use guard_testing::events::DENIAL;
use guard_testing::home::Home;
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A home in which a file was kept from this very process, as if it were an agent.
fn denied_once() -> (Home, Producer) {
    let home = Home::new();
    let ring = home.ring(7);
    ring.publish(&denial(b"/home/u/project/main.rs"));
    (home, ring)
}

fn denial(path: &[u8]) -> DecisionEvent<'_> {
    DecisionEvent {
        wall_ns: now_ns(),
        agent_pid: Some(std::process::id()),
        operation: OperationKind::Unlink,
        destination: None,
        path,
        ..DENIAL
    }
}

/// What the hook of `agent` answers.
fn hook(home: &Home, agent: &str, input: &[u8]) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_guard-companion"))
        .args(["hook", agent])
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who refuses a whole input closes its end.
    let _refused = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stderr, b"", "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn counts(home: &Home) -> Value {
    let text = fs::read(home.path().join(".local/state/codex-es-guard/hooks.json")).unwrap();
    serde_json::from_slice::<Value>(&text).unwrap()["counts"].take()
}

/// Puts a text where an answer has `$TEXT`.
fn with_text(answer: &Value, text: &str) -> Value {
    match answer {
        Value::String(place) if place == "$TEXT" => text.into(),
        Value::Array(items) => items.iter().map(|item| with_text(item, text)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(name, field)| (name.clone(), with_text(field, text)))
                .collect()
        }
        other => other.clone(),
    }
}

const TEXT: &str = "codex-es-guard: denied op=unlink path=/home/u/project/main.rs zone=project \
    reason=agent_in_zone id=07070707-0 count=1\n\
    /home/u/project/main.rs was kept: only a person may remove it (zone \"project\"). A file guard \
    that the person runs decided this, not the file's mode, not the agent's sandbox. It is final for \
    this path, whichever program tries, until a person answers a request.\n\
    Possible now: leave it and go on; change its contents instead, which is allowed and can be undone; \
    move nothing out of the zone.\n\
    If it is needed for the task: ask the person by the tool request_security_override of the MCP \
    server codex-es-guard, or by `codex-es-guard request /home/u/project/main.rs --because REASON \
    --wait 2m`, once.\n";

#[test]
fn each_agent_reads_the_denial_in_its_own_format() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hooks");
    let mut agents = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let agent = case["agent"].as_str().unwrap();
        let (home, _ring) = denied_once();
        let answer = hook(&home, agent, case["input"].to_string().as_bytes());
        let name = path.display();
        if case["output"].is_null() {
            assert_eq!(answer, "", "{name}");
            assert_eq!(counts(&home)[agent], json!({"silent": 1}), "{name}");
        } else {
            let answer: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(answer, with_text(&case["output"], TEXT), "{name}");
            assert_eq!(counts(&home)[agent], json!({"answered": 1}), "{name}");
            agents.push(agent.to_owned());
        }
    }
    for agent in guard_report::companion::HOOKS {
        assert!(agents.iter().any(|shown| shown == agent), "{agent}");
    }
}

#[test]
fn what_is_no_hook_s_input_is_counted_and_answered_with_nothing() {
    let (home, _ring) = denied_once();
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let inputs: [&[u8]; 8] = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"{\"hook_event_name\": 7}",
        deep.as_bytes(),
    ];
    for agent in guard_report::companion::HOOKS {
        for input in inputs {
            assert_eq!(hook(&home, agent, input), "", "{agent}");
        }
        assert_eq!(counts(&home)[agent], json!({"not_understood": 8}));
    }
    assert_eq!(hook(&home, "nobody", b"{}"), "");
    assert_eq!(counts(&home)["nobody"], json!({"not_understood": 1}));
}

const CALL: &[u8] = br#"{"hook_event_name": "PostToolUseFailure", "session_id": "s-1"}"#;
/// Shorter than the minute since the earlier call, and longer than a busy machine takes to start a hook.
const SHORT: &[u8] = br#"{"hook_event_name": "PostToolUse", "duration_ms": 30000}"#;

#[test]
fn a_denial_is_shown_once_and_only_to_its_agent_and_call() {
    let (home, ring) = denied_once();
    ring.publish(&DecisionEvent {
        agent_pid: Some(std::process::id() + 1),
        session: b"another",
        ..denial(b"/home/u/project/of-another-agent")
    });
    ring.publish(&DecisionEvent {
        wall_ns: now_ns() - 60_000_000_000,
        ..denial(b"/home/u/project/of-an-earlier-call")
    });
    let answer = hook(&home, "claude", SHORT);
    assert!(answer.contains("main.rs"), "{answer}");
    assert!(!answer.contains("of-a"), "{answer}");
    assert_eq!(hook(&home, "claude", SHORT), "", "it was shown");
    // A call that took longer, as its hook says by saying nothing.
    let answer = hook(&home, "claude", CALL);
    assert!(answer.contains("of-an-earlier-call"), "{answer}");
    assert!(
        !answer.contains("of-another-agent") && !answer.contains("main.rs"),
        "{answer}"
    );
    // One whose process is gone, by the session that both name.
    ring.publish(&DecisionEvent {
        agent_pid: Some(std::process::id() + 1),
        ..denial(b"/home/u/project/of-a-lost-child")
    });
    assert!(hook(&home, "claude", CALL).contains("of-a-lost-child"));
}

#[test]
fn equal_denials_become_a_count() {
    let (home, ring) = denied_once();
    for _ in 1..21 {
        ring.publish(&denial(b"/home/u/project/main.rs"));
    }
    let answer = hook(&home, "claude", CALL);
    assert!(
        answer.contains("count=21\\nThe same was denied 21 times"),
        "{answer}"
    );
    assert!(answer.contains("Stop trying"), "{answer}");
    assert_eq!(
        answer.matches("codex-es-guard: denied").count(),
        1,
        "{answer}"
    );
}

#[test]
fn hooks_at_the_same_time_show_a_denial_once() {
    let (home, _ring) = denied_once();
    let answers: Vec<String> = std::thread::scope(|scope| {
        let hooks: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| hook(&home, "claude", CALL)))
            .collect();
        hooks.into_iter().map(|hook| hook.join().unwrap()).collect()
    });
    let shown = answers.iter().filter(|answer| !answer.is_empty());
    assert_eq!(shown.count(), 1, "{answers:?}");
    assert_eq!(counts(&home)["claude"], json!({"answered": 1, "silent": 7}));
}
