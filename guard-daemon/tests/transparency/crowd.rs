//! Many callers at once, and callers that are interrupted or hidden.

use crate::{Place, for_users, is_acting, playing, succeed};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
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
        succeed(&mut playing(
            shell,
            "crowd::a_thousand_threads_call_at_once",
        ));
    });
}

fn a_thousand_threads() {
    // One after the other: this program, too, may hold few files open at once.
    for number in 0..THREADS {
        fs::write(format!("file-{number}"), "").unwrap();
    }
    let barrier = Arc::new(Barrier::new(THREADS));
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let barrier = barrier.clone();
            let thread = thread::Builder::new().stack_size(64 << 10);
            thread.spawn(move || {
                let path = PathBuf::from(format!("file-{number}"));
                barrier.wait();
                fs::rename(&path, path.with_extension("moved"))?;
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
    assert_eq!(
        succeed(place.guarded("bash").args(["-c", script])),
        "through\n"
    );
    assert_eq!(fs::read_dir(&place.zone).unwrap().count(), 0);
}

/// The kernel lets a signal interrupt a call that the guard has not yet heard of, and such a call
/// has had no effect; one that the guard performs is neither interrupted nor repeated.
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
    let set = unsafe { libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()) };
    assert_eq!(set, 0);
    let millisecond = libc::timeval {
        tv_sec: 0,
        tv_usec: 1000,
    };
    let storm = libc::itimerval {
        it_interval: millisecond,
        it_value: millisecond,
    };
    let names: Vec<_> = (0..2000).map(|number| format!("f{number}")).collect();
    for name in &names {
        fs::write(name, name).unwrap();
    }
    // SAFETY: `storm` lives across the call; a null old value is not written.
    let set = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const storm, std::ptr::null_mut()) };
    assert_eq!(set, 0);
    for name in names.chunks(2) {
        let [first, second] = name else {
            panic!("an even number of names")
        };
        persist(first, || fs::rename(first, second));
        assert!(!Path::new(first).exists());
        persist(second, || fs::remove_file(second));
        assert!(!Path::new(second).exists());
    }
}

/// Makes a call until it succeeds; one that was interrupted has left the file where it was.
fn persist(name: &str, call: impl Fn() -> io::Result<()>) {
    while let Err(error) = call() {
        assert_eq!(error.kind(), io::ErrorKind::Interrupted, "{name}: {error}");
        assert!(
            Path::new(name).exists(),
            "{name} is gone, and its call was interrupted"
        );
    }
}

#[test]
fn an_agent_that_hides_is_still_judged() {
    if is_acting() {
        // SAFETY: no memory is involved.
        assert_eq!(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) }, 0);
        assert_eq!(
            fs::remove_file("kept").unwrap_err().raw_os_error(),
            Some(libc::EPERM)
        );
        fs::write("made", "").unwrap();
        return;
    }
    for_users(|place| {
        let kept = place.keep("kept");
        let agent = place.agents(place.actor());
        succeed(&mut playing(
            agent,
            "crowd::an_agent_that_hides_is_still_judged",
        ));
        assert!(kept.exists());
    });
}

/// A program that may be run but not read makes a process that other processes may not read.
#[test]
fn a_program_that_may_not_be_read_is_still_judged() {
    for_users(|place| {
        let kept = place.keep("kept");
        let program = place.dir.path().join("rm");
        crate::program::copy("/bin/rm", &program);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o711)).unwrap();
        let agents = place.agents(&program).arg("kept").output().unwrap();
        assert_eq!(agents.status.code(), Some(1), "{agents:?}");
        assert!(kept.exists());
        succeed(place.guarded(&program).arg("kept"));
        assert!(!kept.exists());
    });
}

const THREADS: usize = 1000;
