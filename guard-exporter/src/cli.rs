//! The command line: what may be said, and what it comes to.
//!
//! [`Arguments`] is what was typed; [`Arguments::settle`] makes of it, with the environment's
//! answers to what was left out, the [`Settings`] the exporter runs with.

use crate::otlp::{Config, ConfigError, Flags, parse_ratio};
use clap::Parser;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What was typed.
#[derive(Clone, Debug, Parser)]
#[command(name = "guard-exporter", version, about, long_about = LONG_ABOUT, after_long_help = AFTER_HELP)]
pub struct Arguments {
    /// Directory to look for rings in; may be given more than once.
    ///
    /// Without it: STATE/rings, $XDG_RUNTIME_DIR/codex-es-guard/rings and
    /// /dev/shm/codex-es-guard-UID/rings, as far as they are there.
    #[arg(long, value_name = "DIR")]
    pub rings: Vec<PathBuf>,

    /// Loopback address to serve on; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = DEFAULT_ADDRESS, value_parser = loopback)]
    pub listen: SocketAddr,

    /// The denial log [default: STATE/denials.jsonl].
    #[arg(long, value_name = "PATH")]
    pub denials: Option<PathBuf>,

    /// Directory of the exporter's own files; one exporter serves it at a time
    /// [default: ~/.codex/es-guard].
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// End once no guard has been alive for so many seconds.
    #[arg(long, value_name = "SECS")]
    pub exit_when_idle: Option<u64>,

    /// Send traces, metrics and logs to this OTLP collector, such as http://127.0.0.1:4318
    /// [default: as OTEL_EXPORTER_OTLP_ENDPOINT says].
    #[arg(long = "otlp.endpoint", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// The part of allowed operations that become spans, 0 to 1; denials always do
    /// [default: as OTEL_TRACES_SAMPLER says, else 0].
    #[arg(long = "otlp.allowed-ratio", value_name = "RATIO", value_parser = parse_ratio)]
    pub otlp_allowed_ratio: Option<f64>,
}

/// What the exporter runs with.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where rings are looked for.
    pub rings: RingDirectories,
    /// Where to serve; loopback.
    pub listen: SocketAddr,
    /// The denial log.
    pub denials: PathBuf,
    /// Directory of the exporter's own files.
    pub state: PathBuf,
    /// End after so long without a live guard.
    pub exit_when_idle: Option<Duration>,
    /// What is sent over OTLP, if anything is.
    pub otlp: Option<Config>,
}

/// Where rings are looked for. A directory that is not there is looked for again at each scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RingDirectories {
    /// These.
    Given(Vec<PathBuf>),
    /// Where guards put them: the state directory, else a directory in memory.
    Usual {
        /// Within the state directory.
        state: PathBuf,
        /// Within `$XDG_RUNTIME_DIR`, when that is set.
        runtime: Option<PathBuf>,
    },
}

/// What was typed cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    /// Neither `--state` nor a home directory says where the exporter's files go.
    #[error("HOME is not set; say with --state where the exporter keeps its files")]
    NoStateDirectory,
    /// Nothing can be sent where `--otlp.endpoint` says.
    #[error(transparent)]
    Otlp(#[from] ConfigError),
}

// === impl Arguments ===

impl Arguments {
    /// Completes what was typed. `variable` answers for the environment, and what of it cannot be
    /// used is told to `warn`.
    ///
    /// # Errors
    ///
    /// [`SettleError`]
    pub fn settle(
        self,
        variable: impl Fn(&str) -> Option<OsString>,
        warn: impl FnMut(String),
    ) -> Result<Settings, SettleError> {
        let flags = Flags {
            endpoint: self.otlp_endpoint,
            allowed_ratio: self.otlp_allowed_ratio,
        };
        let otlp = Config::read(&flags, &variable, warn)?;
        let path = |name| variable(name).map(PathBuf::from);
        let variable = |name| path(name).filter(|path| path.is_absolute());
        let usual = || variable("HOME").map(|home| home.join(".codex/es-guard"));
        let state = self
            .state
            .or_else(usual)
            .ok_or(SettleError::NoStateDirectory)?;
        let rings = if self.rings.is_empty() {
            RingDirectories::Usual {
                state: state.join("rings"),
                runtime: variable("XDG_RUNTIME_DIR").map(|path| path.join("codex-es-guard/rings")),
            }
        } else {
            RingDirectories::Given(self.rings)
        };
        Ok(Settings {
            rings,
            listen: self.listen,
            denials: self.denials.unwrap_or_else(|| state.join("denials.jsonl")),
            state,
            exit_when_idle: self.exit_when_idle.map(Duration::from_secs),
            otlp,
        })
    }
}

// === impl RingDirectories ===

