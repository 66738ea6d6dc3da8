//! Zones of every kind a person may name.

#![cfg(target_os = "linux")]
#![allow(dead_code, reason = "each test binary uses its part of the support")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::tests_outside_test_module,
    reason = "a test may fail, and says where it is"
)]

mod support {
    pub(crate) mod live;
    pub(crate) mod mount;
    pub(crate) mod stage;
    pub(crate) mod users;
}

use guard_core::ring::{Counter, Lane};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use support::live::{Live, quote};
use support::mount::Mount;
use support::stage::{POLICY, Stage, eventually, left_out};
use support::users::User;

#[test]
fn a_zone_that_does_not_exist_yet_is_protected_once_it_does() {
    let stage = Stage::new(User::all()[0]);
    let mut session = Live::start(&stage, ["--protect", "later/deep"]);
    session.allows("mkdir -p later/deep");
    stage.file("later/deep/keep", "a");
    session.denies("rm later/deep/keep");
    session.denies("rm -r later");
    session.denies("mv later later.old");
    assert_eq!(session.human("rm -r later").code, 0);
    // Again, as something else.
    session.allows("mkdir later");
    stage.file("later/deep", "a");
    session.denies("rm later/deep");
    session.end().expect(
        0,
        &["later/deep does not exist yet; it is protected from the moment it does"],
    );
}

/// A person outside the session moves it, under the feet of an agent that was just at work in it.
#[test]
fn a_directory_moved_into_a_zone_is_protected_there() {
    let stage = Stage::new(User::all()[0]);
    stage.directory("out/d");
    for name in ["out/d/a", "out/d/b"] {
        stage.file(name, "a");
    }
    let mut session = Live::start(&stage, ["--protect", "zone"]);
    assert_eq!(session.human("mkfifo out/go out/done").code, 0);
    let [go, done, from, to] =
        ["out/go", "out/done", "out/d", "zone/d"].map(|name| stage.path(name));
    let mover = std::thread::spawn(move || {
        fs::read(go).unwrap();
        fs::rename(from, to).unwrap();
        fs::write(done, "done").unwrap();
    });
    // A directory's place is looked up again after some milliseconds: two ticks of the clock.
    session.denies(
        r#"cd out/d; perl -e '
            sub now { open(my $u, "<", "/proc/uptime"); return scalar <$u>; }
            my ($go, $done) = map { "$ENV{HOME}/out/$_" } qw(go done);
            unlink "a" or die "a: $!";
            open(my $g, ">", $go); close $g;
            open(my $d, "<", $done); my $moved = <$d>;
            for (1, 2) { my $then = now(); 1 while now() eq $then; }
            unlink "b" or die "b: $!\n"'"#,
    );
    mover.join().unwrap();
    assert!(!stage.exists("zone/d/a") && stage.exists("zone/d/b"));
    session.end().expect(0, &[]);
}

#[test]
fn a_zone_may_be_a_single_file() {
    let stage = Stage::new(User::all()[0]);
    let mut session = Live::start(&stage, ["--protect", "zone/keep"]);
    session.denies("rm zone/keep");
    session.denies("mv zone/keep out/");
    session.denies("mv zone out/");
    session.denies("rm -r zone");
    // Neighbours are nobody's business, and an edit is no loss.
    session.allows("echo a > zone/keep.new && mv zone/keep.new zone/keep");
    session.allows("echo a > zone/keeper && rm zone/keeper");
    assert_eq!(stage.text("zone/keep"), "a\n");
    session.end().expect(0, &[]);
}

#[test]
fn a_zone_that_is_a_link_is_protected_with_its_target() {
    let stage = Stage::new(User::all()[0]);
    symlink("zone", stage.path("link")).unwrap();
    let mut session = Live::start(&stage, ["--protect", "link"]);
    session.denies("rm link");
    session.denies("mv link out/");
    session.denies("rm link/keep");
    session.denies("rm zone/keep");
    session.denies("mv zone out/");
    session.denies("ln -sfn out link");
    assert_eq!(stage.text("link/keep"), "what must be kept\n");

    // A person points it elsewhere: its path is resolved again within moments.
    stage.file("out/keep", "");
    assert_eq!(session.human("ln -sfn out link").code, 0);
    eventually("the new target is protected", || {
        stage.file("out/try", "");
        session.agent("rm out/try").code != 0
    });
    session.denies("rm out/keep");
    session.allows("rm zone/keep");
    session.end().expect(0, &[]);
}

