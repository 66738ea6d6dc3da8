//! The agents that can be set up: how they are found, and what goes into which of their files.

use super::json::Entry;
use guard_report::shell::word;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// One of an agent's files, and what the set-up has in it.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// The file.
    pub(super) path: PathBuf,
    /// What goes into it.
    pub(super) content: Content,
}

/// What goes into a file.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Entries of a JSON file, which may have comments.
    Json(Vec<Entry>),
    /// The MCP server of Codex's `config.toml`.
    CodexServer {
        /// The guard's program.
        program: String,
    },
    /// A file that is the set-up's own as a whole.
    Whole(String),
}

/// Where things are.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The home directory.
    pub(super) home: PathBuf,
    /// The guard's program, as agents are to start it.
    pub(super) program: String,
    /// The directories in which programs are found.
    pub(super) path: Vec<PathBuf>,
    /// What variables say of agents' own directories.
    pub(super) variable: fn(&str) -> Option<PathBuf>,
}

// === impl Place ===

impl Place {
    /// Whether an agent of this name is on this machine.
    pub(super) fn has(&self, agent: &str) -> bool {
        let (programs, directories): (&[&str], &[&str]) = match agent {
            "claude" => (&["claude"], &[".claude", ".claude.json"]),
            "codex" => (&["codex"], &[]),
            "gemini" => (&["gemini"], &[".gemini/settings.json"]),
            "antigravity" => (&["agy"], &[".gemini/antigravity-cli"]),
            "cursor" => (&["cursor-agent", "cursor"], &[".cursor"]),
            "copilot" => (&["copilot"], &[".copilot"]),
            "opencode" => (&["opencode"], &[".config/opencode"]),
            "goose" => (&["goose"], &[".config/goose"]),
            _ => (&[], &[]),
        };
        let is_program = |name: &&str| self.path.iter().any(|dir| dir.join(name).is_file());
        programs.iter().any(is_program)
            || directories.iter().any(|name| self.home.join(name).exists())
            // The guard's own files are below it as well.
            || (agent == "codex" && self.codex().join("config.toml").exists())
    }

    /// The changes for an agent; none for one that is set up by hand.
    pub(super) fn changes(&self, agent: &str) -> Vec<Change> {
        match agent {
            "claude" => self.claude(),
            "codex" => vec![
                json_file(
                    self.codex().join("hooks.json"),
                    vec![element(
                        &["hooks", "PostToolUse"],
                        &mark("codex"),
                        grouped("Bash", &self.hook("codex"), None),
                    )],
                ),
                Change {
                    path: self.codex().join("config.toml"),
                    content: Content::CodexServer {
                        program: self.program.clone(),
                    },
                },
            ],
            "gemini" => vec![json_file(
                self.home.join(".gemini/settings.json"),
                vec![
                    element(
                        &["hooks", "AfterTool"],
                        &mark("gemini"),
                        grouped("run_shell_command", &self.hook("gemini"), Some(10_000)),
                    ),
                    self.server(&["mcpServers"], &json!({})),
                ],
            )],
            "antigravity" => vec![
                json_file(
                    self.home.join(".gemini/config/hooks.json"),
                    vec![Entry::Member {
                        below: &[],
                        name: NAME,
                        value: json!({ "PreInvocation": [
                        { "type": "command", "command": self.hook("antigravity"), "timeout": 10 }
                    ] }),
                    }],
                ),
                json_file(
                    self.home.join(".gemini/config/mcp_config.json"),
                    vec![self.server(&["mcpServers"], &json!({}))],
                ),
            ],
            "cursor" => {
                let own = json!({ "command": self.hook("cursor") });
                let event = |below| element(below, &mark("cursor"), own.clone());
                vec![
                    json_file(
                        self.home.join(".cursor/hooks.json"),
                        vec![
                            Entry::Default {
                                name: "version",
                                value: 1.into(),
                            },
                            event(&["hooks", "postToolUse"]),
                            event(&["hooks", "postToolUseFailure"]),
                        ],
                    ),
                    json_file(
                        self.home.join(".cursor/mcp.json"),
                        vec![self.server(&["mcpServers"], &json!({}))],
                    ),
                ]
            }
            "copilot" => {
                let own =
                    json!([{ "type": "command", "bash": self.hook("copilot"), "timeoutSec": 10 }]);
                let hooks = json!({
                    "version": 1,
                    "hooks": { "postToolUse": own, "postToolUseFailure": own }
                });
                vec![
                    Change {
                        path: self.home.join(".copilot/hooks/codex-es-guard.json"),
                        content: Content::Whole(format!("{hooks:#}\n")),
                    },
                    json_file(
                        self.home.join(".copilot/mcp-config.json"),
                        vec![
                            self.server(
                                &["mcpServers"],
                                &json!({ "type": "local", "tools": ["*"] }),
                            ),
                        ],
                    ),
                ]
            }
            "opencode" => self.opencode(),
            _ => Vec::new(),
        }
    }

    fn claude(&self) -> Vec<Change> {
        let configured = (self.variable)("CLAUDE_CONFIG_DIR");
        let state = configured
            .as_deref()
            .unwrap_or(&self.home)
            .join(".claude.json");
        let directory = configured.unwrap_or_else(|| self.home.join(".claude"));
        let own = grouped("Bash|mcp__.*", &self.hook("claude"), Some(10));
        let event = |below| element(below, &mark("claude"), own.clone());
        vec![
            json_file(
                directory.join("settings.json"),
                vec![
                    event(&["hooks", "PostToolUse"]),
                    event(&["hooks", "PostToolUseFailure"]),
                ],
            ),
            json_file(
                state,
                vec![self.server(&["mcpServers"], &json!({ "type": "stdio" }))],
            ),
        ]
    }

