//! Processes that may less, or elsewhere: other users, dropped capabilities, other roots, other
//! namespaces, Landlock. What the kernel refuses them, the guard must not do for them.
//!
//! Every act here changes its own process for good. An ordinary user is refused most of the
//! changes, with and without the guard alike, and goes on as it was.

use crate::calls::{
    HERE, Outcome, call, linkat, number, open, rename, rmdir, truncate, unlink, word,
};
use crate::stage::Stage;
use std::fs::{self, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;

/// One call of each kind, on what is the actor's and on what is not.
fn try_all(stage: &mut Stage, who: &str) {
    for name in [
        "file",
        "dir/inner",
        "closed/kept",
        "sticky/kept",
        "../../foreign/kept",
        "missing",
    ] {
        stage.note(
            &format!("{who}: open {name}"),
            open(word(name), libc::O_WRONLY),
        );
        stage.note(&format!("{who}: truncate {name}"), truncate(word(name), 3));
        let link = linkat((HERE, word(name)), (HERE, word("open/linked")), 0);
        stage.note(&format!("{who}: link {name}"), link);
        stage.note(
            &format!("{who}: rename over {name}"),
            rename(word("open/new"), word(name)),
        );
        stage.note(
            &format!("{who}: rename {name}"),
            rename(word(name), word("open/moved")),
        );
        stage.note(&format!("{who}: unlink {name}"), unlink(word(name)));
    }
    stage.note(&format!("{who}: rmdir"), rmdir(word("empty")));
    stage.note(&format!("{who}: rmdir open"), rmdir(word("open/empty")));
    stage.note(&format!("{who}: unlink open"), unlink(word("open/kept")));
}

/// Adds to the house a private directory, a sticky one and one open to all.
fn add_rooms(stage: &mut Stage) {
    for (room, mode) in [("closed", 0o700), ("sticky", 0o1777), ("open", 0o777)] {
        fs::create_dir(room).expect("the name is free");
        fs::write(format!("{room}/kept"), room).expect("it was just made");
        fs::set_permissions(room, Permissions::from_mode(mode)).expect("it is ours");
    }
    fs::write("open/new", "new").expect("it was just made");
    fs::create_dir("open/empty").expect("it was just made");
    fs::set_permissions(&stage.house.path, Permissions::from_mode(0o755)).expect("it is ours");
}

/// Another effective user, in each of the ways there are; and back.
pub fn users(stage: &mut Stage) {
    add_rooms(stage);
    let other = number(OTHER);
    stage.note("setfsuid", call(libc::SYS_setfsuid, &[other]));
    try_all(stage, "setfsuid");
    let _was_other = call(libc::SYS_setfsuid, &[0]);
    stage.note("unlink as before", unlink(word("open/empty")));
    let keep = number(-1);
    stage.note("seteuid", call(libc::SYS_setresuid, &[keep, other, keep]));
    try_all(stage, "seteuid");
    stage.note("seteuid back", call(libc::SYS_setresuid, &[keep, 0, keep]));
    stage.note("unlink as before", unlink(word("other")));
    stage.note("setgroups", call(libc::SYS_setgroups, &[0, 0]));
    stage.note(
        "setresgid",
        call(libc::SYS_setresgid, &[other, other, other]),
    );
    stage.note(
        "setresuid",
        call(libc::SYS_setresuid, &[other, other, other]),
    );
    try_all(stage, "setresuid");
    stage.note("setresuid back", call(libc::SYS_setresuid, &[0, 0, 0]));
    stage.note_tree("at last");
}

/// A superuser without the capabilities that make one.
pub fn capabilities(stage: &mut Stage) {
    add_rooms(stage);
    let other = number(OTHER);
    for room in ["closed", "sticky", "closed/kept", "sticky/kept"] {
        stage.note(
            "chown",
            call(libc::SYS_fchownat, &[HERE, word(room), other, other]),
        );
    }
    // `struct __user_cap_header_struct` of version 3 for this thread, and two empty data structs.
    let header: [u32; 2] = [0x2008_0522, 0];
    let none = [0u32; 6];
    let pointers = [
        header.as_ptr().expose_provenance(),
        none.as_ptr().expose_provenance(),
    ];
    stage.note("capset", call(libc::SYS_capset, &pointers));
    try_all(stage, "no capabilities");
    stage.note_tree("at last");
}

/// Another root directory.
pub fn roots(stage: &mut Stage) {
    std::os::unix::fs::symlink("/dir", "absolute").expect("the name is free");
    std::os::unix::fs::symlink("/file", "absolute-file").expect("the name is free");
    fs::create_dir("jail").expect("the name is free");
    fs::write("jail/file", "jailed").expect("it was just made");
    stage.note("chroot", call(libc::SYS_chroot, &[word(".")]));
    for path in [
        "/dir/inner",
        "/absolute/sub/../inner",
        "absolute/inner",
        "/../other",
        "/missing",
    ] {
        stage.note(&format!("unlink {path}"), unlink(word(path)));
    }
    stage.note("truncate", truncate(word("/absolute-file"), 1));
    stage.note(
        "open",
        open(word("absolute-file"), libc::O_WRONLY | libc::O_TRUNC),
    );
    stage.note("rename", rename(word("/hard"), word("/../../renamed")));
    // The working directory stays outside: up from there is not up in the jail.
    stage.note("chroot below", call(libc::SYS_chroot, &[word("jail")]));
    stage.note("unlink in the jail", unlink(word("/file")));
    stage.note("unlink beside it", unlink(word("file")));
    stage.note("unlink in it again", unlink(word("jail/file")));
    stage.note("rmdir", rmdir(word("absolute/sub")));
    stage.note("move the jail away", rename(word("jail"), word("moved")));
    stage.note(
        "create in it",
        open(word("/made"), libc::O_WRONLY | libc::O_CREAT),
    );
    // The record and the listing need no root directory; leave the jail for the latter.
    stage.note("up", call(libc::SYS_chdir, &[word(".")]));
    let mut left: Vec<_> = fs::read_dir(".")
        .expect("here")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    left.sort();
    stage.write(&format!("left: {left:?}"));
}

/// A mount namespace of its own; as an ordinary user, in a user namespace of its own.
pub fn namespaces(stage: &mut Stage) {
    let flags = libc::CLONE_NEWNS | if is_root() { 0 } else { libc::CLONE_NEWUSER };
    stage.note("unshare", call(libc::SYS_unshare, &[number(flags)]));
    let private = libc::MS_REC | libc::MS_PRIVATE;
    stage.note("private", mount("none", "/", "", private));
    add_rooms(stage);
    fs::create_dir("bound").expect("the name is free");
    fs::create_dir("sealed-off").expect("the name is free");
    stage.note("bind", mount("dir", "bound", "", libc::MS_BIND));
    stage.note(
        "bind read-only",
        mount("dir", "sealed-off", "", libc::MS_BIND),
    );
    let read_only = libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY;
    stage.note("remount", mount("none", "sealed-off", "", read_only));
    for directory in ["sealed-off", "bound", "dir"] {
        for name in ["inner", "missing", "sub"] {
            let path = format!("{directory}/{name}");
            stage.note(
                &format!("open {path}"),
                open(word(&path), libc::O_RDWR | libc::O_TRUNC),
            );
            stage.note(
                &format!("rename out {path}"),
                rename(word(&path), word("moved")),
            );
            stage.note(
                &format!("rename across {path}"),
                rename(word(&path), word("bound/across")),
            );
            stage.note(
                &format!("link {path}"),
                linkat((HERE, word(&path)), (HERE, word("l")), 0),
            );
            stage.note(&format!("rmdir {path}"), rmdir(word(&path)));
            stage.note(&format!("unlink {path}"), unlink(word(&path)));
        }
    }
    stage.note("rmdir a mount point", rmdir(word("bound")));
    stage.note(
        "rename a mount point",
        rename(word("bound"), word("unbound")),
    );
    stage.note("tmpfs", mount("none", "empty", "tmpfs", 0));
    fs::write("empty/new", "new").expect("it is writable, mounted or not");
    stage.note("unlink on it", unlink(word("empty/new")));
    stage.note("rename onto it", rename(word("file"), word("empty/file")));
    try_all(stage, "elsewhere");
    stage.note_tree("at last");
    for place in ["bound", "sealed-off", "empty"] {
        stage.note(
            "unmount",
            call(libc::SYS_umount2, &[word(place), number(libc::MNT_DETACH)]),
        );
    }
}

/// A user namespace of its own, in which an ordinary user is a superuser.
pub fn user_namespace(stage: &mut Stage) {
    add_rooms(stage);
    stage.note(
        "unshare",
        call(libc::SYS_unshare, &[number(libc::CLONE_NEWUSER)]),
    );
    try_all(stage, "unmapped");
    stage.note_tree("at last");
}

/// A Landlock domain that forbids removing.
pub fn landlock(stage: &mut Stage) {
    add_rooms(stage);
    let Some(()) = restrict(stage, REMOVE_FILE | REMOVE_DIR | MAKE_REG) else {
        return;
    };
    try_all(stage, "confined");
    crate::stage::in_child(|| try_all(stage, "a child"));
    let joined = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                [
                    unlink(word("file")),
                    rmdir(word("empty")),
                    unlink(word("missing")),
                ]
            })
            .join()
    });
    for came in joined.expect("threads end in order") {
        stage.note("a thread", came);
    }
    stage.note_tree("at last");
}

