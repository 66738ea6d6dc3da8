//! `codex-es-guard top`: guards, agents, latencies and denials on a terminal, once a second.
//!
//! The screen is the terminal's alternate one and is left as it was found, however this ends: by a
//! key, a signal or a panic. [`view`] makes lines of what [`source`] reads; nothing else knows of
//! both.

mod screen;
mod source;
mod tally;
mod view;

use anyhow::{Context as _, Result, bail};
use guard_report::paths::StatePaths;
use guard_report::time::now_ns;
use screen::{Input, Screen};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use source::Source;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Watch guards, agents, latencies and denials on the terminal.
///
/// Shows what the exporter reports if one is running, else what is in the rings and the log; updated
/// every second. What one command or one burst did is one line. q, Esc or Ctrl-C quits.
#[derive(Debug, clap::Args)]
pub(super) struct TopArguments {
    /// Show each denial, and not what one command or burst did as one line.
    #[arg(long)]
    each: bool,
}

pub(super) fn top(arguments: &TopArguments) -> Result<ExitCode> {
    let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if !is_terminal {
        bail!("top needs a terminal; codex-es-guard status shows the same once, also as --json");
    }
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGHUP, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&ended)).context("waiting for signals")?;
    }
    let resized = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGWINCH, Arc::clone(&resized)).context("waiting for signals")?;
    let mut source = Source::new(StatePaths::of_user(None)?, arguments.each);
    let mut screen = Screen::open().context("taking the terminal")?;
    let mut shown = source.observe(now_ns());
    let mut observed = Instant::now();
    let mut is_new = true;
    while !ended.load(Ordering::Relaxed) {
        if is_new || resized.swap(false, Ordering::Relaxed) {
            screen.draw(&shown).context("drawing")?;
        }
        is_new = false;
        if screen.input(PAUSE).context("reading the terminal")? == Input::Quit {
            break;
        }
        if observed.elapsed() >= INTERVAL {
            observed = Instant::now();
            shown = source.observe(now_ns());
            is_new = true;
        }
    }
    Ok(ExitCode::SUCCESS)
}

const INTERVAL: Duration = Duration::from_secs(1);
/// How long a signal may wait.
const PAUSE: Duration = Duration::from_millis(100);