#[test]
fn a_zone_is_its_path_whatever_is_there() {
    let stage = Stage::new(User::all()[0]);
    let mut session = Live::start(&stage, ["--protect", "zone"]);
    session.denies("rm zone/keep");
    // By a person in the session, then by somebody outside it.
    let swap = "mv zone old && mkdir zone && echo new > zone/keep";
    assert_eq!(session.human(swap).code, 0);
    session.denies("rm zone/keep");
    session.allows("rm -r old");
    fs::rename(stage.path("zone"), stage.path("old")).unwrap();
    stage.directory("zone");
    stage.file("zone/keep", "newer");
    session.denies("rm zone/keep");
    eventually("the old one is no zone", || {
        session.agent("rm -r old").code == 0
    });
    // An agent that stood in the directory when it was moved away.
    let (zone, old) = (stage.path("zone"), stage.path("old"));
    let mover = std::thread::spawn(move || {
        eventually("the agent is there", || zone.join("a").exists());
        fs::rename(zone, old).unwrap();
    });
    session.allows("cd zone && touch a && until [ -e ~/old/a ]; do :; done");
    mover.join().unwrap();
    eventually("it is a zone no more", || {
        session.agent("rm old/a").code == 0
    });
    session.end().expect(0, &[]);
}

#[test]
fn the_root_as_a_zone_leaves_temporary_files_alone() {
    let user = User::all()[0];
    let stage = Stage::new(user);
    let mut session = Live::start(&stage, ["--protect", "/"]);
    session.allows("rm zone/keep");
    session
        .allows("f=$(mktemp) && rm $f && mkdir /tmp/es-guard-try.$$ && rmdir /tmp/es-guard-try.$$");
    if user.is_root() {
        let elsewhere = Stage::within(Path::new("/var/lib"), user);
        session.denies(&format!("rm {}", elsewhere.path("zone/keep").display()));
        assert!(elsewhere.exists("zone/keep"));
    } else {
        left_out("removing outside of /tmp: only root can write there");
    }
    let warning = "`/` is a protected zone: agents can remove nothing but temporary files";
    session.end().expect(0, &[warning]);
}

#[test]
fn a_zone_may_be_written_in_many_ways() {
    let spellings = [
        "zone/",
        "zone//",
        "./zone",
        "zone/.",
        "out/../zone",
        "out/../zone/",
        "nowhere/../zone",
    ];
    for user in User::all() {
        let stage = Stage::new(user);
        let absolute = format!("{}/", stage.path("zone").display());
        for spelling in spellings.into_iter().chain([absolute.as_str()]) {
            println!("{spelling}, for {user}");
            let mut session = Live::start(&stage, ["--protect", spelling]);
            session.denies("rm zone/keep");
            session.denies("mv zone out/");
            session.allows("touch zoned && rm zoned");
            session.end().expect(0, &[]);
        }
    }
}

#[test]
fn a_zones_name_may_hold_any_byte() {
    let names: [&[u8]; 6] = [
        b"with space",
        b"new\nline",
        b"caf\xe9",
        b"\xff\xfe",
        "Ünïcödé ☃".as_bytes(),
        b" \t'\"\\*?[",
    ];
    let stage = Stage::new(User::all()[0]);
    let mut command = stage.guard(["run", "--no-exporter"]);
    for name in names {
        let name = OsString::from_vec(name.to_vec());
        stage.directory(&name);
        stage.file(Path::new(&name).join("keep"), "");
        command.arg("--protect").arg(name);
    }
    command.args(["--", "bash"]);
    let mut session = Live::of(command);
    for name in names {
        // Octal escapes: the line to the shell is text.
        let octal: String = name.iter().map(|byte| format!("\\{byte:03o}")).collect();
        session.denies(&format!("rm $'{octal}/keep'"));
        session.denies(&format!("mv $'{octal}' out/"));
        session.allows(&format!("touch $'{octal}2' && rm $'{octal}2'"));
    }
    assert_eq!(stage.counter(Counter::Zones), 6);
    let path = stage.path(OsString::from_vec(b"caf\xe9/keep".to_vec()));
    assert!(
        stage
            .events(Lane::Deny)
            .iter()
            .any(|event| event.path == path)
    );
    session.end().expect(0, &[]);
}

