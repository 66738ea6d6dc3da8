//! A simulated Mac with a guard on it.
//!
//! A [`Mac`] has processes, which are forked and executed as a shell would do it. Their operations
//! go through the simulator's queue, the wrapper, the handler and the decision, and are read back
//! from the ring. The process table takes the place of libproc.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(unreachable_pub, reason = "shared between test binaries")]
#![allow(
    clippy::unwrap_used,
    reason = "a failed unwrap fails the test, with its place"
)]

use endpoint_sec_sim::{Attempt, Installed, Machine, MachineBuilder, OsVersion, Process};
use guard_core::actor::AgentMatch;
use guard_core::agents::IgnoredMarkers;
use guard_core::guard::{Guard, SharedGuard};
use guard_core::lineage::Root;
use guard_core::policy::{OwnFile, Platform, Policy, Snapshot, Surroundings};
use guard_core::process::{DescribeProcessError, ProcessDescription, ProcessKey, ProcessSource};
use guard_core::ring::{Counter, Lane, MIN_LANE_WORDS, Producer, Reader, RingOptions};
use guard_core::zones::Folding;
use guard_es::{Backend, Probe, Scope, Settings, StartError};
use guard_undo::Preservation;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The simulated machine's clock when it boots, nanoseconds since 1970.
const BOOTED_NS: u64 = 1_789_387_200_000_000_000;

/// A release with everything, and one without inverted muting.
pub const NEWEST: OsVersion = OsVersion::new(27, 0, 0);
pub const OLDEST: OsVersion = OsVersion::new(11, 0, 0);

/// The guard's own directory on the Mac.
pub const OWN: &str = "/Users/u/.codex/es-guard";

/// The processes that are alive, as libproc would describe them.
#[derive(Debug, Default)]
pub struct ProcessTable {
    processes: Mutex<BTreeMap<u32, ProcessDescription>>,
    stall: Mutex<Stall>,
    changed: Condvar,
    /// Describing this process panics.
    pub trap: AtomicU32,
}

/// A Mac under guard.
pub struct Mac {
    pub backend: Option<Backend>,
    pub guard: SharedGuard,
    pub machine: Installed,
    pub table: Arc<ProcessTable>,
    /// A login shell in a terminal: a person's.
    pub shell: Process,
    reader: Mutex<Reader>,
    _probe_place: tempfile::TempDir,
    probe: PathBuf,
    /// Where what agents take is preserved: nowhere, until a test sets it before the backend
    /// starts.
    pub preservation: Preservation,
}

/// The configuration of a Mac.
pub struct MacConfig<'p> {
    pub builder: MachineBuilder,
    pub policy: &'p str,
    pub scope: Scope,
    pub folding: Folding,
    /// The session's root is the program under test.
    pub rooted: bool,
    /// What the session's command is declared to be.
    pub declared: Option<&'static str>,
}

/// Whether descriptions are withheld, and whether a thread waits for one.
#[derive(Debug, Default)]
struct Stall {
    stalled: bool,
    somebody_waits: bool,
}

// === impl MacConfig ===

impl<'p> MacConfig<'p> {
    pub fn new(release: OsVersion, policy: &'p str) -> Self {
        Self {
            builder: Machine::new(release),
            policy,
            scope: Scope::Machine,
            folding: Folding::Exact,
            rooted: false,
            declared: None,
        }
    }

    /// Sets the Mac up without a backend.
    pub fn set_up(self) -> Mac {
        let machine = self.builder.install();
        let table = Arc::new(ProcessTable::default());
        let probe_place = tempfile::tempdir().unwrap();
        let place = std::fs::canonicalize(probe_place.path()).unwrap();
        let options = RingOptions {
            deny_words: MIN_LANE_WORDS * 8,
            allow_words: MIN_LANE_WORDS * 8,
            change_words: MIN_LANE_WORDS * 8,
            ..RingOptions::default()
        };
        let ring = Producer::anonymous(&options).unwrap();
        let reader = ring.reader();
        table.admit(machine.launchd(), None, &["launchd"], &[], machine.now_ns());
        let launchd = machine.launchd().clone();
        let me = machine.me().clone();
        table.admit(&me, Some(&launchd), &["guard"], &[], machine.now_ns());
        let snapshot = compile(self.policy, &[place.to_str().unwrap()], self.folding);
        let root = self.rooted.then(|| Root {
            key: key(&me),
            started_ns: machine.now_ns(),
            declared_agent: self.declared.map(|label| AgentMatch {
                label: label.to_owned(),
                ancestor: label.as_bytes().to_vec(),
                session: Vec::new(),
                by_environment: false,
            }),
        });
        let source: Box<dyn ProcessSource + Send + Sync> = Box::new(LibProc(Arc::clone(&table)));
        let guard = Arc::new(Guard::new(
            snapshot,
            root,
            ring,
            b"session".to_vec(),
            source,
            |_| None,
            IgnoredMarkers::default(),
        ));
        let mut mac = Mac {
            backend: None,
            guard,
            shell: launchd,
            machine,
            table,
            reader: Mutex::new(reader),
            probe: place.join("probe"),
            _probe_place: probe_place,
            preservation: Preservation::Off,
        };
        let above = if self.rooted { me } else { mac.shell.clone() };
        mac.shell = mac.existing(&above, "/bin/zsh", &["-zsh"]);
        mac
    }
}

