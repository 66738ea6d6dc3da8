//! The exporter as a process and a server.
#![allow(clippy::tests_outside_test_module, reason = "a test binary")]

mod support;

use guard_core::OperationKind;
use guard_core::ring::{Counter, MIN_LANE_WORDS};
use guard_core::verdict::Verdict;
use guard_exporter::http::{MAX_CONNECTIONS, MAX_HEAD_BYTES};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use support::{
    Home, PROGRAM, allowed, denial, eventually, exists, listener, openmetrics, publish, request,
    status,
};

#[test]
fn metrics_describe_guards_and_decisions() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.set(Counter::EnforcementActive, 1);
    producer.set(Counter::PolicyOk, 1);
    producer.set(Counter::Zones, 3);
    producer.set(Counter::LineageEntries, 12);
    producer.add(Counter::PolicyReloadFailures, 2);
    producer.add(Counter::Panics, 1);
    producer.add(Counter::DeliveryDelayNs, 2_500_000_000);
    producer.raise(Counter::LongestDeliveryDelayNs, 500_000_000);
    producer.beat(1_718_000_000_500_000_000);
    producer.publish(&denial());
    publish(&producer, &allowed(), 2);

    let exporter = home.start();
    eventually("all is read", || {
        exporter.metric("guard_ring_records_total{lane=\"allow\"}") == Some(2.0)
            && exporter.metric("guard_up") == Some(1.0)
    });
    for (series, value) in [
        ("guard_up", 1.0),
        ("guard_live_rings", 1.0),
        ("guard_enforcement_active", 1.0),
        ("guard_policy_last_reload_successful", 1.0),
        ("guard_policy_reload_failures_total", 2.0),
        ("guard_policy_zones", 3.0),
        ("guard_panics_total", 1.0),
        ("guard_delivery_delay_seconds_total", 2.5),
        ("guard_longest_delivery_delay_seconds", 0.5),
        ("guard_tracked_processes", 12.0),
        ("guard_heartbeat_timestamp_seconds", 1_718_000_000.5),
        ("guard_ring_lag_records{lane=\"deny\"}", 0.0),
        ("guard_denial_log_records_total", 1.0),
        (
            "guard_decisions_total{agent=\"claude_code\",operation=\"rename\",verdict=\"deny\"}",
            1.0,
        ),
        (
            "guard_decisions_total{agent=\"claude_code\",operation=\"rename\",verdict=\"audit\"}",
            0.0,
        ),
        (
            "guard_decisions_total{agent=\"none\",operation=\"rename\",verdict=\"allow\"}",
            2.0,
        ),
        (
            "guard_decision_reasons_total{reason=\"human\",verdict=\"allow\"}",
            2.0,
        ),
        ("guard_answers_total{answer=\"continued\"}", 2.0),
        (
            "guard_decision_duration_seconds_bucket{operation=\"rename\",le=\"1e-05\"}",
            0.0,
        ),
        (
            "guard_decision_duration_seconds_bucket{operation=\"rename\",le=\"2.5e-05\"}",
            3.0,
        ),
    ] {
        exporter.await_metric(series, value);
    }
    let (_, scrape) = exporter.get("/metrics");
    assert!(!scrape.contains("/home/u"), "no path in any label");
    assert!(exporter.metric("process_resident_memory_bytes").unwrap() > 0.0);
    drop(producer);
    exporter.await_metric("guard_up", 0.0);
    exporter.await_metric("guard_enforcement_active", 0.0);
    assert_eq!(
        exporter.metric("guard_policy_reload_failures_total"),
        Some(2.0)
    );
}

