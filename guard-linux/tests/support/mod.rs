//! A directory with a zone in it, and a judge that answers this thread's calls as an agent's or a
//! person's.

use guard_core::actor::AgentMatch;
use guard_core::agents::IgnoredMarkers;
use guard_core::guard::Guard;
use guard_core::lineage::Root;
use guard_core::policy::{OwnFile, Platform, Policy, Snapshot, Surroundings};
use guard_core::process::{ProcessDescription, ProcessSource as _};
use guard_core::ring::{Lane, Producer, Reader, RingOptions};
use guard_linux::judge::{Judge, Reply, SystemCall};
use guard_linux::procfs::{self, ProcFs};
use guard_undo::Preservation;
use rustix::io::Errno;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Who makes the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// A process without an agent above it.
    Human,
    /// An agent that is older than the files.
    Agent,
}

/// One argument of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// A path below the stage's directory, absolute.
    Path(&'static str),
    /// These very bytes, at an address of their own.
    Text(&'static str),
    /// This register.
    Number(u64),
}

/// A call: its number and its arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call(pub(crate) i64, pub(crate) [Argument; 5]);

/// A directory of files and its judge.
#[derive(Debug)]
pub(crate) struct Stage {
    dir: tempfile::TempDir,
    judge: Judge,
    reader: Reader,
}

// === impl Stage ===

impl Stage {
    /// Makes the files, and a judge with this policy, in which `"ZONE"` is the path of `zone/`.
    /// `own/` and `/proc/PID` of `own_process` are the guard's own.
    pub(crate) fn new(actor: Actor, policy: &str, own_process: Option<u32>) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let top = fs::canonicalize(dir.path()).unwrap();
        for directory in ["zone/full/below", "zone/empty", "outside", "own"] {
            fs::create_dir_all(top.join(directory)).unwrap();
        }
        for file in FILES {
            fs::write(top.join(file), file).unwrap();
        }
        symlink("doc", top.join("zone/link")).unwrap();
        symlink("../own/policy", top.join("outside/link")).unwrap();
        let snapshot = compile(&top, policy, own_process);
        let agent = AgentMatch {
            label: "codex".to_owned(),
            ancestor: b"codex".to_vec(),
            session: Vec::new(),
            by_environment: false,
        };
        let mut this_process = ProcessDescription::default();
        ProcFs::new()
            .describe(std::process::id(), &mut this_process)
            .unwrap();
        let root = Root {
            key: this_process.key,
            started_ns: this_process.started_ns,
            declared_agent: (actor == Actor::Agent).then_some(agent),
        };
        let guard = Guard::new(
            snapshot,
            Some(root),
            Producer::anonymous(&RingOptions::default()).unwrap(),
            Vec::new(),
            Box::new(ProcFs::new()),
            procfs::parent_of,
            IgnoredMarkers::default(),
        );
        let reader = guard.ring.reader();
        let judge = Judge::new(Arc::new(guard), std::process::id(), Preservation::Off).unwrap();
        Self { dir, judge, reader }
    }

    /// Answers this thread's call, and returns what became of it: what the guard did and the recorded
    /// reason, and the caller's errno if it is not the one of that answer. What was not recorded has
    /// no reason.
    pub(crate) fn answer(&mut self, Call(number, arguments): Call) -> String {
        let texts = arguments.map(|argument| match argument {
            Argument::Path(path) => Some(self.path(path).as_os_str().as_bytes().to_vec()),
            Argument::Text(text) => Some(text.as_bytes().to_vec()),
            Argument::Number(_) => None,
        });
        let texts = texts.map(|text| text.map(|text| CString::new(text).unwrap()));
        let mut args = [0; 6];
        for ((register, argument), text) in args.iter_mut().zip(arguments).zip(&texts) {
            *register = match (argument, text) {
                (Argument::Number(number), _) => number,
                (_, text) => text.as_ref().map_or(0, |text| text.as_ptr().addr() as u64),
            };
        }
        let thread = rustix::thread::gettid().as_raw_pid();
        let reply = self.judge.answer(&SystemCall {
            thread: thread.cast_unsigned(),
            number,
            args,
        });
        let recorded = self.recorded();
        match (reply, recorded.split(' ').next().unwrap_or_default()) {
            (Reply::Continue, "") => "continued".to_owned(),
            (Reply::Continue, "continued")
            | (Reply::Return(0), "performed")
            | (Reply::Fail(Errno::PERM), "denied") => recorded,
            (Reply::Fail(errno), "") => name_of(errno),
            (Reply::Fail(errno), "performed") => format!("{recorded}, {}", name_of(errno)),
            (reply, _) => panic!("{reply:?} was recorded as `{recorded}`"),
        }
    }

    /// Where a file of the stage is.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap().join(path)
    }

    /// Every file and directory that there is, with the files' contents.
    pub(crate) fn contents(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![self.dir.path().to_path_buf()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path.clone());
                }
                let text = fs::read_to_string(&path).unwrap_or_default();
                found.push(format!("{}: {text}", path.display()));
            }
        }
        found.sort();
        found
    }

    fn recorded(&mut self) -> String {
        let mut found = Vec::new();
        for lane in Lane::ALL {
            while let Some(event) = self.reader.next(lane) {
                let (answer, reason) = (event.answer.as_str(), event.reason.as_str());
                found.push(format!("{answer} {reason}"));
            }
        }
        found.join(", ")
    }
}

/// Every regular file; each contains its own path.
const FILES: [&str; 6] = [
    "zone/doc",
    "zone/other",
    "zone/full/below/deep",
    "outside/doc",
    "outside/other",
    "own/policy",
];

fn compile(top: &Path, policy: &str, own_process: Option<u32>) -> Snapshot {
    let zone = top.join("zone").display().to_string();
    let policy = Policy::parse(policy.replace("ZONE", &zone).as_bytes()).unwrap();
    let own = top.join("own");
    let process = own_process.map(|pid| format!("/proc/{pid}"));
    let own: Vec<OwnFile<'_>> = [
        Some(own.as_os_str().as_bytes()),
        process.as_deref().map(str::as_bytes),
    ]
    .into_iter()
    .flatten()
    .map(|path| OwnFile { path })
    .collect();
    let surroundings = Surroundings {
        home: b"/nonexistent",
        platform: Platform::Linux,
        extra_zones: &[],
        own_files: &own,
        locate: &|path| vec![path.to_vec()],
        session: "",
        started_ns: now_ns(),
    };
    Snapshot::compile(&policy, &surroundings).unwrap()
}

/// An errno's name in the manual.
fn name_of(errno: Errno) -> String {
    let name = match errno {
        Errno::EXIST => "EEXIST",
        Errno::FAULT => "EFAULT",
        Errno::INVAL => "EINVAL",
        Errno::ISDIR => "EISDIR",
        Errno::NOENT => "ENOENT",
        Errno::NOTDIR => "ENOTDIR",
        Errno::NOTEMPTY => "ENOTEMPTY",
        Errno::PERM => "EPERM",
        errno => panic!("no row expects {errno:?}"),
    };
    name.to_owned()
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}
