//! What an agent may do to a person's files, and what a person must have again.
//!
//! Each row of [`ROWS`] is a loss that the guard lets happen, as public reports have it. An agent does
//! it in a guarded session; then a person types `codex-es-guard undo restore last --yes`, and every
//! file, link and directory that was in the zone before must be there as it was: bytes, mode, and
//! the time of its last change. A row of which nothing is lost proves nothing and fails. Tests that
//! root starts do all of it again as an ordinary user.

#![cfg(target_os = "linux")]
#![allow(dead_code, reason = "each test binary uses its part of the support")]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]
#![allow(clippy::needless_update, reason = "every row of the table ends alike")]

mod support {
    pub(crate) mod program;
    pub(crate) mod scratch;
    pub(crate) mod session;
    pub(crate) mod table;
    pub(crate) mod users;
}

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use support::scratch::{Home, Workshop};
use support::session::{self, Outcome, Who};
use support::table;
use support::users::User;

/// One loss.
struct Row {
    /// What is shown when it fails.
    name: &'static str,
    /// Programs without which it is left out, with a note.
    needs: &'static [&'static str],
    /// The policy.
    policy: &'static str,
    /// What makes the home ready; not guarded.
    setup: &'static str,
    /// What the agent does.
    deed: &'static str,
}

const ROW: Row = Row {
    name: "",
    needs: &[],
    policy: POLICY,
    setup: "",
    deed: "",
};

/// Whatever the machine that runs the tests has free on its disk.
const POLICY: &str = r#"{"protected_zones": ["~/zone"], "undo": {"min_free": 0}}"#;

/// Removals go on and are preserved.
const PRESERVE: &str =
    r#"{"protected_zones": ["~/zone"], "removals": "preserve", "undo": {"min_free": 0}}"#;

/// A repository with two commits and uncommitted work in `a` and `d/b`.
const REPOSITORY: &str = "cd zone; git init -q -b main; git config user.name a; git config user.email a@b; \
    mkdir d; echo v1 > a; echo v1 > d/b; git add .; git commit -qm one; echo v2 > a; git commit -qam two; \
    echo 'hours of work' > a; echo 'hours of work' > d/b; chmod 755 d/b; touch -d '2020-01-02 03:04:05.678' d/b; cd ..; ";

/// A file below directories with long names.
const LONG_PATH: &str = "cd zone; name=$(printf 'd%.0s' {1..200}); for n in $(seq 19); do mkdir $name; \
    cd $name; done; echo deep > $(printf 'f%.0s' {1..190})";

/// A database that a program has open until the agent is done.
const LIVE_DATABASE: &str = r#"python3 -c 'import sqlite3, os; d=sqlite3.connect("zone/a.db"); d.execute("pragma journal_mode=wal"); d.execute("create table t(x)"); d.commit(); d.execute("insert into t values(1)"); d.commit(); os._exit(0)'
    setsid python3 -c '
import sqlite3, os, time
d = sqlite3.connect("zone/a.db")
d.execute("select count(*) from t").fetchall()
open("out/open", "w")
for n in range(1200):
    if os.path.exists("out/done"): break
    time.sleep(0.05)
os._exit(0)' < /dev/null > /dev/null 2>&1 &
    while [ ! -e out/open ]; do sleep 0.05; done"#;