/// Enters a domain in which `rights` are denied everywhere but below `open`.
fn restrict(stage: &mut Stage, rights: u64) -> Option<()> {
    let attributes: [u64; 1] = [rights];
    let ruleset = call(
        CREATE_RULESET,
        &[
            attributes.as_ptr().expose_provenance(),
            size_of_val(&attributes),
        ],
    );
    let Ok(ruleset) = ruleset else {
        // The kernel has no Landlock, or it is switched off: nothing to compare.
        stage.note("landlock_create_ruleset", ruleset);
        return None;
    };
    let ruleset = usize::try_from(ruleset).expect("a descriptor");
    let open = fs::File::open("open").expect("the room was added");
    // `struct landlock_path_beneath_attr` is packed: eight bytes of rights, four of descriptor.
    let mut rule = [0u8; 12];
    let (allowed, below) = rule.split_at_mut(8);
    allowed.copy_from_slice(&rights.to_ne_bytes());
    below.copy_from_slice(&open.as_raw_fd().to_ne_bytes());
    let added = call(
        ADD_RULE,
        &[ruleset, 1, rule.as_ptr().expose_provenance(), 0],
    );
    stage.note("landlock_add_rule", added);
    // SAFETY: no memory is involved.
    let promised = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    stage.note("no_new_privs", Ok(promised.into()));
    stage.note("landlock_restrict_self", call(RESTRICT_SELF, &[ruleset, 0]));
    Some(())
}

fn mount(source: &str, target: &str, kind: &str, flags: libc::c_ulong) -> Outcome {
    let flags = usize::try_from(flags).expect("usize has 64 bits");
    call(
        libc::SYS_mount,
        &[word(source), word(target), word(kind), flags, 0],
    )
}

/// Whether this is the superuser.
pub fn is_root() -> bool {
    // SAFETY: no preconditions.
    unsafe { libc::geteuid() == 0 }
}

/// A user that owns nothing here.
const OTHER: i32 = 23456;

const CREATE_RULESET: libc::c_long = libc::SYS_landlock_create_ruleset;
const ADD_RULE: libc::c_long = libc::SYS_landlock_add_rule;
const RESTRICT_SELF: libc::c_long = libc::SYS_landlock_restrict_self;

/// `include/uapi/linux/landlock.h`.
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_REG: u64 = 1 << 8;
