//! The command line.
//!
//! [`Arguments`] is what was typed; [`ServingArguments::resolve`] completes it from the environment to
//! the [`Settings`] that the exporter runs with.

mod help;
mod values;

pub use values::{ListenAddressError, MaxAgeError, TelemetryPathError, TimeoutError};

use crate::denial_log::Chaining;
use crate::denial_log::chain::Digest;
use crate::http::Timeouts;
use crate::otlp::{Config, ConfigError, EndpointText, Flags, parse_ratio};
use clap::{Args, Parser, Subcommand, ValueEnum};
use guard_report::address::DEFAULT_ADDRESS;
use guard_report::log_format::LogFormat;
use guard_report::paths::{change_log, denial_log, override_log, state_directory};
use guard_report::rings;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// What was typed.
#[derive(Clone, Debug, Parser)]
#[command(name = "guard-exporter", version, about, long_about = help::ABOUT, after_long_help = help::AFTER_HELP, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub serving: ServingArguments,
}

/// What to do instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Verify the hash chain of the denial log.
    #[command(long_about = help::ABOUT_VERIFY, after_long_help = help::AFTER_VERIFY)]
    Verify(VerifyArguments),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// The arguments of `verify`.
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

    /// A head copied earlier, to a place that nobody who can write the log can write; the log must
    /// still contain its line.
    #[arg(long, value_name = "HASH")]
    pub head: Option<Digest>,

    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The options of serving.
#[derive(Clone, Debug, Args)]
pub struct ServingArguments {
    /// Directory to look for rings in; may be repeated.
    ///
    /// By default STATE/rings, $XDG_RUNTIME_DIR/codex-es-guard/rings, /dev/shm/codex-es-guard-UID/rings
    /// and, for a guard that runs as root, /var/lib/codex-es-guard/UID/reader/rings (on macOS in
    /// /var/db).
    #[arg(long, value_name = "DIR")]
    pub rings: Vec<PathBuf>,

    /// Loopback address and port to listen on; port 0 takes any free one.
    #[arg(
        long = "web.listen-address",
        visible_alias = "listen",
        value_name = "ADDRESS",
        default_value_t = DEFAULT_ADDRESS,
        value_parser = values::listen_address
    )]
    pub listen: SocketAddr,

    /// URL path of the metrics endpoint.
    #[arg(
        long = "web.telemetry-path",
        value_name = "PATH",
        default_value = "/metrics",
        value_parser = values::telemetry_path
    )]
    pub telemetry_path: String,

    /// Scrapes answered at the same time; one more is answered 503. 0 sets no limit.
    #[arg(
        long = "web.max-requests",
        value_name = "NUMBER",
        default_value_t = 40,
        allow_negative_numbers = true
    )]
    pub max_requests: u32,

    /// Minimum level to log.
    #[arg(
        long = "log.level",
        value_name = "LEVEL",
        value_enum,
        default_value = "info"
    )]
    pub log_level: Level,

    /// Format of the log on standard error.
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

    /// The change log [default: changes.jsonl beside the denial log].
    #[arg(long, value_name = "PATH")]
    pub changes: Option<PathBuf>,

    /// The log of requests and overrides [default: overrides.jsonl beside the denial log].
    #[arg(long, value_name = "PATH")]
    pub overrides: Option<PathBuf>,

    /// Chain the lines of the denial log by hashes, so that `guard-exporter verify` finds lines that
    /// were changed, removed, inserted or moved. keep: follow the last line of the log.
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

    /// How old lines of the logs may become, such as 90d [default: GUARD_LOGS_MAX_AGE, else as old as
    /// they become before newer lines take their place].
    #[arg(long = "logs.max-age", value_name = "DURATION", value_parser = values::max_age)]
    pub max_age: Option<Duration>,

    /// Directory of the exporter's own files, used by one exporter at a time
    /// [default: ~/.codex/es-guard].
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// Do not confine the process by Landlock and seccomp; for debugging.
    #[arg(long)]
    pub no_confine: bool,

    /// Exit when no guard was alive for this many seconds.
    #[arg(long, value_name = "SECS", value_parser = values::timeout)]
    pub exit_when_idle: Option<Duration>,

    /// OTLP collector to send traces, metrics and logs to, such as http://127.0.0.1:4318
    /// [default: OTEL_EXPORTER_OTLP_ENDPOINT].
    #[arg(long = "otlp.endpoint", value_name = "URL")]
    pub otlp_endpoint: Option<EndpointText>,

    /// Ratio of allowed operations that become spans, 0 to 1; denials always do
    /// [default: OTEL_TRACES_SAMPLER, else 0].
    #[arg(long = "otlp.allowed-ratio", value_name = "RATIO", value_parser = parse_ratio)]
    pub otlp_allowed_ratio: Option<f64>,

    /// Time for a request's head to arrive, in seconds; for tests.
    #[arg(long = "web.head-timeout", value_name = "SECONDS", value_parser = values::timeout, hide = true)]
    pub head_timeout: Option<Duration>,

    /// Time for a client to read some of a response, in seconds; for tests.
    #[arg(long = "web.write-timeout", value_name = "SECONDS", value_parser = values::timeout, hide = true)]
    pub write_timeout: Option<Duration>,
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
    pub rings: RingDirectories,
    /// A loopback address.
    pub listen: SocketAddr,
    pub telemetry_path: String,
    /// Scrapes answered at the same time; 0 for no limit.
    pub max_requests: u32,
    pub timeouts: Timeouts,
    pub denials: PathBuf,
    pub changes: PathBuf,
    pub overrides: PathBuf,
    pub chaining: Chaining,
    /// How old lines of the logs may become.
    pub max_age: Option<Duration>,
    /// Directory of the exporter's own files.
    pub state: PathBuf,
    pub confine: bool,
    pub exit_when_idle: Option<Duration>,
    /// `None` when nothing is sent over OTLP.
    pub otlp: Option<Config>,
}

