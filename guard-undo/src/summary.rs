//! A session in numbers, for lists.

use crate::journal::{Event, Kept, SessionKind};
use crate::store::{Session, SessionState};
use std::collections::{BTreeSet, HashSet};

/// What a session did, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The session's name.
    pub session: String,
    /// Whether agents did it, or a person by restoring.
    pub kind: SessionKind,
    /// How far it is.
    pub state: SessionState,
    /// When it began, nanoseconds of the wall clock.
    pub began_ns: u64,
    /// When it wrote last.
    pub last_ns: u64,
    /// The command that it ran.
    pub command: String,
    /// The agents that did something, by their labels.
    pub agents: Vec<String>,
    /// Names removed.
    pub removed: usize,
    /// Names replaced.
    pub replaced: usize,
    /// Files changed in place: each counts once.
    pub changed: usize,
    /// Names moved.
    pub renamed: usize,
    /// Losses that could not be preserved.
    pub unpreserved: usize,
    /// Bytes of the objects that are kept, by their lengths.
    pub kept_bytes: u64,
}

impl Summary {
    /// Counts a session.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        let began = session.began();
        let mut summary = Self {
            session: session.name().to_owned(),
            kind: began.kind,
            state: session.state,
            began_ns: session.began_ns(),
            last_ns: session.last_ns(),
            command: began.command,
            agents: Vec::new(),
            removed: 0,
            replaced: 0,
            changed: 0,
            renamed: 0,
            unpreserved: 0,
            kept_bytes: 0,
        };
        let mut agents = BTreeSet::new();
        let mut changed = HashSet::new();
        for record in &session.records {
            match &record.event {
                Event::Removed(_) => summary.removed += 1,
                Event::Replaced(_) => summary.replaced += 1,
                Event::Changed(loss) => {
                    changed.insert(&loss.path);
                }
                Event::Renamed { .. } => summary.renamed += 1,
                Event::Unpreserved { .. } => summary.unpreserved += 1,
                _ => {}
            }
            let Some(loss) = record.event.loss() else {
                continue;
            };
            agents.extend(loss.agent.clone());
            if let Kept::Object { .. } = loss.kept {
                summary.kept_bytes += loss.facts.size;
            }
        }
        summary.changed = changed.len();
        summary.agents = agents.into_iter().collect();
        summary
    }

    /// Whether there is anything to show.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.removed + self.replaced + self.changed + self.renamed + self.unpreserved == 0
    }
}
