//! OTLP: denials as spans and log records, the metrics, detections, and the exporter's own work, for
//! whoever runs a collector.
//!
//! ```text
//! reading thread ─▶ Intake ─▶ queue of spans ──▶ sender ─▶ collector
//!                        └──▶ queue of records ─▶ sender ─▶ collector
//!                   registry, now and then ─────▶ sender ─▶ collector
//! ```
//!
//! The [`Intake`] never waits. Each queue is bounded in items and in bytes, and what does not fit is
//! counted: whatever the collector does, what was offered is what was exported, dropped and queued.
//! [`Config`] says what is sent where; nothing is, unless it says so.
//!
//! It deliberately keeps nothing across a restart: the denial log does.

mod answer;
mod attributes;
mod config;
#[cfg(feature = "otlp-grpc")]
mod grpc;
mod http;
mod item;
mod link;
mod logs;
mod metrics;
mod names;
mod own;
mod pulse;
mod queue;
mod resource;
mod sender;
mod spans;

pub use config::{Config, ConfigError, Flags, Signal, parse_ratio};
pub use item::RingId;

use crate::detect::Detection;
use crate::metrics::{Metrics, SignalMetrics};
use crate::notice;
use crate::time::wall_ns;
use config::Way;
use guard_core::DecisionEvent;
use guard_core::event::TraceContext;
use guard_core::verdict::Verdict;
use item::{Decision, LogItem, SpanItem};
use link::Link;
use opentelemetry_sdk::trace::SdkTracerProvider;
use pulse::Pulse;
use queue::{Bounds, Queue};
use sender::{Courier, Sender};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

/// Everything that sends.
#[derive(Debug)]
pub struct Otlp {
    intake: Intake,
    /// Dropped, it has the metrics sent for the last time.
    pulse: Option<mpsc::Sender<()>>,
    /// Hangs up when the last sender has ended.
    ended: mpsc::Receiver<()>,
    _own: Option<SdkTracerProvider>,
}

/// Where the reading thread hands in what there is to send. A clone is the same.
#[derive(Clone, Debug, Default)]
pub struct Intake {
    spans: Outlet<SpanItem>,
    records: Outlet<LogItem>,
    /// Of 2⁶⁴ allowed operations so many become spans.
    sampled: u64,
    dice: u64,
}

/// What becomes of one kind of items.
#[derive(Debug, Default)]
enum Outlet<T> {
    /// They are not wanted.
    #[default]
    Closed,
    /// They are wanted, and cannot be sent.
    Blocked(SignalMetrics),
    /// They are queued.
    Open(Arc<Queue<T>>, SignalMetrics),
}

// === impl Otlp ===

impl Otlp {
    /// Begins to send what `config` says, for the exporter with this state directory.
    ///
    /// # Errors
    ///
    /// When the system gives no thread. A signal that cannot be sent is no error: it is told, and
    /// counted as dropped.
    pub fn start(config: &Config, state: &Path, metrics: &Metrics) -> std::io::Result<Self> {
        let resource = resource::attributes(state, &config.resource);
        let (end, ended) = mpsc::channel::<()>();
        let link = |signal: Signal, way: &Way| -> Option<Link> {
            let target = way.target()?;
            let link = Link::new(target, &resource);
            link.inspect_err(|why| {
                let signal = signal.as_str();
                notice::error(format_args!("{signal} cannot be sent: {why}"));
            })
            .ok()
        };
        let spans = link(Signal::Traces, &config.traces).map(Link::into_spans);
        let spans = outlet(
            Signal::Traces,
            (&config.traces, spans),
            config.spans,
            metrics,
            &end,
        )?;
        let records = link(Signal::Logs, &config.logs).map(Link::into_records);
        let records = outlet(
            Signal::Logs,
            (&config.logs, records),
            config.records,
            metrics,
            &end,
        )?;
        let pulse = match link(Signal::Metrics, &config.metrics) {
            Some(link) => {
                let (stop, stopped) = mpsc::channel();
                let pulse = Pulse {
                    link,
                    registry: metrics.clone(),
                    metrics: metrics.otlp.of(Signal::Metrics),
                    interval: config.interval,
                    started_ns: wall_ns(SystemTime::now()),
                };
                spawn(Signal::Metrics, &end, move || pulse.run(&stopped))?;
                Some(stop)
            }
            None => None,
        };
        let own = matches!(spans, Outlet::Open(..)).then(|| own::trace(spans.clone()));
        let seed = std::process::id();
        Ok(Self {
            intake: Intake {
                spans,
                records,
                sampled: threshold(config.allowed_ratio),
                dice: wall_ns(SystemTime::now()) ^ u64::from(seed) << 32 | 1,
            },
            pulse,
            ended,
            _own: own,
        })
    }

