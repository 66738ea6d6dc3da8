//! `codex-es-guard demo`: the guard at work on real processes, in a scratch directory.
//!
//! Nothing is acted: a guarded session runs real programs, the kernel answers them, the exporter
//! logs and counts. The scratch directory is a home of its own, so the user's policy and log are
//! not touched.

mod scene;

use super::terminal::{self, CYAN, DIM, GREEN, RED, line, paint};
use crate::exporter;
use crate::places::sibling;
use anyhow::{Context as _, Result, anyhow, bail};
use scene::{SCENES, Scene, Wanted};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// See the guard at work on real processes in a scratch directory.
///
/// Protects a directory, starts a guarded session, and lets a human, two agents, git and a log
/// rotation each remove something. Shows the kernel's answers, the denial log and the metrics, and
/// cleans up. Exit status: 0 when every answer was the one expected.
#[derive(Debug, clap::Args)]
pub(super) struct DemoArguments {
    /// Leave a guarded shell open at the end, to play.
    #[arg(long)]
    keep: bool,
}

/// The scratch home, removed when dropped.
struct Scratch {
    home: PathBuf,
}

pub(super) fn demo(arguments: &DemoArguments) -> Result<ExitCode> {
    if !cfg!(target_os = "linux") {
        bail!("the demo needs a guarded session, which this system does not offer yet");
    }
    let program = exporter_program()?;
    let scratch = Scratch::new()?;
    scratch.furnish()?;
    line(&format!("A scratch home: {}", scratch.home.display()));
    line(&format!("Protected:      {}\n", scratch.zone().display()));
    let mut serving = Exporter::start(&program, &scratch)?;
    let mut wrong = 0;
    for (number, scene) in (1..).zip(SCENES) {
        wrong += u32::from(!show(&scratch, number, scene)?);
    }
    let denials = SCENES
        .iter()
        .filter(|scene| scene.wanted == Wanted::Denied)
        .count();
    wrong += u32::from(!show_log(&scratch, denials)?);
    wrong += u32::from(!serving.show_metrics()?);
    if arguments.keep {
        play(&scratch)?;
    }
    line("");
    if wrong == 0 {
        line(&paint(
            "Every answer was the one expected. The scratch home is gone again.",
            GREEN,
        ));
        line("Next: codex-es-guard policy init DIR, then codex-es-guard run -- claude");
        Ok(ExitCode::SUCCESS)
    } else {
        line(&paint(
            &format!("{wrong} answers were not the ones expected."),
            RED,
        ));
        Ok(ExitCode::FAILURE)
    }
}

/// Runs one scene in a session of its own and compares.
fn show(scratch: &Scratch, number: u32, scene: &Scene) -> Result<bool> {
    line(&paint(&format!("{number}. {}", scene.who), CYAN));
    line(&format!("   $ {}", scene.shown));
    let target = scratch.home.join(scene.target);
    let guard = std::env::current_exe().context("finding this program")?;
    let output = scratch
        .command(&guard)
        .args([
            "run",
            "--quiet",
            "--no-exporter",
            "--",
            "sh",
            "-c",
            scene.script,
        ])
        .stdin(Stdio::null())
        .output()
        .context("starting a guarded session")?;
    let said = String::from_utf8_lossy(&output.stderr);
    for text in said.lines() {
        line(&paint(&format!("   {text}"), DIM));
    }
    let is_there = target.symlink_metadata().is_ok();
    let denied = said.contains("Operation not permitted");
    let (right, answer) = match scene.wanted {
        Wanted::Denied => (is_there && denied, paint("DENIED", RED)),
        Wanted::Allowed => (!is_there && !denied, paint("allowed", GREEN)),
    };
    let fate = if is_there {
        "is still there"
    } else {
        "is gone"
    };
    if right {
        line(&format!("   {answer}: {} {fate}\n", scene.target));
    } else {
        line(&format!(
            "   {} {} {fate}\n",
            paint("UNEXPECTED:", RED),
            scene.target
        ));
    }
    Ok(right)
}

/// Waits for the log's lines and shows them.
fn show_log(scratch: &Scratch, wanted: usize) -> Result<bool> {
    let log = scratch.state().join("denials.jsonl");
    let lines = await_condition(|| {
        let text = fs::read_to_string(&log).unwrap_or_default();
        (text.lines().count() >= wanted).then_some(text)
    });
    line(&paint(
        "The denial log, ~/.codex/es-guard/denials.jsonl:",
        CYAN,
    ));
    let text = lines.unwrap_or_else(|| fs::read_to_string(&log).unwrap_or_default());
    for entry in text.lines() {
        line(&format!("   {entry}"));
    }
    line("");
    Ok(text.lines().count() == wanted)
}

