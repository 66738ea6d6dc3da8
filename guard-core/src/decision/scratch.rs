//! What an agent may clear away as its own: what it made, and the scratch files of its editors.
//!
//! | what | proof |
//! |------|-------|
//! | a file, a link, a pipe or a socket that an agent made | [`is_claimed_object`] |
//! | a directory (an empty one: no other can be removed) | it was made after the agent started |
//! | a name that tools make beside the file they work on | a regular file made after the agent started, or a backup whose original is still beside it |
//!
//! A name alone proves nothing, and neither does a file's age: who saves a document may give it a
//! new inode. Birth times survive renames, so that a file which was moved to a scratch name keeps
//! its age. On a file system without birth times nothing is scratch.

use crate::actor::FactSource;
use crate::file::{FileFacts, FileKind};
use crate::glob::matches_name;
use crate::process::basename;

/// What shows that a file of this name is scratch.
#[derive(Clone, Copy, Debug)]
enum Proof {
    /// It was made after the agent started.
    Young,
    /// It ends in `~` and the file without it exists.
    OriginalBeside,
}

/// Whether the object at this path is the agent's own to remove.
pub(super) fn is_scratch<F: FactSource + ?Sized>(
    path: &[u8],
    agent_since_ns: u64,
    facts: &F,
) -> bool {
    is_editors(path, agent_since_ns, facts)
        || is_claimed_object(path, facts)
        || facts.file(path).is_some_and(|found| {
            found.kind == FileKind::Directory && found.is_younger_than(agent_since_ns)
        })
}

/// Whether the object at this path is the one that an agent was seen making. Its age alone proves
/// nothing: editors and version control give old documents new inodes.
pub(crate) fn is_claimed_object<F: FactSource + ?Sized>(path: &[u8], facts: &F) -> bool {
    facts.claimed_ns(path).is_some_and(|call_ns| {
        facts
            .file(path)
            .is_some_and(|found| found.kind.has_maker() && found.is_made_by_call_at(call_ns))
    })
}

/// Whether the file at this path is one that editors make and remove.
fn is_editors<F: FactSource + ?Sized>(path: &[u8], agent_since_ns: u64, facts: &F) -> bool {
    let name = basename(path);
    let Some((_, proof)) = SCRATCH_NAMES
        .iter()
        .find(|(pattern, _)| matches_name(pattern, name))
    else {
        return false;
    };
    let is_dated_file =
        |found: &FileFacts| found.kind == FileKind::Regular && found.born_ns.is_some();
    let Some(found) = facts.file(path).filter(is_dated_file) else {
        return false;
    };
    found.is_younger_than(agent_since_ns)
        || match proof {
            Proof::Young => false,
            Proof::OriginalBeside => path
                .strip_suffix(b"~")
                .is_some_and(|original| facts.file(original).is_some()),
        }
}

/// The patterns of names that editors give their scratch files.
pub fn scratch_names() -> impl Iterator<Item = &'static [u8]> {
    SCRATCH_NAMES.iter().map(|(pattern, _)| *pattern)
}

