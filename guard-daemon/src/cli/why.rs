//! `codex-es-guard why`: the whole story of one denial, for people and for agents.

use super::arguments::canonical;
use super::terminal::{self, CYAN, DIM, RED, YELLOW, paint};
use crate::ancestors::ancestors;
use anyhow::{Context as _, Result};
use guard_core::verdict::Verdict;
use guard_report::notice::Kept;
use guard_report::past_denials::PastDenials;
use guard_report::paths::StatePaths;
use guard_report::record::DecisionRecord;
use guard_report::sentence::{Sentence, visible};
use guard_report::shell::word;
use guard_report::time;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

/// Show why something was denied, and what can be done instead.
///
/// In a guarded session this is about its own denials only, and knows them at once.
///
/// Exit status: 0 if there is such a denial, 1 if there is none.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex-es-guard why\n  codex-es-guard why ~/work/thesis.tex\n  \
    codex-es-guard why --json | jq -r .sentence"
)]
pub(super) struct WhyArguments {
    /// A denial's id as this command shows it, a path, or `last` for the latest denial.
    #[arg(value_name = "ID|PATH|last", default_value = "last")]
    denial: OsString,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One denial, and those that are like it.
struct Story<'a> {
    record: DecisionRecord<'a>,
    /// How often the same was denied in the session, this one included.
    count: usize,
    /// When the first of them was.
    since: Option<u64>,
    /// The command to ask with, if asking is possible.
    request: Option<String>,
}

pub(super) fn why(arguments: &WhyArguments) -> Result<ExitCode> {
    let paths = StatePaths::of_user(None)?;
    let reading = || format!("reading {}", paths.denial_log().display());
    let denials = PastDenials::read(&paths, &ancestors()).with_context(reading)?;
    let Some(record) = find(&denials, arguments)? else {
        let whose = if denials.is_in_session() {
            "in this session "
        } else {
            ""
        };
        if arguments.json {
            terminal::try_data("null");
        } else {
            terminal::note(&format!("nothing like that was denied {whose}yet"));
        }
        return Ok(ExitCode::FAILURE);
    };
    let story = Story::of(record, &denials);
    if arguments.json {
        terminal::try_data(&serde_json::to_string_pretty(&story.to_json())?);
    } else {
        story.print();
    }
    Ok(ExitCode::SUCCESS)
}

fn find<'d>(
    denials: &'d PastDenials,
    arguments: &WhyArguments,
) -> Result<Option<DecisionRecord<'d>>> {
    let wanted = arguments.denial.as_bytes();
    if wanted == b"last" {
        return Ok(denials.newest(|_| true));
    }
    if let Some((ring, number)) = arguments.denial.to_str().and_then(as_id) {
        return Ok(denials.newest(|record| record.seq == number && record.ring.starts_with(ring)));
    }
    let path = canonical(Path::new(&arguments.denial))?;
    let path = String::from_utf8_lossy(&path);
    Ok(denials.newest(|record| {
        record.path == path || record.dest.as_deref().is_some_and(|dest| dest == path)
    }))
}

/// The beginning of a ring's id, and the number of a denial in it.
fn as_id(text: &str) -> Option<(&str, u64)> {
    let (ring, number) = text.rsplit_once('-')?;
    let is_ring = ring.len() >= SHORT_RING / 2 && ring.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((ring, number.parse().ok().filter(|_| is_ring)?))
}

// === impl Story ===