macro_rules! in_repository {
    ($setup:literal) => {
        concat!(
            "cd zone; git init -q -b main; git config user.name a; git config user.email a@b; ",
            "mkdir d; echo v1 > a; echo v1 > d/b; git add .; git commit -qm one; echo v2 > a; ",
            "git commit -qam two; echo 'hours of work' > a; echo 'hours of work' > d/b; cd ..; ",
            $setup
        )
    };
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // --- git throws away what was not committed. ---
    Row { name: "git checkout .", needs: &["git"], setup: REPOSITORY, deed: "git -C zone checkout -q -- .", ..ROW },
    Row { name: "git restore", needs: &["git"], setup: REPOSITORY, deed: "git -C zone restore d a", ..ROW },
    Row { name: "git reset --hard", needs: &["git"], setup: REPOSITORY, deed: "git -C zone reset -q --hard HEAD^", ..ROW },
    Row { name: "git checkout -f to another branch", needs: &["git"], setup: in_repository!("git -C zone branch old HEAD^"), deed: "git -C zone checkout -qf old", ..ROW },
    Row { name: "git stash drop", needs: &["git"], setup: in_repository!("git -C zone stash -q"), deed: "git -C zone stash drop -q", ..ROW },
    Row { name: "git stash clear", needs: &["git"], setup: in_repository!("git -C zone stash -q; echo x > zone/a; git -C zone stash -q"), deed: "git -C zone stash clear", ..ROW },
    Row { name: "git branch -D", needs: &["git"], setup: in_repository!("git -C zone branch kept HEAD^"), deed: "git -C zone branch -qD kept", ..ROW },
    Row { name: "git branch -D of a packed branch", needs: &["git"], setup: in_repository!("git -C zone branch kept HEAD^; git -C zone pack-refs --all"), deed: "git -C zone branch -qD kept", ..ROW },
    Row { name: "git rm -f", needs: &["git"], setup: REPOSITORY, deed: "git -C zone rm -qf a d/b", ..ROW },
    Row { name: "git worktree remove --force", needs: &["git"], setup: in_repository!("git -C zone worktree add -q wt -b w; echo draft > zone/wt/draft; echo more >> zone/wt/a"), deed: "git -C zone worktree remove --force wt; git -C zone update-ref -d refs/heads/w", ..ROW },
    Row { name: "git submodule deinit -f", needs: &["git"],
        setup: in_repository!("git init -q out/s; echo s > out/s/s; git -C out/s add .; git -C out/s -c user.name=a -c user.email=a@b commit -qm s; git -C zone -c protocol.file.allow=always submodule --quiet add ../out/s sub 2>&1; git -C zone commit -qm sub; echo hours > zone/sub/s; echo u > zone/sub/untracked"),
        deed: "git -C zone submodule --quiet deinit -f sub", ..ROW },
    Row { name: "git gc --prune=now", needs: &["git"], setup: in_repository!("echo lost | git -C zone hash-object -w --stdin > out/id"), deed: "git -C zone gc -q --prune=now", ..ROW },
    Row { name: "git checkout over an ignored file", needs: &["git"],
        setup: in_repository!("cd zone; git stash -q; git checkout -qb env; echo default > .env; git add -f .env; git commit -qm e; git checkout -q main; echo .env > .gitignore; git add .gitignore; git commit -qm i; echo secret > .env"),
        deed: "cd zone; git checkout -q env; git checkout -q main", ..ROW },
    Row { name: "git checkout over an ignored directory", needs: &["git"],
        setup: in_repository!("cd zone; git stash -q; git checkout -qb cached; echo c > cache; git add cache; git commit -qm c; git checkout -q main; echo cache > .gitignore; git add .gitignore; git commit -qm i; mkdir cache; echo precious > cache/p"),
        deed: "git -C zone checkout -q cached", ..ROW },
    Row { name: "git worktree remove with an ignored file", needs: &["git"],
        setup: in_repository!("cd zone; echo env > .gitignore; git add .; git commit -qm i; git worktree add -q wt -b w; echo secret > wt/env"),
        deed: "git -C zone worktree remove wt", ..ROW },
    Row { name: "git rm -f of what was never committed", needs: &["git"], setup: "git init -q zone; git -C zone add keep", deed: "git -C zone rm -qf keep", ..ROW },
    Row { name: "git rm -f with a repository elsewhere", needs: &["git"], setup: "git init -q out/r",
        deed: "cd zone; export GIT_WORK_TREE=. GIT_DIR=../out/r/.git; git add keep; git rm -qf keep", ..ROW },
    Row { name: "git commit --amend and reflog expire", needs: &["git"], setup: REPOSITORY, deed: "cd zone; git commit -q --amend -am worse; git reflog expire --expire=now --all", ..ROW },

    // --- Contents. ---
    Row { name: "a redirection", deed: "> zone/keep", ..ROW },
    Row { name: "a redirection with new contents", deed: "echo worse > zone/keep", ..ROW },
    Row { name: "appending", deed: "echo more >> zone/keep", ..ROW },
    Row { name: "cp over", setup: "echo v3 > zone/v3; chmod 640 zone/v3", deed: "cp zone/keep zone/v3", ..ROW },
    Row { name: "mv over from outside", setup: "echo new > out/new", deed: "mv out/new zone/keep", ..ROW },
    Row { name: "an atomic save", deed: "echo new > zone/keep.tmp; mv zone/keep.tmp zone/keep", ..ROW },
    Row { name: "two atomic saves", deed: "for n in 1 2; do echo $n > zone/keep.tmp; mv zone/keep.tmp zone/keep; done", ..ROW },
    Row { name: "sed -i", needs: &["sed"], deed: "sed -i s/kept/KEPT/ zone/keep", ..ROW },
    Row { name: "perl -i", needs: &["perl"], deed: "perl -i -pe s/kept/KEPT/ zone/keep", ..ROW },
    Row { name: "tee", deed: "echo x | tee zone/keep > out/copy", ..ROW },
    Row { name: "black", needs: &["black"], setup: "printf 'x = {  \"a\":1 }\\n' > zone/a.py", deed: "black -q zone/a.py", ..ROW },
    Row { name: "a hole punched", needs: &["fallocate"], deed: "fallocate -p -l 4 zone/keep", ..ROW },
    Row { name: "a range collapsed", needs: &["fallocate"], setup: "seq 9999 > zone/long", deed: "fallocate -c -o 0 -l 4096 zone/long || > zone/long", ..ROW },
    Row { name: "gcc that fails to link", needs: &["gcc"], setup: "echo 'int f(void); int main(void) { return f(); }' > out/a.c", deed: "! gcc -o zone/keep out/a.c", ..ROW },
    Row { name: "gcc whose assembler fails", needs: &["gcc"], setup: "echo '__asm__(\"no such thing\");' > out/a.c", deed: "! gcc -c -o zone/keep out/a.c", ..ROW },
    Row { name: "ftruncate", needs: &["python3"], deed: "python3 -c 'open(\"zone/keep\", \"r+\").truncate(2)'", ..ROW },
    Row { name: "a path of nearly 4,096 bytes", setup: LONG_PATH, deed: "cd zone; for n in $(seq 19); do cd d*; done; for f in f*; do > $f; done", ..ROW },
    Row { name: "dd", deed: "dd if=/dev/zero of=zone/keep bs=1 count=4 conv=notrunc status=none", ..ROW },
    Row { name: "truncate", deed: "truncate -s 3 zone/keep", ..ROW },
    Row { name: "tar over", needs: &["tar"], setup: "tar cf out/a.tar -C zone keep; echo newer > zone/keep", deed: "tar xf out/a.tar -C zone", ..ROW },
    Row { name: "unzip over", needs: &["unzip", "python3"], setup: "cd zone; python3 -m zipfile -c ../out/a.zip keep; echo newer > keep", deed: "unzip -qo out/a.zip -d zone", ..ROW },
    Row { name: "rsync over", needs: &["rsync"], setup: "mkdir out/m; echo mirror > out/m/keep", deed: "rsync -a --ignore-times out/m/ zone/", ..ROW },
    Row { name: "python open w", needs: &["python3"], deed: "python3 -c 'open(\"zone/keep\", \"w\")'", ..ROW },
    Row { name: "node writeFileSync", needs: &["node"], deed: "node -e 'require(\"fs\").writeFileSync(\"zone/keep\", \"x\")'", ..ROW },
    Row { name: "through a link", setup: "ln -s ../zone/keep out/link", deed: "echo x > out/link", ..ROW },
    Row { name: "ln -sf over a file", setup: "echo K=1 > zone/env", deed: "ln -sf ../shared zone/env", ..ROW },
    Row { name: "a sparse file of 5 GiB", needs: &["python3"], setup: "truncate -s 5G zone/disk; printf data | dd of=zone/disk bs=1M seek=4096 conv=notrunc status=none", deed: "echo x > zone/disk", ..ROW },
    Row { name: "250 files emptied", setup: "for n in $(seq 250); do echo $n > zone/$n; done", deed: "cd zone; for n in $(seq 250); do > $n; done", ..ROW },
    Row { name: "names of any bytes", setup: r"echo x > $'zone/\xff\xfe\n'", deed: r"echo y > $'zone/\xff\xfe\n'", ..ROW },

    // --- Databases. ---
    Row { name: "sqlite tables dropped", needs: &["python3"],
        setup: "python3 -c 'import sqlite3; d=sqlite3.connect(\"zone/dev.db\"); d.execute(\"create table t(x)\"); d.executemany(\"insert into t values(?)\", [(n,) for n in range(10)]); d.commit()'",
        deed: "python3 -c 'import sqlite3; d=sqlite3.connect(\"zone/dev.db\"); d.execute(\"drop table t\"); d.commit(); d.execute(\"vacuum\")'", ..ROW },
    Row { name: "sqlite in WAL mode", needs: &["python3"],
        setup: "python3 -c 'import sqlite3, os; d=sqlite3.connect(\"zone/a.db\"); d.execute(\"pragma journal_mode=wal\"); d.execute(\"create table t(x)\"); d.commit(); d.execute(\"insert into t values(1)\"); d.commit(); os._exit(0)'",
        deed: "python3 -c 'import sqlite3, os; d=sqlite3.connect(\"zone/a.db\"); d.execute(\"delete from t\"); d.commit(); os._exit(0)'", ..ROW },

    Row { name: "sqlite in WAL mode, open in a program of the person's", needs: &["python3"], setup: LIVE_DATABASE,
        deed: "python3 -c 'import sqlite3, os; d=sqlite3.connect(\"zone/a.db\"); d.execute(\"delete from t\"); d.commit(); os._exit(0)'; touch out/done", ..ROW },

    // --- Written slowly. ---
    Row { name: "a file written long after it was opened, and opened again", deed: "exec 3>>zone/keep; sleep 0.3; echo late >&3; echo again >> zone/keep; sleep 0.3; echo later >&3; exec 3>&-; echo once more >> zone/keep", ..ROW },
    Row { name: "a file that a child goes on writing", deed: "sh -c 'sleep 0.3; echo late' > zone/keep & wait; echo again >> zone/keep", ..ROW },

    // --- Other version control. ---
    Row { name: "hg revert and update", policy: PRESERVE, needs: &["hg"],
        setup: "cd zone; hg init; echo v1 > a; echo v1 > b; hg add -q a b; hg commit -qm one -u a; echo hours > a; echo hours > b",
        deed: "cd zone; hg revert -q --no-backup a; hg update -qC .", ..ROW },
    Row { name: "svn revert", needs: &["svn", "svnadmin"],
        setup: "svnadmin create out/r; svn checkout -q file://$PWD/out/r zone/w; cd zone/w; echo v1 > a; svn add -q a; svn commit -qm one; echo hours > a; rm -f .svn/wc.db-journal",
        deed: "svn revert -q zone/w/a", ..ROW },

    // --- Names. ---
    Row { name: "a batch rename", setup: "for n in $(seq 20); do echo $n > \"zone/photo $n.jpg\"; done", deed: "cd zone; n=100; for f in *.jpg; do mv \"$f\" img$n.jpg; n=$((n+1)); done", ..ROW },
    Row { name: "a directory renamed and changed below", setup: "mkdir -p zone/d/e; echo a > zone/d/a; echo b > zone/d/e/b", deed: "mv zone/d zone/new; echo x > zone/new/a; mv zone/new/e/b zone/new/b", ..ROW },
    Row { name: "log rotation", setup: "for f in log log.1 log.2; do echo $f > zone/$f; done", deed: "cd zone; mv -f log.1 log.2; mv -f log log.1", ..ROW },
    Row { name: "a backup over an older one", setup: "echo older > zone/keep~", deed: "mv zone/keep zone/keep~; echo new > zone/keep", ..ROW },

    Row { name: "a file moved aside while it is saved", deed: "mv zone/keep zone/keep.prev; echo new > zone/keep; rm zone/keep.prev", ..ROW },
    Row { name: "a file moved aside while it is saved atomically", deed: "mv zone/keep zone/keep.prev; echo new > zone/.part; mv zone/.part zone/keep; rm zone/keep.prev", ..ROW },
    Row { name: "a person's backup beside its original", setup: "echo older > zone/keep.bak", deed: "rm zone/keep.bak", ..ROW },
    Row { name: "an output that git does not track", needs: &["git"], setup: in_repository!("mkdir zone/dist; echo d > zone/dist/d"), deed: "rm -rf zone/dist", ..ROW },
    Row { name: "gzip", needs: &["gzip"], deed: "gzip zone/keep", ..ROW },
    Row { name: "zip -m", needs: &["zip"], deed: "zip -qm out/a.zip zone/keep", ..ROW },
    Row { name: "zip -d in a person's archive", needs: &["zip"], setup: "cd zone; zip -q a.zip keep; zip -q a.zip keep ../.codex/es_policy.json", deed: "zip -qd zone/a.zip keep", ..ROW },
    Row { name: "7z over a person's archive", needs: &["7z"], setup: "cd zone; 7z a -y a.7z keep > /dev/null; echo b > b", deed: "cd zone; 7z a -y a.7z b > /dev/null", ..ROW },
    Row { name: "git submodule deinit -f", needs: &["git"], setup: in_repository!("git init -q out/m; git -C out/m -c user.name=a -c user.email=a@b commit -q --allow-empty -m 1; git -C zone -c protocol.file.allow=always submodule --quiet add $PWD/out/m m; echo draft > zone/m/draft"), deed: "git -C zone submodule --quiet deinit -f m", ..ROW },
    Row { name: "hg update -C", needs: &["hg"], setup: "cd zone; hg init -q; hg add -q keep; hg commit -qm 1 -u a; echo more >> keep", deed: "cd zone; hg update -qC .", ..ROW },
    Row { name: "a rotated log, removed", setup: "for f in log log.1; do echo $f > zone/$f; done", deed: "rm zone/log.1", ..ROW },

    // --- Removals that the policy preserves. ---
    Row { name: "rm -rf", policy: PRESERVE, setup: "mkdir -p zone/d/e; echo a > zone/d/a; ln -s a zone/d/link; echo b > zone/d/e/b; chmod 700 zone/d/e; touch -d 2020-01-02 zone/d/e/b", deed: "rm -rf zone/d zone/keep", ..ROW },
    Row { name: "git clean", policy: PRESERVE, needs: &["git"], setup: in_repository!("mkdir zone/docs; echo d > zone/docs/d"), deed: "git -C zone clean -qfd", ..ROW },
    Row { name: "renames of kept files onto one name", policy: PRESERVE, setup: "for n in 1 2 3; do echo $n > zone/$n.jpg; done", deed: "cd zone; for n in 1 2 3; do mv $n.jpg all.jpg; done", ..ROW },
    Row { name: "rsync --delete", policy: PRESERVE, needs: &["rsync"], setup: "mkdir out/empty", deed: "rsync -a --delete out/empty/ zone/", ..ROW },
    Row { name: "python rmtree", policy: PRESERVE, needs: &["python3"], setup: "mkdir zone/d; echo a > zone/d/a", deed: "python3 -c 'import shutil; shutil.rmtree(\"zone/d\")'", ..ROW },
];

