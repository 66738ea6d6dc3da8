//! The agents the guard knows, a row a label.
//!
//! Order matters twice: looks are tried from the top, and so are markers, so the general row is the
//! last. Names that mean something else on many machines (`q`, `pi`, `agent`, `amp`) stand in no
//! `names`; a path or a marker tells those agents.

use super::marker::Marker::{self, Contains, Is, Set};

/// One agent, and what gives it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Stable label: the `agent` label's value.
    pub label: &'static str,
    /// Globs over the path of the executable, of `argv[0]` and of an interpreter's script.
    pub paths: &'static [&'static str],
    /// Exact basenames of the executable, of `argv[0]` or of an interpreter's script.
    pub names: &'static [&'static str],
    /// Exact basenames of an interpreter's script or module only.
    pub scripts: &'static [&'static str],
    /// Variables that only the agent's own children have.
    pub strong: &'static [Marker],
    /// Variables that people's shells may have as well. They alone never make an agent.
    pub weak: &'static [Marker],
    /// Variables that hold the agent's session id.
    pub sessions: &'static [&'static str],
}

// === impl Signature ===

impl Signature {
    /// Whether an environment entry (`NAME=value`) is a strong marker or the session id of this
    /// agent.
    pub(super) fn claims(&self, entry: &[u8]) -> bool {
        self.strong.iter().any(|marker| marker.matches(entry))
            || self.sessions.iter().any(|name| Set(name).matches(entry))
    }

    /// What people call this agent.
    pub(super) fn common_name(&self) -> &'static str {
        self.names.first().copied().unwrap_or(self.label)
    }
}

/// A row without any sign, to be completed.
const fn labelled(label: &'static str) -> Signature {
    Signature {
        label,
        paths: &[],
        names: &[],
        scripts: &[],
        strong: &[],
        weak: &[],
        sessions: &[],
    }
}

