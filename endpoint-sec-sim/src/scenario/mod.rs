//! What happens on a machine, as a text: written by hand in JSON, or recorded on a Mac by
//! `eslogger`.
//!
//! A scenario is a list of deeds. [Playing](Scenario::play) it performs one deed after the other,
//! waits for each verdict, and says which differ from what the scenario expects.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::attempt::Verdict;
use crate::file::File;
use crate::machine::Machine;
use crate::process::{Execution, Facts, Process};

mod deeds;
mod eslogger;
mod json;
mod value;

pub use value::ReadScenarioError;

/// A list of deeds.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// Files that exist before the first deed.
    files: Vec<File>,
    /// Processes that exist before the first deed, in order of their birth.
    processes: Vec<Cast>,
    steps: Vec<Step>,
    skipped: BTreeMap<String, usize>,
}

/// How a scenario calls a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Name {
    /// By a name that the scenario's author gave.
    Given(String),
    /// By what a recording knows.
    Recorded(Execution),
}

/// A process of a scenario.
#[derive(Clone, Debug)]
struct Cast {
    name: Name,
    parent: Option<Name>,
    facts: Facts,
}

/// One deed, and what should become of it.
#[derive(Clone, Debug)]
struct Step {
    actor: Name,
    /// Who the actor is, should it appear here for the first time.
    known_as: Option<Cast>,
    deed: Deed,
    expect: Option<bool>,
}

/// What a process does.
#[derive(Clone, Debug)]
enum Deed {
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
    /// Nobody does anything for this long.
    Wait(Duration),
}

/// What a process becomes by an exec.
#[derive(Clone, Debug)]
struct Image {
    path: Vec<u8>,
    args: Option<Vec<Vec<u8>>>,
    env: Option<Vec<Vec<u8>>>,
    script: Option<Vec<u8>>,
    facts: Option<Facts>,
}

/// What became of one deed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// Which deed, from 0.
    pub step: usize,
    /// The deed in words: `unlink /a by /bin/rm[412]`.
    pub what: String,
    /// Its outcome.
    pub verdict: Verdict,
    /// Whether it was expected to be allowed, if the scenario says.
    pub expected: Option<bool>,
}

/// A deed of a process that the scenario never introduced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step {step} names {name}, which no process is called by")]
pub struct UnknownProcessError {
    /// Which deed, from 0.
    pub step: usize,
    /// The name.
    pub name: String,
}

/// The processes of a scenario while it is played.
struct Stage<'a> {
    machine: &'a Machine,
    cast: HashMap<Name, Process>,
}

// === impl Scenario ===

impl Scenario {
    /// Reads a scenario that was written by hand.
    ///
    /// The text is one JSON object:
    ///
    /// - `files`: what exists before; a path, or an object with `path` and, if wanted, `directory`,
    ///   `uid`, `gid`, `size`.
    /// - `processes`: who exists before, parents first; each has a `name` and a `path`, and may
    ///   have `parent` (a name), `user`, `pid`, `cwd`, `args` and `env` (arrays of texts),
    ///   `signing_id`, `team_id`.
    /// - `steps`: each has the deed as its first key, with the name of who does it: `{"unlink":
    ///   "rm", "path": "/a"}`. `expect` may say `"allow"` or `"deny"`.
    ///
    /// | deed | further keys |
    /// |---|---|
    /// | `unlink`, `truncate`, `write` | `path` |
    /// | `open` | `path`, `flags`: an array of `"read"` and `"write"`, or kernel flags as a number |
    /// | `create` | `path`, `mode` (420) |
    /// | `close` | `path`, `modified` (false) |
    /// | `rename`, `link`, `clone`, `copyfile` | `from`, `to` |
    /// | `exchangedata` | `from`, `to`: the two files |
    /// | `fork` | `as`: the name of the child |
    /// | `exec` | `path`, `args`, `env`, `script`; the name stays with the process |
    /// | `exit` | `status` (0) |
    /// | `wait_ms` | none; its value is a number of milliseconds instead of a name |
    ///
    /// # Errors
    ///
    /// When the text is no such object; the error says which part.
    pub fn from_json(text: &str) -> Result<Self, ReadScenarioError> {
        json::read(text)
    }

    /// Reads what `eslogger` printed: one JSON object a line, as macOS 13 and later write it.
    ///
    /// A recording tells what happened, so each line becomes the deed that it tells of: replayed,
    /// AUTH messages are sent first and clients decide anew. Processes are introduced by the
    /// line that first mentions them. Event types that are not among [`Scenario::from_json`]'s
    /// deeds are skipped and [counted](Self::skipped).
    ///
    /// `eslogger` is no interface: its manual warns that the form may change with every release.
    ///
    /// # Errors
    ///
    /// When a line is not JSON, or lacks what its event type has; the error says which line.
    pub fn from_eslogger(lines: &str) -> Result<Self, ReadScenarioError> {
        eslogger::read(lines)
    }

    /// How many events of a recording were left out, by their type.
    #[must_use]
    pub fn skipped(&self) -> &BTreeMap<String, usize> {
        &self.skipped
    }

    /// How many deeds there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is no deed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Performs every deed in order, each after the verdict on the one before.
    ///
    /// # Errors
    ///
    /// When a deed names a process that does not exist; the deeds before it have been performed.
    pub fn play(&self, machine: &Machine) -> Result<Vec<Played>, UnknownProcessError> {
        let mut stage = Stage {
            machine,
            cast: HashMap::new(),
        };
        for file in &self.files {
            machine.create(file.clone());
        }
        for cast in &self.processes {
            stage.introduce(cast);
        }
        let mut played = Vec::with_capacity(self.steps.len());
        for (number, step) in self.steps.iter().enumerate() {
            if let Some(cast) = &step.known_as
                && !stage.cast.contains_key(&cast.name)
            {
                stage.introduce(cast);
            }
            let (what, verdict) = stage.perform(number, step)?;
            played.push(Played {
                step: number,
                what,
                verdict,
                expected: step.expect,
            });
        }
        Ok(played)
    }
}

// === impl Played ===

impl Played {
    /// Whether the outcome is as expected, or nothing was expected.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        self.expected
            .is_none_or(|expected| expected == self.verdict.allowed)
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
