//! Many callers at once, and callers that are interrupted, hidden or traced.

use crate::{Place, for_users, is_acting, playing, succeed};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::thread;

/// With few descriptors: the guard must not need more of them than a shell allows.
#[test]
fn a_thousand_threads_call_at_once() {
    if is_acting() {
        return a_thousand_threads();
    }
    for_users(|place| {
        let script = format!("ulimit -n 256; {} \"$@\"", place.guarded_words());
        let mut shell = place.bare("bash");
        shell.args(["-c", &script, "bash"]).arg(place.actor());
        succeed(&mut playing(shell, "crowd::a_thousand_threads_call_at_once"));
    });
}

fn a_thousand_threads() {
    let barrier = Arc::new(Barrier::new(THREADS));
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let barrier = barrier.clone();
            let thread = thread::Builder::new().stack_size(64 << 10);
            thread.spawn(move || {
                let path = PathBuf::from(format!("file-{number}"));
                barrier.wait();
                fs::write(&path, "").and_then(|()| fs::rename(&path, path.with_extension("moved")))?;
                fs::remove_file(path.with_extension("moved"))
            })
        })
        .map(|thread| thread.unwrap())
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
}

#[test]
fn a_pipeline_of_three_hundred_processes_removes_its_files() {
    let place = Place::new();
    let script = "cmd='echo through'; \
        for i in $(seq 300); do touch f$i; cmd=\"$cmd | (rm f$i && cat)\"; done; eval \"$cmd\"";
    assert_eq!(succeed(place.guarded("bash").args(["-c", script])), "through\n");
    assert_eq!(fs::read_dir(&place.zone).unwrap().count(), 0);
}

/// A call that waits for the guard is not undone, repeated or failed by a signal.
#[test]
fn a_storm_of_signals_interrupts_no_call() {
    const TEST: &str = "crowd::a_storm_of_signals_interrupts_no_call";
    if is_acting() {
        return in_a_storm();
    }
    for_users(|place| {
        succeed(&mut playing(place.guarded(place.actor()), TEST));
    });
}

fn in_a_storm() {
    extern "C" fn ignore(_: libc::c_int) {}
    // SAFETY: an all-zero action has an empty mask and no flags: calls are not restarted.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: the handler does nothing, which is async-signal-safe.
    assert_eq!(unsafe { libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()) }, 0);
    let millisecond = libc::timeval { tv_sec: 0, tv_usec: 1000 };
    let storm = libc::itimerval { it_interval: millisecond, it_value: millisecond };
    let names: Vec<_> = (0..2000).map(|number| format!("f{number}")).collect();
    for name in &names {
        fs::write(name, name).unwrap();
    }
    // SAFETY: `storm` lives across the call; a null old value is not written.
    let set = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const storm, std::ptr::null_mut()) };
    assert_eq!(set, 0);
    for name in names.chunks(2) {
        // Each exactly once, and no error in between: without a guard neither is interruptible.
        fs::rename(&name[0], &name[1]).unwrap();
        assert!(!Path::new(&name[0]).exists());
        fs::remove_file(&name[1]).unwrap();
        assert_eq!(fs::remove_file(&name[1]).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

#[test]
fn an_agent_that_hides_is_still_judged() {
    if is_acting() {
        // SAFETY: no memory is involved.
        assert_eq!(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) }, 0);
        assert_eq!(fs::remove_file("kept").unwrap_err().raw_os_error(), Some(libc::EPERM));
        fs::write("made", "").unwrap();
        return;
    }
    for_users(|place| {
        let kept = place.keep("kept");
        let agent = place.agents(place.actor());
        succeed(&mut playing(agent, "crowd::an_agent_that_hides_is_still_judged"));
        assert!(kept.exists());
    });
}

/// A program that may be run but not read makes a process that other processes may not read.
#[test]
fn a_program_that_may_not_be_read_is_still_judged() {
    for_users(|place| {
        let kept = place.keep("kept");
        let program = place.dir.path().join("rm");
        fs::copy("/bin/rm", &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o711)).unwrap();
        let agents = place.agents(&program).arg("kept").output().unwrap();
        assert_eq!(agents.status.code(), Some(1), "{agents:?}");
        assert!(kept.exists());
        succeed(place.guarded(&program).arg("kept"));
        assert!(!kept.exists());
    });
}

#[test]
fn processes_of_a_session_may_trace_each_other() {
    if is_acting() {
        return trace_a_child();
    }
    for_users(|place| {
        let test = "crowd::processes_of_a_session_may_trace_each_other";
        succeed(&mut playing(place.guarded(place.actor()), test));
        succeed(&mut playing(place.agents(place.actor()), test));
    });
}

fn trace_a_child() {
    let mut child = Command::new("sleep").arg("1000").stdout(Stdio::null()).stderr(Stdio::null())
        .spawn().unwrap();
    let pid = child.id().cast_signed();
    let null = std::ptr::null_mut::<libc::c_void>();
    for request in [libc::PTRACE_ATTACH, libc::PTRACE_SEIZE] {
        // SAFETY: neither request uses its addresses.
        let attached = unsafe { libc::ptrace(request, pid, null, null) };
        assert_eq!(attached, 0, "{request:#x}: {}", io::Error::last_os_error());
        if request == libc::PTRACE_SEIZE {
            // SAFETY: as above.
            assert_eq!(unsafe { libc::ptrace(libc::PTRACE_INTERRUPT, pid, null, null) }, 0);
        }
        let mut status = 0;
        // SAFETY: `status` is writable.
        assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) }, pid);
        assert!(libc::WIFSTOPPED(status), "{status:#x}");
        // SAFETY: as above.
        assert_eq!(unsafe { libc::ptrace(libc::PTRACE_DETACH, pid, null, null) }, 0);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let traced = crate::tools::traced_by_parent();
    assert!(traced, "PTRACE_TRACEME");
}

const THREADS: usize = 1000;
