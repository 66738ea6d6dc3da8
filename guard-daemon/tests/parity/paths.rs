//! Where a path may start, how long it may be, and what an address may point to.

use crate::calls::{
    HERE, Outcome, call, flag, linkat, number, open, openat, openat2, outcome, rename, renameat2,
    rmdir, truncate, unlink, unlinkat, word,
};
use crate::house::long_name;
use crate::stage::Stage;
use std::fs::{self, File};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Paths that start at a descriptor.
pub fn descriptors(stage: &mut Stage) {
    let file = stage.house.path.join("file");
    let absolute = file.as_os_str().as_encoded_bytes().to_vec();
    for (label, kind) in DIRECTORIES {
        let mut on = |call: &str, make: &dyn Fn(usize) -> Outcome| {
            stage.attempt(&format!("{call} from {label}"), || {
                let (_keeps_open, dir) = kind();
                make(dir)
            });
            // Making the start may have changed the house, though the call did not.
            stage.house.rebuild();
        };
        on("unlinkat", &|dir| unlinkat(dir, word("inner"), 0));
        on("unlinkat sub", &|dir| {
            unlinkat(dir, word("sub/"), libc::AT_REMOVEDIR)
        });
        on("unlinkat up", &|dir| unlinkat(dir, word("../file"), 0));
        on("unlinkat nothing", &|dir| unlinkat(dir, word(""), 0));
        on("unlinkat dot", &|dir| {
            unlinkat(dir, word("."), libc::AT_REMOVEDIR)
        });
        on("unlinkat missing", &|dir| unlinkat(dir, word("missing"), 0));
        on("unlinkat fault", &|dir| unlinkat(dir, 0, 0));
        on("unlinkat absolute", &|dir| {
            unlinkat(dir, word(&absolute), 0)
        });
        on("renameat2", &|dir| {
            renameat2((dir, word("inner")), (dir, word("moved")), 0)
        });
        on("renameat2 out", &|dir| {
            renameat2((dir, word("inner")), (HERE, word("moved")), 0)
        });
        on("renameat2 in", &|dir| {
            renameat2((HERE, word("file")), (dir, word("moved")), 0)
        });
        on("linkat", &|dir| {
            linkat((dir, word("inner")), (HERE, word("linked")), 0)
        });
        on("linkat in", &|dir| {
            linkat((HERE, word("file")), (dir, word("linked")), 0)
        });
        on("linkat nameless", &|dir| {
            linkat((dir, word("")), (HERE, word("linked")), libc::AT_EMPTY_PATH)
        });
        on("openat", &|dir| {
            openat(dir, word("inner"), libc::O_WRONLY | libc::O_TRUNC)
        });
        on("openat new", &|dir| {
            openat(dir, word("new"), libc::O_WRONLY | libc::O_CREAT)
        });
        on("ftruncate", &|dir| call(libc::SYS_ftruncate, &[dir, 1]));
    }
}

/// Something to start at, and the argument that says so. The first is kept open for the call.
type Start = fn() -> (Option<OwnedFd>, usize);

#[rustfmt::skip]
const DIRECTORIES: &[(&str, Start)] = &[
    ("a directory", || pinned("dir", libc::O_RDONLY)),
    ("a directory's O_PATH", || pinned("dir", libc::O_PATH)),
    ("the empty directory", || pinned("empty", libc::O_RDONLY)),
    ("a file", || pinned("file", libc::O_RDWR)),
    ("a file's O_PATH", || pinned("file", libc::O_PATH)),
    ("a link's O_PATH", || pinned("dirlink", libc::O_PATH | libc::O_NOFOLLOW)),
    ("a FIFO", || pinned("fifo", libc::O_RDWR)),
    ("a removed directory", || {
        let found = pinned("empty", libc::O_RDONLY);
        fs::remove_dir("empty").expect("it is empty");
        found
    }),
    ("a removed file", || {
        let found = pinned("file", libc::O_RDWR);
        fs::remove_file("file").expect("it is there");
        found
    }),
    ("a moved directory", || {
        let found = pinned("dir", libc::O_RDONLY);
        fs::rename("dir", "empty/moved").expect("the name is free");
        found
    }),
    ("a socket", || {
        let (one, _other) = UnixStream::pair().expect("descriptors suffice");
        kept(one.into())
    }),
    ("/dev/null", || pinned("/dev/null", libc::O_RDWR)),
    ("/proc", || pinned("/proc", libc::O_RDONLY)),
    ("the working directory", || (None, HERE)),
    ("the low half of AT_FDCWD", || (None, flag(libc::AT_FDCWD.cast_unsigned()))),
    ("AT_FDCWD with a bit above", || (None, flag(libc::AT_FDCWD.cast_unsigned()) | 1 << 32)),
    ("-1", || (None, number(-1))),
    ("9999", || (None, number(9999))),
    ("the least int", || (None, number(i32::MIN))),
];

