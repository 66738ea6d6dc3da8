//! A table of simulated processes, and the recogniser of the tests.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(unreachable_pub, reason = "shared between test binaries")]

use guard_core::actor::{AgentMatch, Attribution, Recogniser};
use guard_core::agents::{IgnoredMarkers, recognise};
use guard_core::lineage::Entry;
use guard_core::process::{DescribeProcessError, ProcessDescription, ProcessKey, ProcessSource};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Simulated processes. Each start takes one tick, which is its generation, too.
pub struct World {
    processes: RefCell<BTreeMap<u32, ProcessDescription>>,
    clock: Cell<u64>,
    /// The process that becomes the parent of orphans.
    pub reaper: Cell<u32>,
    /// Ends after this process has been described once.
    pub ends_after_look: Cell<Option<(u32, u32)>>,
}

impl World {
    /// A chain of processes, each the parent of the next: `1 init / 10 zsh / 11 node(claude)`.
    /// In parentheses is `argv[0]`, after `+` the environment.
    pub fn new(chain: &str) -> Self {
        let world = Self {
            processes: RefCell::default(),
            clock: Cell::new(100),
            reaper: Cell::new(1),
            ends_after_look: Cell::new(None),
        };
        let mut parent = 0;
        for link in chain.split(" / ") {
            let (pid, program) = link.split_once(' ').expect("PID PROGRAM");
            let pid = pid.parse().expect("a pid");
            world.spawn(parent, pid, program);
            parent = pid;
        }
        world
    }

    /// Forks and executes.
    pub fn spawn(&self, parent: u32, pid: u32, program: &str) -> ProcessKey {
        let key = self.fork(parent, pid);
        self.exec(pid, program);
        key
    }

    pub fn fork(&self, parent: u32, pid: u32) -> ProcessKey {
        let now = self.clock.get() + 1;
        self.clock.set(now);
        let mut processes = self.processes.borrow_mut();
        let copy = processes.get(&parent).cloned().unwrap_or_default();
        let key = ProcessKey {
            pid,
            generation: now,
        };
        let child = ProcessDescription {
            key,
            ppid: parent,
            started_ns: now,
            ..copy
        };
        assert_eq!(processes.insert(pid, child), None, "{pid} lives");
        key
    }

    pub fn exec(&self, pid: u32, program: &str) {
        let (program, environment) = program.split_once(" +").unwrap_or((program, ""));
        let (name, argv0) = program.split_once('(').unwrap_or((program, program));
        self.change(pid, |process| {
            process.executable = format!("/usr/bin/{name}").into_bytes();
            process.executable_changed_ns = 1;
            process.image = Some(self.clock.get() * 1000 + u64::from(pid));
            process.arguments = argv0.trim_end_matches(')').into();
            if !environment.is_empty() {
                process.environment = environment.replace(' ', "\0").into_bytes();
            }
        });
    }

    pub fn change(&self, pid: u32, change: impl FnOnce(&mut ProcessDescription)) {
        change(
            self.processes
                .borrow_mut()
                .get_mut(&pid)
                .expect("a live process"),
        );
    }

    pub fn exit(&self, pid: u32) {
        let mut processes = self.processes.borrow_mut();
        processes.remove(&pid).expect("a live process");
        for process in processes.values_mut().filter(|process| process.ppid == pid) {
            process.ppid = self.reaper.get();
        }
    }

    pub fn key(&self, pid: u32) -> ProcessKey {
        self.description(pid).key
    }

    pub fn description(&self, pid: u32) -> ProcessDescription {
        self.processes
            .borrow()
            .get(&pid)
            .expect("a live process")
            .clone()
    }

    pub fn pids(&self) -> Vec<u32> {
        self.processes.borrow().keys().copied().collect()
    }

    pub fn now(&self) -> u64 {
        self.clock.get()
    }
}

impl ProcessSource for World {
    fn describe(
        &self,
        pid: u32,
        into: &mut ProcessDescription,
    ) -> Result<(), DescribeProcessError> {
        let found = self.processes.borrow().get(&pid).cloned();
        into.clone_from(&found.ok_or(DescribeProcessError::Gone)?);
        if let Some((looked_at, ends)) = self.ends_after_look.get()
            && looked_at == pid
        {
            self.ends_after_look.set(None);
            self.exit(ends);
        }
        Ok(())
    }
}

/// The catalogue, and `make`, `npm` and `node` as scoped tools.
pub struct Known;

impl Recogniser for Known {
    fn agent(&self, description: &ProcessDescription) -> Option<AgentMatch> {
        recognise(description, &[""; 0], &IgnoredMarkers::default())
    }

    fn is_scoped_tool(&self, name: &[u8]) -> bool {
        [&b"make"[..], b"npm", b"node"].contains(&name)
    }
}

/// `human`, `unknown`, `unknown beside agents`, or `LABEL PID`, or `LABEL PID SESSION`.
pub fn attribution_of(entry: Entry<'_>) -> String {
    match entry.attribution() {
        Attribution::Human => "human".to_owned(),
        Attribution::Unknown { agent_seen: false } => "unknown".to_owned(),
        Attribution::Unknown { agent_seen: true } => "unknown beside agents".to_owned(),
        Attribution::Agent(agent) => {
            let session = String::from_utf8_lossy(agent.session);
            format!("{} {} {session}", agent.label, agent.pid)
                .trim_end()
                .to_owned()
        }
    }
}