/// The whole catalogue.
pub const CATALOGUE: &[Signature] = &[
    Signature {
        // The native build is called by its version (`versions/2.1.37`); only the path tells.
        paths: &[
            "**/claude/versions/*",
            "**/@anthropic-ai/claude-code/**",
            "**/anthropic.claude-code*/**",
        ],
        names: &["claude", "claude.exe"],
        strong: &[
            Is("CLAUDE_CODE_CHILD_SESSION", "1"),
            Set("CLAUDE_CODE_SESSION_ID"),
            Set("CLAUDE_PID"),
            Set("CLAUDE_CODE_ENTRYPOINT"),
        ],
        weak: &[Is("CLAUDECODE", "1")],
        sessions: &["CLAUDE_CODE_SESSION_ID"],
        ..labelled("claude_code")
    },
    Signature {
        paths: &["**/@openai/codex/**", "**/ChatGPT.app/**/codex*"],
        names: &["codex", "codex-tui", "codex-linux-sandbox"],
        strong: &[
            Is("CODEX_SANDBOX", "seatbelt"),
            Is("CODEX_SANDBOX_NETWORK_DISABLED", "1"),
            Set("CODEX_THREAD_ID"),
            Set("CODEX_CI"),
        ],
        weak: &[Set("CODEX_HOME")],
        sessions: &["CODEX_THREAD_ID"],
        ..labelled("codex")
    },
    Signature {
        paths: &["**/@google/gemini-cli/**"],
        names: &["gemini"],
        strong: &[Is("GEMINI_CLI", "1")],
        ..labelled("gemini_cli")
    },
    Signature {
        paths: &["**/@github/copilot/**"],
        names: &["copilot"],
        strong: &[
            Set("COPILOT_CLI"),
            Set("COPILOT_AGENT"),
            Set("COPILOT_AGENT_SESSION_ID"),
        ],
        weak: &[Set("COPILOT_MODEL")],
        sessions: &["COPILOT_AGENT_SESSION_ID"],
        ..labelled("copilot_cli")
    },
    Signature {
        paths: &["**/cursor-agent/**/agent", "**/cursor-agent/agent"],
        names: &["cursor-agent"],
        strong: &[
            Is("CURSOR_AGENT", "1"),
            Is("CURSOR_EXTENSION_HOST_ROLE", "agent-exec"),
        ],
        weak: &[Set("CURSOR_TRACE_ID")],
        ..labelled("cursor_agent")
    },
    Signature {
        names: &["opencode"],
        strong: &[Set("OPENCODE"), Set("OPENCODE_SESSION_ID")],
        weak: &[Set("OPENCODE_CLIENT")],
        sessions: &["OPENCODE_SESSION_ID"],
        ..labelled("opencode")
    },
    Signature {
        names: &["goose", "goosed"],
        strong: &[
            Is("GOOSE_TERMINAL", "1"),
            Is("AGENT", "goose"),
            Set("AGENT_SESSION_ID"),
        ],
        sessions: &["AGENT_SESSION_ID"],
        ..labelled("goose")
    },
    Signature {
        scripts: &["aider", ".aider-wrapped"],
        ..labelled("aider")
    },
    Signature {
        paths: &["**/@sourcegraph/amp/**"],
        strong: &[Set("AMP_CURRENT_THREAD_ID"), Is("AGENT", "amp")],
        sessions: &["AMP_CURRENT_THREAD_ID"],
        ..labelled("amp")
    },
    Signature {
        names: &["crush"],
        strong: &[Set("CRUSH")],
        ..labelled("crush")
    },
    Signature {
        paths: &["**/@qwen-code/**"],
        names: &["qwen"],
        strong: &[Set("QWEN_CODE")],
        ..labelled("qwen_code")
    },
    Signature {
        names: &["kiro-cli"],
        weak: &[Is("TERM_PROGRAM", "kiro")],
        ..labelled("kiro")
    },
    Signature {
        names: &["qchat"],
        strong: &[Contains("AWS_EXECUTION_ENV", "AmazonQ-For-CLI")],
        ..labelled("amazon_q")
    },
    Signature {
        names: &["droid"],
        ..labelled("droid")
    },
    Signature {
        scripts: &["augment.mjs"],
        strong: &[Set("AUGMENT_AGENT")],
        ..labelled("auggie")
    },
    // These three live in an editor's extension host, which also runs what people ask of it.
    Signature {
        strong: &[Set("CLINE_ACTIVE")],
        ..labelled("cline")
    },
    Signature {
        strong: &[Set("ROO_ACTIVE"), Set("ROO_CLI_RUNTIME")],
        ..labelled("roo_code")
    },
    Signature {
        strong: &[Is("KILOCODE_FEATURE", "cli")],
        ..labelled("kilocode")
    },
    Signature {
        strong: &[Set("PI_CODING_AGENT")],
        ..labelled("pi")
    },
    Signature {
        strong: &[Set("WINDSURF_CASCADE_TERMINAL")],
        ..labelled("windsurf")
    },
    Signature {
        strong: &[Set("ANTIGRAVITY_AGENT")],
        ..labelled("antigravity")
    },
    Signature {
        strong: &[Set("TRAE_AI_SHELL_ID")],
        ..labelled("trae")
    },
    Signature {
        strong: &[Set("IFLOW_CLI")],
        ..labelled("iflow")
    },
    Signature {
        strong: &[Is("GROK_AGENT", "1")],
        ..labelled("grok")
    },
    Signature {
        strong: &[Set("OPENCLAW_SHELL")],
        ..labelled("openclaw")
    },
    Signature {
        strong: &[Set("JUNIE_DATA")],
        ..labelled("junie")
    },
    // Known by a file on its machines (`/opt/.devin`), so here only when the session declares it.
    labelled("devin"),
    Signature {
        strong: &[Set("AI_AGENT"), Set("AGENT")],
        weak: &[Set("REPL_ID")],
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

    #[test]
    fn no_variable_is_both_strong_and_weak() {
        let strong = || CATALOGUE.iter().flat_map(|row| row.strong);
        for weak in CATALOGUE.iter().flat_map(|row| row.weak) {
            assert!(
                strong().all(|marker| marker.name() != weak.name()),
                "{weak:?}"
            );
        }
    }
}