    fn opencode(&self) -> Vec<Change> {
        let configured = (self.variable)("XDG_CONFIG_HOME");
        let directory = configured
            .unwrap_or_else(|| self.home.join(".config"))
            .join("opencode");
        let with_comments = directory.join("opencode.jsonc");
        let file = if with_comments.exists() {
            with_comments
        } else {
            directory.join("opencode.json")
        };
        vec![
            json_file(
                file,
                vec![Entry::Member {
                    below: &["mcp"],
                    name: NAME,
                    value: json!({ "type": "local", "command": [self.program, "mcp"], "enabled": true }),
                }],
            ),
            Change {
                path: directory.join("plugins/codex-es-guard.js"),
                content: Content::Whole(
                    PLUGIN.replace("PROGRAM", &Value::from(self.program.as_str()).to_string()),
                ),
            },
        ]
    }

    fn server(&self, below: &'static [&'static str], more: &Value) -> Entry {
        let mut value = more.clone();
        value["command"] = self.program.as_str().into();
        value["args"] = json!(["mcp"]);
        Entry::Member {
            below,
            name: NAME,
            value,
        }
    }

    fn hook(&self, agent: &str) -> String {
        format!("{} hook {agent}", word(self.program.as_bytes()))
    }

    fn codex(&self) -> PathBuf {
        (self.variable)("CODEX_HOME").unwrap_or_else(|| self.home.join(".codex"))
    }
}

/// What people have to do besides, or by hand.
pub(super) fn remark(agent: &str, program: &str) -> Option<String> {
    match agent {
        "codex" => Some("Codex asks you once to trust the hook: /hooks in a session.".to_owned()),
        "goose" => Some(format!(
            "Goose: add to extensions in ~/.config/goose/config.yaml:\n  {NAME}:\n    enabled: true\n    \
             type: stdio\n    name: {NAME}\n    cmd: {program}\n    args: [mcp]\n    timeout: 60"
        )),
        _ => None,
    }
}

/// The six lines for AGENTS.md or CLAUDE.md.
pub(super) const INSTRUCTIONS: &str = "\
## Protected files
- codex-es-guard keeps files in protected zones: removing or moving them fails with \"Operation not permitted\".
- Such a denial is final for its path. Do not try it again by other programs, languages or as another user.
- Editing files is allowed, and what you made yourself may be removed.
- To see why: `codex-es-guard why`, or the tool explain_path of the MCP server codex-es-guard.
- If the task needs it, ask once by the tool request_security_override, with a reason; the person decides.
";

/// The directories of `PATH`.
pub(super) fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .collect()
}

/// Where an agent's program is, if it is not one of the wrappers in `except`.
pub(super) fn program_of(agent: &str, path: &[PathBuf], except: &Path) -> Option<PathBuf> {
    let name = match agent {
        "antigravity" => "agy",
        "cursor" => "cursor-agent",
        name => name,
    };
    let mut found = path
        .iter()
        .filter(|dir| *dir != except)
        .map(|dir| dir.join(name));
    found.find(|file| file.is_file())
}

fn json_file(path: PathBuf, entries: Vec<Entry>) -> Change {
    Change {
        path,
        content: Content::Json(entries),
    }
}

fn element(below: &'static [&'static str], mark: &str, value: Value) -> Entry {
    Entry::Element {
        below,
        mark: mark.to_owned(),
        value,
    }
}

/// What only this set-up's hook of an agent has.
fn mark(agent: &str) -> String {
    format!("codex-es-guard hook {agent}")
}

/// A hook in the shape of Claude Code, Codex and Gemini.
fn grouped(matcher: &str, command: &str, timeout: Option<u64>) -> Value {
    let mut hook = json!({ "type": "command", "command": command });
    if let Some(timeout) = timeout {
        hook["timeout"] = timeout.into();
    }
    json!({ "matcher": matcher, "hooks": [hook] })
}

/// The name of the MCP server, and of the set-up's own entries.
const NAME: &str = "codex-es-guard";

/// A plugin of opencode, of its first and its second version alike.
const PLUGIN: &str = r#"// Shows the model why a file guard denied something. Made by: codex-es-guard setup
import { spawnSync } from "node:child_process";

const ask = (session, tool) => {
  const input = { hook_event_name: "tool.execute.after", session_id: session, tool_name: tool };
  const done = spawnSync(PROGRAM, ["hook", "opencode"], { input: JSON.stringify(input), encoding: "utf8" });
  try {
    return JSON.parse(done.stdout).additional_context;
  } catch {
    return undefined;
  }
};

export default {
  id: "codex-es-guard",
  setup(ctx) {
    ctx.tool.hook("execute.after", (event) => {
      const text = ask(event.sessionID, event.tool);
      if (!text || !event.result) return;
      const { content } = event.result;
      event.result.content = Array.isArray(content)
        ? [...content, { type: "text", text }]
        : `${content ?? ""}\n${text}`;
    });
  },
  server: async () => ({
    "tool.execute.after": async (input, output) => {
      const text = ask(input.sessionID, input.tool);
      if (text) output.output = `${output.output ?? ""}\n${text}`;
    },
  }),
};
"#;
