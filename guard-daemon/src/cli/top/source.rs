//! What `top` shows, from the exporter or from the rings and the log.

use super::tally::Tally;
use crate::denials::log::Log;
use crate::exporter::ask::ask;
use crate::observed::api::{Agent, Denials, Latencies, Latency};
use crate::observed::guards::Guard;
use crate::observed::{Exporter, Observed};
use crate::places::Places;
use guard_report::record::DenialRecord;
use guard_report::sentence::{self, Sentence};
use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;

/// What is shown at one moment.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The time, RFC 3339.
    pub(super) time: String,
    /// Where it is from.
    pub(super) from: String,
    pub(super) guards: Vec<Guard>,
    /// Seconds since each guard's heartbeat.
    pub(super) beats: Vec<Option<f64>>,
    /// Decisions within the last minute.
    pub(super) agents: Vec<Agent>,
    /// Latencies within the last minute.
    pub(super) latencies: Vec<Latency>,
    /// The newest first.
    pub(super) denials: Vec<String>,
    pub(super) problems: Vec<String>,
}

/// Where it comes from.
#[derive(Debug)]
pub(super) struct Source {
    places: Places,
    tally: Tally,
    log: Option<Log>,
    logged: VecDeque<String>,
}

// === impl Source ===

impl Source {
    pub(super) fn new(places: Places) -> Self {
        Self {
            places,
            tally: Tally::default(),
            log: None,
            logged: VecDeque::new(),
        }
    }

    /// Looks at all of it.
    pub(super) fn look(&mut self, now_ns: u64) -> Shown {
        let observed = Observed::now(&self.places);
        let mut shown = Shown {
            time: crate::observed::guards::rfc3339(now_ns),
            beats: observed
                .guards
                .iter()
                .map(|guard| guard.heartbeat_age(now_ns))
                .collect(),
            problems: observed.problems(now_ns),
            guards: observed.guards,
            ..Shown::default()
        };
        if let Exporter::Serving { address, status } = observed.exporter {
            shown.from = format!("http://{address}/");
            shown.agents = status.agents;
            if let Ok(address) = address.parse()
                && let Err(error) = ask_for_more(address, &mut shown)
            {
                shown.problems.push(format!("{error:#}"));
            }
        } else {
            "the rings and the log".clone_into(&mut shown.from);
            self.tally.read(&self.places.readable_rings(), now_ns);
            shown.agents = self.tally.agents();
            shown.latencies = self.tally.latencies();
            self.read_log(observed.log);
            let unlogged = self.tally.denials().rev();
            let unlogged = unlogged.map(|denial| (denial.id(), told(denial)));
            let logged = self.logged.iter().rev();
            let logged = logged
                .filter_map(|line| DenialRecord::parse(line))
                .map(|denial| (denial.id(), told(&denial)));
            // A denial may be in both.
            let mut seen = HashSet::new();
            shown.denials = unlogged
                .chain(logged)
                .filter_map(|(id, line)| seen.insert(id).then_some(line))
                .collect();
            shown.denials.truncate(MAX_DENIALS);
        }
        shown
    }

    fn read_log(&mut self, path: std::path::PathBuf) {
        let log = self.log.get_or_insert_with(|| Log::new(path));
        let logged = &mut self.logged;
        // What cannot be read is not shown; `denials` says why.
        let _unreadable = log.read(|line| {
            logged.push_back(line.to_owned());
            if logged.len() > MAX_DENIALS {
                logged.pop_front();
            }
        });
    }
}

fn ask_for_more(address: SocketAddr, shown: &mut Shown) -> anyhow::Result<()> {
    let latencies: Latencies = serde_json::from_slice(&ask(address, "/api/v1/latency?span=1m")?)?;
    shown.latencies = latencies
        .spans
        .into_iter()
        .flat_map(|span| span.series)
        .collect();
    let answer = ask(address, &format!("/api/v1/denials?limit={MAX_DENIALS}"))?;
    let denials: Denials<'_> = serde_json::from_slice(&answer)?;
    shown.denials = denials.denials.iter().map(told).collect();
    Ok(())
}

/// One denial in a line.
fn told(denial: &DenialRecord<'_>) -> String {
    let time = denial.time.get(11..19).unwrap_or_default();
    format!("{} {}", sentence::visible(time), Sentence::of(denial))
}

/// More than the tallest terminal shows.
const MAX_DENIALS: usize = 200;
