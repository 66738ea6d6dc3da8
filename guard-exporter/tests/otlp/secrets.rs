//! Secrets in an endpoint's URL: the collector gets them, and nobody else sees them.

use crate::collector::{Behavior, Collector, attributes};
use crate::support::{Home, denial, eventually, listener};
use crate::{command, metric, start, start_at};
use guard_core::ring::MIN_LANE_WORDS;
use std::process::Stdio;

const SECRET: &str = "s3cret";

/// An endpoint with a user name, a password and a token.
fn with_secrets(address: impl std::fmt::Display) -> String {
    format!("http://u:{SECRET}@{address}/?token={SECRET}")
}

#[test]
fn credentials_and_query_of_an_endpoint_are_sent() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Take);
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.publish(&denial());
    let exporter = start_at(&home, &with_secrets(collector.address), &[]);
    collector.record("guard.decision.denied");
    collector.span("decide rename");
    eventually("metrics are sent", || {
        metric(&exporter, "exported_items_total", "metrics") > 0
    });
    exporter.terminate();
    for head in &collector.state().heads {
        // Heads are kept in lower case; this is `Basic dTpzM2NyZXQ=`, of `u:s3cret`.
        assert!(
            head.contains("authorization: basic dtpzm2nyzxq=\r\n"),
            "{head}"
        );
        assert!(head.contains("?token=s3cret http/1.1\r\n"), "{head}");
    }
}

#[test]
fn secrets_of_an_endpoint_are_in_no_message_and_in_no_span() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Take);
    let listener = listener();
    let nowhere = with_secrets(listener.local_addr().unwrap());
    drop(listener);
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.publish(&denial());
    let tls = with_secrets("127.0.0.1").replace("http:", "https:");
    let variables = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &*nowhere),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", &*tls),
    ];
    let exporter = start(&home, &collector, &variables);
    let failed = collector.span("export");
    let (_, metrics) = exporter.get("/metrics");
    let (_, status) = exporter.get("/api/v1/status");
    let log = exporter.terminate();
    assert!(log.contains("Metrics do not reach the collector"), "{log}");
    let status_of_span = failed.status.unwrap_or_default();
    assert!(!status_of_span.message.is_empty());
    let span = format!("{status_of_span:?} {:?}", attributes(&failed.attributes));
    for text in [log, span, metrics, status] {
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn secrets_of_an_endpoint_that_is_refused_are_not_shown() {
    let home = Home::new();
    for endpoint in [
        with_secrets("h").replace("http:", "ftp:"),
        with_secrets("h:99999"),
        with_secrets("h") + "#fragment",
    ] {
        let output = command(&home)
            .args(["--otlp.endpoint", &endpoint])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("--otlp.endpoint"), "{error}");
        assert!(!error.contains(SECRET), "{error}");
    }
}