/// Where rings are looked for. A directory that is not there is looked for again at each scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RingDirectories {
    /// These.
    Given(Vec<PathBuf>),
    /// Where guards put them: the state directory, else a directory in memory.
    Usual {
        /// The state directory.
        state: PathBuf,
        /// `$XDG_RUNTIME_DIR`, when that is set.
        runtime: Option<PathBuf>,
    },
}

/// The command line and the environment make no valid settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    #[error("HOME is not set; set the exporter's directory with --state")]
    NoStateDirectory,
    #[error("{} would be two of the logs", .0.display())]
    SameLog(PathBuf),
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
    /// The log to verify when no files are given. `variable` reads the environment.
    ///
    /// # Errors
    ///
    /// [`ResolveError`]
    pub fn log(&self, variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, ResolveError> {
        match &self.denials {
            Some(denials) => Ok(denials.clone()),
            None => state(self.state.clone(), variable).map(|state| denial_log(&state)),
        }
    }
}

// === impl ServingArguments ===

impl ServingArguments {
    /// Completes the options from the environment, which `variable` reads. Invalid variables are
    /// reported to `warn`.
    ///
    /// # Errors
    ///
    /// [`ResolveError`]
    pub fn resolve(
        self,
        variable: impl Fn(&str) -> Option<OsString>,
        mut warn: impl FnMut(String),
    ) -> Result<Settings, ResolveError> {
        let flags = Flags {
            endpoint: self.otlp_endpoint,
            allowed_ratio: self.otlp_allowed_ratio,
        };
        let otlp = Config::read(&flags, &variable, &mut warn)?;
        let max_age = self.max_age.or_else(|| max_age(&variable, &mut warn));
        let path = |name: &str| variable(name).map(PathBuf::from);
        let variable = |name: &str| path(name).filter(|path| path.is_absolute());
        let state = state(self.state, variable)?;
        let rings = if self.rings.is_empty() {
            RingDirectories::Usual {
                state: state.clone(),
                runtime: variable("XDG_RUNTIME_DIR"),
            }
        } else {
            RingDirectories::Given(self.rings)
        };
        let defaults = Timeouts::default();
        let denials = self.denials.unwrap_or_else(|| denial_log(&state));
        let changes = self.changes.unwrap_or_else(|| change_log(&denials));
        let overrides = self.overrides.unwrap_or_else(|| override_log(&denials));
        if changes == denials || overrides == denials {
            return Err(ResolveError::SameLog(denials));
        }
        if overrides == changes {
            return Err(ResolveError::SameLog(changes));
        }
        Ok(Settings {
            rings,
            listen: self.listen,
            telemetry_path: self.telemetry_path,
            max_requests: self.max_requests,
            timeouts: Timeouts {
                head: self.head_timeout.unwrap_or(defaults.head),
                write: self.write_timeout.unwrap_or(defaults.write),
            },
            denials,
            changes,
            overrides,
            chaining: self.chaining,
            max_age,
            state,
            confine: !self.no_confine,
            exit_when_idle: self.exit_when_idle,
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
                let mut directories = rings::own_directories(state, runtime.as_deref(), uid);
                directories.extend(rings::directories_of_root_for(uid));
                directories
            }
        }
    }
}

