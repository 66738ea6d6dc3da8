//! `codex-es-guard undo show`.

use super::find::find;
use super::terminal;
use super::units::size;
use anyhow::{Context as _, Result};
use guard_core::event::UnpreservedCause;
use guard_report::json;
use guard_report::time::local as when;
use guard_undo::Store;
use guard_undo::journal::{BytePath, Event, Kept, Loss, Record};
use guard_undo::store::Session;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// Show what a session did to each file, and when.
///
/// Of each removed, replaced or changed file it says how the version before is kept: `hardlink` and
/// `rename` are the file itself, `reflink` and `copy` copies. What could not be preserved is listed
/// with the reason.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArguments {
    /// The session, by its name or the beginning of it; `last` is the newest in which an agent did
    /// something.
    #[arg(value_name = "SESSION")]
    session: String,
    /// Show the difference between each kept text file and what is there now.
    #[arg(long)]
    diff: bool,
    /// Print JSON, one record a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn show(store: &Store, arguments: &ShowArguments) -> Result<ExitCode> {
    let session = find(store, &arguments.session)?;
    if !arguments.json {
        terminal::line(&format!(
            "Session {}, {}: {}",
            session.name(),
            when(session.began_ns()),
            session.began().command
        ));
    }
    for record in &session.records {
        let text = if arguments.json {
            is_deed(record).then(|| json::line(record))
        } else {
            line(record)
        };
        let Some(text) = text else {
            continue;
        };
        if !terminal::try_line(&text) {
            return Ok(ExitCode::SUCCESS);
        }
        if arguments.diff
            && let Some(loss) = record.event.loss()
        {
            show_difference(&session, loss)?;
        }
    }
    if session.skipped > 0 && !arguments.json {
        terminal::line(&format!(
            "{} lines of the journal are damaged.",
            session.skipped
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn is_deed(record: &Record) -> bool {
    !matches!(
        record.event,
        Event::Began(_) | Event::Touched { .. } | Event::Ended
    )
}

fn line(record: &Record) -> Option<String> {
    let what = match &record.event {
        Event::Removed(loss) => format!("removed   {}", lost(loss)),
        Event::Replaced(loss) => format!("replaced  {}", lost(loss)),
        Event::Changed(loss) => format!("changed   {}", lost(loss)),
        Event::Renamed {
            from, to, exchange, ..
        } => {
            let arrow = if *exchange { "<->" } else { "->" };
            format!("renamed   {} {arrow} {}", shown(from), shown(to))
        }
        Event::Unpreserved { path, what, cause } => {
            format!(
                "{what:<9} {} (not preserved: {})",
                shown(path),
                explained(cause),
            )
        }
        _ => return None,
    };
    Some(format!("{}  {what}", when(record.at_ns)))
}

/// Why something was not preserved, and what helps the next time.
fn explained(cause: &str) -> &str {
    match UnpreservedCause::from_name(cause) {
        UnpreservedCause::Other => cause,
        known => known.explain(),
    }
}

fn lost(loss: &Loss) -> String {
    let what = match &loss.kept {
        Kept::Object { method, .. } => format!("{}, {}", size(loss.facts.size), method.as_str()),
        Kept::Link { target } => format!("a link to {}", shown(target)),
        Kept::Directory => "a directory".to_owned(),
    };
    let own = if loss.own { ", the agent's own" } else { "" };
    format!("{} ({what}{own})", shown(&loss.path))
}

/// A path for people; bytes that no terminal shows are escaped.
pub(super) fn shown(path: &BytePath) -> String {
    let text = path.as_path().to_string_lossy();
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text.into_owned()
    }
}

fn show_difference(session: &Session, loss: &Loss) -> Result<()> {
    let Kept::Object { id, .. } = loss.kept else {
        return Ok(());
    };
    let object = session.object(id);
    let now = loss.path.as_path();
    let now = if now.is_file() {
        now
    } else {
        Path::new("/dev/null")
    };
    if !is_text(&object) || !is_text(now) {
        terminal::line("  (not text)");
        return Ok(());
    }
    let output = Command::new("diff")
        .arg("-u")
        .args(["--label", &format!("{} (kept)", shown(&loss.path))])
        .args(["--label", &format!("{} (now)", shown(&loss.path))])
        .arg("--")
        .arg(&object)
        .arg(now)
        .stdin(Stdio::null())
        .output()
        .context("running diff")?;
    terminal::line(String::from_utf8_lossy(&output.stdout).trim_end());
    Ok(())
}

/// Whether the beginning of a file holds no NUL, as `git` and `grep` ask.
fn is_text(path: &Path) -> bool {
    let mut beginning = Vec::new();
    let read = File::open(path).and_then(|file| file.take(8 << 10).read_to_end(&mut beginning));
    read.is_ok() && !beginning.contains(&0)
}
