//! The demo's home: what there is to lose, a policy, and shells named like agents.

use super::scene::SCENES;
use super::wait::await_condition;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The scratch home, removed when dropped.
pub(super) struct Scratch {
    pub(super) home: PathBuf,
}

// === impl Scratch ===

impl Scratch {
    pub(super) fn new() -> Result<Self> {
        let name = format!("codex-es-guard-demo-{}", std::process::id());
        let home = std::env::temp_dir().join(name);
        fs::create_dir(&home).with_context(|| format!("making {}", home.display()))?;
        let home = fs::canonicalize(home).context("finding the scratch home")?;
        Ok(Self { home })
    }

    pub(super) fn zone(&self) -> PathBuf {
        self.home.join("work")
    }

    pub(super) fn state(&self) -> PathBuf {
        guard_report::paths::state_directory(&self.home)
    }

    /// Files to lose, a policy, and a shell named like an agent.
    pub(super) fn furnish(&self) -> Result<()> {
        let make = |path: &str, text: &str| -> Result<()> {
            let path = self.home.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
        };
        make("work/main.rs", "fn main() {}\n")?;
        // What the demonstration preserves is a few bytes: it works on a disk that is nearly full, too.
        let policy = serde_json::json!({
            "protected_zones": [self.zone()],
            "undo": { "min_free": 0 },
        });
        make(
            ".codex/es_policy.json",
            &serde_json::to_string_pretty(&policy)?,
        )?;
        let shell = fs::canonicalize("/bin/sh").context("finding a shell")?;
        for name in ["codex", "cli-proxy-api"] {
            fs::create_dir_all(self.home.join("bin"))?;
            fs::copy(&shell, self.home.join("bin").join(name)).context("copying a shell")?;
        }
        fs::create_dir_all(self.state())?;
        for scene in SCENES {
            let made = self
                .command(Path::new("/bin/sh"))
                .args(["-c", scene.prepare])
                .stdout(Stdio::null())
                .status()
                .context("starting a shell")?;
            if !made.success() {
                bail!("`{}` failed; is a program of it missing?", scene.prepare);
            }
        }
        Ok(())
    }

    /// A command in this home, with nothing of the caller's environment but what it needs.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("LC_ALL", "C")
            .current_dir(&self.home);
        for kept in ["PATH", "TERM", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A supervisor may still be writing its last words.
        let _removed = await_condition(|| fs::remove_dir_all(&self.home).ok());
    }
}
