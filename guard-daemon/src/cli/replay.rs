//! `codex-es-guard policy replay` and `policy suggest`: the past under another policy, and what it says
//! about the policy.

use super::arguments::PolicyArguments;
use super::prepare::prepare;
use super::terminal::{self, CYAN, DIM, GREEN, RED, YELLOW, paint};
use crate::replay::Judged;
use crate::replay::past::Past;
use crate::replay::proposals::proposals;
use anyhow::{Context as _, Result};
use guard_report::paths::StatePaths;
use guard_report::record::DecisionRecord;
use guard_report::sentence::visible;
use guard_report::time::{self, ParseSinceError};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct ReplayArguments {
    /// Judge by this policy file instead of ~/.codex/es_policy.json.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    past: PastArguments,
}

#[derive(Debug, clap::Args)]
pub(super) struct PastArguments {
    /// Not older than this: 30m, 2h, 7d, 2026-01-31, 2026-01-31T08:00Z.
    #[arg(long, value_name = "TIME", value_parser = parse_since, default_value = "7d")]
    since: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Decisions that differ alike.
#[derive(Debug, Default)]
struct Group {
    count: u64,
    paths: Vec<String>,
}

/// What decisions that differ alike have in common.
type Key = (
    &'static str,
    &'static str,
    &'static str,
    String,
    String,
    String,
);

pub(super) fn replay(arguments: &ReplayArguments) -> Result<ExitCode> {
    let ready = prepare(&PolicyArguments {
        protect: Vec::new(),
        policy: arguments.policy.clone(),
    })?;
    ready.warn_of_origin();
    let past = read(&arguments.past)?;
    let (mut judged, mut unknown) = (0_u64, 0_u64);
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    for record in past.decisions() {
        // Repeats share a line.
        let denials = record.count.unwrap_or(1);
        let Some(found) = Judged::of(&record, &ready.snapshot) else {
            unknown += denials;
            continue;
        };
        judged += denials;
        if found.differs() {
            let group = groups.entry(key(&record, &found)).or_default();
            group.count += denials;
            if group.paths.len() < MAX_PATHS && !group.paths.iter().any(|p| *p == record.path) {
                group.paths.push(record.path.to_string());
            }
        }
    }
    let differ: u64 = groups.values().map(|group| group.count).sum();
    if arguments.past.json {
        let differences: Vec<_> = groups
            .iter()
            .map(|((was, would_be, reason, agent, op, process), group)| {
                serde_json::json!({
                    "was": was, "would_be": would_be, "reason": reason, "agent": agent, "op": op,
                    "process": process, "count": group.count, "paths": group.paths,
                })
            })
            .collect();
        let answer = serde_json::json!({
            "policy": ready.source.paths.policy,
            "since": time::rfc3339(arguments.past.since),
            "judged": judged,
            "not_judged": unknown,
            "differ": differ,
            "differences": differences,
        });
        terminal::try_data(&guard_report::json::pretty(&answer));
        return Ok(ExitCode::SUCCESS);
    }
    terminal::line(&format!(
        "{differ} of {judged} decisions since {} would differ by {}",
        time::local(arguments.past.since),
        ready.source.paths.policy.display()
    ));
    if unknown > 0 {
        terminal::line(&paint(
            &format!("{unknown} more depended on what only that moment knew, and are left out"),
            DIM,
        ));
    }
    for (key, group) in &groups {
        if !terminal::try_line(&line(key, group)) {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn suggest(arguments: &PastArguments) -> Result<ExitCode> {
    let ready = prepare(&PolicyArguments::default())?;
    ready.warn_of_origin();
    let past = read(arguments)?;
    let found = proposals(&past, &ready.snapshot);
    if arguments.json {
        let found: Vec<_> = found
            .iter()
            .map(|proposal| {
                serde_json::json!({
                    "field": proposal.field, "entry": proposal.entry, "because": proposal.because,
                })
            })
            .collect();
        terminal::try_data(&guard_report::json::pretty(&found));
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        terminal::note("nothing was approved so often that the policy should say it by itself");
    }
    for proposal in &found {
        let entry = proposal.entry.to_string();
        terminal::line(&format!(
            "{}: {}  {}",
            paint(proposal.field, CYAN),
            visible(&entry),
            paint(&proposal.because, DIM)
        ));
    }
    if !found.is_empty() {
        terminal::line("Add what you agree with to a copy of the policy, and see what it changes:");
        terminal::line("  codex-es-guard policy replay --policy COPY");
    }
    Ok(ExitCode::SUCCESS)
}

fn read(arguments: &PastArguments) -> Result<Past> {
    let paths = StatePaths::of_user(None)?;
    Past::read(&paths, arguments.since).context("reading the logs")
}

fn key(record: &DecisionRecord<'_>, found: &Judged) -> Key {
    let agent = record.agent.as_deref().unwrap_or("nobody known");
    (
        found.was.as_str(),
        found.would_be.as_str(),
        found.reason.as_str(),
        agent.to_owned(),
        record.op.to_string(),
        record.process.to_string(),
    )
}

/// A group in a sentence.
fn line((was, would_be, reason, agent, op, process): &Key, group: &Group) -> String {
    let verb = |verdict: &str| match verdict {
        "deny" => "denied",
        "audit" => "recorded only",
        _ => "allowed",
    };
    let style = match *would_be {
        "deny" => RED,
        "audit" => YELLOW,
        _ => GREEN,
    };
    let times = if group.count == 1 { "time" } else { "times" };
    let shown: Vec<_> = group
        .paths
        .iter()
        .take(SHOWN)
        .map(|path| visible(path))
        .collect();
    let more = group.paths.len() > SHOWN || group.count > group.paths.len() as u64;
    let more = if more { ", …" } else { "" };
    format!(
        "{} {times}: {} by {} with {} was {} and would be {} ({reason}): {}{more}",
        group.count,
        visible(op),
        paint(&visible(agent), CYAN),
        visible(process),
        verb(was),
        paint(verb(would_be), style),
        shown.join(", ")
    )
}

fn parse_since(text: &str) -> Result<u64, ParseSinceError> {
    time::parse_since(text, time::now_ns())
}

/// Paths of a group that JSON has.
const MAX_PATHS: usize = 20;

/// Paths of a group that people are shown.
const SHOWN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::verdict::Verdict;

    #[test]
    fn a_group_is_a_sentence() {
        let key = (
            Verdict::Deny.as_str(),
            Verdict::Allow.as_str(),
            "disposable",
            "codex".to_owned(),
            "unlink".to_owned(),
            "rm".to_owned(),
        );
        let group = Group {
            count: 5,
            paths: vec!["/p/a.o".to_owned(), "/p/b\n.o".to_owned()],
        };
        let text = line(&key, &group);
        assert!(text.starts_with("5 times: unlink by "), "{text}");
        assert!(text.contains("was denied and would be "), "{text}");
        let end = "(disposable): /p/a.o, /p/b\\u{a}.o, …";
        assert!(text.ends_with(end), "{text}");
    }
}
