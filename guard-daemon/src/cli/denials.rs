//! `codex-es-guard denials`: the denial log or the change log, for people and for programs.

use super::terminal::{self, CYAN, DIM, GREEN, RED, YELLOW, paint};
use crate::observed::{Exporter, Observed};
use anyhow::{Context as _, Result, anyhow};
use guard_core::OperationKind;
use guard_core::verdict::Verdict;
use guard_report::filter::{RecordFilter, Subject};
use guard_report::log_files::LogFollower;
use guard_report::paths::StatePaths;
use guard_report::record::DecisionRecord;
use guard_report::sentence;
use guard_report::status::GuardStatus;
use guard_report::time::{self, ParseSinceError};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Show what agents were stopped from doing, the newest last.
///
/// Each line has the time, the verdict, the agent, and what happened and why. Nothing is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  codex-es-guard denials --since 2h\n  \
    codex-es-guard denials --follow --agent claude\n  \
    codex-es-guard denials --changes --since 1h\n  \
    codex-es-guard denials --json -n 1000 | jq -r .path")]
pub(super) struct DenialsArguments {
    /// Show instead what agents were allowed to remove, replace and change in zones, and what was
    /// preserved.
    #[arg(long)]
    changes: bool,
    /// Keep printing new denials, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Print at most this many of the existing ones.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
    lines: usize,
    /// Only of this agent, such as claude or codex.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Only in this zone, by its name or path.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Only of this operation.
    #[arg(long, value_name = "OPERATION", value_parser = super::arguments::operations())]
    operation: Option<OperationKind>,
    /// Only since this time: 30s, 10m, 2h, 3d, 2026-01-31 (UTC), 2026-01-31T08:00Z or seconds since
    /// 1970.
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<u64>,
    /// Print the log's lines unchanged.
    #[arg(long)]
    json: bool,
    /// Read this file [default: the exporter's log, else ~/.codex/es-guard/denials.jsonl].
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
        (None, Some(observed)) if arguments.changes => observed.change_log.clone(),
        (None, Some(observed)) => observed.log.clone(),
        (None, None) => return Err(anyhow!("no log is named")),
    };
    if let Some(observed) = &observed {
        warn_of_unwritten(observed, arguments.changes);
    }
    let filter = RecordFilter {
        agent: arguments.agent,
        zone: arguments.zone,
        operation: arguments.operation,
        verdict: None,
        since_ns: arguments.since,
    };
    let wants = |line: &str| {
        let record = DecisionRecord::parse(line);
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
    // Returns whether somebody still reads.
    let print = |line: &str| {
        if arguments.json {
            terminal::try_data(line)
        } else {
            terminal::try_line(&for_people(line))
        }
    };
    if !kept.iter().all(|line| print(line)) {
        return Ok(ExitCode::SUCCESS);
    }
    if kept.is_empty() && !arguments.follow && !arguments.json {
        let what = if arguments.changes {
            "change"
        } else {
            "denial"
        };
        terminal::note(&format!("no such {what} in {}", path.display()));
    }
    if !arguments.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        std::thread::sleep(POLL);
        let mut is_read = true;
        log.read(|line| is_read = is_read && (!wants(line) || print(line)))
            .with_context(reading)?;
        if !is_read {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Warns that the log lacks denials or changes which no exporter has written yet.
fn warn_of_unwritten(observed: &Observed, changes: bool) {
    if matches!(observed.exporter, Exporter::Serving { .. }) {
        return;
    }
    let committed = |guard: &GuardStatus| match changes {
        true => guard.change.committed,
        false => guard.deny.committed,
    };
    if observed.guards.iter().any(|guard| committed(guard) > 0) {
        let what = if changes { "changes" } else { "denials" };
        terminal::warn(&format!(
            "no exporter answers: the newest {what} may wait in the rings (start guard-exporter)"
        ));
    }
}

/// A line of the log in plain words.
fn for_people(line: &str) -> String {
    let Some(record) = DecisionRecord::parse(line) else {
        return sentence::visible(line).into_owned();
    };
    let time = record.wall_ns().map(time::local);
    let time = time.unwrap_or_else(|| record.time.to_string());
    let style = match record.verdict() {
        Some(Verdict::Audit) => YELLOW,
        Some(Verdict::Allow | Verdict::Deny) | None => RED,
    };
    let (word, style) = match (record.verdict(), &record.unpreserved) {
        (Some(Verdict::Allow), Some(_)) => ("lost", RED),
        (Some(Verdict::Allow), None) => ("kept", GREEN),
        _ => (&*record.verdict, style),
    };
    let agent = record.agent.as_deref().unwrap_or("-");
    format!(
        "{}  {}  {}  {}",
        paint(&sentence::visible(&time), DIM),
        paint(&format!("{:<6}", sentence::visible(word)), style),
        paint(&format!("{:<12}", sentence::visible(agent)), CYAN),
        sentence::of(&record)
    )
}

fn parse_since(text: &str) -> Result<u64, ParseSinceError> {
    time::parse_since(text, time::now_ns())
}

/// How often the log is read. An exporter writes within 50 ms.
const POLL: Duration = Duration::from_millis(100);
