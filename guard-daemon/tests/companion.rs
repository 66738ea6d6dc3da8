//! What the companion program does for the agents of a real session.

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
    pub(crate) mod beside;
    pub(crate) mod live;
    pub(crate) mod pty;
    pub(crate) mod stage;
    pub(crate) mod users;
}

use serde_json::{Value, json};
use std::path::Path;
use support::live::{Live, quote};
use support::pty::Terminal;
use support::stage::{Stage, copy_program};
use support::users::User;

const POLICY: &str = r#"{"protected_zones": ["~/zone"]}"#;

/// A stage for each user that the tester can be, with both programs.
fn stages() -> Vec<Stage> {
    support::beside::build("guard-companion");
    let built = Path::new(env!("CARGO_BIN_EXE_codex-es-guard")).with_file_name("guard-companion");
    let users = User::all().into_iter();
    users
        .map(|user| {
            let stage = Stage::with_policy(user, POLICY);
            let beside = stage.program().with_file_name("guard-companion");
            if !beside.exists() {
                copy_program(&built, &beside);
            }
            stage
        })
        .collect()
}

/// A shell command that runs an agent's hook after a failed call.
fn hook(stage: &Stage, agent: &str) -> String {
    let input =
        r#"{"hook_event_name": "PostToolUseFailure", "session_id": "s", "duration_ms": 9999}"#;
    let program = stage.program();
    format!("echo '{input}' | {} hook {agent}", program.display())
}

#[test]
fn a_hook_reports_the_denial_of_its_own_agent_at_once() {
    for stage in stages() {
        let mut session = Live::start(&stage, [""; 0]);
        let hook = hook(&stage, "claude");
        let answer = session.agent(&format!("rm zone/keep 2> /dev/null; {hook}"));
        let answer: Value = serde_json::from_str(&answer.output).unwrap_or_else(|error| {
            panic!("{error}: {answer:?}");
        });
        let text = answer["hookSpecificOutput"]["additionalContext"]
            .as_str()
            .unwrap();
        let path = stage.path("zone/keep").display().to_string();
        let fact =
            format!("codex-es-guard: denied op=unlink path={path} zone=zone reason=agent_in_zone ");
        assert!(text.starts_with(&fact), "{text}");
        assert_eq!(
            answer["hookSpecificOutput"]["hookEventName"],
            "PostToolUseFailure"
        );
        // Neither another agent of the session nor the person is concerned.
        let others = [session.agent(&hook), session.human(&hook)];
        for other in others {
            assert_eq!((other.code, other.output.as_str()), (0, ""));
        }
    }
}

#[test]
fn without_the_companion_a_hook_succeeds_and_a_server_says_what_is_missing() {
    let stage = Stage::with_policy(User::all()[0], POLICY);
    stage.directory("alone");
    let alone = stage.path("alone/codex-es-guard");
    copy_program(&stage.program(), &alone);
    let run = |command: &str| {
        let done = stage
            .command(&alone)
            .args(command.split(' '))
            .spawn()
            .unwrap();
        support::stage::finish(done)
    };
    let done = run("hook claude");
    assert_eq!(
        (done.code, done.stdout.as_str(), done.stderr.as_str()),
        (0, "", "")
    );
    let done = run("mcp");
    done.expect(
        125,
        &["there is no guard-companion beside codex-es-guard or in PATH"],
    );
}

/// A client of the Model Context Protocol: starts the server, sends one message at a time, and waits
/// for the answer of each that has an id. Prints the answers, one a line.
const CLIENT: &str = r#"
import json, subprocess, sys
server = subprocess.Popen([sys.argv[1], "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
for message in json.loads(sys.argv[2]):
    server.stdin.write(json.dumps(message).encode() + b"\n")
    server.stdin.flush()
    if "id" in message:
        sys.stdout.write(server.stdout.readline().decode())
server.stdin.close()
sys.exit(server.wait())
"#;

/// What the server answers an agent of the session, each message in turn.
fn answers(stage: &Stage, session: &mut Live, messages: &Value) -> Vec<Value> {
    stage.file("client.py", CLIENT);
    let program = stage.program();
    let answer = session.agent(&format!(
        "python3 client.py {} {}",
        program.display(),
        quote(&messages.to_string())
    ));
    assert_eq!(answer.code, 0, "{answer:?}");
    let lines = answer.output.lines();
    lines
        .map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
        })
        .collect()
}

/// The messages that call a tool, in the revision before 2026-07-28.
fn with_handshake(method: &str, params: &Value) -> Value {
    json!([
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": method, "params": params},
    ])
}

/// The same in the revision 2026-07-28.
fn complete_in_itself(method: &str, params: &Value) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut params = params.clone();
    params["_meta"] = meta.clone();
    json!([
        {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}},
        {"jsonrpc": "2.0", "id": 2, "method": method, "params": params},
    ])
}

/// What a tool answers an agent of the session.
fn call(stage: &Stage, session: &mut Live, tool: &str, arguments: &Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    let messages = with_handshake("tools/call", &params);
    let result = answers(stage, session, &messages).swap_remove(1)["result"].take();
    // The same as text, for clients that know nothing else.
    let text = result["content"][0]["text"].as_str().unwrap();
    let text: Value = serde_json::from_str(text).unwrap();
    assert_eq!(text, result["structuredContent"], "{result}");
    result
}

