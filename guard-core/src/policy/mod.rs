//! What the user wants kept, as written in `~/.codex/es_policy.json`.
//!
//! ```json
//! {
//!   "protected_zones": ["~/work", {"path": "/srv/data", "name": "data"}],
//!   "temporary_overrides": [{"path": "~/work/out", "op": "unlink", "agent": "codex",
//!                            "expires_at": "2026-01-01T12:00:00Z", "id": "a1"}],
//!   "trusted_tools": ["git", {"name": "make", "within": ["build", "*.o"]}],
//!   "ai_agent_patterns": ["codex", "claude"],
//!   "mode": "enforce"
//! }
//! ```
//!
//! [`Policy::parse`] reads the text strictly: an unknown or repeated field, a wrong type, a relative
//! zone, an empty pattern are errors that name their line and column. [`Snapshot::compile`] turns
//! a policy and its [`Surroundings`] into what [`decide`](crate::decision::decide) reads, and
//! [`PolicyCell`] hands the current snapshot to every thread.
//!
//! Guarantees: a text that parses has only absolute or `~` paths without `..`, no NUL anywhere, and
//! sizes within the limits below. It deliberately does not read or write files, and keeps no
//! unknown fields: who edits the file does that on its text.

mod document;
mod error;
mod parse;
mod snapshot;
mod undo;

pub use error::{ParsePolicyError, PolicyProblem};
pub use parse::FIELDS;
pub use snapshot::{
    CompilePolicyError, OwnFile, Platform, PolicyCell, PolicyWarning, Snapshot, Surroundings, Zone,
};

pub use undo::{Removals, UndoPolicy};

use crate::glob::Glob;
use crate::operation::OperationKind;

/// The policy, as read. Its default is what a missing file means: no zones, every built-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// `protected_zones`.
    pub protected_zones: Vec<ZoneEntry>,
    /// `temporary_overrides`.
    pub temporary_overrides: Vec<OverrideEntry>,
    /// `trusted_tools`; `None` stands for the built-in ones.
    pub trusted_tools: Option<Vec<ToolEntry>>,
    /// `ai_agent_patterns`: substrings of an executable's or `argv[0]`'s basename.
    pub ai_agent_patterns: Vec<String>,
    /// `mode`.
    pub mode: Mode,
    /// `operations`: the kinds that are judged. `rename` brings `exchange` with it.
    pub operations: OperationSet,
    /// `disposable_paths`.
    pub disposable_paths: Vec<DisposableEntry>,
    /// `override_approval`.
    pub override_approval: OverrideApproval,
    /// `on_unknown`.
    pub on_unknown: OnUnknown,
    /// `on_deadline`.
    pub on_deadline: OnDeadline,
    /// `removals`, where a zone says nothing else.
    pub removals: Removals,
    /// `undo`.
    pub undo: UndoPolicy,
}

/// One of `protected_zones`: `"PATH"` or `{"path", "name", "removals"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ZoneEntry {
    /// Absolute, or `~` and below.
    pub path: String,
    /// What logs and metrics call it; its last component when absent.
    pub name: Option<String>,
    /// `removals`; the policy's when absent.
    pub removals: Option<Removals>,
}

/// One of `temporary_overrides`: `"PATH"` or an object. Every restriction that is absent holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OverrideEntry {
    /// Absolute, or `~` and below.
    pub path: String,
    /// `op`: the kinds it allows.
    pub operations: OperationSet,
    /// `agent`: the label it is for.
    pub agent: Option<String>,
    /// `session`: the session it is for.
    pub session: Option<String>,
    /// `expires_at`, wall clock nanoseconds.
    pub expires_at_ns: Option<u64>,
    /// `granted_by`: for people.
    pub granted_by: Option<String>,
    /// `id`: for logs; the path when absent.
    pub id: Option<String>,
}

/// One of `trusted_tools`: `"NAME"`, trusted everywhere, or an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ToolEntry {
    /// Basename of the executable.
    pub name: String,
    /// `within`: where it is trusted; everywhere when absent.
    pub within: Option<Vec<Glob>>,
    /// `except_args`: arguments that end the trust.
    pub except_args: Vec<String>,
    /// `identity`: which executable is meant.
    pub identity: Option<ToolIdentity>,
}

