//! Facts for unit tests: an unknown person acts, and nothing is known but what a test lists.

use crate::actor::{Actor, FactSource, ToolNames};
use crate::file::{FileFacts, FileIdentity, FileKind};
use crate::standing::{Place, PlaceQuery, Standing};
use std::cell::Cell;

/// What is known of paths.
#[derive(Debug, Default)]
pub(crate) struct SampleFacts {
    /// Regular files, and when each was made.
    pub(crate) files: Vec<(&'static str, u64)>,
    pub(crate) directories: Vec<&'static str>,
    /// Objects whose standing is [`Standing::Nobodys`].
    pub(crate) nobodys: Vec<&'static str>,
    /// Where objects are, and where each was before agents moved it.
    pub(crate) came_from: Vec<(&'static str, &'static str)>,
    /// Names, and the one from which agents moved or linked each.
    pub(crate) moved_from: Vec<(&'static str, &'static str)>,
    pub(crate) places: Vec<(&'static str, Place)>,
    pub(crate) texts: Vec<(&'static str, &'static [u8])>,
    /// How many texts were read.
    pub(crate) reads: Cell<u32>,
    /// What the acting process has open.
    pub(crate) open: Vec<&'static str>,
    pub(crate) preserves: bool,
    pub(crate) names: ToolNames,
}

// === impl FactSource for SampleFacts ===

impl FactSource for SampleFacts {
    fn actor(&self) -> Actor<'_> {
        Actor::unknown_person(&self.names)
    }

    fn arguments(&self) -> Vec<u8> {
        Vec::new()
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        None
    }

    fn file(&self, path: &[u8]) -> Option<FileFacts> {
        let (kind, born_ns) = match at(&self.files, path) {
            Some(born_ns) => (FileKind::Regular, born_ns),
            None if lists(&self.directories, path) => (FileKind::Directory, 1),
            None => return None,
        };
        let inode = path.iter().map(|&byte| u64::from(byte)).sum();
        Some(FileFacts {
            kind,
            born_ns: Some(born_ns),
            identity: FileIdentity { device: 1, inode },
            changed_ns: born_ns,
            modified_ns: born_ns,
            size: 0,
        })
    }

    fn standing(&self, path: &[u8], _: &FileFacts) -> Standing {
        if lists(&self.nobodys, path) {
            Standing::Nobodys
        } else {
            Standing::Unknown
        }
    }

    fn moved_from(&self, path: &[u8]) -> Option<Vec<u8>> {
        at(&self.moved_from, path).map(|from| from.as_bytes().to_vec())
    }

    fn came_from(&self, path: &[u8]) -> Option<Vec<u8>> {
        at(&self.came_from, path).map(|from| from.as_bytes().to_vec())
    }

    fn place(&self, directory: &[u8], _: u64, _: PlaceQuery) -> Place {
        at(&self.places, directory).unwrap_or(Place::Unproven)
    }

    fn beginning(&self, path: &[u8], most: usize) -> Option<Vec<u8>> {
        let text = at(&self.texts, path)?;
        self.reads.set(self.reads.get() + 1);
        Some(text.get(..most).unwrap_or(text).to_vec())
    }

    fn has_open(&self, path: &[u8]) -> bool {
        lists(&self.open, path)
    }

    fn preserves(&self) -> bool {
        self.preserves
    }
}

fn at<T: Copy>(known: &[(&str, T)], path: &[u8]) -> Option<T> {
    let found = known.iter().find(|(name, _)| name.as_bytes() == path);
    found.map(|(_, fact)| *fact)
}

fn lists(names: &[&str], path: &[u8]) -> bool {
    names.iter().any(|name| name.as_bytes() == path)
}