fn pinned(path: &str, flags: i32) -> (Option<OwnedFd>, usize) {
    let fd = call(libc::SYS_openat, &[HERE, word(path), number(flags)]).expect("the house has it");
    // SAFETY: the descriptor was just opened and nobody else knows it.
    kept(unsafe { OwnedFd::from_raw_fd(i32::try_from(fd).expect("a descriptor is an int")) })
}

fn kept(fd: OwnedFd) -> (Option<OwnedFd>, usize) {
    let argument = number(fd.as_raw_fd());
    (Some(fd), argument)
}

/// Paths through `/proc` that mean the process that says them.
pub fn magic(stage: &mut Stage) {
    let me = std::process::id();
    for path in [
        "/proc/self/fd/N/inner".to_owned(),
        "/proc/thread-self/fd/N/inner".to_owned(),
        "/dev/fd/N/inner".to_owned(),
        "/proc/self/fd/N/../file".to_owned(),
        "/proc/self/fd/N".to_owned(),
        "/dev/fd/N".to_owned(),
        "/proc/self/fd/N/".to_owned(),
        format!("/proc/{me}/cwd/file"),
        format!("/proc/{me}/task/{me}/cwd/file"),
        format!("/proc/self/task/{me}/cwd/dir/inner"),
        format!("/proc/self/root{}/file", stage.house.path.display()),
        format!("/proc/{me}/root{}/link", stage.house.path.display()),
        format!("/proc/{me}/fd/N/inner"),
        "/proc/self/cwd/dirlink/inner".to_owned(),
        "/proc/../proc/self/cwd/../magic/file".to_owned(),
        "/proc/self/cwd/dir/..//file".to_owned(),
    ] {
        for open_as in ["dir", "file"] {
            for (call, make) in ON_MAGIC {
                // The process id differs from run to run.
                let label = path.replace(&me.to_string(), "PID");
                let label = label.replace(&stage.house.path.display().to_string(), "HOUSE");
                stage.attempt(&format!("{call} {label} of {open_as}"), || {
                    let (_keeps_open, fd) = pinned(open_as, libc::O_RDONLY);
                    make(word(path.replace('N', &fd.to_string())))
                });
            }
        }
    }
    stage.attempt("link an unnamed file", || {
        let (_keeps_open, fd) = pinned(".", libc::O_RDWR | libc::O_TMPFILE);
        let path = format!("/proc/self/fd/{fd}");
        linkat(
            (HERE, word(path)),
            (HERE, word("named")),
            libc::AT_SYMLINK_FOLLOW,
        )
    });
    stage.attempt("link a removed file", || {
        let (_keeps_open, fd) = pinned("other", libc::O_RDWR);
        fs::remove_file("other").expect("it is there");
        let path = format!("/proc/self/fd/{fd}");
        linkat(
            (HERE, word(path)),
            (HERE, word("named")),
            libc::AT_SYMLINK_FOLLOW,
        )
    });
    stage.attempt("cut the running program", || {
        truncate(word("/proc/self/exe"), 0)
    });
    stage.attempt("write the running program", || {
        open(word("/proc/self/exe"), libc::O_RDWR)
    });
}

