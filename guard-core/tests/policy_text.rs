//! Parsing and compiling policies, and the messages for their faults.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

use guard_core::OperationKind;
use guard_core::policy::{
    DenialNotice, DisposableEntry, MAX_POLICY_BYTES, Mode, OnDeadline, OnUnknown, OverrideApproval,
    OwnFile, Platform, Policy, PolicyCell, Snapshot, Surroundings,
};
use proptest::prelude::*;
use std::error::Error as _;

fn surroundings(locate: &dyn Fn(&[u8]) -> Vec<Vec<u8>>) -> Surroundings<'_> {
    Surroundings {
        home: b"/home/u",
        platform: Platform::Linux,
        extra_zones: &[],
        own_files: &[],
        locate,
        session: "",
        started_ns: 0,
    }
}

fn compile(text: &str) -> Snapshot {
    let policy = Policy::parse(text.as_bytes()).unwrap();
    Snapshot::compile(&policy, &surroundings(&|path| vec![path.to_vec()])).unwrap()
}

#[test]
fn an_empty_object_is_the_default() {
    assert_eq!(Policy::parse(b"{}"), Ok(Policy::default()));
    let policy = Policy::default();
    assert_eq!(policy.ai_agent_patterns, ["codex", "claude", "claude-code"]);
    let kinds: Vec<OperationKind> = policy.operations.iter().collect();
    assert_eq!(kinds, [OperationKind::Unlink, OperationKind::Rename]);
}

#[test]
fn the_predecessor_s_example() {
    let policy = Policy::parse(
        br#"{
          "protected_zones": ["/Users/you/important-project", "/Users/you/another-project"],
          "temporary_overrides": ["/Users/you/important-project/tmp-can-delete"],
          "trusted_tools": ["git", "cargo", "npm", "node", "python3"],
          "ai_agent_patterns": ["codex", "claude", "claude-code"]
        }"#,
    )
    .unwrap();
    assert_eq!(policy.protected_zones.len(), 2);
    assert_eq!(
        policy.temporary_overrides[0].path,
        "/Users/you/important-project/tmp-can-delete"
    );
    assert_eq!(policy.temporary_overrides[0].expires_at_ns, None);
    let tools = policy.trusted_tools.unwrap();
    assert!(tools.iter().all(|tool| tool.within.is_none()));
}

#[test]
fn every_field() {
    let policy = Policy::parse(
        br#"{
          "protected_zones": ["~", {"path": "/srv//data/./x/", "name": "data"}],
          "temporary_overrides": [{"path": "~/a", "op": ["unlink", "link"], "agent": "codex",
            "session": "s", "expires_at": "2026-01-31T12:00:00Z", "granted_by": "u", "id": "1"}],
          "trusted_tools": [{"name": "t", "within": ["out"], "except_args": ["x"],
            "identity": {"path": "/t", "owner": "root"}}],
          "ai_agent_patterns": ["goose"],
          "mode": "audit",
          "operations": ["truncate"],
          "disposable_paths": ["~/.cache", "*.o"],
          "override_approval": "auto",
          "on_unknown": "deny",
          "on_deadline": "deny",
          "notice": "off",
          "notify_command": ["curl", "-d@-", "https://ntfy.sh/me"]
        }"#,
    )
    .unwrap();
    assert_eq!(policy.protected_zones[0].path, "~");
    assert_eq!(policy.protected_zones[1].path, "/srv/data/x");
    assert_eq!(
        policy.temporary_overrides[0].expires_at_ns,
        Some(1_769_860_800_000_000_000)
    );
    assert!(
        policy.temporary_overrides[0]
            .operations
            .contains(OperationKind::Link)
    );
    assert!(
        !policy.temporary_overrides[0]
            .operations
            .contains(OperationKind::Rename)
    );
    assert_eq!(policy.mode, Mode::Audit);
    assert_eq!(policy.override_approval, OverrideApproval::Auto);
    assert_eq!(policy.on_unknown, OnUnknown::Deny);
    assert_eq!(policy.on_deadline, OnDeadline::Deny);
    assert_eq!(policy.notice, DenialNotice::Off);
    assert_eq!(
        policy.notify_command,
        ["curl", "-d@-", "https://ntfy.sh/me"]
    );
    assert_eq!(
        policy.disposable_paths[0],
        DisposableEntry::Path("~/.cache".to_owned())
    );
    assert!(matches!(
        policy.disposable_paths[1],
        DisposableEntry::Pattern(_)
    ));
}