#[test]
fn what_agents_take_comes_back() {
    let workshop = Workshop::open();
    let mut cases = Vec::new();
    for user in User::all() {
        for (row, agent) in ROWS.iter().zip(Who::AGENTS.into_iter().cycle()) {
            cases.push((user, row, agent));
        }
    }
    table::run(&cases, |&(user, row, who)| {
        let home = workshop.home(user, row.policy);
        let name = format!("{} by {who:?} as {user}", row.name);
        if let Some(missing) = session::missing_program(&workshop, &home, row.needs) {
            return table::skip(&name, missing);
        }
        recovered(&workshop, &home, row, who).map_err(|complaint| format!("{name}: {complaint}"))
    });
}

/// Loses and restores, and says what is not as it was.
fn recovered(workshop: &Workshop, home: &Home, row: &Row, who: Who) -> Result<(), String> {
    let ready = session::unguarded(workshop, home, &format!("set -e; {}", row.setup));
    if !ready.status.success() {
        return Err(format!("not ready: {}", ready.output));
    }
    let before = picture(home);
    let lost = session::guarded(workshop, home, who, "", &format!("set -e; {}", row.deed));
    if !lost.status.success() || !lost.denials.is_empty() {
        return Err(format!("it was not let happen\n{lost:#?}"));
    }
    if missing(&before, &picture(home)).is_empty() {
        return Err(format!("nothing was lost\n{lost:#?}"));
    }
    let restored = undo(workshop, home, "restore last --yes");
    let still = missing(&before, &picture(home));
    if restored.status.success() && still.is_empty() {
        return Ok(());
    }
    let shown = undo(workshop, home, "show last").output;
    Err(format!("still lost: {still:#?}\n{restored:#?}\n{shown}"))
}