const ON_MAGIC: &[(&str, crate::calls::OnOne)] = &[
    ("unlink", unlink),
    ("rmdir", rmdir),
    ("rename away", |path| rename(path, word("moved"))),
    ("rename over", |path| rename(word("other"), path)),
    ("link", |path| {
        linkat((HERE, path), (HERE, word("linked")), 0)
    }),
    ("link following", |path| {
        linkat(
            (HERE, path),
            (HERE, word("linked")),
            libc::AT_SYMLINK_FOLLOW,
        )
    }),
    ("truncate", |path| truncate(path, 1)),
    ("open(O_TRUNC)", |path| {
        open(path, libc::O_WRONLY | libc::O_TRUNC)
    }),
    ("open(O_CREAT)", |path| {
        open(path, libc::O_WRONLY | libc::O_CREAT)
    }),
];

/// Paths as long as they may be, and a byte longer.
pub fn lengths(stage: &mut Stage) {
    for length in [
        254, 255, 256, 257, 258, 259, 1000, 4092, 4093, 4094, 4095, 4096, 4097, 9000,
    ] {
        let padded = |name: &str| {
            let dots = "./".repeat((length - name.len()) / 2);
            let slash = if (length - name.len()).is_multiple_of(2) {
                ""
            } else {
                "/"
            };
            let path = format!("{dots}{slash}{name}");
            // An odd length would start with a slash: put it between.
            if dots.is_empty() || slash.is_empty() {
                path
            } else {
                format!("{dots}/{name}")
            }
        };
        for name in ["file", "missing", "dir/inner", "dirlink/inner", "empty/"] {
            let path = padded(name);
            stage.attempt(&format!("unlink {name} in {length}"), || {
                unlink(word(&path))
            });
            stage.attempt(&format!("rmdir {name} in {length}"), || rmdir(word(&path)));
            stage.attempt(&format!("rename {name} in {length}"), || {
                rename(word(&path), word(padded("moved")))
            });
            stage.attempt(&format!("open {name} in {length}"), || {
                open(word(&path), libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC)
            });
        }
        let name = long_name(length);
        stage.attempt(&format!("unlink a name of {length}"), || {
            unlink(word(&name))
        });
        stage.attempt(&format!("rename to a name of {length}"), || {
            rename(word("file"), word(&name))
        });
    }
}

/// Deeper than a path can say, step by step.
pub fn depth(stage: &mut Stage) {
    let name = long_name(200);
    let step = |name: &str| {
        fs::create_dir(name)
            .and_then(|()| std::env::set_current_dir(name))
            .expect("one step");
    };
    (0..30).for_each(|_| step(&name));
    for deep in ["a", "b", "c", "d"] {
        fs::write(deep, deep).expect("here is a directory");
    }
    fs::create_dir("empty").expect("here is a directory");
    stage.note("unlink", unlink(word("a")));
    stage.note("unlink again", unlink(word("a")));
    stage.note("unlink up", unlink(word(format!("../{name}/b"))));
    stage.note("unlink through /proc", unlink(word("/proc/self/cwd/c")));
    stage.note("rename", rename(word("d"), word("e")));
    stage.note(
        "exchange",
        renameat2((HERE, word("e")), (HERE, word("empty")), 2),
    );
    stage.note(
        "link",
        linkat((HERE, word("empty")), (HERE, word("linked")), 0),
    );
    stage.note("truncate", truncate(word("linked"), 0));
    stage.note(
        "create",
        open(word("new"), libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC),
    );
    stage.note("rmdir", rmdir(word("e")));
    stage.note("rmdir again", rmdir(word("e")));
    let mut left: Vec<_> = fs::read_dir(".")
        .expect("here")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    left.sort();
    stage.write(&format!("left: {left:?}"));
    for entry in left {
        stage.note("clear", unlink(word(entry.as_encoded_bytes())));
    }
    for _ in 0..30 {
        std::env::set_current_dir("..").expect("up again");
        stage.note("rmdir up", rmdir(word(&name)));
    }
}

/// A working directory that is no more.
pub fn nowhere(stage: &mut Stage) {
    for (call, make) in FROM_NOWHERE {
        stage.attempt(call, || {
            std::env::set_current_dir("empty").expect("the house has it");
            fs::remove_dir("../empty").expect("it is empty");
            make()
        });
        // A failure leaves the house as it is, but not the working directory.
        stage.house.rebuild();
    }
}

/// A call whose arguments are part of it.
type Ready = fn() -> Outcome;

