//! Every call on every kind of name, and on every pair of names.

use crate::calls::{
    self, HERE, HOW_SIZE, OnOne, OnTwo, legacy, linkat, open, openat2, rename, renameat2, rmdir,
    truncate, unlink, unlinkat, word,
};
use crate::house::{STRANGE, long_name};
use crate::stage::Stage;
use std::os::unix::ffi::OsStrExt;

/// Calls on one name.
pub fn alone(stage: &mut Stage) {
    for (label, path) in names(stage, ALONE) {
        for (call, make) in ON_ONE.iter().chain(legacy::ON_ONE) {
            stage.attempt(&format!("{call} {label}"), || make(word(&path)));
        }
    }
}

/// Calls on two names.
pub fn paired(stage: &mut Stage) {
    let paired = names(stage, PAIRED);
    pair(stage, &paired, ON_TWO);
    let few: Vec<_> = FEW
        .iter()
        .map(|name| ((*name).to_owned(), name.as_bytes().to_vec()))
        .collect();
    pair(stage, &few, SELDOM_ON_TWO);
    pair(stage, &few, legacy::ON_TWO);
}

fn pair(stage: &mut Stage, names: &[(String, Vec<u8>)], calls: &[(&str, OnTwo)]) {
    for (label, from) in names {
        for (other_label, to) in names {
            for (call, make) in calls {
                stage.attempt(&format!("{call} {label} {other_label}"), || {
                    make(word(from), word(to))
                });
            }
        }
    }
}

/// Flags that no kernel knows, or not together.
pub fn flags(stage: &mut Stage) {
    let paths = ["file", "dir", "empty", "missing", "", "."];
    for path in paths {
        for bits in [1, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x201, -1] {
            stage.attempt(&format!("unlinkat {bits:#x} {path}"), || {
                unlinkat(HERE, word(path), bits)
            });
        }
        for to in ["file", "new", "empty", ""] {
            for bits in [3, 5, 6, 7, 8, 0x80, u32::MAX] {
                stage.attempt(&format!("renameat2 {bits:#x} {path} {to}"), || {
                    renameat2((HERE, word(path)), (HERE, word(to)), bits)
                });
            }
            for bits in [0x100, 0x200, 0x400, 0x800, 0x1000, 0x1400, 0x8000, -1] {
                stage.attempt(&format!("linkat {bits:#x} {path} {to}"), || {
                    linkat((HERE, word(path)), (HERE, word(to)), bits)
                });
            }
        }
        for size in [0, 1, 8, 16, 23, 24, 4097] {
            stage.attempt(&format!("openat2 of {size} bytes {path}"), || {
                openat2(word(path), libc::O_WRONLY | libc::O_TRUNC, 0, size)
            });
        }
        stage.attempt(&format!("openat2 resolve {path}"), || {
            openat2(word(path), libc::O_WRONLY, u64::MAX, HOW_SIZE)
        });
    }
}

/// The named names, with the few that are not plain text.
fn names(stage: &Stage, plain: &[&str]) -> Vec<(String, Vec<u8>)> {
    let house = stage.house.path.as_os_str().as_bytes();
    let mut names: Vec<_> = plain
        .iter()
        .map(|name| ((*name).to_owned(), name.as_bytes().to_vec()))
        .collect();
    names.push(("HOUSE/file".into(), [house, b"/file"].concat()));
    names.push(("HOUSE".into(), house.to_vec()));
    names.push((
        "ELSEWHERE".into(),
        stage.house.elsewhere.as_os_str().as_bytes().to_vec(),
    ));
    names.push(("STRANGE".into(), STRANGE.to_vec()));
    names.push(("255".into(), long_name(255).into_bytes()));
    names.push(("256".into(), long_name(256).into_bytes()));
    names.push(("256/x".into(), [long_name(256).as_bytes(), b"/x"].concat()));
    names
}

const TRUNC: i32 = libc::O_TRUNC | libc::O_NONBLOCK;
const CREAT: i32 = libc::O_CREAT | libc::O_NONBLOCK;

