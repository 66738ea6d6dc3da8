//! What an agent may clear away although it is in a zone, since nobody loses it.
//!
//! | what | proof | preserved |
//! |------|-------|-----------|
//! | what an agent made, now or in an earlier session | [`Standing::Own`] | if somebody else changed it, or may have |
//! | a socket or a named pipe | its kind: it holds nothing | no |
//! | a directory (an empty one: no other can be removed) | it was made after the agent started | no |
//! | the same | the agents emptied it | if possible |
//! | what was moved aside to be written again | the first name, in the same directory, is taken again | required |
//! | a second name that an agent gave somebody's file | the file has its first name | no |
//! | a backup or a rotated file | `NAME~`, `NAME.bak`, `NAME.1` and the like beside `NAME` | required |
//! | a journal of SQLite | the process has the database open | required |
//!
//! What must be preserved and cannot be is not removed, and nothing of it is scratch where a backend
//! preserves nothing. Under a name to which an agent moved somebody's object nothing else is scratch.

use super::backup::stem;
use super::preserve::Preserve;
use crate::actor::FactSource;
use crate::file::{FileFacts, FileKind};
use crate::path::parent;
use crate::process::basename;
use crate::standing::{Proof, Standing};

/// If nobody loses the object at this path: what must be preserved of it all the same.
pub(super) fn is_scratch<F: FactSource + ?Sized>(
    path: &[u8],
    since_ns: u64,
    facts: &F,
) -> Option<Preserve> {
    let found = facts.file(path)?;
    let standing = facts.standing(path, &found);
    match standing {
        Standing::Own(Proof::Seen | Proof::Changed | Proof::Recorded) => preserve_of_own(standing),
        // Neither an agent's nor somebody's for certain.
        Standing::Own(Proof::Doubtful) if facts.preserves() => Some(Preserve::Required),
        // Its mode and times are written down.
        Standing::Emptied => Some(Preserve::IfPossible),
        _ if found.kind.holds_nothing() => Some(Preserve::Nothing),
        Standing::Nobodys => of_moved(path, &found, facts),
        Standing::Unknown if found.is_directory() => {
            found.is_younger_than(since_ns).then_some(Preserve::Nothing)
        }
        Standing::Unknown | Standing::Own(Proof::Doubtful) => {
            let goes = facts.preserves()
                && found.kind == FileKind::Regular
                && (is_backup(path, facts) || is_journal_of_open_database(path, facts));
            goes.then_some(Preserve::Required)
        }
    }
}

/// Whether an agent made the object at this path.
pub(super) fn is_own<F: FactSource + ?Sized>(path: &[u8], facts: &F) -> bool {
    preserve_own(path, facts).is_some()
}

/// What must be preserved of the object at this path where an agent replaces it, if an agent made it.
pub(super) fn preserve_own<F: FactSource + ?Sized>(path: &[u8], facts: &F) -> Option<Preserve> {
    let found = facts.file(path)?;
    preserve_of_own(facts.standing(path, &found))
}

const fn preserve_of_own(standing: Standing) -> Option<Preserve> {
    match standing {
        Standing::Own(Proof::Seen | Proof::Recorded) => Some(Preserve::IfChanged),
        // Unless what is preserved is known to be the agent's in another way.
        Standing::Own(Proof::Changed) => Some(Preserve::IfPossible),
        _ => None,
    }
}

/// Whether everything at and below this path is an agent's own, and nobody changed it since.
pub(super) fn is_own_tree<F: FactSource + ?Sized>(path: &[u8], facts: &F) -> bool {
    let is_free =
        |found: FileFacts| found.kind.holds_nothing() || is_unchanged(path, &found, facts);
    let Some(found) = facts.file(path).filter(|found| is_free(*found)) else {
        return false;
    };
    !found.is_directory() || is_own_below(path, facts)
}

fn is_own_below<F: FactSource + ?Sized>(directory: &[u8], facts: &F) -> bool {
    let mut open = vec![directory.to_vec()];
    let mut left = MAX_MOVED;
    while let Some(path) = open.pop() {
        let Some(names) = facts.entries(&path, left) else {
            return false;
        };
        left = left.saturating_sub(names.len());
        for name in &names {
            let path = [&path, &b"/"[..], name].concat();
            match facts.file(&path) {
                Some(found) if found.kind.holds_nothing() => {}
                Some(found) if is_unchanged(&path, &found, facts) => {
                    if found.is_directory() {
                        open.push(path);
                    }
                }
                _ => return false,
            }
        }
    }
    true
}

fn is_unchanged<F: FactSource + ?Sized>(path: &[u8], found: &FileFacts, facts: &F) -> bool {
    let standing = facts.standing(path, found);
    matches!(standing, Standing::Own(Proof::Seen | Proof::Recorded))
}

/// What an agent moved or linked here and is not its own: if the first name has the same object, it
/// is a second name, which loses nothing; if it has another, this is the end of an edit, which loses
/// what writing over it would.
fn of_moved<F: FactSource + ?Sized>(path: &[u8], found: &FileFacts, facts: &F) -> Option<Preserve> {
    let from = facts.moved_from(path)?;
    let there = facts.file(&from)?;
    if there.identity == found.identity {
        return Some(Preserve::Nothing);
    }
    let is_beside = parent(path) == parent(&from);
    let goes = is_beside && facts.preserves() && there.kind == FileKind::Regular;
    goes.then_some(Preserve::Required)
}

/// Whether the file is a backup or a rotated version of the one beside it.
fn is_backup<F: FactSource + ?Sized>(path: &[u8], facts: &F) -> bool {
    let name = basename(path);
    let original = stem(name);
    original != name && !original.is_empty() && has_sibling(path, original, facts)
}

