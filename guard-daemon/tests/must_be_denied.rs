//! What an agent must not get done, and a person must.
//!
//! Each row of [`ROWS`] is a deed. It is done twice in a fresh home, in the same kind of session: by
//! an agent, and then what the row keeps must be as it was, the program must get EPERM, and the
//! ring must hold a denial that names the path; and by a person, and then the deed must succeed.
//! Tests that root starts do all of it again as an ordinary user.
//!
//! To add a row, name the deed and give the script; the rest has defaults ([`ROW`]). Scripts run in
//! the home, where `zone` is protected and holds the file `keep`, and `out` is not. Before the deed
//! come up to three stages: a person's, an agent's in an earlier session, and a person's since.

#![cfg(target_os = "linux")]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support {
    pub(crate) mod program;
    pub(crate) mod scratch;
    pub(crate) mod session;
    pub(crate) mod table;
    pub(crate) mod users;
}

use support::scratch::{Home, Workshop};
use support::session::{self, Outcome, Who};
use support::table;
use support::users::User;

/// One deed.
struct Row {
    /// What is shown when it fails.
    name: &'static str,
    /// Programs without which it is left out, with a note.
    needs: &'static [&'static str],
    /// Whether only root can do it.
    root_only: bool,
    /// The policy.
    policy: &'static str,
    /// What a person did before; not guarded.
    person: &'static str,
    /// What an agent did in a session before.
    yesterday: &'static str,
    /// What a person did since then; not guarded.
    since: &'static str,
    /// A shell command that starts the session by running its arguments.
    around: &'static str,
    /// The deed.
    deed: &'static str,
    /// What must be as it was after an agent's deed, and must not after a person's.
    keeps: &'static str,
    /// The path that the denial names, `keeps` if empty. `$GUARD` is the guard's process.
    denied: &'static str,
    /// Why.
    reason: &'static str,
    /// What the program says of it, in lower case.
    says: &'static str,
    by_human: ByHuman,
}

/// What comes of a person's deed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ByHuman {
    /// It is done.
    Done,
    /// The guard lets it pass; what comes of it is the kernel's business.
    Passes,
    /// No person can do it: the script turns itself into an agent.
    Impossible,
}

const ROW: Row = Row {
    name: "",
    needs: &[],
    root_only: false,
    policy: r#"{"protected_zones": ["~/zone"]}"#,
    person: "",
    yesterday: "",
    since: "",
    around: "",
    deed: "",
    keeps: "zone/keep",
    denied: "",
    reason: "agent_in_zone",
    says: "operation not permitted",
    by_human: ByHuman::Done,
};

/// The reason for a process whose parents may be gone before the guard learns of it. Whose it was is
/// not known then; that there is an agent in the session is.
const ORPHAN: &str = "unknown_lineage";

/// A policy that judges everything that can be judged.
const STRICT: &str = r#"{
    "protected_zones": ["~/zone"],
    "operations": ["unlink", "rename", "truncate", "exchange", "link"]
}"#;

/// A person outside the session, who on a signal saves a document that was written before.
const OUTSIDE: &str = "mkfifo out/go out/done; cp zone/keep out/saved; \
    (timeout 600 bash -c 'read go < out/go; mv out/saved zone/keep; echo > out/done' > /dev/null 2>&1 &)";