trait NowNs {
    fn now_ns(&self) -> u64;
}

impl NowNs for Installed {
    fn now_ns(&self) -> u64 {
        // The start of a process is reported in microseconds.
        let ticks = self.now();
        let nanos = u128::from(ticks) * 125 / 3;
        let nanos = BOOTED_NS + u64::try_from(nanos).unwrap();
        nanos / 1_000 * 1_000
    }
}

// === impl Mac ===

impl Mac {
    /// A guarded Mac with the newest system.
    pub fn new(policy: &str) -> Self {
        let mut mac = MacConfig::new(NEWEST, policy).set_up();
        mac.start().unwrap();
        mac
    }

    /// Starts the backend.
    pub fn start(&mut self) -> Result<(), StartError> {
        let settings = self.settings(Scope::Machine);
        self.start_as(&settings)
    }

    pub fn settings(&self, scope: Scope) -> Settings {
        let table = Arc::clone(&self.table);
        Settings {
            scope,
            probe: self.probe.clone(),
            running: Box::new(move || table.pids()),
            exempt: Vec::new(),
            preservation: self.preservation.clone(),
            unreadable: vec![format!("{OWN}/undo").into_bytes()],
        }
    }

    pub fn start_as(&mut self, settings: &Settings) -> Result<(), StartError> {
        self.backend = Some(Backend::start(Arc::clone(&self.guard), settings)?);
        Ok(())
    }

    pub fn backend(&self) -> &Backend {
        self.backend.as_ref().unwrap()
    }

    pub fn probe(&self) -> &Probe {
        self.backend().probe()
    }

    /// A process that was started before the guard: no message is about it.
    pub fn existing(&self, parent: &Process, program: &str, arguments: &[&str]) -> Process {
        let builder = self.machine.process(program).parent(parent);
        let process = builder.user(501).args(arguments).start();
        let now_ns = self.machine.now_ns();
        self.table
            .admit(&process, Some(parent), arguments, &[], now_ns);
        process
    }

    /// Forks and executes.
    pub fn spawn(&self, parent: &Process, program: &str, arguments: &[&str]) -> Process {
        self.spawn_with(parent, program, arguments, &[])
    }

    pub fn spawn_with(
        &self,
        parent: &Process,
        program: &str,
        arguments: &[&str],
        environment: &[&str],
    ) -> Process {
        let child = self.fork(parent);
        self.exec(&child, program, arguments, environment)
    }

    pub fn fork(&self, parent: &Process) -> Process {
        let child = self.machine.fork(parent);
        self.table.fork(parent, &child, self.machine.now_ns());
        child
    }

    pub fn exec(
        &self,
        process: &Process,
        program: &str,
        arguments: &[&str],
        environment: &[&str],
    ) -> Process {
        let exec = self.machine.exec(process, program).args(arguments);
        let (after, attempt) = exec.env(environment).run();
        assert!(attempt.allowed());
        self.table.exec(&after, program, arguments, environment);
        after
    }

    pub fn exit(&self, process: &Process) {
        assert!(self.machine.exit(process, 0).allowed());
        self.table.exit(process);
    }

    /// Starts a chain of processes such as `rm < zsh < node(claude)`, each the child of the next,
    /// the last that of the login shell, and returns the first. Arguments are in parentheses,
    /// `argv[0]` first.
    pub fn chain(&self, chain: &str) -> Process {
        let links = chain.split(" < ").collect::<Vec<_>>();
        links.iter().rev().fold(self.shell.clone(), |parent, link| {
            let (name, argv0) = link.split_once('(').unwrap_or((link, link));
            let argv0 = argv0.trim_end_matches(')');
            let program = if name.starts_with('/') {
                name.to_owned()
            } else {
                format!("/usr/bin/{name}")
            };
            let arguments: Vec<&str> = argv0.split(' ').collect();
            self.spawn(&parent, &program, &arguments)
        })
    }

    /// Waits until all messages are handled, and returns what was recorded since the last call,
    /// denials first: `deny agent_in_zone codex unlink /z/a`.
    pub fn recorded(&self) -> Vec<String> {
        self.machine.settle();
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recorded = Vec::new();
        for lane in Lane::ALL {
            while let Some(event) = reader.next(lane) {
                let mut text = format!("{} {}", event.verdict.as_str(), event.reason.as_str());
                for word in [event.agent, Some(event.operation.as_str())]
                    .into_iter()
                    .flatten()
                {
                    text.push(' ');
                    text.push_str(word);
                }
                for path in [Some(event.path), event.destination].into_iter().flatten() {
                    text.push(' ');
                    text.push_str(&String::from_utf8_lossy(path));
                }
                recorded.push(text);
            }
        }
        recorded
    }

    /// Whether an attempt succeeded, and what was recorded about it.
    pub fn outcome(&self, attempt: &Attempt) -> (bool, String) {
        let allowed = attempt.allowed();
        (allowed, self.recorded().join("; "))
    }

