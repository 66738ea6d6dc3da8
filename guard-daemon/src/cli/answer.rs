//! `codex-es-guard requests`, `approve` and `reject`: what is asked for, and a person's answer.

use super::arguments::{canonical_text, names_of, operations};
use super::opened;
use super::terminal::{self, CYAN, DIM, GREEN, RED, YELLOW, paint};
use crate::ancestors::ancestors;
use anyhow::{Result, anyhow, bail};
use guard_control::client::{AskError, AskableGuard, guards, requests};
use guard_control::protocol::{Order, RequestStatus, State};
use guard_core::OperationKind;
use guard_report::json;
use guard_report::paths::StatePaths;
use guard_report::sentence::{times, visible};
use guard_report::time::{local, parse, parse_duration};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Show what agents ask for, and what became of it.
#[derive(Debug, clap::Args)]
pub(super) struct RequestsArguments {
    /// Keep printing what changes, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Print JSON: an array of objects, each with its `id`; with --follow one object a line.
    #[arg(long)]
    json: bool,
}

/// Grant a request: let the agent that asked remove or move the path, for a time.
///
/// Only a person's process is obeyed: not one that descends from an agent, whatever it runs, and none
/// whose parents are not known.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex-es-guard requests\n  codex-es-guard approve 3fa81c-1 --once\n  \
    codex-es-guard approve 3fa81c-1 --for 1h"
)]
pub(super) struct ApproveArguments {
    /// The request's id.
    id: String,
    /// For how long: 90s, 10m, 2h; at most 24h [default: 10m].
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    lasting: Option<Duration>,
    /// For so many minutes.
    #[arg(long, value_name = "NUMBER", conflicts_with = "lasting")]
    minutes: Option<u64>,
    /// Only until it was used.
    #[arg(long)]
    once: bool,
    /// Open this path above the requested one instead.
    #[arg(long, value_name = "PATH")]
    path: Option<PathBuf>,
    /// Only for this operation; may be given more than once [default: those requested].
    #[arg(long, value_name = "OP", value_parser = operations())]
    op: Vec<OperationKind>,
}

/// Refuse a request. Only a person's process is obeyed.
#[derive(Debug, clap::Args)]
pub(super) struct RejectArguments {
    /// The request's id.
    id: String,
    /// Why, for the agent.
    #[arg(long, value_name = "TEXT")]
    because: Option<String>,
}

pub(super) fn list(arguments: &RequestsArguments) -> Result<ExitCode> {
    let paths = StatePaths::of_user(None)?;
    let found = requests(&guards(&paths, &ancestors()));
    if !arguments.follow {
        if arguments.json {
            terminal::try_data(&json::pretty(&found));
        } else if found.is_empty() {
            terminal::note("nothing is requested");
        }
    }
    if arguments.follow || !arguments.json {
        for request in &found {
            show(request, arguments.json)?;
        }
    }
    if !arguments.follow {
        return Ok(ExitCode::SUCCESS);
    }
    let mut shown: HashMap<String, RequestStatus> = by_id(found);
    loop {
        std::thread::sleep(POLL);
        for (id, request) in by_id(requests(&guards(&paths, &ancestors()))) {
            if shown.get(&id) != Some(&request) && !show(&request, arguments.json)? {
                return Ok(ExitCode::SUCCESS);
            }
            shown.insert(id, request);
        }
    }
}

pub(super) fn approve(arguments: ApproveArguments) -> Result<ExitCode> {
    let seconds = match (arguments.lasting, arguments.minutes) {
        (Some(lasting), _) => Some(lasting.as_secs()),
        (None, minutes) => minutes.map(|minutes| minutes.saturating_mul(60)),
    };
    let path = arguments.path.as_deref().map(canonical_text).transpose()?;
    let (guard, asked) = find(&arguments.id)?;
    let opened = path.as_deref().unwrap_or(&asked.path);
    let paths = StatePaths::of_user(None)?;
    terminal::line(&format!(
        "{}: {}",
        visible(opened),
        opened::describe(Path::new(opened), &asked.session, &paths)
    ));
    let granted = guard.ask_for_request(&Order::Approve {
        id: arguments.id,
        seconds,
        once: arguments.once,
        path: path.clone(),
        op: names_of(&arguments.op),
    });
    answered(granted)
}

pub(super) fn reject(arguments: RejectArguments) -> Result<ExitCode> {
    let (guard, _) = find(&arguments.id)?;
    answered(guard.ask_for_request(&Order::Reject {
        id: arguments.id,
        because: arguments.because,
    }))
}

/// The guard that has a request, and the request.
fn find(id: &str) -> Result<(AskableGuard, RequestStatus)> {
    let guards = guards(&StatePaths::of_user(None)?, &ancestors());
    if guards.is_empty() {
        return Err(AskError::NoGuard.into());
    }
    for guard in guards {
        if let Ok(Some(request)) = guard.request(id) {
            return Ok((guard, request));
        }
    }
    bail!("there is no request {id} (codex-es-guard requests lists them)")
}

fn answered(answer: Result<RequestStatus, AskError>) -> Result<ExitCode> {
    match answer {
        Ok(request) => {
            show(&request, false)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(AskError::Refused(why)) => {
            terminal::error(&anyhow!("{why}"));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

/// Prints a request. Returns whether somebody still reads.
fn show(request: &RequestStatus, json: bool) -> Result<bool> {
    if json {
        return Ok(terminal::try_data(&json::line(request)));
    }
    let style = match request.state {
        State::Open => YELLOW,
        State::Granted => GREEN,
        State::Rejected => RED,
        State::Ended => DIM,
    };
    let agent = request.agent.as_deref().unwrap_or("-");
    let mut line = format!(
        "{}  {}  {}  {} {}",
        paint(&request.id, CYAN),
        paint(&format!("{:<8}", request.state.as_str()), style),
        visible(agent),
        request.op.join("+"),
        visible(&request.path),
    );
    if let Some(because) = &request.because {
        line.push_str(&format!(", because: {}", visible(because)));
    }
    if request.denials > 0 {
        line.push_str(&format!(", denied {}", times(request.denials)));
    }
    let until = request
        .expires_at
        .as_deref()
        .and_then(|end| parse(end).ok());
    match request.state {
        State::Open => line.push_str(&format!("  (codex-es-guard approve {})", request.id)),
        State::Granted => {
            let until = until.map(local).unwrap_or_default();
            let once = if request.once { ", once" } else { "" };
            line.push_str(&format!(
                "  (until {until}{once}, used {})",
                times(request.uses)
            ));
        }
        State::Rejected | State::Ended => {}
    }
    Ok(terminal::try_line(&line))
}

fn by_id(requests: Vec<RequestStatus>) -> HashMap<String, RequestStatus> {
    let pairs = requests
        .into_iter()
        .map(|request| (request.id.clone(), request));
    pairs.collect()
}

/// How often guards are asked.
const POLL: Duration = Duration::from_millis(500);
