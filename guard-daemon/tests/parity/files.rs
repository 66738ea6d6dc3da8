//! Open files, special files, and programs.

use crate::calls::{
    HERE, Outcome, call, legacy, number, open, outcome, rename, truncate, unlink, word,
};
use crate::stage::{Stage, in_child};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::process::{Command, Stdio};

/// Files that are open while they go.
pub fn opened(stage: &mut Stage) {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open("other")
        .expect("it is there");
    stage.note("unlink", unlink(word("other")));
    stage.write(&format!(
        "links: {}",
        file.metadata().expect("it is open").nlink()
    ));
    let mut text = String::new();
    stage.write(&format!(
        "read: {:?} {text}",
        file.read_to_string(&mut text)
    ));
    stage.write(&format!(
        "written: {:?}",
        file.write_all(b" and more").is_ok()
    ));
    stage.write(&format!(
        "cut: {:?} {:?}",
        file.set_len(3).is_ok(),
        file.stream_position().ok()
    ));
    let mut replaced = File::open("file").expect("it is there");
    fs::write("new", "new").expect("here is a directory");
    stage.note("rename over", rename(word("new"), word("file")));
    text.clear();
    stage.write(&format!(
        "read: {:?} {text}",
        replaced.read_to_string(&mut text)
    ));
    stage.write(&format!(
        "links: {}",
        replaced.metadata().expect("it is open").nlink()
    ));
    let running = Command::new("sleep").arg("1000").current_dir("dir").spawn();
    let mut running = running.expect("sleep is everywhere");
    stage.note("unlink in a directory in use", unlink(word("dir/inner")));
    stage.note(
        "rename a directory in use",
        rename(word("dir"), word("moved")),
    );
    running.kill().expect("it sleeps");
    running.wait().expect("it was killed");
    stage.note_tree("at last");
}

/// Modes of new files.
pub fn umask(stage: &mut Stage) {
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC;
    for mask in [0, 0o022, 0o077, 0o777] {
        // SAFETY: no preconditions.
        unsafe { libc::umask(mask) };
        stage.note(
            &format!("open under {mask:o}"),
            open(word(format!("o{mask:o}")), flags),
        );
        for (call, make) in legacy::ON_ONE.iter().filter(|(call, _)| *call == "creat") {
            stage.note(
                &format!("{call} under {mask:o}"),
                make(word(format!("c{mask:o}"))),
            );
        }
        File::create(format!("s{mask:o}"))
            .map(drop)
            .expect("here is a directory");
    }
    // SAFETY: as above.
    unsafe { libc::umask(0o022) };
    stage.note_tree("at last");
}

/// FIFOs wait for their other end, and for nothing else; devices take what they take.
pub fn special(stage: &mut Stage) {
    crate::house::make_fifo(&stage.house.path.join("pipe"));
    let flags = libc::O_WRONLY | libc::O_NONBLOCK;
    stage.note("open without a reader", open(word("pipe"), flags));
    let read = std::thread::scope(|scope| {
        let reader = scope.spawn(|| fs::read("pipe"));
        // `>` opens with all three, and waits for the reader.
        let mut writer = OpenOptions::new();
        writer.write(true).create(true).truncate(true);
        writer
            .open("pipe")
            .and_then(|mut pipe| pipe.write_all(b"through"))
            .expect("it has both");
        reader.join().expect("threads end in order")
    });
    stage.write(&format!("read: {:?}", read.map_err(|error| error.kind())));
    for device in [
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/tty",
        "/dev/missing",
    ] {
        for flags in [libc::O_WRONLY | libc::O_TRUNC, libc::O_RDWR | libc::O_CREAT] {
            // A new device node would be a file, and these names stay as they are.
            if device != "/dev/missing" || flags & libc::O_CREAT == 0 {
                stage.note(
                    &format!("open {device} {flags:o}"),
                    open(word(device), flags),
                );
            }
        }
        stage.note(&format!("truncate {device}"), truncate(word(device), 0));
    }
    for redirection in [
        "echo a > /dev/null",
        "echo a > /dev/stdout",
        "echo a > /dev/fd/1",
        "echo a >> /dev/stderr",
        "echo a > /proc/self/fd/1",
        "exec 3> three; echo a > /dev/fd/3",
        "echo a > dangling",
        "echo a > loop",
        "echo a > dir",
        "echo a > link",
        "set -C; echo a > file",
        "cat < missing",
        "cat <<< here",
        "cat < <(echo a)",
        "rm missing",
        "rm dir",
        "rmdir dir",
        "mv file other; cat other",
        "mv missing new",
        "ln other new; rm -f new",
        "cp file copy; rm copy",
        "truncate -s 1 hard",
        "rm -r dir",
    ] {
        let output = Command::new("bash")
            .args(["-c", redirection])
            .stdin(Stdio::null())
            .output();
        let output = output.expect("bash is everywhere");
        stage.write(&format!(
            "{redirection}: {} {} {}",
            output.status,
            output.stdout.escape_ascii(),
            output.stderr.escape_ascii()
        ));
    }
    stage.note_tree("at last");
}

