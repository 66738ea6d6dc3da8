//! The backend around the verdicts: which messages the kernel sends, reloads, deadlines, panics,
//! dropped messages, and how processes become known.
#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use endpoint_sec_sim::{File, Machine};
use guard_core::OperationKind;
use guard_core::ring::{Counter, Lane};
use guard_core::zones::Folding;
use guard_es::{Scope, Service, StartError, Step};
use guard_testing::wait::eventually;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::{Mac, MacConfig, NEWEST, OLDEST, compile};

const ZONE: &str = r#"{"protected_zones": ["/a/z"]}"#;

#[test]
fn the_kernel_sends_only_operations_on_listed_paths() {
    let mac = Mac::new(r#"{"protected_zones": ["/a/z"], "undo": false}"#);
    let actor = mac.chain("sh");
    mac.machine.create(File::regular("/a/z/doc"));
    let before = mac.counter(Counter::Notifications);
    let asked = |attempt: endpoint_sec_sim::Attempt| attempt.verdict().asked;
    assert_eq!(asked(mac.machine.unlink(&actor, "/b/x")), 0);
    assert_eq!(asked(mac.machine.rename(&actor, "/b/x", "/b/y")), 0);
    assert_eq!(asked(mac.machine.open(&actor, "/a/z/doc", 3)), 0);
    assert_eq!(asked(mac.machine.truncate(&actor, "/a/z/doc")), 0);
    assert_eq!(mac.counter(Counter::Notifications), before);
    assert_eq!(asked(mac.machine.unlink(&actor, "/a/z/doc")), 1);
    assert_eq!(asked(mac.machine.rename(&actor, "/b/x", "/a/z/y")), 1);
    assert_eq!(asked(mac.machine.unlink(&actor, "/a")), 1, "above a zone");
    // A prefix is compared as a string: the message arrives, and the decision finds it outside.
    assert_eq!(asked(mac.machine.unlink(&actor, "/a/zz")), 1);
    assert_eq!(asked(mac.machine.open(&actor, support::OWN, 2)), 1);
    drop(mac);

    let mut old = MacConfig::new(OLDEST, ZONE).set_up();
    old.start().unwrap();
    let actor = old.chain("sh");
    assert_eq!(
        asked(old.machine.unlink(&actor, "/b/x")),
        1,
        "macOS 11 sends everything"
    );
}

#[test]
fn the_guard_does_not_wait_for_itself() {
    let mac = Mac::new(ZONE);
    let me = mac.machine.me().clone();
    assert_eq!(mac.machine.unlink(&me, "/a/z/doc").verdict().asked, 0);
}

#[test]
fn a_reload_covers_new_zones_before_it_is_done_and_old_ones_until_then() {
    let mac = Mac::new(r#"{"protected_zones": ["/a/z", "/a/old"]}"#);
    let agent = mac.chain("rm < codex");
    let machine = (*mac.machine).clone();
    let over = AtomicBool::new(false);
    let rounds = 20;
    let place = mac.settings(Scope::Machine).probe;
    let own = place.parent().unwrap().to_str().unwrap().to_owned();
    std::thread::scope(|scope| {
        // What both policies protect is protected at all times.
        let constant = scope.spawn(|| {
            loop {
                let is_last = over.load(Ordering::Acquire);
                assert!(!machine.unlink(&agent, "/a/z/doc").allowed());
                if is_last {
                    break;
                }
            }
        });
        let covered = |round: usize| {
            let new = format!("/a/new{round}");
            let policy = format!(r#"{{"protected_zones": ["/a/z", "{new}"]}}"#);
            let snapshot = compile(&policy, &[&own], Folding::Exact);
            mac.backend().adopt(snapshot).unwrap();
            let fresh = machine.unlink(&agent, format!("{new}/doc")).verdict();
            let gone = machine.unlink(&agent, "/a/old/doc").verdict();
            // What is no longer protected is not sent.
            !fresh.allowed && gone.allowed && gone.asked == 0
        };
        let held = (0..rounds).filter(|round| covered(*round)).count();
        over.store(true, Ordering::Release);
        constant.join().unwrap();
        assert_eq!(held, rounds);
    });
}

#[test]
fn further_operations_are_selected_as_the_policy_says() {
    let mac = Mac::new(ZONE);
    let agent = mac.chain("codex");
    mac.machine.create(File::regular("/a/z/doc"));
    let place = mac.settings(Scope::Machine).probe;
    let own = place.parent().unwrap().to_str().unwrap().to_owned();
    assert!(mac.machine.truncate(&agent, "/a/z/doc").allowed());
    let strict = r#"{"protected_zones": ["/a/z"], "operations": ["unlink", "truncate"]}"#;
    mac.backend()
        .adopt(compile(strict, &[&own], Folding::Exact))
        .unwrap();
    assert!(!mac.machine.truncate(&agent, "/a/z/doc").allowed());
    mac.backend()
        .adopt(compile(ZONE, &[&own], Folding::Exact))
        .unwrap();
    assert!(mac.machine.truncate(&agent, "/a/z/doc").allowed());
    // The rules of the guard's own directory are still there.
    assert!(!mac.machine.unlink(&agent, support::OWN).allowed());
}

#[test]
fn drops_are_counted() {
    let mut plan = MacConfig::new(NEWEST, ZONE);
    plan.builder = Machine::new(NEWEST).queue(8);
    let mut mac = plan.set_up();
    mac.start().unwrap();
    let actor = mac.chain("sh");
    mac.machine.settle();
    mac.machine.hold();
    let attempts: Vec<_> = (0..20)
        .map(|number| mac.machine.unlink(&actor, format!("/a/z/{number}")))
        .collect();
    mac.machine.resume();
    let dropped: usize = attempts
        .iter()
        .map(|attempt| attempt.verdict().dropped)
        .sum();
    assert_eq!(dropped, 12);
    // The next message shows the gap.
    assert!(mac.machine.unlink(&actor, "/a/z/last").allowed());
    mac.machine.settle();
    mac.backend().update_counters();
    mac.backend().update_counters();
    assert_eq!(mac.counter(Counter::KernelEventsDropped), 12);
}

#[test]
fn a_deadline_is_answered_as_the_policy_says_and_recorded() {
    for (on_deadline, allowed, recorded) in [
        ("allow", true, "audit deadline codex unlink /a/z/doc"),
        ("deny", false, "deny deadline codex unlink /a/z/doc"),
    ] {
        let policy = format!(r#"{{"protected_zones": ["/a/z"], "on_deadline": "{on_deadline}"}}"#);
        let mac = Mac::new(&policy);
        let agent = mac.chain("codex");
        mac.machine.settle();
        // A process without a lineage entry, whose description is withheld.
        let stranger = mac.existing(&agent, "/bin/rm", &["rm"]);
        mac.table.stall(true);
        let attempt = mac.machine.unlink(&stranger, "/a/z/doc");
        mac.table.wait_for_somebody();
        mac.machine.advance(Duration::from_secs(56));
        assert_eq!(attempt.allowed(), allowed, "{on_deadline}");
        mac.table.stall(false);
        assert_eq!(mac.recorded(), [recorded]);
        mac.backend().update_counters();
        assert_eq!(mac.counter(Counter::DeadlineMisses), 1);
        assert_eq!(
            mac.machine.report().deadlines_missed,
            0,
            "the kernel was answered"
        );
    }
}

#[test]
fn a_new_answer_for_deadlines_takes_effect_without_a_gap() {
    let mac = Mac::new(ZONE);
    let agent = mac.chain("rm < codex");
    let place = mac.settings(Scope::Machine).probe;
    let own = place.parent().unwrap().to_str().unwrap().to_owned();
    let policy = r#"{"protected_zones": ["/a/z"], "on_deadline": "deny"}"#;
    mac.backend()
        .adopt(compile(policy, &[&own], Folding::Exact))
        .unwrap();
    assert_eq!(mac.machine.clients(), 2);
    assert!(!mac.machine.unlink(&agent, "/a/z/doc").allowed());
    // The handler records a denial after its answer.
    mac.machine.settle();
    let stranger = mac.existing(&mac.shell, "/bin/rm", &["rm"]);
    mac.table.stall(true);
    let attempt = mac.machine.unlink(&stranger, "/a/z/doc");
    mac.table.wait_for_somebody();
    mac.machine.advance(Duration::from_secs(56));
    assert!(!attempt.allowed());
    mac.table.stall(false);
    mac.machine.settle();
    mac.backend().update_counters();
    assert_eq!(mac.counter(Counter::DeadlineMisses), 1);
}

#[test]
fn a_panic_is_answered_counted_and_survived() {
    let mac = Mac::new(ZONE);
    let agent = mac.chain("rm < codex");
    mac.machine.settle();
    let stranger = mac.existing(&mac.shell, "/bin/rm", &["rm"]);
    let pid = support::key(&stranger).pid;
    mac.table.trap.store(pid, Ordering::Relaxed);
    assert!(mac.machine.unlink(&stranger, "/a/z/doc").allowed());
    mac.machine.settle();
    mac.backend().update_counters();
    assert_eq!(mac.counter(Counter::Panics), 1);
    assert!(!mac.machine.unlink(&agent, "/a/z/doc").allowed());
}

#[test]
fn events_say_how_long_it_took_and_how_long_is_left() {
    let mac = Mac::new(ZONE);
    let agent = mac.chain("rm < codex");
    mac.machine.settle();
    mac.machine.hold();
    let attempt = mac.machine.unlink(&agent, "/a/z/doc");
    mac.machine.advance(Duration::from_secs(2));
    mac.machine.resume();
    assert!(!attempt.allowed());
    let (left, delay) = mac
        .event(Lane::Deny, |event| {
            (event.deadline_left_ns, event.delivery_delay_us)
        })
        .unwrap();
    let delay = Duration::from_micros(delay.unwrap().into());
    assert!((2..3).contains(&delay.as_secs()), "{delay:?}");
    let left = Duration::from_nanos(left.unwrap());
    assert!((57..=58).contains(&left.as_secs()), "{left:?}");
    let longest = Duration::from_nanos(mac.counter(Counter::LongestDeliveryDelayNs));
    assert!(
        longest >= Duration::from_secs(2) && longest < Duration::from_secs(3),
        "{longest:?}"
    );
    assert!(mac.counter(Counter::DeliveryDelayNs) >= 2_000_000_000);
}

#[test]
fn denials_record_the_title_and_the_trace() {
    let mac = Mac::new(ZONE);
    let agent = mac.chain("codex");
    let trace = "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let rm = mac.spawn_with(&agent, "/bin/rm", &["rm", "-f", "doc"], &[trace]);
    assert!(!mac.machine.unlink(&rm, "/a/z/doc").allowed());
    mac.event(Lane::Deny, |event| {
        assert_eq!(event.process.argv0, b"rm");
        assert_eq!(event.process.executable, b"/bin/rm");
        assert_eq!(event.trace.unwrap().span_id[0], 0xb7);
        assert_eq!((event.errno, event.operation), (1, OperationKind::Unlink));
        assert_eq!(event.session, b"session");
    })
    .unwrap();
}

#[test]
fn processes_that_ran_before_the_guard_are_known() {
    let mut mac = MacConfig::new(NEWEST, ZONE).set_up();
    let agent = mac.existing(&mac.shell, "/usr/bin/node", &["claude"]);
    let shell = mac.existing(&agent, "/bin/zsh", &["zsh"]);
    let person = mac.existing(&mac.shell, "/usr/bin/vim", &["vim"]);
    mac.start().unwrap();
    assert!(!mac.machine.unlink(&shell, "/a/z/doc").allowed());
    // The shell's parent has exited before the shell acts again.
    mac.exit(&agent);
    let rm = mac.spawn(&shell, "/bin/rm", &["rm"]);
    assert!(!mac.machine.unlink(&rm, "/a/z/doc").allowed());
    assert!(mac.machine.unlink(&person, "/a/z/doc").allowed());
}

#[test]
fn orphans_of_an_agent_stay_the_agent_s() {
    let mac = Mac::new(ZONE);
    let agent = mac.chain("codex");
    let shell = mac.spawn(&agent, "/bin/sh", &["sh"]);
    let forked = mac.fork(&shell);
    mac.exit(&shell);
    mac.exit(&agent);
    // Forked before its parents ended, it runs its program after.
    let rm = mac.exec(&forked, "/bin/rm", &["rm"], &[]);
    assert!(!mac.machine.unlink(&rm, "/a/z/doc").allowed());
}

/// The kernel drops reports when a queue is full, as in a burst of new processes.
#[test]
fn an_orphan_whose_fork_was_dropped_is_no_person_s() {
    let mac = Mac::new(ZONE);
    let agent = mac.chain("codex");
    let between = mac.fork(&agent);
    let orphan = || {
        let builder = mac.machine.process("/bin/sh").parent(&between).orphaned();
        let orphan = builder.user(501).args(["sh"]).start();
        let started_ns = 1_789_388_200_000_000_000;
        mac.table
            .admit(&orphan, Some(&between), &["sh"], &[], started_ns);
        orphan
    };
    let (alone, executes, forks) = (orphan(), orphan(), orphan());
    mac.exit(&between);
    mac.machine.settle();
    let executed = mac.exec(&executes, "/bin/rm", &["rm"], &[]);
    let forked = mac.spawn(&forks, "/bin/rm", &["rm"]);
    mac.machine.settle();
    let _recorded = mac.recorded();
    for process in [&alone, &executed, &forked] {
        let (done, recorded) = mac.outcome(&mac.machine.unlink(process, "/a/z/doc"));
        assert!(!done, "{recorded}");
        assert_eq!(recorded, "deny unknown_lineage unlink /a/z/doc");
    }
}

#[test]
fn a_process_id_that_is_used_again_is_another_process() {
    let mac = Mac::new(ZONE);
    let agent = mac.chain("rm < codex");
    assert!(!mac.machine.unlink(&agent, "/a/z/doc").allowed());
    mac.exit(&agent);
    let builder = mac.machine.process("/bin/rm").parent(&mac.shell);
    let reused = builder.pid(agent.pid()).start();
    assert_eq!(
        (reused.pid(), reused.pidversion() == agent.pidversion()),
        (agent.pid(), false)
    );
    let now_ns = 1_789_388_200_000_000_000;
    mac.table
        .admit(&reused, Some(&mac.shell), &["rm"], &[], now_ns);
    assert!(mac.machine.unlink(&reused, "/a/z/doc").allowed());
}

#[test]
fn a_title_that_is_set_late_is_seen() {
    let mac = Mac::new(ZONE);
    let node = mac.chain("node");
    let rm = mac.spawn(&node, "/bin/rm", &["rm"]);
    assert!(mac.machine.unlink(&rm, "/a/z/doc").allowed());
    mac.table
        .change(&node, |node| node.arguments = b"claude\0".to_vec());
    eventually("the title is seen", || {
        !mac.machine.unlink(&rm, "/a/z/doc").allowed()
    });
}

#[test]
fn a_service_is_active_when_a_denial_took_effect() {
    let mac = MacConfig::new(NEWEST, ZONE).set_up();
    let (machine, shell) = ((*mac.machine).clone(), mac.shell.clone());
    let attempt = move |path: &std::path::Path| {
        let child = machine.fork(&shell);
        let (rm, _recorded) = machine.exec(&child, "/bin/rm").run();
        if machine.unlink(&rm, path.to_str().unwrap()).allowed() {
            std::fs::remove_file(path)?;
        }
        machine.settle();
        Ok(())
    };
    let guard = mac.guard.clone();
    let mut service = Service::new(guard, mac.settings(Scope::Machine), Box::new(attempt));
    assert!(!service.is_active());
    let Step::Active(proof) = service.step(Instant::now()) else {
        panic!("the self-test passes")
    };
    assert!(proof.lineage);
    assert_eq!(mac.counter(Counter::EnforcementActive), 1);
    assert!(matches!(service.step(Instant::now()), Step::Unchanged));
    // Nothing of it is recorded, and no agent was seen.
    assert_eq!(mac.recorded(), [""; 0]);
    assert!(!mac.guard.lineage.agent_seen());
    service.stop();
    assert_eq!(mac.counter(Counter::EnforcementActive), 0);
    assert_eq!(mac.machine.clients(), 0);
}

#[test]
fn a_service_stays_unproven_where_no_event_arrives() {
    let mac = MacConfig::new(NEWEST, ZONE).set_up();
    let attempt = |path: &std::path::Path| std::fs::remove_file(path);
    let guard = mac.guard.clone();
    let mut service = Service::new(guard, mac.settings(Scope::Machine), Box::new(attempt));
    let now = Instant::now();
    let Step::Unproven(error) = service.step(now) else {
        panic!("no event arrived")
    };
    assert!(error.to_string().contains("no event arrived"), "{error}");
    assert!(!service.is_active());
    assert_eq!(mac.counter(Counter::EnforcementActive), 0);
    assert!(
        matches!(service.step(now), Step::Unchanged),
        "not again at once"
    );
    let later = now + Duration::from_secs(120);
    assert!(
        matches!(service.step(later), Step::Unproven(_)),
        "but later"
    );
}

#[test]
fn a_refused_service_reports_what_to_do_and_tries_again() {
    for (builder, says) in [
        (
            Machine::new(NEWEST).not_entitled(),
            "com.apple.developer.endpoint-security.client",
        ),
        (Machine::new(NEWEST).not_root(), "root"),
        (
            Machine::new(NEWEST).no_full_disk_access(),
            "Full Disk Access",
        ),
    ] {
        let mut plan = MacConfig::new(NEWEST, ZONE);
        plan.builder = builder;
        let mac = plan.set_up();
        let attempt = |_: &std::path::Path| Ok(());
        let guard = mac.guard.clone();
        let mut service = Service::new(guard, mac.settings(Scope::Machine), Box::new(attempt));
        let now = Instant::now();
        let Step::Refused(error) = service.step(now) else {
            panic!("it must not start")
        };
        assert!(error.to_string().contains(says), "{error}");
        assert!(matches!(service.step(now), Step::Unchanged));
        assert!(matches!(
            service.step(now + Duration::from_secs(60)),
            Step::Refused(_)
        ));
    }
}

#[test]
fn a_session_guards_this_process_s_descendants_only() {
    let mut plan = MacConfig::new(NEWEST, ZONE);
    plan.builder = Machine::new(NEWEST).not_root().no_full_disk_access();
    plan.rooted = true;
    let mut mac = plan.set_up();
    let settings = mac.settings(Scope::Descendants);
    mac.start_as(&settings).unwrap();
    let agent = mac.chain("rm < zsh < codex");
    assert!(!mac.machine.unlink(&agent, "/a/z/doc").allowed());
    assert!(mac.machine.unlink(&mac.shell, "/a/z/doc").allowed());
    assert_eq!(mac.machine.unlink(&agent, "/b/x").verdict().asked, 0);
    let elsewhere = mac.machine.process("/usr/bin/codex").start();
    assert_eq!(
        mac.machine.unlink(&elsewhere, "/a/z/doc").verdict().asked,
        0
    );
    assert_eq!(mac.machine.clients(), 1);
}

#[test]
fn a_session_s_own_exporter_is_no_agent_s() {
    let mut plan = MacConfig::new(NEWEST, ZONE);
    plan.rooted = true;
    plan.declared = Some("codex");
    let mut mac = plan.set_up();
    let me = mac.machine.me().clone();
    let exporter = mac.existing(&me, "/opt/guard-exporter", &["guard-exporter"]);
    let mut settings = mac.settings(Scope::Descendants);
    settings.exempt.push(support::key(&exporter));
    mac.start_as(&settings).unwrap();
    let command = mac.spawn(&me, "/bin/sh", &["sh"]);
    let again = mac.exec(&exporter, "/opt/guard-exporter", &["guard-exporter"], &[]);
    let log = format!("{}/denials.jsonl", support::OWN);
    let older = format!("{log}.1");
    mac.machine.create(File::regular(&log));
    for (actor, allowed) in [(&exporter, true), (&command, false), (&again, false)] {
        assert_eq!(mac.machine.open(actor, &log, 3).allowed(), allowed);
        assert_eq!(
            mac.machine.rename(actor, &log, &older).allowed(),
            allowed,
            "{actor:?}"
        );
        mac.machine.create(File::regular(&log));
    }
}

#[test]
fn a_session_needs_macos_27() {
    let mut mac = MacConfig::new(OLDEST, ZONE).set_up();
    let settings = mac.settings(Scope::Descendants);
    let refused = mac.start_as(&settings);
    let Err(StartError::Refused(error)) = refused else {
        panic!("there is no such client")
    };
    assert!(error.to_string().contains("needs macOS 27"), "{error}");
}
