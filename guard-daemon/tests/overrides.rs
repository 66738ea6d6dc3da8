//! What a person opens by hand, what they are shown of it, and who is shown what is requested.

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

use guard_core::ring::Counter;
use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};
use support::live::Live;
use support::pty::Terminal;
use support::stage::{POLICY, Stage, copy_program, eventually};
use support::users::User;

const ZONE: &str = "{\n  \"protected_zones\": [\"~/zone\"],\n  \"temporary_overrides\": []\n}\n";

fn stage(policy: &str) -> Stage {
    Stage::with_policy(User::all()[0], policy)
}

fn program(stage: &Stage) -> String {
    stage.program().display().to_string()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// An agent asks for `zone/keep`; the request.
fn ask(stage: &Stage, session: &mut Live) -> Value {
    let asked = session.agent(&format!(
        "{} request zone/keep --because 'it is old' --json",
        program(stage)
    ));
    assert_eq!(asked.code, 0, "{asked:?}");
    json(&asked.output)
}

#[test]
fn a_person_adds_lists_and_removes_an_override() {
    let stage = stage(ZONE);
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    let keep = stage.path("zone/keep").display().to_string();
    let added = stage.run(["override", "add", &keep, "--op", "unlink", "--json"]);
    let added = json(&added.stdout);
    eventually("it is in force", || {
        stage.counter(Counter::PolicyReloads) > 0
    });
    session.denies("mv zone/keep out/");
    session.allows("rm zone/keep");
    let listed = json(&stage.run(["override", "list", "--json"]).stdout);
    assert_eq!(listed[0]["id"], added["id"], "{listed}");
    assert_eq!(listed[0]["path"], keep.as_str());
    assert_eq!(listed[0]["in_force"], true);
    let shown = stage.run(["override", "list"]).stdout;
    assert!(shown.contains(&keep) && shown.contains("until"), "{shown}");

    let reloads = stage.counter(Counter::PolicyReloads);
    let removed = stage.run(["override", "remove", &keep]);
    assert_eq!(removed.code, 0, "{removed:?}");
    assert_eq!(stage.text(POLICY), ZONE);
    stage.file("zone/keep", "again");
    eventually("it is no longer in force", || {
        stage.counter(Counter::PolicyReloads) > reloads
    });
    session.denies("rm zone/keep");
    let none = stage.run(["override", "remove", &keep]);
    none.expect(1, &["there is no override"]);

    // What is over goes when the guard sees it.
    stage.run(["override", "add", &keep, "--for", "1s"]);
    eventually("it was removed", || stage.text(POLICY) == ZONE);
    for (path, why) in [
        ("zone", "the root of zone"),
        (".", "the home directory"),
        ("out/x", "nothing denies it"),
    ] {
        let refused = stage.run(["override", "add", path]);
        refused.expect(125, &[why]);
    }
    stage
        .run(["override", "add", &keep, "--for", "25h"])
        .expect(125, &["24 hours"]);
}

#[test]
fn no_agent_adds_or_removes_an_override() {
    let stage = stage(ZONE);
    let guard = program(&stage);
    let mut session = Live::start(&stage, [""; 0]);
    for way in ["add zone/keep", "remove zone/keep"] {
        let answer = session.agent(&format!("{guard} override {way}"));
        assert!(
            answer.output.contains("descends from claude_code"),
            "{answer:?}"
        );
        assert_ne!(answer.code, 0);
        // One whose agent is gone is refused by the kernel.
        session.agent(&format!(
            "rm -f out/said; (setsid bash -c 'while kill -0 '$$' 2> /dev/null; do :; done; \
             {guard} override {way} > out/said 2>&1; echo over >> out/said' &)"
        ));
        eventually("it was answered", || {
            stage.text("out/said").ends_with("over\n")
        });
        let said = stage.text("out/said");
        let refused = said.contains("Operation not permitted") || said.contains("no override");
        assert!(refused, "{way}: {said}");
        assert_eq!(stage.text(POLICY), ZONE, "{way}");
    }
    // A person in the session may.
    let added = session.human(&format!("{guard} override add zone/keep"));
    assert_eq!(added.code, 0, "{added:?}");
}

#[test]
fn at_most_512_overrides_fit() {
    let entries: Vec<String> = (0..512)
        .map(|number| format!("\"~/zone/{number}\""))
        .collect();
    let policy = format!(
        "{{\"protected_zones\": [\"~/zone\"], \"temporary_overrides\": [{}]}}",
        entries.join(", ")
    );
    let stage = stage(&policy);
    let refused = stage.run(["override", "add", "zone/keep"]);
    refused.expect(125, &["there are 512 overrides already"]);
    let mut session = Live::start(&stage, [""; 0]);
    let id = ask(&stage, &mut session)["id"].as_str().unwrap().to_owned();
    let refused = session.human(&format!("{} approve {id}", program(&stage)));
    assert!(
        refused.output.contains("512 overrides already"),
        "{refused:?}"
    );
    assert_eq!(stage.text(POLICY), policy);
}

#[test]
fn approving_shows_what_it_opens_and_what_undo_keeps() {
    let stage = stage(ZONE);
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    let request = ask(&stage, &mut session);
    assert_eq!(request["denials"], 1, "{request}");
    let id = request["id"].as_str().unwrap();
    let shown = session.human(&format!("{} approve {id}", program(&stage)));
    let text = &shown.output;
    assert!(
        text.contains("a file of 18 B; undo keeps what goes"),
        "{text}"
    );
    assert!(text.contains("because: it is old, denied once"), "{text}");
    session.end();
    // The guard ends after its command.
    eventually("the grant went with its session", || {
        stage.text(POLICY) == ZONE
    });

    let off = r#"{"protected_zones": ["~/zone"], "undo": false}"#;
    stage.file(POLICY, off);
    let mut session = Live::start(&stage, [""; 0]);
    let id = ask(&stage, &mut session)["id"].as_str().unwrap().to_owned();
    let shown = session.human(&format!("{} approve {id}", program(&stage)));
    assert!(shown.output.contains("undo keeps NOTHING"), "{shown:?}");
}

#[test]
fn every_step_of_a_request_is_an_event() {
    let stage = stage(ZONE);
    let guard = program(&stage);
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/keep");
    session.denies("rm zone/keep");
    let id = ask(&stage, &mut session)["id"].as_str().unwrap().to_owned();
    assert_eq!(stage.counter(Counter::OpenRequests), 1);
    session.human(&format!("{guard} approve {id} --once"));
    assert_eq!(stage.counter(Counter::OpenRequests), 0);
    session.allows("rm zone/keep");
    let agent = Some("claude_code".to_owned());
    let step = |name, denials| (name, agent.clone(), denials);
    let spent = ["requested", "granted", "used", "spent"].map(|name| step(name, 2));
    eventually("it was used", || stage.steps() == spent);
    for name in ["other", "third"] {
        stage.file(format!("zone/{name}"), "kept");
        session.agent(&format!("{guard} request zone/{name}"));
    }
    let id = id.replace("-1", "-2");
    session.human(&format!("{guard} reject {id}"));
    session.end();
    let mut all = spent.to_vec();
    for name in ["requested", "requested", "rejected", "unanswered"] {
        all.push(step(name, 0));
    }
    // The guard ends after its command.
    eventually("all steps are there", || stage.steps() == all);
    // What a person does by hand is an event as well.
    let keep = stage.path("zone/other").display().to_string();
    stage.run(["override", "add", &keep, "--agent", "codex"]);
    stage.run(["override", "remove", &keep]);
    let by_hand: Vec<_> = stage
        .steps()
        .into_iter()
        .filter(|step| !all.contains(step))
        .collect();
    let names: Vec<_> = by_hand
        .iter()
        .map(|(name, agent, _)| (*name, agent.as_deref()))
        .collect();
    assert!(names.contains(&("granted", Some("codex"))), "{names:?}");
    assert!(names.contains(&("withdrawn", Some("codex"))), "{names:?}");
}

#[test]
fn the_policy_s_command_shows_a_person_what_is_requested() {
    let policy = r#"{"protected_zones": ["~/zone"], "notify_command": "cat >> ~/out/notified"}"#;
    let stage = stage(policy);
    let mut session = Live::start(&stage, [""; 0]);
    let request = ask(&stage, &mut session);
    // The same again is nothing new.
    ask(&stage, &mut session);
    eventually("it was run", || stage.text("out/notified").ends_with('\n'));
    let notified = json(&stage.text("out/notified"));
    assert_eq!(notified["event"], "requested", "{notified}");
    assert_eq!(notified["request"], request);
    let id = request["id"].as_str().unwrap();
    assert_eq!(notified["approve"], format!("codex-es-guard approve {id}"));
    session.end();

    // One that never ends keeps nobody waiting: the session answers, and ends.
    let slow = r#"{"protected_zones": ["~/zone"], "override_approval": "auto",
        "notify_command": ["sleep", "1000"]}"#;
    stage.file(POLICY, slow);
    let mut session = Live::start(&stage, [""; 0]);
    let granted = ask(&stage, &mut session);
    assert_eq!(granted["state"], "granted", "{granted}");
    session.allows("rm zone/keep");
    session.end();
}