#[test]
fn a_hung_guard_shows_beside_a_live_one() {
    let home = Home::new();
    let [hung, live] = [1, 2].map(|id| home.ring(id, MIN_LANE_WORDS));
    for producer in [&hung, &live] {
        producer.set(Counter::EnforcementActive, 1);
        producer.set(Counter::PolicyOk, 1);
    }
    live.beat(1_718_000_100_000_000_000);
    hung.beat(1_718_000_000_000_000_000);
    let exporter = home.start();
    let heartbeat = || exporter.metric("guard_heartbeat_timestamp_seconds");
    eventually("the oldest heartbeat is exported", || {
        exporter.metric("guard_live_rings") == Some(2.0) && heartbeat() == Some(1_718_000_000.0)
    });
    live.beat(1_718_000_200_000_000_000);
    eventually("each heartbeat is read", || {
        exporter
            .get("/api/v1/status")
            .1
            .contains("2024-06-10T06:16:40")
    });
    assert_eq!(heartbeat(), Some(1_718_000_000.0));
    let (_, page) = exporter.get("/");
    assert!(page.contains("class=\"state bad\""), "{page}");
    assert!(page.contains("last updated its ring"), "{page}");
    assert!(page.contains("not responding</td>"), "{page}");
    let (_, status) = exporter.get("/api/v1/status");
    assert!(status.contains("last updated its ring"), "{status}");
    drop(hung);
    eventually("only live guards count", || {
        heartbeat() == Some(1_718_000_200.0)
    });
}

#[test]
fn sighup_reopens_the_denial_log_and_ends_nothing() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    let exporter = home.start();
    producer.publish(&denial());
    eventually("the denial is logged", || home.lines() == 1);
    let log = home.path("denials.jsonl");
    let moved = home.path("moved.jsonl");
    std::fs::rename(&log, &moved).unwrap();
    exporter.signal("HUP");
    eventually("the log is opened again", || exists(&log));
    producer.publish(&denial());
    eventually("the next denial is logged there", || home.lines() == 1);
    assert_eq!(home.logged_of(1), [1]);
    assert_eq!(exporter.get("/-/ready").0, 200);
    exporter.signal("HUP");
    let messages = exporter.terminate();
    assert!(messages.contains("SIGHUP"), "{messages}");
    assert_eq!(home.logged_of(1), [1]);
    assert!(!exists(&home.path("exporter.json")));
}

#[test]
fn openmetrics_is_strict_and_has_exemplars() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.set(Counter::PolicyRevision, 7);
    publish(&producer, &denial(), 3);
    publish(&producer, &allowed(), 2);
    let exporter = home.start();
    exporter.await_metric("guard_ring_records_total{lane=\"allow\"}", 2.0);
    eventually("the last series is there", || {
        exporter
            .get("/metrics")
            .1
            .contains("\nguard_daemon_build_info{")
    });
    let ask = |accept: &str| {
        let asked = format!(
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\
             Connection: close\r\n\r\n"
        );
        request(exporter.address(), &asked)
    };
    let (head, body) = ask("application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    assert!(head.contains(kind), "{head}");
    let samples = openmetrics::parse(&body);
    let exemplified: Vec<_> = samples
        .iter()
        .filter_map(|sample| Some((sample, sample.exemplar.as_ref()?)))
        .collect();
    assert_eq!(exemplified.len(), 2, "{exemplified:?}");
    for (sample, (labels, value, time)) in exemplified {
        assert_eq!(labels["trace_id"], "ab".repeat(16));
        assert_eq!(labels["span_id"], "cd".repeat(8));
        assert!((time - 1_718_000_000.0).abs() < 0.001);
        match sample.name.as_str() {
            "guard_decisions_total" => {
                assert_eq!((sample.value, *value), (3.0, 1.0));
                assert_eq!(sample.labels["agent"], "claude_code");
            }
            name => {
                assert_eq!(name, "guard_decision_duration_seconds_bucket");
                assert_eq!((sample.labels["le"].as_str(), *value), ("2.5e-05", 1.25e-5));
            }
        }
    }
    // Both formats have the same series, but for the times when counters began.
    let (created, samples): (Vec<_>, Vec<_>) = samples
        .into_iter()
        .partition(|sample| sample.name.ends_with("_created"));
    assert!(created.iter().all(|sample| sample.value > 1_700_000_000.0));
    let (head, text) = ask("text/plain");
    assert!(
        head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    assert!(!text.contains("trace_id") && !text.contains("# EOF"));
    let in_text: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(['{', ' ']).next().unwrap())
        .collect();
    let in_openmetrics: BTreeSet<&str> = samples.iter().map(|sample| &*sample.name).collect();
    assert_eq!(in_text, in_openmetrics);
    assert_eq!(
        text.lines().filter(|line| !line.starts_with('#')).count(),
        samples.len()
    );
}

