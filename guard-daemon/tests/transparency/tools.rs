//! Everyday programs that lean on what the guard touches.

use crate::{Place, for_users, is_installed, succeed};

#[test]
fn git_refreshes_its_index() {
    if !is_installed("git") {
        return;
    }
    for_users(|place| {
        let script = "git init -q . && git config user.email a@b && git config user.name a \
            && echo one > a && git add a && git commit -qm one && touch -d '1 hour ago' a \
            && before=$(stat -c %i .git/index) && git status --porcelain \
            && test $before != $(stat -c %i .git/index) && test ! -e .git/index.lock";
        assert_eq!(succeed(place.agents("bash").args(["-c", script])), "");
    });
}

#[test]
fn npm_prints_its_version() {
    if !is_installed("npm") {
        return;
    }
    let place = Place::new();
    let bare = succeed(place.bare("npm").arg("--version"));
    assert_eq!(succeed(place.agents("npm").arg("--version")), bare);
}

#[test]
fn debuggers_and_tracers_run_their_program() {
    let place = Place::new();
    for (program, arguments) in [
        (
            "strace",
            &["-f", "-o", "trace", "sh", "-c", "rm file; exit 5"][..],
        ),
        (
            "gdb",
            &[
                "-batch",
                "-return-child-result",
                "-ex",
                "run",
                "--args",
                "sh",
                "-c",
                "exit 5",
            ],
        ),
    ] {
        if is_installed(program) {
            place.keep("file");
            let [bare, guarded] = [place.bare(program), place.guarded(program)]
                .map(|mut command| command.args(arguments).output().unwrap().status.code());
            assert_eq!((bare, guarded), (Some(5), Some(5)), "{program}");
        }
    }
}

#[test]
fn busy_programs_do_as_ever() {
    let place = Place::new();
    for script in [
        "set -m; sleep 1000 & kill %1; wait %1; echo $?",
        "timeout 0.05 sleep 1000; echo $?",
        "timeout -s KILL 0.05 sleep 1000; echo $?",
        "seq 200 | xargs -P 8 -n 1 sh -c 'touch x$0; rm x$0' && ls",
        "mkdir -p a/b/c && find . -depth -delete; ls -A",
        "mkfifo p; (echo through > p) & cat p; wait; rm p",
        "coproc cat; echo through >&${COPROC[1]}; read -r line <&${COPROC[0]}; echo $line",
        "exec 9> lock; flock -n 9 && echo locked; flock -n lock true || echo busy; rm lock",
        "mktemp -d ./XXXXXX > /dev/null && rmdir ./??????; ls -A",
        "tar cf - /etc/hostname 2> /dev/null | tar tf - | wc -l",
        "kill -l TERM; trap 'echo trapped' EXIT; (kill -TERM $BASHPID); echo $?",
    ] {
        let [bare, guarded] = [place.bare("bash"), place.guarded("bash")].map(|mut command| {
            let output = command.args(["-c", script]).output().unwrap();
            (
                output.status.code(),
                String::from_utf8_lossy(&output.stdout).into_owned(),
            )
        });
        assert_eq!(bare, guarded, "{script}");
    }
}
