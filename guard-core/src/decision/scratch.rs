//! What an agent may clear away as its own: what it made, and the scratch files of its editors.
//!
//! | what | proof |
//! |------|-------|
//! | a file that an agent was seen making | [`FactSource::made_here`] |
//! | a directory (an empty one: no other can be removed) | it was made after the agent started |
//! | a name that tools make beside the file they work on | a regular file made after the agent started, or a backup whose original still stands beside it |
//!
//! A name alone proves nothing, and neither does a file's age: who saves a document may give it a
//! new inode. Birth times survive renames, so that a file which was moved to a scratch name keeps
//! its age.

use crate::actor::FactSource;
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

/// Whether what stands at this path is the agent's own to remove.
pub(super) fn is_scratch<W: FactSource + ?Sized>(
    path: &[u8],
    agent_since_ns: u64,
    facts: &W,
) -> bool {
    is_editors(path, agent_since_ns, facts)
        || facts.made_here(path)
        || facts
            .directory_born_ns(path)
            .is_some_and(|born_ns| born_ns > agent_since_ns)
}

/// Whether the file at this path is one that editors make and remove.
fn is_editors<W: FactSource + ?Sized>(path: &[u8], agent_since_ns: u64, facts: &W) -> bool {
    let name = basename(path);
    let Some((_, proof)) = SCRATCH_NAMES
        .iter()
        .find(|(pattern, _)| matches_name(pattern, name))
    else {
        return false;
    };
    let Some(born_ns) = facts.regular_file_born_ns(path) else {
        return false;
    };
    born_ns > agent_since_ns
        || match proof {
            Proof::Young => false,
            Proof::OriginalBeside => path
                .strip_suffix(b"~")
                .is_some_and(|original| facts.exists(original)),
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

    /// Files were born at 10; `exists` says what stands.
    struct Directory {
        born_ns: Option<u64>,
        exists: &'static [&'static str],
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
        fn regular_file_born_ns(&self, _: &[u8]) -> Option<u64> {
            self.born_ns
        }
        fn exists(&self, path: &[u8]) -> bool {
            self.exists.iter().any(|name| name.as_bytes() == path)
        }
    }

    fn directory(born_ns: Option<u64>, exists: &'static [&'static str]) -> Directory {
        Directory {
            born_ns,
            exists,
            names: ToolNames::default(),
        }
    }

    #[test]
    fn young_files_with_scratch_names() {
        let directory = directory(Some(10), &[]);
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
        let beside = directory(Some(10), &["/z/a"]);
        assert!(is_editors(b"/z/a~", 99, &beside));
        assert!(!is_editors(b"/z/b~", 99, &beside));
        assert!(
            !is_editors(b"/z/a~", 99, &directory(None, &["/z/a"])),
            "no regular file"
        );
        assert!(!is_editors(
            b"/z/a.bak",
            99,
            &directory(Some(10), &["/z/a"])
        ));
    }
}
