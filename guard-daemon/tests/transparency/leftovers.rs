//! What a command leaves running when it ends.

use crate::{Place, for_users};
use guard_testing::wait::found;
use std::fs;
use std::path::PathBuf;

#[test]
fn what_an_agent_leaves_behind_stays_guarded_and_then_the_guard_goes() {
    for_users(|place| {
        let kept = place.keep("kept");
        // Two forks and a session of its own; its parents are gone when it acts.
        let daemon = "until [ -e go ]; do sleep 0.01; done; rm kept; echo $? > status";
        let script =
            format!("echo $PPID > supervisor; (setsid bash -c '{daemon}' > /dev/null 2>&1 &)");
        let ended = place.agents("bash").args(["-c", &script]).status().unwrap();
        assert!(ended.success());
        let supervisor = read_number(&place, "supervisor").unwrap();
        assert!(is_running(supervisor));
        place.keep("go");
        let status = found("the daemon", || read_number(&place, "status"));
        assert_eq!(status, 1);
        assert!(kept.exists());
        found("the supervisor's end", || {
            (!is_running(supervisor)).then_some(())
        });
    });
}

#[test]
fn a_session_ends_with_its_command_when_nothing_is_left() {
    let place = Place::new();
    let ended = place
        .guarded("bash")
        .args(["-c", "echo $PPID > supervisor"])
        .status()
        .unwrap();
    assert!(ended.success());
    let supervisor = read_number(&place, "supervisor").unwrap();
    found("the supervisor's end", || {
        (!is_running(supervisor)).then_some(())
    });
}

#[test]
fn orphans_are_reaped() {
    let place = Place::new();
    let script = "for i in $(seq 50); do (true &) ; done; echo $PPID";
    let reaped = "until [ -z \"$(ps -o stat= --ppid $PPID | grep Z)\" ]; do sleep 0.01; done";
    let ended = place
        .guarded("bash")
        .args(["-c", &format!("{script}; {reaped}")])
        .output()
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
}

fn read_number(place: &Place, name: &str) -> Option<u32> {
    let path: PathBuf = place.zone.join(name);
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Whether a process lives; one that nobody reaped does not.
fn is_running(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .starts_with(" Z")
    })
}