fn undo(workshop: &Workshop, home: &Home, arguments: &str) -> Outcome {
    let command = format!("\"$TOOLS/codex-es-guard\" undo {arguments}");
    session::unguarded(workshop, home, &command)
}

/// What was there before and is not now, or not as it was.
fn missing(before: &BTreeMap<PathBuf, String>, now: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let differs = |(path, was): (&PathBuf, &String)| {
        let is = now.get(path);
        (is != Some(was)).then(|| format!("{}: {was} is {is:?}", path.display()))
    };
    before.iter().filter_map(differs).collect()
}

/// Everything in the zone with its contents, mode and time.
fn picture(home: &Home) -> BTreeMap<PathBuf, String> {
    let mut into = BTreeMap::new();
    gather(&home.path().join("zone"), &mut into);
    into
}

fn gather(dir: &Path, into: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let found = entry.metadata().unwrap();
        let text = if found.is_dir() {
            gather(&path, into);
            format!("directory {:o}", found.mode())
        } else if found.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else {
            let contents = if found.len() > 1 << 20 {
                // A sparse file: what it takes and how long it is say enough with its time.
                format!("{} bytes", found.len())
            } else {
                fs::read(&path).unwrap().escape_ascii().to_string()
            };
            // git marks objects that it finds again as new.
            let is_object = path.to_string_lossy().contains("/.git/objects/");
            let time = (!is_object).then(|| (found.mtime(), found.mtime_nsec()));
            format!("{:o} {time:?} {contents}", found.mode())
        };
        into.insert(path, text);
    }
}

