//! Decisions of the predecessor, decisions of this guard, and why they differ.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use guard_core::{OperationKind, Reason, Verdict};
use support::{Scene, World};

const DENY: Verdict = Verdict::Deny;
const ALLOW: Verdict = Verdict::Allow;

/// The zone, the override and the acting chains of the table.
fn world() -> World {
    World::mac(
        r#"{"protected_zones": ["/Users/u/proj"],
            "temporary_overrides": ["/Users/u/proj/tmp"]}"#,
    )
}

/// Chain, path and destination; the predecessor's verdict; ours and its reason; why they differ.
type Vector = (
    &'static str,
    &'static str,
    Option<&'static str>,
    Verdict,
    Verdict,
    Reason,
    &'static str,
);

/// A path alone is an unlink; with a destination, a rename to a free name. In a chain each process is
/// followed by its parent; `agent` means that lineage attributes the process to that agent.
#[rustfmt::skip]
const VECTORS: [Vector; 17] = [
    ("rm < zsh < login", "/Users/u/proj/a", None, ALLOW, ALLOW, Reason::Human, ""),
    ("rm < zsh < agent claude", "/Users/u/proj/a", None, DENY, DENY, Reason::AgentInZone, ""),
    ("rm < agent codex", "/Users/u/proj/a", None, DENY, DENY, Reason::AgentInZone, ""),
    ("git < zsh < agent codex", "/Users/u/proj/a", None, ALLOW, ALLOW, Reason::TrustedTool, ""),
    ("python3 < zsh < agent codex", "/Users/u/proj/a", None, ALLOW, DENY, Reason::AgentInZone,
        "an interpreter does whatever a script says: trusted only in what it makes again"),
    ("rm < agent codex", "/Users/u/projX/a", None, DENY, ALLOW, Reason::OutsideZones,
        "zones cover whole components"),
    ("rm < agent codex", "/Users/u/proj/tmp/a", None, ALLOW, ALLOW, Reason::Override, ""),
    ("rm < agent codex", "/Users/u/proj/tmpfoo", None, ALLOW, DENY, Reason::AgentInZone,
        "overrides cover whole components"),
    ("rm < agent codex", "/Users/u/proj/.DS_Store", None, ALLOW, ALLOW, Reason::SystemTemp, ""),
    ("mv < agent codex", "/Users/u/proj/a", Some("/Users/u/proj/b"), ALLOW, ALLOW, Reason::WithinZones, ""),
    ("mv < agent codex", "/Users/u/proj/a", Some("/private/tmp/a"), DENY, DENY, Reason::AgentInZone, ""),
    ("mv < agent codex", "/Users/u/x", Some("/Users/u/proj/a"), ALLOW, ALLOW, Reason::Replaced,
        ""),
    ("mv < agent codex", "/Users/u/proj", Some("/Users/u/projold"), ALLOW, DENY, Reason::AgentInZone,
        "the new name is outside the zone"),
    ("mv < agent codex", "/Users/u/proj", Some("/Users/u/old"), DENY, DENY, Reason::AgentInZone, ""),
    ("mv < agent codex", "/Users/u", Some("/Users/v"), ALLOW, DENY, Reason::AgentInZone,
        "moving a parent takes the zone away"),
    ("rm < agent claude", "/Users/u/proj/a", None, DENY, DENY, Reason::AgentInZone, ""),
    ("rm < claude-squad-notes-app", "/Users/u/proj/a", None, DENY, DENY, Reason::AgentInZone,
        ""),
];

#[test]
fn example_decisions_of_the_predecessor() {
    let world = world();
    for (chain, path, destination, first, ours, reason, why) in VECTORS {
        // A pattern is a substring of the name: lineage attributes this one to an agent, too.
        let chain = chain.replace("claude-squad-notes-app", "agent custom:claude");
        let mut scene = Scene::chain(&chain);
        scene.absent.extend(destination);
        let decision = match destination {
            None => world.decide(&scene, OperationKind::Unlink, path, None),
            Some(to) => world.decide(&scene, OperationKind::Rename, path, Some(to)),
        };
        let asked = format!("{chain}: {path} {destination:?}");
        assert_eq!(
            (decision.verdict, decision.reason),
            (ours, reason),
            "{asked}"
        );
        assert_eq!(
            first == ours,
            why.is_empty(),
            "each difference has its reason: {asked}"
        );
    }
}

/// Measured results of the predecessor.
#[test]
fn measured_results_of_the_predecessor() {
    let world = World::mac(r#"{"protected_zones": ["/Users/u/proj"]}"#);
    for (chain, path, verdict) in [
        ("rm < zsh < login < ghostty", "/Users/u/proj/file", ALLOW),
        ("rm < zsh < agent claude", "/Users/u/proj/file", DENY),
        ("rm < agent codex", "/Users/u/proj/file", DENY),
        (
            "git < zsh < agent claude",
            "/Users/u/proj/.git/objects/00/1",
            ALLOW,
        ),
        ("cli-proxy-api < launchd", "/Users/u/proj/proxy.log", ALLOW),
    ] {
        let decision = world.decide(&Scene::chain(chain), OperationKind::Unlink, path, None);
        assert_eq!(decision.verdict, verdict, "{chain}");
    }
}
