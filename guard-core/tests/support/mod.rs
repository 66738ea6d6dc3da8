//! A compiled policy, and actors with facts that a test can set.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use guard_core::actor::{Actor, AgentRef, Attribution, FactSource, ToolNames, ToolSet};
use guard_core::decision::{Decision, decide};
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::policy::{OwnFile, Platform, Policy, Snapshot, Surroundings};
use guard_core::process::{ProcessDescription, ProcessKey};
use guard_core::standing::{Place, PlaceQuery, Proof, Standing};
use guard_core::zones::Folding;
use guard_core::{Operation, OperationKind};
use std::cell::Cell;

/// When agents in these tests start; files and executables are older unless a test sets them.
pub const AGENT_STARTED_NS: u64 = 1_000;

/// The time at which decisions are made.
pub const NOW_NS: u64 = 2_000_000_000;

/// A compiled policy.
pub struct World {
    pub snapshot: Snapshot,
}

/// An actor, and the facts about it and about files.
pub struct Scene {
    pub executable: String,
    pub attribution: Attribution<'static>,
    pub arguments: Vec<u8>,
    pub executable_changed_ns: Option<u64>,
    pub executable_owner: Option<u32>,
    pub parent: Option<ProcessDescription>,
    pub file_born_ns: Option<u64>,
    pub directory_born_ns: Option<u64>,
    pub made_here: Vec<String>,
    /// Where nothing is.
    pub absent: Vec<&'static str>,
    /// What changed after the agent started.
    pub young: Vec<&'static str>,
    /// Whether what must be preserved is.
    pub preserves: bool,
    pub tools: ToolSet,
    pub names: ToolNames,
    pub questions: Cell<usize>,
    /// How many of them were about places.
    pub places_asked: Cell<usize>,
}

impl World {
    pub fn linux(policy: &str) -> Self {
        Self::with(policy, Platform::Linux, &[])
    }

    pub fn mac(policy: &str) -> Self {
        Self::with(policy, Platform::MacOs, &[])
    }

    /// On volumes that ignore case and normalization.
    pub fn folding(policy: &str) -> Self {
        Self::compile(policy, Platform::MacOs, &[], Folding::Insensitive)
    }

    pub fn with(policy: &str, platform: Platform, own_files: &[&str]) -> Self {
        Self::compile(policy, platform, own_files, Folding::Exact)
    }

    fn compile(policy: &str, platform: Platform, own_files: &[&str], folding: Folding) -> Self {
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        let own_files: Vec<OwnFile<'_>> = own_files
            .iter()
            .map(|path| OwnFile {
                path: path.as_bytes(),
            })
            .collect();
        let surroundings = Surroundings {
            home: b"/home/u",
            platform,
            extra_zones: &[],
            own_files: &own_files,
            locate: &|path| vec![path.to_vec()],
            session: "guard-session",
            started_ns: 500,
        };
        Self {
            snapshot: Snapshot::compile_folding(&policy, &surroundings, &|_| folding).unwrap(),
        }
    }

    pub fn decide(
        &self,
        scene: &Scene,
        kind: OperationKind,
        path: &str,
        destination: Option<&str>,
    ) -> Decision<'_> {
        let operation = Operation {
            kind,
            path: path.as_bytes(),
            destination: destination.map(str::as_bytes),
        };
        decide(&self.snapshot, &operation, NOW_NS, scene)
    }

    /// Verdict, reason and tool, as `"deny agent_in_zone"` or `"allow trusted_tool git"`.
    pub fn outcome(
        &self,
        scene: &Scene,
        kind: OperationKind,
        path: &str,
        destination: Option<&str>,
    ) -> String {
        let decision = self.decide(scene, kind, path, destination);
        let mut outcome = format!("{} {}", decision.verdict.as_str(), decision.reason.as_str());
        if let Some(tool) = decision.tool {
            outcome.push(' ');
            outcome.push_str(&String::from_utf8_lossy(tool));
        }
        outcome
    }
}

impl Scene {
    /// `"rm < zsh < agent claude"`: the first acts; an agent anywhere makes it an agent's.
    pub fn chain(chain: &str) -> Self {
        let executable = chain.split(" < ").next().unwrap_or_default();
        let mut scene = Self::human(executable);
        if let Some((_, agent)) = chain.split_once("agent ") {
            let label = match agent {
                "claude" => "claude_code",
                "codex" => "codex",
                _ => "custom:claude",
            };
            scene.attribution = agent_called(label);
        }
        scene
    }

