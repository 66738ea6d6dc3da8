//! What a scenario holds: files, processes and steps.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::file::{File, FileType};
use crate::process::{Execution, Facts};

/// A list of operations.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// Files that exist before the first operation.
    pub(super) files: Vec<File>,
    /// Processes that exist before the first operation, in order of their birth.
    pub(super) processes: Vec<ProcessSpec>,
    pub(super) steps: Vec<Step>,
    pub(super) skipped: BTreeMap<String, usize>,
}

/// The name of a process in a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// By a name that the scenario's author gave.
    Given(String),
    /// By what a recording knows.
    Recorded(Execution),
}

/// A process of a scenario.
#[derive(Clone, Debug)]
pub(super) struct ProcessSpec {
    pub(super) name: Name,
    pub(super) parent: Option<Name>,
    pub(super) facts: Facts,
}

/// One operation, and its expected verdict.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) actor: Name,
    /// Who the actor is, should it appear here for the first time.
    pub(super) known_as: Option<ProcessSpec>,
    pub(super) operation: Operation,
    pub(super) expect: Option<bool>,
}

/// What a process does.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Unlink(File),
    Rename {
        from: File,
        to: Vec<u8>,
        /// Whether the destination is known to exist.
        replaces: bool,
    },
    Open {
        file: File,
        fflag: u32,
    },
    Create {
        path: Vec<u8>,
        mode: u16,
        file_type: FileType,
    },
    Truncate(File),
    Write(File),
    Close {
        file: File,
        modified: bool,
    },
    Link {
        from: File,
        to: Vec<u8>,
    },
    Clone {
        from: File,
        to: Vec<u8>,
    },
    Copyfile {
        from: File,
        to: Vec<u8>,
    },
    Exchangedata(File, File),
    Fork {
        child: Name,
        /// What a recording says of the child.
        facts: Option<Facts>,
    },
    Exec {
        image: Image,
        target: Name,
    },
    Exit(i32),
    /// A pause.
    Wait(Duration),
}

/// What a process becomes by an exec.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) path: Vec<u8>,
    pub(super) args: Option<Vec<Vec<u8>>>,
    pub(super) env: Option<Vec<Vec<u8>>>,
    pub(super) script: Option<Vec<u8>>,
    pub(super) facts: Option<Facts>,
}

// === impl Scenario ===

impl Scenario {
    /// How many events of a recording were left out, by their type.
    #[must_use]
    pub fn skipped(&self) -> &BTreeMap<String, usize> {
        &self.skipped
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is no operation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

// === impl Name ===

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Given(name) => write!(f, "`{name}`"),
            Self::Recorded((pid, version)) => write!(f, "process {pid}.{version}"),
        }
    }
}