#[test]
fn an_agent_has_all_its_series_from_its_first_decision_on() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    let exporter = home.start();
    let (_, scrape) = exporter.get("/metrics");
    assert!(!scrape.contains("claude_code"), "{scrape}");
    producer.publish(&denial());
    let mut expected = ["retry_storms", "override_uses"]
        .map(|family| format!("\nguard_{family}_total{{agent=\"claude_code\"}} 0\n"))
        .to_vec();
    for operation in OperationKind::ALL.map(OperationKind::as_str) {
        for verdict in Verdict::ALL.map(Verdict::as_str) {
            let labels =
                format!("agent=\"claude_code\",operation=\"{operation}\",verdict=\"{verdict}\"");
            expected.push(format!("\nguard_decisions_total{{{labels}}} "));
        }
    }
    for line in expected {
        eventually(&line, || exporter.get("/metrics").1.contains(&line));
    }
}

#[test]
fn a_scrape_is_compressed_for_who_asks() {
    let home = Home::new();
    let exporter = home.start();
    let ask = |more: &str| {
        let asked =
            format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{more}Connection: close\r\n\r\n");
        let mut client = TcpStream::connect(exporter.address()).unwrap();
        client.write_all(asked.as_bytes()).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        let head = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let (head, body) = answer.split_at(head + 4);
        (String::from_utf8(head.to_vec()).unwrap(), body.to_vec())
    };
    let (head, plain) = ask("");
    assert!(!head.contains("content-encoding"), "{head}");
    let (head, gzip) = ask("Accept-Encoding: gzip\r\n");
    assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
    assert_eq!(gzip.first_chunk(), Some(&[0x1f, 0x8b]));
    assert!(
        gzip.len() * 4 < plain.len(),
        "{} of {}",
        gzip.len(),
        plain.len()
    );
    // Two lines are one list.
    let (head, _) = ask("Accept: text/plain\r\nAccept: application/openmetrics-text;q=0.1\r\n");
    assert!(head.contains("content-type: text/plain"), "{head}");
}

#[test]
fn requests_are_read_only_and_for_loopback() {
    let home = Home::new();
    let exporter = home.start();
    let address = exporter.address();
    let answer = |request_line: &str, host: &str| {
        request(
            address,
            &format!("{request_line} HTTP/1.1\r\n{host}Connection: close\r\n\r\n"),
        )
        .0
    };
    let port = address.port();
    for host in [
        "localhost",
        "127.0.0.1",
        "[::1]",
        &format!("localhost:{port}"),
    ] {
        let head = answer("GET /metrics", &format!("Host: {host}\r\n"));
        assert_eq!(status(&head), 200, "{host}");
        assert!(
            head.contains("content-type: text/plain; version=0.0.4"),
            "{head}"
        );
    }
    for host in [
        "Host: evil.example\r\n",
        "",
        "Host: localhost\r\nHost: evil.example\r\n",
    ] {
        let refused = status(&answer("GET /metrics", host));
        assert!(refused == 403 || refused == 400, "{host} got {refused}");
    }
    let host = "Host: localhost\r\n";
    assert_eq!(
        status(&answer("GET http://evil.example/metrics", host)),
        403
    );
    assert_eq!(
        status(&answer("GET /metrics", "Host: evil.example\r\n")),
        403
    );
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        assert_eq!(
            status(&answer(&format!("{method} /metrics"), host)),
            405,
            "{method}"
        );
    }
    let (code, body) = exporter.get("/nothing");
    assert_eq!(code, 404);
    assert!(body.contains("the page is at /"), "{body}");
    let (head, body) = request(
        address,
        "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    assert_eq!((status(&head), body.as_str()), (200, ""));
    assert!(exporter.get("/").1.contains("/metrics"));
    eventually("it is ready", || exporter.get("/-/ready").0 == 200);

    let long = format!("Host: localhost\r\nX: {}\r\n", "x".repeat(MAX_HEAD_BYTES));
    assert_eq!(status(&answer("GET /metrics", &long)), 431);
}

