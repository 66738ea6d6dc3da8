//! `codex-es-guard demo`: the guard at work on real processes, in a scratch directory.
//!
//! Nothing is acted: a guarded session runs real programs, the kernel answers them, the exporter
//! logs and counts. The scratch directory is a home of its own, so the user's policy and log are
//! not touched.

mod exporter;
mod scene;
mod scratch;
mod wait;

use super::terminal::{CYAN, DIM, GREEN, RED, line, paint};
use anyhow::{Context as _, Result, bail};
use exporter::Exporter;
use scene::{SCENES, Scene, Wanted};
use scratch::Scratch;
use std::fs;
use std::process::{ExitCode, Stdio};
use wait::await_condition;

/// See the guard at work on real processes in a scratch directory.
///
/// Protects a directory and starts guarded sessions in which a person, two agents, git and a log
/// rotation each remove something, and undoes what an agent discarded. Shows the kernel's answers, the
/// denial log and the metrics, and removes the directory.
///
/// Exit status: 0 if every answer was the expected one.
#[derive(Debug, clap::Args)]
pub(super) struct DemoArguments {
    /// Open a guarded shell at the end, to try things.
    #[arg(long)]
    keep: bool,
}

pub(super) fn demo(arguments: &DemoArguments) -> Result<ExitCode> {
    if !cfg!(target_os = "linux") {
        bail!("the demo needs a guarded session, which this system does not offer yet");
    }
    let program = exporter::program()?;
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
    let before = fs::read(&target).unwrap_or_default();
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
    if scene.wanted == Wanted::Recovered {
        return show_recovery(scratch, scene, &before);
    }
    for text in said.lines() {
        line(&paint(&format!("   {text}"), DIM));
    }
    let is_there = target.symlink_metadata().is_ok();
    let denied = said.contains("Operation not permitted");
    let (right, answer) = match scene.wanted {
        Wanted::Denied => (is_there && denied, paint("DENIED", RED)),
        _ => (!is_there && !denied, paint("allowed", GREEN)),
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

/// Has back what a scene's agent threw away, and compares.
fn show_recovery(scratch: &Scratch, scene: &Scene, before: &[u8]) -> Result<bool> {
    let target = scratch.home.join(scene.target);
    let lost = fs::read(&target).unwrap_or_default() != before;
    let guard = std::env::current_exe().context("finding this program")?;
    let output = scratch
        .command(&guard)
        .args(["undo", "restore", "last", "--yes"])
        .stdin(Stdio::null())
        .output()
        .context("undoing the session")?;
    let said = [output.stdout, output.stderr].concat();
    for text in String::from_utf8_lossy(&said).lines() {
        line(&paint(&format!("   {text}"), DIM));
    }
    let back = fs::read(&target).unwrap_or_default() == before;
    if lost && back {
        let answer = paint("allowed, and undone", GREEN);
        line(&format!("   {answer}: {} is as it was\n", scene.target));
    } else {
        let fate = if lost {
            "is not back"
        } else {
            "was not changed"
        };
        let label = paint("UNEXPECTED:", RED);
        line(&format!("   {label} {} {fate}\n", scene.target));
    }
    Ok(lost && back)
}

/// Waits for the log's lines and shows them.
fn show_log(scratch: &Scratch, wanted: usize) -> Result<bool> {
    let log = guard_report::paths::denial_log(&scratch.state());
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
