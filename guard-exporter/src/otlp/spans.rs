//! A decision as a span: from the guard's first sight of the operation to its verdict.
//!
//! A denial is a child of the span that the acting process's `TRACEPARENT` names, and is always
//! sampled, whatever the flag there. Its status is unset: a denial is no error of the guard.

use super::item::RecordedDecision;
use super::{attributes, names};
use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, SpanId};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::time::{Duration, SystemTime};

/// The span of `decision`.
pub(super) fn span(decision: &RecordedDecision) -> SpanData {
    let event = decision.event();
    let parent = event.trace.map(|trace| SpanId::from_bytes(trace.span_id));
    let end = at(event.wall_ns);
    SpanData {
        span_context: SpanContext::new(
            decision.trace_id,
            decision.span_id,
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: parent.unwrap_or(SpanId::INVALID),
        parent_span_is_remote: parent.is_some(),
        span_kind: SpanKind::Internal,
        name: format!("decide {}", event.operation.as_str()).into(),
        start_time: at(event.wall_ns.saturating_sub(event.latency_ns)),
        end_time: end,
        attributes: attributes::of(decision, &event),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: scope(names::SCOPE),
    }
}

/// The instrumentation scope of this name and version.
pub(super) fn scope(name: &'static str) -> InstrumentationScope {
    InstrumentationScope::builder(name)
        .with_version(env!("CARGO_PKG_VERSION"))
        .build()
}

/// The time of wall clock nanoseconds.
pub(super) fn at(wall_ns: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(wall_ns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::DecisionEvent;
    use guard_core::event::TraceContext;
    use guard_testing::events::denial;

    #[test]
    fn a_denial_is_a_sampled_child_of_the_agent_s_span() {
        let mut event = denial(7);
        event.trace = event.trace.map(|trace| TraceContext { flags: 0, ..trace });
        let decision = RecordedDecision::new(&event, [0xab; 16]);
        let span = span(&decision);
        let context = &span.span_context;
        assert_eq!(
            context.trace_id().to_string(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331");
        assert!(span.parent_span_is_remote && context.is_sampled());
        assert_eq!(span.name, "decide rename");
        assert_eq!(span.end_time, at(1_718_000_000_000_000_042));
        let latency = span.end_time.duration_since(span.start_time).unwrap();
        assert_eq!(latency, Duration::from_nanos(12_500));
        assert_eq!(span.status, Status::Unset);
    }

    #[test]
    fn a_decision_without_a_trace_begins_one() {
        let event = DecisionEvent {
            trace: None,
            ..denial(7)
        };
        let spans = [0, 1].map(|_| span(&RecordedDecision::new(&event, [0xab; 16])));
        for span in &spans {
            assert!(span.span_context.is_valid());
            assert_eq!(span.parent_span_id, SpanId::INVALID);
            assert!(!span.parent_span_is_remote);
        }
        assert_ne!(
            spans[0].span_context.trace_id(),
            spans[1].span_context.trace_id()
        );
    }
}