impl RingDirectories {
    /// The directories, for the user with this id.
    #[must_use]
    pub fn resolve(&self, uid: u32) -> Vec<PathBuf> {
        match self {
            Self::Given(directories) => directories.clone(),
            Self::Usual { state, runtime } => {
                let memory = Path::new("/dev/shm").join(format!("codex-es-guard-{uid}/rings"));
                [state.clone()]
                    .into_iter()
                    .chain(runtime.clone())
                    .chain([memory])
                    .collect()
            }
        }
    }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| {
        format!("not an address with a port, such as {DEFAULT_ADDRESS} or [::1]:19477")
    })?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(format!(
            "{} is not a loopback address; the exporter serves this machine only (reach it from \
             another through an SSH tunnel or a local Prometheus agent)",
            address.ip()
        ))
    }
}

const DEFAULT_ADDRESS: &str = "127.0.0.1:19477";

const LONG_ABOUT: &str = "\
Shows what the guards on this machine decide.

Every guard writes its decisions into a ring, a file in memory. This program finds the rings of all \
of this user's guards, reads them, appends each denial to a log of one JSON object per line, and \
serves counts and latencies to Prometheus. Guards never wait for it: started late or again, it goes \
on where the log ends.";

const AFTER_HELP: &str = "\
Files in STATE:
  denials.jsonl     denials; below 1 MB, older ones in denials.jsonl.1 (newest) to .8
  exporter.json     {\"pid\",\"address\",\"version\"} of the exporter while it listens
  exporter.lock     locked while it runs
  cursors.json      how far it has read

Endpoints:
  /                 a page: live denials, agents, latency, the health of each guard
  /metrics          Prometheus text format, or OpenMetrics with exemplars
  /api/v1/          denials events detections latency status, see openapi.json
  /-/healthy        200 while it runs
  /-/ready          200 while it drains rings and can write the log

OTLP:
  Each denial as a span and a log record, all metrics, and sampled allowed operations are sent to a
  collector when --otlp.endpoint or OTEL_EXPORTER_OTLP_ENDPOINT names one. The standard OTEL_*
  variables count: _HEADERS, _PROTOCOL, _TIMEOUT, _COMPRESSION, OTEL_TRACES_EXPORTER=none,
  OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_BSP_*, OTEL_BLRP_*,
  OTEL_METRIC_EXPORT_INTERVAL, OTEL_SDK_DISABLED=true.

Examples:
  guard-exporter &
  curl -s http://127.0.0.1:19477/metrics | grep guard_decisions_total
  guard-exporter --otlp.endpoint http://127.0.0.1:4318 &
  tail -F ~/.codex/es-guard/denials.jsonl

Exit status:
  0  asked to end (SIGTERM, SIGINT), or idle (--exit-when-idle); everything read is in the log
  1  it could not start, or failed
  2  the command line is wrong
  3  another exporter serves STATE already";

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(arguments: &[&str]) -> Settings {
        let typed = ["guard-exporter"].iter().chain(arguments);
        let environment = |name: &str| match name {
            "HOME" => Some("/home/u".into()),
            "XDG_RUNTIME_DIR" => Some("/run/user/7".into()),
            _ => None,
        };
        Arguments::try_parse_from(typed)
            .unwrap()
            .settle(environment, |warning| panic!("{warning}"))
            .unwrap()
    }

    #[test]
    fn what_is_left_out_is_where_guards_expect_it() {
        let settings = settle(&[]);
        assert_eq!(settings.listen.to_string(), "127.0.0.1:19477");
        assert_eq!(
            settings.denials,
            Path::new("/home/u/.codex/es-guard/denials.jsonl")
        );
        assert_eq!(
            settings.rings.resolve(7),
            [
                Path::new("/home/u/.codex/es-guard/rings"),
                Path::new("/run/user/7/codex-es-guard/rings"),
                Path::new("/dev/shm/codex-es-guard-7/rings"),
            ]
        );
    }

    #[test]
    fn what_is_said_counts() {
        let settings = settle(&[
            "--rings",
            "/a",
            "--rings",
            "/b",
            "--state",
            "/s",
            "--listen",
            "[::1]:0",
            "--exit-when-idle",
            "5",
        ]);
        assert_eq!(
            settings.rings.resolve(7),
            [Path::new("/a"), Path::new("/b")]
        );
        assert_eq!(settings.denials, Path::new("/s/denials.jsonl"));
        assert_eq!(settings.exit_when_idle, Some(Duration::from_secs(5)));
    }

    #[test]
    fn other_than_loopback_is_refused() {
        for address in [
            "0.0.0.0:1",
            "192.168.1.1:19477",
            "[::]:1",
            "example.org:80",
            "127.0.0.1",
        ] {
            Arguments::try_parse_from(["guard-exporter", "--listen", address]).unwrap_err();
        }
    }

    #[test]
    fn without_a_home_the_state_must_be_said() {
        let typed = Arguments::try_parse_from(["guard-exporter"]).unwrap();
        let settled = typed.settle(|_| None, |_| {});
        assert_eq!(settled, Err(SettleError::NoStateDirectory));
    }
}