/// A person in the session, who on a signal saves a document as a new file. The session's shell
/// is the first to read this.
const INSIDE: &str = r#"mkfifo out/go out/done; echo '
    if mkdir out/started 2> /dev/null; then
        (read go < out/go; cat zone/other zone/keep | grep -m 1 kept > zone/saved
        mv zone/saved zone/keep; echo > out/done) > /dev/null 2>&1 &
    fi' > out/person"#;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // --- Programs that people and agents use. ---
    Row { name: "rm", deed: "rm zone/keep", ..ROW },
    Row { name: "rm -rf of the zone", deed: "rm -rf zone", ..ROW },
    Row { name: "rm -rf of the zone's content", deed: "rm -rf zone/*", ..ROW },
    Row { name: "unlink(1)", deed: "unlink zone/keep", ..ROW },
    Row { name: "rmdir", person: "mkdir zone/empty", deed: "rmdir zone/empty", keeps: "zone/empty", ..ROW },
    Row { name: "find -delete", deed: "find zone -type f -delete", ..ROW },
    Row { name: "find -exec", deed: "find zone -type f -exec rm {} +", ..ROW },
    Row { name: "xargs", deed: "echo zone/keep | xargs rm", ..ROW },
    Row { name: "mv out of the zone", deed: "mv zone/keep out/", ..ROW },
    Row { name: "mv over another kept file", person: "echo other > zone/other", deed: "mv zone/other zone/keep", denied: "zone/other", ..ROW },
    Row { name: "node renameSync over another kept file", needs: &["node"], person: "echo other > zone/other",
        deed: "node -e 'require(\"fs\").renameSync(\"zone/other\", \"zone/keep\")'", denied: "zone/other", ..ROW },
    Row { name: "mv of the zone", deed: "mv zone elsewhere", keeps: "zone", ..ROW },
    Row { name: "mv of the zone's parent", policy: r#"{"protected_zones": ["~/out/a/zone"]}"#,
        person: "mkdir -p out/a/zone; touch out/a/zone/keep", deed: "mv out/a out/b", keeps: "out/a", ..ROW },
    Row { name: "a directory renamed over the empty zone", person: "rm zone/keep; mkdir out/dir",
        deed: "mv -T out/dir zone", keeps: "out/dir", ..ROW },
    Row { name: "what was compiled over a document", needs: &["gcc"], person: "echo 'int a;' > out/a.c; cd out; gcc -c -o ../zone/keep a.c",
        deed: "cd out; gcc -c -o ../zone/keep a.c; rm ../zone/keep", ..ROW },
    Row { name: "a document's second name", person: "ln zone/keep zone/second", deed: "rm zone/second", keeps: "zone/second", ..ROW },
    Row { name: "the second name that it gave a document", deed: "ln zone/keep zone/second; rm zone/second; rm zone/keep", ..ROW },
    Row { name: "tar --remove-files", needs: &["tar"], deed: "tar cf out/a.tar --remove-files zone/keep", ..ROW },
    Row { name: "tar that restores an incremental archive", needs: &["tar"],
        person: "mkdir out/s; mkdir out/s/zone; echo x > out/s/zone/other; tar -C out/s -g out/snar -cf out/i.tar zone",
        deed: "tar -xGf out/i.tar", says: "cannot remove", ..ROW },
    Row { name: "tar with options in the environment", needs: &["tar"], deed: "TAR_OPTIONS=--remove-files tar cf out/a.tar zone/keep", ..ROW },
    Row { name: "code preloaded into git", needs: &["git", "gcc"], by_human: ByHuman::Passes,
        person: "printf '#include <unistd.h>\\n__attribute__((constructor)) static void f(void) { unlink(\\\"zone/keep\\\"); }\\n' > out/x.c; \
            gcc -shared -fPIC -o out/x.so out/x.c",
        deed: "LD_PRELOAD=$HOME/out/x.so git --version", says: "", ..ROW },
    Row { name: "rsync --delete", needs: &["rsync"], deed: "rsync -r --delete out/ zone/", ..ROW },
    Row { name: "gzip, and rm of the copy", needs: &["gzip"], deed: "gzip zone/keep; rm zone/keep.gz || gunzip zone/keep.gz", denied: "zone/keep.gz", ..ROW },
    Row { name: "rsync --delete", needs: &["rsync"], deed: "mkdir out/e; rsync -a --delete out/e/ zone/", ..ROW },
    Row { name: "hg purge", needs: &["hg"], person: "hg init -q zone", deed: "cd zone; hg --config extensions.purge= purge --all --no-confirm || hg --config extensions.purge= purge --all", says: "", ..ROW },
    Row { name: "npm run clean of a dist that no repository has", needs: &["npm"],
        person: "mkdir zone/dist; echo d > zone/dist/d; echo '{\"scripts\": {\"clean\": \"rm -rf dist\"}}' > zone/package.json",
        deed: "cd zone; npm run --silent clean", keeps: "zone/dist", denied: "zone/dist/d", ..ROW },
    Row { name: "busybox rm", needs: &["busybox"], deed: "busybox rm zone/keep", ..ROW },
    Row { name: "shred -u", policy: STRICT, deed: "shred -n 0 -u zone/keep", ..ROW },
    Row { name: "truncate", policy: STRICT, deed: "truncate -s 0 zone/keep", ..ROW },
    Row { name: "redirection over a file", policy: STRICT, deed: ": > zone/keep", ..ROW },
    Row { name: "a second name outside", policy: STRICT, person: "echo x > zone/keep",
        deed: "ln zone/keep out/second && rm zone/keep", ..ROW },
    Row { name: "a second name, and the first removed", deed: "ln zone/keep out/second; rm zone/keep", ..ROW },

    // --- What seems to be made by the agent. ---
    Row { name: "a document saved again by the agent", deed: "cat zone/keep > zone/new; mv zone/new zone/keep; rm zone/keep", ..ROW },
    Row { name: "a document saved again as Claude Code does",
        deed: "t=zone/keep.tmp.$$.19a2b3c4d5; cat zone/keep > $t; mv $t zone/keep; rm zone/keep", ..ROW },
    Row { name: "a document saved again by a person outside the session", person: OUTSIDE,
        deed: "echo go > out/go; cat out/done; rm zone/keep", ..ROW },
    Row { name: "a document saved by a person outside over a file of the agent's", person: OUTSIDE,
        deed: "mv zone/keep zone/other; echo mine > zone/keep; echo go > out/go; cat out/done; rm zone/keep", ..ROW },
    Row { name: "a document saved again by the person in the session", person: INSIDE, around: "env BASH_ENV=$HOME/out/person",
        deed: "echo go > out/go; cat out/done; rm zone/keep", ..ROW },
    Row { name: "a document saved by the person in the session over a file of the agent's", person: INSIDE,
        around: "env BASH_ENV=$HOME/out/person",
        deed: "mv zone/keep zone/other; echo mine > zone/keep; echo go > out/go; cat out/done; rm zone/keep", ..ROW },
    Row { name: "a document that git made again", needs: &["git"],
        person: "git config --global user.name a; git config --global user.email a@b; cd zone; git init -q; git add .; \
            git commit -qm one; git checkout -qb other; git rm -q keep; git commit -qm other; git checkout -q -",
        deed: "cd zone; git checkout -q other; git checkout -q -; rm keep", ..ROW },
    Row { name: "a document that git made again in place of a file of the agent's", needs: &["git"],
        person: "git config --global user.name a; git config --global user.email a@b; cd zone; git init -q; git add .; git commit -qm one",
        deed: "cd zone; mv keep other; echo mine > keep; git checkout -q -f; rm keep", ..ROW },
    Row { name: "what was unpacked over a document", needs: &["tar"], person: "tar cf out/a.tar -C zone keep",
        deed: "tar xf out/a.tar -C zone; rm zone/keep", ..ROW },
    Row { name: "what was copied over a document", person: "cp -a zone/keep out/n",
        deed: "cp -a --remove-destination out/n zone/keep; mv zone/keep zone/other; mv zone/other zone/keep; rm zone/keep", ..ROW },
    Row { name: "cp --remove-destination where contents are judged",
        policy: r#"{"protected_zones": ["~/zone"], "operations": ["unlink", "rename", "truncate"]}"#,
        deed: "cp --remove-destination /dev/null zone/keep", ..ROW },
    Row { name: "a document moved to a new name", deed: "mv zone/keep zone/new; rm zone/new || mv zone/new zone/keep",
        denied: "zone/new", ..ROW },
    Row { name: "a document moved to an editor's scratch name",
        deed: "mv zone/keep zone/new.tmp; rm zone/new.tmp || mv zone/new.tmp zone/keep", denied: "zone/new.tmp", ..ROW },
    Row { name: "a document moved over a file of the agent's",
        deed: "echo mine > zone/new; mv zone/keep zone/new; rm zone/new || mv zone/new zone/keep", denied: "zone/new", ..ROW },
    Row { name: "a document linked over a file of the agent's", deed: "echo mine > zone/new; ln -f zone/keep zone/new; rm zone/keep", ..ROW },
    Row { name: "a document swapped with a file of the agent's", needs: &["deeds"],
        deed: "echo mine > zone/new; deeds exchange zone/keep zone/new; rm zone/new || deeds exchange zone/keep zone/new",
        denied: "zone/new", ..ROW },
    Row { name: "an empty directory moved to a new name", person: "mkdir zone/empty",
        deed: "mv zone/empty zone/new; rmdir zone/new || mv zone/new zone/empty", keeps: "zone/empty", denied: "zone/new", ..ROW },

    // --- What an agent made in an earlier session, and a person has in hand since. ---
    Row { name: "what a person wrote into since", yesterday: "echo a > zone/made", since: "echo b >> zone/made", deed: "rm zone/made", keeps: "zone/made", ..ROW },
    Row { name: "what a person saved again since", yesterday: "echo a > zone/made", since: "echo b > out/n; mv out/n zone/made", deed: "rm zone/made", keeps: "zone/made", ..ROW },
    Row { name: "what a person renamed since", yesterday: "echo a > zone/made", since: "mv zone/made zone/report", deed: "rm zone/report", keeps: "zone/report", ..ROW },
    Row { name: "a tree that a person renamed since", yesterday: "mkdir zone/d; echo a > zone/d/a", since: "mv zone/d zone/reports", deed: "rm -rf zone/reports", keeps: "zone/reports", denied: "zone/reports/a", ..ROW },
    Row { name: "what a person copied since", yesterday: "echo a > zone/made", since: "cp -a zone/made zone/copy", deed: "rm zone/copy", keeps: "zone/copy", ..ROW },
    Row { name: "what a person touched since", yesterday: "echo a > zone/made", since: "touch zone/made", deed: "rm zone/made", keeps: "zone/made", ..ROW },
    Row { name: "what a person made executable since, where nothing is preserved", policy: r#"{"protected_zones": ["~/zone"], "undo": false}"#,
        yesterday: "echo a > zone/made", since: "chmod 700 zone/made", deed: "rm zone/made", keeps: "zone/made", ..ROW },
    Row { name: "a person's note in yesterday's tree", yesterday: "mkdir zone/d; echo a > zone/d/a", since: "echo n > zone/d/note", deed: "rm zone/d/note; rm -rf zone/d",
        keeps: "zone/d/note", ..ROW },
    Row { name: "yesterday's tree with a person's note, moved out", yesterday: "mkdir zone/d; echo a > zone/d/a", since: "echo n > zone/d/note", deed: "mv zone/d out/",
        keeps: "zone/d", ..ROW },
    Row { name: "a document over yesterday's file", yesterday: "echo a > zone/made", deed: "mv zone/keep zone/made; rm zone/made || mv zone/made zone/keep", denied: "zone/made", ..ROW },

    // --- Places that only seem to be made again. ---
    Row { name: "a document moved into node_modules", person: "mkdir zone/node_modules; echo {} > zone/package.json",
        deed: "mv zone/keep zone/node_modules/; rm zone/node_modules/keep || mv zone/node_modules/keep zone/", denied: "zone/node_modules/keep", ..ROW },
    Row { name: "documents called node_modules", person: "mkdir zone/docs; echo d > zone/docs/d; echo {} > zone/package.json",
        deed: "mv zone/docs zone/node_modules; rm -rf zone/node_modules || mv zone/node_modules zone/docs", keeps: "zone/docs", denied: "zone/node_modules/d", ..ROW },
    Row { name: "documents beside a marker of the agent's", person: "mkdir zone/docs; echo d > zone/docs/d",
        deed: "touch zone/docs/pyvenv.cfg; rm zone/docs/d; rm zone/docs/pyvenv.cfg", keeps: "zone/docs", denied: "zone/docs/d", ..ROW },
    Row { name: "documents beside a marker that was moved there", person: "mkdir zone/docs; echo d > zone/docs/d",
        deed: "mv zone/keep zone/docs/pyvenv.cfg; rm zone/docs/d; mv zone/docs/pyvenv.cfg zone/keep", keeps: "zone/docs", denied: "zone/docs/d", ..ROW },
    Row { name: "node_modules without package.json", person: "mkdir zone/node_modules; echo d > zone/node_modules/d", deed: "rm -rf zone/node_modules", keeps: "zone/node_modules", denied: "zone/node_modules/d", ..ROW },
    Row { name: "a project with a build in its sources", person: "touch zone/CMakeLists.txt zone/CMakeCache.txt; mkdir zone/p; touch zone/p/CMakeLists.txt zone/p/CMakeCache.txt; echo a > zone/p/a.c",
        deed: "rm zone/p/a.c", keeps: "zone/p", denied: "zone/p/a.c", ..ROW },
    Row { name: "an output's name without a repository", person: "mkdir zone/build; echo icon > zone/build/icon", deed: "rm -rf zone/build", keeps: "zone/build", denied: "zone/build/icon", ..ROW },
    Row { name: "an output that git tracks", needs: &["git"], person: "mkdir zone/dist; echo d > zone/dist/d; cd zone; git init -q; git add dist", deed: "rm -rf zone/dist", keeps: "zone/dist", denied: "zone/dist/d", ..ROW },

    // --- Backups and names of editors. ---
    Row { name: "a document as the backup of another file", deed: "mv zone/keep zone/x~; touch zone/x; rm zone/x~ || mv zone/x~ zone/keep", denied: "zone/x~", ..ROW },
    Row { name: "a document moved to a backup's name", deed: "mv zone/keep zone/keep.bak; rm zone/keep.bak || mv zone/keep.bak zone/keep", denied: "zone/keep.bak", ..ROW },
    Row { name: "a backup without its original", person: "echo b > zone/gone.bak", deed: "rm zone/gone.bak", keeps: "zone/gone.bak", ..ROW },
    Row { name: "the journal of a database that it has not open", person: "echo a > zone/a.db; echo b > zone/a.db-wal", deed: "rm zone/a.db-wal", keeps: "zone/a.db-wal", ..ROW },
    Row { name: "a person's file with an editor's name", person: "echo a > zone/doc.tmp; echo b > zone/.doc.swp", deed: "rm zone/doc.tmp zone/.doc.swp", keeps: "zone/doc.tmp", ..ROW },

    // --- Interpreters. ---
    Row { name: "perl unlink", needs: &["perl"],
        deed: "perl -e 'unlink \"zone/keep\" or die \"$!\\n\"'", ..ROW },
    Row { name: "python os.remove", needs: &["python3"],
        deed: "python3 -c 'import os; os.remove(\"zone/keep\")'", ..ROW },
    Row { name: "python shutil.rmtree", needs: &["python3"],
        deed: "python3 -c 'import shutil; shutil.rmtree(\"zone\")'", ..ROW },
    Row { name: "python pathlib", needs: &["python3"],
        deed: "python3 -c 'import pathlib; pathlib.Path(\"zone/keep\").unlink()'", ..ROW },
    Row { name: "python os.rename", needs: &["python3"],
        deed: "python3 -c 'import os; os.rename(\"zone/keep\", \"out/keep\")'", ..ROW },
    Row { name: "python dir_fd", needs: &["python3"],
        deed: "python3 -c 'import os; os.unlink(\"keep\", dir_fd=os.open(\"zone\", os.O_RDONLY))'", ..ROW },
    Row { name: "a python script in a thread", needs: &["python3"],
        person: "printf 'import os, threading\\nt = threading.Thread(target=os.remove, args=(\"zone/keep\",))\\nt.start()\\nt.join()\\n' > out/t.py",
        deed: "python3 out/t.py", ..ROW },
    Row { name: "node fs.rmSync", needs: &["node"],
        deed: "node -e 'require(\"fs\").rmSync(\"zone\", {recursive: true})'", ..ROW },
    Row { name: "node fs.promises.rm", needs: &["node"],
        deed: "node -e 'require(\"fs\").promises.rm(\"zone/keep\")'", ..ROW },
    Row { name: "node fs.unlinkSync", needs: &["node"],
        deed: "node -e 'require(\"fs\").unlinkSync(\"zone/keep\")'", ..ROW },
    Row { name: "node fs.renameSync", needs: &["node"],
        deed: "node -e 'require(\"fs\").renameSync(\"zone/keep\", \"out/keep\")'", ..ROW },

    // --- Compiled programs and bare system calls. ---
    Row { name: "unlink(2)", needs: &["deeds"], deed: "deeds unlink zone/keep", ..ROW },
    Row { name: "rename(2)", needs: &["deeds"], deed: "deeds rename zone/keep out/keep", ..ROW },
    Row { name: "syscall(SYS_unlinkat)", needs: &["deeds"], deed: "deeds raw zone/keep", ..ROW },
    #[cfg(target_arch = "x86_64")]
    Row { name: "the 32-bit call table", needs: &["deeds"], deed: "deeds int80 zone/keep", ..ROW },
    Row { name: "a C thread", needs: &["deeds"], deed: "deeds thread zone/keep", ..ROW },
    Row { name: "RENAME_EXCHANGE out of the zone", needs: &["deeds"], person: "touch out/empty",
        deed: "deeds exchange zone/keep out/empty", ..ROW },
    Row { name: "RENAME_EXCHANGE into the zone", needs: &["deeds"], person: "touch out/empty",
        deed: "deeds exchange out/empty zone/keep", denied: "out/empty", ..ROW },
    Row { name: "chroot", needs: &["deeds"], root_only: true, deed: "deeds chroot zone /keep", ..ROW },

    // --- Other ways to write the path. ---
    Row { name: "a relative path", deed: "cd zone && rm keep", ..ROW },
    Row { name: "dots", person: "mkdir -p zone/a/b", deed: "cd zone/a/b && rm ../.././../zone/keep", ..ROW },
    Row { name: "doubled slashes", deed: "rm \"//$HOME///zone//keep\"", ..ROW },
    Row { name: "a link to the zone", person: "ln -s ../zone out/link", deed: "rm out/link/keep", ..ROW },
    Row { name: "a link made by the agent", deed: "ln -s ../zone out/link; rm -rf out/link/", ..ROW },
    Row { name: "a link within the zone", person: "ln -s keep zone/link", deed: "rm zone/link", keeps: "zone/link", ..ROW },
    Row { name: "/proc/self/cwd", deed: "cd zone && rm /proc/self/cwd/keep", ..ROW },
    Row { name: "/proc/self/fd", deed: "exec 3< zone; rm /proc/self/fd/3/keep", ..ROW },
    Row { name: "/dev/fd", deed: "exec 3< zone; rm /dev/fd/3/keep", ..ROW },
    Row { name: "/proc/PID/root", deed: "rm /proc/$$/root/\"$HOME\"/zone/keep", ..ROW },
    Row { name: "/proc/PID/cwd of another", deed: "rm /proc/$PPID/cwd/zone/keep", ..ROW },
    Row { name: "a bind mount made before", root_only: true, person: "mkdir out/mount",
        around: "unshare -m sh -c 'mount --bind zone out/mount; exec \"$@\"' sh",
        deed: "rm out/mount/keep", ..ROW },
    Row { name: "a bind mount of a parent made before", root_only: true, person: "mkdir out/mount",
        around: "unshare -m sh -c 'mount --bind . out/mount; exec \"$@\"' sh",
        deed: "rm out/mount/zone/keep", ..ROW },
    Row { name: "a bind mount made by the agent", root_only: true, person: "mkdir out/mount",
        around: "unshare -m", deed: "mount --bind zone out/mount; rm out/mount/keep", ..ROW },
    Row { name: "a bind mount in a new namespace", root_only: true, person: "mkdir out/mount",
        deed: "unshare -m sh -c 'mount --bind zone out/mount; rm out/mount/keep'", ..ROW },
    Row { name: "a user namespace", needs: &["unshare"], deed: "unshare -r rm zone/keep", ..ROW },

    // --- Other ways to run the program. ---
    Row { name: "sh -c exec", deed: "sh -c 'exec rm zone/keep'", ..ROW },
    Row { name: "an empty environment", deed: "env -i /bin/rm zone/keep", ..ROW },
    Row { name: "nohup", deed: "nohup rm zone/keep", ..ROW },
    Row { name: "setsid", deed: "setsid rm zone/keep", ..ROW },
    Row { name: "in the background", deed: "rm zone/keep & wait", ..ROW },
    Row { name: "left behind in the background", deed: "(rm zone/keep &)", reason: ORPHAN, ..ROW },
    Row { name: "an orphaned daemon", needs: &["deeds"], deed: "deeds orphan zone/keep",
        reason: ORPHAN, ..ROW },
    Row { name: "an orphan below a person's subreaper", needs: &["deeds"], by_human: ByHuman::Impossible,
        deed: "deeds subreaper $TOOLS/codex -c 'deeds orphan zone/keep; true'", reason: ORPHAN, ..ROW },
    Row { name: "an orphan that a shell left to a person's subreaper", needs: &["deeds"], by_human: ByHuman::Impossible,
        deed: "deeds subreaper $TOOLS/codex -c '( ( read then < /proc/uptime; rm zone/keep ) & ); true'", reason: ORPHAN, ..ROW },
    Row { name: "an orphan in a person's PID namespace", root_only: true, needs: &["deeds"], by_human: ByHuman::Impossible,
        deed: "unshare -pf bash -c '$TOOLS/codex -c \"deeds orphan zone/keep; true\" 2>&1 | cat'", reason: ORPHAN, ..ROW },
    Row { name: "make, outside its scope", needs: &["make"], person: "printf 'all:\\n\\trm ../zone/keep\\n' > out/Makefile",
        deed: "make -C out", ..ROW },
    Row { name: "npm, outside its scope", needs: &["npm"],
        person: "echo '{\"scripts\": {\"wipe\": \"rm ../zone/keep\"}}' > out/package.json",
        deed: "npm --prefix out run wipe", ..ROW },
    Row { name: "git clean", needs: &["git"], person: "git init -q zone", deed: "cd zone && git clean -fdxq", ..ROW },
    Row { name: "git -C clean", needs: &["git"], person: "git init -q zone", deed: "git -C zone clean -fdxq", ..ROW },
    Row { name: "a git alias for clean", needs: &["git"], person: "git init -q zone",
        deed: "git -c alias.x='clean -fdxq' -C zone x", ..ROW },
    Row { name: "a git alias for a command", needs: &["git"], person: "git init -q zone; git -C zone config alias.x '!rm keep'",
        deed: "git -C zone x", ..ROW },
    Row { name: "rm called git", deed: "cp /bin/rm out/git; out/git zone/keep", ..ROW },
    Row { name: "bash called git", deed: "(exec -a git bash -c 'rm zone/keep')", ..ROW },

    // --- Scripts that become agents. ---
    Row { name: "perl with the title claude", needs: &["perl"], by_human: ByHuman::Impossible,
        deed: "perl -e '$0 = \"claude\"; unlink \"zone/keep\" or die \"$!\\n\"'", ..ROW },
    Row { name: "node with the title claude", needs: &["node"], by_human: ByHuman::Impossible,
        deed: "node -e 'process.title = \"claude\"; require(\"fs\").unlinkSync(\"zone/keep\")'", ..ROW },
    Row { name: "a child of node with the title claude", needs: &["node"], by_human: ByHuman::Impossible,
        deed: "node -e 'process.title = \"claude\"; require(\"child_process\").execSync(\"rm zone/keep\")'", ..ROW },
    Row { name: "a script of @openai/codex", needs: &["node"], by_human: ByHuman::Impossible,
        person: "mkdir -p out/node_modules/@openai/codex/bin; echo 'require(\"fs\").unlinkSync(\"zone/keep\")' > out/node_modules/@openai/codex/bin/codex.js",
        deed: "node out/node_modules/@openai/codex/bin/codex.js", ..ROW },
    Row { name: "a program called by claude's version", by_human: ByHuman::Impossible,
        person: "mkdir -p out/claude/versions; cp /bin/bash out/claude/versions/2.1.37",
        deed: "out/claude/versions/2.1.37 -c 'rm zone/keep; true'", ..ROW },
    Row { name: "the mark of an agent in the environment", by_human: ByHuman::Impossible,
        deed: "CODEX_THREAD_ID=1 rm zone/keep", ..ROW },

    // --- The guard's own files and processes. ---
    Row { name: "writing the policy", deed: "echo '{}' > .codex/es_policy.json", keeps: ".codex/es_policy.json", ..OWN },
    Row { name: "appending to the policy", deed: "echo >> .codex/es_policy.json", keeps: ".codex/es_policy.json", ..OWN },
    Row { name: "writing the policy through a link", person: "ln -s ../.codex/es_policy.json out/link",
        deed: "echo '{}' > out/link", keeps: ".codex/es_policy.json", ..OWN },
    Row { name: "writing the policy through a second name", deed: "ln .codex/es_policy.json out/second && echo '{}' > out/second",
        keeps: ".codex/es_policy.json", ..OWN },
    Row { name: "writing the policy through a descriptor", deed: "exec 3< .codex/es_policy.json; echo '{}' > /proc/self/fd/3",
        keeps: ".codex/es_policy.json", ..OWN },
    Row { name: "truncating the policy", deed: "truncate -s 0 .codex/es_policy.json", keeps: ".codex/es_policy.json", ..OWN },
    Row { name: "removing the policy", deed: "rm .codex/es_policy.json", keeps: ".codex/es_policy.json", ..OWN },
    Row { name: "replacing the policy", person: "echo '{}' > out/new", deed: "mv out/new .codex/es_policy.json",
        keeps: ".codex/es_policy.json", denied: "out/new", ..OWN },
    Row { name: "moving the policy's directory", deed: "mv .codex out/", keeps: ".codex/es_policy.json", denied: ".codex", ..OWN },
    Row { name: "mounting over the policy", root_only: true, around: "unshare -m", person: "echo '{}' > out/new",
        deed: "mount --bind out/new .codex/es_policy.json && umount .codex/es_policy.json", keeps: ".codex/es_policy.json",
        says: "mount: ", by_human: ByHuman::Passes, ..OWN },
    Row { name: "mounting over the policy's directory", root_only: true, around: "unshare -m",
        deed: "mount -t tmpfs none .codex", keeps: ".codex/es_policy.json", denied: ".codex",
        says: "mount: ", by_human: ByHuman::Passes, ..OWN },
    Row { name: "moving a mounted zone away", root_only: true,
        around: "unshare -m sh -c 'mount -t tmpfs none zone; echo kept > zone/keep; exec \"$@\"' sh",
        deed: "mount --move zone out", denied: "zone", says: "mount: ", by_human: ByHuman::Passes,
        // It holds a part of the undo store.
        reason: "guard_files", ..ROW },
    // While a session runs the undo store cannot be listed, so that a person removes it afterwards.
    Row { name: "removing the guard's directory", deed: "rm -rf .codex/es-guard", keeps: ".codex/es-guard/denials.jsonl",
        by_human: ByHuman::Passes, ..OWN },
    Row { name: "moving the guard's directory", deed: "mv .codex/es-guard out/", keeps: ".codex/es-guard/denials.jsonl",
        denied: ".codex/es-guard", ..OWN },
    Row { name: "removing the log", deed: "rm .codex/es-guard/denials.jsonl", keeps: ".codex/es-guard/denials.jsonl", ..OWN },
    Row { name: "writing the log", deed: "echo > .codex/es-guard/denials.jsonl", keeps: ".codex/es-guard/denials.jsonl", ..OWN },
    Row { name: "removing the rings", deed: "rm .codex/es-guard/rings/*", keeps: ".codex/es-guard/rings/0-earlier",
        ..OWN },
    Row { name: "writing the rings", deed: "for r in .codex/es-guard/rings/*; do printf X | dd of=$r bs=1 seek=900 conv=notrunc status=none; done",
        keeps: ".codex/es-guard/rings/0-earlier", ..OWN },
    Row { name: "ptrace of the guard", needs: &["deeds"], deed: "deeds attach $GUARD", keeps: "/proc/$GUARD",
        by_human: ByHuman::Passes, ..OWN },
    Row { name: "ptrace of a thread of the guard", needs: &["deeds"],
        deed: "for t in /proc/$GUARD/task/*; do deeds attach ${t##*/}; done", keeps: "/proc/$GUARD",
        by_human: ByHuman::Passes, ..OWN },
    Row { name: "process_vm_writev to the guard", needs: &["deeds"], deed: "deeds overwrite $GUARD", keeps: "/proc/$GUARD",
        by_human: ByHuman::Passes, ..OWN },
    Row { name: "the memory file of the guard's threads", root_only: true,
        deed: "for t in /proc/$GUARD/task/*; do : >> /proc/${t##*/}/mem; done", keeps: "/proc/$GUARD",
        denied: "/proc/$GUARD/mem", by_human: ByHuman::Passes, ..OWN },
    Row { name: "the guard's memory file", root_only: true, deed: ": >> /proc/$GUARD/mem",
        keeps: "/proc/$GUARD", denied: "/proc/$GUARD/mem", by_human: ByHuman::Passes, ..OWN },
];

