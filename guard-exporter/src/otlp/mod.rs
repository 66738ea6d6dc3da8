//! OTLP: exports denials as spans and log records, the metrics, detections, and the exporter's own
//! spans to a collector.
//!
//! ```text
//! reading thread ─▶ Recorder ─▶ queue of spans ───────▶ batch processor ─▶ collector
//!                          └──▶ queue of log records ─▶ batch processor ─▶ collector
//!                    registry ────────────────────────▶ periodic reader ─▶ collector
//! ```
//!
//! The [`Recorder`] never waits. Each queue is bounded in items and in bytes, and an item that does not
//! fit is counted: whatever the collector does, the recorded items are those exported, dropped and
//! queued. [`Config`] decides what is sent where; by default nothing is.
//!
//! It deliberately keeps nothing across a restart: the denial log does.

mod attempt;
mod attributes;
mod batch_processor;
mod config;
mod connect_error;
mod connection;
mod exporters;
#[cfg(feature = "otlp-grpc")]
mod grpc;
mod http;
mod item;
mod log_records;
mod metrics;
mod names;
mod outcome;
mod own_spans;
mod periodic_reader;
mod queue;
mod recorder;
mod resource;
mod signal_queue;
mod spans;

pub use config::{
    Config, ConfigError, EndpointError, EndpointText, Flags, ParseRatioError, parse_ratio,
};
pub use item::RingId;
pub use recorder::Recorder;

use crate::error_chain::error_chain;
use crate::metrics::Metrics;
use crate::metrics::catalogue::Signal;
use batch_processor::{BatchExporter, BatchProcessor};
use config::Destination;
use connect_error::ConnectError;
use connection::Connection;
use exporters::{LogBatchExporter, SpanBatchExporter};
use guard_report::time;
use opentelemetry_sdk::trace::SdkTracerProvider;
use periodic_reader::PeriodicReader;
use queue::{Limits, Queue};
use resource::Attributes;
use signal_queue::SignalQueue;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use std::{io, thread};

/// The threads that export.
#[derive(Debug)]
pub struct Otlp {
    recorder: Recorder,
    /// Dropped, it makes the periodic reader export for the last time.
    reader: Option<mpsc::Sender<()>>,
    /// Hangs up when the last thread has ended.
    ended: mpsc::Receiver<()>,
    _own_spans: Option<SdkTracerProvider>,
}

/// Starts one thread after another.
struct Starter<'s> {
    resource: Attributes,
    metrics: &'s Metrics,
    /// Each thread holds a clone until it ends.
    end: mpsc::Sender<()>,
}

// === impl Otlp ===

impl Otlp {
    /// Starts to export as `config` says, for the exporter with this state directory.
    ///
    /// # Errors
    ///
    /// When a thread cannot be started. A signal that cannot be sent is no error: that is logged, and
    /// its items are counted as dropped.
    pub fn start(config: &Config, state: &Path, metrics: &Metrics) -> io::Result<Self> {
        let (end, ended) = mpsc::channel::<()>();
        let starter = Starter {
            resource: resource::attributes(state, &config.resource),
            metrics,
            end,
        };
        let spans = starter.queue(
            Signal::Traces,
            &config.traces,
            config.span_limits,
            SpanBatchExporter::new,
        )?;
        let logs = starter.queue(
            Signal::Logs,
            &config.logs,
            config.log_limits,
            |connection| Ok(LogBatchExporter::new(connection)),
        )?;
        let reader = starter.periodic_reader(&config.metrics, config.interval)?;
        let own_spans =
            matches!(spans, SignalQueue::Open(..)).then(|| own_spans::export(spans.clone()));
        Ok(Self {
            recorder: Recorder::new(spans, logs, config.allowed_ratio),
            reader,
            ended,
            _own_spans: own_spans,
        })
    }

    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Exports what is queued, within [`SHUTDOWN_TIMEOUT`]; what could not be sent by then is counted
    /// as dropped, and logged.
    pub fn shut_down(self) {
        let Self {
            recorder,
            reader,
            ended,
            ..
        } = self;
        drop(reader);
        recorder.spans.close();
        recorder.logs.close();
        // An error either way: timed out, or all threads have ended.
        let _timed_out_or_ended = ended.recv_timeout(SHUTDOWN_TIMEOUT);
        recorder.spans.abandon("spans");
        recorder.logs.abandon("log records");
    }
}