#[test]
fn the_companion_shows_a_person_what_is_requested() {
    let stage = stage(ZONE);
    std::fs::create_dir(stage.path("bin")).unwrap();
    let guard = stage.path("bin/codex-es-guard");
    copy_program(&stage.program(), &guard);
    let script =
        "#!/bin/sh\n{ echo \"$@\"; cat; } > ~/out/shown.new\nmv ~/out/shown.new ~/out/shown\n";
    stage.file("bin/guard-companion", script);
    let companion = stage.path("bin/guard-companion");
    std::fs::set_permissions(companion, Permissions::from_mode(0o755)).unwrap();
    let mut command = stage.command(&guard);
    command.args(["run", "--no-exporter", "--", "bash"]);
    let mut session = Live::of(command);
    let request = ask(&stage, &mut session);
    eventually("it was run", || stage.exists("out/shown"));
    let shown = stage.text("out/shown");
    let (arguments, input) = shown.split_once('\n').unwrap();
    assert_eq!(arguments, "notify");
    let input = json(input);
    assert_eq!(input["event"], "requested", "{input}");
    assert_eq!(input["request"], request);
    session.end();
}

#[test]
fn what_was_denied_is_judged_by_another_policy() {
    let stage = stage(ZONE);
    let guard = program(&stage);
    let mut session = Live::start(&stage, [""; 0]);
    for name in ["a.old", "b.old", "c.old"] {
        stage.file(format!("zone/{name}"), "kept");
        session.denies(&format!("rm zone/{name}"));
        let asked = session.agent(&format!("{guard} request zone/{name} --json"));
        let id = json(&asked.output)["id"].as_str().unwrap().to_owned();
        assert_eq!(session.human(&format!("{guard} approve {id}")).code, 0);
    }
    session.denies("rm zone/keep");
    session.end();
    eventually("the grants went with their session", || {
        stage.text(POLICY) == ZONE
    });
    // By the policy that decided it nothing differs.
    let same = json(&stage.run(["policy", "replay", "--json"]).stdout);
    assert_eq!(
        (&same["judged"], &same["differ"]),
        (&4.into(), &0.into()),
        "{same}"
    );
    let suggested = json(&stage.run(["policy", "suggest", "--json"]).stdout);
    assert_eq!(suggested[0]["field"], "disposable_paths", "{suggested}");
    assert_eq!(suggested[0]["entry"], "*.old");
    let new = r#"{"protected_zones": ["~/zone"], "disposable_paths": ["*.old"]}"#;
    stage.file("out/new.json", new);
    let replay = ["policy", "replay", "--policy", "out/new.json"];
    let differs = json(&stage.run(replay.iter().chain(&["--json"])).stdout);
    assert_eq!(differs["differ"], 3, "{differs}");
    assert_eq!(differs["differences"][0]["reason"], "disposable");
    assert_eq!(differs["differences"][0]["would_be"], "allow");
    let shown = stage.run(replay).stdout;
    assert!(shown.contains("3 of 4 decisions since"), "{shown}");
    assert!(
        shown.contains("was denied and would be allowed (disposable)"),
        "{shown}"
    );
    assert_eq!(stage.text(POLICY), ZONE, "nothing is changed");
}

