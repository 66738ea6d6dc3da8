//! Processes of a simulated Mac, as messages describe them.

use std::fmt;
use std::sync::Arc;

use endpoint_sec_sys::{audit_token_t, es_cs_validation_category_t};

use crate::file::File;

/// One execution: a process identifier and its version. `exec` makes another one of it.
///
/// Cheap to clone; immutable.
#[derive(Clone)]
pub struct Process(pub(crate) Arc<Facts>);

/// The properties of a process that messages contain.
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
    /// A signed platform binary of root; its parent is set later.
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
            cdhash_full: [&cdhash[..], &[0; 12]].concat(),
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

/// Byte strings from anything that can be seen as one.
pub(crate) fn owned<A: AsRef<[u8]>>(items: impl IntoIterator<Item = A>) -> Vec<Vec<u8>> {
    items
        .into_iter()
        .map(|item| item.as_ref().to_vec())
        .collect()
}

pub(crate) const CS_VALID: u32 = 0x1;
const CS_PLATFORM_BINARY: u32 = 0x0400_0000;
pub(crate) const CS_SIGNED: u32 = 0x2000_0000;