const ON_ONE: &[(&str, OnOne)] = &[
    ("unlinkat", unlink),
    ("unlinkat(AT_REMOVEDIR)", rmdir),
    ("truncate", |path| truncate(path, 2)),
    ("truncate(-1)", |path| truncate(path, -1)),
    ("openat(O_WRONLY)", |path| open(path, libc::O_WRONLY)),
    ("openat(O_WRONLY|O_TRUNC)", |path| {
        open(path, libc::O_WRONLY | TRUNC)
    }),
    ("openat(O_RDONLY|O_TRUNC)", |path| open(path, TRUNC)),
    ("openat(O_RDWR|O_CREAT)", |path| {
        open(path, libc::O_RDWR | CREAT)
    }),
    ("openat(O_CREAT|O_EXCL)", |path| {
        open(path, libc::O_WRONLY | CREAT | libc::O_EXCL)
    }),
    ("openat(O_CREAT|O_TRUNC)", |path| {
        open(path, libc::O_WRONLY | CREAT | TRUNC)
    }),
    ("openat(O_TRUNC|O_NOFOLLOW)", |path| {
        open(path, libc::O_WRONLY | TRUNC | libc::O_NOFOLLOW)
    }),
    ("openat(O_RDWR|O_DIRECTORY)", |path| {
        open(path, libc::O_RDWR | libc::O_DIRECTORY)
    }),
    ("openat(O_TRUNC|O_DIRECTORY)", |path| {
        open(path, libc::O_TRUNC | libc::O_DIRECTORY)
    }),
    ("openat(O_TMPFILE)", |path| {
        open(path, libc::O_RDWR | libc::O_TMPFILE)
    }),
    ("openat(O_PATH|O_TRUNC)", |path| {
        open(path, libc::O_PATH | libc::O_TRUNC)
    }),
    ("openat2(O_TRUNC)", |path| {
        openat2(path, libc::O_WRONLY | TRUNC, 0, HOW_SIZE)
    }),
    ("openat2(NO_SYMLINKS)", |path| {
        openat2(
            path,
            libc::O_WRONLY | TRUNC,
            libc::RESOLVE_NO_SYMLINKS,
            HOW_SIZE,
        )
    }),
    ("openat2(BENEATH)", |path| {
        openat2(
            path,
            libc::O_WRONLY | CREAT,
            libc::RESOLVE_BENEATH,
            HOW_SIZE,
        )
    }),
];

const ON_TWO: &[(&str, OnTwo)] = &[
    ("renameat2", rename),
    ("renameat2(NOREPLACE)", |from, to| {
        renameat2((HERE, from), (HERE, to), libc::RENAME_NOREPLACE)
    }),
    ("renameat2(EXCHANGE)", |from, to| {
        renameat2((HERE, from), (HERE, to), libc::RENAME_EXCHANGE)
    }),
    ("linkat", |from, to| linkat((HERE, from), (HERE, to), 0)),
    ("linkat(FOLLOW)", |from, to| {
        linkat((HERE, from), (HERE, to), libc::AT_SYMLINK_FOLLOW)
    }),
];

const SELDOM_ON_TWO: &[(&str, OnTwo)] = &[
    ("renameat2(WHITEOUT)", |from, to| {
        renameat2((HERE, from), (HERE, to), libc::RENAME_WHITEOUT)
    }),
    ("renameat", |from, to| {
        calls::call(libc::SYS_renameat, &[HERE, from, HERE, to])
    }),
    ("linkat(EMPTY_PATH)", |from, to| {
        linkat((HERE, from), (HERE, to), libc::AT_EMPTY_PATH)
    }),
];

/// `sticky` and `foreign` are another user's, in the stage's directory: see `main`.
#[rustfmt::skip]
const ALONE: &[&str] = &[
    "file", "./file", "file/", "file//", "file/.", "file/..", "file/x", "hard",
    "missing", "missing/", "missing/.", "missing/x", "missing/..",
    "dir", "dir/", "dir//", "dir/.", "dir/./", "dir/..", "dir/inner", ".//dir///inner",
    "dir/../file", "dir/sub", "dir/sub/../../file", "dir/sub/", "dir/missing",
    "empty", "empty/", "empty/.", "empty/..", "empty/../empty",
    "link", "link/", "link/.", "link/..", "link/x",
    "dirlink", "dirlink/", "dirlink//", "dirlink/.", "dirlink/..", "dirlink/inner", "dirlink/sub",
    "dirlink/../file",
    "dangling", "dangling/", "dangling/.", "dangling/x",
    "loop", "loop/", "loop/.", "loop/x",
    ".", "./", "..", "../", "../.", "/", "//", "/.", "/..", "",
    "fifo", "fifo/", "fifo/x",
    "sealed", "sealed/kept", "sealed/missing", "dark", "dark/kept", "dark/missing", "dark/kept/x",
    "../../sticky/kept", "../../sticky/missing", "../../foreign/kept", "../../foreign/missing",
    "../../foreign", "../../foreign/dir",
    "/proc/self/cwd/file", "/proc/self/cwd/dir/inner", "/proc/self/cwd/missing",
    "/proc/thread-self/cwd/file", "/proc/self/root/nothing/here", "/proc/self/cwd",
    "/proc/self/cwd/", "/proc/self/missing", "/proc/self/fd/999/file", "/proc/self/task/file",
];

#[rustfmt::skip]
const PAIRED: &[&str] = &[
    "file", "file/", "file/x", "other", "hard", "missing", "missing/", "missing/x",
    "dir", "dir/", "dir/.", "dir/inner", "dir/new", "dir/sub/new", "empty", "empty/",
    "empty/new", "link", "dirlink", "dirlink/", "dirlink/new", "dangling", "loop/",
    ".", "..", "/", "", "sealed", "sealed/kept", "sealed/new", "dark/kept",
    "../../sticky/kept", "../../sticky/new", "../../foreign/kept", "../../foreign/new",
    "/proc/self/cwd/file", "/proc/self/cwd/new",
];

const FEW: &[&str] = &[
    "file",
    "hard",
    "missing",
    "dir",
    "dir/inner",
    "empty/",
    "dirlink",
    ".",
    "",
];
