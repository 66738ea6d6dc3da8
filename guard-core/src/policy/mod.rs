//! The policy, as in `~/.codex/es_policy.json`.
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
//! [`Policy::parse`] is strict: an unknown or repeated field, a wrong type, a relative zone or an
//! empty pattern is an error with its line and column. [`Snapshot::compile`] combines a policy and its
//! [`Surroundings`] into what [`decide`](crate::decision::decide) evaluates, and [`PolicyCell`] shares
//! the current snapshot between threads.
//!
//! Guarantees: a parsed policy has only absolute or `~` paths without `..`, no NUL anywhere, and
//! sizes within the limits below. It deliberately does not read or write files, and keeps no unknown
//! fields: a program that edits the file works on its text.

mod document;
mod error;
mod model;
mod parse;
mod snapshot;
mod undo;

pub use error::{ParsePolicyError, PolicyProblem};
pub use model::{
    DEFAULT_AGENT_PATTERNS, DenialNotice, DisposableEntry, MAX_NAME_BYTES, MAX_OVERRIDES,
    MAX_PATH_BYTES, MAX_POLICY_BYTES, Mode, OnDeadline, OnUnknown, OperationSet, OverrideApproval,
    OverrideEntry, POLICY_OPERATIONS, Policy, Removals, ToolEntry, ToolIdentity, UndoPolicy,
    ZoneEntry,
};
pub use parse::FIELDS;
pub use snapshot::{
    CompilePolicyError, OwnFile, Platform, PolicyCell, PolicyWarning, Snapshot, Surroundings, Zone,
};