#[test]
fn a_thousand_zones_and_zones_in_zones() {
    let stage = Stage::new(User::all()[0]);
    let zones: Vec<String> = (0..1000).map(|number| format!("~/many/{number}")).collect();
    stage.directory("many");
    for number in 0..1000 {
        stage.directory(format!("many/{number}"));
    }
    stage.directory(".codex");
    stage.file(
        POLICY,
        serde_json::json!({ "protected_zones": zones }).to_string(),
    );
    let mut session = Live::start(&stage, ["--protect", "zone", "--protect", "zone/in/ner"]);
    assert_eq!(stage.counter(Counter::Zones), 1002);
    session.denies("rmdir many/0");
    stage.file("many/999/a", "");
    session.denies("rm many/999/a");
    session.denies("rm -r many");
    session.allows("mkdir many/1000 && rmdir many/1000");

    // Between zones nothing is lost; a root of one is.
    session.allows("mkdir -p zone/in/ner");
    stage.file("zone/in/ner/a", "");
    session.allows("mv zone/in/ner/a zone/");
    session.denies("rm zone/a");
    session.denies("mv zone/in/ner zone/other");
    session.denies("mv zone/in zone/other");
    session.end().expect(0, &[]);
}

#[test]
fn a_zone_on_another_file_system() {
    let user = User::all()[0];
    if !user.is_root() {
        left_out("a zone on another file system: only root can mount one");
        return;
    }
    let stage = Stage::new(user);
    let zone = Mount::make(&stage, "zone", &["-t", "tmpfs", "es-guard-test"]);
    stage.file("zone/keep", "");
    let mut session = Live::start(&stage, ["--protect", "zone"]);
    session.denies("rm zone/keep");
    // Across file systems a move is a copy and a removal.
    session.denies("mv zone/keep out/");
    assert!(stage.exists("zone/keep"));
    assert_eq!(
        session
            .human("mv zone/keep out/here && mv out/here zone/keep")
            .code,
        0
    );

    // A second way to the same place, opened while the session runs.
    let out = Mount::make(&stage, "out", &["--bind", "zone"]);
    session.denies("rm out/keep");
    assert!(stage.exists("zone/keep"));
    // A rename within the zone is one on this way, too.
    session.allows("mv out/keep out/kept && mv out/kept out/keep");
    drop((out, zone));
    // What the mount had covered is protected again.
    session.denies("rm zone/keep");
    session.end().expect(0, &[]);
}

#[test]
fn a_zone_without_creation_times_is_warned_of() {
    let user = User::all()[0];
    if !user.is_root() {
        left_out("a file system without creation times: only root can mount one");
        return;
    }
    let stage = Stage::new(user);
    let warning = "keeps no creation times: an agent cannot remove there even what it made itself";
    let kept = Live::start(&stage, ["--protect", "zone"]).end();
    assert!(!kept.stderr.contains(warning), "{kept:?}");
    let zone = Mount::make(&stage, "zone", &["-t", "ramfs", "es-guard-test"]);
    let mut session = Live::start(&stage, ["--protect", "zone"]);
    session.denies("echo a > zone/own; rm zone/own");
    session.end().expect(0, &[warning]);
    drop(zone);
}

#[test]
fn a_zone_around_the_guards_own_directory() {
    let stage = Stage::new(User::all()[0]);
    for zone in [".", ".codex", ".codex/es-guard"] {
        let mut session = Live::start(&stage, ["--protect", zone]);
        session.denies("rm -r .codex");
        session.denies("mv .codex/es-guard .codex/other");
        let state = quote(&stage.path(".codex/es-guard").display().to_string());
        session.denies(&format!("touch {state}/new"));
        session.allows("echo a > zone/new");
        // The guard goes on writing there.
        let beat = stage.heartbeat();
        eventually("it beats", || stage.heartbeat() > beat);
        session.end().expect(0, &[]);
    }
}
