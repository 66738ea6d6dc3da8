//! Adverse conditions: crowds of clients, closed directories, clocks that are set, garbage on the
//! port, a closed standard error, and nothing to do.
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "a test binary"
)]

mod support;

use guard_core::DecisionEvent;
use guard_core::ring::MIN_LANE_WORDS;
use guard_exporter::http::MAX_CONNECTIONS;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};
use support::{
    DEADLINE, Home, PROGRAM, Rng, denial, eventually, publish, publish_at_once, request, status,
};

/// Room for some 10,000 events.
const ROOMY: usize = 1 << 19;
/// A user without any permission.
const NOBODY: u32 = 65_534;

#[test]
fn ten_thousand_connections_take_no_more_memory_than_a_few() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    let exporter = home.start();
    let address = exporter.address();
    let memory = || exporter.metric("process_resident_memory_bytes").unwrap();
    let before = memory();
    // As many as this process may have, if that is less.
    let allowed = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: allowed.map(|most| most.min(10_500)).or(Some(10_500)),
        maximum: allowed,
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    let wanted = limit.current.map_or(0, |most| most.saturating_sub(500));
    let crowd: Vec<TcpStream> = (0..wanted)
        .map(|number| {
            // What is accepted in turn is answered in turn: so many wait there and no more, else
            // the system itself makes callers wait for seconds.
            if number % 500 == 0 {
                assert_eq!(exporter.get("/-/healthy").0, 200);
            }
            let mut stream = TcpStream::connect(address).unwrap();
            // Shed already, perhaps.
            drop(stream.write_all(b"GET / HTTP/1.1\r\n"));
            stream
        })
        .collect();
    producer.publish(&denial());
    eventually("the denial is logged", || home.lines() == 1);
    assert_eq!(exporter.get("/-/healthy").0, 200);
    let few = (MAX_CONNECTIONS + 40) as f64;
    assert!(exporter.metric("process_open_fds").unwrap() < few);
    let shed = exporter.metric("guard_exporter_connections_shed_total");
    let kept = (MAX_CONNECTIONS + 1) as f64;
    assert!(shed.unwrap() >= wanted as f64 - kept, "{shed:?}");
    let grown = memory() - before;
    assert!(grown < 8e6, "{wanted} connections took {grown} bytes");
    assert_eq!(crowd.len() as u64, wanted);
}

#[test]
fn a_closed_directory_delays_denials_and_loses_none() {
    let home = Home::new();
    let log = home.path("log");
    fs::create_dir(&log).unwrap();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let producer = home.ring(1, ROOMY);
    let mut program = PathBuf::from(PROGRAM);
    if is_root {
        // To root no directory is closed; to others the one with the program may be. Another process
        // copies it: what this one has open for writing, a child of another thread may hold open.
        program = home.path("guard-exporter");
        let copied = Command::new("cp").arg(PROGRAM).arg(&program).status();
        assert!(copied.unwrap().success());
        own(&home.path(""), NOBODY);
    }
    let mut command = Command::new(program);
    command.args(home.arguments("127.0.0.1:0"));
    command.arg("--denials").arg(log.join("denials.jsonl"));
    if is_root {
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    let exporter = home.spawn(&mut command);
    producer.publish(&denial());
    let written = || exporter.metric("guard_denial_log_records_total");
    eventually("the log is begun", || written() == Some(1.0));

    // A log that is full moves to another name, which nobody may give now.
    fs::set_permissions(&log, Permissions::from_mode(0o500)).unwrap();
    publish(&producer, &denial(), 3000);
    let failures = || exporter.metric("guard_denial_log_write_failures_total");
    eventually("it fails, and fails again", || failures() >= Some(2.0));
    let (code, body) = exporter.get("/-/ready");
    assert_eq!(code, 503, "{body}");
    assert!(body.contains("denials.jsonl"), "{body}");
    assert_eq!(exporter.get("/-/healthy").0, 200);

    fs::set_permissions(&log, Permissions::from_mode(0o700)).unwrap();
    eventually("all is written", || written() == Some(3001.0));
    eventually("it is ready again", || exporter.get("/-/ready").0 == 200);
    exporter.terminate();
    let files = [
        "denials.jsonl.3",
        "denials.jsonl.2",
        "denials.jsonl.1",
        "denials.jsonl",
    ];
    let texts = files.map(|name| fs::read_to_string(log.join(name)).unwrap_or_default());
    let numbers: Vec<u64> = texts
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(numbers, (0..3001).collect::<Vec<_>>());
}

/// Gives a directory and all in it to a user.
fn own(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            own(&entry.unwrap().path(), user);
        }
    }
}

