//! Setting agents up: their configuration files as people have them, and taking it back.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

use guard_report::companion::HOOKS;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Files as people have them: with comments, odd orders, and others' entries.
const FILES: [(&str, &str); 10] = [
    (
        ".claude/settings.json",
        "{\n  \"permissions\": { \"allow\": [\"Bash(ls:*)\"] },\n  \"hooks\": {\n    \"PostToolUse\": [\n      \
         {\n        \"matcher\": \"Edit|Write\",\n        \"hooks\": [{ \"type\": \"command\", \"command\": \"fmt\" }]\n      \
         }\n    ]\n  },\n  \"model\": \"opus\"\n}\n",
    ),
    (
        ".claude.json",
        "{\"numStartups\":42,\"mcpServers\":{\"other\":{\"type\":\"stdio\",\"command\":\"x\",\"args\":[]}},\"projects\":{}}",
    ),
    (
        ".codex/config.toml",
        "# mine\nmodel = \"gpt-5\"   # of course\n\n[mcp_servers.other]\ncommand = \"x\"\n\n[tui]\ntheme = 'dark'\n",
    ),
    (
        ".codex/hooks.json",
        "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"bell\"}]}]}}\n",
    ),
    (
        ".gemini/settings.json",
        "{\n\t// theme\n\t\"ui\": { \"theme\": \"GitHub\" },\n\t\"mcpServers\": {},\n}\n",
    ),
    (
        ".gemini/config/hooks.json",
        "{\n  \"mine\": {\n    \"Stop\": [{ \"type\": \"command\", \"command\": \"bell\" }]\n  }\n}\n",
    ),
    (
        ".cursor/hooks.json",
        "{\n    \"version\": 1,\n    \"hooks\": {\n        \"stop\": [ { \"command\": \"bell\" } ]\n    }\n}\n",
    ),
    (
        ".cursor/mcp.json",
        "{ \"mcpServers\": { \"a\": { \"url\": \"http://x\" } } }\n",
    ),
    (
        ".copilot/mcp-config.json",
        "{\r\n  \"mcpServers\": {}\r\n}\r\n",
    ),
    (
        ".config/opencode/opencode.jsonc",
        "{\n  \"$schema\": \"https://opencode.ai/config.json\",\n  /* local\n     models */\n  \"provider\": {},\n}\n",
    ),
];

/// A home with these files, and a directory with the program beside the guard's.
struct Stage {
    home: TempDir,
    programs: TempDir,
}

// === impl Stage ===

impl Stage {
    fn new(files: &[(&str, &str)]) -> Self {
        let stage = Self {
            home: tempfile::tempdir().unwrap(),
            programs: tempfile::tempdir().unwrap(),
        };
        for (name, text) in files {
            stage.write(name, text);
        }
        let program = env!("CARGO_BIN_EXE_guard-companion");
        // By another process: what this one has open for writing cannot be executed.
        let copied = Command::new("cp")
            .arg(program)
            .arg(stage.programs.path())
            .status();
        assert!(copied.unwrap().success());
        fs::write(stage.guard(), "").unwrap();
        stage
    }

    fn guard(&self) -> PathBuf {
        self.programs.path().join("codex-es-guard")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn setup(&self, arguments: &[&str]) -> Output {
        Command::new(self.programs.path().join("guard-companion"))
            .arg("setup")
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", self.path("bin"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Every file of the home but copies of what was there before.
    fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        collect(self.home.path(), &mut found);
        found
    }
}

fn collect(directory: &Path, into: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else {
            into.insert(path.clone(), fs::read_to_string(&path).unwrap());
        }
    }
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    text
}