    pub fn human(executable: &str) -> Self {
        Self {
            executable: format!("/usr/bin/{executable}"),
            attribution: Attribution::Human,
            arguments: format!("{executable}\0do\0").into_bytes(),
            executable_changed_ns: Some(1),
            executable_owner: Some(0),
            parent: None,
            file_born_ns: Some(1),
            directory_born_ns: None,
            made_here: Vec::new(),
            absent: Vec::new(),
            young: Vec::new(),
            preserves: true,
            tools: ToolSet::default(),
            names: ToolNames::default(),
            questions: Cell::new(0),
            places_asked: Cell::new(0),
        }
    }

    pub fn agent(executable: &str) -> Self {
        Self {
            attribution: agent_called("codex"),
            ..Self::human(executable)
        }
    }

    pub fn unknown(executable: &str, agent_seen: bool) -> Self {
        Self {
            attribution: Attribution::Unknown { agent_seen },
            ..Self::human(executable)
        }
    }

    /// The same as a descendant of these tools.
    pub fn under(mut self, tools: &[&str]) -> Self {
        for tool in tools {
            self.tools = self.tools.union(self.names.intern(tool.as_bytes()));
        }
        self
    }

    /// The same with this command line.
    pub fn saying(mut self, line: &str) -> Self {
        self.arguments = format!("{line} ").replace(' ', "\0").into_bytes();
        self
    }

    fn is_made_here(&self, path: &[u8]) -> bool {
        self.made_here.iter().any(|made| made.as_bytes() == path)
    }

    fn asked(&self) {
        self.questions.set(self.questions.get() + 1);
    }
}

pub fn agent_called(label: &'static str) -> Attribution<'static> {
    Attribution::Agent(AgentRef {
        label,
        ancestor: b"agent",
        pid: 10,
        started_ns: AGENT_STARTED_NS,
        session: b"agent-session",
    })
}

impl FactSource for Scene {
    fn actor(&self) -> Actor<'_> {
        self.asked();
        Actor {
            key: ProcessKey {
                pid: 11,
                generation: 1,
            },
            ppid: 10,
            uid: 1000,
            executable: self.executable.as_bytes(),
            argv0: b"",
            attribution: self.attribution,
            tools: self.tools,
            tool_names: &self.names,
        }
    }

    fn arguments(&self) -> Vec<u8> {
        self.asked();
        self.arguments.clone()
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        self.asked();
        self.executable_changed_ns
    }

    fn parent(&self) -> Option<ProcessDescription> {
        self.asked();
        self.parent.clone()
    }

    fn executable_owner(&self) -> Option<u32> {
        self.asked();
        self.executable_owner
    }

    fn file(&self, path: &[u8]) -> Option<FileFacts> {
        self.asked();
        if self.absent.iter().any(|absent| absent.as_bytes() == path) {
            return None;
        }
        let of = |kind, born_ns| FileFacts {
            kind,
            born_ns: Some(born_ns),
            identity: FileIdentity::default(),
            changed_ns: born_ns,
            modified_ns: born_ns,
            size: 0,
        };
        if self.young.iter().any(|young| young.as_bytes() == path) {
            return Some(of(FileKind::Regular, MADE_NS));
        }
        if self.is_made_here(path) {
            return Some(of(FileKind::Symlink, MADE_NS));
        }
        let file = self.file_born_ns.map(|ns| of(FileKind::Regular, ns));
        file.or_else(|| self.directory_born_ns.map(|ns| of(FileKind::Directory, ns)))
    }

    fn standing(&self, path: &[u8], _: &FileFacts) -> Standing {
        self.asked();
        if self.is_made_here(path) {
            Standing::Own(Proof::Seen)
        } else {
            Standing::Unknown
        }
    }

    fn place(&self, directory: &[u8], _: u64, query: PlaceQuery) -> Place {
        self.asked();
        self.places_asked.set(self.places_asked.get() + 1);
        if directory.ends_with(b"/node_modules") {
            Place::MadeAgain
        } else if directory.ends_with(b"/outputs") && query == PlaceQuery::OrOutput {
            Place::Output
        } else {
            Place::Unproven
        }
    }

    fn preserves(&self) -> bool {
        self.preserves
    }
}

/// When agents made what they are said to have made.
const MADE_NS: u64 = AGENT_STARTED_NS + 1;