#[test]
fn an_exporter_without_its_directory_ends_when_no_guard_is_alive() {
    for (options, succeeds) in [(&["--exit-when-idle", "600"][..], true), (&[], false)] {
        let home = Home::new();
        let ring = home.ring(1, MIN_LANE_WORDS);
        let exporter = home.spawn(home.command().args(options));
        exporter.address();
        fs::remove_dir_all(home.path("")).unwrap();
        drop(ring);
        let ended = exporter.wait().status;
        assert_eq!(ended.success(), succeeds, "{options:?}: {ended}");
        assert!(!home.path("").exists(), "it makes nothing again");
    }
}

#[test]
fn a_clock_that_is_set_back_changes_no_order_and_loses_nothing() {
    const HOUR_NS: u64 = 3_600_000_000_000;
    let home = Home::new();
    let producer = home.ring(1, ROOMY);
    let at = |number: u64, hour: u64| {
        producer.publish(&DecisionEvent {
            wall_ns: 1_718_000_000_000_000_000 + hour * HOUR_NS,
            monotonic_ns: hour * HOUR_NS,
            latency_ns: number,
            ..denial()
        });
    };
    // Forwards, far back, to the beginning of time, and on.
    let hours = [5, 6, 2, 0, 1, 9];
    for (number, hour) in (0..).zip(hours) {
        at(number, hour);
    }
    producer.publish(&DecisionEvent {
        wall_ns: 0,
        monotonic_ns: u64::MAX,
        ..denial()
    });
    let exporter = home.start();
    eventually("all is logged", || home.lines() == 7);
    let sequences = |exporter: &support::Exporter| -> Vec<u64> {
        let (_, json) = exporter.get("/api/v1/denials");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let denials = json["denials"].as_array().unwrap();
        denials
            .iter()
            .map(|denial| denial["seq"].as_u64().unwrap())
            .collect()
    };
    let newest_first: Vec<u64> = (0..7).rev().collect();
    assert_eq!(
        sequences(&exporter),
        newest_first,
        "in the order in which it happened"
    );
    let (_, json) = exporter.get("/api/v1/latency?span=1m");
    assert!(
        json.contains("\"count\":7"),
        "windows go by this process's clock: {json}"
    );
    exporter.terminate();
    let again = home.start();
    at(7, 3);
    eventually("the next is logged", || home.lines() == 8);
    assert_eq!(sequences(&again), (0..8).rev().collect::<Vec<_>>());
    again.terminate();
    assert_eq!(home.logged_of(1), (0..8).collect::<Vec<_>>());
}

#[test]
fn a_closed_standard_error_is_no_problem() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    let mut exporter = home.start();
    exporter.address();
    // It logs a retry storm to a pipe whose other end is closed.
    drop(exporter.child.stderr.take());
    let denied = denial();
    publish_at_once(&producer, &denied, 10);
    let storms = "guard_retry_storms_total{agent=\"claude_code\"}";
    eventually("the storm is counted", || {
        exporter.metric(storms) == Some(1.0)
    });
    publish(&producer, &denied, 10);
    eventually("all is logged", || home.lines() == 16);
    exporter.child.stderr = Some(never());
    exporter.terminate();
}

/// On Linux, which counts how often a thread waits.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_exporter_wakes_rarely_and_reads_soon() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    let exporter = home.start();
    exporter.address();
    let pid = exporter.child.id();
    let waits = || -> u64 {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let texts = threads
            .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("status")).ok());
        texts
            .filter_map(|text| {
                let (_, count) = text.split_once("\nvoluntary_ctxt_switches:")?;
                count.split_whitespace().next()?.parse::<u64>().ok()
            })
            .sum()
    };
    let (mut since, mut before) = (Instant::now(), waits());
    eventually("it waits less than ten times a second", || {
        if since.elapsed() < Duration::from_secs(2) {
            return false;
        }
        let now = waits();
        let is_rare = now - before < 20;
        (since, before) = (Instant::now(), now);
        is_rare
    });
    producer.publish(&denial());
    eventually("the denial is logged", || home.lines() == 1);
}

