//! Which operations are denied and which are allowed, through the real wrapper, handler, decision
//! and ring.
#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

#[path = "support/call.rs"]
mod call;
mod support;

use call::Call;
use endpoint_sec_sim::{File, Machine};
use support::{Mac, MacConfig, NEWEST, OLDEST, OWN};

const FREAD: u32 = 1;
const FWRITE: u32 = 2;
const O_TRUNC: u32 = 0x400;

/// Checks rows of chain, call, whether it is allowed, and the recorded reason; empty if nothing is
/// recorded.
#[track_caller]
fn check(mac: &Mac, rows: &[(&str, Call, bool, &str)]) {
    for (chain, call, allowed, reason) in rows {
        let actor = mac.chain(chain);
        let _starts = mac.recorded();
        let (done, recorded) = mac.outcome(&call.attempt(mac, &actor));
        assert_eq!(done, *allowed, "{chain}: {call:?}: {recorded}");
        let found = recorded.split(' ').nth(1).unwrap_or_default();
        assert_eq!(found, *reason, "{chain}: {call:?}: {recorded}");
    }
}

/// The measured results that the predecessor of this guard documents.
#[test]
fn the_documented_results() {
    for release in [NEWEST, OLDEST] {
        let mut mac = MacConfig::new(release, r#"{"protected_zones": ["/Users/u/proj"]}"#).set_up();
        mac.start().unwrap();
        check(
            &mac,
            &[
                (
                    "rm < zsh < login < ghostty",
                    Call::Unlink("/Users/u/proj/a"),
                    true,
                    "human",
                ),
                (
                    "rm < zsh < node(claude)",
                    Call::Unlink("/Users/u/proj/a"),
                    false,
                    "agent_in_zone",
                ),
                (
                    "rm < codex",
                    Call::Unlink("/Users/u/proj/a"),
                    false,
                    "agent_in_zone",
                ),
                (
                    "git(git gc) < zsh < node(claude)",
                    Call::Unlink("/Users/u/proj/.git/objects/00/1"),
                    true,
                    "trusted_tool",
                ),
                (
                    "cli-proxy-api",
                    Call::Unlink("/Users/u/proj/proxy.log"),
                    true,
                    "human",
                ),
            ],
        );
    }
}

/// The examples that the predecessor documents, with this guard's answers where they differ on
/// purpose.
#[test]
fn the_documented_examples() {
    let policy = r#"{"protected_zones": ["/Users/u/proj"],
                     "temporary_overrides": ["/Users/u/proj/tmp"]}"#;
    // Without muting everything is sent, and each reason is recorded.
    let mut mac = MacConfig::new(OLDEST, policy).set_up();
    mac.start().unwrap();
    mac.machine.create(File::regular("/Users/u/proj/existing"));
    check(
        &mac,
        &[
            (
                "rm < zsh < login",
                Call::Unlink("/Users/u/proj/a"),
                true,
                "human",
            ),
            (
                "python3 < zsh < codex",
                Call::Unlink("/Users/u/proj/a"),
                false,
                "agent_in_zone",
            ),
            (
                "rm < codex",
                Call::Unlink("/Users/u/projX/a"),
                true,
                "outside_zones",
            ),
            (
                "rm < codex",
                Call::Unlink("/Users/u/proj/tmp/a"),
                true,
                "override",
            ),
            (
                "rm < codex",
                Call::Unlink("/Users/u/proj/tmpfoo"),
                false,
                "agent_in_zone",
            ),
            (
                "rm < codex",
                Call::Unlink("/Users/u/proj/.DS_Store"),
                true,
                "system_temp",
            ),
            (
                "mv < codex",
                Call::Rename("/Users/u/proj/a", "/Users/u/proj/b"),
                true,
                "within_zones",
            ),
            (
                "mv < codex",
                Call::Rename("/Users/u/proj/a", "/private/tmp/a"),
                false,
                "agent_in_zone",
            ),
            (
                "mv < codex",
                Call::Rename("/Users/u/x", "/Users/u/proj/existing"),
                true,
                "replaced",
            ),
            (
                "mv < codex",
                Call::Rename("/Users/u/proj", "/Users/u/projold"),
                false,
                "agent_in_zone",
            ),
            (
                "mv < codex",
                Call::Rename("/Users/u/proj", "/Users/u/old"),
                false,
                "agent_in_zone",
            ),
            (
                "mv < codex",
                Call::Rename("/Users/u", "/Users/v"),
                false,
                "guard_files",
            ),
            (
                "rm < /Users/u/.local/share/claude/versions/2.1.37(claude)",
                Call::Unlink("/Users/u/proj/a"),
                false,
                "agent_in_zone",
            ),
            (
                "rm < claude-squad-notes-app",
                Call::Unlink("/Users/u/proj/a"),
                false,
                "agent_in_zone",
            ),
        ],
    );
}