    /// Where to hand in.
    #[must_use]
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Sends what is queued, in at most [`LONGEST_FINISH`]; what could not be sent by then is counted
    /// as dropped, and told.
    pub fn finish(self) {
        let Self {
            intake,
            pulse,
            ended,
            ..
        } = self;
        drop(pulse);
        intake.spans.close();
        intake.records.close();
        // An error either way: time is over, or all have hung up.
        let _over_or_ended = ended.recv_timeout(LONGEST_FINISH);
        intake.spans.abandon("spans");
        intake.records.abandon("log records");
    }
}

fn outlet<C>(
    signal: Signal,
    (way, courier): (&Way, Option<Result<C, String>>),
    bounds: Bounds,
    metrics: &Metrics,
    end: &mpsc::Sender<()>,
) -> std::io::Result<Outlet<C::Item>>
where
    C: Courier + Send + 'static,
    C::Item: Send + 'static,
{
    let metrics = metrics.otlp.of(signal);
    let courier = match courier {
        Some(Ok(courier)) => courier,
        Some(Err(why)) => {
            let signal = signal.as_str();
            notice::error(format_args!("{signal} cannot be sent: {why}"));
            return Ok(Outlet::Blocked(metrics));
        }
        None if *way == Way::Off => return Ok(Outlet::Closed),
        None => return Ok(Outlet::Blocked(metrics)),
    };
    let queue = Arc::new(Queue::new(bounds));
    let outlet = Outlet::Open(Arc::clone(&queue), metrics.clone());
    spawn(signal, end, move || {
        let sender = Sender {
            signal,
            queue: &queue,
            courier,
            metrics,
        };
        sender.run();
    })?;
    Ok(outlet)
}

/// Runs `send` in a thread of its own that keeps `end` until it has ended.
fn spawn(
    signal: Signal,
    end: &mpsc::Sender<()>,
    send: impl FnOnce() + Send + 'static,
) -> std::io::Result<()> {
    let end = end.clone();
    thread::Builder::new()
        .name(format!("otlp {}", signal.as_str()))
        .spawn(move || {
            let _end = end;
            send();
        })?;
    Ok(())
}

// === impl Intake ===

impl Intake {
    /// Hands in an allowed operation, of which some become spans.
    pub fn allowed(&mut self, event: &DecisionEvent<'_>, ring: RingId) {
        if self.sampled == 0 {
            return;
        }
        // xorshift: which ones is nobody's secret.
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        if self.dice <= self.sampled {
            let decision = Arc::new(Decision::new(event, ring));
            let size = decision.size();
            self.spans.offer(size, || SpanItem::Decision(decision));
        }
    }

    /// Hands in a denial, which becomes a span and a log record.
    pub fn denial(&self, event: &DecisionEvent<'_>, ring: RingId) {
        debug_assert_ne!(event.verdict, Verdict::Allow);
        if matches!(
            (&self.spans, &self.records),
            (Outlet::Closed, Outlet::Closed)
        ) {
            return;
        }
        let decision = Arc::new(Decision::new(event, ring));
        let size = decision.size();
        self.spans
            .offer(size, || SpanItem::Decision(Arc::clone(&decision)));
        self.records.offer(size, || LogItem::Denial(decision));
    }