/// A pipe without a writer.
fn never() -> std::process::ChildStderr {
    let mut child = Command::new("true").stderr(Stdio::piped()).spawn().unwrap();
    child.wait().unwrap();
    child.stderr.take().unwrap()
}

#[test]
fn malformed_http_is_refused_and_harms_nothing() {
    let home = Home::new();
    let exporter = home.start();
    let address = exporter.address();
    let end = "Host: localhost\r\nConnection: close\r\n\r\n";
    let good = "GET /-/healthy HTTP/1.1\r\n";
    for (asked, expected) in [
        (format!("GET  /-/healthy HTTP/1.1\r\n{end}"), 400),
        (format!("GET /-/heal thy HTTP/1.1\r\n{end}"), 400),
        (format!("GET /-/healthy HTTP/1.1 \r\n{end}"), 400),
        (format!("{good}no colon\r\n{end}"), 400),
        (format!("{good}: no name\r\n{end}"), 400),
        (format!("{good}na me: x\r\n{end}"), 400),
        (format!("{good}X: a\0b\r\n{end}"), 400),
        (format!("{good}Content-Length: -1\r\n{end}"), 400),
        (
            format!("{good}Content-Length: 99999999999999999999\r\n{end}"),
            400,
        ),
        (format!("{good}Transfer-Encoding: x\r\n{end}"), 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 0),
        (
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n".to_owned(),
            400,
        ),
        (
            format!("GET http://evil.example/metrics HTTP/1.1\r\n{end}"),
            403,
        ),
        (
            "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(),
            403,
        ),
        (
            format!("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n{end}"),
            403,
        ),
        (format!("CONNECT localhost:80 HTTP/1.1\r\n{end}"), 404),
        (
            format!("GET /api/v1/denials?limit=%zz HTTP/1.1\r\n{end}"),
            400,
        ),
        (
            format!("GET /api/v1/denials?limit=1&limit=%ff HTTP/1.1\r\n{end}"),
            400,
        ),
        (
            format!("GET /api/v1/denials?before=00-0%00 HTTP/1.1\r\n{end}"),
            400,
        ),
        (
            format!("GET /api/v1/denials?since=-99999999999999999999 HTTP/1.1\r\n{end}"),
            400,
        ),
        (
            format!("GET /api/v1/latency?span=%F0%9F%92%A3 HTTP/1.1\r\n{end}"),
            400,
        ),
    ] {
        let (head, _) = request(address, &asked);
        assert_eq!(status(&head), expected, "{asked:?} got {head}");
    }
    // (0 is a connection that was closed.) Bytes of no kind, and queries of the letters that matter.
    let mut rng = Rng(0x0bad_cafe);
    for _ in 0..100 {
        let length = rng.below(400);
        let bytes: Vec<u8> = (0..length)
            .map(|_| rng.below(256).to_le_bytes()[0])
            .collect();
        send(address, &bytes);
        let letters = b"agentbforelimsincvdictopz=&%0123456789-+:TZ./abcdef";
        let query: Vec<u8> = (0..rng.below(60))
            .map(|_| letters[usize::try_from(rng.below(letters.len() as u64)).unwrap()])
            .collect();
        let query = String::from_utf8(query).unwrap();
        for path in [
            "/",
            "/api/v1/denials",
            "/api/v1/latency",
            "/api/v1/detections",
        ] {
            let (head, _) = request(address, &format!("GET {path}?{query} HTTP/1.1\r\n{end}"));
            assert!(
                [200, 400].contains(&status(&head)),
                "{path}?{query} got {head}"
            );
        }
    }
    assert_eq!(exporter.get("/-/healthy").0, 200);
    let messages = exporter.terminate();
    assert!(!messages.contains("panicked"), "{messages}");
}

/// Sends bytes; what comes back, if anything, is HTTP.
fn send(address: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    // It may hang up amid them.
    drop(stream.write_all(bytes));
    drop(stream.shutdown(std::net::Shutdown::Write));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1."),
        "{answer:?}"
    );
}
