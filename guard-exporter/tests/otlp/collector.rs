//! A collector within the test: OTLP over HTTP, with a selectable behavior.

use crate::support::eventually;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data, number_data_point};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// A collector, which listens until the test ends.
#[derive(Clone)]
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// How the collector answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// Accepts everything.
    Take,
    /// Rejects so many items of each request.
    Reject(i64),
    /// Answers with this status and these further headers, and accepts nothing.
    Status(u16, &'static str),
    /// Accepts everything, and sends its response byte by byte.
    Drip,
    /// Answers with bytes that are not HTTP.
    Garbage,
    /// Answers with a page.
    Page,
    /// Reads, and never answers.
    Hang,
}

/// What the collector received.
pub(crate) struct State {
    pub(crate) behavior: Behavior,
    /// Requests of any kind, answered or not.
    pub(crate) requests: usize,
    /// The heads of all requests, in lower case.
    pub(crate) heads: Vec<String>,
    pub(crate) spans: Vec<Span>,
    pub(crate) records: Vec<LogRecord>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) resources: Vec<Resource>,
}

// === impl Collector ===

impl Collector {
    pub(crate) fn start(behavior: Behavior) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), behavior)
    }

    /// At an address that an exporter already sends to.
    pub(crate) fn on(listener: TcpListener, behavior: Behavior) -> Self {
        let collector = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new(State {
                behavior,
                requests: 0,
                heads: Vec::new(),
                spans: Vec::new(),
                records: Vec::new(),
                metrics: Vec::new(),
                resources: Vec::new(),
            })),
        };
        let serving = collector.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let collector = serving.clone();
                thread::spawn(move || collector.serve(&stream.unwrap()));
            }
        });
        collector
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn set(&self, behavior: Behavior) {
        self.state().behavior = behavior;
    }

    /// Waits for the first request.
    pub(crate) fn await_request(&self) {
        eventually("the collector gets a request", || self.state().requests > 0);
    }

    /// Waits for the first span with this name.
    pub(crate) fn span(&self, name: &str) -> Span {
        found(&format!("the span {name}"), || {
            let state = self.state();
            state.spans.iter().find(|span| span.name == name).cloned()
        })
    }

    /// Waits for the first log record with this event name.
    pub(crate) fn record(&self, event: &str) -> LogRecord {
        found(&format!("the record {event}"), || {
            let state = self.state();
            let mut records = state.records.iter();
            records.find(|record| record.event_name == event).cloned()
        })
    }

    /// The sum of the last points of a metric with this attribute.
    pub(crate) fn sum(&self, name: &str, attribute: (&str, &str)) -> Option<f64> {
        let state = self.state();
        let mut newest = state.metrics.iter().rev();
        let metric = newest.find(|metric| metric.name == name)?;
        let points = match metric.data.as_ref()? {
            Data::Sum(sum) => &sum.data_points,
            Data::Gauge(gauge) => &gauge.data_points,
            _ => return None,
        };
        let values = points.iter().filter_map(|point| {
            let pairs = attributes(&point.attributes);
            let fits = pairs
                .get(attribute.0)
                .is_some_and(|value| value == attribute.1);
            match point.value {
                Some(number_data_point::Value::AsDouble(value)) if fits => Some(value),
                _ => None,
            }
        });
        Some(values.sum())
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some((head, body)) = request(&mut reader) {
            let behavior = {
                let mut state = self.state();
                state.requests += 1;
                let behavior = state.behavior;
                if matches!(
                    behavior,
                    Behavior::Take | Behavior::Drip | Behavior::Reject(_)
                ) {
                    state.take(&head, &body);
                }
                state.heads.push(head);
                behavior
            };
            let mut stream = stream;
            let sent = match behavior {
                Behavior::Take => stream.write_all(&answer(200, "", b"")),
                Behavior::Reject(rejected) => {
                    let body = ExportTraceServiceResponse {
                        partial_success: Some(ExportTracePartialSuccess {
                            rejected_spans: rejected,
                            error_message: "not these".into(),
                        }),
                    };
                    stream.write_all(&answer(200, "", &body.encode_to_vec()))
                }
                Behavior::Status(status, headers) => {
                    stream.write_all(&answer(status, headers, b"no"))
                }
                Behavior::Drip => answer(200, "", b"").iter().try_for_each(|byte| {
                    thread::park_timeout(Duration::from_millis(1));
                    stream.write_all(&[*byte])
                }),
                Behavior::Garbage => {
                    drop(stream.write_all(b"\x00\xffwhat is this\r\n\r\n"));
                    return;
                }
                Behavior::Page => {
                    let page = b"<html>Welcome to the hotel</html>";
                    stream.write_all(&answer(200, "Content-Type: text/html\r\n", page))
                }
                Behavior::Hang => {
                    // Until the other side closes the connection.
                    drop(stream.read(&mut [0]));
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }
}

// === impl State ===

impl State {
    fn take(&mut self, head: &str, body: &[u8]) {
        let mut unzipped = Vec::new();
        let body = if head.contains("content-encoding: gzip") {
            GzDecoder::new(body).read_to_end(&mut unzipped).unwrap();
            &unzipped
        } else {
            body
        };
        assert!(
            head.contains("content-type: application/x-protobuf"),
            "{head}"
        );
        let path = head.strip_prefix("post ").unwrap_or_default();
        let path = path.split([' ', '?']).next().unwrap_or_default();
        if path == "/v1/traces" {
            for group in ExportTraceServiceRequest::decode(body)
                .unwrap()
                .resource_spans
            {
                self.resources.extend(group.resource);
                let scopes = group.scope_spans.into_iter();
                self.spans.extend(scopes.flat_map(|scope| scope.spans));
            }
        } else if path == "/v1/logs" {
            for group in ExportLogsServiceRequest::decode(body)
                .unwrap()
                .resource_logs
            {
                self.resources.extend(group.resource);
                let scopes = group.scope_logs.into_iter();
                self.records
                    .extend(scopes.flat_map(|scope| scope.log_records));
            }
        } else if path == "/v1/metrics" {
            for group in ExportMetricsServiceRequest::decode(body)
                .unwrap()
                .resource_metrics
            {
                self.resources.extend(group.resource);
                let scopes = group.scope_metrics.into_iter();
                self.metrics.extend(scopes.flat_map(|scope| scope.metrics));
            }
        } else {
            panic!("{head}");
        }
    }
}

/// Attributes by name, values as text.
pub(crate) fn attributes(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        Value::BoolValue(value) => value.to_string(),
        other => format!("{other:?}"),
    };
    attributes
        .iter()
        .map(|pair| {
            let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
            (pair.key.clone(), value.map(text).unwrap_or_default())
        })
        .collect()
}

fn found<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let mut found = None;
    eventually(what, || {
        found = look();
        found.is_some()
    });
    found.unwrap()
}

/// Head, in lower case, and body; `None` at the end.
fn request(reader: &mut BufReader<&TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if &head[before..] == "\r\n" {
            break;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut answer =
        format!("HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\n{headers}\r\n")
            .into_bytes();
    answer.extend(body);
    answer
}