/// The greatest age in the environment: a session passes its own on to the exporter that it starts.
fn max_age(
    variable: impl Fn(&str) -> Option<OsString>,
    warn: &mut impl FnMut(String),
) -> Option<Duration> {
    let given = variable(MAX_AGE).filter(|given| !given.is_empty())?;
    let text = given.to_string_lossy();
    match values::max_age(&text) {
        Ok(max_age) => Some(max_age),
        Err(error) => {
            let error = anyhow::Error::new(error);
            warn(format!("{MAX_AGE} is {text:?} and is not used: {error:#}"));
            None
        }
    }
}

const MAX_AGE: &str = "GUARD_LOGS_MAX_AGE";

fn state(
    option: Option<PathBuf>,
    variable: impl Fn(&str) -> Option<PathBuf>,
) -> Result<PathBuf, ResolveError> {
    let home = || variable("HOME").filter(|home| home.is_absolute());
    let default = || home().map(|home| state_directory(&home));
    option
        .or_else(default)
        .ok_or(ResolveError::NoStateDirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn resolve(arguments: &[&str]) -> Settings {
        let typed = ["guard-exporter"].iter().chain(arguments);
        let environment = |name: &str| match name {
            "HOME" => Some("/home/u".into()),
            "XDG_RUNTIME_DIR" => Some("/run/user/7".into()),
            _ => None,
        };
        Arguments::try_parse_from(typed)
            .unwrap()
            .serving
            .resolve(environment, |warning| panic!("{warning}"))
            .unwrap()
    }

    #[test]
    fn defaults_are_where_guards_expect_them() {
        let settings = resolve(&[]);
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
    fn options_override_defaults() {
        let settings = resolve(&[
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
    fn the_chain_is_kept_by_default() {
        for (typed, chaining) in [
            (&[][..], Chaining::Keep),
            (&["--denials.chain"], Chaining::On),
            (&["--denials.chain=off"], Chaining::Off),
        ] {
            assert_eq!(resolve(typed).chaining, chaining, "{typed:?}");
        }
    }

    #[test]
    fn the_greatest_age_of_lines_is_set_by_hand_or_by_a_variable() {
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!(resolve(&[]).max_age, None);
        assert_eq!(resolve(&["--logs.max-age", "90d"]).max_age, Some(day * 90));
        for too_short in ["1h", "0", "ever"] {
            let typed = ["guard-exporter", "--logs.max-age", too_short];
            Arguments::try_parse_from(typed).unwrap_err();
        }
        for (value, max_age, warned) in [("7d", Some(day * 7), 0), ("", None, 0), ("1s", None, 1)] {
            let mut warnings = Vec::new();
            let typed = Arguments::try_parse_from(["guard-exporter"]).unwrap();
            let environment = |name: &str| match name {
                "HOME" => Some("/home/u".into()),
                MAX_AGE => Some(value.into()),
                _ => None,
            };
            let warn = |warning| warnings.push(warning);
            let settings = typed.serving.resolve(environment, warn).unwrap();
            assert_eq!(
                (settings.max_age, warnings.len()),
                (max_age, warned),
                "{warnings:?}"
            );
        }
    }

    #[test]
    fn without_a_home_the_state_is_required() {
        let typed = Arguments::try_parse_from(["guard-exporter"]).unwrap();
        let resolved = typed.serving.resolve(|_| None, |_| {});
        assert_eq!(resolved, Err(ResolveError::NoStateDirectory));
    }
}