#[test]
fn a_crowd_of_slow_clients_keeps_nobody_out() {
    let home = Home::new();
    let exporter = home.start();
    let address = exporter.address();
    let crowd: Vec<TcpStream> = (0..MAX_CONNECTIONS * 2)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nHost: loc")
                .unwrap();
            stream
        })
        .collect();
    assert_eq!(exporter.get("/-/healthy").0, 200);
    assert!(exporter.metric("process_open_fds").unwrap() < (MAX_CONNECTIONS + 40) as f64);
    drop(crowd);
}

#[test]
fn with_the_port_taken_it_logs_and_retries() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    let taken = listener();
    let address = taken.local_addr().unwrap().to_string();
    let mut exporter = home.spawn(Command::new(PROGRAM).args(home.arguments(&address)));
    producer.publish(&denial());
    eventually("the denial is logged", || home.lines() == 1);
    let messages = exporter.next_message();
    assert!(
        messages.contains(&address) && messages.contains("--web.listen-address"),
        "{messages}"
    );
    assert!(!exists(&home.path("exporter.json")));
    drop(taken);
    assert_eq!(exporter.address().to_string(), address);
    assert!(exporter.metric("guard_exporter_bind_failures_total") >= Some(1.0));
    exporter.terminate();
    assert_eq!(home.logged_of(1), [0]);
}

#[test]
fn the_second_exporter_names_the_first() {
    let home = Home::new();
    let first = home.start();
    let address = first.address();
    let second = home.start().wait();
    let messages = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(3), "{messages}");
    let pid = format!("pid {}", first.child.id());
    assert!(
        messages.contains(&pid) && messages.contains(&address.to_string()),
        "{messages}"
    );
    // The first is unharmed, and a killed one is no obstacle.
    assert_eq!(first.get("/-/healthy").0, 200);
    first.signal("KILL");
    first.wait();
    let third = home.start();
    third.address();
    third.terminate();
    assert!(!exists(&home.path("exporter.json")));
}

#[test]
fn an_idle_exporter_ends_after_the_last_guard() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    let exporter = home.spawn(home.command().args(["--exit-when-idle", "0.05"]));
    producer.publish(&denial());
    eventually("the denial is logged", || home.lines() == 1);
    producer.publish(&denial());
    drop(producer);
    let output = exporter.wait();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(home.logged_of(1), [0, 1]);
    assert!(!exists(&home.ring_path(1)) && !exists(&home.path("exporter.json")));
}

