//! `codex-es-guard request`: asks a person to open a path.

use super::arguments::{canonical_text, names_of, operations};
use super::terminal::{self, GREEN, RED, YELLOW, paint};
use crate::ancestors::ancestors;
use anyhow::{Result, anyhow};
use guard_control::client::{AskError, AskableGuard, ask_first, guards};
use guard_control::protocol::{Order, RequestStatus, State};
use guard_core::OperationKind;
use guard_report::json;
use guard_report::paths::StatePaths;
use guard_report::sentence::visible;
use guard_report::time::parse_duration;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Ask a person to let an agent remove or move a path.
///
/// Anybody may ask; only a person grants, and only for a time. A zone as a whole, what contains one,
/// and a home directory are never opened.
///
/// Exit status: 0 if it was asked, or granted; 1 if it was refused or rejected; 3 if nobody answered
/// within --wait.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex-es-guard request ~/work/old --because 'replaced by new' --wait 2m"
)]
pub(super) struct RequestArguments {
    /// The path, with everything below it.
    path: PathBuf,
    /// The operation; may be given more than once [default: unlink, rename].
    #[arg(long, value_name = "OP", value_parser = operations())]
    op: Vec<OperationKind>,
    /// Why, for the person.
    #[arg(long, value_name = "TEXT")]
    because: Option<String>,
    /// Wait for the answer for so long: 30s, 2m, 1h.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    wait: Option<Duration>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn request(arguments: RequestArguments) -> Result<ExitCode> {
    let paths = StatePaths::of_user(None)?;
    let path = canonical_text(&arguments.path)?;
    let order = Order::Request {
        path,
        op: names_of(&arguments.op),
        because: arguments.because,
    };
    let (guard, request) = match ask_first(&guards(&paths, &ancestors()), &order) {
        Ok(asked) => asked,
        Err(AskError::Refused(why)) => {
            if arguments.json {
                terminal::try_data(&json::line(&serde_json::json!({ "refused": why })));
            } else {
                terminal::error(&anyhow!("{why}"));
            }
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    let request = match arguments.wait {
        Some(wait) => answered_within(wait, &guard, request)?,
        None => request,
    };
    if arguments.json {
        terminal::try_data(&json::line(&request));
    } else {
        print(&request);
    }
    Ok(match request.state {
        State::Granted | State::Ended => ExitCode::SUCCESS,
        State::Open if arguments.wait.is_none() => ExitCode::SUCCESS,
        State::Open => ExitCode::from(UNANSWERED),
        State::Rejected => ExitCode::FAILURE,
    })
}

fn answered_within(
    wait: Duration,
    guard: &AskableGuard,
    mut request: RequestStatus,
) -> Result<RequestStatus> {
    let start = Instant::now();
    while request.state == State::Open && start.elapsed() < wait {
        std::thread::sleep(POLL);
        if let Some(now) = guard.request(&request.id)? {
            request = now;
        }
    }
    Ok(request)
}

fn print(request: &RequestStatus) {
    let path = visible(&request.path);
    let id = &request.id;
    let line = match request.state {
        State::Open => format!(
            "{}: {path} waits for a person's answer as request {id}",
            paint("asked", YELLOW)
        ),
        State::Granted => format!(
            "{}: {path} is open for {} until {}{}",
            paint("granted", GREEN),
            request.op.join(" and "),
            request.expires_at.as_deref().unwrap_or_default(),
            if request.once { ", once" } else { "" }
        ),
        State::Rejected => {
            let because = request
                .answer
                .as_deref()
                .map(|text| format!(": {}", visible(text)));
            format!(
                "{}: {path} stays{}",
                paint("rejected", RED),
                because.unwrap_or_default()
            )
        }
        State::Ended => format!("ended: {path} is no longer open"),
    };
    terminal::line(&line);
}

/// How often a guard is asked for the answer.
const POLL: Duration = Duration::from_millis(200);

/// Nobody answered in time.
const UNANSWERED: u8 = 3;
