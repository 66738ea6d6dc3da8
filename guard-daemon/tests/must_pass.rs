//! What an agent does all day, and must get done as if there were no guard.
//!
//! Each row of [`ROWS`] is a piece of work. It is done twice in a fresh home: without a guard, and by
//! an agent in a guarded session. Both must succeed and leave the same files behind, and the guard
//! must have denied nothing. Tests that root starts do all of it again as an ordinary user.
//!
//! To add a row, name the kind of work and give the script, which fails where it should (`set -e` is
//! on). Scripts run in the home, where `zone` is protected and holds the file `keep`, and `out` is
//! not. A row has up to three stages: what a person did before, what an agent did in an earlier
//! session, and the work.

#![cfg(target_os = "linux")]
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

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use support::scratch::{Home, Workshop};
use support::session::{self, Who};
use support::table;
use support::users::User;

/// One piece of work.
struct Row {
    /// What is shown when it fails.
    name: &'static str,
    /// Programs without which it is left out, with a note.
    needs: &'static [&'static str],
    /// What a person did before; not guarded.
    person: &'static str,
    /// What an agent did in a session before.
    yesterday: &'static str,
    /// What a person did since then; not guarded.
    since: &'static str,
    /// The work.
    work: &'static str,
    /// Whether it cuts or replaces the contents of a file that is not the agent's.
    cuts: bool,
}

const ROW: Row = Row {
    name: "",
    needs: &[],
    person: "",
    yesterday: "",
    since: "",
    work: "",
    cuts: false,
};

const POLICY: &str = r#"{"protected_zones": ["~/zone"]}"#;

