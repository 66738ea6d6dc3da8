//! What `codex-es-guard` and the companion program beside it agree on: its name and its commands.

/// The companion's program.
pub const PROGRAM: &str = "guard-companion";

/// Its command that shows a person a request, which only the guard runs.
pub const NOTIFY: &str = "notify";

/// The agents whose hooks it answers, by the names that people call them.
pub const HOOKS: [&str; 7] = [
    "claude",
    "codex",
    "gemini",
    "antigravity",
    "cursor",
    "copilot",
    "opencode",
];

/// The agents that it can set up.
pub const AGENTS: [&str; 8] = [
    "claude",
    "codex",
    "gemini",
    "antigravity",
    "cursor",
    "copilot",
    "opencode",
    "goose",
];