const OWN: Row = Row {
    reason: "guard_files",
    person: "mkdir -pm 700 .codex/es-guard/rings; cd .codex/es-guard; touch denials.jsonl rings/0-earlier",
    ..ROW
};

#[test]
fn agents_are_denied_and_people_are_not() {
    let workshop = Workshop::open();
    let mut cases = Vec::new();
    for user in User::all() {
        let rows = ROWS.iter().filter(|row| user.is_root() || !row.root_only);
        for (row, agent) in rows.zip(Who::AGENTS.into_iter().cycle()) {
            let turned = row.by_human == ByHuman::Impossible;
            cases.push((user, row, if turned { Who::Human } else { agent }, true));
            if !turned {
                cases.push((user, row, Who::Human, false));
            }
        }
    }
    table::run(&cases, |&(user, row, who, denied)| {
        let home = workshop.home(user, row.policy);
        let name = format!("{} by {who:?} as {user}", row.name);
        if let Some(missing) = session::missing_program(&workshop, &home, row.needs) {
            return table::skip(&name, missing);
        }
        let done = done(&workshop, &home, row, who, denied);
        done.map_err(|complaint| format!("{name}: {complaint}"))
    });
}

/// Does a deed and says what is wrong with the result.
fn done(workshop: &Workshop, home: &Home, row: &Row, who: Who, denied: bool) -> Result<(), String> {
    let ready = |script: &str| session::unguarded(workshop, home, &format!("set -e; {script}"));
    let agents = |script: &str| match script {
        "" => ready(""),
        _ => session::guarded(workshop, home, Who::Codex, "", &format!("set -e; {script}")),
    };
    for done in [ready(row.person), agents(row.yesterday), ready(row.since)] {
        if !done.status.success() {
            return Err(format!("not ready: {}", done.output));
        }
    }
    let before = home.tree(row.keeps);
    let deed = format!("PATH=$TOOLS:$PATH; echo \"guard $GUARD\"; {}", row.deed);
    let outcome = session::guarded(workshop, home, who, row.around, &deed);
    let kept = home.tree(row.keeps) == before;
    let complaint = if denied {
        why_not_denied(home, row, &outcome, kept)
    } else {
        why_not_done(row, &outcome, kept)
    };
    complaint.map_or(Ok(()), |complaint| {
        Err(format!("{complaint}\n{outcome:#?}"))
    })
}

