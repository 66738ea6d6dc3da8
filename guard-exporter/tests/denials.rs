//! From a ring to the denial log: nothing lost, nothing doubled, whoever dies.
#![allow(clippy::tests_outside_test_module, reason = "a test binary")]

mod support;

use guard_core::ring::MIN_LANE_WORDS;
use guard_core::verdict::Verdict;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};
use support::{Dice, Home, PROGRAM, allowed, denial, eventually, exists, publish};

/// Room for some 100,000 events.
const ROOMY: usize = 1 << 22;

#[test]
fn the_golden_line_comes_through() {
    let home = Home::new();
    let producer = home.ring(0xaa, MIN_LANE_WORDS);
    let exporter = home.start();
    producer.publish(&allowed());
    producer.publish(&denial());
    let audited = guard_core::DecisionEvent {
        verdict: Verdict::Audit,
        ..denial()
    };
    producer.publish(&audited);
    eventually("both lines are there", || home.lines() == 2);
    exporter.terminate();

    let golden = concat!(
        r#"{"ts":1718000000,"op":"rename","path":"/home/u/project/main.rs","#,
        r#""dest":"/tmp/main.rs","zone":"/home/u/project","process":"mv","ancestor":"claude","#,
        r#""schema_version":1,"time":"2024-06-10T06:13:20.000000042Z","#,
        r#""ring":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","seq":0,"#,
        r#""verdict":"deny","reason":"agent_in_zone","agent":"claude_code","agent_pid":41,"#,
        r#""session":"s-1","pid":42,"generation":977,"ppid":41,"uid":1000,"exe":"/usr/bin/mv","#,
        r#""argv0":"mv","zone_name":"project","errno":1,"answer":"denied","latency_ns":12500,"#,
        r#""override_id":null,"tool":null,"trace_id":"abababababababababababababababab","#,
        r#""span_id":"cdcdcdcdcdcdcdcd"}"#,
    );
    let log = fs::read_to_string(home.path("denials.jsonl")).unwrap();
    let audited = golden
        .replace(r#""deny""#, r#""audit""#)
        .replace(r#""seq":0"#, r#""seq":1"#);
    assert_eq!(log.lines().collect::<Vec<_>>(), [golden, &audited]);
    assert_eq!(
        fs::metadata(home.path("denials.jsonl")).unwrap().mode() & 0o777,
        0o600
    );
}

#[test]
fn killed_again_and_again_it_loses_and_doubles_nothing() {
    const KILLS: u64 = 120;
    let home = Home::new();
    let survivor = home.ring(1, ROOMY);
    let mut mortal = Some(home.ring(2, ROOMY));
    let mut dice = Dice(0x5eed);
    let (mut of_survivor, mut of_mortal) = (0, 0);
    for round in 0..KILLS {
        // The log alone is the durable cursor.
        if dice.below(2) == 0 {
            drop(fs::remove_file(home.path("cursors.json")));
        }
        if round == KILLS * 2 / 3 {
            mortal = None;
        }
        let mut publish_each = || {
            survivor.publish(&denial());
            survivor.publish(&allowed());
            of_survivor += 1;
            if let Some(mortal) = &mortal {
                mortal.publish(&denial());
                of_mortal += 1;
            }
        };
        (0..20).for_each(|_| publish_each());
        let before = home.bytes();
        let exporter = home.start();
        // Half are killed wherever they are, half while they write.
        let mut limit = Duration::from_micros(dice.below(30_000));
        if round % 2 == 0 {
            eventually("it writes", || home.bytes() != before);
            limit /= 10;
        }
        let started = Instant::now();
        let mut left = 40;
        while started.elapsed() < limit {
            if left > 0 {
                publish_each();
                left -= 1;
            }
        }
        exporter.signal("KILL");
        exporter.wait();
    }
    let exporter = home.start();
    eventually("all lines are there", || {
        home.lines() as u64 >= of_survivor + of_mortal
    });
    eventually("the dead guard's ring is gone", || {
        !exists(&home.ring_path(2))
    });
    exporter.terminate();
    assert_eq!(home.logged_of(1), (0..of_survivor).collect::<Vec<_>>());
    assert_eq!(home.logged_of(2), (0..of_mortal).collect::<Vec<_>>());
    assert!(
        exists(&home.path("denials.jsonl.1")),
        "it was rotated on the way"
    );
    assert!(exists(&home.ring_path(1)), "the live guard's ring stays");
}

#[test]
fn a_storm_rotates_the_log_and_keeps_its_order() {
    let home = Home::new();
    let producer = home.ring(1, ROOMY);
    let exporter = home.start();
    for _ in 0..8_000 {
        producer.publish(&denial());
        publish(&producer, &allowed(), 3);
    }
    eventually("all lines are there", || home.lines() == 8_000);
    eventually("all is counted", || {
        exporter.metric("guard_ring_records_total{lane=\"allow\"}") == Some(24_000.0)
    });
    let rotations = exporter.metric("guard_denial_log_rotations_total").unwrap();
    exporter.terminate();
    assert_eq!(home.logged_of(1), (0..8_000).collect::<Vec<_>>());
    assert!(exists(&home.path(&format!("denials.jsonl.{rotations}"))));
}

#[test]
fn a_full_disk_delays_denials_and_loses_none() {
    let home = Home::new();
    let producer = home.ring(1, ROOMY);
    // A real failed write: the soft limit on file sizes, lifted later.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -S -f 200; exec \"$0\" \"$@\"", PROGRAM]);
    let exporter = home.spawn(command.args(home.arguments("127.0.0.1:0")));
    exporter.address();
    publish(&producer, &denial(), 1000);
    let failures = || {
        exporter
            .metric("guard_denial_log_write_failures_total")
            .unwrap()
    };
    eventually("writing fails, and fails again", || failures() >= 2.0);
    let (status, body) = exporter.get("/-/ready");
    assert_eq!(status, 503);
    assert!(body.contains("denials.jsonl"), "{body}");
    assert_eq!(exporter.get("/-/healthy").0, 200);
    let denied =
        "guard_decisions_total{agent=\"claude_code\",operation=\"rename\",verdict=\"deny\"}";
    assert_eq!(exporter.metric(denied), Some(1000.0), "counting goes on");

    let pid = exporter.child.id().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:"])
        .status();
    assert!(lifted.unwrap().success());
    eventually("all lines are there", || home.lines() == 1000);
    eventually("it is ready again", || exporter.get("/-/ready").0 == 200);
    let said = exporter.terminate();
    assert_eq!(
        said.matches("denials wait").count(),
        1,
        "once a minute: {said}"
    );
    assert_eq!(home.logged_of(1), (0..1000).collect::<Vec<_>>());
}

#[test]
fn what_was_overwritten_unread_is_counted() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish(&producer, &denial(), 5000);
    let exporter = home.start();
    let lost = || {
        exporter
            .metric("guard_ring_lost_records_total{lane=\"deny\"}")
            .unwrap()
    };
    let written = || exporter.metric("guard_denial_log_records_total").unwrap();
    eventually("each is counted as written or lost", || {
        written() + lost() == 5000.0
    });
    let logged = home.logged_of(1);
    assert!(logged.is_sorted_by(|a, b| a + 1 == *b) && logged[0] > 0);
    assert_eq!(logged.last(), Some(&4999));
    assert_eq!(lost(), logged[0] as f64);
    // It stays counted when the ring goes.
    drop(producer);
    eventually("the ring is gone", || !exists(&home.ring_path(1)));
    assert_eq!(lost(), logged[0] as f64);
    assert_eq!(exporter.metric("guard_live_rings"), Some(0.0));
}

#[test]
fn a_restart_counts_nothing_twice() {
    let home = Home::new();
    let producer = home.ring(1, ROOMY);
    producer.add(guard_core::ring::Counter::LineageEvictions, 7);
    publish(&producer, &allowed(), 100);
    publish(&producer, &denial(), 100);
    let series = [
        "guard_ring_records_total{lane=\"allow\"}",
        "guard_ring_records_total{lane=\"deny\"}",
        "guard_lineage_evictions_total",
    ];
    let first = home.start();
    eventually("all is counted", || first.metric(series[0]) == Some(100.0));
    assert_eq!(
        series.map(|series| first.metric(series)),
        [100.0, 100.0, 7.0].map(Some)
    );
    first.terminate();

    producer.publish(&allowed());
    let second = home.start();
    eventually("the new one is counted", || {
        second.metric(series[0]) == Some(1.0)
    });
    assert_eq!(
        series.map(|series| second.metric(series)),
        [1.0, 0.0, 0.0].map(Some)
    );
    second.terminate();
    assert_eq!(home.logged_of(1), (0..100).collect::<Vec<_>>());
}

#[test]
fn what_is_no_ring_is_counted_and_left_alone() {
    let home = Home::new();
    let garbage = home.path("rings/garbage");
    let headless = home.path("rings/headless");
    let cut = home.path("rings/cut");
    let link = home.path("rings/link");
    fs::write(&garbage, [0x5a; 10_000]).unwrap();
    fs::write(&headless, [0; 10_000]).unwrap();
    let whole = home.ring(9, MIN_LANE_WORDS);
    fs::write(&cut, &fs::read(home.ring_path(9)).unwrap()[..100_000]).unwrap();
    for path in [&garbage, &headless, &cut] {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    symlink("/etc/passwd", &link).unwrap();
    let fresh = home.path("rings/fresh");
    fs::write(&fresh, []).unwrap();

    let exporter = home.start();
    let rejected = || exporter.metric("guard_ring_rejected_total").unwrap();
    eventually("four are rejected", || rejected() >= 4.0);
    whole.publish(&denial());
    eventually("the real ring is read", || home.lines() == 1);
    fs::remove_file(&fresh).unwrap();
    assert_eq!(exporter.metric("guard_up"), Some(1.0));
    let said = exporter.terminate();
    for path in [&garbage, &headless, &cut, &link] {
        assert!(exists(path));
        let name = path.display().to_string();
        assert_eq!(
            said.matches(&name).count(),
            1,
            "said once of {name}: {said}"
        );
    }
}

#[test]
fn a_ring_full_of_nonsense_harms_nothing() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish(&producer, &denial(), 300);
    drop(producer);
    let mut bytes = fs::read(home.ring_path(1)).unwrap();
    let mut dice = Dice(77);
    // The header stays, all behind it is shot through.
    for _ in 0..20_000 {
        let at = usize::try_from(2048 + dice.below(bytes.len() as u64 - 2048)).unwrap();
        bytes[at] = dice.below(256).to_le_bytes()[0];
    }
    fs::write(home.ring_path(1), bytes).unwrap();
    let other = home.ring(2, MIN_LANE_WORDS);
    other.publish(&denial());
    let exporter = home.start();
    let read = || exporter.metric("guard_ring_records_total{lane=\"deny\"}");
    let written = || exporter.metric("guard_denial_log_records_total");
    eventually("both rings are read", || {
        read() > Some(1.0) && read() == written()
    });
    eventually("the dead one is gone", || !exists(&home.ring_path(1)));
    assert_eq!(exporter.get("/-/healthy").0, 200);
    exporter.terminate();
    assert_eq!(home.logged_of(2), [0]);
}