#[test]
fn a_guard_killed_at_any_point_of_a_grant_leaves_a_whole_policy() {
    let policy = r#"{"protected_zones": ["~/zone"], "override_approval": "auto", "temporary_overrides": []}"#;
    let stage = stage(policy);
    for round in 0..ROUNDS {
        let before = json(&stage.text(POLICY));
        let mut session = Live::start(&stage, [""; 0]);
        let guard = session.human("ps -o ppid= -p $PPID").output;
        let guard = guard.trim();
        let path = stage.path(format!("zone/{round}")).display().to_string();
        let asking = stage.guard(["request", &path]).spawn().unwrap();
        // Later in each round: from before the request comes until after the grant is written.
        let start = Instant::now();
        while start.elapsed() < STEP * round {
            std::hint::spin_loop();
        }
        let kill = stage.command("kill").args(["-KILL", guard]).status();
        assert!(kill.unwrap().success(), "{guard}");
        let _answered_or_not = support::stage::finish(asking);
        drop(session);
        let after = json(&stage.text(POLICY));
        let overrides = |policy: &Value| policy["temporary_overrides"].as_array().unwrap().clone();
        let (old, new) = (overrides(&before), overrides(&after));
        let is_new = new.len() == old.len() + 1 && new.last().unwrap()["path"] == path.as_str();
        assert!(is_new || new == old, "{before} became {after}");
        for field in ["protected_zones", "override_approval"] {
            assert_eq!(before[field], after[field]);
        }
    }
}

/// Moments at which the guard is killed, and the time between them.
const ROUNDS: u32 = 16;
const STEP: Duration = Duration::from_millis(3);

#[test]
fn top_shows_what_waits_for_a_person() {
    let stage = stage(ZONE);
    let mut session = Live::start(&stage, [""; 0]);
    let id = ask(&stage, &mut session)["id"].as_str().unwrap().to_owned();
    let mut top = Terminal::start(stage.guard(["top"]));
    top.expect(&format!("codex-es-guard approve {id}"));
    top.press("q");
    assert!(top.end().success());
}
