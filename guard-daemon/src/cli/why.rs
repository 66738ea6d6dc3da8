//! `codex-es-guard why`: the whole story of one denial, for people and for agents.

use super::arguments::canonical;
use super::terminal::{self, CYAN, DIM, RED, YELLOW, paint};
use crate::ancestors::ancestors;
use anyhow::{Context as _, Result};
use guard_core::verdict::Verdict;
use guard_report::json;
use guard_report::past_denials::PastDenials;
use guard_report::paths::StatePaths;
use guard_report::record::DecisionRecord;
use guard_report::sentence::{Sentence, visible};
use guard_report::story::{Story, parse_id};
use guard_report::time;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

/// Show why something was denied, and what can be done instead.
///
/// In a guarded session this is about its own denials only, and knows them at once.
///
/// Exit status: 0 if there is such a denial, 1 if there is none.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex-es-guard why\n  codex-es-guard why ~/work/thesis.tex\n  \
    codex-es-guard why --json | jq -r .sentence"
)]
pub(super) struct WhyArguments {
    /// A denial's id as this command shows it, a path, or `last` for the latest denial.
    #[arg(value_name = "ID|PATH|last", default_value = "last")]
    denial: OsString,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn why(arguments: &WhyArguments) -> Result<ExitCode> {
    let paths = StatePaths::of_user(None)?;
    let reading = || format!("reading {}", paths.denial_log().display());
    let denials = PastDenials::read(&paths, &ancestors()).with_context(reading)?;
    let Some(record) = find(&denials, arguments)? else {
        let whose = if denials.is_in_session() {
            "in this session "
        } else {
            ""
        };
        if arguments.json {
            terminal::try_data("null");
        } else {
            terminal::note(&format!("nothing like that was denied {whose}yet"));
        }
        return Ok(ExitCode::FAILURE);
    };
    let story = Story::of(record, &denials);
    if arguments.json {
        terminal::try_data(&json::pretty(&story.to_json()));
    } else {
        print(&story);
    }
    Ok(ExitCode::SUCCESS)
}

fn find<'d>(
    denials: &'d PastDenials,
    arguments: &WhyArguments,
) -> Result<Option<DecisionRecord<'d>>> {
    let wanted = arguments.denial.as_bytes();
    if wanted == b"last" {
        return Ok(denials.newest(|_| true));
    }
    if let Some((ring, number)) = arguments.denial.to_str().and_then(parse_id) {
        return Ok(denials.newest(|record| record.seq == number && record.ring.starts_with(ring)));
    }
    let path = canonical(Path::new(&arguments.denial))?;
    let path = String::from_utf8_lossy(&path);
    Ok(denials.newest(|record| {
        record.path == path || record.dest.as_deref().is_some_and(|dest| dest == path)
    }))
}

/// Prints a story for people.
fn print(story: &Story<'_>) {
    let record = &story.record;
    let sentence = Sentence::of(record);
    let style = match record.verdict() {
        Some(Verdict::Audit) => YELLOW,
        Some(Verdict::Allow | Verdict::Deny) | None => RED,
    };
    terminal::line(&paint(&sentence.to_string(), style));
    let row = |name: &str, text: &str| terminal::line(&format!("{name:<9}{text}"));
    let when = record.wall_ns().map(time::local);
    let when = when.unwrap_or_else(|| record.time.to_string());
    let times = match (story.count, story.since.map(time::local)) {
        (1, _) | (_, None) => String::new(),
        (count, Some(since)) => format!("; {count} times since {since}"),
    };
    row("when", &format!("{}{times}", visible(&when)));
    if let (Some(name), Some(path)) = (&record.zone_name, &record.zone) {
        row("zone", &format!("{}  {}", visible(name), visible(path)));
    }
    row(
        "rule",
        &format!("{}: {}", visible(&record.reason), sentence.because),
    );
    row(
        "process",
        &format!("{} {}", record.pid, visible(&record.exe)),
    );
    if let Some(agent) = &record.agent {
        let pid = record.agent_pid.map(|pid| format!(" {pid}"));
        row(
            "agent",
            &format!(
                "{}{}",
                paint(&visible(agent), CYAN),
                pid.unwrap_or_default()
            ),
        );
    }
    if let Some(session) = &record.session {
        row("session", &visible(session));
    }
    row("id", &story.id());
    terminal::line("");
    terminal::line("What now:");
    for step in story.instead() {
        terminal::line(&format!("- {step}"));
    }
    terminal::line(&paint(
        "This is the file guard's answer: neither the file's mode nor the system refuses it.",
        DIM,
    ));
}
