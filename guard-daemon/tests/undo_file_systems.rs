//! What agents take comes back on every file system, and what cannot be kept is denied or said: small
//! file systems of each kind on loop devices, with the store on them or elsewhere; full and read-only
//! stores; files of other owners; extended attributes and ACLs.
//!
//! Only root can mount, so that for others there is nothing here but a note.

#![cfg(target_os = "linux")]
#![allow(dead_code, reason = "each test binary uses its part of the support")]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support {
    pub(crate) mod program;
    pub(crate) mod scratch;
    pub(crate) mod session;
    pub(crate) mod table;
    pub(crate) mod users;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::scratch::{Home, Workshop};
use support::session::{self, Outcome, Who};
use support::table;
use support::users::User;

/// Removals go on and are preserved, whatever is free on the machine's disk.
const PRESERVE: &str =
    r#"{"protected_zones": ["~/zone"], "removals": "preserve", "undo": {"min_free": 0}}"#;

/// A kind of file system.
#[derive(Clone, Copy, Debug)]
struct Kind {
    name: &'static str,
    /// Makes it at `$1`, in a directory that is empty. The last line mounts it.
    mount: &'static str,
    /// The program that it needs.
    needs: &'static str,
    /// How the contents of a file are kept before they change.
    change: &'static str,
    /// Whether it has ACLs and attributes of users.
    attributes: bool,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "ext4",
        mount: "truncate -s 400M i; mkfs.ext4 -q i; mount -o loop i $1",
        needs: "mkfs.ext4",
        change: "copy",
        attributes: true,
    },
    Kind {
        name: "btrfs",
        mount: "truncate -s 400M i; mkfs.btrfs -q i; mount -o loop i $1",
        needs: "mkfs.btrfs",
        change: "reflink",
        attributes: true,
    },
    Kind {
        name: "xfs",
        mount: "truncate -s 400M i; mkfs.xfs -q i; mount -o loop i $1",
        needs: "mkfs.xfs",
        change: "reflink",
        attributes: true,
    },
    Kind {
        name: "tmpfs",
        mount: "mount -t tmpfs -o size=300m,mode=755 t $1",
        needs: "mount",
        change: "copy",
        attributes: false,
    },
    Kind {
        name: "overlay",
        mount: "mkdir l u w; mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o $1",
        needs: "mount",
        change: "copy",
        attributes: true,
    },
];

/// What is lost on each: removed, replaced, changed, cut, with attributes, with holes, by a path that
/// is nearly as long as paths can be.
const READY: &str = "set -e; cd zone; mkdir -p d/e; echo removed > d/e/removed; chmod 640 d/e/removed; \
    echo replaced > replaced; echo changed > changed; head -c 3000000 /dev/urandom > cut; \
    ln -s changed link; truncate -s 200M holes; echo end >> holes; \
    touch -d '2020-01-02 03:04:05.678' d/e/removed changed cut";
const ATTRIBUTES: &str = "; setfacl -m u:4321:rw d/e/removed changed; \
    setfattr -n user.note -v kept d/e/removed changed";
const DEED: &str = "set -e; cd zone; rm -r d link holes; echo new > tmp; mv tmp replaced; \
    echo worse > changed; truncate -s 10 cut";

/// Describes all that is in the zone but the store.
const DESCRIBE: &str = "cd zone; find . -name .codex-es-guard-undo -prune -o -print0 | sort -z | \
    while IFS= read -rd '' f; do [ -d \"$f\" ] && stat -c '%n %a' \"$f\" && continue; \
    stat -c '%n %a %u %g %s %.9Y %N' \"$f\"; [ -L \"$f\" ] || { cksum < \"$f\"; \
    getfacl -cnp \"$f\"; getfattr -d -m '^user' --absolute-names \"$f\"; }; done 2> /dev/null";

/// A mounted file system, until it is dropped.
struct Mounted {
    dir: tempfile::TempDir,
    at: PathBuf,
}

