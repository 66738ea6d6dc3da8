//! The agents the guard knows, one row for each label.
//!
//! Order matters twice: names and markers are both tried from the top, so the general row is the
//! last. Names that mean something else on many machines (`q`, `pi`, `agent`, `amp`) are in no
//! `names`; those agents are recognised by a path or a marker. Names that are an agent's only where an
//! interpreter runs them (`vibe`, `forge`, `cn`, `hermes`) are in `scripts`: npm and Python installers
//! put a script of that name on the search path. An editor with an agent in it is no agent, since
//! people type in its terminals: `Antigravity.app` and Warp are not listed, what they start is known by
//! its marker.
//!
//! Sources of names and paths: the vendors' installers and packages, named in the rows. Sources of
//! markers: the tables of `@vercel/detect-agent` 1.2.7 and of the crate `ai_env` 0.1.3, vendors'
//! documentation.

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
        names: &["kiro-cli", "kiro-cli-chat"],
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
        // npm @augmentcode/auggie.
        paths: &["**/@augmentcode/auggie/**"],
        scripts: &["augment.mjs", "auggie"],
        markers: &[Set("AUGMENT_AGENT")],
        ..labelled("auggie")
    },
    // In an editor, these three run in its extension host, which also runs what people ask of it. Their
    // command lines are npm cline, @roo-code/cli, @kilocode/cli.
    AgentSignature {
        paths: &["**/node_modules/cline/**"],
        scripts: &["cline"],
        markers: &[Set("CLINE_ACTIVE")],
        ..labelled("cline")
    },
    AgentSignature {
        paths: &["**/@roo-code/cli/**"],
        scripts: &["roo"],
        markers: &[Set("ROO_ACTIVE"), Set("ROO_CLI_RUNTIME")],
        ..labelled("roo_code")
    },
    AgentSignature {
        paths: &["**/@kilocode/cli*/**"],
        names: &["kilocode"],
        scripts: &["kilo"],
        markers: &[Is("KILOCODE_FEATURE", "cli")],
        ..labelled("kilocode")
    },
    AgentSignature {
        // npm @mariozechner/pi-coding-agent.
        paths: &["**/pi-coding-agent/**"],
        markers: &[Set("PI_CODING_AGENT")],
        ..labelled("pi")
    },
    AgentSignature {
        markers: &[Set("WINDSURF_CASCADE_TERMINAL")],
        ..labelled("windsurf")
    },
    AgentSignature {
        // The command line is ~/.local/bin/agy, with its data in ~/.gemini/antigravity-cli; the program
        // `antigravity` is the editor.
        paths: &["**/antigravity-cli/**"],
        names: &["agy"],
        markers: &[Set("ANTIGRAVITY_AGENT")],
        ..labelled("antigravity")
    },
    AgentSignature {
        // trae-agent.
        names: &["trae-cli"],
        markers: &[Set("TRAE_AI_SHELL_ID")],
        ..labelled("trae")
    },
    AgentSignature {
        // npm @iflow-ai/iflow-cli.
        paths: &["**/@iflow-ai/iflow-cli/**"],
        names: &["iflow"],
        markers: &[Set("IFLOW_CLI")],
        ..labelled("iflow")
    },
    AgentSignature {
        // npm @vibe-kit/grok-cli; xAI's own is in ~/.grok/bin.
        paths: &["**/@vibe-kit/grok-cli/**", "**/.grok/bin/*"],
        scripts: &["grok"],
        markers: &[Is("GROK_AGENT", "1")],
        ..labelled("grok")
    },
    AgentSignature {
        names: &["openclaw"],
        scripts: &["openclaw.mjs"],
        markers: &[Set("OPENCLAW_SHELL")],
        ..labelled("openclaw")
    },
    AgentSignature {
        // npm @jetbrains/junie-cli; the installer's program is below ~/.local/share/junie.
        paths: &["**/@jetbrains/junie*/**", "**/share/junie/**"],
        names: &["junie"],
        markers: &[Set("JUNIE_DATA")],
        ..labelled("junie")
    },
    AgentSignature {
        // uv tool install kimi-cli.
        paths: &["**/kimi-cli/**"],
        scripts: &["kimi", "kimi-cli"],
        ..labelled("kimi")
    },
    AgentSignature {
        // uv tool install mistral-vibe (docs.mistral.ai/vibe/code/cli).
        paths: &["**/mistral-vibe/**"],
        scripts: &["vibe", "vibe-acp"],
        ..labelled("mistral_vibe")
    },
    AgentSignature {
        // npm @google/jules.
        paths: &["**/@google/jules/**"],
        scripts: &["jules"],
        ..labelled("jules")
    },
    AgentSignature {
        // npm @continuedev/cli.
        paths: &["**/@continuedev/cli/**"],
        scripts: &["cn"],
        ..labelled("continue")
    },
    AgentSignature {
        // NousResearch/hermes-agent, below ~/.hermes.
        paths: &["**/hermes-agent/**"],
        scripts: &["hermes"],
        ..labelled("hermes")
    },
    AgentSignature {
        // npm @letta-ai/letta-code.
        paths: &["**/@letta-ai/letta-code/**"],
        scripts: &["letta"],
        ..labelled("letta")
    },
    AgentSignature {
        // npm forgecode. Foundry has a program of the name `forge`, too.
        paths: &["**/node_modules/forgecode/**"],
        scripts: &["forge", "forgecode"],
        ..labelled("forge")
    },
    AgentSignature {
        // `acli rovodev` starts it.
        names: &["atlassian_cli_rovodev"],
        ..labelled("rovodev")
    },
    AgentSignature {
        // uv tool install openhands.
        names: &["openhands"],
        ..labelled("openhands")
    },
    AgentSignature {
        names: &["plandex"],
        ..labelled("plandex")
    },
    AgentSignature {
        // npm @nanocollective/nanocoder.
        names: &["nanocoder"],
        ..labelled("nanocoder")
    },
    AgentSignature {
        // npm codebuff; the program is in ~/.config/manicode.
        names: &["codebuff"],
        ..labelled("codebuff")
    },
    AgentSignature {
        // npm @qodo/command.
        paths: &["**/@qodo/command/**"],
        scripts: &["qodo"],
        ..labelled("qodo")
    },
    AgentSignature {
        // On its own machines it is known by a file (`/opt/.devin`), which is not examined.
        names: &["devin"],
        ..labelled("devin")
    },
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