/// Pins a tool to an executable. Every part that is given must match.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ToolIdentity {
    /// Path of the executable.
    pub path: Option<String>,
    /// Who must own the executable.
    pub owner: Option<u32>,
}

/// One of `disposable_paths`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DisposableEntry {
    /// An absolute path, or `~` and below.
    Path(String),
    /// A pattern for what is below a zone.
    Pattern(Glob),
}

/// What becomes of an operation that should be denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is denied.
    #[default]
    Enforce,
    /// It goes on and is logged like a denial. The guard's own files are guarded all the same.
    Audit,
}

/// Who may grant what an agent requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OverrideApproval {
    /// A person.
    #[default]
    Human,
    /// The guard, at once.
    Auto,
}

/// The answer for a process whose ancestry is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnUnknown {
    /// As for an agent's when an agent has been seen in the session, as for a human's otherwise.
    #[default]
    AgentIfSeen,
    /// As for a human's.
    Allow,
    /// As for an agent's.
    Deny,
    /// It goes on and is logged like a denial.
    Audit,
}

/// The answer when the kernel's deadline comes before the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnDeadline {
    /// The operation goes on.
    #[default]
    Allow,
    /// The operation is denied.
    Deny,
}

/// A set of kinds of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OperationSet(u16);

/// The kinds a policy may name. The others concern the guard itself and are always judged.
pub const POLICY_OPERATIONS: [OperationKind; 6] = [
    OperationKind::Unlink,
    OperationKind::Rename,
    OperationKind::Exchange,
    OperationKind::Truncate,
    OperationKind::Clone,
    OperationKind::Link,
];

/// What `ai_agent_patterns` is when it is absent.
pub const DEFAULT_AGENT_PATTERNS: [&str; 3] = ["codex", "claude", "claude-code"];

/// Larger files are refused: a policy is written by people, and reading it happens beside the
/// decisions of a machine at work. 10,000 zones fit.
pub const MAX_POLICY_BYTES: usize = 1024 * 1024;

/// More overrides are refused: they are meant to be few and short-lived, and those on one path are
/// looked at one by one.
pub const MAX_OVERRIDES: usize = 512;

/// Longer paths are refused, as Linux refuses them (`PATH_MAX`).
pub const MAX_PATH_BYTES: usize = 4096;

/// Longer names are refused: they become labels.
pub const MAX_NAME_BYTES: usize = 256;

// === impl Policy ===

impl Policy {
    /// Reads the text of a policy file.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line and column.
    pub fn parse(text: &[u8]) -> Result<Self, ParsePolicyError> {
        parse::policy(text)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            protected_zones: Vec::new(),
            temporary_overrides: Vec::new(),
            trusted_tools: None,
            ai_agent_patterns: DEFAULT_AGENT_PATTERNS.map(str::to_owned).to_vec(),
            mode: Mode::default(),
            operations: OperationSet::of(&[OperationKind::Unlink, OperationKind::Rename]),
            disposable_paths: Vec::new(),
            override_approval: OverrideApproval::default(),
            on_unknown: OnUnknown::default(),
            on_deadline: OnDeadline::default(),
            removals: Removals::default(),
            undo: UndoPolicy::default(),
        }
    }
}

// === impl OperationSet ===

impl OperationSet {
    /// The set of these kinds.
    #[must_use]
    pub fn of(kinds: &[OperationKind]) -> Self {
        kinds
            .iter()
            .fold(Self::default(), |set, kind| set.with(*kind))
    }

    /// The set with one more kind.
    #[must_use]
    pub const fn with(self, kind: OperationKind) -> Self {
        Self(self.0 | (1 << kind as u8))
    }

    /// Whether the kind is in the set.
    #[must_use]
    pub const fn contains(self, kind: OperationKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// The kinds of the set.
    pub fn iter(self) -> impl Iterator<Item = OperationKind> {
        OperationKind::ALL
            .into_iter()
            .filter(move |kind| self.contains(*kind))
    }
}

// === impl Mode ===

impl Mode {
    /// The stable name, as in the policy file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
        }
    }
}