// === impl Starter ===

impl Starter<'_> {
    /// The queue of a signal, with a thread that exports what is pushed.
    fn queue<E>(
        &self,
        signal: Signal,
        destination: &Destination,
        limits: Limits,
        exporter: impl FnOnce(Connection) -> Result<E, ConnectError>,
    ) -> io::Result<SignalQueue<E::Item>>
    where
        E: BatchExporter + Send + 'static,
        E::Item: Send + 'static,
    {
        if *destination == Destination::Disabled {
            return Ok(SignalQueue::Disabled);
        }
        let metrics = self.metrics.otlp.of(signal);
        let Some(exporter) = self.connect(signal, destination, exporter) else {
            return Ok(SignalQueue::Unusable(metrics));
        };
        let queue = Arc::new(Queue::new(limits));
        let open = SignalQueue::Open(Arc::clone(&queue), metrics.clone());
        self.spawn(signal, move || {
            let processor = BatchProcessor {
                signal,
                queue: &queue,
                exporter,
                metrics,
            };
            processor.run();
        })?;
        Ok(open)
    }

    /// A thread that exports the metrics, and what stops it.
    fn periodic_reader(
        &self,
        destination: &Destination,
        interval: Duration,
    ) -> io::Result<Option<mpsc::Sender<()>>> {
        let Some(connection) = self.connect(Signal::Metrics, destination, Ok) else {
            return Ok(None);
        };
        let (stop, stopped) = mpsc::channel();
        let reader = PeriodicReader {
            connection,
            registry: self.metrics.clone(),
            metrics: self.metrics.otlp.of(Signal::Metrics),
            interval,
            started_ns: time::now_ns(),
        };
        self.spawn(Signal::Metrics, move || reader.run(&stopped))?;
        Ok(Some(stop))
    }

    /// What `exporter` makes of a connection to the destination; `None` when it has none or cannot be
    /// used.
    fn connect<E>(
        &self,
        signal: Signal,
        destination: &Destination,
        exporter: impl FnOnce(Connection) -> Result<E, ConnectError>,
    ) -> Option<E> {
        let target = destination.target()?;
        let connected = Connection::new(target, &self.resource).and_then(exporter);
        connected
            .inspect_err(|error| {
                let signal = signal.as_str();
                tracing::error!(
                    "{signal} cannot be sent: {}",
                    target.redact(&error_chain(error))
                );
            })
            .ok()
    }

    fn spawn(&self, signal: Signal, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let end = self.end.clone();
        thread::Builder::new()
            .name(format!("otlp {}", signal.as_str()))
            .spawn(move || {
                let _end = end;
                run();
            })?;
        Ok(())
    }
}

/// With the last drain, well below the time-outs of launchd and other supervisors.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;
    use guard_testing::events::denial;

    #[test]
    fn items_of_an_unusable_destination_are_counted_as_dropped() {
        let metrics = Metrics::new();
        let limits = Limits {
            items: 1,
            bytes: 1000,
            batch: 1,
            delay: Duration::ZERO,
        };
        let config = Config {
            traces: Destination::Unusable,
            metrics: Destination::Disabled,
            logs: Destination::Disabled,
            resource: Attributes::new(),
            allowed_ratio: 0.0,
            span_limits: limits,
            log_limits: limits,
            interval: Duration::from_secs(60),
        };
        let otlp = Otlp::start(&config, Path::new("/s"), &metrics).unwrap();
        otlp.recorder().denial(&denial(0), [0; 16]);
        assert_eq!(metrics.otlp.of(Signal::Traces).dropped.get(), 1);
        assert_eq!(metrics.otlp.of(Signal::Logs).dropped.get(), 0);
        otlp.shut_down();
    }
}
