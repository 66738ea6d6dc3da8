//! The parsed policy: its fields, their defaults and their bounds.

use crate::glob::Glob;
use crate::operation::OperationKind;

/// The parsed policy. Its default is that of a missing file: no zones, every built-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// `protected_zones`.
    pub protected_zones: Vec<ZoneEntry>,
    /// `temporary_overrides`.
    pub temporary_overrides: Vec<OverrideEntry>,
    /// `trusted_tools`; `None` for the built-in ones.
    pub trusted_tools: Option<Vec<ToolEntry>>,
    /// `ai_agent_patterns`: substrings of an executable's or `argv[0]`'s basename.
    pub ai_agent_patterns: Vec<String>,
    /// `mode`.
    pub mode: Mode,
    /// `operations`: the kinds that are judged. `rename` includes `exchange`.
    pub operations: OperationSet,
    /// `disposable_paths`.
    pub disposable_paths: Vec<DisposableEntry>,
    /// `override_approval`.
    pub override_approval: OverrideApproval,
    /// `on_unknown`.
    pub on_unknown: OnUnknown,
    /// `on_deadline`.
    pub on_deadline: OnDeadline,
    /// `removals`, for zones without their own.
    pub removals: Removals,
    /// `undo`.
    pub undo: UndoPolicy,
    /// `notice`.
    pub notice: DenialNotice,
    /// `notify_command`: the program and its arguments that show a person what is requested; none if
    /// empty.
    pub notify_command: Vec<String>,
}

/// One of `protected_zones`: `"PATH"` or `{"path", "name", "removals"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ZoneEntry {
    /// Absolute, or `~` and below.
    pub path: String,
    /// Its name in logs and metrics; its last component if absent.
    pub name: Option<String>,
    /// `removals`; the policy's if absent.
    pub removals: Option<Removals>,
}

/// One of `temporary_overrides`: `"PATH"` or an object. An absent field restricts nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OverrideEntry {
    /// Absolute, or `~` and below.
    pub path: String,
    /// `op`: the kinds of operation that it allows.
    pub operations: OperationSet,
    /// `agent`: the label of the agent that it is for.
    pub agent: Option<String>,
    /// `session`: the session that it is for.
    pub session: Option<String>,
    /// `expires_at`, wall clock nanoseconds.
    pub expires_at_ns: Option<u64>,
    /// `granted_by`: for people.
    pub granted_by: Option<String>,
    /// `id`: for logs; the path if absent.
    pub id: Option<String>,
}

/// One of `trusted_tools`: `"NAME"`, trusted everywhere, or an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ToolEntry {
    /// Basename of the executable.
    pub name: String,
    /// `within`: where it is trusted; everywhere if absent.
    pub within: Option<Vec<Glob>>,
    /// `except_args`: arguments that end the trust.
    pub except_args: Vec<String>,
    /// `identity`: the executable that is meant.
    pub identity: Option<ToolIdentity>,
}

/// Pins a tool to an executable. Every part that is given must match.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ToolIdentity {
    /// Path of the executable.
    pub path: Option<String>,
    /// The owner of the executable.
    pub owner: Option<u32>,
}

/// One of `disposable_paths`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DisposableEntry {
    /// An absolute path, or `~` and below.
    Path(String),
    /// A pattern for paths below a zone.
    Pattern(Glob),
}

/// Whether denials are enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Operations are denied.
    #[default]
    Enforce,
    /// Operations proceed and are recorded like denials. The guard's own files are still guarded.
    Audit,
}

/// Who may grant an override that an agent requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OverrideApproval {
    /// A person.
    #[default]
    Human,
    /// The guard, at once.
    Auto,
}

/// The verdict for a process of unknown ancestry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnUnknown {
    /// As for an agent's if an agent has been seen in the session, else as for a human's.
    #[default]
    AgentIfSeen,
    /// As for a human's.
    Allow,
    /// As for an agent's.
    Deny,
    /// The operation proceeds and is recorded like a denial.
    Audit,
}

/// The answer if the kernel's deadline passes before the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnDeadline {
    /// The operation proceeds.
    #[default]
    Allow,
    /// The operation is denied.
    Deny,
}

/// `undo`: `false`, or the bounds of the store. The store chooses bounds that are absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UndoPolicy {
    /// Whether anything is preserved.
    pub enabled: bool,
    /// `max_bytes`: the size of all sessions together.
    pub max_bytes: Option<u64>,
    /// `max_copy`: the largest file whose bytes are copied.
    pub max_copy: Option<u64>,
    /// `keep_days`: how long sessions are kept.
    pub keep_days: Option<u32>,
    /// `min_free`: the share of the disk that copies leave free, in hundredths.
    pub min_free: Option<u8>,
}

/// `removals`: whether an agent's removal is denied, or preserved and allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Removals {
    /// It is denied.
    #[default]
    Deny,
    /// It is preserved and allowed. A zone's root, its parents and moves out of zones stay denied.
    Preserve,
}

/// `notice`: whether a process that was denied is shown why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DenialNotice {
    /// One line on its standard error, unless that is a terminal.
    #[default]
    On,
    /// It gets the error and nothing else.
    Off,
}

/// A set of kinds of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OperationSet(u16);

/// The kinds that a policy may name. The others concern the guard itself and are always judged.
pub const POLICY_OPERATIONS: [OperationKind; 6] = [
    OperationKind::Unlink,
    OperationKind::Rename,
    OperationKind::Exchange,
    OperationKind::Truncate,
    OperationKind::Clone,
    OperationKind::Link,
];

/// The default of `ai_agent_patterns`.
pub const DEFAULT_AGENT_PATTERNS: [&str; 3] = ["codex", "claude", "claude-code"];

/// Larger files are refused: people write policies, and parsing one competes with decisions for the
/// processor. 10,000 zones fit.
pub const MAX_POLICY_BYTES: usize = 1024 * 1024;

/// More overrides are refused: they are meant to be few and short-lived, and those on one path are
/// checked one by one.
pub const MAX_OVERRIDES: usize = 512;

/// Longer paths are refused, as Linux refuses them (`PATH_MAX`).
pub const MAX_PATH_BYTES: usize = 4096;

/// Longer names are refused: they become labels.
pub const MAX_NAME_BYTES: usize = 256;

/// Longer words of a command are refused.
pub(super) const MAX_COMMAND_BYTES: usize = 2048;

// === impl Policy ===

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
            notice: DenialNotice::default(),
            notify_command: Vec::new(),
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

// === impl UndoPolicy ===

impl Default for UndoPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            max_bytes: None,
            max_copy: None,
            keep_days: None,
            min_free: None,
        }
    }
}