    /// Hands in a detection, which becomes a log record; `trace` is that of the decision which
    /// completed it.
    pub fn detection(&self, detection: &Arc<Detection>, trace: Option<TraceContext>) {
        let size = size_of::<Detection>() + detection.path.len() + detection.session.len();
        self.records
            .offer(size, || LogItem::Detection(Arc::clone(detection), trace));
    }
}

// === impl Outlet ===

impl<T> Outlet<T> {
    /// Queues an item of about so many bytes, or counts it as dropped.
    fn offer(&self, size: usize, item: impl FnOnce() -> T) {
        match self {
            Self::Closed => {}
            Self::Blocked(metrics) => metrics.dropped.inc(),
            Self::Open(queue, metrics) => {
                // Before it can be taken, lest it be counted out first.
                metrics.queued.inc();
                if queue.push(size, item()).is_err() {
                    metrics.dropped.inc();
                    metrics.queued.dec();
                }
            }
        }
    }

    fn close(&self) {
        if let Self::Open(queue, _) = self {
            queue.close();
        }
    }

    /// Counts what is still queued as dropped.
    fn abandon(&self, what: &str) {
        let Self::Open(_, metrics) = self else {
            return;
        };
        let left = metrics.queued.get();
        if let Ok(items @ 1..) = u64::try_from(left) {
            metrics.dropped.inc_by(items);
            metrics.queued.sub(left);
            notice::warn(format_args!(
                "{items} {what} were not sent to the collector"
            ));
        }
    }
}

impl<T> Clone for Outlet<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Closed => Self::Closed,
            Self::Blocked(metrics) => Self::Blocked(metrics.clone()),
            Self::Open(queue, metrics) => Self::Open(Arc::clone(queue), metrics.clone()),
        }
    }
}

/// A part, 0 to 1, of 2⁶⁴.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a ratio to one in 2⁵³ will do, and floats saturate"
)]
fn threshold(ratio: f64) -> u64 {
    (ratio * u64::MAX as f64) as u64
}

/// How long ending may take: with the last drain, well below what launchd and others wait.
pub const LONGEST_FINISH: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::denial;

    #[test]
    fn as_many_allowed_operations_are_sampled_as_was_said() {
        let event = DecisionEvent {
            verdict: Verdict::Allow,
            trace: None,
            ..denial(0)
        };
        for (ratio, least, most) in [(0.0, 0, 0), (0.25, 2200, 2800), (1.0, 10_000, 10_000)] {
            let metrics = Metrics::new().otlp.of(Signal::Traces);
            let mut intake = Intake {
                spans: Outlet::Blocked(metrics.clone()),
                sampled: threshold(ratio),
                dice: 0x5eed,
                ..Intake::default()
            };
            for _ in 0..10_000 {
                intake.allowed(&event, [0; 16]);
            }
            let sampled = metrics.dropped.get();
            assert!((least..=most).contains(&sampled), "{ratio}: {sampled}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_counted() {
        let metrics = Metrics::new();
        let unusable = Config {
            traces: Way::Unusable,
            metrics: Way::Off,
            logs: Way::Off,
            resource: resource::Attributes::new(),
            allowed_ratio: 0.0,
            spans: BOUNDS,
            records: BOUNDS,
            interval: Duration::from_secs(60),
        };
        let otlp = Otlp::start(&unusable, Path::new("/s"), &metrics).unwrap();
        otlp.intake().denial(&denial(0), [0; 16]);
        assert_eq!(metrics.otlp.of(Signal::Traces).dropped.get(), 1);
        assert_eq!(metrics.otlp.of(Signal::Logs).dropped.get(), 0);
        otlp.finish();
    }

    const BOUNDS: Bounds = Bounds {
        items: 1,
        bytes: 1000,
        batch: 1,
        delay: Duration::ZERO,
    };
}