#[test]
fn the_command_line_is_documented_and_checked() {
    let home = Home::new();
    let run = |arguments: &[&str]| {
        let output = home.command().args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (code, help) = run(&["--help"]);
    assert_eq!(code, Some(0));
    for text in [
        "--exit-when-idle",
        "denials.jsonl",
        "Exit status",
        "127.0.0.1:19477",
    ] {
        assert!(help.contains(text), "{text} in {help}");
    }
    assert_eq!(run(&["--version"]).0, Some(0));
    let output = Command::new(PROGRAM)
        .args(home.arguments("0.0.0.0:19477"))
        .output()
        .unwrap();
    let (code, messages) = (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert_eq!(code, Some(2));
    assert!(messages.contains("not a loopback address"), "{messages}");

    let homeless = Command::new(env!("CARGO_BIN_EXE_guard-exporter"))
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(homeless.status.code(), Some(2));

    std::os::unix::fs::symlink("/etc/passwd", home.path("denials.jsonl")).unwrap();
    let (code, messages) = run(&[]);
    assert_eq!(code, Some(1));
    assert!(messages.contains("not a regular file"), "{messages}");
}

#[test]
fn the_metrics_are_at_the_configured_path() {
    let home = Home::new();
    let exporter = home.spawn(
        home.command()
            .args(["--web.telemetry-path", "/guard/metrics"]),
    );
    let (status, text) = exporter.get("/guard/metrics");
    assert_eq!(status, 200);
    assert!(text.contains("\nguard_up 0\n"), "{text}");
    assert_eq!(exporter.get("/metrics").0, 404);
    let (_, page) = exporter.get("/");
    assert!(page.contains("<a href=\"/guard/metrics\">"), "{page}");
}

#[test]
fn messages_have_a_level_and_a_format() {
    let home = Home::new();
    drop(home.ring(1, MIN_LANE_WORDS));
    let run = |arguments: &[&str]| {
        let exporter = home.spawn(home.command().args(arguments));
        exporter.address();
        exporter.terminate()
    };
    let usual = run(&[]);
    let has = |text: &str, pattern: &str| text.lines().any(|line| line.contains(pattern));
    assert!(
        has(&usual, " level=INFO msg=\"Serving http://127.0.0.1:"),
        "{usual}"
    );
    assert!(
        usual.lines().all(|line| line.starts_with("time=20")),
        "{usual}"
    );
    assert_eq!(run(&["--log.level", "warn"]), "");
    drop(home.ring(2, MIN_LANE_WORDS));
    let all = run(&["--log.level=debug", "--log.format=json"]);
    let messages: Vec<serde_json::Value> = all
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let is_about = |level: &str, text: &str| {
        let matches = |line: &serde_json::Value| line["msg"].as_str().unwrap().starts_with(text);
        messages
            .iter()
            .any(|line| line["level"] == level && matches(line))
    };
    assert!(is_about("DEBUG", "Reading the ring 0202"), "{all}");
    assert!(is_about("INFO", "Serving http://"), "{all}");
}

/// `UPDATE_GOLDEN=1 cargo test -p guard-exporter --test serving` writes the texts again.
#[test]
fn the_help_of_every_command() {
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("verify", &["verify", "--help"]),
        ("completions", &["completions", "--help"]),
    ] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let text: String = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .flat_map(|line| [line.trim_end(), "\n"])
            .collect();
        let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
            std::fs::write(&kept, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&kept).unwrap();
        assert_eq!(text, expected, "{} differs", kept.display());
    }
}

#[test]
fn mistyped_arguments_are_status_2_with_a_hint() {
    for (arguments, expected) in [
        (
            &["--web.listen-address", ":19477"][..],
            "such as 127.0.0.1:19477",
        ),
        (&["--web.listen-adress", "x"], "'--web.listen-address'"),
        (&["--web.telemetry-path", "metrics"], "such as /metrics"),
        (&["--web.telemetry-path", "/api/metrics"], "/api is taken"),
        (&["--web.max-requests", "-1"], "--web.max-requests"),
        (
            &["--log.level", "loud"],
            "possible values: debug, info, warn, error",
        ),
        (&["--log.format", "xml"], "possible values: logfmt, json"),
        (&["--denials.chain=maybe"], "--denials.chain"),
        (&["verifi"], "a similar subcommand exists: 'verify'"),
        (&["completions", "tcl"], "possible values: bash"),
    ] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        let messages = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {messages}");
        assert!(messages.contains(expected), "{arguments:?}: {messages}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = Command::new(PROGRAM)
            .args(["completions", shell])
            .output()
            .unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(
            script.contains("telemetry-path") && script.contains("verify"),
            "{shell}"
        );
    }
}
