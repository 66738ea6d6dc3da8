//! Slow clients, greedy clients, and malformed requests.
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "a test binary"
)]

mod support;

use guard_core::ring::MIN_LANE_WORDS;
use guard_exporter::http::{MAX_CONNECTIONS, MAX_HEADERS};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use support::events::Events;
use support::{DEADLINE, Home, Rng, denial, eventually, request, status};

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Whether the other end has closed the connection, with a response or without.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut some = [0; 4096];
    loop {
        match stream.read(&mut some) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// Longer than any test runs.
const NEVER: &str = "3600";

#[test]
fn a_head_that_does_not_arrive_closes_its_connection() {
    let home = Home::new();
    let command = |timeout| {
        let mut command = home.command();
        command.args(["--web.head-timeout", timeout, "--web.write-timeout", NEVER]);
        command
    };
    let exporter = home.spawn(&mut command("0.05"));
    let address = exporter.address();
    let mut silent = connect(address);
    let mut partial = connect(address);
    partial.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
    let mut idle = connect(address);
    idle.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    for stream in [&mut silent, &mut partial, &mut idle] {
        let mut answer = Vec::new();
        // A reset closes it as well.
        drop(stream.read_to_end(&mut answer));
    }
    eventually("all are counted as closed", || {
        exporter.metric("guard_exporter_connections") == Some(1.0)
    });
    exporter.terminate();

    let patient = home.spawn(&mut command(NEVER));
    let mut partial = connect(patient.address());
    partial.write_all(b"GET /-/healthy HTTP/1.1\r\n").unwrap();
    assert_eq!(patient.get("/-/healthy").0, 200);
    partial
        .write_all(b"Host: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    partial.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200, "within the time-out it is served");
}

#[test]
fn a_client_that_does_not_read_loses_its_connection() {
    let home = Home::new();
    let mut command = home.command();
    command.args(["--web.head-timeout", NEVER, "--web.write-timeout", "0.05"]);
    let exporter = home.spawn(&mut command);
    let address = exporter.address();
    // Asks for more than any buffer holds, and reads none of it.
    let mut greedy = connect(address);
    let requests = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000);
    greedy.set_nonblocking(true).unwrap();
    let mut sent = 0;
    eventually("its connection is closed", || {
        // More is sent as there is room for it.
        if let Some(rest) = requests
            .as_bytes()
            .get(sent..)
            .filter(|rest| !rest.is_empty())
        {
            let part = &rest[..rest.len().min(480)];
            if greedy.write_all(part).is_ok() {
                sent += part.len();
            }
        }
        exporter.metric("guard_exporter_connections_stalled_total") == Some(1.0)
    });
    assert_eq!(exporter.get("/-/healthy").0, 200);
}

#[test]
fn a_crowd_ends_nobody_s_events() {
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    let exporter = home.start();
    let address = exporter.address();
    let mut events = Events::listen(address, "");
    let crowd: Vec<TcpStream> = (0..MAX_CONNECTIONS * 10)
        .map(|_| {
            let mut stream = connect(address);
            stream.write_all(b"GET /").unwrap();
            stream
        })
        .collect();
    assert_eq!(exporter.get("/-/healthy").0, 200);
    producer.publish(&denial());
    assert_eq!(events.next().kind, "denial");
    let most = MAX_CONNECTIONS as f64 + 1.0;
    eventually("few are open", || {
        exporter.metric("guard_exporter_connections") <= Some(most)
    });
    let shed = exporter
        .metric("guard_exporter_connections_shed_total")
        .unwrap();
    assert!(shed >= (MAX_CONNECTIONS * 9) as f64, "{shed}");
    for mut stream in crowd.into_iter().take(MAX_CONNECTIONS) {
        eventually("the first are closed", || is_closed(&mut stream));
    }
}

#[test]
fn greedy_and_malformed_requests_are_refused_and_harm_nothing() {
    let home = Home::new();
    let exporter = home.start();
    let address = exporter.address();
    let end = "Connection: close\r\n\r\n";
    let many: String = (0..=MAX_HEADERS)
        .map(|number| format!("X-{number}: x\r\n"))
        .collect();
    let long = "x".repeat(20_000);
    for (asked, expected) in [
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}{end}"), vec![431]),
        (format!("GET /?agent={long} HTTP/1.1\r\nHost: localhost\r\n{end}"), vec![414, 431]),
        ("GET / HTTP/9.9\r\nHost: localhost\r\n\r\n".to_owned(), vec![400, 505]),
        ("\0\u{1}\u{2}\r\n\r\n".to_owned(), vec![400]),
        ("GET /api/v1/denials?limit=1%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(), vec![400]),
        ("GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(), vec![404]),
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(), vec![400]),
    ] {
        let (head, _) = request(address, &asked);
        assert!(expected.contains(&status(&head)), "{asked:.80} got {head}");
    }
    // A body is never waited for.
    let asked =
        format!("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n{end}");
    assert_eq!(status(&request(address, &asked).0), 200);

    let mut rng = Rng(0xbad);
    let good =
        b"GET /api/v1/denials?limit=5 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for _ in 0..500 {
        let mut bytes = good.to_vec();
        for _ in 0..=rng.below(5) {
            let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
            bytes[at] = rng.below(256).to_le_bytes()[0];
        }
        let mut stream = connect(address);
        // It may hang up amid them.
        drop(stream.write_all(&bytes));
        drop(stream.shutdown(std::net::Shutdown::Write));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1."),
            "{answer:?}"
        );
    }
    assert_eq!(exporter.get("/-/healthy").0, 200);
}