/// A shell in a guarded session, until it ends.
fn play(scratch: &Scratch) -> Result<()> {
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    line(&format!(
        "\nA guarded shell in {}. What you remove is yours to remove; start\n  bin/codex -c 'rm \
         work/main.rs'\nand see it refused. Leave with exit.",
        scratch.home.display()
    ));
    let guard = std::env::current_exe().context("finding this program")?;
    scratch
        .command(&guard)
        .args(["run", "--no-exporter", "--"])
        .arg(shell)
        .status()
        .context("starting a guarded shell")?;
    Ok(())
}

/// The exporter's binary: beside this one, or built now.
fn exporter_program() -> Result<PathBuf> {
    if let Some(found) = sibling(exporter::PROGRAM) {
        return Ok(found);
    }
    let me = std::env::current_exe().context("finding this program")?;
    // `cargo run` builds only this program; it says where cargo is.
    let cargo = std::env::var_os("CARGO").ok_or_else(|| {
        anyhow!(
            "guard-exporter is not installed beside {}; install it too",
            me.display()
        )
    })?;
    terminal::note("building guard-exporter (once)");
    let mut build = Command::new(cargo);
    build.args(["build", "--package", exporter::PROGRAM]);
    if me.parent().is_some_and(|dir| dir.ends_with("release")) {
        build.arg("--release");
    }
    if !build.status().context("starting cargo")?.success() {
        bail!("guard-exporter could not be built; see cargo's message above");
    }
    sibling(exporter::PROGRAM).ok_or_else(|| {
        anyhow!(
            "cargo put guard-exporter elsewhere than beside {}",
            me.display()
        )
    })
}

/// The demo's own exporter, ended when dropped.
struct Exporter {
    child: Child,
    address: String,
}

// === impl Exporter ===

impl Exporter {
    fn start(program: &Path, scratch: &Scratch) -> Result<Self> {
        let mut child = scratch
            .command(program)
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let state = scratch.state();
        let address = await_condition(|| {
            let text = fs::read(state.join("exporter.json")).ok()?;
            let serving: exporter::Serving = serde_json::from_slice(&text).ok()?;
            Some(serving.address)
        });
        let Some(address) = address else {
            let _ended = child.kill();
            let mut said = String::new();
            if let Some(stderr) = child.stderr.take() {
                let _unread = BufReader::new(stderr).read_to_string(&mut said);
            }
            bail!("the exporter did not start: {}", said.trim());
        };
        Ok(Self { child, address })
    }

    /// Scrapes the metrics and shows what this demo moved.
    fn show_metrics(&mut self) -> Result<bool> {
        let wanted = |text: &String| text.lines().any(is_denial);
        let page = await_condition(|| self.scrape().ok().filter(wanted));
        line(&paint(
            &format!("The metrics, http://{}/metrics:", self.address),
            CYAN,
        ));
        let page = page.unwrap_or_default();
        for text in page
            .lines()
            .filter(|line| line.starts_with("guard_decisions_total"))
        {
            if !text.ends_with(" 0") {
                line(&format!("   {text}"));
            }
        }
        Ok(wanted(&page))
    }

    fn scrape(&self) -> Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let host = &self.address;
        stream.write_all(
            format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )?;
        let mut page = String::new();
        for text in BufReader::new(stream).lines() {
            page.push_str(&text?);
            page.push('\n');
        }
        Ok(page)
    }
}

fn is_denial(line: &str) -> bool {
    line.starts_with("guard_decisions_total") && line.contains("\"deny\"") && !line.ends_with(" 0")
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

// === impl Scratch ===

impl Scratch {
    fn new() -> Result<Self> {
        let name = format!("codex-es-guard-demo-{}", std::process::id());
        let home = std::env::temp_dir().join(name);
        fs::create_dir(&home).with_context(|| format!("making {}", home.display()))?;
        let home = fs::canonicalize(home).context("finding the scratch home")?;
        Ok(Self { home })
    }

    fn zone(&self) -> PathBuf {
        self.home.join("work")
    }

    fn state(&self) -> PathBuf {
        self.home.join(".codex/es-guard")
    }

    /// Files to lose, a policy, and a shell named like an agent.
    fn furnish(&self) -> Result<()> {
        let make = |path: &str, text: &str| -> Result<()> {
            let path = self.home.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
        };
        make("work/main.rs", "fn main() {}\n")?;
        let policy = serde_json::json!({ "protected_zones": [self.zone()] });
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
    fn command(&self, program: &Path) -> Command {
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

/// Asks until there is an answer, or patience ends.
fn await_condition<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if start.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
