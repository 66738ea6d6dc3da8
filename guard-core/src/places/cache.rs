//! What directories are, remembered while they are the same.

use super::{outputs, rules};
use crate::actor::FactSource;
use crate::file::{FileIdentity, FileKind};
use crate::standing::{Place, PlaceQuery};
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
    /// Whether it was asked about outputs, too.
    with_output: bool,
    identity: FileIdentity,
    born_ns: Option<u64>,
    /// When it was evaluated: what is not proven is evaluated again.
    at_ns: u64,
}

// === impl Places ===

impl Places {
    /// What the directory (or the file that may be an output) at this canonical path is. `since_ns` is
    /// the start of the agent, `now_ns` any clock.
    pub fn of<F: FactSource + ?Sized>(
        &self,
        directory: &[u8],
        since_ns: u64,
        query: PlaceQuery,
        now_ns: u64,
        facts: &F,
    ) -> Place {
        let Some(found) = facts.file(directory) else {
            return Place::Unproven;
        };
        let with_output = query == PlaceQuery::OrOutput
            && outputs::may_be_output(directory, found.kind, since_ns, facts);
        // What makes a directory again says nothing of a file of its name.
        let may_be_made_again = found.kind != FileKind::Regular;
        if !may_be_made_again && !with_output {
            return Place::Unproven;
        }
        let is_it =
            |known: &Known| known.identity == found.identity && known.born_ns == found.born_ns;
        let holds = |known: &Known| {
            let is_proven = known.place != Place::Unproven;
            let is_recent = now_ns.saturating_sub(known.at_ns) < UNPROVEN_NS;
            is_it(known) && (is_proven || (is_recent && (known.with_output || !with_output)))
        };
        if let Some(known) = self.table().get(directory).copied().filter(holds) {
            return known.place;
        }
        // Without the lock: this takes a while.
        let place = if may_be_made_again && rules::is_made_again(directory, since_ns, facts) {
            Place::MadeAgain
        } else if with_output && outputs::is_untracked_output(directory, since_ns, facts) {
            Place::Output
        } else {
            Place::Unproven
        };
        let mut table = self.table();
        if table.len() >= MAX_KNOWN {
            table.clear();
        }
        let known = Known {
            place,
            with_output,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_facts::SampleFacts;

    /// A repository that tracks nothing.
    fn repository() -> SampleFacts {
        SampleFacts {
            files: vec![("/z/.git/index", 1), ("/z/main.o", 1), ("/z/notes.md", 1)],
            directories: vec!["/z/.git", "/z/dist", "/z/src"],
            texts: vec![("/z/.git/index", EMPTY_INDEX)],
            ..SampleFacts::default()
        }
    }

    const EMPTY_INDEX: &[u8] = b"DIRC\0\0\0\x02\0\0\0\0\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07";

    #[test]
    fn the_index_is_read_for_those_who_ask_for_outputs() {
        use PlaceQuery::{MadeAgain, OrOutput};
        let (places, disk) = (Places::default(), repository());
        for (query, place, reads) in [
            (MadeAgain, Place::Unproven, 0),
            (OrOutput, Place::Output, 1),
            (OrOutput, Place::Output, 1),
            (MadeAgain, Place::Output, 1),
        ] {
            assert_eq!(places.of(b"/z/dist", 10, query, 0, &disk), place);
            assert_eq!(disk.reads.get(), reads, "{query:?}");
        }
    }

    #[test]
    fn files_that_are_no_outputs_are_not_remembered() {
        let (places, disk) = (Places::default(), repository());
        let of = |path: &[u8]| places.of(path, 10, PlaceQuery::OrOutput, 0, &disk);
        assert_eq!(of(b"/z/notes.md"), Place::Unproven);
        assert!(places.table().is_empty());
        assert_eq!(of(b"/z/main.o"), Place::Output);
        assert_eq!(of(b"/z/src"), Place::Unproven);
        assert_eq!(places.table().len(), 2);
    }
}
