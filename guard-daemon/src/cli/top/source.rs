//! What `top` shows, from the exporter or from the rings and the log.

use super::tally::Tally;
use crate::ancestors::ancestors;
use crate::exporter::ask::ask;
use crate::observed::{Exporter, Observed};
use guard_control::client::{guards, requests};
use guard_control::protocol::{RequestStatus, State};
use guard_core::ring::{Counter, Reader};
use guard_report::api::{AgentDecisions, Denials, Group, Groups, Latencies, Percentiles};
use guard_report::groups::{GroupKey, Grouping, Summary};
use guard_report::log_files::LogFollower;
use guard_report::paths::StatePaths;
use guard_report::record::DecisionRecord;
use guard_report::rings::readers;
use guard_report::sentence::{self, visible};
use guard_report::status::GuardStatus;
use guard_report::time;
use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

/// What is shown at one moment.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The time, with its offset.
    pub(super) time: String,
    /// Where it is from.
    pub(super) from: String,
    pub(super) guards: Vec<GuardStatus>,
    /// Seconds since each guard's heartbeat.
    pub(super) beats: Vec<Option<Duration>>,
    /// Decisions within the last minute.
    pub(super) agents: Vec<AgentDecisions>,
    /// Latencies within the last minute.
    pub(super) latencies: Vec<Percentiles>,
    /// The requests that wait for a person, the newest last.
    pub(super) requests: Vec<RequestStatus>,
    /// A line for each command or burst, those with the newest denials first.
    pub(super) denials: Vec<String>,
    pub(super) problems: Vec<String>,
}

/// Where it comes from.
#[derive(Debug)]
pub(super) struct Source {
    paths: StatePaths,
    /// Whether each denial is a line.
    each: bool,
    tally: Tally,
    log: Option<LogFollower>,
    logged: VecDeque<String>,
}

// === impl Source ===

impl Source {
    pub(super) fn new(paths: StatePaths, each: bool) -> Self {
        Self {
            paths,
            each,
            tally: Tally::new(),
            log: None,
            logged: VecDeque::new(),
        }
    }

    /// The requests that wait for a person. A guard is asked only when a ring says that one waits: one
    /// that hangs would answer late.
    fn open_requests(&self) -> Vec<RequestStatus> {
        let uid = rustix::process::geteuid().as_raw();
        let waits =
            |ring: &Reader| ring.is_writer_alive() && ring.counter(Counter::OpenRequests) > 0;
        if !readers(&self.paths.readable_rings(), uid).iter().any(waits) {
            return Vec::new();
        }
        let mut found = requests(&guards(&self.paths, &ancestors()));
        found.retain(|request| request.state == State::Open);
        found
    }

    /// Observes all of it.
    pub(super) fn observe(&mut self, now_ns: u64) -> Shown {
        let observed = Observed::now(&self.paths);
        let mut shown = Shown {
            time: time::local(now_ns).get(11..).unwrap_or_default().to_owned(),
            beats: observed
                .guards
                .iter()
                .map(|guard| guard.heartbeat_age(now_ns))
                .collect(),
            problems: observed.problems(now_ns),
            requests: self.open_requests(),
            guards: observed.guards,
            ..Shown::default()
        };
        if let Exporter::Serving { address, status } = observed.exporter {
            shown.from = format!("http://{address}/");
            shown.agents = status.agents;
            if let Err(error) = ask_for_more(address, self.each, &mut shown) {
                shown.problems.push(format!("{error:#}"));
            }
        } else {
            "the rings and the log".clone_into(&mut shown.from);
            self.tally.read(&self.paths.readable_rings(), now_ns);
            shown.agents = self.tally.agents();
            shown.latencies = self.tally.latencies();
            self.read_log(observed.log);
            let unlogged = self.tally.denials().rev();
            // A denial may be in both.
            let mut seen = HashSet::new();
            let denials: Vec<_> = unlogged
                .chain(self.logged.iter().rev())
                .filter_map(|line| DecisionRecord::parse(line))
                .filter(|denial| seen.insert(denial.id()))
                .collect();
            shown.denials = if self.each {
                let newest = denials.iter().take(MAX_DENIALS);
                newest.map(|denial| of_one(denial)).collect()
            } else {
                by_groups(denials)
            };
        }
        shown
    }

    fn read_log(&mut self, path: std::path::PathBuf) {
        let log = self.log.get_or_insert_with(|| LogFollower::new(path));
        let logged = &mut self.logged;
        // What cannot be read is not shown; `denials` shows why.
        let _unreadable = log.read(|line| {
            logged.push_back(line.to_owned());
            if logged.len() > MAX_LOGGED {
                logged.pop_front();
            }
        });
    }
}

fn ask_for_more(address: SocketAddr, each: bool, shown: &mut Shown) -> anyhow::Result<()> {
    let latencies: Latencies = serde_json::from_slice(&ask(address, "/api/v1/latency?span=1m")?)?;
    shown.latencies = latencies
        .spans
        .into_iter()
        .flat_map(|span| span.series)
        .collect();
    if each {
        let answer = ask(address, &format!("/api/v1/denials?limit={MAX_DENIALS}"))?;
        let denials: Denials = serde_json::from_slice(&answer)?;
        shown.denials = denials.records().map(|denial| of_one(&denial)).collect();
        return Ok(());
    }
    let answer = ask(
        address,
        &format!("/api/v1/denials/groups?limit={MAX_DENIALS}"),
    )?;
    let groups: Groups = serde_json::from_slice(&answer)?;
    let lines = groups.groups.iter();
    shown.denials = lines
        .map(|group: &Group| line(&group.last, &visible(&group.summary)))
        .collect();
    Ok(())
}

/// Denials as lines, the newest first, as they come.
fn by_groups(denials: Vec<DecisionRecord<'_>>) -> Vec<String> {
    let mut grouping = Grouping::default();
    let mut groups: Vec<Vec<DecisionRecord<'_>>> = Vec::new();
    for denial in denials.into_iter().rev() {
        let number = grouping.add(&GroupKey::of(&denial));
        if number == groups.len() {
            groups.push(Vec::new());
        }
        if let Some(group) = groups.get_mut(number) {
            group.push(denial);
        }
    }
    let groups = groups.into_iter();
    let mut groups: Vec<Summary<'_>> = groups
        .filter_map(|group| Summary::of(group.into_iter().rev()))
        .collect();
    groups.sort_by(|a, b| b.last.cmp(&a.last));
    let lines = groups.iter().take(MAX_DENIALS);
    lines
        .map(|group| line(&group.last, &group.to_string()))
        .collect()
}

fn of_one(denial: &DecisionRecord<'_>) -> String {
    line(&denial.time, &sentence::of(denial))
}

/// What happened at a time, in a line.
fn line(time: &str, sentence: &str) -> String {
    let time = time::parse(time).map(time::local_clock).unwrap_or_default();
    format!("{time} {sentence}")
}

/// More than the tallest terminal shows.
const MAX_DENIALS: usize = 200;
/// What is grouped of the log.
const MAX_LOGGED: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_testing::events::denial;

    #[test]
    fn a_command_is_a_line() {
        let events: Vec<_> = (0..4).rev().map(denial).collect();
        let records = events.iter().map(|event| DecisionRecord::new(event, "00"));
        let lines = by_groups(records.collect());
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].contains("main.rs with mv, 4 times: an AI"),
            "{lines:?}"
        );
    }
}
