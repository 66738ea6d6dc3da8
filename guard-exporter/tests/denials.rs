//! From a ring to the denial log: nothing lost, nothing doubled, whoever dies.
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "a test binary"
)]

mod support;

use guard_core::DecisionEvent;
use guard_core::ring::MIN_LANE_WORDS;
use guard_core::verdict::Verdict;
use guard_report::record::DecisionRecord;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};
use support::{Home, PROGRAM, Rng, allowed, denial, eventually, exists, publish, publish_at_once};

/// Room for some 100,000 events.
const ROOMY: usize = 1 << 22;

#[test]
fn the_golden_line_comes_through() {
    let home = Home::new();
    let producer = home.ring(0xaa, MIN_LANE_WORDS);
    let exporter = home.start();
    producer.publish(&allowed());
    producer.publish(&denial());
    let audited = DecisionEvent {
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
        r#""span_id":"cdcdcdcdcdcdcdcd","delivery_delay_us":null}"#,
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
    kill_again_and_again(120, "--denials.chain=off");
}

#[test]
fn killed_again_and_again_its_chain_stays_whole() {
    let home = kill_again_and_again(60, "--denials.chain");
    let (code, report) = verify(&home, &[]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["chained"], home.lines());
    assert_eq!(report["unfinished"], false);
}

/// Returns the home it happened in.
fn kill_again_and_again(kills: u64, chaining: &str) -> Home {
    let home = Home::new();
    let survivor = home.ring(1, ROOMY);
    let mut mortal = Some(home.ring(2, ROOMY));
    let mut rng = Rng(0x5eed);
    let (mut of_survivor, mut of_mortal) = (0, 0);
    for round in 0..kills {
        // The log alone is the durable cursor.
        if rng.below(2) == 0 {
            drop(fs::remove_file(home.path("cursors.json")));
        }
        if round == kills * 2 / 3 {
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
        let exporter = home.spawn(home.command().arg(chaining));
        // Half are killed wherever they are, half while they write.
        let mut limit = Duration::from_micros(rng.below(30_000));
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
    home
}

/// Status and answer of `verify --json`.
fn verify(home: &Home, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = Command::new(PROGRAM)
        .args(["verify", "--json", "--state"])
        .arg(home.path(""))
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    let answer = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(error));
    (output.status.code(), answer)
}

#[test]
fn verify_reports_what_was_done_to_the_log() {
    let home = Home::new();
    assert_eq!(verify(&home, &[]).0, Some(2), "there is no log");
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish(&producer, &denial(), 3);
    let exporter = home.start();
    eventually("three lines are there", || home.lines() == 3);
    exporter.terminate();
    let (code, report) = verify(&home, &[]);
    assert_eq!((code, &report["chained"]), (Some(2), &0.into()));

    let exporter = home.spawn(home.command().arg("--denials.chain"));
    publish(&producer, &denial(), 5);
    eventually("eight lines are there", || home.lines() == 8);
    exporter.terminate();
    // Once begun, it goes on by itself.
    let exporter = home.start();
    publish(&producer, &denial(), 2);
    let mut head = None;
    eventually("the head is shown", || {
        let (_, status) = exporter.get("/api/v1/status");
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        head = status["denial_log"]["head"].as_str().map(str::to_owned);
        let (code, report) = verify(&home, &[]);
        code == Some(0) && report["lines"] == 10 && report["to"].as_str() == head.as_deref()
    });
    exporter.terminate();
    let head = head.unwrap();
    let log = home.path("denials.jsonl");
    let whole = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let without =
        |gone: std::ops::Range<usize>| [&lines[..gone.start], &lines[gone.end..]].concat();
    let rows: [(&str, Vec<&str>, i32, &str, u64); 6] = [
        ("nothing", lines.clone(), 0, "", 0),
        ("one removed", without(5..6), 1, "removed", 6),
        (
            "one doubled",
            [&lines[..6], &lines[5..]].concat(),
            1,
            "inserted",
            7,
        ),
        ("before the chain", without(0..1), 0, "", 0),
        ("cut at its end", without(8..10), 1, "", 0),
        ("emptied", vec![], 2, "", 0),
    ];
    for (deed, lines, expected, kind, line) in rows {
        fs::write(&log, lines.concat()).unwrap();
        let (code, report) = verify(&home, &["--head", &head]);
        assert_eq!(code, Some(expected), "{deed}: {report}");
        let fault = &report["fault"];
        assert_eq!(
            fault["kind"].as_str().unwrap_or(""),
            kind,
            "{deed}: {report}"
        );
        assert_eq!(
            fault["line"].as_u64().unwrap_or(0),
            line,
            "{deed}: {report}"
        );
    }
    fs::write(&log, whole.replacen("main.rs", "other.rs", 7)).unwrap();
    let output = Command::new(PROGRAM)
        .arg("verify")
        .arg(&log)
        .output()
        .unwrap();
    let messages = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        messages.contains("denials.jsonl:4: this line was changed"),
        "{messages}"
    );
    for (wrong, expected) in [
        (["--head", "5e3f"], "64 hexadecimal digits"),
        (["nowhere", "--head"], "a value is required"),
    ] {
        let output = Command::new(PROGRAM)
            .arg("verify")
            .args(wrong)
            .output()
            .unwrap();
        let messages = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{messages}");
        assert!(messages.contains(expected), "{messages}");
    }
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
    // Counting goes on.
    exporter.await_metric(denied, 1000.0);

    let pid = exporter.child.id().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:"])
        .status();
    assert!(lifted.unwrap().success());
    eventually("all lines are there", || home.lines() == 1000);
    eventually("it is ready again", || exporter.get("/-/ready").0 == 200);
    let messages = exporter.terminate();
    assert_eq!(
        messages.matches("Decisions wait").count(),
        1,
        "once a minute: {messages}"
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
    exporter.await_metric("guard_live_rings", 0.0);
    assert_eq!(lost(), logged[0] as f64);
}

#[test]
fn a_restart_counts_nothing_twice_and_goes_on() {
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
    for (series, value) in series.into_iter().zip([100.0, 100.0, 7.0]) {
        first.await_metric(series, value);
    }
    first.terminate();

    producer.publish(&allowed());
    let second = home.start();
    for (series, value) in series.into_iter().zip([101.0, 100.0, 7.0]) {
        second.await_metric(series, value);
    }
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
    exporter.await_metric("guard_up", 1.0);
    let messages = exporter.terminate();
    for path in [&garbage, &headless, &cut, &link] {
        assert!(exists(path));
        let name = path.display().to_string();
        assert_eq!(
            messages.matches(&name).count(),
            1,
            "logged once for {name}: {messages}"
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
    let mut rng = Rng(77);
    // The header stays, all behind it is shot through.
    for _ in 0..20_000 {
        let at = usize::try_from(2048 + rng.below(bytes.len() as u64 - 2048)).unwrap();
        bytes[at] = rng.below(256).to_le_bytes()[0];
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

#[test]
fn a_loop_of_one_denial_pushes_no_other_out_of_the_log() {
    let home = Home::new();
    let producer = home.ring(1, ROOMY);
    let thesis = DecisionEvent {
        path: b"/home/u/thesis.tex",
        destination: None,
        ..denial()
    };
    producer.publish(&thesis);
    let exporter = home.start();
    publish_at_once(&producer, &denial(), 16_000);
    eventually("all are counted", || {
        exporter.metric("guard_ring_records_total{lane=\"deny\"}") == Some(16_001.0)
    });
    exporter.terminate();
    let log = fs::read_to_string(home.path("denials.jsonl")).unwrap();
    let records: Vec<_> = log
        .lines()
        .map(|line| DecisionRecord::parse(line).unwrap())
        .collect();
    assert_eq!(records[0].path, "/home/u/thesis.tex");
    assert!(records.len() < 100, "{} lines", records.len());
    let counted: u64 = records.iter().map(|record| record.count.unwrap_or(1)).sum();
    assert_eq!(counted, 16_001);
}
