//! The agents the guard knows, one row for each label.
//!
//! Order matters twice: names and markers are both tried from the top, so the general row is the
//! last. Names that mean something else on many machines (`q`, `pi`, `agent`, `amp`) are in no
//! `names`; those agents are recognised by a path or a marker.

use super::marker::EnvMarker::{self, Contains, Is, Set};

/// One agent, and how it is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentSignature {
    /// Stable label: the `agent` label's value.
    pub label: &'static str,
    /// Globs over the path of the executable, of `argv[0]` and of an interpreter's script.
    pub paths: &'static [&'static str],
    /// Exact basenames of the executable, of `argv[0]` or of an interpreter's script.
    pub names: &'static [&'static str],
    /// Exact basenames of an interpreter's script or module only.
    pub scripts: &'static [&'static str],
    /// Variables that only the agent's own children have. What people's shells may have as well
    /// (`CLAUDECODE`, `CODEX_HOME`, `TERM_PROGRAM`) is not listed.
    pub markers: &'static [EnvMarker],
    /// Variables that hold the agent's session id.
    pub sessions: &'static [&'static str],
}

// === impl AgentSignature ===

impl AgentSignature {
    /// Whether an environment entry (`NAME=value`) is a marker or the session id of this
    /// agent.
    pub(super) fn claims(&self, entry: &[u8]) -> bool {
        self.markers.iter().any(|marker| marker.matches(entry))
            || self.sessions.iter().any(|name| Set(name).matches(entry))
    }

    /// What people call this agent.
    pub(super) fn common_name(&self) -> &'static str {
        self.names.first().copied().unwrap_or(self.label)
    }
}

/// A row with a label only, to be completed.
const fn labelled(label: &'static str) -> AgentSignature {
    AgentSignature {
        label,
        paths: &[],
        names: &[],
        scripts: &[],
        markers: &[],
        sessions: &[],
    }
}