#[test]
fn every_agent_is_set_up_once_and_taken_back_byte_for_byte() {
    let stage = Stage::new(&FILES);
    let before = stage.files();
    for agent in HOOKS {
        let alone = stage.files();
        let printed = succeeded(&stage.setup(&["--print", agent]));
        assert!(printed.contains("+ "), "{printed}");
        assert_eq!(stage.files(), alone, "--print changes nothing");
        succeeded(&stage.setup(&["--yes", agent]));
        let changed = stage.files();
        assert_ne!(changed, alone, "{agent}");
        let again = succeeded(&stage.setup(&["--yes", agent]));
        assert!(again.contains("nothing to change"), "{again}");
        assert_eq!(stage.files(), changed, "{agent}, again");
    }
    let guard = stage.guard().display().to_string();
    for (file, needed) in [
        (".claude/settings.json", format!("{guard} hook claude")),
        (".claude.json", format!("\"command\": \"{guard}\"")),
        (
            ".codex/config.toml",
            format!("[mcp_servers.codex-es-guard]\ncommand = \"{guard}\""),
        ),
        (".codex/hooks.json", format!("{guard} hook codex")),
        (".gemini/settings.json", format!("{guard} hook gemini")),
        (
            ".gemini/config/hooks.json",
            format!("{guard} hook antigravity"),
        ),
        (".gemini/config/mcp_config.json", guard.clone()),
        (".cursor/hooks.json", format!("{guard} hook cursor")),
        (".cursor/mcp.json", guard.clone()),
        (
            ".copilot/hooks/codex-es-guard.json",
            format!("{guard} hook copilot"),
        ),
        (".copilot/mcp-config.json", guard.clone()),
        (".config/opencode/opencode.jsonc", guard.clone()),
        (".config/opencode/plugins/codex-es-guard.js", guard.clone()),
    ] {
        let text = stage.text(file);
        assert!(text.contains(&needed), "{file}: {text}");
    }
    for kept in [
        "// theme",
        "/* local",
        "# of course",
        "\"command\": \"fmt\"",
    ] {
        let all: String = stage.files().into_values().collect();
        assert!(all.contains(kept), "{kept}");
    }
    succeeded(&stage.setup(&["--remove", "--yes"]));
    let after = stage.files();
    for (path, text) in &before {
        assert_eq!(after.get(path), Some(text), "{}", path.display());
    }
    let more: Vec<_> = after
        .keys()
        .filter(|path| !before.contains_key(*path))
        .collect();
    assert!(more.is_empty(), "{more:?}");
}

#[test]
fn what_a_person_changed_since_stays_when_it_is_taken_back() {
    let stage = Stage::new(&FILES);
    succeeded(&stage.setup(&["--yes", "claude", "codex"]));
    let edited = stage.text(".claude/settings.json").replace("opus", "haiku");
    stage.write(".claude/settings.json", &edited);
    let edited = stage.text(".codex/config.toml").replace("dark", "light");
    stage.write(".codex/config.toml", &edited);
    succeeded(&stage.setup(&["--remove", "--yes", "claude", "codex"]));
    for (file, mine, others) in [
        (".claude/settings.json", "haiku", "\"command\": \"fmt\""),
        (".codex/config.toml", "light", "[mcp_servers.other]"),
    ] {
        let text = stage.text(file);
        assert!(
            text.contains(mine) && text.contains(others),
            "{file}: {text}"
        );
        assert!(!text.contains("codex-es-guard"), "{file}: {text}");
    }
}

#[test]
fn what_the_set_up_did_not_change_stays_when_it_is_taken_back() {
    let stage = Stage::new(&[
        ("dotfiles/claude.json", "{}"),
        (".cursor/mcp.json", "{}\n"),
        (".codex/config.toml", ""),
    ]);
    std::os::unix::fs::symlink("dotfiles/claude.json", stage.path(".claude.json")).unwrap();
    let read_only = Permissions::from_mode(0o444);
    fs::set_permissions(stage.path("dotfiles/claude.json"), read_only).unwrap();
    let before = stage.files();
    succeeded(&stage.setup(&["--remove", "--yes"]));
    assert_eq!(stage.files(), before);
    succeeded(&stage.setup(&["--yes", "cursor", "copilot", "opencode", "gemini"]));
    succeeded(&stage.setup(&["--remove", "--yes"]));
    assert_eq!(stage.files(), before);
    // Nor when the set-up left it alone, or it was made empty by hand since.
    stage.setup(&["--yes", "claude", "cursor"]);
    stage.write(".cursor/mcp.json", "{}");
    succeeded(&stage.setup(&["--remove", "--yes"]));
    let after = stage.files();
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    assert_eq!(stage.text(".claude.json"), "{}");
}

