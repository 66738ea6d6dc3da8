//! What a collector receives.

use crate::collector::{Behavior, Collector, attributes};
use crate::support::{Home, allowed, denial, eventually, publish, publish_at_once};
use crate::{command, metric, start};
use guard_core::DecisionEvent;
use guard_core::event::TraceContext;
use guard_core::ring::{Counter, MIN_LANE_WORDS};
use std::process::Stdio;

#[test]
fn a_denial_arrives_as_a_span_and_a_record_of_the_agent_s_trace() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Take);
    let producer = home.ring(1, MIN_LANE_WORDS);
    let unsampled = DecisionEvent {
        path: b"/home/u/project/\xff",
        trace: denial()
            .trace
            .map(|trace| TraceContext { flags: 0, ..trace }),
        ..denial()
    };
    producer.publish(&unsampled);
    let resource = "deployment.environment.name=test%20bench";
    let exporter = start(&home, &collector, &[("OTEL_RESOURCE_ATTRIBUTES", resource)]);

    let span = collector.span("decide rename");
    assert_eq!(span.trace_id, [0xab; 16]);
    assert_eq!(span.parent_span_id, [0xcd; 8]);
    assert_eq!(span.end_time_unix_nano, 1_718_000_000_000_000_042);
    assert_eq!(span.end_time_unix_nano - span.start_time_unix_nano, 12_500);
    assert_eq!(span.flags & 1, 1, "sampled, whatever the agent's is");
    assert_eq!(
        span.status.unwrap_or_default().code,
        2,
        "an error, as it has an error.type"
    );
    let found = attributes(&span.attributes);
    assert_eq!(found["guard.verdict"], "deny");
    assert_eq!(found["guard.agent.name"], "claude_code");
    assert_eq!(found["file.path"], "/home/u/project/\u{fffd}");
    assert_eq!(
        found["guard.file.path_bytes"],
        "2f686f6d652f752f70726f6a6563742fff"
    );
    assert_eq!(found["guard.decision.id"], format!("{}-0", "01".repeat(16)));

    let record = collector.record("guard.decision.denied");
    assert_eq!(
        (record.severity_number, &*record.severity_text),
        (13, "WARN")
    );
    assert_eq!(record.time_unix_nano, 1_718_000_000_000_000_042);
    assert!(record.observed_time_unix_nano > record.time_unix_nano);
    assert_eq!(record.trace_id, span.trace_id);
    assert_eq!(record.span_id, span.span_id);
    assert_eq!(attributes(&record.attributes), found);

    let resource = attributes(&collector.state().resources[0].attributes);
    assert_eq!(resource["service.name"], "codex-es-guard");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["deployment.environment.name"], "test bench");
    for name in ["service.instance.id", "host.name", "os.type", "host.arch"] {
        assert!(!resource[name].is_empty(), "{name}");
    }
    exporter.terminate();
}

#[test]
fn the_metrics_arrive_as_they_are_counted() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Take);
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.add(Counter::MalformedTraces, 2);
    publish(&producer, &denial(), 3);
    let exporter = start(&home, &collector, &[]);
    eventually("denials are counted", || {
        collector.sum("guard.decisions", ("verdict", "deny")) == Some(3.0)
    });
    exporter.await_metric("guard_malformed_traces_total", 2.0);
    eventually("what is sent is counted", || {
        metric(&exporter, "exported_items_total", "metrics") > 0
    });
    // The last ones go at the end, however long the interval.
    exporter.terminate();
    let home = Home::new();
    let collector = Collector::start(Behavior::Take);
    publish(&home.ring(1, MIN_LANE_WORDS), &denial(), 5);
    let seldom = ("OTEL_METRIC_EXPORT_INTERVAL", "3600000");
    let exporter = start(&home, &collector, &[seldom]);
    collector.record("guard.decision.denied");
    exporter.terminate();
    assert_eq!(
        collector.sum("guard.decisions", ("verdict", "deny")),
        Some(5.0)
    );
}

#[test]
fn allowed_operations_are_sampled_and_denials_always_sent() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Take);
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish(&producer, &allowed(), 5);
    publish(&producer, &denial(), 2);
    let exporter = start(&home, &collector, &[]);
    collector.record("guard.decision.denied");
    exporter.terminate();
    let verdicts = |collector: &Collector| {
        let state = collector.state();
        let spans = state
            .spans
            .iter()
            .filter(|span| span.name.starts_with("decide"));
        let mut verdicts: Vec<String> = spans
            .map(|span| attributes(&span.attributes)["guard.verdict"].clone())
            .collect();
        verdicts.sort();
        verdicts
    };
    assert_eq!(verdicts(&collector), ["deny"; 2]);

    let home = Home::new();
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish(&producer, &allowed(), 5);
    publish(&producer, &denial(), 2);
    let collector = Collector::start(Behavior::Take);
    let exporter = home.spawn(
        command(&home)
            .args(["--otlp.endpoint", &collector.endpoint()])
            .args(["--otlp.allowed-ratio", "1"]),
    );
    eventually("all are read", || {
        exporter.metric("guard_ring_records_total{lane=\"allow\"}") == Some(5.0)
    });
    exporter.terminate();
    let all = ["allow", "allow", "allow", "allow", "allow", "deny", "deny"];
    assert_eq!(verdicts(&collector), all);
    assert_eq!(collector.state().records.len(), 2);
}

