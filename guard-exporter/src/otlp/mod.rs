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
mod intake;
mod item;
mod link;
mod logs;
mod metrics;
mod names;
mod outlet;
mod own;
mod pulse;
mod queue;
mod resource;
mod sender;
mod spans;

pub use config::{Config, ConfigError, Flags, parse_ratio};
pub use intake::Intake;
pub use item::RingId;

use crate::metrics::Metrics;
use crate::metrics::catalogue::Signal;
use crate::notice;
use crate::time::wall_ns;
use config::Way;
use intake::threshold;
use link::Link;
use opentelemetry_sdk::trace::SdkTracerProvider;
use outlet::Outlet;
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

/// How long ending may take: with the last drain, well below what launchd and others wait.
pub const LONGEST_FINISH: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::denial;

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
