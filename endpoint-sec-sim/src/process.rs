//! Processes of a simulated Mac, as messages describe them.

use std::fmt;
use std::sync::Arc;

use endpoint_sec_sys::{audit_token_t, es_cs_validation_category_t};

use crate::file::File;
use crate::machine::Machine;

/// One execution: a process identifier and its version. `exec` makes another one of it.
///
/// Cheap to clone; what it says of itself never changes.
#[derive(Clone)]
pub struct Process(pub(crate) Arc<Facts>);

/// What a message can tell of a process.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) token: audit_token_t,
    pub(crate) ppid: i32,
    pub(crate) original_ppid: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    pub(crate) codesigning_flags: u32,
    pub(crate) platform_binary: bool,
    pub(crate) es_client: bool,
    pub(crate) cdhash: [u8; 20],
    pub(crate) cdhash_full: Vec<u8>,
    pub(crate) signing_id: Option<Vec<u8>>,
    pub(crate) team_id: Option<Vec<u8>>,
    pub(crate) executable: File,
    pub(crate) tty: Option<File>,
    /// Microseconds since 1970.
    pub(crate) started: i64,
    pub(crate) responsible: audit_token_t,
    pub(crate) parent: audit_token_t,
    pub(crate) category: es_cs_validation_category_t,
    pub(crate) cwd: File,
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) env: Vec<Vec<u8>>,
}

/// A process in the making; see [`Machine::process`].
#[must_use = "the process does not exist until `start` is called"]
pub struct ProcessBuilder<'machine> {
    pub(crate) machine: &'machine Machine,
    pub(crate) facts: Facts,
}

/// The words of an audit token, by their index (`bsm/libbsm.h` names the accessors; the order is
/// that of xnu).
pub(crate) mod word {
    pub(crate) const AUID: usize = 0;
    pub(crate) const EUID: usize = 1;
    pub(crate) const EGID: usize = 2;
    pub(crate) const RUID: usize = 3;
    pub(crate) const RGID: usize = 4;
    pub(crate) const PID: usize = 5;
    pub(crate) const ASID: usize = 6;
    pub(crate) const PIDVERSION: usize = 7;
}

/// What names one execution: process identifier and version.
pub(crate) type Execution = (u32, u32);

// === impl Process ===

impl Process {
    /// The process identifier.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.0.token.val[word::PID].cast_signed()
    }

    /// The version of the process identifier: each exec and each reuse of the number raises it.
    #[must_use]
    pub fn pidversion(&self) -> i32 {
        self.0.token.val[word::PIDVERSION].cast_signed()
    }

    /// The audit token, as messages carry it.
    #[must_use]
    pub fn audit_token(&self) -> audit_token_t {
        self.0.token
    }

    /// The file that is being executed.
    #[must_use]
    pub fn executable(&self) -> &File {
        &self.0.executable
    }

    pub(crate) fn execution(&self) -> Execution {
        execution(&self.0.token)
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = String::from_utf8_lossy(self.0.executable.path());
        write!(f, "{path}[{}.{}]", self.pid(), self.pidversion())
    }
}

/// The execution that a token names.
pub(crate) fn execution(token: &audit_token_t) -> Execution {
    (token.val[word::PID], token.val[word::PIDVERSION])
}

// === impl Facts ===

impl Facts {
    /// A signed platform binary of root, started by whoever is put in later.
    pub(crate) fn of(executable: File) -> Self {
        let name = executable.name().to_vec();
        let mut cdhash = [0; 20];
        cdhash[..8].copy_from_slice(&executable.inode.to_le_bytes());
        Self {
            token: audit_token_t { val: [0; 8] },
            ppid: 1,
            original_ppid: 1,
            group: 0,
            session: 0,
            codesigning_flags: CS_VALID | CS_SIGNED | CS_PLATFORM_BINARY,
            platform_binary: true,
            es_client: false,
            cdhash,
            cdhash_full: cdhash.iter().copied().chain([0; 12]).collect(),
            signing_id: Some([b"com.apple.", name.as_slice()].concat()),
            team_id: None,
            executable,
            tty: None,
            started: 0,
            responsible: audit_token_t { val: [0; 8] },
            parent: audit_token_t { val: [0; 8] },
            category: es_cs_validation_category_t::ES_CS_VALIDATION_CATEGORY_PLATFORM,
            cwd: File::directory("/"),
            args: vec![name],
            env: Vec::new(),
        }
    }

    /// Puts a process below another: parentage, session, terminal, user and place are inherited.
    pub(crate) fn inherit(&mut self, parent: &Self) {
        let (pid, version) = (self.token.val[word::PID], self.token.val[word::PIDVERSION]);
        self.token = parent.token;
        self.token.val[word::PID] = pid;
        self.token.val[word::PIDVERSION] = version;
        self.parent = parent.token;
        self.responsible = parent.responsible;
        self.ppid = parent.token.val[word::PID].cast_signed();
        self.original_ppid = self.ppid;
        self.group = parent.group;
        self.session = parent.session;
        self.tty.clone_from(&parent.tty);
        self.cwd = parent.cwd.clone();
        self.env.clone_from(&parent.env);
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

    /// Lets the process exist, as if it had been started before anyone looked: no message is sent.
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

/// Byte strings from anything that can be seen as one.
pub(crate) fn owned<A: AsRef<[u8]>>(items: impl IntoIterator<Item = A>) -> Vec<Vec<u8>> {
    items
        .into_iter()
        .map(|item| item.as_ref().to_vec())
        .collect()
}

const CS_VALID: u32 = 0x1;
const CS_PLATFORM_BINARY: u32 = 0x0400_0000;
const CS_SIGNED: u32 = 0x2000_0000;
