//! Directories that go away with their test: a workshop with the programs that all rows of a table
//! use, and a home for each row.

use super::program;
use super::users::User;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The guard and the test programs, where every user reaches them.
#[derive(Debug)]
pub(crate) struct Workshop {
    top: TempDir,
}

/// The home directory of one session.
#[derive(Debug)]
pub(crate) struct Home {
    dir: TempDir,
    user: User,
}

/// What is at and below a path: contents of files, targets of links.
pub(crate) type Tree = BTreeMap<PathBuf, Vec<u8>>;

// === impl Workshop ===

impl Workshop {
    /// Copies the guard, makes a shell called `codex`, and compiles `deeds` where there is a
    /// compiler.
    pub(crate) fn open() -> Self {
        Self::open_in(Path::new("/tmp"))
    }

    /// The same in a directory that everybody reaches.
    pub(crate) fn open_in(place: &Path) -> Self {
        let top = readable_directory(place);
        let tools = top.path().join("tools");
        fs::create_dir(&tools).unwrap();
        program::copy(
            env!("CARGO_BIN_EXE_codex-es-guard"),
            tools.join("codex-es-guard"),
        );
        program::copy("/bin/bash", tools.join("codex"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/deeds.c");
        let compiler = Command::new("gcc")
            .args(["-O1", "-Wall", "-Werror", "-pthread", "-o"])
            .arg(tools.join("deeds"))
            .arg(source)
            .status();
        assert!(
            compiler.is_err() || compiler.is_ok_and(|status| status.success()),
            "deeds.c"
        );
        Self { top }
    }

    /// Where the programs are.
    pub(crate) fn tools(&self) -> PathBuf {
        self.top.path().join("tools")
    }

    /// A fresh home with an empty directory `out`, a protected directory `zone` with the file
    /// `keep`, and the policy.
    pub(crate) fn home(&self, user: User, policy: &str) -> Home {
        let dir = readable_directory(self.top.path());
        user.own(dir.path());
        let home = Home { dir, user };
        home.directory(".codex");
        home.file(".codex/es_policy.json", policy);
        home.directory("out");
        home.directory("zone");
        home.file("zone/keep", "what must be kept\n");
        home
    }
}

// === impl Home ===

impl Home {
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn user(&self) -> User {
        self.user
    }

    /// What is at `path` within the home; nothing when there is nothing.
    pub(crate) fn tree(&self, path: &str) -> Tree {
        let mut tree = Tree::new();
        gather(&self.path().join(path), &mut tree);
        tree
    }

    fn directory(&self, name: &str) {
        let path = self.path().join(name);
        fs::create_dir(&path).unwrap();
        self.user.own(&path);
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        self.user.own(&path);
    }
}

fn readable_directory(parent: &Path) -> TempDir {
    tempfile::Builder::new()
        .prefix("es-guard-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(parent)
        .unwrap()
}

fn gather(path: &Path, tree: &mut Tree) {
    let Ok(found) = fs::symlink_metadata(path) else {
        return;
    };
    let content = if found.is_symlink() {
        fs::read_link(path)
            .unwrap()
            .into_os_string()
            .into_encoded_bytes()
    } else if found.is_file() {
        fs::read(path).unwrap()
    } else {
        Vec::new()
    };
    tree.insert(path.to_owned(), content);
    if found.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            gather(&entry.unwrap().path(), tree);
        }
    }
}
