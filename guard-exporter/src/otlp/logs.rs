//! Denials and detections as log records, each with an event name.
//!
//! | event name | severity | when |
//! |---|---|---|
//! | `guard.decision.denied` | WARN | a denial |
//! | `guard.decision.audited` | WARN | what would have been one, in audit mode |
//! | `guard.retry_storm.detected` | WARN | an agent tries the same again and again |
//! | `guard.mass_deletion.detected` | WARN; ERROR when something was removed | a session removes much at once |
//!
//! A denial's record belongs to the denial's span, and its body is what happened in one sentence.

use super::item::{Decision, LogItem};
use super::{attributes, names, spans};
use crate::detect::{Detection, Kind};
use crate::time;
use guard_core::DecisionEvent;
use guard_core::event::TraceContext;
use guard_core::process::basename;
use guard_core::verdict::Verdict;
use guard_report::{record::DenialRecord, sentence::Sentence};
use opentelemetry::logs::{AnyValue, LogRecord, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::{InstrumentationScope, SpanId, TraceFlags, TraceId, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLogger, SdkLoggerProvider};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Makes records. The SDK has them made by its loggers only; this one keeps what they make.
#[derive(Debug)]
pub(super) struct Scribe {
    logger: SdkLogger,
    made: Made,
    // Its loggers end with it.
    _provider: SdkLoggerProvider,
}

#[derive(Clone, Debug, Default)]
struct Made(Arc<Mutex<Vec<SdkLogRecord>>>);

// === impl Scribe ===

impl Scribe {
    pub(super) fn new() -> Self {
        let made = Made::default();
        let provider = SdkLoggerProvider::builder()
            .with_log_processor(made.clone())
            .build();
        Self {
            logger: provider.logger_with_scope(Self::scope()),
            made,
            _provider: provider,
        }
    }

    /// The scope of the records.
    pub(super) fn scope() -> InstrumentationScope {
        spans::scope(names::SCOPE)
    }

    /// The records of `items`, in their order.
    pub(super) fn write(&self, items: &[LogItem]) -> Vec<SdkLogRecord> {
        let now = SystemTime::now();
        for item in items {
            let mut record = self.logger.create_log_record();
            record.set_observed_timestamp(now);
            match item {
                LogItem::Denial(decision) => denial(&mut record, decision),
                LogItem::Detection(detection, trace) => {
                    detected(&mut record, detection, *trace);
                }
            }
            self.logger.emit(record);
        }
        mem::take(&mut *self.made.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LogProcessor for Made {
    fn emit(&self, record: &mut SdkLogRecord, _scope: &InstrumentationScope) {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.push(record.clone());
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn denial(record: &mut impl LogRecord, decision: &Decision) {
    let event = decision.event();
    record.set_event_name(match event.verdict {
        Verdict::Audit => names::AUDITED,
        _ => names::DENIED,
    });
    record.set_timestamp(spans::at(event.wall_ns));
    warn(record);
    record.set_body(sentence(&event).into());
    record.set_trace_context(
        decision.trace_id,
        decision.span_id,
        Some(TraceFlags::SAMPLED),
    );
    for attribute in attributes::of(decision, &event) {
        record.add_attribute(attribute.key, any(attribute.value));
    }
}

fn detected(record: &mut impl LogRecord, detection: &Detection, trace: Option<TraceContext>) {
    record.set_event_name(match detection.kind {
        Kind::RetryStorm => names::RETRY_STORM,
        Kind::MassDeletion => names::MASS_DELETION,
    });
    if let Some(wall_ns) = time::parse(&detection.time) {
        record.set_timestamp(spans::at(wall_ns));
    }
    if detection.kind == Kind::MassDeletion && detection.verdict() == Verdict::Allow {
        record.set_severity_number(Severity::Error);
        record.set_severity_text("ERROR");
    } else {
        warn(record);
    }
    record.set_body(detection.sentence().into());
    if let Some(trace) = trace {
        record.set_trace_context(
            TraceId::from_bytes(trace.trace_id),
            SpanId::from_bytes(trace.span_id),
            Some(TraceFlags::new(trace.flags)),
        );
    }
    record.add_attribute(names::OPERATION, detection.operation);
    record.add_attribute(names::VERDICT, detection.verdict().as_str());
    record.add_attribute(names::AGENT_NAME, detection.agent.clone());
    record.add_attribute(names::SESSION_ID, detection.session.clone());
    record.add_attribute(names::FILE_PATH, detection.path.clone());
    if let Some(zone) = &detection.zone {
        record.add_attribute(names::RULE_NAME, zone.clone());
    }
    let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
    record.add_attribute(names::DETECTION_COUNT, number(detection.count));
    record.add_attribute(names::DETECTION_DENIED, number(detection.denied));
    record.add_attribute(names::DETECTION_BEGINS, detection.begins);
}

fn warn(record: &mut impl LogRecord) {
    record.set_severity_number(Severity::Warn);
    record.set_severity_text("WARN");
}

fn sentence(event: &DecisionEvent<'_>) -> String {
    let text = String::from_utf8_lossy;
    let told = DenialRecord {
        ring: "".into(),
        seq: event.sequence,
        time: "".into(),
        op: event.operation.as_str().into(),
        verdict: event.verdict.as_str().into(),
        reason: event.reason.as_str().into(),
        path: text(event.path),
        dest: event.destination.map(text),
        process: text(basename(event.process.executable)),
        pid: event.process.key.pid,
        agent: event.agent.map(Into::into),
        zone_name: event.zone.map(|zone| zone.name.into()),
    };
    Sentence::of(&told).to_string()
}

fn any(value: Value) -> AnyValue {
    match value {
        Value::Bool(value) => value.into(),
        Value::I64(value) => value.into(),
        Value::F64(value) => value.into(),
        Value::String(value) => value.into(),
        other => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::denial as event;

    fn written(item: LogItem) -> SdkLogRecord {
        let mut records = Scribe::new().write(&[item]);
        assert_eq!(records.len(), 1);
        records.remove(0)
    }

    #[test]
    fn a_denial_s_record_belongs_to_its_span() {
        let decision = Arc::new(Decision::new(&event(7), [0xab; 16]));
        let record = written(LogItem::Denial(Arc::clone(&decision)));
        assert_eq!(record.event_name(), Some("guard.decision.denied"));
        assert_eq!(record.severity_number(), Some(Severity::Warn));
        assert_eq!(
            record.timestamp(),
            Some(spans::at(1_718_000_000_000_000_042))
        );
        let context = record.trace_context().unwrap();
        assert_eq!(context.trace_id, decision.trace_id);
        assert_eq!(context.span_id, decision.span_id);
        let Some(AnyValue::String(body)) = record.body() else {
            panic!("{record:?}");
        };
        assert!(
            body.as_str().starts_with(
                "claude_code was stopped from moving /home/u/project/main.rs to /tmp/main.rs"
            ),
            "{body:?}"
        );
        let names: Vec<&str> = record
            .attributes_iter()
            .map(|(key, _)| key.as_str())
            .collect();
        assert!(names.contains(&"file.path") && names.contains(&"guard.reason"));
    }

    #[test]
    fn what_is_only_audited_says_so() {
        let audited = DecisionEvent {
            verdict: Verdict::Audit,
            trace: None,
            ..event(7)
        };
        let decision = Arc::new(Decision::new(&audited, [0xab; 16]));
        let record = written(LogItem::Denial(decision));
        assert_eq!(record.event_name(), Some("guard.decision.audited"));
        assert!(record.trace_context().is_some());
    }

    #[test]
    fn a_mass_deletion_that_went_through_is_an_error() {
        let detection = Detection {
            kind: Kind::MassDeletion,
            time: "2024-06-10T06:13:20.000000042Z".into(),
            agent: "codex".into(),
            session: "s".into(),
            operation: "unlink",
            path: "/p/1".into(),
            zone: None,
            count: 200,
            denied: 3,
            begins: true,
        };
        let storm = Detection {
            kind: Kind::RetryStorm,
            denied: 200,
            ..detection.clone()
        };
        let record = written(LogItem::Detection(Arc::new(detection), event(0).trace));
        assert_eq!(record.event_name(), Some("guard.mass_deletion.detected"));
        assert_eq!(record.severity_number(), Some(Severity::Error));
        assert_eq!(
            record.timestamp(),
            Some(spans::at(1_718_000_000_000_000_042))
        );
        assert!(record.trace_context().is_some());
        let record = written(LogItem::Detection(Arc::new(storm), None));
        assert_eq!(record.event_name(), Some("guard.retry_storm.detected"));
        assert_eq!(record.severity_number(), Some(Severity::Warn));
    }
}
