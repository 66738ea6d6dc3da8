//! What is denied, performed and left to the kernel: the real judge on real files.
//!
//! A row is an actor, a call and its outcome: what the guard did and the recorded reason, and the
//! caller's errno if it is not the one of that answer. Without a reason nothing was recorded.
#![cfg(target_os = "linux")]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    missing_docs,
    reason = "all of an integration test is test"
)]

mod support;

use Actor::{Agent, Human};
use Argument::{Number, Path, Text};
use std::os::fd::AsRawFd as _;
use support::{Actor, Argument, Call, Stage};

/// Protects `zone/`, with every default.
const DEFAULT: &str = r#"{"protected_zones": ["ZONE"]}"#;
const TRUNCATE: &str =
    r#"{"protected_zones": ["ZONE"], "operations": ["unlink", "rename", "truncate"]}"#;
const LINK: &str = r#"{"protected_zones": ["ZONE"], "operations": ["unlink", "rename", "link"]}"#;
const AUDIT: &str = r#"{"protected_zones": ["ZONE"], "mode": "audit"}"#;

type Row<'a> = (Actor, Call, &'a str);

/// Checks each row with files of its own. What is not performed leaves them as they are.
#[track_caller]
fn check(policy: &str, rows: &[Row<'_>]) {
    for &(actor, call, outcome) in rows {
        let mut stage = Stage::new(actor, policy, None);
        let before = stage.contents();
        assert_eq!(stage.answer(call), outcome, "{actor:?} {call:?}");
        let performed = outcome.starts_with("performed") && !outcome.contains(", E");
        let changed = stage.contents() != before;
        assert_eq!(changed, performed, "{actor:?} {call:?}");
    }
}

#[test]
fn names_are_removed_by_people_and_kept_from_agents() {
    #[rustfmt::skip]
    let rows = [
        (Human, unlink("zone/doc"), "performed human"),
        (Agent, unlink("zone/doc"), "denied agent_in_zone"),
        (Agent, unlink("zone/link"), "denied agent_in_zone"),
        (Agent, unlink("zone/full/../doc"), "denied agent_in_zone"),
        (Agent, unlink("outside/../zone/doc"), "denied agent_in_zone"),
        (Agent, unlink("outside/doc"), "performed outside_zones"),
        (Human, rmdir("zone/empty"), "performed human"),
        (Agent, rmdir("zone/empty"), "performed scratch"),
        (Agent, rmdir("zone/full"), "performed scratch, ENOTEMPTY"),
        (Human, rmdir("zone/full"), "performed human, ENOTEMPTY"),
    ];
    check(DEFAULT, &rows);
}

#[test]
fn what_the_kernel_would_refuse_is_refused_with_its_errno() {
    let remove = |text| Call(libc::SYS_unlinkat, [HERE, text, ZERO, ZERO, ZERO]);
    #[rustfmt::skip]
    let rows = [
        (Agent, unlink("zone/none"), "ENOENT"),
        (Agent, unlink("zone/none/x"), "ENOENT"),
        (Agent, unlink("zone/doc/x"), "ENOTDIR"),
        (Agent, unlink("zone/."), "EISDIR"),
        (Agent, rmdir("zone/."), "EINVAL"),
        (Agent, unlink("zone/full"), "performed scratch, EISDIR"),
        (Agent, unlink("zone/full/"), "performed scratch, EISDIR"),
        (Agent, unlink("zone/doc/"), "ENOTDIR"),
        (Agent, unlink("zone"), "EISDIR"),
        (Agent, rmdir("zone/doc"), "ENOTDIR"),
        (Agent, rmdir("zone/link"), "ENOTDIR"),
        (Agent, rmdir("zone"), "ENOTEMPTY"),
        (Agent, rename("zone/none", "outside/new"), "ENOENT"),
        (Agent, rename("zone/doc", "outside"), "EISDIR"),
        (Agent, rename("zone/doc", "outside/new/"), "ENOTDIR"),
        (Agent, rename("zone/full", "outside/doc"), "ENOTDIR"),
                (Agent, rename("zone", "zone/full/zone"), "EINVAL"),
        (Agent, remove(Text("")), "ENOENT"),
        (Agent, remove(Number(8)), "EFAULT"),
        (Human, unlink("outside"), "performed outside_zones, EISDIR"),
        (Human, unlink("outside/doc/"), "performed outside_zones, ENOTDIR"),
    ];
    check(DEFAULT, &rows);
}

#[test]
fn renames_are_judged_by_what_leaves() {
    const NOREPLACE: u32 = libc::RENAME_NOREPLACE;
    #[rustfmt::skip]
    let rows = [
        (Human, rename("zone/doc", "outside/new"), "performed human"),
        (Agent, rename("zone/doc", "outside/new"), "denied agent_in_zone"),
        (Agent, rename("zone/doc", "outside/doc"), "denied agent_in_zone"),
        (Agent, rename("zone/full", "outside/full"), "denied agent_in_zone"),
        (Agent, rename("zone", "moved"), "denied agent_in_zone"),
        (Agent, rename("zone/doc", "zone/full/doc"), "performed within_zones"),
        (Agent, rename("zone/full", "zone/empty/full"), "performed within_zones"),
        (Agent, rename("outside/doc", "zone/new"), "performed replaced"),
        (Agent, rename("outside/doc", "zone/doc"), "performed replaced"),
        (Agent, rename("outside/doc", "outside/new"), "performed outside_zones"),
        (Agent, rename2("outside/doc", "outside/other", NOREPLACE), "EEXIST"),
        (Agent, rename2("zone/doc", "outside/new", NOREPLACE), "denied agent_in_zone"),
        // A flag that no kernel knows.
        (Agent, rename2("zone/doc", "outside/new", 1 << 31), "continued"),
    ];
    check(DEFAULT, &rows);
}

#[test]
fn an_exchange_leaves_in_both_directions() {
    let exchange = |from, to| rename2(from, to, libc::RENAME_EXCHANGE);
    #[rustfmt::skip]
    let rows = [
        (Agent, exchange("zone/doc", "outside/doc"), "denied agent_in_zone"),
        (Agent, exchange("outside/doc", "zone/doc"), "denied agent_in_zone"),
        (Agent, exchange("zone/doc", "zone/other"), "performed within_zones"),
        (Agent, exchange("outside/doc", "outside/other"), "performed outside_zones"),
        (Human, exchange("zone/doc", "outside/doc"), "performed human"),
    ];
    check(DEFAULT, &rows);
}

#[test]
fn links_are_judged_where_the_policy_says_so() {
    const FOLLOW: i32 = libc::AT_SYMLINK_FOLLOW;
    #[rustfmt::skip]
    let rows = [
        (Agent, link("zone/doc", "outside/new", 0), "performed not_judged"),
        (Agent, link("zone/link", "outside/new", FOLLOW), "continued not_judged"),
        (Agent, link("outside/doc", "outside/other", 0), "performed not_judged, EEXIST"),
        (Agent, link("own/policy", "outside/new", 0), "denied guard_files"),
    ];
    check(DEFAULT, &rows);
    #[rustfmt::skip]
    let rows = [
        (Agent, link("zone/doc", "outside/new", 0), "denied agent_in_zone"),
        (Agent, link("zone/doc", "zone/new", 0), "performed within_zones"),
        (Human, link("zone/doc", "outside/new", 0), "performed human"),
    ];
    check(LINK, &rows);
}

#[test]
fn truncating_is_judged_where_the_policy_says_so() {
    const TRUNC: i32 = libc::O_WRONLY | libc::O_TRUNC;
    const NEW: i32 = libc::O_CREAT | libc::O_EXCL;
    #[rustfmt::skip]
    let rows = [
        (Agent, truncate("zone/doc"), "continued"),
        (Agent, open("zone/doc", TRUNC), "continued"),
    ];
    check(DEFAULT, &rows);
    #[rustfmt::skip]
    let rows = [
        (Agent, truncate("zone/doc"), "denied agent_in_zone"),
        (Agent, truncate("zone/link"), "denied agent_in_zone"),
        (Agent, truncate("outside/doc"), "continued"),
        (Human, truncate("zone/doc"), "continued human"),
        (Agent, open("zone/doc", TRUNC), "denied agent_in_zone"),
        (Agent, open("zone/link", TRUNC), "denied agent_in_zone"),
        (Agent, open("zone/doc", libc::O_RDWR), "continued"),
        (Agent, open("zone/empty", TRUNC), "continued"),
        (Agent, open("zone/doc", TRUNC | NEW), "continued"),
        (Human, open("zone/doc", TRUNC), "continued human"),
    ];
    check(TRUNCATE, &rows);
}

#[test]
fn the_guards_own_files_are_kept_from_agents_whatever_the_zones() {
    const WRITE: i32 = libc::O_WRONLY;
    const BIND: u64 = libc::MS_BIND;
    let symlink = |path| {
        Call(
            libc::SYS_symlinkat,
            [Text("x"), HERE, Path(path), ZERO, ZERO],
        )
    };
    #[rustfmt::skip]
    let rows = [
        (Agent, unlink("own/policy"), "denied guard_files"),
        (Agent, rename("own/policy", "own/new"), "denied guard_files"),
        (Agent, rename("outside/doc", "own/policy"), "denied guard_files"),
        (Agent, rename("own", "outside/own"), "denied guard_files"),
        (Agent, open("own/policy", WRITE), "denied guard_files"),
        (Agent, open("outside/link", WRITE), "denied guard_files"),
        (Agent, open("own/new", WRITE | libc::O_CREAT), "denied guard_files"),
        (Agent, truncate("own/policy"), "denied guard_files"),
        (Agent, symlink("own/new"), "denied guard_files"),
        (Agent, symlink("outside/new"), "continued"),
        (Agent, mount("outside", "own", BIND), "denied guard_files"),
        (Human, open("own/policy", WRITE), "continued human"),
        (Human, unlink("own/policy"), "performed human"),
    ];
    check(DEFAULT, &rows);
}

#[test]
fn the_guards_own_processes_are_kept_from_agents() {
    let parent = rustix::process::getppid().unwrap().as_raw_pid();
    let parent = parent.cast_unsigned();
    let attach = Number(libc::PTRACE_ATTACH.into());
    let pid = Number(parent.into());
    for call in [
        Call(libc::SYS_ptrace, [attach, pid, ZERO, ZERO, ZERO]),
        Call(libc::SYS_process_vm_writev, [pid, ZERO, ZERO, ZERO, ZERO]),
    ] {
        let answer = |actor, own| Stage::new(actor, DEFAULT, own).answer(call);
        assert_eq!(answer(Agent, Some(parent)), "denied guard_files");
        assert_eq!(answer(Human, Some(parent)), "continued human");
        assert_eq!(answer(Agent, None), "continued");
    }
}

#[test]
fn nothing_is_mounted_over_a_zone_or_moved_away_with_it() {
    let unmount = |path| Call(libc::SYS_umount2, [Path(path), ZERO, ZERO, ZERO, ZERO]);
    let move_mount = |from, to| {
        let (from, to) = (Path(from), Path(to));
        Call(libc::SYS_move_mount, [HERE, from, HERE, to, ZERO])
    };
    #[rustfmt::skip]
    let rows = [
        (Agent, mount("outside", "zone", libc::MS_BIND), "denied agent_in_zone"),
        (Agent, mount("zone", "outside", libc::MS_MOVE), "denied agent_in_zone"),
        (Agent, mount("outside", "zone", libc::MS_REMOUNT), "continued"),
        (Agent, mount("zone", "outside", libc::MS_BIND), "continued"),
        (Human, mount("outside", "zone", libc::MS_BIND), "continued human"),
        (Agent, unmount("zone"), "denied agent_in_zone"),
        (Agent, unmount("outside"), "continued"),
        (Agent, move_mount("zone", "outside"), "denied agent_in_zone"),
        (Agent, move_mount("outside", "zone"), "denied agent_in_zone"),
    ];
    check(DEFAULT, &rows);
}

#[test]
fn a_handle_without_a_path_opens_nothing_for_an_agent() {
    let write = flags(libc::O_WRONLY);
    let by_handle = Call(libc::SYS_open_by_handle_at, [ZERO, ZERO, write, ZERO, ZERO]);
    #[rustfmt::skip]
    let rows = [
        (Agent, by_handle, "denied unresolved_path"),
        (Human, by_handle, "continued unresolved_path"),
    ];
    check(DEFAULT, &rows);
}

/// Whoever entered a Landlock domain may be refused what the guard is not. So the kernel resolves
/// its paths and executes its calls, and what is missing is missing.
#[test]
fn the_calls_of_a_confined_caller_are_left_to_the_kernel() {
    let landlock = Call(libc::SYS_landlock_restrict_self, [ZERO; 5]);
    #[rustfmt::skip]
    let rows = [
        (Agent, unlink("zone/doc"), "denied agent_in_zone"),
        (Agent, unlink("outside/doc"), "continued outside_zones"),
        (Human, unlink("zone/doc"), "continued human"),
        (Agent, unlink("zone/none/x"), "ENOENT"),
        (Agent, unlink("zone/doc/x"), "ENOTDIR"),
        (Agent, rmdir("zone/doc"), "ENOTDIR"),
        (Agent, rename("outside/doc", "zone/none/x"), "ENOENT"),
        (Agent, unlink("outside/none/x"), "continued unresolved_path"),
        (Human, unlink("zone/none/x"), "continued unresolved_path"),
    ];
    for (actor, call, outcome) in rows {
        let mut stage = Stage::new(actor, DEFAULT, None);
        assert_eq!(stage.answer(landlock), "continued");
        assert_eq!(stage.answer(call), outcome, "{actor:?} {call:?}");
    }
}

/// The kernel would take the whole tree with it.
#[test]
fn a_subvolume_is_kept_with_all_that_is_in_it() {
    // The name is 8 bytes into the first structure and 56 into the second, whose flags are at 16.
    const FIRST: Argument = Text("filler__full");
    const NAMED: Argument = Text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaafull");
    const NUMBERED: Argument = Text("0000000000000000000000000000000000000000000000000000000000");
    #[rustfmt::skip]
    let rows = [
        (Agent, 0x5000_940F, FIRST, "denied agent_in_zone"),
        (Agent, 0x5000_943F, NAMED, "denied agent_in_zone"),
        (Agent, 0x5000_943F, NUMBERED, "denied unresolved_path"),
        (Human, 0x5000_940F, FIRST, "continued human"),
        (Human, 0x5000_943F, NUMBERED, "continued unresolved_path"),
    ];
    for (actor, command, arguments, outcome) in rows {
        let mut stage = Stage::new(actor, DEFAULT, None);
        let zone = std::fs::File::open(stage.path("zone")).unwrap();
        let fd = Number(zone.as_raw_fd().cast_unsigned().into());
        let call = Call(
            libc::SYS_ioctl,
            [fd, Number(command), arguments, ZERO, ZERO],
        );
        assert_eq!(stage.answer(call), outcome, "{actor:?} {command:#x}");
    }
}

#[test]
fn discarding_contents_is_judged_like_cutting_them() {
    let discard = |actor, policy| {
        let mut stage = Stage::new(actor, policy, None);
        let doc = stage.path("zone/doc");
        let doc = std::fs::File::options().write(true).open(doc).unwrap();
        let fd = Number(doc.as_raw_fd().cast_unsigned().into());
        let mode = flags(libc::FALLOC_FL_COLLAPSE_RANGE);
        stage.answer(Call(libc::SYS_fallocate, [fd, mode, ZERO, ZERO, ZERO]))
    };
    assert_eq!(discard(Agent, TRUNCATE), "denied agent_in_zone");
    assert_eq!(discard(Human, TRUNCATE), "continued human");
    assert_eq!(discard(Agent, DEFAULT), "continued");
}

#[test]
fn no_agent_makes_a_brother() {
    let clone = |actor| {
        let sharing = flags(libc::CLONE_PARENT | libc::SIGCHLD);
        let call = Call(libc::SYS_clone, [sharing, ZERO, ZERO, ZERO, ZERO]);
        Stage::new(actor, DEFAULT, None).answer(call)
    };
    assert_eq!(clone(Agent), "EPERM");
    assert_eq!(clone(Human), "continued");
}

#[test]
fn audit_mode_performs_what_it_records() {
    #[rustfmt::skip]
    let rows = [
        (Agent, unlink("zone/doc"), "performed audit_only"),
        (Agent, rename("zone/doc", "outside/new"), "performed audit_only"),
        (Agent, mount("outside", "zone", libc::MS_BIND), "continued audit_only"),
        (Agent, unlink("own/policy"), "denied guard_files"),
        (Human, unlink("zone/doc"), "performed human"),
    ];
    check(AUDIT, &rows);
}

#[test]
fn an_agent_removes_what_it_made() {
    let mut stage = Stage::new(Agent, DEFAULT, None);
    let create = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL;
    assert_eq!(stage.answer(open("zone/made", create)), "continued");
    std::fs::write(stage.path("zone/made"), "made").unwrap();
    let renamed = stage.answer(rename("zone/made", "zone/renamed"));
    assert_eq!(renamed, "performed within_zones");
    assert_eq!(stage.answer(unlink("zone/renamed")), "performed scratch");
    assert_eq!(stage.answer(unlink("zone/doc")), "denied agent_in_zone");
}

/// `AT_FDCWD`.
const HERE: Argument = flags(libc::AT_FDCWD);
const ZERO: Argument = Number(0);

const fn flags(flags: i32) -> Argument {
    Number(flags.cast_unsigned() as u64)
}

const fn unlink(path: &'static str) -> Call {
    Call(libc::SYS_unlinkat, [HERE, Path(path), ZERO, ZERO, ZERO])
}

const fn rmdir(path: &'static str) -> Call {
    let how = flags(libc::AT_REMOVEDIR);
    Call(libc::SYS_unlinkat, [HERE, Path(path), how, ZERO, ZERO])
}

const fn rename(from: &'static str, to: &'static str) -> Call {
    rename2(from, to, 0)
}

const fn rename2(from: &'static str, to: &'static str, how: u32) -> Call {
    let (from, to) = (Path(from), Path(to));
    Call(
        libc::SYS_renameat2,
        [HERE, from, HERE, to, Number(how as u64)],
    )
}

const fn link(from: &'static str, to: &'static str, how: i32) -> Call {
    let (from, to) = (Path(from), Path(to));
    Call(libc::SYS_linkat, [HERE, from, HERE, to, flags(how)])
}

const fn truncate(path: &'static str) -> Call {
    Call(libc::SYS_truncate, [Path(path), ZERO, ZERO, ZERO, ZERO])
}

const fn open(path: &'static str, how: i32) -> Call {
    Call(libc::SYS_openat, [HERE, Path(path), flags(how), ZERO, ZERO])
}

const fn mount(source: &'static str, target: &'static str, how: u64) -> Call {
    let (source, target) = (Path(source), Path(target));
    Call(libc::SYS_mount, [source, target, ZERO, Number(how), ZERO])
}
