//! `codex-es-guard top`: what happens, on a terminal, once a second.
//!
//! The screen is the terminal's alternate one and is left as it was found, however this ends: by a
//! key, a signal or a panic. [`view`] makes lines of what [`source`] sees; nothing else knows of
//! both.

mod screen;
mod source;
mod tally;
mod view;

use anyhow::{Context as _, Result, bail};
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use guard_report::paths::StatePaths;
use guard_report::time::now_ns;
use screen::Screen;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use source::Source;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Watch guards, agents, latencies and denials on the terminal.
///
/// It shows what the exporter tells when one serves, else what the rings and the log hold, and is
/// brought up to date every second. q, Esc or Ctrl-C ends it.
#[derive(Debug, clap::Args)]
pub(super) struct TopArguments {}

pub(super) fn top(_: &TopArguments) -> Result<ExitCode> {
    let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if !is_terminal {
        bail!("top needs a terminal; codex-es-guard status tells the same once, also as --json");
    }
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGHUP, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&ended)).context("waiting for signals")?;
    }
    let mut source = Source::new(StatePaths::of_user(None)?);
    let mut screen = Screen::open().context("taking the terminal")?;
    let mut shown = source.look(now_ns());
    let mut looked = Instant::now();
    let mut is_new = true;
    while !ended.load(Ordering::Relaxed) {
        if is_new {
            screen.draw(&shown).context("drawing")?;
        }
        is_new = false;
        if event::poll(PAUSE).context("reading the terminal")? {
            match event::read().context("reading the terminal")? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
                    match key.code {
                        KeyCode::Char('q') | KeyCode::Esc => break,
                        KeyCode::Char('c' | 'd') if is_control => break,
                        _ => {}
                    }
                }
                Event::Resize(..) => is_new = true,
                _ => {}
            }
        }
        if looked.elapsed() >= INTERVAL {
            looked = Instant::now();
            shown = source.look(now_ns());
            is_new = true;
        }
    }
    Ok(ExitCode::SUCCESS)
}

const INTERVAL: Duration = Duration::from_secs(1);
/// How long a signal may wait.
const PAUSE: Duration = Duration::from_millis(100);