impl Mounted {
    /// Mounts a file system of a kind on this directory; `None` where that does not work here.
    fn on(kind: Kind, at: &Path) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new("bash")
            .args(["-ec", kind.mount, "bash"])
            .arg(at)
            .current_dir(dir.path())
            .status()
            .unwrap();
        done.success().then(|| Self {
            dir,
            at: at.to_owned(),
        })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // A guard that ends keeps directories open for a moment.
        let _busy = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

#[test]
fn losses_come_back_on_every_file_system() {
    let mut cases = Vec::new();
    for user in User::all() {
        for &kind in KINDS {
            cases.extend([(user, kind, false), (user, kind, true)]);
        }
    }
    if !may_mount() {
        return;
    }
    table::run(&cases, |&(user, kind, elsewhere)| {
        let place = if elsewhere { "zone" } else { "home" };
        let name = format!("{} as {user}, {place} on it", kind.name);
        comes_back(user, kind, elsewhere, &name).map_err(|complaint| format!("{name}: {complaint}"))
    });
}

/// Loses and restores in a zone on a file system of its own, `elsewhere` than the store, or with it.
fn comes_back(user: User, kind: Kind, elsewhere: bool, name: &str) -> Result<(), String> {
    let around = tempfile::tempdir().unwrap();
    fs::set_permissions(
        around.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let whole = (!elsewhere).then(|| Mounted::on(kind, around.path()));
    if let Some(None) = whole {
        return table::skip(name, kind.needs);
    }
    let workshop = Workshop::open_in(if elsewhere {
        Path::new("/tmp")
    } else {
        around.path()
    });
    let home = workshop.home(user, PRESERVE);
    let zone = home.path().join("zone");
    let part = elsewhere.then(|| Mounted::on(kind, &zone));
    if let Some(None) = part {
        return table::skip(name, kind.needs);
    }
    user.own(&zone);
    let tools = ["setfacl", "setfattr"];
    let attributes =
        kind.attributes && session::missing_program(&workshop, &home, &tools).is_none();
    let ready = format!("{READY}{}", if attributes { ATTRIBUTES } else { "" });
    expect(&session::unguarded(&workshop, &home, &ready))?;
    let before = session::unguarded(&workshop, &home, DESCRIBE).output;
    let lost = session::guarded(&workshop, &home, Who::Codex, "", DEED);
    expect(&lost)?;
    if session::unguarded(&workshop, &home, DESCRIBE).output == before {
        return Err("nothing was lost".to_owned());
    }
    let shown = undo(&workshop, &home, "show last --json");
    for (event, path, method) in [
        ("removed", "removed", "hardlink"),
        ("removed", "holes", "hardlink"),
        ("replaced", "replaced", "hardlink"),
        ("changed", "changed", kind.change),
        ("changed", "cut", kind.change),
    ] {
        let is_it = |line: &&str| {
            line.contains(&format!("\"event\":\"{event}\""))
                && line.contains(&format!("/{path}\""))
                && line.contains(&format!("\"method\":\"{method}\""))
        };
        if shown.output.lines().find(is_it).is_none() {
            return Err(format!("no {path} {event} by {method}\n{}", shown.output));
        }
    }
    expect(&undo(&workshop, &home, "restore last --yes"))?;
    let after = session::unguarded(&workshop, &home, DESCRIBE).output;
    if after != before {
        return Err(format!("before:\n{before}\nafter:\n{after}"));
    }
    Ok(())
}

#[test]
fn a_full_store_denies_what_it_cannot_keep_and_loses_nothing() {
    if !may_mount() {
        return;
    }
    for user in User::all() {
        let workshop = Workshop::open();
        let home = workshop.home(user, PRESERVE);
        // The journal has no room for all of it, while the objects are on the zone's disk.
        let store = mount_store(&home, "size=64k");
        let ready = "cd zone; for n in $(seq 600); do echo $n > file-$n; done";
        expect(&session::unguarded(&workshop, &home, ready)).unwrap();
        let deed = "cd zone; rm -f file-*; echo edited > keep; exit 0";
        let lost = session::guarded(&workshop, &home, Who::Claude, "", deed);
        expect(&lost).unwrap();
        let denied = lost.denials.len();
        assert!((1..600).contains(&denied), "{denied} denied");
        let reasons = |denial: &session::Denial| denial.reason == "unpreservable";
        assert!(lost.denials.iter().all(reasons), "{:?}", lost.denials);
        // An edit goes on, whether it can be kept or not.
        let keep = fs::read_to_string(home.path().join("zone/keep")).unwrap();
        assert_eq!(keep, "edited\n");
        let room = Command::new("mount")
            .args(["-o", "remount,size=4m"])
            .arg(&store.at)
            .status();
        assert!(room.unwrap().success());
        expect(&undo(&workshop, &home, "restore last --yes")).unwrap();
        for number in 1..=600 {
            let file = home.path().join(format!("zone/file-{number}"));
            assert_eq!(fs::read_to_string(file).unwrap(), format!("{number}\n"));
        }
        drop(store);
    }
}

#[test]
fn with_a_read_only_store_edits_go_on_and_discards_are_denied() {
    if !may_mount() {
        return;
    }
    for user in User::all() {
        let workshop = Workshop::open();
        let home = workshop.home(user, PRESERVE);
        let _store = mount_store(&home, "ro");
        let deed = "cd zone; echo new > new; echo edited > keep; rm -f new; ! rm -f keep";
        let tried = session::guarded(&workshop, &home, Who::Codex, "", deed);
        expect(&tried).unwrap();
        let reasons: Vec<_> = tried.denials.iter().map(|denial| denial.reason).collect();
        assert_eq!(reasons, ["unpreservable"], "{tried:#?}");
        assert!(
            tried.output.contains("nothing can be preserved"),
            "{tried:#?}"
        );
        let keep = fs::read_to_string(home.path().join("zone/keep")).unwrap();
        assert_eq!(keep, "edited\n");
    }
}

#[test]
fn files_of_other_owners_come_back_though_they_cannot_be_linked() {
    let Some(&user) = User::all().iter().find(|user| !user.is_root()) else {
        return;
    };
    if User::all().len() == 1 {
        table::note("files of other owners: only root can make them");
        return;
    }
    let workshop = Workshop::open();
    let home = workshop.home(user, PRESERVE);
    let zone = home.path().join("zone");
    // The tester's, which is root's.
    for (name, mode) in [("secret", 0o600), ("readable", 0o644), ("replaced", 0o644)] {
        let path = zone.join(name);
        fs::write(&path, format!("{name} of root\n")).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
    let deed = "cd zone; rm -f secret readable; echo new > tmp; mv -f tmp replaced";
    let lost = session::guarded(&workshop, &home, Who::Claude, "", deed);
    expect(&lost).unwrap();
    assert!(!zone.join("secret").exists() && !zone.join("readable").exists());
    let shown = undo(&workshop, &home, "show last").output;
    expect(&undo(&workshop, &home, "restore last --yes")).unwrap();
    for name in ["secret", "readable", "replaced"] {
        let text = fs::read_to_string(zone.join(name)).unwrap();
        assert_eq!(text, format!("{name} of root\n"), "{shown}");
    }
    use std::os::unix::fs::MetadataExt as _;
    let secret = fs::metadata(zone.join("secret")).unwrap();
    assert_eq!((secret.uid(), secret.mode() & 0o777), (0, 0o600), "{shown}");
}

/// Mounts a tmpfs with these options as the store.
fn mount_store(home: &Home, options: &str) -> Mounted {
    let store = home.path().join(".codex/es-guard/undo");
    fs::create_dir_all(&store).unwrap();
    home.user().own(store.parent().unwrap());
    let owner = {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(home.path()).unwrap().uid()
    };
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o"])
        .arg(format!("mode=700,uid={owner},gid={owner},{options}"))
        .arg("es-guard-test")
        .arg(&store)
        .status();
    assert!(mounted.unwrap().success());
    Mounted {
        dir: tempfile::tempdir().unwrap(),
        at: store,
    }
}

fn undo(workshop: &Workshop, home: &Home, arguments: &str) -> Outcome {
    let command = format!("\"$TOOLS/codex-es-guard\" undo {arguments}");
    session::unguarded(workshop, home, &command)
}

fn expect(outcome: &Outcome) -> Result<(), String> {
    if outcome.status.success() {
        Ok(())
    } else {
        Err(format!("{outcome:#?}"))
    }
}

/// Whether the tester can mount file systems.
fn may_mount() -> bool {
    let place = tempfile::tempdir().unwrap();
    let tmpfs = KINDS.iter().find(|kind| kind.name == "tmpfs").unwrap();
    let may = User::all()[0].is_root() && Mounted::on(*tmpfs, place.path()).is_some();
    if !may {
        table::note("file systems of their own: only root can mount them, and not everywhere");
    }
    may
}