#[test]
fn an_agent_asks_over_the_protocol_and_goes_on_when_a_person_approves() {
    for stage in stages() {
        let mut session = Live::start(&stage, [""; 0]);
        let path = stage.path("zone/keep").display().to_string();
        let call = |session: &mut Live, tool: &str, arguments: Value| {
            let result = call(&stage, session, tool, &arguments);
            assert_eq!(result["isError"], false, "{result}");
            result["structuredContent"].clone()
        };
        session.denies("rm zone/keep");
        let denials = call(&mut session, "list_denials", json!({}));
        assert_eq!(denials["in_session"], true);
        assert_eq!(denials["denials"][0]["denial"]["path"], json!(path));
        assert_eq!(denials["denials"][0]["final"], true);
        let explained = call(&mut session, "explain_path", json!({"path": "zone/keep"}));
        assert_eq!(
            (
                &explained["verdict"],
                &explained["reason"],
                &explained["requests"]
            ),
            (&json!("deny"), &json!("agent_in_zone"), &json!([]))
        );
        let arguments = json!({"path": "zone/keep", "operation": "unlink", "reason": "it is replaced",
                               "minutes": 5});
        let asked = call(&mut session, "request_security_override", arguments.clone());
        assert_eq!(
            (&asked["state"], &asked["path"]),
            (&json!("open"), &json!(path))
        );
        assert_eq!(asked["agent"], "claude_code");
        assert_eq!(asked["because"], "it is replaced (needed for 5 minutes)");
        let again = call(&mut session, "request_security_override", arguments);
        assert_eq!(again["id"], asked["id"]);
        let id = asked["id"].as_str().unwrap();
        session.denies("rm zone/keep");

        let mut terminal = Terminal::start(stage.guard(["approve", id, "--once"]));
        terminal.expect("granted");
        let _status = terminal.end();
        let status = call(&mut session, "override_status", json!({"id": id}));
        assert_eq!(status["requests"][0]["state"], "granted");
        session.allows("rm zone/keep");
        support::stage::eventually("the override ended", || {
            let status = call(&mut session, "override_status", json!({}));
            status["requests"][0]["state"] == "ended"
        });
        let explained = call(&mut session, "explain_path", json!({"path": path}));
        assert_eq!(explained["requests"][0]["id"], asked["id"]);
    }
}

#[test]
fn both_revisions_of_the_protocol_are_spoken() {
    let stage = stages().remove(0);
    let mut session = Live::start(&stage, [""; 0]);
    let names = |answer: &Value| -> Vec<String> {
        let tools = answer["result"]["tools"].as_array().unwrap().iter();
        tools
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let expected = [
        "list_denials",
        "explain_path",
        "request_security_override",
        "override_status",
    ];
    let old = answers(
        &stage,
        &mut session,
        &with_handshake("tools/list", &json!({})),
    );
    assert_eq!(old[0]["result"]["protocolVersion"], "2025-11-25", "{old:?}");
    assert_eq!(old[0]["result"]["serverInfo"]["name"], "codex-es-guard");
    assert_eq!(names(&old[1]), expected);
    assert_eq!(old[1]["result"]["resultType"], Value::Null, "{old:?}");
    let new = answers(
        &stage,
        &mut session,
        &complete_in_itself("tools/list", &json!({})),
    );
    let versions = new[0]["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{new:?}");
    assert_eq!(names(&new[1]), expected);
    let params = json!({"name": "list_denials", "arguments": {}});
    let new = answers(
        &stage,
        &mut session,
        &complete_in_itself("tools/call", &params),
    );
    assert_eq!(new[1]["result"]["resultType"], "complete", "{new:?}");
    assert_eq!(new[1]["result"]["structuredContent"]["denials"], json!([]));
}

#[test]
fn a_tool_that_cannot_do_it_says_why_and_opens_nothing() {
    let stage = stages().remove(0);
    let mut session = Live::start(&stage, [""; 0]);
    let rows = [
        (
            "request_security_override",
            json!({"path": "zone"}),
            "the root of zone",
        ),
        (
            "request_security_override",
            json!({"path": "/"}),
            "/ is never opened",
        ),
        (
            "request_security_override",
            json!({"path": "~/zone/keep", "operation": "all"}),
            "all",
        ),
        (
            "request_security_override",
            json!({"path": "zone/keep", "minutes": 0}),
            "1 to 1440",
        ),
        (
            "request_security_override",
            json!({"path": 7}),
            "path should be a path",
        ),
        (
            "request_security_override",
            json!({}),
            "path should be a path",
        ),
        (
            "explain_path",
            json!({"path": "zone/keep", "operation": "--help"}),
            "--help",
        ),
        (
            "override_status",
            json!({"id": "nothing-1"}),
            "no request nothing-1",
        ),
        ("list_denials", json!({"limit": 1000}), "1 to 50"),
    ];
    for (tool, arguments, why) in rows {
        let result = call(&stage, &mut session, tool, &arguments);
        assert_eq!(result["isError"], true, "{arguments}: {result}");
        let error = result["structuredContent"]["error"].as_str().unwrap();
        assert!(error.contains(why), "{arguments}: {error}");
    }
    let params = json!({"name": "approve", "arguments": {"id": "x"}});
    let answer = answers(&stage, &mut session, &with_handshake("tools/call", &params));
    assert_eq!(answer[1]["error"]["code"], -32602, "{answer:?}");
    session.denies("rm zone/keep");
}