    pub fn counter(&self, counter: Counter) -> u64 {
        self.guard.ring.counter(counter)
    }

    /// What `with_event` makes of the next event of a lane.
    pub fn event<T>(
        &self,
        lane: Lane,
        with_event: impl FnOnce(&guard_core::DecisionEvent<'_>) -> T,
    ) -> Option<T> {
        self.machine.settle();
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.next(lane).map(|event| with_event(&event))
    }
}

impl Drop for Mac {
    fn drop(&mut self) {
        // Clients must be closed before the machine is switched off.
        self.backend = None;
    }
}

/// Compiles a policy for `/Users/u`, with own files besides [`OWN`].
pub fn compile(policy: &str, own: &[&str], folding: Folding) -> Snapshot {
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let own: Vec<OwnFile<'_>> = own
        .iter()
        .chain(&[OWN, "/Users/u/.codex/es_policy.json"])
        .map(|path| OwnFile {
            path: path.as_bytes(),
        })
        .collect();
    let surroundings = Surroundings {
        home: b"/Users/u",
        platform: Platform::MacOs,
        extra_zones: &[],
        own_files: &own,
        locate: &|path| vec![guard_es::paths::without_firmlink(path).to_vec()],
        session: "",
        started_ns: 0,
    };
    Snapshot::compile_folding(&policy, &surroundings, &|_| folding).unwrap()
}

pub fn key(process: &Process) -> ProcessKey {
    ProcessKey {
        pid: process.pid().cast_unsigned(),
        generation: u64::from(process.pidversion().cast_unsigned()),
    }
}

// === impl ProcessTable ===

impl ProcessTable {
    pub fn admit(
        &self,
        process: &Process,
        parent: Option<&Process>,
        arguments: &[&str],
        environment: &[&str],
        started_ns: u64,
    ) {
        let description = ProcessDescription {
            key: key(process),
            ppid: parent.map_or(0, |parent| parent.pid().cast_unsigned()),
            uid: 501,
            started_ns,
            executable: process.executable().path().to_vec(),
            executable_changed_ns: 1,
            arguments: joined(arguments),
            environment: joined(environment),
            ..ProcessDescription::default()
        };
        self.lock().insert(description.key.pid, description);
    }

    pub fn fork(&self, parent: &Process, child: &Process, started_ns: u64) {
        let mut table = self.lock();
        let copy = table.get(&key(parent).pid).cloned().unwrap_or_default();
        let description = ProcessDescription {
            key: key(child),
            ppid: key(parent).pid,
            started_ns,
            ..copy
        };
        table.insert(description.key.pid, description);
    }

    pub fn exec(&self, after: &Process, program: &str, arguments: &[&str], environment: &[&str]) {
        self.change(after, |description| {
            description.key = key(after);
            description.executable = program.as_bytes().to_vec();
            description.arguments = joined(arguments);
            description.environment = joined(environment);
        });
    }

    /// Removes a process; launchd becomes the parent of its children.
    pub fn exit(&self, process: &Process) {
        let pid = key(process).pid;
        let mut table = self.lock();
        table.remove(&pid);
        for child in table.values_mut().filter(|child| child.ppid == pid) {
            child.ppid = 1;
        }
    }

    pub fn change(&self, process: &Process, change: impl FnOnce(&mut ProcessDescription)) {
        if let Some(description) = self.lock().get_mut(&key(process).pid) {
            change(description);
        }
    }

    /// Withholds descriptions, or releases them.
    pub fn stall(&self, stalled: bool) {
        *self.stall.lock().unwrap() = Stall {
            stalled,
            somebody_waits: false,
        };
        self.changed.notify_all();
    }

    /// Returns when a thread waits for a description.
    pub fn wait_for_somebody(&self) {
        let stall = self.stall.lock().unwrap();
        let timeout = std::time::Duration::from_secs(60);
        let waited = self
            .changed
            .wait_timeout_while(stall, timeout, |stall| !stall.somebody_waits)
            .unwrap();
        assert!(!waited.1.timed_out(), "no description was requested");
    }

    fn wait(&self) {
        let mut stall = self.stall.lock().unwrap();
        stall.somebody_waits = stall.stalled;
        self.changed.notify_all();
        let _over = self
            .changed
            .wait_while(stall, |stall| stall.stalled)
            .unwrap();
    }

    pub fn pids(&self) -> Vec<u32> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, ProcessDescription>> {
        self.processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The table, as the guard asks it.
struct LibProc(Arc<ProcessTable>);

impl ProcessSource for LibProc {
    fn describe(
        &self,
        pid: u32,
        into: &mut ProcessDescription,
    ) -> Result<(), DescribeProcessError> {
        self.0.wait();
        assert!(pid != self.0.trap.load(Ordering::Relaxed), "a trap");
        let found = self.0.lock().get(&pid).cloned();
        *into = found.ok_or(DescribeProcessError::Gone)?;
        Ok(())
    }
}

fn joined(words: &[&str]) -> Vec<u8> {
    words
        .iter()
        .flat_map(|word| [word.as_bytes(), b"\0"].concat())
        .collect()
}
