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
    pub(crate) mod stage;
    pub(crate) mod users;
}

use serde_json::Value;
use std::path::Path;
use support::live::Live;
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
}
