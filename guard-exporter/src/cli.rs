//! The command line: what may be said, and what it comes to.
//!
//! [`Arguments`] is what was typed; [`ServingArguments::settle`] makes of it, with the environment's
//! answers to what was left out, the [`Settings`] the exporter runs with.

use crate::denial_log::Chaining;
use crate::denial_log::chain::Digest;
use crate::otlp::{Config, ConfigError, EndpointText, Flags, parse_ratio};
use clap::{Args, Parser, Subcommand, ValueEnum};
use guard_report::log_format::LogFormat;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// What was typed.
#[derive(Clone, Debug, Parser)]
#[command(name = "guard-exporter", version, about, long_about = LONG_ABOUT, after_long_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// What to serve, and where.
    #[command(flatten)]
    pub serving: ServingArguments,
}

/// What can be done instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Check that nobody changed the denial log, by its hash chain.
    #[command(long_about = VERIFY_ABOUT, after_long_help = AFTER_VERIFY)]
    Verify(VerifyArguments),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// What was typed after `verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArguments {
    /// Files of one log, oldest first [default: the denial log and its numbered files].
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The denial log [default: STATE/denials.jsonl].
    #[arg(long, value_name = "PATH", conflicts_with = "files")]
    pub denials: Option<PathBuf>,

    /// Directory of the exporter's own files [default: ~/.codex/es-guard].
    #[arg(long, value_name = "DIR", conflicts_with = "files")]
    pub state: Option<PathBuf>,

    /// A head noted earlier, kept where nobody who may write the log may write; the log must still
    /// hold its line.
    #[arg(long, value_name = "HASH")]
    pub head: Option<Digest>,

    /// Answer with one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What was typed to serve.
#[derive(Clone, Debug, Args)]
pub struct ServingArguments {
    /// Directory to look for rings in; may be given more than once.
    ///
    /// Without it: STATE/rings, $XDG_RUNTIME_DIR/codex-es-guard/rings and
    /// /dev/shm/codex-es-guard-UID/rings, as far as they are there; and where a guard that runs as
    /// root puts this user's: /var/lib/codex-es-guard/UID/reader/rings (on macOS in /var/db).
    #[arg(long, value_name = "DIR")]
    pub rings: Vec<PathBuf>,

    /// Loopback address to serve on; port 0 takes any free one.
    #[arg(
        long = "web.listen-address",
        visible_alias = "listen",
        value_name = "ADDRESS",
        default_value = DEFAULT_ADDRESS,
        value_parser = loopback
    )]
    pub listen: SocketAddr,

    /// Path of the metrics.
    #[arg(
        long = "web.telemetry-path",
        value_name = "PATH",
        default_value = "/metrics",
        value_parser = telemetry_path
    )]
    pub telemetry_path: String,

    /// Scrapes answered at the same time; one more gets 503. 0 sets no limit.
    #[arg(
        long = "web.max-requests",
        value_name = "NUMBER",
        default_value_t = 40,
        allow_negative_numbers = true
    )]
    pub max_requests: u32,

    /// Say what matters at least as much.
    #[arg(
        long = "log.level",
        value_name = "LEVEL",
        value_enum,
        default_value = "info"
    )]
    pub log_level: Level,

    /// How messages on standard error are written.
    #[arg(
        long = "log.format",
        value_name = "FORMAT",
        value_enum,
        default_value = "logfmt"
    )]
    pub log_format: Format,

    /// The denial log [default: STATE/denials.jsonl].
    #[arg(long, value_name = "PATH")]
    pub denials: Option<PathBuf>,

    /// Chain the log's lines by hashes: `guard-exporter verify` then tells whether one was changed,
    /// removed, inserted or moved. Without it, as the log's last line is.
    #[arg(
        long = "denials.chain",
        value_name = "on|off|keep",
        num_args = 0..=1,
        require_equals = true,
        default_value = "keep",
        default_missing_value = "on",
        hide_possible_values = true
    )]
    pub chaining: Chaining,

    /// Directory of the exporter's own files; one exporter serves it at a time
    /// [default: ~/.codex/es-guard].
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// Do not confine the process by Landlock and seccomp; for debugging.
    #[arg(long)]
    pub no_confine: bool,

    /// End once no guard has been alive for so many seconds.
    #[arg(long, value_name = "SECS")]
    pub exit_when_idle: Option<u64>,

    /// Send traces, metrics and logs to this OTLP collector, such as http://127.0.0.1:4318
    /// [default: as OTEL_EXPORTER_OTLP_ENDPOINT says].
    #[arg(long = "otlp.endpoint", value_name = "URL")]
    pub otlp_endpoint: Option<EndpointText>,

    /// The part of allowed operations that become spans, 0 to 1; denials always do
    /// [default: as OTEL_TRACES_SAMPLER says, else 0].
    #[arg(long = "otlp.allowed-ratio", value_name = "RATIO", value_parser = parse_ratio)]
    pub otlp_allowed_ratio: Option<f64>,
}