/// A person outside the session, who writes into an agent's file as soon as it is there.
const AT_ONCE: &str = "mkfifo out/go out/done; \
    (timeout 60 bash -c 'read go < out/go; echo mine >> zone/new; echo > out/done' > /dev/null 2>&1 &)";

#[test]
fn what_a_person_writes_at_once_into_an_agent_s_file_comes_back() {
    let make = "echo made > zone/new; echo go > out/go; cat out/done; ";
    for user in User::all() {
        let workshop = Workshop::open();
        let removed_by = [
            [&format!("{make} rm zone/new"), ""],
            [&format!("{make} mv zone/new zone/other; rm zone/other"), ""],
            [&format!("{make} echo more > zone/new"), ""],
            [make, "rm zone/new"],
        ];
        for deeds in removed_by {
            let home = workshop.home(user, POLICY);
            let ready = session::unguarded(&workshop, &home, AT_ONCE);
            assert!(ready.status.success(), "{ready:#?}");
            for deed in deeds.iter().filter(|deed| !deed.is_empty()) {
                let done = session::guarded(&workshop, &home, Who::Codex, "", deed);
                let is_denied = !done.status.success() || !done.denials.is_empty();
                assert!(!is_denied, "{deed}: {done:#?}");
            }
            let restored = undo(&workshop, &home, "restore last --yes");
            assert!(restored.status.success(), "{deeds:?}: {restored:#?}");
            let zone = home.path().join("zone");
            let found = ["new", "other"].map(|name| fs::read_to_string(zone.join(name)));
            let is_back =
                |text: &Result<String, _>| text.as_deref().is_ok_and(|text| text == "made\nmine\n");
            assert!(found.iter().any(is_back), "{deeds:?}: {found:?}");
        }
    }
}

