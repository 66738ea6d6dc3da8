//! What can be seen of the guards on this machine, without disturbing them.
//!
//! When an exporter serves, it is asked: it knows all rings that it reads. Else the rings are read
//! here, and the denial log is where it always is. Nothing is written anywhere.

pub(crate) mod api;
pub(crate) mod guards;

use crate::exporter::{self, ask};
use crate::places::Places;
use api::Status;
use guards::Guard;
use std::path::PathBuf;

/// What was seen at one moment.
#[derive(Debug)]
pub(crate) struct Observed {
    /// The guards, alive or with denials that nobody has read yet.
    pub(crate) guards: Vec<Guard>,
    /// The exporter.
    pub(crate) exporter: Exporter,
    /// The denial log.
    pub(crate) log: PathBuf,
}

/// The exporter, as far as it answers.
#[derive(Debug)]
pub(crate) enum Exporter {
    /// None says that it serves.
    Absent,
    /// One says so, and does not answer.
    Silent {
        /// Where it said that it serves.
        address: String,
        /// What became of the question.
        why: String,
    },
    /// It answers.
    Serving {
        /// Where.
        address: String,
        /// What it says.
        status: Box<Status>,
    },
}

// === impl Observed ===

impl Observed {
    /// Looks.
    pub(crate) fn now(places: &Places) -> Self {
        let exporter = Exporter::ask(places);
        match &exporter {
            Exporter::Serving { status, .. } => Self {
                guards: status.guards.clone(),
                log: PathBuf::from(&status.denial_log.path),
                exporter,
            },
            Exporter::Absent | Exporter::Silent { .. } => Self {
                guards: guards::in_directories(&places.readable_rings()),
                log: places.exporter.join("denials.jsonl"),
                exporter,
            },
        }
    }

    /// What is wrong, each in a sentence that says what to do.
    pub(crate) fn problems(&self, now_ns: u64) -> Vec<String> {
        let mut problems: Vec<String> = self
            .guards
            .iter()
            .flat_map(|guard| guard.problems(now_ns))
            .collect();
        let some_alive = self.guards.iter().any(|guard| guard.alive);
        match &self.exporter {
            Exporter::Absent if some_alive => problems.push(
                "no exporter runs: denials wait in the rings (start guard-exporter)".to_owned(),
            ),
            Exporter::Silent { address, why } if some_alive => problems.push(format!(
                "the exporter at {address} does not answer: {why} (end it, and start guard-exporter)"
            )),
            Exporter::Serving { status, .. } => problems.extend(
                status
                    .obstacle
                    .as_ref()
                    .map(|obstacle| format!("the exporter is not ready: {obstacle}")),
            ),
            Exporter::Absent | Exporter::Silent { .. } => {}
        }
        problems
    }
}

// === impl Exporter ===

impl Exporter {
    fn ask(places: &Places) -> Self {
        let Some(serving) = exporter::serving(places) else {
            return Self::Absent;
        };
        let address = serving.address;
        let asked = address
            .parse()
            .map_err(anyhow::Error::new)
            .and_then(|address| ask::ask(address, "/api/v1/status"))
            .and_then(|answer| Ok(serde_json::from_slice(&answer)?));
        match asked {
            Ok(status) => Self::Serving {
                address,
                status: Box::new(status),
            },
            Err(why) => Self::Silent {
                address,
                why: format!("{why:#}"),
            },
        }
    }
}
