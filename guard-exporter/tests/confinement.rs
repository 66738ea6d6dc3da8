//! What a confined exporter can still do, and what it cannot, without the test harness because this
//! program also is the one that is confined: with `--confined DIR` it confines itself and tries.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test binary"
)]

mod support;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use super::support::{Home, denial, eventually, exists, publish};
    use guard_core::ring::MIN_LANE_WORDS;
    use guard_exporter::confine::{Needs, confine};
    use std::fs::{self, File};
    use std::io::{self, ErrorKind};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::fs::DirBuilderExt as _;
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::ExitStatusExt as _;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::thread;

    pub(super) fn main() {
        let words: Vec<String> = std::env::args().skip(1).collect();
        match words
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice()
        {
            ["--confined", directory, port] => try_all(Path::new(directory), port.parse().unwrap()),
            ["--reaching", directory, port, other] => reaching(
                Path::new(directory),
                port.parse().unwrap(),
                other.parse().unwrap(),
            ),
            ["--hostile", call] => hostile(call.parse().unwrap()),
            // As the harness lists tests.
            words if words.contains(&"--list") => println!("confinement: test"),
            _ => {
                what_is_refused_and_what_is_not();
                what_only_an_attacker_asks_for_ends_it();
                an_exporter_is_confined_and_says_so();
                a_ring_directory_may_come_later();
                a_replaced_directory_ends_it();
                println!("confinement: ok");
            }
        }
    }

    fn needs(own: &Path) -> Needs {
        Needs {
            own: vec![own.join("own")],
            rings: vec![own.join("rings")],
            read: vec![PathBuf::from("/proc/self")],
            listen: 0,
            connect: Vec::new(),
        }
    }

    /// A call that takes only numbers; its error.
    fn call(number: i64, arguments: [i64; 3]) -> Option<i32> {
        let [first, second, third] = arguments;
        // SAFETY: no argument is a pointer that the kernel would write to: each is a number or null,
        // and the kernel checks those.
        let done = unsafe { libc::syscall(number, first, second, third) };
        (done == -1).then(|| io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }

    fn try_all(directory: &Path, port: u16) {
        let confined = confine(&needs(directory));
        confined.calls.unwrap();
        let has_landlock = confined.files.is_ok();
        let denied = |what: &str, result: io::Result<()>| {
            let kind = result.map_err(|error| error.kind());
            assert_eq!(kind, Err(ErrorKind::PermissionDenied), "{what}");
        };
        let path = |name: &str| directory.join(name);

        fs::write(path("own/new"), "text").unwrap();
        fs::rename(path("own/new"), path("own/renamed")).unwrap();
        File::options()
            .append(true)
            .open(path("own/renamed"))
            .unwrap()
            .set_len(1)
            .unwrap();
        fs::remove_file(path("own/renamed")).unwrap();
        assert_eq!(fs::read_dir(path("rings")).unwrap().count(), 1);
        assert_eq!(fs::read(path("rings/ring")).unwrap(), b"ring");
        fs::remove_file(path("rings/ring")).unwrap();
        fs::read_to_string("/proc/self/status").unwrap();
        fs::read_to_string("/proc/net/tcp").unwrap();
        thread::spawn(|| ()).join().unwrap();
        drop(TcpListener::bind("127.0.0.1:0").unwrap());

        if has_landlock {
            denied("reading elsewhere", fs::read(path("secret")).map(drop));
            denied("listing elsewhere", fs::read_dir(directory).map(drop));
            denied("writing elsewhere", fs::write(path("written"), ""));
            denied("writing where rings are", fs::write(path("rings/x"), ""));
            denied("removing elsewhere", fs::remove_file(path("secret")));
            denied("moving out", fs::rename(path("own"), path("gone")));
            denied(
                "a link in its own",
                std::os::unix::fs::symlink("/", path("own/link")),
            );
            denied(
                "a directory in its own",
                fs::create_dir(path("own/directory")),
            );
            denied("another process's environment", {
                let parent = std::os::unix::process::parent_id();
                fs::read(format!("/proc/{parent}/environ")).map(drop)
            });
        }
        denied("a program", Command::new("/bin/true").status().map(drop));
        denied(
            "a connection",
            TcpStream::connect(("127.0.0.1", port)).map(drop),
        );
        denied("a datagram", UdpSocket::bind("127.0.0.1:0").map(drop));
        denied(
            "a local socket",
            UnixStream::connect(path("own/socket")).map(drop),
        );
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        denied("a mode", fs::set_permissions(path("own"), mode));

        let namespace = i64::from(libc::CLONE_NEWUSER);
        let (refused, absent) = (Some(libc::EPERM), Some(libc::ENOSYS));
        for (what, number, arguments, expected) in [
            ("execveat", libc::SYS_execveat, [0; 3], refused),
            ("unshare", libc::SYS_unshare, [namespace, 0, 0], refused),
            ("setns", libc::SYS_setns, [0; 3], refused),
            ("clone of a process", libc::SYS_clone, [0; 3], refused),
            (
                "clone of a namespace",
                libc::SYS_clone,
                [namespace | i64::from(libc::CLONE_THREAD), 0, 0],
                refused,
            ),
            ("clone3", libc::SYS_clone3, [0; 3], absent),
            ("mount", libc::SYS_mount, [0; 3], refused),
            ("chroot", libc::SYS_chroot, [0; 3], refused),
            ("kill", libc::SYS_kill, [0, 0, 0], refused),
            ("setuid", libc::SYS_setuid, [0; 3], refused),
            ("bpf", libc::SYS_bpf, [0; 3], refused),
            ("io_uring", libc::SYS_io_uring_setup, [0; 3], absent),
            (
                "a raw socket",
                libc::SYS_socket,
                [2, 3 | i64::from(libc::SOCK_CLOEXEC), 0],
                refused,
            ),
            ("a netlink socket", libc::SYS_socket, [16, 3, 0], refused),
        ] {
            assert_eq!(call(number, arguments), expected, "{what}");
        }
        println!("landlock: {has_landlock}");
    }

    /// With a collector on `port`.
    fn reaching(directory: &Path, port: u16, other: u16) {
        let knows_ports = knows_ports();
        let mut needs = needs(directory);
        needs.allow_port(port);
        let confined = confine(&needs);
        confined.calls.unwrap();
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        TcpStream::connect(("localhost", port)).unwrap();
        drop(UdpSocket::bind("127.0.0.1:0").unwrap());
        let is_refused = |port| {
            let error = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
            error.kind() == ErrorKind::PermissionDenied
        };
        // Ports are refused from Linux 6.7 on.
        assert!(is_refused(other) || !knows_ports || confined.files.is_err());
        let error = Command::new("/bin/true").status().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }

    fn knows_ports() -> bool {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease");
        release.is_ok_and(|release| {
            let mut numbers = release
                .split('.')
                .map_while(|number| number.parse::<u32>().ok());
            (numbers.next(), numbers.next()) >= (Some(6), Some(7))
        })
    }

    fn hostile(number: i64) {
        confine(&needs(Path::new("/nowhere"))).calls.unwrap();
        println!("{:?}", call(number, [0; 3]));
    }

    fn again(words: &[&str]) -> std::process::Output {
        let me = std::env::current_exe().unwrap();
        let output = Command::new(me).args(words).stdin(Stdio::null()).output();
        output.unwrap()
    }

    fn what_is_refused_and_what_is_not() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["own", "rings"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("rings/ring"), "ring").unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let output = again(&["--confined", dir.path().to_str().unwrap(), &port]);
        let messages = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        if messages.contains("landlock: false") {
            eprintln!("left out: what is refused by Landlock, which this kernel lacks");
        }
        assert_eq!(fs::read(dir.path().join("secret")).unwrap(), b"secret");

        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = other.local_addr().unwrap().port().to_string();
        let directory = dir.path().to_str().unwrap();
        let output = again(&["--reaching", directory, &port, &other]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn what_only_an_attacker_asks_for_ends_it() {
        for call in [
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_init_module,
        ] {
            let output = again(&["--hostile", &call.to_string()]);
            assert_eq!(
                output.status.signal(),
                Some(libc::SIGSYS),
                "{call}: {output:?}"
            );
        }
    }

    fn an_exporter_is_confined_and_says_so() {
        let home = Home::new();
        let status = |pid: u32| fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let has = |text: &str, line: &str| text.lines().any(|found| found == line);
        let exporter = home.start();
        exporter.address();
        for thread in fs::read_dir(format!("/proc/{}/task", exporter.child.id())).unwrap() {
            // A thread may end meanwhile.
            let Ok(text) = fs::read_to_string(thread.unwrap().path().join("status")) else {
                continue;
            };
            assert!(
                has(&text, "Seccomp:\t2") && has(&text, "NoNewPrivs:\t1"),
                "{text}"
            );
        }
        let kind = |kind: &str| format!("guard_exporter_confined{{kind=\"{kind}\"}}");
        assert_eq!(exporter.metric(&kind("seccomp")), Some(1.0));
        let landlock = exporter.metric(&kind("landlock"));
        let messages = exporter.terminate();
        let is_unconfined = messages.contains("Not confined by landlock");
        assert_eq!(
            landlock,
            Some(if is_unconfined { 0.0 } else { 1.0 }),
            "{messages}"
        );

        let free = home.spawn(home.command().arg("--no-confine"));
        free.address();
        assert_eq!(free.metric(&kind("seccomp")), Some(0.0));
        assert_eq!(free.metric(&kind("landlock")), Some(0.0));
        let text = status(free.child.id());
        assert!(
            !has(&text, "NoNewPrivs:\t1") || has(&status(std::process::id()), "NoNewPrivs:\t1")
        );
        free.terminate();
    }

    fn a_ring_directory_may_come_later() {
        let home = Home::new();
        let later = home.path("runtime/codex-es-guard/rings");
        fs::create_dir(home.path("runtime")).unwrap();
        let mut command = Command::new(super::support::PROGRAM);
        command
            .arg("--state")
            .arg(home.path(""))
            .args(["--web.listen-address", "127.0.0.1:0"])
            .env("XDG_RUNTIME_DIR", home.path("runtime"));
        let exporter = home.spawn(&mut command);
        exporter.address();
        fs::remove_dir_all(home.path("rings")).unwrap();
        for directory in [&later, &home.path("rings")] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)
                .unwrap();
        }
        let options = guard_core::ring::RingOptions {
            id: [7; 16],
            deny_words: MIN_LANE_WORDS,
            allow_words: MIN_LANE_WORDS,
            change_words: MIN_LANE_WORDS,
            ..guard_core::ring::RingOptions::default()
        };
        let there = guard_core::ring::Producer::create(&later.join("7.ring"), &options).unwrap();
        let here = home.ring(8, MIN_LANE_WORDS);
        publish(&there, &denial(), 2);
        publish(&here, &denial(), 3);
        eventually("both are read", || home.lines() == 5);
        drop((there, here));
        eventually("both are removed", || {
            !exists(&later.join("7.ring")) && !exists(&home.ring_path(8))
        });
        exporter.terminate();
    }

    fn a_replaced_directory_ends_it() {
        let home = Home::new();
        let outside = tempfile::tempdir().unwrap();
        let path = |name: &str| outside.path().join(name);
        let log = path("elsewhere/log");
        let mut command = home.command();
        command.arg("--denials").arg(&log);
        let exporter = home.spawn(&mut command);
        exporter.address();
        if exporter.metric("guard_exporter_confined{kind=\"landlock\"}") != Some(1.0) {
            return;
        }
        let producer = home.ring(1, MIN_LANE_WORDS);
        fs::rename(path("elsewhere"), path("aside")).unwrap();
        producer.publish(&denial());
        eventually("it is not ready", || exporter.get("/-/ready").0 == 503);
        fs::create_dir(path("elsewhere")).unwrap();
        let output = exporter.wait();
        let messages = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{messages}");
        assert!(
            messages.contains("was replaced by another directory")
                && messages.contains("start it again"),
            "{messages}"
        );
        // Started again, it goes on.
        let exporter = home.spawn(&mut command);
        eventually("the denial is logged", || {
            fs::read_to_string(&log).is_ok_and(|text| text.lines().count() == 1)
        });
        exporter.terminate();
    }
}