#[test]
fn a_command_is_a_line_of_the_shell_or_words() {
    let command = |value: &str| {
        let text = format!(r#"{{"notify_command": {value}}}"#);
        Policy::parse(text.as_bytes()).map(|policy| policy.notify_command)
    };
    assert_eq!(
        command(r#""notify-send \"$(jq -r .path)\"""#).unwrap(),
        ["/bin/sh", "-c", r#"notify-send "$(jq -r .path)""#]
    );
    for bad in ["[]", "7", r#"[""]"#, r#"["a", 1]"#, r#""""#, r#""\u0000""#] {
        assert!(command(bad).is_err(), "{bad}");
    }
}

#[test]
fn faults_have_their_position_and_a_message() {
    for (text, message) in [
        ("", "line 1, column 1: not JSON: EOF while parsing a value"),
        (
            "{\n  \"mode\": audit\n}",
            "line 2, column 11: not JSON: expected value",
        ),
        ("{}\n]", "line 2, column 1: not JSON: trailing characters"),
        (
            "{\"mode\": \"audit\",}",
            "line 1, column 18: not JSON: key must be a string",
        ),
        (
            "[]",
            "line 1, column 1: `the policy` takes an object, not a list",
        ),
        (
            "{\n \"protected_zone\": []\n}",
            "line 2, column 2: unknown field `protected_zone` (did you mean `protected_zones`?)",
        ),
        (
            "{\"\u{e4}\u{f6}\": 1, \"colour\": 1}",
            "line 1, column 2: unknown field `\u{e4}\u{f6}`",
        ),
        (
            "{\"mode\": \"audit\",\n\"mode\": \"audit\"}",
            "line 2, column 1: `mode` is written twice",
        ),
        (
            "{\"mode\": true}",
            "line 1, column 10: `mode` takes a string, not a boolean",
        ),
        (
            "{\"mode\": \"Audit\"}",
            "line 1, column 10: `mode` cannot be `Audit` (did you mean `audit`?)",
        ),
        (
            "{\"operations\": [\"unlnk\"]}",
            "line 1, column 17: `operations` cannot be `unlnk` (did you mean `unlink`?)",
        ),
        (
            "{\"operations\": [\"write\"]}",
            "line 1, column 17: `operations` cannot be `write`",
        ),
        (
            "{\"protected_zones\": \"/a\"}",
            "line 1, column 21: `protected_zones` takes a list, not a string",
        ),
        (
            "{\"protected_zones\": [1]}",
            "line 1, column 22: `protected_zones` takes strings or objects, not a number",
        ),
        (
            "{\"protected_zones\": [\"/a\",\n  \"\"]}",
            "line 2, column 3: `protected_zones` must not be empty",
        ),
        (
            "{\"protected_zones\": [\"a/b\"]}",
            "line 1, column 22: `a/b` is not an absolute path (begin with `/` or `~/`)",
        ),
        (
            "{\"protected_zones\": [\"~u/b\"]}",
            "line 1, column 22: `~u/b` is not an absolute path (begin with `/` or `~/`)",
        ),
        (
            "{\"protected_zones\": [\"/a/../b\"]}",
            "line 1, column 22: `/a/../b` must not contain `..`",
        ),
        (
            "{\"protected_zones\": [\"/a\\u0000\"]}",
            "line 1, column 22: `protected_zones` must not contain NUL",
        ),
        (
            "{\"protected_zones\": [\"/a\\ud800\"]}",
            "line 1, column 31: not JSON: unexpected end of hex escape",
        ),
        (
            "{\"protected_zones\": [\"/a\", \"/a/\"]}",
            "line 1, column 28: `/a` is in `protected_zones` twice",
        ),
        (
            "{\"protected_zones\": [{\"name\": \"x\"}]}",
            "line 1, column 22: `path` is missing in an entry of `protected_zones`",
        ),
        (
            "{\"protected_zones\": [{\"path\": \"/a\", \"nmae\": \"x\"}]}",
            "line 1, column 37: unknown field `nmae` (did you mean `name`?)",
        ),
        (
            "{\"temporary_overrides\": [{\"path\": \"/a\", \"expires_at\": \"tomorrow\"}]}",
            "line 1, column 55: `tomorrow`: not a time: use 2026-01-31T08:00Z, a date \
             (2026-01-31, UTC) or seconds since 1970",
        ),
        (
            "{\"temporary_overrides\": [{\"path\": \"/a\", \"op\": []}]}",
            "line 1, column 47: `op` must not be empty",
        ),
        (
            "{\"ai_agent_patterns\": [\"\"]}",
            "line 1, column 24: `ai_agent_patterns` must not be empty",
        ),
        (
            "{\"trusted_tools\": [\"/bin/rm\"]}",
            "line 1, column 20: `/bin/rm` is a path; a tool is named by its executable's basename, \
             pin it with `identity`",
        ),
        (
            "{\"trusted_tools\": [{\"name\": \"a\", \"within\": [\"*.{o,a}\"]}]}",
            "line 1, column 45: pattern `*.{o,a}`: alternatives `{a,b}` are not supported: write one \
             pattern for each",
        ),
        (
            "{\"trusted_tools\": [{\"name\": \"a\", \"identity\": {}}]}",
            "line 1, column 46: `identity` must not be empty",
        ),
        (
            "{\"trusted_tools\": [{\"name\": \"a\", \"identity\": {\"owner\": \"me\"}}]}",
            "line 1, column 56: `owner` takes a user id or \"root\", not a string",
        ),
        (
            "{\"trusted_tools\": [{\"name\": \"a\", \"identity\": {\"signature\": \"TEAM\"}}]}",
            "line 1, column 47: `signature` is not supported yet",
        ),
    ] {
        let error = Policy::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
        // The message is complete: a source would be printed twice.
        assert!(error.source().is_none(), "{text}");
    }
}

#[test]
fn sizes_are_bounded() {
    let message = |text: String| Policy::parse(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        message(" ".repeat(MAX_POLICY_BYTES + 1)),
        "line 1, column 1: the policy has 1048577 bytes, more than 1048576"
    );
    assert_eq!(
        message(format!(
            "{{\"protected_zones\": [\"/{}\"]}}",
            "a".repeat(4096)
        )),
        "line 1, column 22: a path of 4097 bytes is longer than 4096"
    );
    let overrides: Vec<String> = (0..513).map(|number| format!("\"/{number}\"")).collect();
    assert_eq!(
        message(format!(
            "{{\"temporary_overrides\": [{}]}}",
            overrides.join(",")
        )),
        "line 1, column 25: 513 overrides are more than 512"
    );
    assert_eq!(
        message(format!(
            "{{\"ai_agent_patterns\": [\"{}\"]}}",
            "a".repeat(257)
        )),
        "line 1, column 24: `ai_agent_patterns` of 257 bytes is longer than 256"
    );
    let nested = Policy::parse("[".repeat(100_000).as_bytes()).unwrap_err();
    assert_eq!(nested.line, 1);
    let error = Policy::parse(b"{\n\"mode\": \"\xff\"}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2, column 10: the text is not UTF-8"
    );
}

#[test]
fn a_link_protects_itself_and_its_target() {
    let policy = Policy::parse(br#"{"protected_zones": ["~/link"]}"#).unwrap();
    let locate = |path: &[u8]| match path {
        b"/home/u/link" => vec![b"/home/u/link".to_vec(), b"/srv/target/".to_vec()],
        other => vec![other.to_vec()],
    };
    let snapshot = Snapshot::compile(&policy, &surroundings(&locate)).unwrap();
    let zones: Vec<(&str, &[u8])> = snapshot
        .zones()
        .map(|zone| (zone.name, zone.path))
        .collect();
    assert_eq!(
        zones,
        [("link", &b"/home/u/link"[..]), ("link", b"/srv/target")]
    );
}

#[test]
fn zones_of_the_command_line_need_not_be_text() {
    let extra = [b"/srv/\xff".to_vec()];
    let surroundings = Surroundings {
        extra_zones: &extra,
        ..surroundings(&|path| vec![path.to_vec()])
    };
    let snapshot = Snapshot::compile(&Policy::default(), &surroundings).unwrap();
    assert_eq!(snapshot.zones().next().unwrap().path, b"/srv/\xff");
    let relative = [b"srv".to_vec()];
    let surroundings = Surroundings {
        extra_zones: &relative,
        ..surroundings
    };
    let error = Snapshot::compile(&Policy::default(), &surroundings).unwrap_err();
    assert_eq!(error.to_string(), "`srv` is not an absolute path");
}

#[test]
fn a_home_is_needed_for_tildes_only() {
    let homeless = Surroundings {
        home: b"",
        ..surroundings(&|path| vec![path.to_vec()])
    };
    assert!(Snapshot::compile(&Policy::default(), &homeless).is_ok());
    let policy = Policy::parse(br#"{"protected_zones": ["~/a"]}"#).unwrap();
    let error = Snapshot::compile(&policy, &homeless).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`~/a` needs a home directory, and none is known"
    );
}

#[test]
fn warnings_name_what_may_not_be_meant() {
    for (text, message) in [
        ("{}", "no zone is protected"),
        (
            r#"{"protected_zones": ["/"]}"#,
            "`/` is a protected zone: agents can remove nothing but temporary files",
        ),
        (
            r#"{"protected_zones": ["/z"], "temporary_overrides": ["/y"]}"#,
            "the override of `/y` is in no zone and has no effect",
        ),
        (
            r#"{"protected_zones": ["/z"], "temporary_overrides": ["/z"]}"#,
            "the override of `/z` exempts a whole zone (the zone's root itself stays protected)",
        ),
    ] {
        let warnings: Vec<String> = compile(text)
            .warnings()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(warnings, [message], "{text}");
    }
    assert_eq!(compile(r#"{"protected_zones": ["~/z"]}"#).warnings(), []);
}

#[test]
fn a_revision_identifies_a_policy_and_its_zones() {
    let one = compile(r#"{"protected_zones": ["/z"]}"#);
    let same = compile(r#"{ "protected_zones" : ["/z/"] }"#);
    let other = compile(r#"{"protected_zones": ["/z"], "mode": "audit"}"#);
    assert_eq!(one.revision(), same.revision());
    assert_ne!(one.revision(), other.revision());
    let zone = [b"/extra".to_vec()];
    let policy = Policy::parse(br#"{"protected_zones": ["/z"]}"#).unwrap();
    let more = Surroundings {
        extra_zones: &zone,
        ..surroundings(&|path| vec![path.to_vec()])
    };
    let more = Snapshot::compile(&policy, &more).unwrap();
    assert_ne!(one.revision(), more.revision());
}

#[test]
fn two_sessions_of_one_policy_have_one_revision() {
    let policy = Policy::parse(br#"{"protected_zones": ["/z"]}"#).unwrap();
    let session = |ring: &str, session, started_ns| {
        let own = [OwnFile {
            path: ring.as_bytes(),
        }];
        let surroundings = Surroundings {
            own_files: &own,
            session,
            started_ns,
            ..surroundings(&|path| vec![path.to_vec()])
        };
        Snapshot::compile(&policy, &surroundings)
            .unwrap()
            .revision()
    };
    assert_eq!(
        session("/dev/shm/one.ring", "one", 1),
        session("/dev/shm/other.ring", "other", 2)
    );
}

#[test]
fn a_decision_in_flight_finishes_on_its_own_snapshot() {
    let cell = PolicyCell::new(compile(r#"{"protected_zones": ["/old"]}"#));
    let held = cell.load();
    cell.store(compile(r#"{"protected_zones": ["/new"]}"#));
    assert_eq!(held.zones().next().unwrap().path, b"/old");
    assert_eq!(cell.load().zones().next().unwrap().path, b"/new");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fault_is_within_the_text(text in "[\\[\\]{}\",:a-z_/~0-9 \n\u{e4}]{0,80}") {
        if let Err(error) = Policy::parse(text.as_bytes()) {
            let lines: Vec<&str> = text.split('\n').collect();
            prop_assert!((1..=lines.len()).contains(&error.line));
            prop_assert!(error.column <= lines[error.line - 1].chars().count() + 1);
        }
    }
}