/// A policy that evaluates everything that can be evaluated.
const EVERYTHING: &str = r#"{
    "protected_zones": ["~/zone"],
    "operations": ["unlink", "rename", "truncate", "exchange", "link"]
}"#;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // --- Editing. ---
    Row { name: "create, write, append", work: "echo a > zone/new; echo b > zone/new; echo c >> zone/new", ..ROW },
    Row { name: "cp over", cuts: true, work: "echo new > out/a; cp out/a zone/keep", ..ROW },
    Row { name: "mkdir, touch, chmod, ln -s", work: "mkdir -p zone/a/b; touch zone/a/b/c; chmod 755 zone/a/b/c; ln -s c zone/a/b/d", ..ROW },
    Row { name: "rename within the zone", work: "mkdir zone/a; mv zone/keep zone/a/kept", ..ROW },
    Row { name: "rename of a directory within the zone", person: "mkdir zone/a; touch zone/a/b", work: "mv zone/a zone/b", ..ROW },
    Row { name: "rename into the zone", work: "echo new > out/a; mv out/a zone/keep", ..ROW },
    Row { name: "atomic save", work: "echo new > zone/keep.tmp; mv zone/keep.tmp zone/keep", ..ROW },
    Row { name: "atomic save as Claude Code does", work: "t=zone/keep.tmp.$$.19a2b3c4d5; echo new > $t; mv $t zone/keep", ..ROW },
    Row { name: "atomic save given up", work: "t=zone/keep.tmp.$$.19a2b3c4d5; echo new > $t; rm $t", ..ROW },
    Row { name: "sed -i", needs: &["sed"], work: "sed -i s/kept/KEPT/ zone/keep", ..ROW },
    Row { name: "sed -i.bak", needs: &["sed"], work: "sed -i.bak s/kept/KEPT/ zone/keep", ..ROW },
    Row { name: "a backup of one's own, removed", work: "cp zone/keep zone/keep.bak; rm zone/keep.bak", ..ROW },
    Row { name: "perl -i", needs: &["perl"], work: "perl -i -pe s/kept/KEPT/ zone/keep", ..ROW },
    Row { name: "perl -i.orig", needs: &["perl"], work: "perl -i.orig -pe s/kept/KEPT/ zone/keep", ..ROW },
    Row { name: "sort -o", work: "printf 'b\\na\\n' > zone/list; sort -o zone/list zone/list", ..ROW },
    Row { name: "ln -sf", person: "ln -s keep zone/link", work: "ln -sf other zone/link; ln -sfn third zone/link", ..ROW },
    Row { name: "install over", work: "echo new > out/a; install -m 644 out/a zone/fresh", ..ROW },
    Row { name: "ed", cuts: true, needs: &["ed"], work: "printf '1s/kept/KEPT/\\nw\\nq\\n' | ed -s zone/keep", ..ROW },
    Row { name: "vim with swap and backup files", needs: &["vim"],
        work: "vim -es -u NONE -c 'set nocompatible swapfile backup writebackup backupskip=' -c '%s/kept/KEPT/' -c wq zone/keep; grep KEPT zone/keep; ls zone/keep~", ..ROW },
    Row { name: "vim with a backup only while it writes", needs: &["vim"],
        work: "vim -es -u NONE -c 'set nocompatible swapfile writebackup backupcopy=no backupskip=' -c '%s/kept/KEPT/' -c w -c 's/KEPT/done/' -c wq zone/keep; grep done zone/keep", ..ROW },
    Row { name: "emacs auto-save and backup", work: "echo x > 'zone/#keep#'; cp zone/keep zone/keep~; rm 'zone/#keep#' zone/keep~", ..ROW },
    Row { name: "python tempfile and os.replace", needs: &["python3"], work: r#"python3 -c '
import os, tempfile
fd, name = tempfile.mkstemp(dir="zone")
os.write(fd, b"new"); os.close(fd); os.replace(name, "zone/keep")'"#, ..ROW },
    Row { name: "node fs.writeFile and rename", needs: &["node"],
        work: r#"node -e 'const fs = require("fs"); fs.writeFileSync("zone/keep.1", "new"); fs.renameSync("zone/keep.1", "zone/keep")'"#, ..ROW },
    Row { name: "patch", needs: &["patch"], work: "printf -- '--- a/keep\\n+++ b/keep\\n@@ -1 +1 @@\\n-what must be kept\\n+edited\\n' > out/p; patch -d zone -p1 < out/p; grep edited zone/keep", ..ROW },
    Row { name: "patch with fuzz", needs: &["patch"],
        person: "printf 'a\\nb\\nc\\nd\\n' > zone/list",
        work: "printf -- '--- a/list\\n+++ b/list\\n@@ -1,4 +1,4 @@\\n x\\n-b\\n+B\\n c\\n d\\n' > out/p; patch -d zone -p1 < out/p; ls zone/list.orig", ..ROW },

    // --- Clearing away what it made. ---
    Row { name: "touch, rm", work: "touch zone/new; rm zone/new", ..ROW },
    Row { name: "touch, rm, again and again", work: "for n in 1 2 3; do touch zone/new; rm zone/new; done", ..ROW },
    Row { name: "a redirection, rm", work: "echo a > zone/new; rm zone/new; (echo b > zone/b); rm zone/b", ..ROW },
    Row { name: "a script of its own", work: "printf 'echo ran' > zone/try.sh; chmod +x zone/try.sh; bash zone/try.sh; rm -f zone/try.sh", ..ROW },
    Row { name: "python open and os.remove", needs: &["python3"],
        work: "python3 -c 'import os; open(\"zone/new\", \"w\").write(\"a\"); os.remove(\"zone/new\")'", ..ROW },
    Row { name: "node writeFileSync and unlinkSync", needs: &["node"],
        work: r#"node -e 'const fs = require("fs"); fs.writeFileSync("zone/new", "a"); fs.unlinkSync("zone/new")'"#, ..ROW },
    Row { name: "mkdir -p, rmdir", work: "mkdir -p zone/a/b; rmdir zone/a/b; rmdir zone/a", ..ROW },
    Row { name: "a tree, rm -r", work: "mkdir -p zone/d/e; echo a > zone/d/f; echo b > zone/d/e/g; rm -r zone/d", ..ROW },
    Row { name: "a tree moved, rm -r", work: "mkdir -p zone/d/e; echo a > zone/d/f; echo b > zone/d/e/g; mv zone/d zone/moved; rm -r zone/moved", ..ROW },
    Row { name: "an atomic save of a new file, rm", work: "echo a > zone/new.tmp; mv zone/new.tmp zone/new; rm zone/new", ..ROW },
    Row { name: "an atomic save as Claude Code does, rm", needs: &["python3"], work: r#"python3 -c '
import os
name = "zone/new.tmp.%d.19a2b3c4d5" % os.getpid()
os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY)); os.rename(name, "zone/new"); os.remove("zone/new")'"#, ..ROW },
    Row { name: "a file renamed twice, rm", work: "echo a > zone/a; mv zone/a zone/b; mv zone/b zone/c; rm zone/c", ..ROW },
    Row { name: "a file written twice, rm", work: "echo a > zone/a; echo b > zone/a; sed -n p zone/a >> zone/a; rm zone/a", ..ROW },

    Row { name: "cp, rm", work: "cp zone/keep zone/copy; rm zone/copy; cp -r zone out/tree; cp -r out/tree zone/tree; rm -r zone/tree", ..ROW },
    Row { name: "tar, rm -r", needs: &["tar"], work: "mkdir out/t; echo a > out/t/a; tar cf out/a.tar -C out t; tar xf out/a.tar -C zone; rm -r zone/t", ..ROW },
    Row { name: "tar over what is there", cuts: true, needs: &["tar"], person: "mkdir zone/d; echo a > zone/d/a; tar cf out/a.tar -C zone keep d", work: "tar xf out/a.tar -C zone; tar xUf out/a.tar -C zone keep", ..ROW },
    Row { name: "unzip over what is there", cuts: true, needs: &["unzip", "python3"], person: "cd zone; python3 -m zipfile -c ../out/a.zip keep", work: "unzip -qo out/a.zip -d zone", ..ROW },
    Row { name: "install, cp and ln over what is there", cuts: true, person: "touch zone/a zone/b zone/c", work: "echo new > out/n; install -m 644 out/n zone/a; cp --remove-destination out/n zone/b; ln -sf a zone/c", ..ROW },
    Row { name: "cp, tar over its own, rm", needs: &["tar"], work: "echo a > zone/a; tar cf out/a.tar -C zone a; tar xf out/a.tar -C zone; rm zone/a; cp zone/keep zone/b; cp --remove-destination zone/keep zone/b; rm zone/b", ..ROW },
    Row { name: "ln -s, rm", work: "ln -s keep zone/link; mv zone/link zone/link2; rm zone/link2", ..ROW },
    Row { name: "mkfifo, rm", work: "mkfifo zone/pipe; rm zone/pipe", ..ROW },
    Row { name: "python exclusive creation and os.remove", needs: &["python3"],
        work: "python3 -c 'import os; open(\"zone/new\", \"x\").write(\"a\"); os.remove(\"zone/new\")'", ..ROW },
    Row { name: "install, rm", work: "install -m 644 zone/keep zone/installed; rm zone/installed", ..ROW },

    Row { name: "ln, rm of both names", work: "echo a > zone/a; ln zone/a zone/b; rm zone/a; rm zone/b", ..ROW },
    Row { name: "what it compiled, rm", needs: &["gcc"], work: "cd zone; echo 'int main(void) { return 0; }' > a.c; gcc -o a a.c; gcc -c a.c; ./a; rm a a.o a.c", ..ROW },
    Row { name: "what its build made, rm -r", needs: &["make"], work: "cd zone; printf 'build/x:\n\tmkdir -p build; echo x > $@\n' > Makefile; make -s; rm -rf build", ..ROW },
    Row { name: "what cargo built, rm -r", needs: &["cargo"], work: "cd zone; cargo new -q --vcs none hello; cd hello; cargo build -q --offline; rm -rf target; test ! -e target", ..ROW },
    Row { name: "what npm installed, rm -r", cuts: true, needs: &["npm"],
        person: "mkdir zone/dep zone/app; echo '{\"name\": \"dep\", \"version\": \"1.0.0\"}' > zone/dep/package.json; echo '{\"name\": \"app\", \"version\": \"1.0.0\"}' > zone/app/package.json",
        work: "cd zone/app; npm install --silent --no-audit --no-fund --install-links ../dep; test -e node_modules/dep; rm -rf node_modules; test ! -e node_modules", ..ROW },
    Row { name: "python's bytecode and environment, rm -r", needs: &["python3"],
        work: "cd zone; echo 'a = 1' > m.py; python3 -c 'import m'; rm -r __pycache__; python3 -m venv --without-pip .venv; rm -rf .venv", ..ROW },

    // --- Its own over its own, and what it did not lose. ---
    Row { name: "an atomic save over its own, rm", work: "echo 1 > zone/n; echo 2 > zone/n.tmp; mv zone/n.tmp zone/n; rm zone/n", ..ROW },
    Row { name: "sed -i of its own, rm", needs: &["sed"], work: "echo a > zone/n; sed -i s/a/b/ zone/n; sed -i s/b/c/ zone/n; rm zone/n", ..ROW },
    Row { name: "ln -f over its own, rm", work: "echo a > zone/a; echo b > zone/b; ln -f zone/a zone/b; rm zone/a zone/b", ..ROW },
    Row { name: "git stash and pop of its own, rm", needs: &["git"], person: REPOSITORY, work: "cd zone; echo a > n; mkdir gen; echo g > gen/g; git stash -qu; git stash pop -q; rm -r n gen", ..ROW },
    Row { name: "its own, removed, brought back by git, rm", needs: &["git"], person: REPOSITORY, yesterday: "cd zone; echo o > old; git add old; git commit -qm old",
        work: concat!("cd zone; mkdir d; echo n > d/n; git add d; git commit -qm d; rm -r d; git checkout -q d; rm -r d; git checkout -q .; git mv d e; rm -r e; ",
            "rm old; git checkout -q old; rm old"), ..ROW },
    Row { name: "git checkout of a branch with its own, rm", needs: &["git"], person: REPOSITORY,
        work: "cd zone; git checkout -qb x; echo n > n; git add n; git commit -qm n; git checkout -q main; git checkout -q x; rm n", ..ROW },
    Row { name: "a file moved aside while it is saved", work: "mv zone/keep zone/keep.prev; echo new > zone/keep; rm zone/keep.prev", ..ROW },
    Row { name: "a person's backup beside its original", person: "echo b > zone/keep.bak", work: "rm zone/keep.bak", ..ROW },
    Row { name: "rotation of a person's logs", person: "for f in log log.1 log.2; do echo $f > zone/$f; done", work: "cd zone; rm log.2; mv log.1 log.2; mv log log.1; echo new > log", ..ROW },
    Row { name: "a directory that it emptied", person: "mkdir -p zone/old/sub zone/new; echo a > zone/old/a; echo b > zone/old/sub/b", work: "mv zone/old/a zone/old/sub/b zone/new/; rmdir zone/old/sub; rmdir zone/old", ..ROW },

    // --- What git makes in new directories. ---
    Row { name: "git clone, rm -rf", needs: &["git"], person: REPOSITORY, work: "git clone -q zone zone/dep; rm -rf zone/dep", ..ROW },
    Row { name: "git init and commits, rm -rf", needs: &["git"], person: GIT_SETUP,
        work: "cd zone; mkdir t; cd t; git init -q; echo a > a; git add a; git commit -qm a; git checkout -qb x; echo b > a; git commit -qam b; git checkout -q main; cd ..; rm -rf t; git init -q u; rm -rf u", ..ROW },
    Row { name: "git worktree add, rm -rf", needs: &["git"], person: REPOSITORY, work: "cd zone; git worktree add -q wt other; rm -rf wt; git worktree prune", ..ROW },
    Row { name: "rm -rf .git of a template", needs: &["git"], person: REPOSITORY, work: "git clone -q zone zone/app; cd zone/app; rm -rf .git; git init -q; git add .; git commit -qm first", ..ROW },

    // --- What it brings in, and takes out. ---
    Row { name: "moved in, rm", person: "mkdir -p out/d/e; echo a > out/a; echo b > out/d/e/b", work: "mv out/a zone/a; mv out/d zone/d; rm zone/a; rm -r zone/d", ..ROW },
    Row { name: "linked in, rm", person: "echo a > out/a", work: "ln out/a zone/a; rm zone/a; test -e out/a", ..ROW },
    Row { name: "its own moved out", work: "echo a > zone/report; mkdir zone/d; echo b > zone/d/b; mv zone/report zone/d out/", ..ROW },
    Row { name: "a file of O_TMPFILE, rm", needs: &["python3"], work: r#"cd zone; python3 -c '
import os
fd = os.open(".", os.O_TMPFILE | os.O_WRONLY)
os.link("/proc/self/fd/%d" % fd, "n", src_dir_fd=0); os.remove("n")'"#, ..ROW },

    // --- Sockets and daemons. ---
    Row { name: "a socket of its own and a person's", needs: &["python3"], person: "cd zone; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"old\")'",
        work: "cd zone; python3 -c 'import socket, os; socket.socket(socket.AF_UNIX).bind(\"new\"); os.unlink(\"new\"); os.unlink(\"old\")'", ..ROW },
    Row { name: "a daemon removes what it made", needs: &["python3"], work: r#"cd zone; python3 -c '
import os, time
if os.fork(): os._exit(0)
os.setsid()
parent = os.getpid()
if os.fork(): os._exit(0)
while os.getppid() == parent: time.sleep(0.01)
open("pid", "w").write("1"); open("log", "w").write("1"); os.unlink("pid"); open("done", "w")'; while [ ! -e done ]; do :; done; rm log done"#, ..ROW },

    // --- What it made in an earlier session. ---
    Row { name: "yesterday's tree, rm -rf", yesterday: "mkdir -p zone/dist/x; echo 1 > zone/dist/a; ln -s a zone/dist/l; mkfifo zone/dist/x/p", work: "rm -rf zone/dist", ..ROW },
    Row { name: "yesterday's files written again, rm", needs: &["sed"], yesterday: "for n in a b c; do echo $n > zone/$n; done",
        work: "cd zone; echo new > a; echo more >> a; sed -i s/b/B/ b; echo x > c.tmp; mv c.tmp c; rm a b c", ..ROW },
    Row { name: "yesterday's file and tree moved, rm", yesterday: "cd zone; echo a > a; mkdir -p d/e; echo b > d/e/b", work: "cd zone; mv a b; rm b; mv d f; mv f/e f/g; rm -r f", ..ROW },
    Row { name: "yesterday's files moved out", yesterday: "cd zone; echo a > a; mkdir d; echo b > d/b", work: "mv zone/a zone/d out/", ..ROW },
    Row { name: "yesterday's clone, rm -rf", needs: &["git"], person: REPOSITORY, yesterday: "git clone -q --no-hardlinks zone zone/dep", work: "rm -rf zone/dep", ..ROW },
    Row { name: "yesterday's file renamed over, rm", yesterday: "cd zone; echo a > a; echo b > b", work: "cd zone; mv a b; rm b", ..ROW },
    Row { name: "yesterday's hard links, linked again and removed", yesterday: "cd zone; mkdir t; echo a > t/a; ln t/a t/b", work: "cd zone; cp -al t copy; rm -r copy; rm t/a; rm t/b", ..ROW },
    Row { name: "what yesterday's daemon made, written again, rm", needs: &["python3"], yesterday: DAEMON, work: "cd zone; echo more >> log; touch -a log; rm log", ..ROW },
    Row { name: "yesterday's lock and pid files", yesterday: "touch zone/.build.lock; echo 99999999 > zone/app.pid", work: "cd zone; rm -f .build.lock app.pid; echo 1 > app.pid; rm app.pid", ..ROW },

    Row { name: "yesterday's files with other modes and times, rm", needs: &["python3"], yesterday: "cd zone; for n in a b c d; do echo $n > $n; done",
        work: "cd zone; chmod 700 a; touch b; python3 -c 'import os; os.fchmod(os.open(\"c\", os.O_RDONLY), 0o600)'; chmod u+x d; mv d e; rm a b c e", ..ROW },
    Row { name: "yesterday's file with another mode, moved out", yesterday: "echo a > zone/a", work: "chmod 700 zone/a; mv zone/a out/", ..ROW },
    Row { name: "yesterday's files that a person made executable, rm", yesterday: "echo a > zone/a", since: "chmod 700 zone/a", work: "rm zone/a", ..ROW },

    // --- What a tool makes again, whoever made it and whoever removes it. ---
    Row { name: "a person's node_modules, rm -rf", person: "mkdir -p zone/node_modules/.bin zone/node_modules/a; echo 1 > zone/node_modules/a/b; ln -s ../a/b zone/node_modules/.bin/b; echo {} > zone/package.json", work: "rm -rf zone/node_modules", ..ROW },
    Row { name: "a person's environment by another name, rm -rf", person: "mkdir -p zone/env/bin; echo home > zone/env/pyvenv.cfg; echo 1 > zone/env/bin/a", work: "rm -rf zone/env", ..ROW },
    Row { name: "a file of a person's environment, moved out", person: "mkdir -p zone/env/lib; echo home > zone/env/pyvenv.cfg; echo 1 > zone/env/lib/six.py", work: "mv zone/env/lib/six.py out/", ..ROW },
    Row { name: "a tagged cache, rm -rf", person: "mkdir -p zone/cache/a; echo 1 > zone/cache/a/b; echo 'Signature: 8a477f597d28d172789f06886806bc55' > zone/cache/CACHEDIR.TAG", work: "rm -rf zone/cache", ..ROW },
    Row { name: "a person's build directory of CMake, rm -rf", person: "mkdir -p zone/b/CMakeFiles; echo 1 > zone/b/CMakeFiles/a; echo 1 > zone/b/CMakeCache.txt; echo 1 > zone/CMakeLists.txt", work: "rm -rf zone/b", ..ROW },
    Row { name: "bytecode, find -delete", person: "mkdir -p zone/__pycache__; echo 1 > zone/__pycache__/m.cpython-311.pyc", work: "find zone -name '*.pyc' -delete; rmdir zone/__pycache__", ..ROW },
    Row { name: "a person's program and what configure made, make clean", needs: &["git", "make"],
        person: concat!("cd zone; git init -q; cp /bin/true prog; echo 1 > Makefile.in; touch config.h.in config.h; ",
            "printf 'clean:\\n\\trm -f prog config.h\\ndistclean: clean\\n\\trm -f Makefile config.status\\n' > Makefile; touch config.status"),
        work: "cd zone; make -s distclean; test ! -e Makefile", ..ROW },
    Row { name: "a person's output that git does not track", needs: &["git"], person: concat!("cd zone; git init -q; cd ..; ", "mkdir -p zone/dist/x; echo 1 > zone/dist/x/a"), work: "rm -rf zone/dist", ..ROW },
    Row { name: "node_modules after package.json was written again", person: "mkdir -p zone/node_modules/a; echo 1 > zone/node_modules/a/b; echo {} > zone/package.json", work: "echo '{}' > zone/package.json.1; mv zone/package.json.1 zone/package.json; rm -rf zone/node_modules", ..ROW },

    // --- Tools that keep what they remove. ---
    Row { name: "gzip of its own, rm", needs: &["gzip"], work: "cd zone; echo 1 > a; gzip a; rm a.gz; echo 2 > b; gzip b; gunzip b.gz; rm b", ..ROW },
    Row { name: "gzip of a person's", needs: &["gzip"], person: "echo 1 > zone/a; echo 2 | gzip > zone/b.gz", work: "cd zone; gzip a; gunzip b.gz", ..ROW },
    Row { name: "zip over a person's archive", cuts: true, needs: &["zip"], person: "cd zone; echo 1 > a; zip -q a.zip keep", work: "cd zone; zip -q a.zip a; zip -qd a.zip a", ..ROW },
    Row { name: "hg update, rm, commit", needs: &["hg"],
        person: "cd zone; hg init -q; echo 1 > a; hg add -q a; hg commit -qm 1 -u a; echo 2 > b; hg add -q b; hg commit -qm 2 -u a",
        work: "cd zone; hg update -q 0; hg update -q tip; hg rm b; hg commit -qm 3 -u a; test ! -e b", ..ROW },
    Row { name: "svn rm, update, commit", needs: &["svn", "svnadmin"],
        person: "svnadmin create out/r; svn -q checkout file://$PWD/out/r zone/w; cd zone/w; echo 1 > a; echo 2 > b; svn -q add a b; svn -q commit -m 1; svn -q up",
        work: "cd zone/w; svn -q rm b; svn -q commit -m 2; svn -q up -r 1; svn -q up; test ! -e b", ..ROW },

    // --- git. ---
    Row { name: "git init, add, commit", needs: &["git"], person: GIT_SETUP,
        work: "cd zone; git init -q; git add .; git commit -qm one; echo b > b; git add b; git commit -qm two; git commit -q --amend -m three", ..ROW },
    Row { name: "git checkout of a branch without a file", needs: &["git"], person: REPOSITORY,
        work: "cd zone; git checkout -q other; test ! -e keep; git checkout -q main; test -e keep", ..ROW },
    Row { name: "git merge with a deletion", needs: &["git"], person: REPOSITORY,
        work: "cd zone; git merge -q --no-edit other; test ! -e keep", ..ROW },
    Row { name: "git rebase, cherry-pick", needs: &["git"], person: REPOSITORY,
        work: "cd zone; echo b > b; git add b; git commit -qm b; git rebase -q other; git cherry-pick main@{1} || git cherry-pick --skip; git log --oneline", ..ROW },
    Row { name: "git stash", needs: &["git"], person: REPOSITORY,
        work: "cd zone; echo x >> keep; echo n > n; git add n; git stash -q; test ! -e n; git stash pop -q; test -e n; git stash -q; git stash drop -q", ..ROW },
    Row { name: "git stash of untracked files", needs: &["git"], person: REPOSITORY,
        work: "cd zone; mkdir d; echo u > d/u; git stash push -qu; test ! -e d; git stash pop -q; test -e d/u", ..ROW },
    Row { name: "git rm, reset --hard", needs: &["git"], person: REPOSITORY,
        work: "cd zone; git rm -q keep; test ! -e keep; git reset -q --hard; test -e keep", ..ROW },
    Row { name: "git gc, prune, branch -D", needs: &["git"], person: REPOSITORY,
        work: "cd zone; git branch -D other; git reflog expire --expire=now --all; git gc -q --prune=now; git fsck", ..ROW },
    Row { name: "git worktree", needs: &["git"], person: REPOSITORY,
        work: "cd zone; git worktree add -q ../out/tree other; git worktree remove ../out/tree; git worktree add -q inside other; git worktree remove inside", ..ROW },
    Row { name: "git clone, fetch, pull", needs: &["git"], person: REPOSITORY,
        work: "git clone -q zone zone/clone; cd zone; echo c > c; git add c; git commit -qm c; cd clone; git fetch -q; git pull -q; test -e c", ..ROW },
    Row { name: "git apply, am", needs: &["git"], person: REPOSITORY,
        work: "cd zone; git format-patch -q -1 other -o ../out; git am -q ../out/*.patch; test ! -e keep", ..ROW },
    Row { name: "git submodule", needs: &["git"], person: REPOSITORY,
        work: "git clone -q zone out/sub; cd zone; git -c protocol.file.allow=always submodule --quiet add ../out/sub sub; git commit -qm sub; git submodule --quiet deinit -f sub; git rm -q sub; test ! -e sub", ..ROW },

    // --- Building and packages. ---
    Row { name: "cargo new, build, clean", needs: &["cargo"],
        work: "cd zone; cargo new -q --vcs none hello; cd hello; cargo build -q --offline; echo 'fn main() {}' > src/main.rs; cargo build -q --offline; cargo clean -q; test ! -e target", ..ROW },
    Row { name: "rustc twice", needs: &["rustc"], work: "cd zone; echo 'fn main() {}' > a.rs; rustc a.rs; rustc a.rs", ..ROW },
    Row { name: "gcc twice", needs: &["gcc"], work: "cd zone; echo 'int main(void) { return 0; }' > a.c; gcc -o a a.c; gcc -o a a.c; gcc -c a.c; ar rc liba.a a.o; ar rc liba.a a.o; strip a", ..ROW },
    Row { name: "make clean", needs: &["make", "gcc"],
        work: "cd zone; printf 'build/a.o: a.c\\n\\tmkdir -p build; gcc -c -o $@ $<\\nclean:\\n\\trm -f build/*.o\\n\\trm -rf build\\n' > Makefile; echo 'int a;' > a.c; make -s; make -s clean; test ! -e build", ..ROW },
    Row { name: "make and a failing rule's target", needs: &["make"],
        work: "cd zone; printf 'build/x:\\n\\tmkdir -p build; touch $@; false\\n.DELETE_ON_ERROR:\\n' > Makefile; make -s || test ! -e build/x", ..ROW },
    Row { name: "npm install and uninstall", cuts: true, needs: &["npm"],
        person: "mkdir zone/dep zone/app; echo '{\"name\": \"dep\", \"version\": \"1.0.0\"}' > zone/dep/package.json; echo '{\"name\": \"app\", \"version\": \"1.0.0\"}' > zone/app/package.json",
        work: "cd zone/app; npm install --silent --no-audit --no-fund --install-links ../dep; test -e node_modules/dep; npm uninstall --silent --no-audit --no-fund dep; test ! -e node_modules/dep", ..ROW },
    Row { name: "node removes node_modules", needs: &["node"], person: "mkdir -p zone/node_modules/a; touch zone/node_modules/a/b; echo {} > zone/package.json",
        work: r#"node -e 'require("fs").rmSync("zone/node_modules", {recursive: true})'"#, ..ROW },
    Row { name: "npm run clean of dist", needs: &["npm", "git"],
        person: "git init -q zone; mkdir -p zone/dist; touch zone/dist/a; echo '{\"scripts\": {\"clean\": \"rm -rf dist\"}}' > zone/package.json",
        work: "cd zone; npm run --silent clean; test ! -e dist", ..ROW },
    Row { name: "python bytecode", needs: &["python3"],
        work: "cd zone; echo 'a = 1' > m.py; python3 -c 'import m'; echo 'a = 1234' > m.py; python3 -c 'import m'; python3 -c 'import shutil; shutil.rmtree(\"__pycache__\")'", ..ROW },
    Row { name: "python -m venv", needs: &["python3"],
        work: "cd zone; python3 -m venv --without-pip .venv; python3 -m venv --without-pip --clear .venv; python3 -c 'import shutil; shutil.rmtree(\".venv\")'", ..ROW },
    Row { name: "a pytest cache", needs: &["python3"], person: "mkdir -p zone/.pytest_cache/v; touch zone/.pytest_cache/v/x",
        work: "cd zone; python3 -c 'import shutil; shutil.rmtree(\".pytest_cache\")'", ..ROW },
    Row { name: "sqlite from python", needs: &["python3"], work: r#"cd zone; python3 -c '
import sqlite3
for mode in "delete", "wal":
    db = sqlite3.connect(mode + ".db")
    db.execute("pragma journal_mode = " + mode)
    db.execute("create table t(x)")
    for n in range(3):
        db.execute("insert into t values (?)", (n,))
        db.commit()
    db.execute("vacuum")
    db.close()'; ls"#, ..ROW },
    Row { name: "sqlite3(1) on an older database", needs: &["sqlite3"], person: "sqlite3 zone/a.db 'create table t(x)'",
        work: "sqlite3 zone/a.db 'insert into t values (1); delete from t; vacuum'", ..ROW },
    Row { name: "python NamedTemporaryFile", needs: &["python3"],
        work: "cd zone; python3 -c 'import tempfile; tempfile.NamedTemporaryFile(dir=\".\").write(b\"x\")'", ..ROW },
    Row { name: "mktemp beside the work", work: "cd zone; t=$(mktemp -p .); echo x > $t; rm $t", ..ROW },
    Row { name: "coverage data of an earlier run", needs: &["python3", "git"], person: "git init -q zone; touch zone/.coverage zone/.coverage.host.1.x",
        work: "cd zone; python3 -c 'import os; os.remove(\".coverage\"); os.remove(\".coverage.host.1.x\")'", ..ROW },
    Row { name: "a lock file", needs: &["python3"], work: r#"cd zone; python3 -c '
import os
for name in ".lock", ".build.lock", "index.json.lock":
    os.close(os.open(name, os.O_CREAT | os.O_EXCL)); os.unlink(name)'"#, ..ROW },
    Row { name: "tar into a fresh directory", needs: &["tar"], work: "tar cf out/a.tar zone; mkdir zone/copy; tar xf out/a.tar -C zone/copy", ..ROW },
    Row { name: "flock, mkfifo", needs: &["flock"], work: "flock zone/keep true; mkfifo zone/pipe", ..ROW },

    // --- Beyond the zones. ---
    Row { name: "deletions outside the zones", work: "touch out/a; rm out/a; mkdir -p out/b/c; rm -r out/b; touch out/d; mv out/d out/e; rm out/e", ..ROW },
    Row { name: "deletions in temporary directories", work: "t=$(mktemp -d); touch $t/a; rm $t/a; rmdir $t", ..ROW },
    Row { name: "a cache outside the zones", work: "mkdir -p .cache/x; touch .cache/x/y; rm -rf .cache", ..ROW },
    Row { name: "a name that only begins like the zone", work: "mkdir zone2; touch zone2/a zone.old; rm -r zone2 zone.old", ..ROW },
    Row { name: "reading the policy and the guard's directory", work: "cat .codex/es_policy.json; ls -R --ignore=undo .codex > out/list; rm out/list", ..ROW },
    Row { name: "tracing a process of one's own", needs: &["deeds"], work: "$TOOLS/deeds trace", ..ROW },
    Row { name: "deletions that fail anyway", work: "! rm zone/none; ! rmdir zone/none; ! mv zone/none out/; rm -f zone/none", ..ROW },
];

/// Leaves a file `log` by a process whose parents ended.
const DAEMON: &str = r#"cd zone; python3 -c '
import os, time
if os.fork(): os._exit(0)
os.setsid()
parent = os.getpid()
if os.fork(): os._exit(0)
while os.getppid() == parent: time.sleep(0.01)
open("log", "w").write("1"); os.close(os.open("../out/done", os.O_CREAT))'; while [ ! -e ../out/done ]; do :; done"#;

const GIT_SETUP: &str = "git config --global user.name a; git config --global user.email a@b; \
    git config --global init.defaultBranch main; git config --global advice.detachedHead false";

/// The zone is a repository; the branch `other` lacks the file `keep`.
const REPOSITORY: &str = "git config --global user.name a; git config --global user.email a@b; \
    git config --global init.defaultBranch main; cd zone; git init -q; git add .; git commit -qm one; \
    git checkout -qb other; git rm -q keep; echo o > o; git add o; git commit -qm other; git checkout -q main; \
    echo m > m; git add m; git commit -qm main";

#[test]
fn agents_work_as_if_there_were_no_guard() {
    passes(POLICY, |_| true);
}

/// Truncating, linking and exchanging are evaluated as well. Only what cuts or replaces the contents
/// of a person's file is not to be done then: that is what `truncate` is for.
#[test]
fn agents_work_where_every_operation_is_evaluated() {
    passes(EVERYTHING, |row| !row.cuts);
}

fn passes(policy: &str, is_wanted: impl Fn(&Row) -> bool) {
    let workshop = Workshop::open();
    let mut cases = Vec::new();
    for user in User::all() {
        let rows = ROWS.iter().filter(|row| is_wanted(row));
        for (row, agent) in rows.zip(Who::AGENTS.into_iter().cycle()) {
            cases.push((user, row, agent));
        }
    }
    table::run(&cases, |&(user, row, who)| {
        let plain = workshop.home(user, policy);
        let name = format!("{} by {who:?} as {user}", row.name);
        if let Some(missing) = session::missing_program(&workshop, &plain, row.needs) {
            return table::skip(&name, missing);
        }
        let home = workshop.home(user, policy);
        compared(&workshop, &plain, &home, row, who)
            .map_err(|complaint| format!("{name}: {complaint}"))
    });
}

/// Does a piece of work without and with the guard, and says what differs.
fn compared(
    workshop: &Workshop,
    plain: &Home,
    home: &Home,
    row: &Row,
    who: Who,
) -> Result<(), String> {
    for home in [plain, home] {
        let ready = session::unguarded(workshop, home, &format!("set -e; {}", row.person));
        if !ready.status.success() {
            return Err(format!("not ready: {}", ready.output));
        }
    }
    if !row.yesterday.is_empty() {
        let yesterday = format!("set -e; {}", row.yesterday);
        let earlier = session::guarded(workshop, home, who, "", &yesterday);
        let plainly = session::unguarded(workshop, plain, &yesterday);
        if !plainly.status.success() || !earlier.status.success() || !earlier.denials.is_empty() {
            return Err(format!(
                "not made ready by an agent: {plainly:#?} {earlier:#?}"
            ));
        }
    }
    for home in [plain, home] {
        let since = session::unguarded(workshop, home, &format!("set -e; {}", row.since));
        if !since.status.success() {
            return Err(format!("not made ready since: {}", since.output));
        }
    }
    let work = format!("set -e; {}", row.work);
    let without = session::unguarded(workshop, plain, &work);
    if !without.status.success() {
        return Err(format!("it fails without the guard, too\n{without:#?}"));
    }
    let with = session::guarded(workshop, home, who, "", &work);
    let complaint = if !with.denials.is_empty() {
        "something was denied".to_owned()
    } else if with.status != without.status {
        "it failed".to_owned()
    } else {
        let (without, with) = (names(plain), names(home));
        if without == with {
            return Ok(());
        }
        let differ: Vec<_> = without.symmetric_difference(&with).collect();
        format!("the files differ: {differ:?}")
    };
    Err(format!("{complaint}\n{with:#?}"))
}

/// The names below the zone and beside it, without those that differ from one time to the next.
fn names(home: &Home) -> BTreeSet<PathBuf> {
    let roots = ["zone", "out", ".cache"];
    let trees = roots.into_iter().flat_map(|root| home.tree(root));
    let names = trees.map(|(path, _)| path.strip_prefix(home.path()).unwrap().to_owned());
    names.filter(|name| !is_volatile(name)).collect()
}

fn is_volatile(name: &Path) -> bool {
    name.components().any(|part| {
        VOLATILE
            .iter()
            .any(|volatile| part.as_os_str() == *volatile)
    })
}

/// Git's objects are named by their time, among other things.
const VOLATILE: [&str; 1] = [".git"];
