//! `codex-es-guard denials`: the denial log, for people and for programs.

use super::terminal::{self, CYAN, DIM, RED, YELLOW, paint};
use crate::observed::{Exporter, Observed};
use anyhow::{Context as _, Result, anyhow};
use guard_core::OperationKind;
use guard_core::verdict::Verdict;
use guard_report::filter::{DenialFilter, Subject};
use guard_report::log_files::LogFollower;
use guard_report::paths::StatePaths;
use guard_report::record::DenialRecord;
use guard_report::sentence::{self, Sentence};
use guard_report::time::{self, ParseSinceError};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Show what agents were stopped from, the newest last.
///
/// Each line tells when, which agent, and what happened and why. With --json the lines of the log
/// come as they are. The log is read, and nothing is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  codex-es-guard denials --since 2h\n  \
    codex-es-guard denials --follow --agent claude\n  \
    codex-es-guard denials --json -n 1000 | jq -r .path")]
pub(super) struct DenialsArguments {
    /// Go on with those to come, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// At most so many of those that are there.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
    lines: usize,
    /// Of this agent only, such as claude or codex.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// In this zone only, by its name or path.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Of this operation only, such as unlink or rename.
    #[arg(long, value_name = "OPERATION", value_parser = operation)]
    operation: Option<OperationKind>,
    /// Not older: 30s, 10m, 2h, 3d, 2026-01-31 (UTC), 2026-01-31T08:00Z or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<u64>,
    /// Print the log's lines unchanged.
    #[arg(long)]
    json: bool,
    /// Read this log [default: the exporter's, else ~/.codex/es-guard/denials.jsonl].
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

pub(super) fn denials(arguments: DenialsArguments) -> Result<ExitCode> {
    let observed = match &arguments.log {
        Some(_) => None,
        None => Some(Observed::now(&StatePaths::of_user(None)?)),
    };
    let path = match (&arguments.log, &observed) {
        (Some(log), _) => log.clone(),
        (None, Some(observed)) => observed.log.clone(),
        (None, None) => return Err(anyhow!("no log is named")),
    };
    if let Some(observed) = &observed {
        warn_of_unwritten(observed);
    }
    let filter = DenialFilter {
        agent: arguments.agent,
        zone: arguments.zone,
        operation: arguments.operation,
        verdict: None,
        since_ns: arguments.since,
    };
    let wants = |line: &str| {
        let record = DenialRecord::parse(line);
        record.is_some_and(|record| filter.wants(&Subject::from(&record)))
    };
    let reading = || format!("reading {}", path.display());
    let mut log = LogFollower::new(path.clone());
    let mut kept: VecDeque<String> = VecDeque::new();
    log.read(|line| {
        if wants(line) {
            kept.push_back(line.to_owned());
            if kept.len() > arguments.lines {
                kept.pop_front();
            }
        }
    })
    .with_context(reading)?;
    let shown = |line: &str| {
        if arguments.json {
            line.to_owned()
        } else {
            told(line)
        }
    };
    if !kept.iter().all(|line| terminal::try_line(&shown(line))) {
        return Ok(ExitCode::SUCCESS);
    }
    if kept.is_empty() && !arguments.follow && !arguments.json {
        terminal::note(&format!("no such denial in {}", path.display()));
    }
    if !arguments.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        std::thread::sleep(POLL);
        let mut is_read = true;
        log.read(|line| is_read = is_read && (!wants(line) || terminal::try_line(&shown(line))))
            .with_context(reading)?;
        if !is_read {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Says what the log does not hold yet, when nobody is going to write it.
fn warn_of_unwritten(observed: &Observed) {
    if matches!(observed.exporter, Exporter::Serving { .. }) {
        return;
    }
    let some = observed.guards.iter().any(|guard| guard.deny.committed > 0);
    if some {
        terminal::warn(
            "no exporter answers: the newest denials may wait in the rings (start guard-exporter)",
        );
    }
}

/// A line of the log in plain words.
fn told(line: &str) -> String {
    let Some(told) = DenialRecord::parse(line) else {
        return line.to_owned();
    };
    let time = told
        .wall_ns()
        .map_or_else(|| told.time.to_string(), time::local);
    let colour = match told.verdict() {
        Some(Verdict::Audit) => YELLOW,
        _ => RED,
    };
    format!(
        "{}  {}  {}  {}",
        paint(&sentence::visible(&time), DIM),
        paint(&format!("{:<6}", sentence::visible(&told.verdict)), colour),
        paint(
            &format!(
                "{:<12}",
                sentence::visible(told.agent.as_deref().unwrap_or("-"))
            ),
            CYAN
        ),
        Sentence::of(&told)
    )
}

fn operation(text: &str) -> Result<OperationKind, String> {
    OperationKind::from_name(text).ok_or_else(|| {
        let known = OperationKind::ALL.map(OperationKind::as_str).join(", ");
        format!("not an operation; known are {known}")
    })
}

fn since(text: &str) -> Result<u64, ParseSinceError> {
    time::parse_since(text, time::now_ns())
}

/// How often the log is looked at. An exporter writes within 50 ms.
const POLL: Duration = Duration::from_millis(100);