/// The severity of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Progress from ring to ring
    Debug,
    /// What an operator may want to know
    Info,
    /// Failures that are retried
    Warn,
    /// Failures that end the exporter
    Error,
}

/// The format of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `key=value` pairs
    Logfmt,
    /// A JSON object
    Json,
}

/// What the exporter runs with.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where rings are looked for.
    pub rings: RingDirectories,
    /// Where to serve; loopback.
    pub listen: SocketAddr,
    /// Where the metrics are.
    pub telemetry_path: String,
    /// Scrapes answered at the same time; 0 for no limit.
    pub max_requests: u32,
    /// The denial log.
    pub denials: PathBuf,
    /// Whether its lines are chained.
    pub chaining: Chaining,
    /// Directory of the exporter's own files.
    pub state: PathBuf,
    /// Whether it confines itself.
    pub confine: bool,
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

// === impl Level ===

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::DEBUG,
            Level::Info => Self::INFO,
            Level::Warn => Self::WARN,
            Level::Error => Self::ERROR,
        }
    }
}

// === impl Format ===

impl From<Format> for LogFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Logfmt => Self::Logfmt,
            Format::Json => Self::Json,
        }
    }
}

// === impl VerifyArguments ===

impl VerifyArguments {
    /// The log that is meant when no files are given. `variable` answers for the environment.
    ///
    /// # Errors
    ///
    /// [`SettleError`]
    pub fn log(&self, variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, SettleError> {
        match &self.denials {
            Some(denials) => Ok(denials.clone()),
            None => state(self.state.clone(), variable).map(|state| state.join(DENIALS_FILE)),
        }
    }
}

// === impl ServingArguments ===

impl ServingArguments {
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
        let path = |name: &str| variable(name).map(PathBuf::from);
        let variable = |name: &str| path(name).filter(|path| path.is_absolute());
        let state = state(self.state, variable)?;
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
            telemetry_path: self.telemetry_path,
            max_requests: self.max_requests,
            denials: self.denials.unwrap_or_else(|| state.join(DENIALS_FILE)),
            chaining: self.chaining,
            state,
            confine: !self.no_confine,
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
                let memory = Path::new(MEMORY);
                let own = memory.join(format!("codex-es-guard-{uid}/rings"));
                [state.clone()]
                    .into_iter()
                    .chain(runtime.clone())
                    .chain([own])
                    .chain([
                        Path::new(MACHINE_STATE).join(format!("{uid}/reader/rings")),
                        memory.join(format!("codex-es-guard-0-{uid}/reader/rings")),
                    ])
                    .collect()
            }
        }
    }
}

fn state(
    said: Option<PathBuf>,
    variable: impl Fn(&str) -> Option<PathBuf>,
) -> Result<PathBuf, SettleError> {
    let home = || variable("HOME").filter(|home| home.is_absolute());
    let usual = || home().map(|home| home.join(".codex/es-guard"));
    said.or_else(usual).ok_or(SettleError::NoStateDirectory)
}

/// Where a guard that runs as root keeps what it has for the users it guards.
const MACHINE_STATE: &str = if cfg!(target_os = "macos") {
    "/private/var/db/codex-es-guard"
} else {
    "/var/lib/codex-es-guard"
};