/// Whether the file is a journal of a database that the acting process has open.
fn is_journal_of_open_database<F: FactSource + ?Sized>(path: &[u8], facts: &F) -> bool {
    let database = JOURNALS
        .iter()
        .find_map(|suffix| path.strip_suffix(*suffix));
    database.is_some_and(|database| facts.has_open(database))
}

fn is_regular<F: FactSource + ?Sized>(path: &[u8], facts: &F) -> bool {
    facts
        .file(path)
        .is_some_and(|found| found.kind == FileKind::Regular)
}

/// Whether a regular file of this name is in the same directory.
fn has_sibling<F: FactSource + ?Sized>(path: &[u8], name: &[u8], facts: &F) -> bool {
    let directory = path.len() - basename(path).len();
    let directory = path.get(..directory).unwrap_or_default();
    let mut sibling = [0; MAX_SIBLING];
    let parts = directory.iter().chain(name);
    let length = directory.len() + name.len();
    let Some(sibling) = sibling.get_mut(..length) else {
        return false;
    };
    sibling
        .iter_mut()
        .zip(parts)
        .for_each(|(to, from)| *to = *from);
    is_regular(sibling, facts)
}

/// Whether a rename over an existing file replaces a kept file by another kept one: neither is an
/// agent's, and the source is older than the agent.
pub(super) fn is_kept_over_kept<F: FactSource + ?Sized>(
    from: &[u8],
    to: &[u8],
    agent_since_ns: u64,
    facts: &F,
) -> bool {
    let is_file = |found: &FileFacts| found.kind == FileKind::Regular;
    let Some(_) = facts.file(to).filter(is_file) else {
        return false;
    };
    let is_old = |found: FileFacts| found.born_ns.is_some_and(|ns| ns <= agent_since_ns);
    facts.file(from).filter(is_file).is_some_and(is_old)
        && !is_own(from, facts)
        && !is_own(to, facts)
}

/// SQLite's, which it removes after each transaction and with the last connection (tempfiles.html).
const JOURNALS: [&[u8]; 3] = [b"-journal", b"-wal", b"-shm"];

/// The longest path that is looked up beside another.
const MAX_SIBLING: usize = 4096;

/// The largest directory that an agent moves out of a zone as its own: all of it is examined.
const MAX_MOVED: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_facts::SampleFacts;

    fn directory(files: &[&'static str]) -> SampleFacts {
        SampleFacts {
            files: files.iter().map(|file| (*file, 10)).collect(),
            preserves: true,
            ..SampleFacts::default()
        }
    }

    #[test]
    fn backups_and_rotated_files_go_beside_what_they_are_of() {
        for (name, original, goes) in [
            ("/z/a~", "/z/a", true),
            ("/z/a.bak", "/z/a", true),
            ("/z/a.orig", "/z/a", true),
            ("/z/app.log.3", "/z/app.log", true),
            ("/z/app.log.3.gz", "/z/app.log", true),
            ("/z/a~", "/z/b", false),
            ("/z/a.tmp", "/z/a", false),
            ("/z/4913", "/z/a", false),
            ("/z/a", "/z/a", false),
            ("/z/a.md", "/z/a", false),
        ] {
            let mut directory = directory(&[name, original]);
            let scratch = |directory: &SampleFacts| is_scratch(name.as_bytes(), 99, directory);
            let expected = goes.then_some(Preserve::Required);
            assert_eq!(scratch(&directory), expected, "{name} beside {original}");
            directory.preserves = false;
            assert_eq!(scratch(&directory), None, "{name} is not preserved");
        }
    }

    #[test]
    fn what_was_moved_aside_goes_when_its_first_name_is_taken_again() {
        let mut directory = directory(&["/z/keep~", "/z/x~", "/z/x"]);
        directory.moved_from = vec![("/z/keep~", "/z/keep"), ("/z/x~", "/z/keep")];
        directory.nobodys = vec!["/z/keep~", "/z/x~"];
        assert_eq!(is_scratch(b"/z/keep~", 0, &directory), None);
        directory.files.push(("/z/keep", 10));
        let required = Some(Preserve::Required);
        assert_eq!(is_scratch(b"/z/keep~", 0, &directory), required);
        assert_eq!(is_scratch(b"/z/x~", 0, &directory), required);
        directory.files.retain(|(name, _)| *name != "/z/keep");
        assert_eq!(
            is_scratch(b"/z/x~", 0, &directory),
            None,
            "a document as a backup of /z/x"
        );
    }

    #[test]
    fn what_changed_since_an_agent_made_it_is_preserved_if_possible() {
        for (proof, preserve) in [
            (Proof::Seen, Some(Preserve::IfChanged)),
            (Proof::Recorded, Some(Preserve::IfChanged)),
            (Proof::Changed, Some(Preserve::IfPossible)),
            (Proof::Doubtful, None),
        ] {
            assert_eq!(preserve_of_own(Standing::Own(proof)), preserve, "{proof:?}");
        }
        assert_eq!(preserve_of_own(Standing::Nobodys), None);
    }

    #[test]
    fn journals_go_with_an_open_database() {
        let mut directory = directory(&["/z/a.db", "/z/a.db-wal", "/z/a.db-journal"]);
        assert_eq!(is_scratch(b"/z/a.db-wal", 0, &directory), None);
        directory.open.push("/z/a.db");
        let required = Some(Preserve::Required);
        assert_eq!(is_scratch(b"/z/a.db-wal", 0, &directory), required);
        assert_eq!(is_scratch(b"/z/a.db-journal", 0, &directory), required);
        assert_eq!(is_scratch(b"/z/a.db", 0, &directory), None);
    }
}