#[test]
fn links_of_a_dotfile_manager_stay_links_and_modes_stay() {
    let stage = Stage::new(&[]);
    stage.write("dotfiles/claude.json", "{}\n");
    fs::set_permissions(
        stage.path("dotfiles/claude.json"),
        Permissions::from_mode(0o640),
    )
    .unwrap();
    fs::create_dir(stage.path(".claude")).unwrap();
    let link = stage.path(".claude/settings.json");
    std::os::unix::fs::symlink("../dotfiles/claude.json", &link).unwrap();
    succeeded(&stage.setup(&["--yes", "claude"]));
    assert!(link.is_symlink());
    assert!(stage.text("dotfiles/claude.json").contains("hook claude"));
    let mode = stage
        .path("dotfiles/claude.json")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn what_cannot_be_changed_is_named_and_left_alone() {
    let stage = Stage::new(&[
        (".claude/settings.json", "{ not json"),
        (".cursor/hooks.json", "{\"hooks\": []}\n"),
        (".gemini/settings.json", "{}\n"),
        (".codex/config.toml", "mcp_servers = 7\n"),
    ]);
    let read_only = stage.path(".gemini/settings.json");
    fs::set_permissions(&read_only, Permissions::from_mode(0o444)).unwrap();
    let output = stage.setup(&["--yes", "claude", "cursor", "gemini", "codex"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    for file in [
        ".claude/settings.json",
        ".cursor/hooks.json",
        ".gemini/settings.json",
        ".codex/config.toml",
    ] {
        let named = format!("left alone: {}: ", stage.path(file).display());
        assert!(said.contains(&named), "{file}: {said}");
    }
    assert_eq!(stage.text(".claude/settings.json"), "{ not json");
    assert_eq!(stage.text(".gemini/settings.json"), "{}\n");
    // What can be changed beside them is.
    assert!(stage.text(".claude.json").contains("codex-es-guard"));
}

#[test]
fn nobody_to_ask_means_no_change_and_only_agents_that_are_there_are_set_up() {
    let stage = Stage::new(&[("bin/claude", "#!/bin/sh\n")]);
    let output = stage.setup(&[]);
    assert!(!output.status.success(), "{output:?}");
    assert!(!stage.path(".claude").exists());
    let said = succeeded(&stage.setup(&["--yes"]));
    assert!(stage.path(".claude/settings.json").exists());
    assert!(!stage.path(".codex").exists() && !stage.path(".cursor").exists());
    assert!(said.contains("## Protected files"), "{said}");
    assert!(!said.contains("approve"), "{said}");
}

#[test]
fn a_wrapper_starts_the_agent_under_guard() {
    let stage = Stage::new(&[("bin/claude", "#!/bin/sh\n")]);
    succeeded(&stage.setup(&["--yes", "--shims"]));
    let shim = stage.path(".local/share/codex-es-guard/bin/claude");
    let text = fs::read_to_string(&shim).unwrap();
    let guard = stage.guard();
    let started = format!(
        "exec {} run -- {} \"$@\"\n",
        guard.display(),
        stage.path("bin/claude").display()
    );
    assert!(text.ends_with(&started), "{text}");
    assert_eq!(shim.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    succeeded(&stage.setup(&["--yes", "--remove"]));
    assert!(!shim.exists());
}