const SCRATCH_NAMES: &[(&[u8], Proof)] = &[
    // Claude Code's Edit and Write: FILE.tmp.PID.HEX, renamed over FILE (claude-code#60146).
    (b"?*.tmp.[0-9]*.[0-9a-f]*", Proof::Young),
    // Node's write-file-atomic and many others.
    (b"?*.tmp", Proof::Young),
    // Vim and Neovim: swap files (:help swap-file).
    (b".*.sw[a-p]", Proof::Young),
    // Vim: does this file system cut names short? (memline.c)
    (b".*.swx", Proof::Young),
    (b".*.swpx", Proof::Young),
    // Vim: may it write this directory? The next is 123 higher when one is taken (fileio.c).
    (b"4913", Proof::Young),
    (b"5036", Proof::Young),
    // Vim and Emacs: the file before this edit.
    (b"?*~", Proof::OriginalBeside),
    // Emacs: lock links are no regular files, but some systems make files of them; auto-save.
    (b".#*", Proof::Young),
    (b"#*#", Proof::Young),
    // GLib's g_file_replace (gedit, GNOME).
    (b".goutputstream-??????", Proof::Young),
    // GNU sed -i: sedXXXXXX by mkostemp; sed -i.bak.
    (b"sed??????", Proof::Young),
    (b"?*.bak", Proof::Young),
    // patch(1): the original, and the hunks that did not apply.
    (b"?*.orig", Proof::Young),
    (b"?*.rej", Proof::Young),
    // LibreOffice's lock.
    (b".~lock.*#", Proof::Young),
    // Lock files beside what they lock. Of two names only (`Cargo.lock`), it may be a package
    // manager's record of versions.
    (b".lock", Proof::Young),
    (b".?*.lock", Proof::Young),
    (b"?*.?*.lock", Proof::Young),
    // SQLite, after each transaction and after the last connection (tempfiles.html).
    (b"?*-journal", Proof::Young),
    (b"?*-wal", Proof::Young),
    (b"?*-shm", Proof::Young),
    // Python's tempfile module; mktemp(1).
    (b"tmp????????", Proof::Young),
    (b"tmp.??????????", Proof::Young),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{Actor, Attribution, ToolNames, ToolSet};
    use crate::file::FileIdentity;

    /// Some paths, and when the regular files there were born.
    struct Directory {
        files: Vec<(String, Option<u64>)>,
        names: ToolNames,
    }

    impl FactSource for Directory {
        fn actor(&self) -> Actor<'_> {
            Actor {
                key: crate::process::ProcessKey::default(),
                ppid: 0,
                uid: 0,
                executable: b"",
                argv0: b"",
                attribution: Attribution::Human,
                tools: ToolSet::default(),
                tool_names: &self.names,
            }
        }
        fn arguments(&self) -> Vec<u8> {
            Vec::new()
        }
        fn executable_changed_ns(&self) -> Option<u64> {
            None
        }
        fn file(&self, path: &[u8]) -> Option<FileFacts> {
            let (_, born_ns) = self
                .files
                .iter()
                .find(|(name, _)| name.as_bytes() == path)?;
            Some(FileFacts {
                kind: FileKind::Regular,
                born_ns: *born_ns,
                identity: FileIdentity::default(),
            })
        }
    }

    fn directory(files: &[(&str, Option<u64>)]) -> Directory {
        Directory {
            files: files
                .iter()
                .map(|(name, born_ns)| ((*name).to_owned(), *born_ns))
                .collect(),
            names: ToolNames::default(),
        }
    }

    #[test]
    fn young_files_with_scratch_names() {
        for (name, scratch) in [
            ("main.rs.tmp.4711.a1b2c3", true),
            ("x.tmp", true),
            (".tmp", false),
            (".main.rs.swp", true),
            (".main.rs.swx", true),
            (".main.rs.swpx", true),
            (".main.rs.swz", false),
            ("4913", true),
            ("#main.rs#", true),
            (".#main.rs", true),
            (".goutputstream-A1B2C3", true),
            ("sedAbC123", true),
            ("sedentary", true),
            ("sedan", false),
            ("notes.bak", true),
            (".lock", true),
            (".build.lock", true),
            ("index.json.lock", true),
            ("Cargo.lock", false),
            ("package-lock.json", false),
            ("app.db-journal", true),
            ("app.db-wal", true),
            ("app.db-shm", true),
            ("-wal", false),
            ("journal", false),
            ("tmpa1b2c3d4", true),
            ("tmp.A1b2C3d4E5", true),
            ("tmpl", false),
            ("main.rs", false),
            ("", false),
        ] {
            let path = format!("/z/{name}");
            let directory = directory(&[(&path, Some(10))]);
            assert_eq!(
                is_editors(path.as_bytes(), 9, &directory),
                scratch,
                "{name}"
            );
            assert!(
                !is_editors(path.as_bytes(), 10, &directory),
                "{name} is older"
            );
        }
    }

    #[test]
    fn backups_need_their_original() {
        let beside = directory(&[
            ("/z/a~", Some(10)),
            ("/z/a", Some(1)),
            ("/z/b~", Some(10)),
            ("/z/a.bak", Some(10)),
        ]);
        assert!(is_editors(b"/z/a~", 99, &beside));
        assert!(!is_editors(b"/z/b~", 99, &beside));
        assert!(!is_editors(b"/z/a.bak", 99, &beside));
        let undated = directory(&[("/z/a~", None), ("/z/a", None)]);
        assert!(!is_editors(b"/z/a~", 99, &undated));
    }
}
