//! `codex-es-guard denials`: the denial log or the change log, for people and for programs.
//!
//! People are shown what one command or one burst did as one line ([`guard_report::groups`]). While
//! following, the first of a group is shown at once, and the others together when the group pauses.

use super::terminal::{self, CYAN, DIM, GREEN, RED, YELLOW, paint};
use crate::observed::{Exporter, Observed};
use anyhow::{Context as _, Result, anyhow};
use guard_core::OperationKind;
use guard_core::verdict::Verdict;
use guard_report::filter::RecordFilter;
use guard_report::groups::{GroupKey, Grouping, Summary};
use guard_report::log_files::LogFollower;
use guard_report::paths::StatePaths;
use guard_report::record::DecisionRecord;
use guard_report::sentence;
use guard_report::status::GuardStatus;
use guard_report::time::{self, ParseSinceError};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Show what agents were stopped from doing, the newest last.
///
/// Each line has the time, the verdict, the agent, and what happened and why. What one command or one
/// burst did is one line. Nothing is written.
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
    /// Print each denial, and not what one command or burst did as one line.
    #[arg(long)]
    each: bool,
    /// Print at most this many lines of the existing ones.
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
    /// Only of this session.
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// Only with this path or one below it; without a slash at its beginning, with one that contains it.
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Only with a sentence that contains this.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
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
        until_ns: None,
        session: arguments.session,
        path: arguments.path,
        text: arguments.text,
    };
    let wants = |line: &str| {
        let record = DecisionRecord::parse(line);
        record.is_some_and(|record| filter.wants(&record))
    };
    let reading = || format!("reading {}", path.display());
    let mut log = LogFollower::new(path.clone());
    let mut printer = Printer {
        is_json: arguments.json,
        grouped: (!arguments.each && !arguments.json).then(Groups::default),
    };
    let mut kept = Existing::new(arguments.lines);
    log.read(|line| {
        if wants(line) {
            kept.push(printer.group_of(line), line);
        }
    })
    .with_context(reading)?;
    if !kept.lines().all(|lines| printer.print(lines)) {
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
        log.read(|line| is_read = is_read && (!wants(line) || printer.add(line)))
            .with_context(reading)?;
        if !is_read || !printer.print_waiting(Instant::now()) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// The last of the lines that are there, by what is printed as one.
struct Existing {
    most: usize,
    /// By when the newest of a group came; the lines of each are the oldest first.
    groups: VecDeque<(Option<usize>, Vec<String>)>,
}

/// Prints lines or groups. Its answers say whether somebody still reads.
struct Printer {
    is_json: bool,
    /// `None` where each line is one of its own.
    grouped: Option<Groups>,
}

#[derive(Default)]
struct Groups {
    grouping: Grouping,
    /// By their groups, those that came after the first was printed, and when the last came.
    waiting: BTreeMap<usize, (Vec<String>, Instant)>,
}

// === impl Existing ===

impl Existing {
    const fn new(most: usize) -> Self {
        Self {
            most,
            groups: VecDeque::new(),
        }
    }

    fn push(&mut self, group: Option<usize>, line: &str) {
        let known = group.and_then(|group| {
            let mut found = self.groups.iter();
            // Nearly always one of the last.
            found.rposition(|(other, _)| *other == Some(group))
        });
        let (group, mut lines) = known
            .and_then(|place| self.groups.remove(place))
            .unwrap_or((group, Vec::new()));
        lines.push(line.to_owned());
        self.groups.push_back((group, lines));
        if self.groups.len() > self.most {
            self.groups.pop_front();
        }
    }

    fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    fn lines(&self) -> impl Iterator<Item = &[String]> {
        self.groups.iter().map(|(_, lines)| lines.as_slice())
    }
}

// === impl Printer ===

impl Printer {
    /// The number of the group of a line.
    fn group_of(&mut self, line: &str) -> Option<usize> {
        let groups = self.grouped.as_mut()?;
        let key = GroupKey::of(&DecisionRecord::parse(line)?);
        Some(groups.grouping.add(&key))
    }

    /// Prints a line that came, or keeps it with its group.
    fn add(&mut self, line: &str) -> bool {
        let begun = self
            .grouped
            .as_ref()
            .map_or(0, |groups| groups.grouping.len());
        match (self.group_of(line), &mut self.grouped) {
            (Some(group), Some(groups)) if group < begun => {
                let now = Instant::now();
                let waiting = groups.waiting.entry(group);
                let (lines, last) = waiting.or_insert_with(|| (Vec::new(), now));
                lines.push(line.to_owned());
                *last = now;
                true
            }
            _ => self.print(&[line.to_owned()]),
        }
    }

    /// Prints the groups that pause.
    fn print_waiting(&mut self, now: Instant) -> bool {
        let Some(groups) = &mut self.grouped else {
            return true;
        };
        let is_over = |(lines, last): &(Vec<String>, Instant)| {
            now.duration_since(*last) >= PAUSE || lines.len() >= MAX_WAITING
        };
        let waiting = std::mem::take(&mut groups.waiting);
        let (over, waiting): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(_, group)| is_over(group));
        groups.waiting.extend(waiting);
        over.iter().all(|(_, (lines, _))| self.print(lines))
    }

    /// Prints what is one, the oldest line first.
    fn print(&self, lines: &[String]) -> bool {
        if self.is_json {
            return lines.iter().all(|line| terminal::try_data(line));
        }
        let records = lines.iter().rev();
        let records = records.filter_map(|line| DecisionRecord::parse(line));
        Summary::of(records).is_none_or(|summary| terminal::try_line(&for_people(&summary)))
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

/// A group in plain words.
fn for_people(group: &Summary<'_>) -> String {
    let record = &group.newest;
    let time = record.wall_ns().map(time::local);
    let time = time.unwrap_or_else(|| record.time.to_string());
    let style = match record.verdict() {
        Some(Verdict::Audit) => YELLOW,
        Some(Verdict::Allow | Verdict::Deny) | None => RED,
    };
    let (word, style) = match (record.verdict(), group.unpreserved) {
        (Some(Verdict::Allow), 1..) => ("lost", RED),
        (Some(Verdict::Allow), 0) => ("kept", GREEN),
        _ => (&*record.verdict, style),
    };
    let agent = record.agent.as_deref().unwrap_or("-");
    format!(
        "{}  {}  {}  {group}",
        paint(&sentence::visible(&time), DIM),
        paint(&format!("{:<6}", sentence::visible(word)), style),
        paint(&format!("{:<12}", sentence::visible(agent)), CYAN),
    )
}

fn parse_since(text: &str) -> Result<u64, ParseSinceError> {
    time::parse_since(text, time::now_ns())
}

/// How often the log is read. An exporter writes within 50 ms.
const POLL: Duration = Duration::from_millis(100);
/// How long a group pauses before what came of it is printed.
const PAUSE: Duration = Duration::from_secs(1);
/// So many are printed together at most, however long a group goes on.
const MAX_WAITING: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_with_the_newest_lines_stay() {
        let mut existing = Existing::new(2);
        for (group, line) in [(0, "a"), (1, "b"), (0, "c"), (2, "d"), (0, "e")] {
            existing.push(Some(group), line);
        }
        let lines: Vec<String> = existing.lines().map(|lines| lines.concat()).collect();
        assert_eq!(lines, ["d", "ace"]);
        let mut each = Existing::new(2);
        for line in ["a", "b", "c"] {
            each.push(None, line);
        }
        let lines: Vec<String> = each.lines().map(|lines| lines.concat()).collect();
        assert_eq!(lines, ["b", "c"]);
        let mut none = Existing::new(0);
        none.push(None, "a");
        assert!(none.is_empty());
    }
}
