//! The cost of `/metrics` with 64 agents and the maximum number of series, the scrapes per second while
//! events arrive, and the memory of the exporter.
//!
//! The baseline of encoding is a copy of the bytes. The only assertion is that no event was lost.
//! `cargo bench -p guard-exporter --bench scrape`

#![allow(clippy::print_stdout, reason = "the figures are for people")]
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has no figures"
)]

mod stage;

use guard_core::event::{DecisionEvent, ZoneRef};
use guard_core::ring::Producer;
use guard_core::verdict::Reason;
use guard_exporter::metrics::Metrics;
use guard_exporter::metrics::exposition::Format;
use stage::{ALLOWED, DENIED, Exporter, Home, median, publish, until};
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 100;
const SERVED_FOR: Duration = Duration::from_secs(5);
const CLIENTS: usize = 4;
const LANES: [&str; 2] = [r#"{lane="deny"}"#, r#"{lane="allow"}"#];
/// Events per second while scrapes are served.
const EVENTS: u64 = 100_000;
/// Denials that the exporter keeps for the page.
const KEPT: u64 = 10_000;

fn main() {
    text();
    serving();
}

/// Events that create every series: agents, zones and tools up to their limits.
fn every_series(mut publish: impl FnMut(&DecisionEvent<'_>)) {
    for number in 0..64 {
        let agent = format!("agent_{number}");
        let zone = format!("zone_{number}");
        let tool = format!("tool_{number}");
        let named = |event: DecisionEvent<'static>| event;
        for event in [named(ALLOWED), named(DENIED)] {
            publish(&DecisionEvent {
                agent: Some(&agent),
                zone: Some(ZoneRef {
                    name: &zone,
                    path: b"/home/user/project",
                }),
                tool: (event.reason == Reason::TrustedTool).then_some(tool.as_bytes()),
                ..event
            });
        }
    }
}

fn text() {
    let metrics = Metrics::new();
    let mut decisions = metrics.decisions();
    every_series(|event| {
        decisions.count(event);
    });
    for (name, format) in [("text", Format::Text), ("OpenMetrics", Format::OpenMetrics)] {
        let (mut encoding, mut copying) = (Vec::new(), Vec::new());
        let mut text = String::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            text = black_box(metrics.encode(format));
            encoding.push(start.elapsed().as_secs_f64());
            let start = Instant::now();
            black_box(text.clone());
            copying.push(start.elapsed().as_secs_f64());
        }
        let series = text.lines().filter(|line| !line.starts_with('#')).count();
        let (encoding, copying) = (median(&mut encoding), median(&mut copying));
        println!(
            "/metrics, {name:<12} {:.2} ms for {series} series in {} KB: {:.0} times a copy of it",
            encoding * 1e3,
            text.len() / 1000,
            encoding / copying
        );
    }
}

fn serving() {
    let home = Home::new();
    let ring = home.ring(1);
    let exporter = home.exporter(Stdio::null());
    every_series(|event| {
        ring.publish(event);
    });
    let mut published_before = 128;
    for _ in 0..KEPT / 1000 {
        publish(&ring, &DENIED, 1000);
        published_before += 1000;
        await_all(&exporter, published_before);
    }
    let quiet = serve(exporter.address, || ());
    let mut published = 0;
    let busy = serve(exporter.address, || published += pour(&ring));
    await_all(&exporter, published_before + published);
    let lost = LANES.map(|lane| exporter.metric(&format!("guard_ring_lost_records_total{lane}")));
    assert_eq!(lost, [Some(0.0), Some(0.0)], "nothing is lost");
    println!(
        "{busy:.0} scrapes a second by {CLIENTS} clients while {:.0} events a second are drained, none lost; {:.2} of the {quiet:.0} without events",
        published as f64 / SERVED_FOR.as_secs_f64(),
        busy / quiet
    );
    memory(&exporter);
}

/// Scrapes per second over persistent connections; `meanwhile` is called repeatedly.
fn serve(address: SocketAddr, mut meanwhile: impl FnMut()) -> f64 {
    let served = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = BufReader::new(TcpStream::connect(address).unwrap());
                while !is_over.load(Ordering::Relaxed) {
                    scrape(&mut client);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while start.elapsed() < SERVED_FOR {
            meanwhile();
            thread::park_timeout(Duration::from_millis(1));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    served.into_inner() as f64 / start.elapsed().as_secs_f64()
}

/// One request and its whole response.
fn scrape(client: &mut BufReader<TcpStream>) {
    let asked = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.get_mut().write_all(asked).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        client.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    assert!(length > 0);
    client.read_exact(&mut vec![0; length]).unwrap();
}

/// The events of a millisecond.
fn pour(ring: &Producer) -> u64 {
    let events = EVENTS / 1000;
    publish(ring, &ALLOWED, events);
    events
}

fn await_all(exporter: &Exporter, published: u64) {
    until("all is read", || {
        // Or lost, which is counted.
        let read = LANES.map(|lane| exporter.metric(&format!("guard_ring_records_total{lane}")));
        let lost =
            LANES.map(|lane| exporter.metric(&format!("guard_ring_lost_records_total{lane}")));
        read.iter().chain(&lost).flatten().sum::<f64>() >= published as f64
    });
}

/// The memory of the process: its own, and mapped pages of rings and its program.
fn memory(exporter: &Exporter) {
    let path = format!("/proc/{}/status", exporter.child.id());
    let Ok(status) = std::fs::read_to_string(path) else {
        println!("resident memory: not available on this system");
        return;
    };
    let megabytes = |field: &str| -> f64 {
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kilobytes * 1024.0 / 1e6
    };
    println!(
        "resident memory {:.1} MB with 64 agents and {KEPT} denials kept: {:.1} MB its own, {:.1} MB of the mapped ring, {:.1} MB of its program",
        megabytes("VmRSS:"),
        megabytes("RssAnon:"),
        megabytes("RssShmem:").max(ring_of(exporter)),
        megabytes("RssFile:") - ring_of(exporter)
    );
}

/// Resident megabytes of mapped rings on disk.
fn ring_of(exporter: &Exporter) -> f64 {
    let path = format!("/proc/{}/smaps", exporter.child.id());
    let smaps = std::fs::read_to_string(path).unwrap_or_default();
    let mut is_ring = false;
    let mut kilobytes = 0.0;
    for line in smaps.lines() {
        if let Some(value) = line.strip_prefix("Rss:") {
            let value = value.split_whitespace().next().unwrap_or_default();
            kilobytes += value.parse().unwrap_or(0.0) * f64::from(u8::from(is_ring));
        } else if line.contains('-') {
            is_ring = line.ends_with(".ring");
        }
    }
    kilobytes * 1024.0 / 1e6
}
