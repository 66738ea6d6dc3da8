//! What the tools answer.

use crate::ancestors::ancestors;
use guard_control::client::{AskError, AskableGuard, ask_first, guards, requests};
use guard_control::protocol::{Order, RequestStatus, State};
use guard_core::Verdict;
use guard_report::past_denials::PastDenials;
use guard_report::paths::{FindPathsError, StatePaths};
use guard_report::record::DecisionRecord;
use guard_report::sibling::sibling;
use guard_report::story::Story;
use rmcp::model::JsonObject;
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a tool did not do what it was called for: for the model, which may do better.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// An argument is not what the tool takes.
    #[error("the argument {name} should be {what}")]
    Argument {
        /// Its name.
        name: &'static str,
        /// What it should be.
        what: &'static str,
    },
    /// The user's files are not known.
    #[error("finding the guard's files: {0}")]
    Paths(#[from] FindPathsError),
    /// The path is none here.
    #[error("finding {}: {source}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was denied cannot be read.
    #[error("reading what was denied: {0}")]
    Denials(#[source] io::Error),
    /// The decision cannot be had.
    #[error("asking codex-es-guard: {0}")]
    Explain(String),
    /// The guard gave no answer, or refused.
    #[error("{0}")]
    Ask(#[from] AskError),
    /// There is no such request.
    #[error("this session has no request {0}")]
    NoRequest(String),
}

/// The tool `list_denials`.
pub(super) fn list_denials(arguments: &JsonObject) -> Result<Value, Refused> {
    let limit = match arguments.get("limit") {
        None | Some(Value::Null) => DEFAULT_DENIALS,
        Some(limit) => limit
            .as_u64()
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| (1..=MAX_DENIALS).contains(limit))
            .ok_or(Refused::Argument {
                name: "limit",
                what: "a number from 1 to 50",
            })?,
    };
    let denials = PastDenials::read(&StatePaths::of_user(None)?, &ancestors());
    let denials = denials.map_err(Refused::Denials)?;
    let is_denial = |record: &DecisionRecord<'_>| matches!(record.verdict(), Some(Verdict::Deny));
    let mut shown: Vec<DecisionRecord<'_>> = Vec::new();
    for record in denials.records().rev().filter(is_denial) {
        if shown.len() == limit {
            break;
        }
        let is_same = |other: &DecisionRecord<'_>| {
            (&other.ring, &other.op, &other.path) == (&record.ring, &record.op, &record.path)
        };
        if !shown.iter().any(is_same) {
            shown.push(record);
        }
    }
    let stories = shown
        .into_iter()
        .map(|record| Story::of(record, &denials).to_json());
    Ok(json!({
        "in_session": denials.is_in_session(),
        "denials": stories.collect::<Vec<_>>(),
    }))
}

/// The tool `explain_path`.
pub(super) fn explain_path(arguments: &JsonObject) -> Result<Value, Refused> {
    let path = path_of(arguments)?;
    let operation = text_of(arguments, "operation", "the name of an operation")?;
    let mut explanation = explain(&path, operation.unwrap_or("unlink"))?;
    let asked = requests(&guards(&StatePaths::of_user(None)?, &ancestors()));
    let located = explanation["path"].as_str().unwrap_or_default();
    let of_path = asked
        .iter()
        .filter(|request| Path::new(located).starts_with(&request.path));
    let of_path: Vec<Value> = of_path.map(shown).collect();
    explanation["requests"] = of_path.into();
    Ok(explanation)
}