/// The whole catalogue.
pub const CATALOGUE: &[AgentSignature] = &[
    AgentSignature {
        // The native build is named by its version (`versions/2.1.37`); its path is known.
        paths: &[
            "**/claude/versions/*",
            "**/@anthropic-ai/claude-code/**",
            "**/anthropic.claude-code*/**",
        ],
        names: &["claude", "claude.exe"],
        markers: &[
            Is("CLAUDE_CODE_CHILD_SESSION", "1"),
            Set("CLAUDE_CODE_SESSION_ID"),
            Set("CLAUDE_PID"),
            Set("CLAUDE_CODE_ENTRYPOINT"),
        ],
        sessions: &["CLAUDE_CODE_SESSION_ID"],
        ..labelled("claude_code")
    },
    AgentSignature {
        paths: &["**/@openai/codex/**", "**/ChatGPT.app/**/codex*"],
        names: &["codex", "codex-tui", "codex-linux-sandbox"],
        markers: &[
            Is("CODEX_SANDBOX", "seatbelt"),
            Is("CODEX_SANDBOX_NETWORK_DISABLED", "1"),
            Set("CODEX_THREAD_ID"),
            Set("CODEX_CI"),
        ],
        sessions: &["CODEX_THREAD_ID"],
        ..labelled("codex")
    },
    AgentSignature {
        paths: &["**/@google/gemini-cli/**"],
        names: &["gemini"],
        markers: &[Is("GEMINI_CLI", "1")],
        ..labelled("gemini_cli")
    },
    AgentSignature {
        paths: &["**/@github/copilot/**"],
        names: &["copilot"],
        markers: &[
            Set("COPILOT_CLI"),
            Set("COPILOT_AGENT"),
            Set("COPILOT_AGENT_SESSION_ID"),
        ],
        sessions: &["COPILOT_AGENT_SESSION_ID"],
        ..labelled("copilot_cli")
    },
    AgentSignature {
        paths: &["**/cursor-agent/**/agent", "**/cursor-agent/agent"],
        names: &["cursor-agent"],
        markers: &[
            Is("CURSOR_AGENT", "1"),
            Is("CURSOR_EXTENSION_HOST_ROLE", "agent-exec"),
        ],
        ..labelled("cursor_agent")
    },
    AgentSignature {
        names: &["opencode"],
        markers: &[Set("OPENCODE"), Set("OPENCODE_SESSION_ID")],
        sessions: &["OPENCODE_SESSION_ID"],
        ..labelled("opencode")
    },
    AgentSignature {
        names: &["goose", "goosed"],
        markers: &[
            Is("GOOSE_TERMINAL", "1"),
            Is("AGENT", "goose"),
            Set("AGENT_SESSION_ID"),
        ],
        sessions: &["AGENT_SESSION_ID"],
        ..labelled("goose")
    },
    AgentSignature {
        scripts: &["aider", ".aider-wrapped"],
        ..labelled("aider")
    },
    AgentSignature {
        paths: &["**/@sourcegraph/amp/**"],
        markers: &[Set("AMP_CURRENT_THREAD_ID"), Is("AGENT", "amp")],
        sessions: &["AMP_CURRENT_THREAD_ID"],
        ..labelled("amp")
    },
    AgentSignature {
        names: &["crush"],
        markers: &[Set("CRUSH")],
        ..labelled("crush")
    },
    AgentSignature {
        paths: &["**/@qwen-code/**"],
        names: &["qwen"],
        markers: &[Set("QWEN_CODE")],
        ..labelled("qwen_code")
    },
    AgentSignature {
        names: &["kiro-cli"],
        ..labelled("kiro")
    },
    AgentSignature {
        names: &["qchat"],
        markers: &[Contains("AWS_EXECUTION_ENV", "AmazonQ-For-CLI")],
        ..labelled("amazon_q")
    },
    AgentSignature {
        names: &["droid"],
        ..labelled("droid")
    },
    AgentSignature {
        scripts: &["augment.mjs"],
        markers: &[Set("AUGMENT_AGENT")],
        ..labelled("auggie")
    },
    // These three run in an editor's extension host, which also runs what people ask of it.
    AgentSignature {
        markers: &[Set("CLINE_ACTIVE")],
        ..labelled("cline")
    },
    AgentSignature {
        markers: &[Set("ROO_ACTIVE"), Set("ROO_CLI_RUNTIME")],
        ..labelled("roo_code")
    },
    AgentSignature {
        markers: &[Is("KILOCODE_FEATURE", "cli")],
        ..labelled("kilocode")
    },
    AgentSignature {
        markers: &[Set("PI_CODING_AGENT")],
        ..labelled("pi")
    },
    AgentSignature {
        markers: &[Set("WINDSURF_CASCADE_TERMINAL")],
        ..labelled("windsurf")
    },
    AgentSignature {
        markers: &[Set("ANTIGRAVITY_AGENT")],
        ..labelled("antigravity")
    },
    AgentSignature {
        markers: &[Set("TRAE_AI_SHELL_ID")],
        ..labelled("trae")
    },
    AgentSignature {
        markers: &[Set("IFLOW_CLI")],
        ..labelled("iflow")
    },
    AgentSignature {
        markers: &[Is("GROK_AGENT", "1")],
        ..labelled("grok")
    },
    AgentSignature {
        markers: &[Set("OPENCLAW_SHELL")],
        ..labelled("openclaw")
    },
    AgentSignature {
        markers: &[Set("JUNIE_DATA")],
        ..labelled("junie")
    },
    // Known by a file on its machines (`/opt/.devin`), so here only when the session declares it.
    labelled("devin"),
    AgentSignature {
        markers: &[Set("AI_AGENT"), Set("AGENT")],
        ..labelled("generic")
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_unique_and_fit_a_metric() {
        for (index, row) in CATALOGUE.iter().enumerate() {
            let allowed = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(row.label.bytes().all(allowed), "{}", row.label);
            let twin = CATALOGUE[index + 1..]
                .iter()
                .find(|other| other.label == row.label);
            assert_eq!(twin, None);
        }
    }

    #[test]
    fn no_short_generic_name_matches_by_itself() {
        for row in CATALOGUE {
            for name in ["q", "pi", "agent", "amp"] {
                assert!(
                    !row.names.contains(&name) && !row.scripts.contains(&name),
                    "{name}"
                );
            }
        }
    }
}
