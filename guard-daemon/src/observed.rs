//! What can be seen of the guards on this machine, without disturbing them.
//!
//! If an exporter serves, its API is queried: it has all rings that it reads. Otherwise the rings are read
//! here, and the denial log is where it always is. Nothing is written anywhere.

use crate::exporter::{self, ask};
use guard_report::api::Status;
use guard_report::paths::{StatePaths, change_log};
use guard_report::rings;
use guard_report::status::GuardStatus;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What was seen at one moment.
#[derive(Debug)]
pub(crate) struct Observed {
    /// The guards, alive or with denials that nobody has read yet.
    pub(crate) guards: Vec<GuardStatus>,
    /// The exporter.
    pub(crate) exporter: Exporter,
    /// The denial log.
    pub(crate) log: PathBuf,
    /// The change log.
    pub(crate) change_log: PathBuf,
    /// Why no exporter could write the logs, as far as none says so itself.
    obstacles: Vec<String>,
}

/// The exporter, as far as it answers.
#[derive(Debug)]
pub(crate) enum Exporter {
    /// None is running.
    Absent,
    /// One is running and serves nowhere: it is starting, or its port is taken.
    Unserving {
        /// Its process id.
        pid: u32,
    },
    /// One has, and does not answer.
    Silent {
        /// The address that it published.
        address: SocketAddr,
        /// Why the query failed.
        why: String,
    },
    /// It answers.
    Serving {
        /// Where.
        address: SocketAddr,
        /// Its status.
        status: Box<Status<'static>>,
    },
}

// === impl Observed ===

impl Observed {
    /// Queries the exporter, or reads the rings.
    pub(crate) fn now(paths: &StatePaths) -> Self {
        let exporter = Exporter::ask(paths);
        match &exporter {
            Exporter::Serving { status, .. } => Self {
                guards: status.guards.to_vec(),
                log: PathBuf::from(&status.denial_log.path),
                change_log: match &*status.change_log.path {
                    // Of an earlier version.
                    "" => change_log(Path::new(&status.denial_log.path)),
                    path => PathBuf::from(path),
                },
                obstacles: Vec::new(),
                exporter,
            },
            Exporter::Absent | Exporter::Unserving { .. } | Exporter::Silent { .. } => Self {
                guards: in_rings(paths),
                log: paths.denial_log(),
                change_log: change_log(&paths.denial_log()),
                obstacles: exporter::obstacles(paths),
                exporter,
            },
        }
    }

    /// What is wrong, each in a sentence with what to do about it.
    pub(crate) fn problems(&self, now_ns: u64) -> Vec<String> {
        let mut problems: Vec<String> = self
            .guards
            .iter()
            .flat_map(|guard| guard.problems(now_ns))
            .collect();
        let some_alive = self.guards.iter().any(|guard| guard.alive);
        match &self.exporter {
            Exporter::Absent if some_alive => problems.push(
                "no exporter is running: denials wait in the rings (a guard starts one again within a \
                 minute, unless run with --no-exporter; else start guard-exporter)"
                    .to_owned(),
            ),
            Exporter::Unserving { pid } if some_alive => problems.push(format!(
                "the exporter, pid {pid}, serves nowhere: another program may have its port; denials \
                 are logged all the same (end it, and a guard starts one on a free port)"
            )),
            Exporter::Silent { address, why } if some_alive => problems.push(format!(
                "the exporter at {address} does not answer: {why} (end it; a guard starts another)"
            )),
            Exporter::Serving { status, .. } => problems.extend(
                status
                    .obstacle
                    .as_ref()
                    .map(|obstacle| format!("the exporter is not ready: {obstacle}")),
            ),
            Exporter::Absent | Exporter::Unserving { .. } | Exporter::Silent { .. } => {}
        }
        problems.extend(self.obstacles.iter().cloned());
        problems
    }
}

// === impl Exporter ===

impl Exporter {
    fn ask(paths: &StatePaths) -> Self {
        let Some(pid) = exporter::running(paths) else {
            return Self::Absent;
        };
        let Some(address) = exporter::address(paths) else {
            return Self::Unserving { pid };
        };
        let asked = ask::ask(address, "/api/v1/status")
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

/// The guards whose rings this user can read.
fn in_rings(paths: &StatePaths) -> Vec<GuardStatus> {
    let uid = rustix::process::geteuid().as_raw();
    rings::readers(&paths.readable_rings(), uid)
        .iter()
        .map(|reader| GuardStatus::of(reader, reader.is_writer_alive()))
        .collect()
}
