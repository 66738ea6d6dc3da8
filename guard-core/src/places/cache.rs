//! What directories are, remembered while they are the same.

use super::rules;
use crate::actor::FactSource;
use crate::file::FileIdentity;
use crate::standing::Place;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The places of one guard, shared by the threads that answer.
#[derive(Debug, Default)]
pub struct Places {
    known: Mutex<HashMap<Box<[u8]>, Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    place: Place,
    identity: FileIdentity,
    born_ns: Option<u64>,
    /// When it was evaluated: what is not proven is evaluated again.
    at_ns: u64,
}

// === impl Places ===

impl Places {
    /// What the directory at this canonical path is. `since_ns` is the start of the agent, `now_ns`
    /// any clock.
    pub fn of<F: FactSource + ?Sized>(
        &self,
        directory: &[u8],
        since_ns: u64,
        now_ns: u64,
        facts: &F,
    ) -> Place {
        let Some(found) = facts.file(directory) else {
            return Place::Unproven;
        };
        let is_it =
            |known: &Known| known.identity == found.identity && known.born_ns == found.born_ns;
        let holds = |known: &Known| {
            let is_proven = known.place != Place::Unproven;
            is_it(known) && (is_proven || now_ns.saturating_sub(known.at_ns) < UNPROVEN_NS)
        };
        if let Some(known) = self.table().get(directory).copied().filter(holds) {
            return known.place;
        }
        // Without the lock: this takes a while.
        let place = rules::evaluate(directory, since_ns, facts);
        let mut table = self.table();
        if table.len() >= MAX_KNOWN {
            table.clear();
        }
        let known = Known {
            place,
            identity: found.identity,
            born_ns: found.born_ns,
            at_ns: now_ns,
        };
        table.insert(directory.into(), known);
        place
    }

    /// A thread that panicked left a table that lacks an entry, which is safe.
    fn table(&self) -> MutexGuard<'_, HashMap<Box<[u8]>, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a directory counts as unproven before it is looked at again.
const UNPROVEN_NS: u64 = 1_000_000_000;

/// How many directories are remembered; then all are forgotten.
const MAX_KNOWN: usize = 65_536;