/// Where guards put rings when a disk is full.
const MEMORY: &str = if cfg!(target_os = "macos") {
    "/private/var/run"
} else {
    "/dev/shm"
};

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
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

/// A path of its own, of characters that need no escaping anywhere.
fn telemetry_path(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    let parts: Vec<&str> = text.split('/').skip(1).collect();
    if !text.starts_with('/') || !text.chars().all(is_plain) {
        return Err("not a path such as /metrics, of letters, digits and -_.~".to_owned());
    }
    if parts.iter().any(|part| ["", ".", ".."].contains(part)) {
        return Err("a path without empty, . and .. parts is needed, such as /metrics".to_owned());
    }
    if ["api", "-", "page.css", "page.js"].contains(&parts[0]) {
        return Err(format!(
            "/{} is taken; choose another, such as /metrics",
            parts[0]
        ));
    }
    Ok(text.to_owned())
}

const DENIALS_FILE: &str = "denials.jsonl";
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
                    (--web.telemetry-path)
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
  guard-exporter --web.listen-address 127.0.0.1:0 --log.format json
  curl -s http://127.0.0.1:19477/metrics | grep guard_decisions_total
  guard-exporter --otlp.endpoint http://127.0.0.1:4318 &
  tail -F ~/.codex/es-guard/denials.jsonl

Signals:
  SIGTERM, SIGINT   end in order
  SIGHUP            re-open the denial log and go on

Exit status:
  0  ended by SIGTERM or SIGINT, or idle (--exit-when-idle); everything read is in the log
  1  it could not start or failed, or a directory it is confined to was replaced: start it again
  2  the command line is wrong
  3  another exporter serves STATE already";

const VERIFY_ABOUT: &str = "\
Check that nobody changed the denial log, by its hash chain.

With --denials.chain each line of the log ends with \"prev\", the hash of the line before, and \
\"hash\", the SHA-256 of itself. This command follows the chain through the numbered files and the log \
and names the first line that was changed, removed, inserted or moved.

Whoever may write the log may also make every hash anew from some line on, or cut lines off its end. \
Note the head now and then where they cannot write (it is the hash this command prints, \
denial_log.head in /api/v1/status, and the last line's \"hash\") and give it with --head: then that \
shows as well. Lines written while the chain was off are covered by nothing.";

const AFTER_VERIFY: &str = "\
Examples:
  guard-exporter verify
  guard-exporter verify --head 5e3f… --json
  guard-exporter verify backup/denials.jsonl.1 backup/denials.jsonl

Exit status:
  0  the chain is whole, and holds the head that was given
  1  it is not
  2  there is no chain, a file cannot be read, or the command line is wrong";

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
            .serving
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
                Path::new("/var/lib/codex-es-guard/7/reader/rings"),
                Path::new("/dev/shm/codex-es-guard-0-7/reader/rings"),
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
            ":19477",
            "127.0.0.1",
        ] {
            Arguments::try_parse_from(["guard-exporter", "--listen", address]).unwrap_err();
        }
    }

    #[test]
    fn a_telemetry_path_is_one_of_its_own() {
        for good in ["/metrics", "/guard/metrics", "/m.2~x_y-z"] {
            assert_eq!(telemetry_path(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "/",
            "metrics",
            "/a//b",
            "/a/",
            "/../a",
            "/a b",
            "/{a}",
            "/a?b",
            "/api/v1/x",
            "/-/ready",
            "/page.js",
            "/*x",
            "/é",
        ] {
            telemetry_path(bad).unwrap_err();
        }
    }

    #[test]
    fn the_chain_is_kept_as_it_is_unless_said() {
        for (said, chaining) in [
            (&[][..], Chaining::Keep),
            (&["--denials.chain"], Chaining::On),
            (&["--denials.chain=off"], Chaining::Off),
        ] {
            assert_eq!(settle(said).chaining, chaining, "{said:?}");
        }
    }

    #[test]
    fn without_a_home_the_state_must_be_said() {
        let typed = Arguments::try_parse_from(["guard-exporter"]).unwrap();
        let settled = typed.serving.settle(|_| None, |_| {});
        assert_eq!(settled, Err(SettleError::NoStateDirectory));
    }
}