/// Needs root, to become another user, and curl.
#[test]
fn other_users_see_counts_and_no_denials() {
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    if !is_root || !has_curl {
        eprintln!("left out: it takes root and curl");
        return;
    }
    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.publish(&denial());
    let exporter = home.start();
    eventually("it is shown", || exporter.get("/").1.contains("main.rs"));
    eventually("it is ready", || exporter.get("/-/ready").0 == 200);
    let address = exporter.address();
    let as_nobody = |path: &str| {
        let output = Command::new("curl")
            .args(["-s", "-i", "--noproxy", "*", "-m", "30"])
            .arg(format!("http://{address}{path}"))
            .env_clear()
            .uid(65534)
            .gid(65534)
            .output()
            .unwrap();
        let answer = String::from_utf8(output.stdout).unwrap();
        (status(&answer), answer)
    };
    for open in ["/metrics", "/api/v1/latency", "/-/ready", "/page.css"] {
        let (status, answer) = as_nobody(open);
        assert_eq!(status, 200, "{open}: {answer}");
        assert!(!answer.contains("main.rs"));
    }
    for path in [
        "/",
        "/api/v1/denials",
        "/api/v1/detections",
        "/api/v1/events",
        "/api/v1/status",
    ] {
        let (status, answer) = as_nobody(path);
        assert_eq!(status, 403, "{path}: {answer}");
    }
}

#[test]
fn one_scrape_too_many_is_refused_until_another_is_read() {
    let home = Home::new();
    let exporter = home.spawn(home.command().args(["--web.max-requests", "1"]));
    let address = exporter.address();
    // Asks for more than any buffer holds, and reads none of it.
    let mut greedy = connect(address);
    let asked = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(400);
    greedy.write_all(asked.as_bytes()).unwrap();
    let mut body = String::new();
    eventually("there is no room", || {
        let status;
        (status, body) = exporter.get("/metrics");
        status == 503
    });
    assert!(body.contains("--web.max-requests"), "{body}");
    assert_eq!(exporter.get("/-/healthy").0, 200);
    drop(greedy);
    eventually("there is room", || exporter.get("/metrics").0 == 200);
}