#[test]
fn detections_arrive_as_records() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Take);
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish_at_once(&producer, &denial(), 5);
    let exporter = start(&home, &collector, &[]);
    let record = collector.record("guard.retry_storm.detected");
    let found = attributes(&record.attributes);
    assert_eq!(found["guard.agent.name"], "claude_code");
    assert_eq!(found["guard.detection.count"], "5");
    assert_eq!(record.trace_id, [0xab; 16]);
    exporter.terminate();
}

#[test]
fn headers_and_compression_are_applied() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Take);
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.publish(&denial());
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a%20b"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ];
    let exporter = start(&home, &collector, &variables);
    for signal in ["traces", "metrics", "logs"] {
        eventually("each signal is sent", || {
            metric(&exporter, "exported_items_total", signal) > 0
        });
    }
    let head = collector.state().heads[0].clone();
    assert!(head.contains("x-tenant: a b\r\n"), "{head}");
    assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
    collector.span("decide rename");
    exporter.terminate();
}

#[test]
fn passes_that_read_something_are_traced() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Take);
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.publish(&denial());
    let exporter = start(&home, &collector, &[]);
    let pass = collector.span("drain");
    let found = attributes(&pass.attributes);
    assert_eq!(
        (&*found["guard.records"], &*found["guard.rings"]),
        ("1", "1")
    );
    let attached = collector.span("attach");
    assert_eq!(attached.parent_span_id, pass.span_id);
    let written = collector.span("write");
    assert_eq!(written.trace_id, pass.trace_id);
    assert!(written.start_time_unix_nano <= written.end_time_unix_nano);
    exporter.terminate();
    let state = collector.state();
    let known = ["decide rename", "drain", "attach", "write", "finish"];
    for span in &state.spans {
        assert!(known.contains(&span.name.as_str()), "{}", span.name);
    }
    let passes = state.spans.iter().filter(|span| span.name == "drain");
    assert!(
        passes
            .map(|span| attributes(&span.attributes))
            .all(|found| found.contains_key("guard.records")),
        "a pass that read nothing is not sent"
    );
}

#[test]
fn nothing_is_sent_unless_configured() {
    for variables in [
        &[][..],
        &[("OTEL_SDK_DISABLED", "true")],
        &[
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_LOGS_EXPORTER", "none"),
        ],
    ] {
        let home = Home::new();
        let collector = Collector::start(Behavior::Take);
        let producer = home.ring(1, MIN_LANE_WORDS);
        producer.publish(&denial());
        let mut command = command(&home);
        if !variables.is_empty() {
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint());
        }
        let exporter = home.spawn(command.envs(variables.iter().copied()));
        eventually("the denial is logged", || home.lines() == 1);
        assert_eq!(metric(&exporter, "dropped_items_total", "traces"), 0);
        exporter.terminate();
        assert_eq!(collector.state().requests, 0, "{variables:?}");
    }
}

#[test]
fn invalid_endpoints_are_reported_at_the_start() {
    let home = Home::new();
    let output = command(&home)
        .args(["--otlp.endpoint", "ftp://h"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{messages}");
    assert!(
        messages.contains("--otlp.endpoint ftp://h: it must begin with http"),
        "{messages}"
    );

    // From the environment it stops neither the log nor the other signals.
    let collector = Collector::start(Behavior::Take);
    let producer = home.ring(1, MIN_LANE_WORDS);
    producer.publish(&denial());
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "nowhere"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
    ];
    let exporter = start(&home, &collector, &variables);
    collector.record("guard.decision.denied");
    eventually("the span is counted as dropped", || {
        metric(&exporter, "dropped_items_total", "traces") == 1
    });
    eventually("the denial is logged", || home.lines() == 1);
    let messages = exporter.terminate();
    assert!(
        messages.contains("Traces cannot be sent to nowhere"),
        "{messages}"
    );
    assert!(
        messages.contains("OTEL_EXPORTER_OTLP_TIMEOUT=soon is not a number"),
        "{messages}"
    );
}
