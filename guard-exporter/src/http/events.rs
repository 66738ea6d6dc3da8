//! `/api/v1/events`: denials and detections as server-sent events (HTML Living Standard, §9.2).
//!
//! | event | data |
//! |---|---|
//! | `denial`, with its id as `id` | as in `/api/v1/denials` |
//! | `detection` | as in `/api/v1/detections` |
//! | `missed` | `{"count": n}`: the client reads too slowly and missed n events; `null` when the number is not known |
//!
//! A client that reconnects with `Last-Event-ID` first gets the kept denials that it missed, also from
//! another exporter than before. A comment every [`HEARTBEAT`] keeps the connection open and detects
//! when it is not.

use super::state::HttpState;
use crate::detect::Detection;
use crate::recent::{DecisionId, LoggedDecision};
use crate::stream::{Event, Next, Subscription};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guard_report::{api, json};
use http_body::Frame;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// The interval of comments on an idle connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The body of the response, which never ends by itself.
struct Events {
    /// Sent first.
    greeting: Option<Bytes>,
    /// Sent next: the denials that the client missed.
    replay: VecDeque<Arc<LoggedDecision>>,
    subscription: Subscription,
    heartbeat: Interval,
}

/// `GET /api/v1/events`
pub(super) async fn events(State(state): State<HttpState>, headers: HeaderMap) -> Response {
    let app = &state.app;
    let last = headers
        .get("last-event-id")
        .map(|id| id.to_str().ok().and_then(DecisionId::parse));
    let catch_up = || last.map(|id| app.recent.after(&id?));
    let (subscription, replay) = match app.stream.subscribe(catch_up) {
        Ok(subscribed) => subscribed,
        Err(error) => {
            let head = [(header::RETRY_AFTER, "10")];
            return (StatusCode::SERVICE_UNAVAILABLE, head, format!("{error}\n")).into_response();
        }
    };
    let is_gap = matches!(replay, Some(None));
    let greeting = if is_gap {
        format!("{RETRY}{}", missed(None))
    } else {
        RETRY.to_owned()
    };
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.reset();
    let body = Body::new(Events {
        greeting: Some(greeting.into()),
        replay: replay.flatten().unwrap_or_default().into(),
        subscription,
        heartbeat,
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

fn message(event: &Event) -> Bytes {
    match event {
        Event::Denial(event) => denial(event),
        Event::Detection(event) => detection(event),
    }
}

fn denial(denial: &LoggedDecision) -> Bytes {
    match api::Record::of_line(&denial.line) {
        Some(api::Record { id, json }) => {
            format!("id: {id}\nevent: denial\ndata: {json}\n\n").into()
        }
        None => Bytes::new(),
    }
}

fn detection(detection: &Detection) -> Bytes {
    let json = json::line(detection);
    format!("event: detection\ndata: {json}\n\n").into()
}

fn missed(count: Option<u64>) -> String {
    let count = count.map_or_else(|| "null".to_owned(), |count| count.to_string());
    format!("event: missed\ndata: {{\"count\":{count}}}\n\n")
}

// === impl Events ===

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let sent = |bytes: Bytes| Poll::Ready(Some(Ok(Frame::data(bytes))));
        if let Some(greeting) = this.greeting.take() {
            return sent(greeting);
        }
        if let Some(next) = this.replay.pop_front() {
            return sent(denial(&next));
        }
        match this.subscription.poll_next(context) {
            Poll::Ready(Some(Next::Event(event))) => sent(message(&event)),
            Poll::Ready(Some(Next::Missed(count))) => sent(missed(Some(count)).into()),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => match this.heartbeat.poll_tick(context) {
                Poll::Ready(_) => sent(Bytes::from_static(b":\n\n")),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

/// When a client should reconnect, milliseconds.
const RETRY: &str = "retry: 2000\n\n";