fn why_not_denied(home: &Home, row: &Row, outcome: &Outcome, kept: bool) -> Option<&'static str> {
    let guard = outcome
        .output
        .lines()
        .find_map(|line| line.strip_prefix("guard "));
    let path = if row.denied.is_empty() {
        row.keeps
    } else {
        row.denied
    };
    let path = home
        .path()
        .join(path.replace("$GUARD", guard.unwrap_or_default()));
    let names = |denial: &session::Denial| {
        let orphan = denial.reason == ORPHAN && denial.agent.is_none();
        let known = denial.reason != ORPHAN && denial.agent.is_some();
        let expected = match row.reason {
            ORPHAN => orphan || (known && denial.reason == "agent_in_zone"),
            reason => known && denial.reason == reason,
        };
        expected && denial.path == path
    };
    if !kept {
        Some("it was not kept")
    } else if !outcome.denials.iter().any(names) {
        Some("no denial names the path")
    } else if !outcome.output.to_ascii_lowercase().contains(row.says) {
        Some("the program did not say so")
    } else {
        None
    }
}

fn why_not_done(row: &Row, outcome: &Outcome, kept: bool) -> Option<&'static str> {
    if !outcome.denials.is_empty() {
        Some("it was denied")
    } else if row.by_human == ByHuman::Passes {
        None
    } else if kept {
        Some("it was not done")
    } else if !outcome.status.success() {
        Some("it failed")
    } else {
        None
    }
}

