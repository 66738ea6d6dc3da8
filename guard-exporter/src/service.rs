//! The exporter as a process: one thread reads rings, one serves HTTP and waits for signals.
//!
//! SIGTERM and SIGINT end it in order: the rings are drained once more, the log is synced to disk, and
//! `exporter.json` is removed. So does the end of the last guard when the exporter's directory, maybe
//! with the whole home, is gone. SIGHUP re-opens the logs; there is no other configuration to
//! reload, and the end of a terminal does not end the exporter. A file size limit (SIGXFSZ) is treated
//! as a full disk.

use crate::app_state::AppState;
use crate::cli::Settings;
use crate::confine::{Needs, SandboxPaths, confine};
use crate::denial_log::{Chaining, DecisionLog};
use crate::drain::{Drain, End, Ends, ReaderCommand, Sources};
use crate::http::{self, HttpState};
use crate::instance::Instance;
use crate::metrics::Metrics;
use crate::otlp::{Config, Otlp};
use crate::rate_limited::RateLimited;
use crate::recent::Recent;
use crate::requests::Requests;
use crate::stream::Stream;
use anyhow::{Context as _, anyhow};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Runs until a signal ends it or it has been idle for long enough.
///
/// # Errors
///
/// When it cannot start, or the reading thread fails.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the HTTP server's runtime")?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::new().context("waiting for signals")?
    };
    let mut instance = Instance::claim(&settings.state)?;
    let metrics = Metrics::new();
    metrics.watch_process();
    let (mut log, next) = DecisionLog::open(&settings.denials, metrics.denial_log.clone())?;
    log.chain(settings.chaining)?;
    let mut changes = DecisionLog::open(&settings.changes, metrics.change_log.clone())?;
    let mut overrides = DecisionLog::open(&settings.overrides, metrics.override_log.clone())?;
    overrides.0.chain(if log.is_chained() {
        Chaining::On
    } else {
        Chaining::Off
    })?;
    for log in [&mut log, &mut changes.0, &mut overrides.0] {
        log.keep_for(settings.max_age);
    }
    let recent = Recent::load(&settings.denials);
    let recent_changes = Recent::load(&settings.changes);
    let stream = Stream::new(metrics.stream.clone());
    let app = Arc::new(AppState::new(
        recent,
        recent_changes,
        Requests::load(&settings.overrides),
        stream,
    ));
    let sources = Sources {
        directories: settings.rings.resolve(instance.uid()),
        uid: instance.uid(),
        cursors: settings.state.join(CURSORS_FILE),
    };
    let mut sandbox = SandboxPaths::default();
    // Held until the process ends.
    let _confined = settings.confine.then(|| {
        let needs = Needs::of(settings, instance.uid());
        let paths = needs.paths();
        let confined = confine(&needs);
        confined.report(&metrics.exporter);
        // Only Landlock depends on directories.
        if confined.files.is_ok() {
            sandbox = paths;
        }
        confined
    });
    let otlp = match &settings.otlp {
        Some(config) => {
            let otlp = Otlp::start(config, &settings.state, &metrics);
            Some(otlp.context("starting to send over OTLP")?)
        }
        None => None,
    };
    let recorder = otlp.as_ref().map(Otlp::recorder).unwrap_or_default();
    let denials = (log, next);
    let drain = Drain::new(
        sources,
        denials,
        changes,
        overrides,
        &metrics,
        Arc::clone(&app),
        recorder,
    );

    let (commands, received) = mpsc::channel();
    let (ended, mut reader_ended) = oneshot::channel();
    let ends = Ends {
        idle: settings.exit_when_idle,
        state: settings.state.clone(),
        sandbox,
    };
    let reader = thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || {
            // Dropped at the end, however the thread ends.
            let _ended: oneshot::Sender<Infallible> = ended;
            drain.run(&received, &ends)
        })
        .context("starting the reading thread")?;

    runtime.block_on(async {
        let state = HttpState {
            metrics,
            scrapes: http::ScrapeCache::new(settings.max_requests),
            telemetry_path: settings.telemetry_path.as_str().into(),
            app,
            destinations: settings
                .otlp
                .iter()
                .flat_map(Config::destinations)
                .collect(),
        };
        let mut serving = pin!(serve(settings, state, &mut instance));
        loop {
            tokio::select! {
                _ = &mut reader_ended => break,
                request = signals.next() => match request {
                    SignalRequest::Terminate => break,
                    SignalRequest::Reload => {
                        tracing::info!("re-opening the denial log and the change log (SIGHUP)");
                        // Without a receiver the reading thread has ended, and so does the loop.
                        let _sent = commands.send(ReaderCommand::ReopenLogs);
                    }
                },
                never = &mut serving => match never {},
            }
        }
    });
    drop(commands);
    let ended = reader.join();
    if let Some(otlp) = otlp {
        otlp.shut_down();
    }
    match ended.map_err(|_| anyhow!("the reading thread panicked"))? {
        End::Asked | End::Idle => Ok(()),
        // Nobody will have it started again there.
        End::Gone(path) if settings.exit_when_idle.is_some() => {
            tracing::info!("{} is gone, and no guard is alive", path.display());
            Ok(())
        }
        End::Gone(path) => Err(anyhow!(
            "{} is gone; start this exporter again to have it made again",
            path.display()
        )),
        End::Replaced(path) => Err(anyhow!(
            "{} was replaced by another directory, and this exporter is confined to the former one; \
             start it again",
            path.display()
        )),
    }
}

/// Listens on the configured address, retrying while it is taken, and serves.
async fn serve(settings: &Settings, state: HttpState, instance: &mut Instance) -> Infallible {
    let address = settings.listen;
    let bind_failures = state.metrics.exporter.bind_failures.clone();
    let connections = state.metrics.connections.clone();
    let router = http::router(state);
    let mut taken = RateLimited::default();
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(error) => {
                bind_failures.inc();
                taken.warn(
                    Instant::now(),
                    format_args!(
                        "cannot listen on {address}: {error}; denials are logged all the same; \
                         retrying every {} s (for another port use --web.listen-address \
                         127.0.0.1:PORT)",
                        BIND_PAUSE.as_secs()
                    ),
                );
            }
        }
        tokio::time::sleep(BIND_PAUSE).await;
    };
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!("serving http://{address}/");
    if let Err(error) = instance.announce(address) {
        tracing::warn!("{:#}", anyhow::Error::new(error));
    }
    http::serve(listener, router, settings.timeouts, &connections).await
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Held so that exceeding the limit is an error of `write` and does not end the process.
    _file_size: Signal,
}

/// What a signal asks for.
enum SignalRequest {
    Terminate,
    Reload,
}

// === impl Signals ===

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            _file_size: signal(SignalKind::from_raw(libc::SIGXFSZ))?,
        })
    }

    async fn next(&mut self) -> SignalRequest {
        tokio::select! {
            _ = self.terminate.recv() => SignalRequest::Terminate,
            _ = self.interrupt.recv() => SignalRequest::Terminate,
            _ = self.hangup.recv() => SignalRequest::Reload,
        }
    }
}

const CURSORS_FILE: &str = "cursors.json";
const BIND_PAUSE: Duration = Duration::from_secs(3);
