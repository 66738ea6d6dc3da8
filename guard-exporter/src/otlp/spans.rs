//! A decision as a span: from the guard's first sight of the operation to its verdict.
//!
//! A denial is a child of the span that the acting process's `TRACEPARENT` names, and is always
//! sampled, whatever the flag there. Its status is an error wherever it has an `error.type`, as the
//! semantic conventions have it: so a search for failed spans finds denials.

use super::item::{RecordedDecision, RecordedRequest};
use super::{attributes, names};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, SpanContext, SpanKind, Status, TraceFlags, TraceState};
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
        status: match event.errno {
            0 => Status::Unset,
            _ => Status::error(format!(
                "{}: {}",
                event.answer.as_str(),
                event.reason.as_str()
            )),
        },
        instrumentation_scope: scope(names::SCOPE),
    }
}

/// The span of a step of a request. That somebody asks is a child of the span that the denied, or the
/// asking, process's `TRACEPARENT` names; an answer is a child of the request and lasts from there; each use
/// and the end of a grant are, too. All of them link to the denial.
pub(super) fn request_span(request: &RecordedRequest) -> SpanData {
    let event = request.event();
    let first = request.request_span();
    let traced = event.trace.map(|trace| SpanId::from_bytes(trace.span_id));
    let parent = first.or(traced);
    let link = request.denial().map(|(trace_id, span_id)| {
        let context = SpanContext::new(
            trace_id,
            span_id,
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        Link::new(
            context,
            vec![KeyValue::new(names::LINK, names::LINK_DENIAL)],
            0,
        )
    });
    let mut links = SpanLinks::default();
    links.links.extend(link);
    SpanData {
        span_context: SpanContext::new(
            request.trace_id,
            request.span_id,
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: parent.unwrap_or(SpanId::INVALID),
        parent_span_is_remote: first.is_none() && traced.is_some(),
        span_kind: SpanKind::Internal,
        name: format!("override {}", event.step.as_str()).into(),
        start_time: at(event.wall_ns.saturating_sub(event.wait_ns.unwrap_or(0))),
        end_time: at(event.wall_ns),
        attributes: attributes::of_request(&event),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links,
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
    use guard_core::event::{RequestEvent, RequestStep, TraceContext};
    use guard_testing::events::{REQUEST, denial};

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
        assert_eq!(span.status, Status::error("denied: agent_in_zone"));
    }

    #[test]
    fn a_request_its_denial_and_its_answer_are_linked_in_the_agent_s_trace() {
        let ring = [0xab; 16];
        let denied = denial(7);
        let denied_span = span(&RecordedDecision::new(&denied, ring));
        let asked = RequestEvent {
            sequence: 3,
            denial: Some(7),
            denial_is_traced: true,
            trace: denied.trace,
            ..REQUEST
        };
        let asked_span = request_span(&RecordedRequest::new(&asked, ring));
        let granted = RequestEvent {
            sequence: 4,
            step: RequestStep::Granted,
            request: Some(3),
            wait_ns: Some(2_000_000_000),
            ..asked
        };
        let granted_span = request_span(&RecordedRequest::new(&granted, ring));
        let trace_id = denied_span.span_context.trace_id();
        for span in [&asked_span, &granted_span] {
            assert_eq!(span.span_context.trace_id(), trace_id);
            let link = &span.links.links[0].span_context;
            assert_eq!(link.span_id(), denied_span.span_context.span_id());
            assert_eq!(link.trace_id(), trace_id);
        }
        assert_eq!(asked_span.parent_span_id, denied_span.parent_span_id);
        assert_eq!(
            granted_span.parent_span_id,
            asked_span.span_context.span_id()
        );
        assert_eq!(granted_span.name, "override granted");
        let took = granted_span
            .end_time
            .duration_since(granted_span.start_time);
        assert_eq!(took.unwrap(), Duration::from_secs(2));
    }

    #[test]
    fn without_a_trace_a_request_and_its_steps_share_a_new_one() {
        let event = RequestEvent {
            denial: Some(7),
            denial_is_traced: false,
            ..REQUEST
        };
        let untraced = DecisionEvent {
            trace: None,
            ..denial(7)
        };
        let asked = request_span(&RecordedRequest::new(&event, [1; 16]));
        let used = RequestEvent {
            sequence: 9,
            step: RequestStep::Used,
            request: Some(event.sequence),
            ..event
        };
        let used = request_span(&RecordedRequest::new(&used, [1; 16]));
        let denied = span(&RecordedDecision::new(&untraced, [1; 16]));
        assert_eq!(used.span_context.trace_id(), asked.span_context.trace_id());
        assert_ne!(
            denied.span_context.trace_id(),
            asked.span_context.trace_id()
        );
        assert_eq!(asked.links.links[0].span_context, denied.span_context);
    }

    #[test]
    fn a_decision_without_a_trace_begins_one() {
        let event = DecisionEvent {
            trace: None,
            ..denial(7)
        };
        let spans = [0xab, 0xac].map(|ring| span(&RecordedDecision::new(&event, [ring; 16])));
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