/// The tool `request_security_override`.
pub(super) fn request_override(arguments: &JsonObject) -> Result<Value, Refused> {
    let path = path_of(arguments)?;
    let operation = text_of(arguments, "operation", "the name of an operation")?;
    let reason = text_of(arguments, "reason", "a text")?;
    let minutes = match arguments.get("minutes") {
        None | Some(Value::Null) => None,
        Some(minutes) => Some(
            minutes
                .as_u64()
                .filter(|minutes| (1..=1440).contains(minutes))
                .ok_or(Refused::Argument {
                    name: "minutes",
                    what: "a number from 1 to 1440",
                })?,
        ),
    };
    // The person decides for how long; what the agent needs is part of its reason.
    let because = match (reason, minutes) {
        (reason, None) => reason.map(str::to_owned),
        (None, Some(minutes)) => Some(format!("needed for {minutes} minutes")),
        (Some(reason), Some(minutes)) => Some(format!("{reason} (needed for {minutes} minutes)")),
    };
    let order = Order::Request {
        path: path.to_str().map(str::to_owned).ok_or(Refused::Argument {
            name: "path",
            what: "UTF-8",
        })?,
        op: operation.into_iter().map(str::to_owned).collect(),
        because,
    };
    let (_, request) = ask_first(&askable()?, &order)?;
    Ok(shown(&request))
}

/// The tool `override_status`.
pub(super) fn override_status(arguments: &JsonObject) -> Result<Value, Refused> {
    let id = text_of(arguments, "id", "the id of a request")?;
    let mut asked = requests(&askable()?);
    if let Some(id) = id {
        asked.retain(|request| request.id == id);
        if asked.is_empty() {
            return Err(Refused::NoRequest(id.to_owned()));
        }
    }
    let asked: Vec<Value> = asked.iter().map(shown).collect();
    Ok(json!({ "requests": asked }))
}

fn askable() -> Result<Vec<AskableGuard>, Refused> {
    let found = guards(&StatePaths::of_user(None)?, &ancestors());
    if found.is_empty() {
        return Err(AskError::NoGuard.into());
    }
    Ok(found)
}

/// A request with what the model may do next.
fn shown(request: &RequestStatus) -> Value {
    let next = match request.state {
        State::Open => {
            "A person was asked and has not answered. Go on with what does not need it; \
             override_status has the answer. Do not try the operation before."
        }
        State::Granted => "The path is open for these operations until expires_at: try again now.",
        State::Rejected => {
            "The person said no. This is final for this path in this session: go on without it."
        }
        State::Ended => "The override has ended: the path is protected again.",
    };
    let mut value = serde_json::to_value(request).unwrap_or_default();
    value["next"] = next.into();
    value
}

/// The decision, by the guard's own program: it alone knows the policy.
fn explain(path: &Path, operation: &str) -> Result<Value, Refused> {
    let failed = |error: &dyn ToString| Refused::Explain(error.to_string());
    let program =
        sibling(GUARD).ok_or_else(|| failed(&"it is not installed beside this program"))?;
    let output = Command::new(program)
        .args(["explain", "--json", "--op", operation, "--"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(&error))?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let error = String::from_utf8_lossy(&output.stderr);
        failed(&error.trim().trim_start_matches("error: "))
    })
}

/// The argument `path`, absolute.
fn path_of(arguments: &JsonObject) -> Result<PathBuf, Refused> {
    let text = text_of(arguments, "path", "a path")?;
    let text = text
        .filter(|text| !text.is_empty())
        .ok_or(Refused::Argument {
            name: "path",
            what: "a path",
        })?;
    let path = match text.strip_prefix("~/") {
        Some(below) => StatePaths::of_user(None)?.home.join(below),
        None => PathBuf::from(text),
    };
    std::path::absolute(&path).map_err(|source| Refused::Path { path, source })
}

fn text_of<'a>(
    arguments: &'a JsonObject,
    name: &'static str,
    what: &'static str,
) -> Result<Option<&'a str>, Refused> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refused::Argument { name, what }),
    }
}

/// Denials that are listed if nothing else is asked for.
const DEFAULT_DENIALS: usize = 10;

/// Denials that are listed at most.
pub(super) const MAX_DENIALS: usize = 50;

/// The guard's program.
const GUARD: &str = "codex-es-guard";
