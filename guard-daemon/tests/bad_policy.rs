//! A policy that is bad, missing, or changes while a session runs.
//!
//! Whatever is where the policy should be: a session either does not start, or enforces the last
//! good policy; one that runs goes on with what it has, until a good one comes.

#![cfg(target_os = "linux")]
#![allow(dead_code, reason = "each test binary uses its part of the support")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::tests_outside_test_module,
    reason = "a test may fail, and says where it is"
)]

mod support {
    pub(crate) mod live;
    pub(crate) mod stage;
    pub(crate) mod users;
}

use guard_core::ring::{Counter, Lane};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{SystemTime, UNIX_EPOCH};
use support::live::Live;
use support::stage::{POLICY, Stage, eventually};
use support::users::User;

/// Puts a policy with this text in the place of another.
type Replace = fn(&Stage, &str);

/// Something in the policy's place.
struct Bad {
    name: &'static str,
    /// Puts it there; there is nothing.
    put: fn(&Stage),
    /// What the guard says of it.
    says: &'static str,
    /// Whether root is not stopped by it.
    stops_root: bool,
}

const BAD: &[Bad] = &[
    Bad {
        name: "half written",
        put: |stage| stage.file(POLICY, &GOOD[..GOOD.len() / 2]),
        says: "es_policy.json: line 1, column 15: not JSON: EOF while parsing",
        stops_root: true,
    },
    Bad {
        name: "empty",
        put: |stage| stage.file(POLICY, ""),
        says: "es_policy.json: line 1, column 1: not JSON: EOF while parsing a value",
        stops_root: true,
    },
    Bad {
        name: "huge",
        put: |stage| stage.file(POLICY, format!("{GOOD}{}", " ".repeat(2 << 20))),
        says: "the policy has 1048577 bytes, more than 1048576",
        stops_root: true,
    },
    Bad {
        name: "not text",
        put: |stage| stage.file(POLICY, b"\xff\xfe{}"),
        says: "line 1, column 1: the text is not UTF-8",
        stops_root: true,
    },
    Bad {
        name: "of another shape",
        put: |stage| stage.file(POLICY, "[]"),
        says: "takes an object, not a list",
        stops_root: true,
    },
    Bad {
        name: "wrongly typed",
        put: |stage| stage.file(POLICY, "{\n  \"protected_zones\": \"~/zone\"\n}"),
        says: "line 2, column 22: `protected_zones` takes a list, not a string",
        stops_root: true,
    },
    Bad {
        name: "misspelt",
        put: |stage| stage.file(POLICY, r#"{"protected_zone": ["~/zone"]}"#),
        says: "unknown field `protected_zone` (did you mean `protected_zones`?)",
        stops_root: true,
    },
    Bad {
        name: "relative",
        put: |stage| stage.file(POLICY, r#"{"protected_zones": ["zone"]}"#),
        says: "`zone` is not an absolute path (begin with `/` or `~/`)",
        stops_root: true,
    },
    Bad {
        name: "a directory",
        put: |stage| stage.directory(POLICY),
        says: "Is a directory",
        stops_root: true,
    },
    Bad {
        name: "a pipe",
        put: |stage| {
            let made = stage.command("mkfifo").arg(stage.path(POLICY)).status();
            assert!(made.unwrap().success());
        },
        says: "it is not a regular file",
        stops_root: true,
    },
    Bad {
        name: "an endless device",
        put: |stage| symlink("/dev/zero", stage.path(POLICY)).unwrap(),
        says: "it is not a regular file",
        stops_root: true,
    },
    Bad {
        name: "a dangling link",
        put: |stage| symlink("nowhere", stage.path(POLICY)).unwrap(),
        says: "No such file or directory",
        stops_root: true,
    },
    Bad {
        name: "a link to itself",
        put: |stage| symlink("es_policy.json", stage.path(POLICY)).unwrap(),
        says: "Too many levels of symbolic links",
        stops_root: true,
    },
    Bad {
        name: "unreadable",
        put: |stage| {
            stage.file(POLICY, GOOD);
            fs::set_permissions(stage.path(POLICY), PermissionsExt::from_mode(0o000)).unwrap();
        },
        says: "Permission denied",
        stops_root: false,
    },
];

// === impl Bad ===

impl Bad {
    fn all(user: User) -> impl Iterator<Item = &'static Self> {
        BAD.iter()
            .filter(move |bad| bad.stops_root || !user.is_root())
    }

    fn put(&self, stage: &Stage) {
        println!("{}, for {}", self.name, stage.user());
        remove_policy(stage);
        (self.put)(stage);
    }
}

#[test]
fn without_a_policy_the_user_is_taught() {
    let stage = Stage::new(User::all()[0]);
    let done = stage.run(["run", "--", "touch", "out/ran"]);
    done.expect(
        125,
        &[
            "nothing to protect: there is no policy file",
            ".codex/es_policy.json and no --protect",
            "codex-es-guard run --protect DIR -- COMMAND",
            "codex-es-guard policy init DIR",
        ],
    );
    assert!(!stage.exists("out/ran") && !stage.exists(".codex"));
}

#[test]
fn a_bad_policy_without_a_last_good_copy_starts_nothing() {
    for user in User::all() {
        let stage = Stage::with_policy(user, GOOD);
        for bad in Bad::all(user) {
            bad.put(&stage);
            // Zones of the command line do not make up for those that nobody knows.
            for zones in [&["--protect", "out"][..], &[]] {
                let mut command = stage.guard(["run", "--no-exporter"]);
                command.args(zones).args(["--", "touch", "out/ran"]);
                let done = support::stage::finish(command.spawn().unwrap());
                let refusal =
                    "the policy cannot be used, and there is no copy of the last good one";
                done.expect(125, &[refusal, "codex-es-guard policy check", bad.says]);
                assert!(!stage.exists("out/ran"));
            }
        }
    }
}

#[test]
fn a_bad_policy_leaves_the_last_good_one_in_force() {
    for user in User::all() {
        let stage = Stage::with_policy(user, GOOD);
        stage
            .run(["run", "--no-exporter", "--", "true"])
            .expect(0, &[]);
        for bad in Bad::all(user) {
            bad.put(&stage);
            let mut session = Live::start(&stage, [""; 0]);
            session.denies("rm zone/keep");
            // The guard of the session before may still be leaving.
            eventually("the policy is reported as bad", || {
                stage.counter(Counter::PolicyOk) == 0
            });
            session.end().expect(
                0,
                &["warning: ", bad.says, "; the last good policy is in force"],
            );
        }
    }
}

#[test]
fn a_last_good_policy_stays_until_the_file_is_repaired() {
    let stage = Stage::with_policy(User::all()[0], GOOD);
    stage
        .run(["run", "--no-exporter", "--", "true"])
        .expect(0, &[]);
    remove_policy(&stage);
    symlink("es_policy.later", stage.path(POLICY)).unwrap();
    let mut session = Live::start(&stage, [""; 0]);
    // The housekeeper resolves the zones again each second, and records that it lives.
    let beat = || stage.heartbeat();
    let first = beat();
    eventually("two more beats", || beat() > first + 2_000_000_000);
    session.denies("rm zone/keep");
    stage.file(".codex/es_policy.later", OTHER);
    eventually("the policy is good", || {
        stage.counter(Counter::PolicyOk) == 1
    });
    session.allows("rm zone/keep");
    session.end().expect(0, &[]);
}

#[test]
fn a_policy_that_turns_bad_changes_nothing_until_it_is_repaired() {
    for user in User::all() {
        let stage = Stage::with_policy(user, GOOD);
        let mut session = Live::start(&stage, [""; 0]);
        for bad in Bad::all(user) {
            let failures = stage.counter(Counter::PolicyReloadFailures);
            assert_eq!(stage.counter(Counter::PolicyOk), 1);
            bad.put(&stage);
            eventually("the failure is logged", || {
                stage.counter(Counter::PolicyReloadFailures) > failures
                    && stage.text(JOURNAL).contains(bad.says)
            });
            assert_eq!(stage.counter(Counter::PolicyOk), 0);
            session.denies("rm zone/keep");
            remove_policy(&stage);
            stage.file(POLICY, GOOD);
            eventually("it is repaired", || stage.counter(Counter::PolicyOk) == 1);
            session.denies("rm zone/keep");
        }
        assert!(stage.text(JOURNAL).contains("The policy in force stays: "));
        session.end().expect(0, &[]);
    }
}

#[test]
fn a_policy_is_taken_up_however_it_is_replaced() {
    let stage = Stage::with_policy(User::all()[0], GOOD);
    stage.directory("other");
    let mut session = Live::start(&stage, [""; 0]);
    let ways: [(&str, Replace); 4] = [
        ("renamed onto", |stage, text| stage.replace(POLICY, text)),
        ("written over", |stage, text| stage.file(POLICY, text)),
        ("moved there", |stage, text| {
            stage.file("out/new", text);
            let moved = stage.command("mv").args(["out/new", POLICY]).status();
            assert!(moved.unwrap().success());
        }),
        ("edited", |stage, text| {
            // As sed and many editors do it.
            let edit = format!("s|.*|{text}|");
            let edited = stage.command("sed").args(["-i", &edit, POLICY]).status();
            assert!(edited.unwrap().success());
        }),
    ];
    for (way, replace) in ways {
        for (text, zone, open) in [(OTHER, "other", "zone"), (GOOD, "zone", "other")] {
            println!("{way}: {zone}");
            stage.file(format!("{zone}/keep"), "");
            stage.file(format!("{open}/keep"), "");
            let reloads = stage.counter(Counter::PolicyReloads);
            replace(&stage, text);
            eventually("it is in force", || {
                // A file that was read while it was written is read again: that is a reload as well.
                stage.file(format!("{zone}/keep"), "");
                stage.counter(Counter::PolicyReloads) > reloads
                    && stage.counter(Counter::PolicyOk) == 1
                    && session.agent(&format!("rm {zone}/keep")).code != 0
            });
            session.denies(&format!("rm {zone}/keep"));
            session.allows(&format!("rm {open}/keep"));
        }
    }
    let reloads = stage.counter(Counter::PolicyReloads);
    stage.replace(POLICY, BOTH);
    eventually("one is added", || {
        stage.counter(Counter::PolicyReloads) > reloads && stage.counter(Counter::Zones) == 2
    });
    stage.file("other/keep", "");
    session.denies("rm zone/keep");
    session.denies("rm other/keep");
    session.end().expect(0, &[]);
}

#[test]
fn a_policy_that_is_removed_stays_in_force() {
    let stage = Stage::with_policy(User::all()[0], GOOD);
    let mut session = Live::start(&stage, [""; 0]);
    remove_policy(&stage);
    eventually("it is reported", || {
        stage.counter(Counter::PolicyReloadFailures) >= 1
    });
    session.denies("rm zone/keep");
    session.end().expect(0, &[]);
    // It was removed on purpose: what --protect says is all there is.
    let mut session = Live::start(&stage, ["--protect", "out"]);
    session.allows("rm zone/keep");
    session.denies("rmdir out");
    session.end().expect(0, &[]);
}

#[test]
fn a_policy_that_appears_counts_for_no_agent_can_have_made_it() {
    let stage = Stage::new(User::all()[0]);
    stage.directory(".codex");
    stage.file("out/policy", r#"{"mode": "audit"}"#);
    let mut session = Live::start(&stage, ["--protect", "zone"]);
    session.denies("rm zone/keep");
    for way in [
        "cat out/policy > .codex/es_policy.json",
        "cp out/policy .codex/es_policy.json",
        "mv out/policy .codex/es_policy.json",
        "ln out/policy .codex/es_policy.json",
        "ln -s ../out/policy .codex/es_policy.json",
        "mkdir .codex/es_policy.json",
        "mkfifo .codex/es_policy.json",
        "mv .codex out/",
    ] {
        session.denies(way);
        assert!(!stage.exists(POLICY), "{way}");
    }
    // A person's first policy file, with an override, long after the first agent.
    let end = now() + 3600;
    stage.file(
        POLICY,
        format!(
            r#"{{"protected_zones": ["~/zone"],
                "temporary_overrides": [{{"path": "~/zone/keep", "expires_at": {end}}}]}}"#
        ),
    );
    eventually("it is in force", || {
        // A file that was read while it was written is read again.
        stage.counter(Counter::PolicyReloads) >= 1
    });
    stage.file("zone/other", "kept");
    session.denies("rm zone/other");
    session.allows("rm zone/keep");
    session.end().expect(0, &[]);
}