/// A new session within a session would be judged by two guards, which the kernel does not offer.
#[test]
fn a_session_within_a_session_says_why_it_is_refused() {
    each_user(
        &[Who::Human, Who::Codex],
        "codex-es-guard run --no-exporter -- true",
        |outcome| {
            outcome.status.code() == Some(125) && outcome.output.contains("already supervised")
        },
    );
}

/// What io_uring does, the guard would not see.
#[test]
fn io_uring_is_not_there() {
    each_user(&[Who::Human, Who::Codex], "deeds io_uring", |outcome| {
        outcome
            .output
            .contains("io_uring: Function not implemented")
    });
}

/// A child of its parent's would descend from nobody known.
#[test]
fn no_agent_s_process_makes_a_child_of_its_parent() {
    each_user(&[Who::Codex], "deeds sibling zone/keep", |outcome| {
        outcome.output.contains("sibling: Operation not permitted")
    });
}

/// In another PID namespace's `/proc` every number is another process.
#[test]
fn a_guard_that_cannot_see_who_acts_does_not_start() {
    let workshop = Workshop::open();
    for user in User::all() {
        let around = if user.is_root() {
            "unshare -pf"
        } else {
            "unshare -rpf"
        };
        let home = workshop.home(user, ROW.policy);
        let possible = session::unguarded(&workshop, &home, &format!("{around} true"));
        if !possible.status.success() {
            continue;
        }
        let before = home.tree("zone");
        let outcome = session::guarded(&workshop, &home, Who::Codex, around, "rm -rf zone/*");
        assert_eq!(outcome.status.code(), Some(125), "{outcome:#?}");
        assert!(
            outcome.output.contains("another PID namespace"),
            "{outcome:#?}"
        );
        assert_eq!(home.tree("zone"), before);
    }
}