const FROM_NOWHERE: &[(&str, Ready)] = &[
    ("unlink", || unlink(word("x"))),
    ("unlink up", || unlink(word("../file"))),
    ("unlink below", || unlink(word("x/y"))),
    ("rmdir dot", || rmdir(word("."))),
    ("rmdir up", || rmdir(word(".."))),
    ("rename here", || rename(word("../file"), word("x"))),
    ("rename up", || rename(word("../file"), word("../moved"))),
    ("link here", || {
        linkat((HERE, word("../file")), (HERE, word("x")), 0)
    }),
    ("open", || open(word("x"), libc::O_WRONLY | libc::O_CREAT)),
    ("open up", || {
        open(word("../file"), libc::O_WRONLY | libc::O_TRUNC)
    }),
    ("nothing", || unlink(word(""))),
];

/// Addresses: nowhere, just before nowhere, not to be read.
pub fn memory(stage: &mut Stage) {
    let pages = Pages::map();
    let at_the_end = |text: &[u8]| pages.put(PAGE - text.len(), text);
    let endless = vec![b'n'; PAGE];
    let dots = b"./".repeat(PAGE / 2);
    let cases: Vec<(&str, Address<'_>)> = vec![
        ("null", Box::new(|| 0)),
        ("one", Box::new(|| 1)),
        ("the kernel's half", Box::new(|| usize::MAX - 4095)),
        ("minus one", Box::new(|| usize::MAX)),
        ("no canonical address", Box::new(|| 1 << 60)),
        ("an unmapped page", Box::new(|| pages.address(PAGE))),
        (
            "a path that ends with its page",
            Box::new(|| at_the_end(b"file\0")),
        ),
        (
            "nothing at the end of its page",
            Box::new(|| at_the_end(b"\0")),
        ),
        (
            "a path that runs out of its page",
            Box::new(|| at_the_end(b"file")),
        ),
        ("a page without an end", Box::new(|| pages.put(0, &endless))),
        (
            "a page of dots without an end",
            Box::new(|| pages.put(0, &dots)),
        ),
        ("a page less one", Box::new(|| pages.put(1, &endless[1..]))),
        ("a mapping beyond its file", Box::new(beyond_a_file)),
        ("a page that nobody may read", Box::new(forbidden_page)),
    ];
    for (label, address) in &cases {
        for (call, make) in ON_ADDRESSES {
            stage.attempt(&format!("{call} {label}"), || make(address()));
        }
    }
    stage.attempt("openat2 without how", || {
        call(libc::SYS_openat2, &[HERE, word("file"), 0, 24])
    });
    stage.attempt("openat2 with how beyond its page", || {
        let how = pages.put(PAGE - 8, &[1, 2, 0, 0, 0, 0, 0, 0]);
        call(libc::SYS_openat2, &[HERE, word("file"), how, 24])
    });
    stage.attempt("openat2 of a bad address", || {
        openat2(0, libc::O_RDWR, 0, 24)
    });
}

const ON_ADDRESSES: &[(&str, crate::calls::OnOne)] = &[
    ("unlink", unlink),
    ("rmdir", rmdir),
    ("rename from", |path| rename(path, word("moved"))),
    ("rename to", |path| rename(word("other"), path)),
    ("rename what is missing to", |path| {
        rename(word("missing"), path)
    }),
    ("rename both", |path| rename(path, path)),
    ("link from", |path| {
        linkat((HERE, path), (HERE, word("linked")), 0)
    }),
    ("link to", |path| {
        linkat((HERE, word("file")), (HERE, path), 0)
    }),
    ("link what is missing to", |path| {
        linkat((HERE, word("missing")), (HERE, path), 0)
    }),
    ("truncate", |path| truncate(path, 1)),
    ("open", |path| open(path, libc::O_WRONLY | libc::O_TRUNC)),
    ("bad flags", |path| unlinkat(HERE, path, 1)),
    ("execve", |path| call(libc::SYS_execve, &[path, 0, 0])),
];

/// Makes an address, just before it is used.
type Address<'a> = Box<dyn Fn() -> usize + 'a>;

/// One writable page and nothing after it.
struct Pages(usize);

