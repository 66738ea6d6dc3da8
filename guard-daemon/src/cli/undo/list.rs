//! `codex-es-guard undo list`, and a session in one sentence.

use super::terminal;
use super::units::size;
use anyhow::{Context as _, Result};
use guard_report::time::local as when;
use guard_report::time::rfc3339;
use guard_undo::Store;
use guard_undo::journal::SessionKind;
use guard_undo::store::SessionState;
use guard_undo::summary::Summary;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct ListArguments {
    /// Print JSON, one session a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn list(store: &Store, arguments: ListArguments) -> Result<ExitCode> {
    let sessions = store.sessions().context("reading the undo store")?;
    let summaries = sessions
        .iter()
        .map(Summary::of)
        .filter(|summary| !summary.is_empty());
    let mut count = 0;
    for summary in summaries {
        count += 1;
        let text = if arguments.json {
            guard_report::json::line(&json(&summary))
        } else {
            line(&summary)
        };
        if !terminal::try_line(&text) {
            break;
        }
    }
    if count == 0 && !arguments.json {
        terminal::line(
            "Nothing to undo: in no guarded session has an agent removed or changed anything in a \
             protected zone.",
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn line(summary: &Summary) -> String {
    let state = match summary.state {
        SessionState::Running => ", still running",
        SessionState::Ended => "",
        SessionState::Interrupted => ", cut off",
    };
    format!(
        "{}  {}  {}: {}; {} kept{state}\n{:18}{}",
        summary.session,
        when(summary.began_ns),
        who(summary),
        deeds(summary),
        size(summary.kept_bytes),
        "",
        summary.command,
    )
}

pub(super) fn json(summary: &Summary) -> serde_json::Value {
    serde_json::json!({
        "session": summary.session,
        "kind": match summary.kind {
            SessionKind::Agent => "agent",
            SessionKind::Restore => "restore",
        },
        "state": match summary.state {
            SessionState::Running => "running",
            SessionState::Ended => "ended",
            SessionState::Interrupted => "interrupted",
        },
        "began": rfc3339(summary.began_ns),
        "last": rfc3339(summary.last_ns),
        "command": summary.command,
        "agents": summary.agents,
        "removed": summary.removed,
        "replaced": summary.replaced,
        "changed": summary.changed,
        "renamed": summary.renamed,
        "unpreserved": summary.unpreserved,
        "kept_bytes": summary.kept_bytes,
    })
}

fn who(summary: &Summary) -> String {
    match summary.kind {
        SessionKind::Restore => "a restore".to_owned(),
        SessionKind::Agent if summary.agents.is_empty() => "an agent".to_owned(),
        SessionKind::Agent => summary.agents.join(", "),
    }
}

/// `removed 3, changed 12`.
fn deeds(summary: &Summary) -> String {
    let deeds = [
        ("removed", summary.removed),
        ("replaced", summary.replaced),
        ("changed", summary.changed),
        ("renamed", summary.renamed),
    ];
    let mut words: Vec<String> = deeds
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(deed, count)| format!("{deed} {count}"))
        .collect();
    if summary.unpreserved > 0 {
        words.push(format!("{} not preserved", summary.unpreserved));
    }
    words.join(", ")
}

/// `claude_code removed 3 and changed 12 files in work: codex-es-guard undo show last`
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn sentence(session: &guard_undo::store::Session) -> Option<String> {
    use super::units::counted;

    let summary = Summary::of(session);
    if summary.is_empty() {
        return None;
    }
    let total = summary.removed + summary.replaced + summary.changed + summary.renamed;
    let mut words = deeds(&summary);
    if let Some((before, last)) = words.rsplit_once(", ") {
        words = format!("{before} and {last}");
    }
    let noun = counted(total, "file");
    let noun = noun.rsplit(' ').next().unwrap_or_default();
    let zones = zones(session);
    let place = if zones.is_empty() {
        String::new()
    } else {
        format!(" in {}", zones.join(", "))
    };
    Some(format!(
        "{} {words} {noun}{place}: codex-es-guard undo show last",
        who(&summary)
    ))
}

/// The names of the zones in which something was lost or moved.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn zones(session: &guard_undo::store::Session) -> Vec<String> {
    use guard_undo::journal::Event;
    use std::collections::BTreeSet;

    let began = session.began();
    let mut names = BTreeSet::new();
    for record in &session.records {
        let path = match &record.event {
            Event::Renamed { to, .. } => to,
            event => match event.loss() {
                Some(loss) => &loss.path,
                None => continue,
            },
        };
        let zone = began
            .zones
            .iter()
            .filter(|zone| path.as_path().starts_with(zone.as_path()))
            .max_by_key(|zone| zone.as_bytes().len());
        if let Some(name) = zone.and_then(|zone| zone.as_path().file_name()) {
            names.insert(name.to_string_lossy().into_owned());
        }
    }
    names.into_iter().collect()
}