impl<'a> Story<'a> {
    fn of(record: DecisionRecord<'a>, denials: &PastDenials) -> Self {
        let is_alike = |other: &DecisionRecord<'_>| {
            (&other.ring, &other.op, &other.path) == (&record.ring, &record.op, &record.path)
        };
        let mut alike = denials.records().filter(is_alike);
        let since = alike.next().and_then(|first| first.wall_ns());
        let count = alike.count() + 1;
        let request = is_requestable(&record).then(|| {
            let path = word(record.path.as_bytes());
            format!("codex-es-guard request {path}")
        });
        Self {
            record,
            count,
            since,
            request,
        }
    }

    /// The end of the ring's id says nothing more.
    fn id(&self) -> String {
        let ring = &self.record.ring;
        let ring = ring.get(..SHORT_RING).unwrap_or(ring);
        format!("{ring}-{}", self.record.seq)
    }

    /// What can be done instead, in sentences.
    fn instead(&self) -> Vec<String> {
        let mut steps = vec![
            "Leave it as it is: the same will be denied again, with whichever program.".to_owned(),
            "Edit it instead: new contents are allowed, and what was there before is preserved."
                .to_owned(),
        ];
        steps.push(match &self.request {
            Some(request) => {
                format!("Ask a person for this path: {request} --because 'WHY' --wait 2m")
            }
            None => "Say to the person what is to be done: this cannot be requested.".to_owned(),
        });
        steps
    }

    fn to_json(&self) -> serde_json::Value {
        let sentence = Sentence::of(&self.record).to_string();
        serde_json::json!({
            "id": self.id(),
            "sentence": sentence,
            "final": true,
            "count": self.count,
            "first_time": self.since.map(time::rfc3339),
            "request": self.request,
            "instead": self.instead(),
            "denial": self.record,
        })
    }

    fn print(&self) {
        let record = &self.record;
        let sentence = Sentence::of(record);
        let style = match record.verdict() {
            Some(Verdict::Audit) => YELLOW,
            Some(Verdict::Allow | Verdict::Deny) | None => RED,
        };
        terminal::line(&paint(&sentence.to_string(), style));
        let row = |name: &str, text: &str| terminal::line(&format!("{name:<9}{text}"));
        let when = record.wall_ns().map(time::local);
        let when = when.unwrap_or_else(|| record.time.to_string());
        let times = match (self.count, self.since.map(time::local)) {
            (1, _) | (_, None) => String::new(),
            (count, Some(since)) => format!("; {count} times since {since}"),
        };
        row("when", &format!("{}{times}", visible(&when)));
        if let (Some(name), Some(path)) = (&record.zone_name, &record.zone) {
            row("zone", &format!("{}  {}", visible(name), visible(path)));
        }
        row(
            "rule",
            &format!("{}: {}", visible(&record.reason), sentence.because),
        );
        row(
            "process",
            &format!("{} {}", record.pid, visible(&record.exe)),
        );
        if let Some(agent) = &record.agent {
            let pid = record.agent_pid.map(|pid| format!(" {pid}"));
            row(
                "agent",
                &format!(
                    "{}{}",
                    paint(&visible(agent), CYAN),
                    pid.unwrap_or_default()
                ),
            );
        }
        if let Some(session) = &record.session {
            row("session", &visible(session));
        }
        row("id", &self.id());
        terminal::line("");
        terminal::line("What now:");
        for step in self.instead() {
            terminal::line(&format!("- {step}"));
        }
        terminal::line(&paint(
            "This is the file guard's answer: neither the file's mode nor the system refuses it.",
            DIM,
        ));
    }
}

fn is_requestable(record: &DecisionRecord<'_>) -> bool {
    let zone = record.zone_name.as_deref().zip(record.zone.as_deref());
    let kept = Kept {
        operation: record.operation(),
        reason: record.reason(),
        path: record.path.as_bytes(),
        zone: zone.map(|(name, path)| (name, path.as_bytes())),
    };
    record.path_bytes.is_none() && kept.may_be_requested()
}

/// What is shown of a ring's id.
const SHORT_RING: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_beginning_of_a_ring_and_a_number() {
        assert_eq!(as_id("8d4db789-12"), Some(("8d4db789", 12)));
        for no_id in [
            "8d4-1",
            "keep-1",
            "8d4db789",
            "8d4db789-x",
            "a/8d4db789-1",
            "-1",
        ] {
            assert_eq!(as_id(no_id), None, "{no_id}");
        }
    }
}
