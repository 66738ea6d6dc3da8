//! `codex-es-guard run`.

use super::arguments::PolicyArguments;
use super::prepare::{Ready, prepare};
use super::terminal;
use crate::exporter;
use anyhow::Result;
use guard_core::actor::AgentMatch;
use guard_core::agents;
use guard_core::policy::Mode;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

/// Run a command and everything it starts under guard.
///
/// An AI agent in the session that tries to remove something in a protected zone, or to move it out,
/// gets EPERM, and the file stays. What you type into a shell in the session is allowed.
///
/// The exit status is the command's; 125 means that the guard itself failed, 126 that the command
/// could not be run, 127 that it was not found. On macOS this needs macOS 27 or later;
/// `codex-es-guard daemon` guards earlier versions.
#[derive(Debug, clap::Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    policy: PolicyArguments,
    /// Treat the command itself as this agent, whatever its name.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Do not start the exporter: no metrics, and no denial log until one runs.
    #[arg(long)]
    no_exporter: bool,
    /// Print nothing when the session starts and ends.
    #[arg(long, short)]
    quiet: bool,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn run(arguments: RunArguments) -> Result<ExitCode> {
    let ready = prepare(&arguments.policy)?;
    ready.warn();
    for zone in ready.snapshot.zones() {
        let path = Path::new(std::ffi::OsStr::from_bytes(zone.path));
        if !path.exists() {
            terminal::warn(&format!(
                "the zone {} does not exist yet; it is protected from the moment it does",
                path.display()
            ));
        } else if lacks_birth_times(path) {
            terminal::warn(&format!(
                "the file system of {} keeps no creation times: an agent cannot remove there even what \
                 it made itself",
                path.display()
            ));
        }
    }
    if !arguments.quiet && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        announce(&ready, arguments.no_exporter);
    }
    // One that is running says so itself, and may have its logs elsewhere.
    if !arguments.quiet && !arguments.no_exporter && !exporter::is_running(&ready.source.paths) {
        for obstacle in exporter::obstacles(&ready.source.paths) {
            terminal::warn(&obstacle);
        }
    }
    start(arguments, ready)
}

#[cfg(target_os = "linux")]
fn start(arguments: RunArguments, ready: Ready) -> Result<ExitCode> {
    use anyhow::Context as _;
    use std::os::unix::ffi::OsStringExt as _;

    let dispositions = guard_linux::session::SignalDispositions::take();
    ready.keep_state()?;
    let command = arguments
        .command
        .into_iter()
        .map(|word| std::ffi::CString::new(word.into_vec()).context("a word holds a NUL byte"))
        .collect::<Result<Vec<_>>>()?;
    let session = ready.source.session.clone();
    let (paths, name) = (ready.source.paths.clone(), session.clone());
    let plan = crate::guarded::GuardedCommand {
        command,
        dispositions,
        agent: arguments.agent.map(|name| declared(&name)),
        source: ready.source,
        policy: ready.policy,
        origin: ready.origin,
        exporter: !arguments.no_exporter,
        session,
    };
    let ending = crate::guarded::run(plan)?;
    if !arguments.quiet && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        super::undo::announce(&paths, &name);
    }
    guard_linux::session::end_as(ending)
}

#[cfg(target_os = "macos")]
fn start(arguments: RunArguments, ready: Ready) -> Result<ExitCode> {
    use crate::macos::session::{self, GuardedCommand};
    ready.keep_state()?;
    let session = ready.source.session.clone();
    let (paths, name) = (ready.source.paths.clone(), session.clone());
    let ending = session::run(GuardedCommand {
        command: arguments.command,
        agent: arguments.agent.map(|name| declared(&name)),
        source: ready.source,
        policy: ready.policy,
        origin: ready.origin,
        exporter: !arguments.no_exporter,
        session,
    })?;
    if !arguments.quiet && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        super::undo::announce(&paths, &name);
    }
    session::end_as(ending)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn start(_: RunArguments, _: Ready) -> Result<ExitCode> {
    anyhow::bail!("guarded sessions are for Linux and macOS")
}

/// Whether the file system does not say when a file was made, by which the guard knows an agent's own.
fn lacks_birth_times(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.created().is_err())
}

/// The agent that a command is declared to be.
fn declared(name: &str) -> AgentMatch {
    AgentMatch {
        label: agents::label_of(name),
        ancestor: name.as_bytes().to_vec(),
        session: Vec::new(),
        by_environment: false,
    }
}

fn announce(ready: &Ready, no_exporter: bool) {
    let zones: Vec<String> = ready
        .snapshot
        .zones()
        .map(|zone| String::from_utf8_lossy(zone.path).into_owned())
        .collect();
    let mode = match ready.snapshot.mode() {
        Mode::Audit => "auditing only",
        Mode::Enforce => "protecting",
    };
    let metrics = if no_exporter {
        String::new()
    } else {
        exporter::expected_address(&ready.source.paths).map_or_else(
            || "; `codex-es-guard status` says where the metrics are".to_owned(),
            |address| format!("; http://{address}/metrics"),
        )
    };
    terminal::note(&format!("{mode} {}{metrics}", zones.join(", ")));
    if !no_exporter && let Some(unused) = exporter::unused_collector(&ready.source.paths) {
        terminal::warn(&unused);
    }
}
