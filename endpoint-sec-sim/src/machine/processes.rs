//! Processes that exist without a fork or an exec.

use std::fmt;
use std::sync::Arc;

use endpoint_sec_sys::es_cs_validation_category_t;

use crate::file::File;
use crate::machine::Machine;
use crate::process::{CS_SIGNED, CS_VALID, Facts, Process, owned, word};

/// Describes a process; see [`Machine::process`].
#[must_use = "the process does not exist until `start` is called"]
pub struct ProcessBuilder<'machine> {
    pub(crate) machine: &'machine Machine,
    pub(crate) facts: Facts,
}

// === impl Machine ===

impl Machine {
    /// Describes a process that executes the file at `path`, as a child of launchd until
    /// [`parent`](ProcessBuilder::parent) says otherwise.
    pub fn process(&self, path: impl AsRef<[u8]>) -> ProcessBuilder<'_> {
        let mut facts = Facts::of(self.file(path));
        facts.inherit(&self.launchd.0);
        ProcessBuilder {
            machine: self,
            facts,
        }
    }

    /// Makes a process exist.
    pub(crate) fn admit(&self, mut facts: Facts) -> Process {
        let mut state = self.shared.lock();
        let execution = state.next_execution();
        let words = &mut facts.token.val;
        if words[word::PID] == 0 {
            words[word::PID] = execution.0;
        }
        if words[word::PIDVERSION] == 0 {
            words[word::PIDVERSION] = execution.1;
        }
        facts.started = self.shared.micros();
        if facts.group == 0 {
            facts.group = words[word::PID].cast_signed();
            facts.session = facts.group;
        }
        if facts.responsible.val == self.launchd.0.token.val {
            facts.responsible = facts.token;
        }
        let process = Process(Arc::new(facts));
        state.admit(&process);
        process
    }
}

// === impl ProcessBuilder ===

impl ProcessBuilder<'_> {
    /// The argument vector, `argv[0]` first. Without it: the name of the executable.
    pub fn args<A: AsRef<[u8]>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.facts.args = owned(args);
        self
    }

    /// The environment, as `NAME=value`. Without it: that of the parent.
    pub fn env<A: AsRef<[u8]>>(mut self, env: impl IntoIterator<Item = A>) -> Self {
        self.facts.env = owned(env);
        self
    }

    /// The parent. Without it: launchd. User, session, terminal, directory and responsible process
    /// come from it, so call this first.
    pub fn parent(mut self, parent: &Process) -> Self {
        self.facts.inherit(&parent.0);
        self
    }

    /// The parent has exited, and launchd is the parent now. Call this after
    /// [`parent`](Self::parent).
    pub fn orphaned(mut self) -> Self {
        self.facts.ppid = 1;
        self
    }

    /// The real and effective user; the group becomes 20 (`staff`), or 0 for root.
    pub fn user(mut self, uid: u32) -> Self {
        let gid = if uid == 0 { 0 } else { 20 };
        let words = &mut self.facts.token.val;
        (words[word::EUID], words[word::RUID]) = (uid, uid);
        (words[word::EGID], words[word::RGID]) = (gid, gid);
        words[word::AUID] = uid;
        self
    }

    /// The process that the user holds responsible (the application of a terminal, say).
    pub fn responsible(mut self, process: &Process) -> Self {
        self.facts.responsible = process.0.token;
        self
    }

    /// The process identifier. Without it: the next free one.
    pub fn pid(mut self, pid: i32) -> Self {
        self.facts.token.val[word::PID] = pid.cast_unsigned();
        self
    }

    /// The current directory.
    pub fn cwd(mut self, path: impl AsRef<[u8]>) -> Self {
        self.facts.cwd = File::directory(path);
        self
    }

    /// The controlling terminal.
    pub fn tty(mut self, path: impl AsRef<[u8]>) -> Self {
        self.facts.tty = Some(File::regular(path));
        self
    }

    /// A program of a vendor: signed with this signing identifier and team, no platform binary.
    pub fn signed(mut self, signing_id: impl AsRef<[u8]>, team_id: impl AsRef<[u8]>) -> Self {
        self.facts.signing_id = Some(signing_id.as_ref().to_vec());
        self.facts.team_id = Some(team_id.as_ref().to_vec());
        self.facts.platform_binary = false;
        self.facts.codesigning_flags = CS_VALID | CS_SIGNED;
        self.facts.category = es_cs_validation_category_t::ES_CS_VALIDATION_CATEGORY_DEVELOPER_ID;
        self
    }

    /// An unsigned program: no identifiers, no hash, no flags.
    pub fn unsigned(mut self) -> Self {
        self.facts.signing_id = None;
        self.facts.team_id = None;
        self.facts.platform_binary = false;
        self.facts.codesigning_flags = 0;
        self.facts.cdhash = [0; 20];
        self.facts.cdhash_full = Vec::new();
        self.facts.category = es_cs_validation_category_t::ES_CS_VALIDATION_CATEGORY_NONE;
        self
    }

    /// The `CS_` flags.
    pub fn codesigning_flags(mut self, flags: u32) -> Self {
        self.facts.codesigning_flags = flags;
        self
    }

    /// A program that holds the Endpoint Security entitlement.
    pub fn es_client(mut self) -> Self {
        self.facts.es_client = true;
        self
    }

    /// Makes the process exist, as if it had been started before all clients: no message is sent.
    #[must_use]
    pub fn start(self) -> Process {
        self.machine.admit(self.facts)
    }
}

impl fmt::Debug for ProcessBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessBuilder")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}