#[test]
fn an_agent_s_edits_pass() {
    let mac = Mac::new(r#"{"protected_zones": ["/z"]}"#);
    mac.machine.create(File::regular("/z/doc"));
    mac.machine.create(File::regular("/tmp/new"));
    check(
        &mac,
        &[
            (
                "codex",
                Call::Open("/z/doc", FREAD | FWRITE | O_TRUNC),
                true,
                "",
            ),
            ("codex", Call::Create("/z/new"), true, ""),
            (
                "codex",
                Call::Rename("/tmp/new", "/z/doc"),
                true,
                "replaced",
            ),
            ("codex", Call::Truncate("/z/doc"), true, ""),
            ("codex", Call::Link("/z/doc", "/z/second"), true, ""),
            (
                "codex",
                Call::Exchange("/z/doc", "/z/new"),
                true,
                "within_zones",
            ),
        ],
    );
}

#[test]
fn further_operations_are_judged_as_the_policy_says() {
    let policy = r#"{"protected_zones": ["/z"],
        "operations": ["unlink", "rename", "truncate", "clone", "link"]}"#;
    for release in [NEWEST, OLDEST] {
        let mut mac = MacConfig::new(release, policy).set_up();
        mac.start().unwrap();
        mac.machine.create(File::regular("/z/doc").size(5));
        mac.machine.create(File::regular("/out/doc"));
        check(
            &mac,
            &[
                ("codex", Call::Truncate("/z/doc"), false, "agent_in_zone"),
                ("zsh", Call::Truncate("/z/doc"), true, "human"),
                (
                    "codex",
                    Call::Open("/z/doc", FWRITE | O_TRUNC),
                    false,
                    "agent_in_zone",
                ),
                ("codex", Call::Open("/z/doc", FWRITE), true, ""),
                ("codex", Call::Open("/z/doc", FREAD), true, ""),
                // Nothing is lost.
                ("codex", Call::Open("/z/empty", FWRITE | O_TRUNC), true, ""),
                ("codex", Call::Open("/out/doc", FWRITE | O_TRUNC), true, ""),
                (
                    "codex",
                    Call::Link("/z/doc", "/out/second"),
                    false,
                    "agent_in_zone",
                ),
                // A clone never overwrites.
                ("codex", Call::Clone("/out/doc", "/z/copy"), true, ""),
                (
                    "codex",
                    Call::Exchange("/z/doc", "/out/doc"),
                    false,
                    "agent_in_zone",
                ),
            ],
        );
        // The system call copyfile, and its event, are macOS 12's.
        if release == NEWEST {
            check(
                &mac,
                &[
                    (
                        "codex",
                        Call::Copy("/out/doc", "/z/doc"),
                        false,
                        "agent_in_zone",
                    ),
                    ("codex", Call::Copy("/out/doc", "/z/fresh"), true, ""),
                ],
            );
        }
    }
}

