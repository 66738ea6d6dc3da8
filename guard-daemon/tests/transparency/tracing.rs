//! Processes of a session may debug each other, an agent's among themselves as well.

use crate::{Place, for_users, is_acting, playing, succeed};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

#[test]
fn a_parent_traces_its_child() {
    const TEST: &str = "tracing::a_parent_traces_its_child";
    if is_acting() {
        attach();
        return be_traced();
    }
    for_users(|place| {
        succeed(&mut playing(place.guarded(place.actor()), TEST));
        succeed(&mut playing(place.agents(place.actor()), TEST));
    });
    // The test holds something only if the same holds without a guard.
    let place = Place::new();
    succeed(&mut playing(place.bare(place.actor()), TEST));
}

/// A running child, attached to and detached from in both ways.
fn attach() {
    let mut sleeper = Command::new("sleep");
    let sleeper = sleeper
        .arg("1000")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut sleeper = sleeper.spawn().unwrap();
    let pid = sleeper.id().cast_signed();
    for taken in [
        &[libc::PTRACE_ATTACH][..],
        &[libc::PTRACE_SEIZE, libc::PTRACE_INTERRUPT],
    ] {
        for request in taken {
            trace(*request, pid).unwrap();
        }
        assert!(libc::WIFSTOPPED(wait(pid)));
        trace(libc::PTRACE_DETACH, pid).unwrap();
    }
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

/// A child that asks for it stops at its exec.
fn be_traced() {
    let mut command = Command::new("true");
    // SAFETY: one async-signal-safe call between fork and exec.
    unsafe { command.pre_exec(|| trace(libc::PTRACE_TRACEME, 0)) };
    let mut child = command.spawn().unwrap();
    let pid = child.id().cast_signed();
    assert!(libc::WIFSTOPPED(wait(pid)));
    trace(libc::PTRACE_CONT, pid).unwrap();
    assert!(child.wait().unwrap().success());
}

/// A `ptrace` request that uses neither address nor data.
fn trace(request: libc::c_uint, pid: i32) -> io::Result<()> {
    let null = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: the requests made here read and write no memory of this process.
    let done = unsafe { libc::ptrace(request, pid, null, null) };
    if done == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn wait(pid: i32) -> i32 {
    let mut status = 0;
    // SAFETY: `status` is writable.
    let changed = unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) };
    assert_eq!(changed, pid, "{}", io::Error::last_os_error());
    status
}
