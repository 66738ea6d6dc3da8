//! `codex-es-guard run`.

use super::{PolicyArguments, terminal};
use crate::exporter::{self, sibling};
use crate::policy_file::{LoadPolicyError, Origin, PolicySource, WrittenPolicy};
use anyhow::{Context as _, Error, Result, anyhow, bail};
use guard_core::actor::AgentMatch;
use guard_core::agents;
use guard_core::policy::Snapshot;
use guard_report::hex;
use guard_report::paths::StatePaths;
use guard_report::time::now_ns;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitCode;

/// Run a command and everything it starts under guard.
///
/// What an AI agent in the session would remove or move out of a protected zone stays, and the
/// agent gets EPERM. What you type into a shell in the session is yours. The command's exit status
/// is passed on; 125 is the guard's own failure, 126 and 127 mean that the command could not be
/// run or was not found. On macOS this takes macOS 27; the daemon guards older ones.
#[derive(Debug, clap::Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    policy: PolicyArguments,
    /// Declare the command itself an agent, whatever it looks like.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Do not start the exporter (denial log and metrics).
    #[arg(long)]
    no_exporter: bool,
    /// Say nothing when the session starts.
    #[arg(long, short)]
    quiet: bool,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A policy made ready for a session.
pub(super) struct Ready {
    pub(super) source: PolicySource,
    pub(super) policy: WrittenPolicy,
    pub(super) snapshot: Snapshot,
    pub(super) origin: Origin,
}

pub(super) fn run(arguments: RunArguments) -> Result<ExitCode> {
    let ready = prepare(&arguments.policy)?;
    for warning in ready.snapshot.warnings() {
        terminal::warn(&warning.to_string());
    }
    for zone in ready.snapshot.zones() {
        let path = Path::new(std::ffi::OsStr::from_bytes(zone.path));
        if !path.exists() {
            terminal::warn(&format!(
                "the zone {} does not exist yet; it is protected from the moment it does",
                path.display()
            ));
        }
    }
    if !arguments.quiet && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        announce(&ready, arguments.no_exporter);
    }
    start(arguments, ready)
}

#[cfg(target_os = "linux")]
fn start(arguments: RunArguments, ready: Ready) -> Result<ExitCode> {
    let dispositions = guard_linux::session::SignalDispositions::take();
    keep_state(&ready)?;
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
    use crate::macos::session::{self, Plan};
    keep_state(&ready)?;
    let session = ready.source.session.clone();
    let plan = Plan {
        command: arguments.command,
        agent: arguments.agent.map(|name| declared(&name)),
        source: ready.source,
        policy: ready.policy,
        origin: ready.origin,
        exporter: !arguments.no_exporter,
        session,
    };
    session::end_as(session::run(plan)?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn start(_: RunArguments, _: Ready) -> Result<ExitCode> {
    bail!("guarded sessions are for Linux and macOS")
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

/// Finds and compiles the policy, or says what is missing.
pub(super) fn prepare(arguments: &PolicyArguments) -> Result<Ready> {
    let source = policy_source(arguments)?;
    let (policy, origin) = match source.read() {
        Ok(policy) => (policy, Origin::File),
        Err(LoadPolicyError::Missing(path)) if arguments.policy.is_none() => {
            if source.extra_zones.is_empty() {
                bail!(nothing_to_protect(&path));
            }
            (WrittenPolicy::absent(), Origin::CommandLine)
        }
        Err(error) => {
            let Ok(policy) = source.read_last_good() else {
                return Err(anyhow!(error).context(
                    "the policy is bad, and there is no last good copy; mend it (codex-es-guard \
                     policy check) and start again",
                ));
            };
            terminal::warn(&format!("{error}; the last good policy is in force"));
            (policy, Origin::LastGood)
        }
    };
    let snapshot = source.compile(&policy)?;
    Ok(Ready {
        source,
        policy,
        snapshot,
        origin,
    })
}

/// Where the policy comes from, and what it is to be compiled with.
pub(super) fn policy_source(arguments: &PolicyArguments) -> Result<PolicySource> {
    let paths = StatePaths::of_user(arguments.policy.as_deref())?;
    let extra_zones = arguments
        .protect
        .iter()
        .map(|zone| {
            let zone = std::path::absolute(zone)
                .with_context(|| format!("finding the zone {}", zone.display()))?;
            Ok(zone.into_os_string().into_vec())
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(PolicySource {
        own_files: own_files(&paths),
        paths,
        extra_zones,
        session: session_name()?,
        started_ns: now_ns(),
    })
}

/// Makes the guard's own directory, and keeps there what the next session may need.
pub(super) fn keep_state(ready: &Ready) -> Result<()> {
    let state = &ready.source.paths.state;
    if let Err(error) = ready.source.paths.make_state().map_err(Error::new) {
        if state.symlink_metadata().is_ok() {
            // Rings and policies in it would be believed.
            return Err(error);
        }
        terminal::warn(&format!(
            "{error:#}; the session is guarded, without a log of the guard's own"
        ));
        return Ok(());
    }
    if ready.origin == Origin::File
        && let Err(error) = ready.source.keep_last_good(&ready.policy)
    {
        terminal::warn(&format!(
            "cannot keep a copy of the good policy in {}: {error}",
            state.display()
        ));
    }
    Ok(())
}

fn nothing_to_protect(path: &Path) -> String {
    format!(
        "nothing to protect: there is no policy file {} and no --protect\n  protect a directory in \
         this session:  codex-es-guard run --protect DIR -- COMMAND\n  write a policy for all \
         sessions:     codex-es-guard policy init DIR",
        path.display()
    )
}

/// What no agent may write, replace or remove.
fn own_files(paths: &StatePaths) -> Vec<Vec<u8>> {
    let binary = std::env::current_exe().ok();
    let exporter = sibling(exporter::PROGRAM);
    [
        Some(paths.policy.clone()),
        Some(paths.state.clone()),
        paths.protected.map(|_| paths.exporter.clone()),
        binary,
        exporter,
    ]
    .into_iter()
    .flatten()
    .chain(paths.ring_directories())
    .flat_map(|path| crate::policy_file::locate(path.as_os_str().as_bytes()))
    .collect()
}

fn session_name() -> Result<String> {
    let bytes = crate::random_bytes::<8>().context("reading /dev/urandom")?;
    Ok(hex(&bytes))
}

fn announce(ready: &Ready, no_exporter: bool) {
    let zones: Vec<String> = ready
        .snapshot
        .zones()
        .map(|zone| String::from_utf8_lossy(zone.path).into_owned())
        .collect();
    let mode = match ready.snapshot.mode() {
        guard_core::policy::Mode::Audit => "auditing only",
        _ => "protecting",
    };
    let told = if no_exporter {
        String::new()
    } else {
        exporter::expected_address(&ready.source.paths).map_or_else(
            || "; metrics where `codex-es-guard status` says".to_owned(),
            |address| format!("; http://{address}/metrics"),
        )
    };
    terminal::note(&format!("{mode} {}{told}", zones.join(", ")));
}