#[test]
fn a_policy_that_appears_where_agents_write_waits_for_the_next_session() {
    let stage = Stage::new(User::all()[0]);
    stage.directory(".codex");
    // A person's link to a file that is not there yet.
    symlink("../out/policy", stage.path(POLICY)).unwrap();
    stage.file("out/policy", "{}");
    let session = Live::start(&stage, ["--protect", "zone"]);
    session.end().expect(0, &[]);
    fs::remove_file(stage.path("out/policy")).unwrap();
    remove_policy(&stage);
    let mut session = Live::start(&stage, ["--protect", "zone"]);
    session.denies("rm zone/keep");
    symlink("../out/policy", stage.path(POLICY)).unwrap();
    session.allows(r#"echo '{"mode": "audit"}' > out/policy"#);
    eventually("it is not taken", || {
        stage.text(JOURNAL).contains(
            "A policy file appeared where agents may write; it takes effect in the next session",
        )
    });
    session.denies("rm zone/keep");
    assert_eq!(stage.counter(Counter::PolicyAudit), 0);
    session.end().expect(0, &[]);
}

#[test]
fn a_person_grants_an_override_and_it_expires() {
    let stage = Stage::with_policy(User::all()[0], GOOD);
    stage.directory("zone/build");
    stage.file("zone/build/a", "");
    let mut session = Live::start(&stage, [""; 0]);
    session.denies("rm zone/build/a");
    session.denies(&format!("echo '{}' > {POLICY}", overriding(now() + 3600)));
    assert_eq!(stage.text(POLICY), GOOD);

    let grant = |session: &mut Live, end: u64| {
        let reloads = stage.counter(Counter::PolicyReloads);
        let script = format!(
            "echo '{}' > {POLICY}.new && mv {POLICY}.new {POLICY}",
            overriding(end)
        );
        assert_eq!(session.human(&script).code, 0);
        eventually("it is in force", || {
            stage.counter(Counter::PolicyReloads) > reloads
        });
    };
    grant(&mut session, now() + 3600);
    session.allows("rm zone/build/a");
    session.denies("rm zone/keep");
    // What an override allows is preserved: a change.
    let reasons: Vec<_> = stage
        .events(Lane::Change)
        .iter()
        .map(|event| event.reason)
        .collect();
    assert!(reasons.contains(&"override"), "{reasons:?}");

    grant(&mut session, now() + 2);
    stage.file("zone/build/a", "");
    eventually("it has expired", || {
        stage.file("zone/build/a", "");
        session.agent("rm zone/build/a").code != 0
    });
    session.denies("rm zone/build/a");
    session.end().expect(0, &[]);
}

#[test]
fn an_audit_allows_and_reports() {
    let stage = Stage::with_policy(
        User::all()[0],
        r#"{"protected_zones": ["~/zone"], "mode": "audit"}"#,
    );
    let mut session = Live::start(&stage, [""; 0]);
    session.allows("rm zone/keep");
    let events = stage.events(Lane::Deny);
    let found: Vec<_> = events
        .iter()
        .map(|event| (event.verdict, event.reason))
        .collect();
    assert_eq!(found, [("audit", "audit_only")]);
    assert_eq!(events[0].path, stage.path("zone/keep"));
    assert_eq!(stage.counter(Counter::PolicyAudit), 1);
    // The guard's own files are guarded all the same.
    session.denies(&format!("rm {POLICY}"));
    session.end().expect(0, &[]);
}

#[test]
fn truncating_is_judged_when_the_policy_says_so() {
    let stage = Stage::with_policy(User::all()[0], GOOD);
    let mut session = Live::start(&stage, [""; 0]);
    session.allows(": > zone/keep");
    stage.file("zone/keep", "again");
    let reloads = stage.counter(Counter::PolicyReloads);
    stage.replace(
        POLICY,
        r#"{"protected_zones": ["~/zone"], "operations": ["truncate"]}"#,
    );
    eventually("it is in force", || {
        stage.counter(Counter::PolicyReloads) > reloads
    });
    session.denies(": > zone/keep");
    session.denies("truncate -s 0 zone/keep");
    assert_eq!(stage.text("zone/keep"), "again");
    session.allows("echo more >> zone/keep && rm zone/keep");
    session.end().expect(0, &[]);
}

#[test]
fn an_orphan_is_answered_as_the_policy_says() {
    // Its parent ends before it acts, and nobody saw either of them begin.
    let orphan = "perl -e 'exit if fork; exit if fork; \
        1 until getppid == $ENV{GUARD}; print unlink(\"zone/keep\") ? \"gone\" : $!, \"\\n\"'";
    let cases = [
        ("agent_if_seen", "allow", "gone"),
        ("allow", "allow", "gone"),
        ("deny", "deny", "Operation not permitted"),
        ("audit", "audit", "gone"),
    ];
    for (on_unknown, verdict, says) in cases {
        let policy = format!(r#"{{"protected_zones": ["~/zone"], "on_unknown": "{on_unknown}"}}"#);
        let stage = Stage::with_policy(User::all()[0], &policy);
        let mut session = Live::start(&stage, [""; 0]);
        let answer = session.human(&format!(
            "export GUARD=$(ps -o ppid= $PPID); ({orphan}) | cat"
        ));
        assert_eq!(answer.output.trim(), says, "{on_unknown}");
        let mut events = stage.events(Lane::Deny);
        events.extend(stage.events(Lane::Allow));
        events.retain(|event| event.path == stage.path("zone/keep"));
        let found: Vec<_> = events
            .iter()
            .map(|event| (event.verdict, event.reason))
            .collect();
        assert_eq!(found, [(verdict, "unknown_lineage")], "{on_unknown}");
        session.end().expect(0, &[]);
    }
}

#[test]
fn sessions_with_policies_of_their_own_do_not_mix() {
    let stage = Stage::new(User::all()[0]);
    stage.directory("other");
    stage.file("one.json", GOOD);
    stage.file("two.json", OTHER);
    for _ in ["from the files", "from their last good copies"] {
        stage.file("zone/keep", "");
        stage.file("other/keep", "");
        let mut one = Live::start(&stage, ["--policy", "one.json"]);
        let mut two = Live::start(&stage, ["--policy", "two.json"]);
        one.denies("rm zone/keep");
        two.denies("rm other/keep");
        one.denies("rm one.json");
        one.allows("rm other/keep");
        two.allows("rm zone/keep");
        one.end().expect(0, &[]);
        two.end().expect(0, &[]);
        stage.file("one.json", "{");
        stage.file("two.json", "{");
    }
    stage
        .run(["run", "--policy", "three.json", "--", "true"])
        .expect(125, &["there is no policy file", "three.json"]);
}

fn remove_policy(stage: &Stage) {
    let path = stage.path(POLICY);
    let removed = if path.is_dir() {
        fs::remove_dir(&path)
    } else {
        fs::remove_file(&path)
    };
    removed.unwrap();
}

fn overriding(end: u64) -> String {
    format!(
        r#"{{"protected_zones": ["~/zone"], "temporary_overrides": [{{"path": "~/zone/build", "expires_at": {end}}}]}}"#
    )
}

/// Unix seconds.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

const GOOD: &str = r#"{"protected_zones": ["~/zone"]}"#;
const OTHER: &str = r#"{"protected_zones": ["~/other"]}"#;
const BOTH: &str = r#"{"protected_zones": ["~/zone", "~/other"]}"#;

/// The guard's own log, relative to a home.
const JOURNAL: &str = ".codex/es-guard/guard.log";
