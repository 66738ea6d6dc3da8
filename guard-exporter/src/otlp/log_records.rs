//! Denials, changes and detections as log records, each with an event name.
//!
//! | event name | severity | when |
//! |---|---|---|
//! | `guard.decision.denied` | WARN | a denial |
//! | `guard.decision.audited` | WARN | in audit mode, what would have been denied |
//! | `guard.change.preserved` | INFO | an agent took something that was preserved first |
//! | `guard.change.unpreserved` | WARN | an agent took something that could not be preserved |
//! | `guard.override.STEP` | INFO | a step of a request: `requested`, `granted`, `rejected`, `used`, … |
//! | `guard.retry_storm.detected` | WARN | an agent repeats a denied operation |
//! | `guard.mass_deletion.detected` | WARN; ERROR when something was removed | a session removes many names |
//!
//! A denial's record belongs to the denial's span, and its body says in one sentence what happened; so
//! does a change's, whose span is sent if allowed operations are sampled.

use super::item::{LogItem, RecordedDecision, RecordedRequest};
use super::{attributes, names};
use crate::detect::{Detection, DetectionKind};
use guard_core::event::{RequestStep, TraceContext};
use guard_core::verdict::Verdict;
use guard_report::time;
use guard_report::{record::DecisionRecord, sentence, sentence::visible};
use opentelemetry::{KeyValue, TraceFlags};
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::transform::common::tonic::Attributes;
use std::time::SystemTime;

/// The log record of an item, observed at `now`.
pub(super) fn log_record(item: &LogItem, now: SystemTime) -> LogRecord {
    let record = match item {
        LogItem::Denial(decision) => denial(decision),
        LogItem::Change(decision) => change(decision),
        LogItem::Request(request) => requested(request),
        LogItem::Detection(detection, trace) => detected(detection, *trace),
    };
    LogRecord {
        observed_time_unix_nano: time::nanoseconds(now),
        ..record
    }
}

fn denial(decision: &RecordedDecision) -> LogRecord {
    let name = match decision.event().verdict {
        Verdict::Audit => names::AUDITED,
        Verdict::Allow | Verdict::Deny => names::DENIED,
    };
    decided(decision, name, SeverityNumber::Warn)
}

fn change(decision: &RecordedDecision) -> LogRecord {
    let cause = decision.event().preservation.and_then(|done| done.cause());
    match cause {
        None => decided(decision, names::CHANGE_PRESERVED, SeverityNumber::Info),
        Some(_) => decided(decision, names::CHANGE_UNPRESERVED, SeverityNumber::Warn),
    }
}

fn decided(decision: &RecordedDecision, name: &str, severity: SeverityNumber) -> LogRecord {
    let event = decision.event();
    LogRecord {
        time_unix_nano: event.wall_ns,
        body: body(sentence::of(&DecisionRecord::new(&event, ""))),
        trace_id: decision.trace_id.to_bytes().into(),
        span_id: decision.span_id.to_bytes().into(),
        flags: TraceFlags::SAMPLED.to_u8().into(),
        attributes: Attributes::from(attributes::of(decision, &event)).0,
        ..event_record(name, severity)
    }
}

fn requested(request: &RecordedRequest) -> LogRecord {
    let event = request.event();
    let agent = event.agent.unwrap_or("somebody");
    let path = String::from_utf8_lossy(event.path);
    let path = visible(&path);
    let what = match event.step {
        RequestStep::Requested => format!("{agent} asks for {path}"),
        step => format!("the request of {agent} for {path} is {}", step.as_str()),
    };
    LogRecord {
        time_unix_nano: event.wall_ns,
        body: body(format!("{what} ({})", event.id)),
        trace_id: request.trace_id.to_bytes().into(),
        span_id: request.span_id.to_bytes().into(),
        flags: TraceFlags::SAMPLED.to_u8().into(),
        attributes: Attributes::from(attributes::of_request(&event)).0,
        ..event_record(names::request_step(event.step), SeverityNumber::Info)
    }
}

fn detected(detection: &Detection, trace: Option<TraceContext>) -> LogRecord {
    let name = match detection.kind {
        DetectionKind::RetryStorm => names::RETRY_STORM,
        DetectionKind::MassDeletion => names::MASS_DELETION,
    };
    let was_harmful =
        detection.kind == DetectionKind::MassDeletion && detection.verdict() == Verdict::Allow;
    let severity = if was_harmful {
        SeverityNumber::Error
    } else {
        SeverityNumber::Warn
    };
    let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
    let mut attributes = vec![
        KeyValue::new(names::OPERATION, detection.operation),
        KeyValue::new(names::VERDICT, detection.verdict().as_str()),
        KeyValue::new(names::AGENT_NAME, detection.agent.clone()),
        KeyValue::new(names::SESSION_ID, detection.session.clone()),
        KeyValue::new(names::FILE_PATH, detection.path.clone()),
        KeyValue::new(names::DETECTION_COUNT, number(detection.counted.count())),
        KeyValue::new(names::DETECTION_DENIED, number(detection.counted.denied())),
        KeyValue::new(names::DETECTION_BEGINS, detection.begins),
    ];
    if let Some(zone) = &detection.zone {
        attributes.push(KeyValue::new(names::RULE_NAME, zone.clone()));
    }
    let record = LogRecord {
        time_unix_nano: time::parse(&detection.time).unwrap_or_default(),
        body: body(detection.sentence()),
        attributes: Attributes::from(attributes).0,
        ..event_record(name, severity)
    };
    match trace {
        Some(trace) => LogRecord {
            trace_id: trace.trace_id.into(),
            span_id: trace.span_id.into(),
            flags: trace.flags.into(),
            ..record
        },
        None => record,
    }
}