#[test]
fn an_agent_neither_undoes_nor_touches_the_store() {
    for user in User::all() {
        let workshop = Workshop::open();
        let home = workshop.home(user, POLICY);
        let first = session::guarded(&workshop, &home, Who::Codex, "", "> zone/keep");
        assert!(first.status.success(), "{first:#?}");
        let deeds = [
            "\"$TOOLS/codex-es-guard\" undo restore last --yes",
            "rm -rf .codex/es-guard/undo",
            "for f in .codex/es-guard/undo/*/journal; do echo > $f; done",
            "mv .codex/es-guard/undo out/",
            // Nor does it read what is kept.
            "ls .codex/es-guard/undo",
            "cat .codex/es-guard/undo/*/objects/*",
            "cp -r .codex/es-guard/undo out/",
            "chmod u+r .codex/es-guard/undo; cat .codex/es-guard/undo/*/objects/*",
            "cd .codex/es-guard/undo; chmod 700 .; ls .",
            "exec 3< .codex/es-guard/undo && ls /proc/self/fd/3/",
            "ln -s ../.codex/es-guard/undo out/link; chmod 700 out/link",
        ];
        for deed in deeds {
            let tried = session::guarded(&workshop, &home, Who::Codex, "", deed);
            assert!(!tried.status.success(), "{deed}: {tried:#?}");
        }
        let restored = undo(&workshop, &home, "restore last --yes");
        assert!(restored.status.success(), "{restored:#?}");
        let keep = fs::read_to_string(home.path().join("zone/keep")).unwrap();
        assert_eq!(keep, "what must be kept\n");
    }
}