impl Pages {
    fn map() -> Self {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let null = std::ptr::null_mut();
        // SAFETY: a new mapping where the kernel likes; nothing else is touched.
        let start = unsafe { libc::mmap(null, 2 * PAGE, protection, flags, -1, 0) };
        assert_ne!(
            start,
            libc::MAP_FAILED,
            "{}",
            std::io::Error::last_os_error()
        );
        // SAFETY: two pages were mapped.
        let second = unsafe { start.byte_add(PAGE) };
        // SAFETY: the page was just mapped; nobody uses it.
        let unmapped = unsafe { libc::munmap(second, PAGE) };
        outcome(unmapped).expect("it was just mapped");
        Self(start.expose_provenance())
    }

    fn address(&self, offset: usize) -> usize {
        self.0 + offset
    }

    /// Puts bytes into the page, zeros around them, and returns their address.
    fn put(&self, offset: usize, bytes: &[u8]) -> usize {
        assert!(offset + bytes.len() <= PAGE);
        let page: *mut u8 = std::ptr::with_exposed_provenance_mut(self.0);
        // SAFETY: the page is mapped, writable, and only this thread's.
        unsafe { page.write_bytes(0, PAGE) };
        // SAFETY: asserted above: the bytes end within the page.
        let target = unsafe { page.add(offset) };
        // SAFETY: as above; `bytes` is not in the page.
        unsafe { target.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        self.address(offset)
    }
}

/// A page of a mapping of an empty file: touching it is `SIGBUS`.
fn beyond_a_file() -> usize {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open("mapped");
    let file = file.expect("here is a directory");
    fs::remove_file("mapped").expect("it was just made");
    let (null, flags) = (std::ptr::null_mut(), libc::MAP_SHARED);
    // SAFETY: a new mapping where the kernel likes; nobody touches it.
    let start = unsafe { libc::mmap(null, PAGE, libc::PROT_READ, flags, file.as_raw_fd(), 0) };
    assert_ne!(
        start,
        libc::MAP_FAILED,
        "{}",
        std::io::Error::last_os_error()
    );
    start.expose_provenance()
}

/// A page without any right: whoever may read the process's memory otherwise finds zeros there.
fn forbidden_page() -> usize {
    let (null, flags) = (
        std::ptr::null_mut(),
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: a new mapping where the kernel likes; nobody touches it.
    let start = unsafe { libc::mmap(null, PAGE, libc::PROT_NONE, flags, -1, 0) };
    assert_ne!(
        start,
        libc::MAP_FAILED,
        "{}",
        std::io::Error::last_os_error()
    );
    start.expose_provenance()
}

/// Threads of one process, each in a directory of its own.
pub fn threads(stage: &mut Stage) {
    for place in ["one", "two", "three"] {
        fs::create_dir(place).expect("the name is free");
        for name in ["a", "b", "c"] {
            fs::write(Path::new(place).join(name), place).expect("it was just made");
        }
    }
    let lines: Vec<_> = std::thread::scope(|scope| {
        ["one", "two", "three"]
            .map(|place| scope.spawn(move || in_a_directory_of_its_own(place)))
            .map(|thread| thread.join().expect("threads end in order"))
            .concat()
    });
    lines.iter().for_each(|line| stage.write(line));
    stage.note("unlink", unlink(word("file")));
    stage.note_tree("after threads");
}

fn in_a_directory_of_its_own(place: &str) -> Vec<String> {
    let own = call(libc::SYS_unshare, &[number(libc::CLONE_FS)]);
    let moved = call(libc::SYS_chdir, &[word(place)]);
    let outcome = |what: &str, came: Outcome| format!("{place} {what}: {came:?}");
    vec![
        outcome("unshare", own),
        outcome("chdir", moved),
        outcome("unlink", unlink(word("a"))),
        outcome("unlink again", unlink(word("a"))),
        outcome("unlink up", unlink(word(format!("../{place}/b")))),
        outcome("rename", rename(word("/proc/thread-self/cwd/c"), word("d"))),
        outcome("create", open(word("e"), libc::O_WRONLY | libc::O_CREAT)),
    ]
}

const PAGE: usize = 4096;