/// Names that bits of the file system keep from going.
pub fn immutable(stage: &mut Stage) {
    for (name, bits) in [
        ("file", FS_IMMUTABLE),
        ("other", FS_APPEND),
        ("dir", FS_IMMUTABLE),
    ] {
        let kept = File::open(name).expect("the house has it");
        stage.note(&format!("chattr {name}"), set_attributes(&kept, bits));
        for path in [name.to_owned(), format!("{name}/inner")] {
            stage.note(&format!("unlink {path}"), unlink(word(&path)));
            stage.note(
                &format!("rename {path}"),
                rename(word(&path), word("moved")),
            );
            stage.note(
                &format!("rename over {path}"),
                rename(word("hard"), word(&path)),
            );
            stage.note(&format!("truncate {path}"), truncate(word(&path), 0));
            stage.note(
                &format!("open {path}"),
                open(word(&path), libc::O_WRONLY | libc::O_TRUNC),
            );
        }
        stage.note_tree(name);
        stage.note("chattr back", set_attributes(&kept, 0));
        drop(kept);
        stage.house.rebuild();
    }
}

fn set_attributes(file: &File, bits: libc::c_int) -> Outcome {
    let mut now = MaybeUninit::<libc::c_int>::zeroed();
    let fd = file.as_raw_fd();
    // SAFETY: the request writes an int (the kernel's `FS_IOC_GETFLAGS`, whatever its number says).
    outcome(unsafe { libc::ioctl(fd, libc::FS_IOC_GETFLAGS, now.as_mut_ptr()) })?;
    // SAFETY: zeroed, then written by the kernel.
    let now = unsafe { now.assume_init() } & !(FS_IMMUTABLE | FS_APPEND) | bits;
    // SAFETY: the request reads an int.
    outcome(unsafe { libc::ioctl(fd, libc::FS_IOC_SETFLAGS, &raw const now) })
}

/// What becomes of programs that start, and of those that do not.
pub fn programs(stage: &mut Stage) {
    fs::write("text", "no program").expect("here is a directory");
    fs::write("script", "#!/bin/sh\nexit 3\n").expect("here is a directory");
    fs::write("orphan", "#!/missing/interpreter\n").expect("here is a directory");
    fs::write("closed", "#!/bin/sh\n").expect("here is a directory");
    for (name, mode) in [
        ("text", 0o755),
        ("script", 0o755),
        ("orphan", 0o755),
        ("closed", 0o644),
    ] {
        fs::set_permissions(name, Permissions::from_mode(mode)).expect("it is ours");
    }
    let busy =
        fs::copy("/bin/true", "busy").and_then(|_| File::options().append(true).open("busy"));
    for path in [
        "text",
        "script",
        "orphan",
        "closed",
        "busy",
        "missing",
        "file",
        "dir",
        "dir/",
        "link",
        "dangling",
        "loop",
        "file/x",
        "",
        "/bin/true",
        "/bin/false",
        "dark/kept",
        "fifo",
    ] {
        for (call, make) in EXECS {
            let status = in_child(|| {
                let errno = make(word(path)).err().unwrap_or(0);
                // Only a failure comes here; its errno is the child's status.
                // SAFETY: ends the child at once.
                unsafe { libc::_exit(errno) };
            });
            stage.write(&format!("{call} {path}: {status:#x}"));
        }
        let spawned = Command::new(stage.house.path.join(path))
            .stderr(Stdio::null())
            .status();
        stage.write(&format!(
            "spawn {path}: {:?}",
            spawned.map_err(|error| error.raw_os_error())
        ));
    }
    drop(busy);
    let failed = Command::new("missing-program")
        .status()
        .map_err(|error| error.kind());
    stage.write(&format!(
        "not in PATH: {}",
        matches!(failed, Err(ErrorKind::NotFound))
    ));
    let status = in_child(|| {
        // SAFETY: the child of a fork with one thread; ends at once in one of two ways.
        unsafe { libc::abort() };
    });
    stage.write(&format!("abort: {status:#x}"));
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o700)
        .open("created");
    drop(created.expect("the name is free"));
    stage.note(
        "exec of what is empty",
        call(libc::SYS_execve, &[word("created"), 0, 0]),
    );
    stage.note_tree("at last");
}

const EXECS: &[(&str, crate::calls::OnOne)] = &[
    ("execve", |path| {
        call(libc::SYS_execve, &[path, arguments(), 0])
    }),
    ("execveat", |path| {
        call(libc::SYS_execveat, &[HERE, path, arguments(), 0, 0])
    }),
    ("execveat descriptor", |path| {
        let fd = call(libc::SYS_openat, &[HERE, path, number(libc::O_PATH)])?;
        let fd = usize::try_from(fd).expect("a descriptor");
        call(
            libc::SYS_execveat,
            &[fd, word(""), arguments(), 0, number(libc::AT_EMPTY_PATH)],
        )
    }),
];

/// `{ "program", NULL }`.
fn arguments() -> usize {
    Box::leak(Box::new([word("program"), 0]))
        .as_ptr()
        .expose_provenance()
}

/// `FS_IMMUTABLE_FL` and `FS_APPEND_FL` (`include/uapi/linux/fs.h`).
const FS_IMMUTABLE: libc::c_int = 0x10;
const FS_APPEND: libc::c_int = 0x20;