fn event_record(name: &str, severity: SeverityNumber) -> LogRecord {
    LogRecord {
        event_name: name.to_owned(),
        severity_number: severity.into(),
        severity_text: match severity {
            SeverityNumber::Error => "ERROR".to_owned(),
            SeverityNumber::Info => "INFO".to_owned(),
            _ => "WARN".to_owned(),
        },
        ..LogRecord::default()
    }
}

fn body(text: String) -> Option<AnyValue> {
    Some(AnyValue {
        value: Some(Value::StringValue(text)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{DetectionPlace, LiveCount};
    use guard_core::DecisionEvent;
    use guard_core::event::{Preservation, PreservationOutcome, UnpreservedCause};
    use guard_testing::events::{CHANGE, REQUEST, denial as event};
    use std::sync::Arc;

    fn record(item: &LogItem) -> LogRecord {
        log_record(item, SystemTime::now())
    }

    #[test]
    fn a_denial_s_record_belongs_to_its_span() {
        let decision = Arc::new(RecordedDecision::new(&event(7), [0xab; 16]));
        let record = record(&LogItem::Denial(Arc::clone(&decision)));
        assert_eq!(record.event_name, "guard.decision.denied");
        assert_eq!(record.severity_number(), SeverityNumber::Warn);
        assert_eq!(record.time_unix_nano, 1_718_000_000_000_000_042);
        assert!(record.observed_time_unix_nano > record.time_unix_nano);
        assert_eq!(record.trace_id, decision.trace_id.to_bytes());
        assert_eq!(record.span_id, decision.span_id.to_bytes());
        let Some(Value::StringValue(body)) = record.body.and_then(|body| body.value) else {
            panic!("no text");
        };
        assert!(
            body.starts_with(
                "claude_code was stopped from moving /home/u/project/main.rs to /tmp/main.rs"
            ),
            "{body}"
        );
        let names: Vec<&str> = record.attributes.iter().map(|pair| &*pair.key).collect();
        assert!(names.contains(&"file.path") && names.contains(&"guard.reason"));
    }

    #[test]
    fn a_step_of_a_request_has_its_event_name_and_a_sentence() {
        let request = Arc::new(RecordedRequest::new(&REQUEST, [0xab; 16]));
        let record = record(&LogItem::Request(request));
        assert_eq!(record.event_name, "guard.override.requested");
        let Some(Value::StringValue(body)) = record.body.and_then(|body| body.value) else {
            panic!("no text");
        };
        assert_eq!(body, "codex asks for /home/u/project/old (0011aa-1)");
    }

    #[test]
    fn an_audited_operation_has_an_event_name_of_its_own() {
        let audited = DecisionEvent {
            verdict: Verdict::Audit,
            trace: None,
            ..event(7)
        };
        let decision = Arc::new(RecordedDecision::new(&audited, [0xab; 16]));
        let record = record(&LogItem::Denial(decision));
        assert_eq!(record.event_name, "guard.decision.audited");
        assert_eq!(record.trace_id.len(), 16);
    }

    #[test]
    fn a_change_is_a_warning_when_it_was_not_preserved() {
        let full = Preservation {
            outcome: PreservationOutcome::Unpreserved(UnpreservedCause::Full),
            bytes: 2,
            bytes_after: None,
            duration_ns: 3,
        };
        let lost = DecisionEvent {
            preservation: Some(full),
            ..CHANGE
        };
        for (event, name, severity, end) in [
            (
                CHANGE,
                "guard.change.preserved",
                SeverityNumber::Info,
                "with git: 4.0 KiB preserved by a hard link (zone project)",
            ),
            (
                lost,
                "guard.change.unpreserved",
                SeverityNumber::Warn,
                "with git: 2 B not preserved (full) (zone project)",
            ),
        ] {
            let decision = Arc::new(RecordedDecision::new(&event, [0xab; 16]));
            let record = record(&LogItem::Change(decision));
            assert_eq!(record.event_name, name);
            assert_eq!(record.severity_number(), severity);
            let Some(Value::StringValue(body)) = record.body.and_then(|body| body.value) else {
                panic!("no text");
            };
            assert!(body.ends_with(end), "{body}");
        }
    }

    #[test]
    fn a_mass_deletion_that_removed_something_is_an_error() {
        let detection = Detection {
            kind: DetectionKind::MassDeletion,
            time: "2024-06-10T06:13:20.000000042Z".into(),
            agent: "codex".into(),
            session: "s".into(),
            operation: "unlink",
            path: "/p/1".into(),
            zone: None,
            counted: LiveCount::new(200, 3, 10),
            place: DetectionPlace::Outside,
            begins: true,
        };
        let storm = Detection {
            kind: DetectionKind::RetryStorm,
            counted: LiveCount::new(200, 200, 0),
            ..detection.clone()
        };
        let found = record(&LogItem::Detection(Arc::new(detection), event(0).trace));
        assert_eq!(found.event_name, "guard.mass_deletion.detected");
        assert_eq!(found.severity_number(), SeverityNumber::Error);
        assert_eq!(found.time_unix_nano, 1_718_000_000_000_000_042);
        assert_eq!(found.trace_id.len(), 16);
        let found = record(&LogItem::Detection(Arc::new(storm), None));
        assert_eq!(found.event_name, "guard.retry_storm.detected");
        assert_eq!(found.severity_number(), SeverityNumber::Warn);
        assert!(found.trace_id.is_empty());
    }
}
