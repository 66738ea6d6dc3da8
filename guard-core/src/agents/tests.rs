//! Which processes are recognised as agents, and which are not.

use super::*;

/// A process as `EXECUTABLE | ARGV0 ARG… | NAME=value …`; in `ARGV0`, `_` means a space.
fn describe(text: &str) -> ProcessDescription {
    let mut parts = text.split('|').map(str::trim);
    let executable = parts.next().unwrap_or_default();
    let words = |part: Option<&str>| -> Vec<String> {
        part.unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    let mut arguments = words(parts.next());
    if let Some(argv0) = arguments.first_mut() {
        *argv0 = argv0.replace('_', " ");
    }
    ProcessDescription {
        executable: executable.into(),
        arguments: arguments.join("\0").into_bytes(),
        environment: words(parts.next()).join("\0").into_bytes(),
        ..ProcessDescription::default()
    }
}

fn label(text: &str) -> Option<String> {
    recognise(&describe(text), NO_PATTERNS, &IgnoredMarkers::default()).map(|agent| agent.label)
}

const NO_PATTERNS: &[&str] = &[];

#[test]
fn agents_are_recognised_by_their_names() {
    let table = [
        (
            "/home/u/.local/share/claude/versions/2.1.37 | claude",
            Some("claude_code"),
        ),
        (
            "/home/u/.local/share/claude/versions/2.1.37 | 2.1.37",
            Some("claude_code"),
        ),
        ("/usr/bin/node | claude", Some("claude_code")),
        ("/usr/bin/node | claude_--resume", Some("claude_code")),
        (
            "/usr/bin/node | node /opt/nm/@anthropic-ai/claude-code/cli.js",
            Some("claude_code"),
        ),
        (
            "/n/@anthropic-ai/claude-code/bin/claude.exe | x",
            Some("claude_code"),
        ),
        ("/$bunfs/root/claude | claude", Some("claude_code")),
        ("/usr/bin/codex | codex exec", Some("codex")),
        ("/usr/bin/node | node /usr/bin/codex", Some("codex")),
        (
            "/Applications/ChatGPT.app/Contents/Resources/codex | x app-server",
            Some("codex"),
        ),
        (
            "/usr/bin/node | node --no-warnings /usr/bin/gemini",
            Some("gemini_cli"),
        ),
        (
            "/usr/bin/node | node /n/@github/copilot/index.js",
            Some("copilot_cli"),
        ),
        (
            "/o/cursor-agent/versions/1/agent | agent",
            Some("cursor_agent"),
        ),
        ("/usr/bin/agent | agent", None),
        ("/usr/bin/opencode | opencode", Some("opencode")),
        ("/usr/bin/goosed | goosed", Some("goose")),
        (
            "/usr/bin/python3.12 | /venv/bin/python /venv/bin/aider",
            Some("aider"),
        ),
        ("/usr/bin/aider | aider", None),
        (
            "/usr/bin/node | node /n/@sourcegraph/amp/dist/main.js",
            Some("amp"),
        ),
        ("/usr/bin/amp | amp", None),
        ("/usr/bin/crush | crush", Some("crush")),
        (
            "/usr/bin/node | node /n/@qwen-code/qwen-code/cli.js",
            Some("qwen_code"),
        ),
        ("/usr/bin/kiro-cli | kiro-cli", Some("kiro")),
        ("/usr/bin/q | q chat", None),
        ("/usr/bin/qchat | qchat", Some("amazon_q")),
        ("/usr/bin/droid | droid", Some("droid")),
        ("/usr/bin/node | node /n/augment.mjs", Some("auggie")),
        ("/usr/bin/node | node /usr/bin/auggie", Some("auggie")),
        ("/usr/bin/pi | pi", None),
        (
            "/usr/bin/node | node /n/@mariozechner/pi-coding-agent/dist/cli.js",
            Some("pi"),
        ),
        ("/home/u/.local/bin/agy | agy -p x", Some("antigravity")),
        (
            "/home/u/.gemini/antigravity-cli/bin/x | x",
            Some("antigravity"),
        ),
        // The editor, in whose terminals people type.
        ("/usr/bin/antigravity | antigravity", None),
        ("/usr/bin/node | node /usr/local/bin/grok", Some("grok")),
        ("/home/u/.grok/bin/grok | grok", Some("grok")),
        ("/usr/bin/grok | grok", None),
        (
            "/usr/bin/python3.12 | /home/u/.local/share/uv/tools/mistral-vibe/bin/python /home/u/.local/bin/vibe",
            Some("mistral_vibe"),
        ),
        ("/usr/bin/vibe | vibe", None),
        (
            "/usr/bin/python3 | python3 /home/u/.local/bin/kimi",
            Some("kimi"),
        ),
        ("/n/@google/jules/bin/jules | jules", Some("jules")),
        ("/usr/bin/node | node /usr/bin/cn", Some("continue")),
        ("/usr/bin/cn | cn", None),
        ("/usr/bin/junie | junie", Some("junie")),
        (
            "/usr/bin/python3 | python3 /home/u/.hermes/hermes-agent/run.py",
            Some("hermes"),
        ),
        ("/usr/bin/node | node /usr/bin/cline", Some("cline")),
        ("/usr/bin/node | node /usr/bin/kilo", Some("kilocode")),
        ("/usr/bin/node | node /usr/bin/letta", Some("letta")),
        ("/usr/bin/node | node /usr/bin/forge", Some("forge")),
        ("/home/u/.foundry/bin/forge | forge build", None),
        ("/usr/bin/devin | devin", Some("devin")),
        ("/usr/bin/trae-cli | trae-cli", Some("trae")),
        ("/usr/bin/node | node /usr/bin/iflow", Some("iflow")),
        (
            "/home/u/.local/share/acli/1.3/plugin/rovodev/atlassian_cli_rovodev | x",
            Some("rovodev"),
        ),
        (
            "/usr/bin/python3 | python3 /usr/bin/openhands",
            Some("openhands"),
        ),
        ("/usr/bin/plandex | plandex", Some("plandex")),
        ("/usr/bin/node | node /usr/bin/nanocoder", Some("nanocoder")),
        (
            "/home/u/.config/manicode/codebuff | codebuff",
            Some("codebuff"),
        ),
        ("/usr/bin/node | node /usr/bin/qodo", Some("qodo")),
        ("/usr/bin/rm | rm claude", None),
        ("/usr/bin/vim | vim /usr/bin/codex", None),
        ("/usr/bin/claudette | claudette", None),
    ];
    for (text, expected) in table {
        assert_eq!(label(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn every_marker_makes_an_agent_and_common_variables_do_not() {
    let with = |marker: EnvMarker| {
        let entry = match marker {
            EnvMarker::Set(name) => format!("{name}=yes"),
            EnvMarker::Is(name, value) => format!("{name}={value}"),
            EnvMarker::Contains(name, part) => format!("{name}=a {part} b"),
        };
        ProcessDescription {
            executable: b"/usr/bin/rm".to_vec(),
            environment: format!("PATH=/bin\0{entry}\0").into_bytes(),
            ..ProcessDescription::default()
        }
    };
    for row in CATALOGUE {
        for &marker in row.markers {
            let description = with(marker);
            let found = recognise(&description, NO_PATTERNS, &IgnoredMarkers::default()).unwrap();
            assert_eq!(
                (found.label.as_str(), found.by_environment),
                (row.label, true)
            );
            let inherited = IgnoredMarkers::from_environment(&description.environment);
            assert_eq!(
                recognise(&description, NO_PATTERNS, &inherited),
                None,
                "{marker:?}"
            );
        }
    }
    for entry in [
        "CLAUDECODE=1",
        "CODEX_HOME=/home/u/.codex",
        "COPILOT_MODEL=m",
        "CURSOR_TRACE_ID=1",
        "OPENCODE_CLIENT=c",
        "TERM_PROGRAM=kiro",
        "REPL_ID=1",
    ] {
        assert_eq!(label(&format!("/bin/rm | rm | {entry}")), None, "{entry}");
    }
}

#[test]
fn a_second_agent_is_recognised_despite_the_markers_of_the_first() {
    let outer = b"CLAUDE_CODE_ENTRYPOINT=cli\0CLAUDE_CODE_SESSION_ID=outer\0";
    let ignored = IgnoredMarkers::from_environment(outer);
    let inner = describe("/bin/rm | rm | CLAUDE_CODE_ENTRYPOINT=cli CLAUDE_CODE_SESSION_ID=inner");
    let found = recognise(&inner, NO_PATTERNS, &ignored).unwrap();
    assert_eq!(
        (found.label.as_str(), found.session.as_slice()),
        ("claude_code", &b"inner"[..])
    );
}

/// The guard runs below an agent, and a second one of the same kind below the guard.
#[test]
fn the_outer_agent_s_session_id_is_not_the_inner_agent_s() {
    let ignored = IgnoredMarkers::from_environment(b"CLAUDE_CODE_SESSION_ID=outer\0");
    let session = |text: &str| {
        let found = recognise(&describe(text), NO_PATTERNS, &ignored).unwrap();
        String::from_utf8(found.session).unwrap()
    };
    let inherited = "/usr/bin/claude | claude | CLAUDE_CODE_SESSION_ID=outer";
    assert_eq!(session(inherited), "");
    let own = "/usr/bin/claude | claude | CLAUDE_CODE_SESSION_ID=inner";
    assert_eq!(session(own), "inner");
}

#[test]
fn the_session_id_is_the_agents_own_and_bounded() {
    let session = |text: &str| {
        let found = recognise(&describe(text), NO_PATTERNS, &IgnoredMarkers::default()).unwrap();
        String::from_utf8(found.session).unwrap()
    };
    assert_eq!(session("/bin/codex | codex | CODEX_THREAD_ID=t1"), "t1");
    assert_eq!(
        session("/bin/codex | codex | CLAUDE_CODE_SESSION_ID=s1"),
        ""
    );
    let long = format!("/bin/codex | codex | CODEX_THREAD_ID={}", "x".repeat(1000));
    assert_eq!(session(&long).len(), MAX_NAME_BYTES);
}

#[test]
fn patterns_are_substrings_of_names() {
    let ignored = IgnoredMarkers::default();
    let found = |text: &str, patterns: &[&str]| {
        let agent = recognise(&describe(text), patterns, &ignored)?;
        Some((agent.label, String::from_utf8(agent.ancestor).unwrap()))
    };
    let custom = |label: &str, name: &str| Some((label.to_owned(), name.to_owned()));
    assert_eq!(
        found("/opt/mybot-2 | x", &["bot"]),
        custom("custom:bot", "mybot-2")
    );
    assert_eq!(
        found("/usr/bin/node | mybot", &["bot"]),
        custom("custom:bot", "mybot")
    );
    assert_eq!(found("/bot/rm | rm /bot", &["bot"]), None);
    assert_eq!(found("/opt/mybot | mybot", &["Bot", ""]), None);
    assert_eq!(
        found("/usr/bin/claude | claude", &["claude"]),
        custom("claude_code", "claude")
    );
}

#[test]
fn the_guard_is_no_agent_by_its_name() {
    let ignored = IgnoredMarkers::default();
    for text in [
        "/opt/codex-es-guard | codex-es-guard run -- zsh",
        " | guard-companion",
        " | guard-exporter",
    ] {
        assert_eq!(
            recognise(&describe(text), &["codex", "guard"], &ignored),
            None,
            "{text}"
        );
    }
    // Only its very name, and only its executable's.
    assert!(recognise(&describe("/opt/codex-es-guard2 | x"), &["codex"], &ignored).is_some());
    assert!(recognise(&describe("/bin/codex | codex-es-guard"), &["x"], &ignored).is_some());
    // A copy of `rm` under the guard's name, orphaned by an agent.
    let orphan = describe("/tmp/codex-es-guard | rm | GEMINI_CLI=1");
    assert_eq!(
        recognise(&orphan, &["codex"], &ignored).unwrap().label,
        "gemini_cli"
    );
}