#[test]
fn removals_by_policy_spare_zones_and_the_guard_s_own() {
    for user in User::all() {
        let workshop = Workshop::open();
        let home = workshop.home(user, PRESERVE);
        let deeds = [
            "mv zone moved",
            "rm -rf zone",
            "mv \"$HOME\" \"$HOME.moved\"",
            "mv zone/sub out/",
            "rm -f .codex/es_policy.json",
            "rm -rf .codex/es-guard",
        ];
        for deed in deeds {
            let ready = session::unguarded(&workshop, &home, "mkdir -p zone/sub; touch zone/keep");
            assert!(ready.status.success(), "{ready:#?}");
            let tried = session::guarded(&workshop, &home, Who::Claude, "", deed);
            assert!(!tried.status.success(), "{deed}: {tried:#?}");
            assert!(home.path().join("zone").is_dir(), "{deed}");
            assert!(!home.path().join("out/sub").exists(), "{deed}");
            assert!(home.path().join(".codex/es_policy.json").exists(), "{deed}");
        }
    }
}

#[test]
fn a_discard_that_cannot_be_preserved_is_denied_and_an_edit_goes_on() {
    const TIGHT: &str = r#"{"protected_zones": ["~/zone"], "undo": {"max_bytes": 0}}"#;
    let workshop = Workshop::open();
    let home = workshop.home(User::all()[0], TIGHT);
    let ready = session::unguarded(&workshop, &home, &format!("set -e; {REPOSITORY}"));
    assert!(ready.status.success(), "{ready:#?}");
    let tried = session::guarded(
        &workshop,
        &home,
        Who::Claude,
        "",
        "git -C zone checkout -q -- a",
    );
    let reasons: Vec<_> = tried.denials.iter().map(|denial| denial.reason).collect();
    assert_eq!(reasons, ["unpreservable"], "{tried:#?}");
    let names_the_way_out = tried.output.contains("codex-es-guard undo prune");
    assert!(names_the_way_out, "{tried:#?}");
    let a = fs::read_to_string(home.path().join("zone/a")).unwrap();
    assert_eq!(a, "hours of work\n");
    let edit = session::guarded(&workshop, &home, Who::Claude, "", "echo x > zone/keep");
    assert!(
        edit.status.success() && edit.denials.len() == 1,
        "{edit:#?}"
    );
    let shown = undo(&workshop, &home, "show last").output;
    assert!(
        shown.contains("not preserved: the undo store is full"),
        "{shown}"
    );
    // Without undo, git is trusted as it is.
    const OFF: &str = r#"{"protected_zones": ["~/zone"], "undo": false}"#;
    fs::write(home.path().join(".codex/es_policy.json"), OFF).unwrap();
    let passed = session::guarded(
        &workshop,
        &home,
        Who::Claude,
        "",
        "git -C zone checkout -q -- a",
    );
    assert!(passed.status.success(), "{passed:#?}");
}

#[test]
fn a_guard_killed_in_the_middle_leaves_what_it_kept() {
    let workshop = Workshop::open();
    let home = workshop.home(User::all()[0], POLICY);
    let ready = "for n in $(seq 50); do echo $n > zone/$n; done";
    assert!(session::unguarded(&workshop, &home, ready).status.success());
    let deed = "exec 2> /dev/null; for n in $(seq 50); do > zone/$n; \
                [ $n = 20 ] && kill -9 $GUARD; done; exit 0";
    session::guarded(&workshop, &home, Who::Codex, "", deed);
    let restored = undo(&workshop, &home, "restore last --yes");
    let mut whole = 0;
    for number in 1..=50 {
        let text = fs::read_to_string(home.path().join(format!("zone/{number}"))).unwrap();
        whole += usize::from(text == format!("{number}\n"));
    }
    assert!(whole >= 20, "{whole} of 50\n{restored:#?}");
}