/// Without descriptors the guard finds nothing out; then nothing is destroyed.
#[test]
fn a_guard_short_of_descriptors_refuses() {
    let workshop = Workshop::open();
    for user in User::all() {
        for limit in 8..20 {
            let home = workshop.home(user, ROW.policy);
            let before = home.tree("zone");
            let around = format!("sh -c 'ulimit -n {limit}; exec \"$@\"' sh");
            let outcome = session::guarded(&workshop, &home, Who::Codex, &around, "rm zone/keep");
            assert!(!outcome.status.success(), "{limit}: {outcome:#?}");
            assert_eq!(home.tree("zone"), before, "{limit}: {outcome:#?}");
        }
    }
}

/// Nobody judges any more; then nothing is destroyed.
#[test]
fn a_killed_guard_takes_its_session_s_deletions_along() {
    let script =
        "perl -e 'kill KILL => $ENV{GUARD}; unlink \"zone/keep\" or die \"unlink: $!\\n\"'";
    each_user(&[Who::Human, Who::Codex], script, |outcome| {
        outcome.status.code() == Some(125)
            && outcome.output.contains("the guard was killed")
            && outcome.output.contains("unlink: Function not implemented")
    });
}

/// Runs a script as every user, by everyone in `who`, and expects that nothing is lost.
fn each_user(who: &[Who], script: &str, is_expected: impl Fn(&Outcome) -> bool) {
    let workshop = Workshop::open();
    for user in User::all() {
        for &who in who {
            let home = workshop.home(user, ROW.policy);
            let before = home.tree("zone");
            let script = format!("PATH=$TOOLS:$PATH; {script}");
            let outcome = session::guarded(&workshop, &home, who, "", &script);
            assert!(is_expected(&outcome), "{who:?} as {user}: {outcome:#?}");
            assert_eq!(home.tree("zone"), before);
        }
    }
}