#[test]
fn the_guard_s_own_files_are_guarded() {
    const POLICY: &str = "/Users/u/.codex/es_policy.json";
    for release in [NEWEST, OLDEST] {
        let mut mac =
            MacConfig::new(release, r#"{"protected_zones": [], "mode": "audit"}"#).set_up();
        mac.start().unwrap();
        mac.machine.create(File::regular(POLICY));
        mac.machine.create(File::directory("/Users/u/.codex"));
        mac.machine.create(File::regular("/tmp/evil"));
        check(
            &mac,
            &[
                ("codex", Call::Unlink(POLICY), false, "guard_files"),
                (
                    "codex",
                    Call::Rename("/tmp/evil", POLICY),
                    false,
                    "guard_files",
                ),
                (
                    "codex",
                    Call::Rename("/Users/u/.codex", "/Users/u/x"),
                    false,
                    "guard_files",
                ),
                ("codex", Call::Open(POLICY, FWRITE), false, "guard_files"),
                (
                    "codex",
                    Call::Open(POLICY, FREAD | FWRITE | O_TRUNC),
                    false,
                    "guard_files",
                ),
                ("codex", Call::Truncate(POLICY), false, "guard_files"),
                (
                    "codex",
                    Call::Exchange("/tmp/evil", POLICY),
                    false,
                    "guard_files",
                ),
                (
                    "codex",
                    Call::Link(POLICY, "/tmp/second"),
                    false,
                    "guard_files",
                ),
                (
                    "codex",
                    Call::Create("/Users/u/.codex/es-guard/x.ring"),
                    false,
                    "guard_files",
                ),
                (
                    "codex",
                    Call::Link("/tmp/evil", "/Users/u/.codex/es-guard/y"),
                    false,
                    "guard_files",
                ),
                (
                    "codex",
                    Call::Clone("/tmp/evil", "/Users/u/.codex/es-guard/z"),
                    false,
                    "guard_files",
                ),
                // Everyone may read, and a person and the exporter may write.
                ("codex", Call::Open(POLICY, FREAD), true, ""),
                ("zsh", Call::Open(POLICY, FWRITE), true, ""),
                (
                    "guard-exporter",
                    Call::Create("/Users/u/.codex/es-guard/cursors.new"),
                    true,
                    "",
                ),
            ],
        );
        assert!(mac.counter(guard_core::ring::Counter::ProtectedWritesDenied) >= 10);
        assert!(OWN.starts_with("/Users/u/.codex"));
    }
}

#[test]
fn the_undo_store_is_not_even_read() {
    const STORE: &str = "/Users/u/.codex/es-guard/undo";
    const OBJECT: &str = "/Users/u/.codex/es-guard/undo/s/objects/1";
    const COPY: &str = "/tmp/copy";
    for release in [NEWEST, OLDEST] {
        let mut mac = MacConfig::new(release, r#"{"protected_zones": ["/z"]}"#).set_up();
        mac.start().unwrap();
        mac.machine.create(File::directory(STORE));
        mac.machine.create(File::regular(OBJECT));
        check(
            &mac,
            &[
                ("codex", Call::Open(STORE, FREAD), false, "guard_files"),
                (
                    "cat < codex",
                    Call::Open(OBJECT, FREAD),
                    false,
                    "guard_files",
                ),
                ("codex", Call::Open(OBJECT, FWRITE), false, "guard_files"),
                ("codex", Call::Clone(OBJECT, COPY), false, "guard_files"),
                ("codex", Call::Link(OBJECT, COPY), false, "guard_files"),
                ("codex", Call::Rename(OBJECT, COPY), false, "guard_files"),
                ("rm < codex", Call::Unlink(OBJECT), false, "guard_files"),
                // A person reads and removes, and another directory is no store.
                ("zsh", Call::Open(OBJECT, FREAD), true, ""),
                ("zsh", Call::Clone(OBJECT, COPY), true, ""),
                ("rm < zsh", Call::Unlink(OBJECT), true, ""),
                (
                    "codex",
                    Call::Open("/Users/u/.codex/es-guard/undone", FREAD),
                    true,
                    "",
                ),
            ],
        );
        if release == NEWEST {
            check(
                &mac,
                &[("codex", Call::Copy(OBJECT, COPY), false, "guard_files")],
            );
        }
    }
}

#[test]
fn in_audit_mode_the_operation_proceeds_and_is_recorded_like_a_denial() {
    let mac = Mac::new(r#"{"protected_zones": ["/z"], "mode": "audit"}"#);
    check(
        &mac,
        &[("rm < codex", Call::Unlink("/z/a"), true, "audit_only")],
    );
}

#[test]
fn firmlinks_are_resolved() {
    let mac = Mac::new(r#"{"protected_zones": ["/System/Volumes/Data/Users/u/proj"]}"#);
    check(
        &mac,
        &[(
            "rm < codex",
            Call::Unlink("/Users/u/proj/a"),
            false,
            "agent_in_zone",
        )],
    );
    let mut old = MacConfig::new(OLDEST, r#"{"protected_zones": ["/Users/u/proj"]}"#);
    old.builder = Machine::new(OLDEST);
    drop(mac);
    let mut mac = old.set_up();
    mac.start().unwrap();
    let actor = mac.chain("rm < codex");
    let removal = mac
        .machine
        .unlink(&actor, "/System/Volumes/Data/Users/u/proj/a");
    let (done, recorded) = mac.outcome(&removal);
    assert!(!done, "{recorded}");
    assert_eq!(recorded, "deny agent_in_zone codex unlink /Users/u/proj/a");
}

#[test]
fn a_volume_that_folds_names_folds_those_of_zones() {
    let mut plan = MacConfig::new(OLDEST, r#"{"protected_zones": ["/Users/u/Proj"]}"#);
    plan.folding = guard_core::zones::Folding::Insensitive;
    let mut mac = plan.set_up();
    mac.start().unwrap();
    check(
        &mac,
        &[
            (
                "rm < codex",
                Call::Unlink("/Users/u/PROJ/a"),
                false,
                "agent_in_zone",
            ),
            (
                "rm < codex",
                Call::Unlink("/users/U/proj"),
                false,
                "agent_in_zone",
            ),
            (
                "rm < codex",
                Call::Unlink("/Users/u/Projx"),
                true,
                "outside_zones",
            ),
        ],
    );
}

#[test]
fn a_truncated_path_is_denied_to_agents_only() {
    let mac = Mac::new(r#"{"protected_zones": ["/z"]}"#);
    let long = format!("/z/{}", "x".repeat(16_000));
    mac.machine.create(File::regular(&long).truncated());
    let (agent, person) = (mac.chain("rm < codex"), mac.chain("rm < zsh"));
    let (done, recorded) = mac.outcome(&mac.machine.unlink(&agent, &long));
    assert!(
        !done && recorded.starts_with("deny unresolved_path codex"),
        "{recorded}"
    );
    let (done, recorded) = mac.outcome(&mac.machine.unlink(&person, &long));
    assert!(
        done && recorded.starts_with("allow unresolved_path"),
        "{recorded}"
    );
}

#[test]
fn a_swap_is_denied_for_the_direction_that_moves_a_file_out() {
    // The kernel sends a request for each direction; the one from outside alone would be an edit.
    let mac = Mac::new(r#"{"protected_zones": ["/z"]}"#);
    mac.machine.create(File::regular("/z/doc"));
    mac.machine.create(File::regular("/out/x"));
    assert!(Call::Rename("/out/x", "/z/doc").allowed(&mac, &mac.chain("codex")));
    mac.machine.create(File::regular("/z/doc"));
    mac.machine.create(File::regular("/out/x"));
    assert!(!Call::Rename("/z/doc", "/out/x").allowed(&mac, &mac.chain("codex")));
}
