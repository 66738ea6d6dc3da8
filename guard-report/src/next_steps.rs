//! What a person can do about a denial or a change: what its reason means, and commands to copy.
//!
//! It deliberately has no command that grants: a request is answered where it is listed.

use crate::notice::Kept;
use crate::record::DecisionRecord;
use crate::sentence::{self, ChangeSentence};
use crate::shell::word;
use guard_core::agents::CUSTOM_PREFIX;
use guard_core::verdict::{Reason, Verdict};

/// A command, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStep {
    /// What it is for.
    pub purpose: &'static str,
    /// The command, for a POSIX shell.
    pub command: String,
}

/// The commands that lead on from this record, the most useful first.
///
/// ```
/// use guard_report::{next_steps::next_steps, record::DecisionRecord};
///
/// let line = r#"{"op":"unlink","path":"/p/it's","dest":null,"process":"rm","time":"",
///   "ring":"8d4db7890000","seq":3,"verdict":"deny","reason":"agent_in_zone","agent":"codex",
///   "pid":7,"zone_name":"p","zone":"/p"}"#;
/// let steps = next_steps(&DecisionRecord::parse(line).unwrap());
/// let commands: Vec<&str> = steps.iter().map(|step| &*step.command).collect();
/// assert_eq!(
///     commands,
///     [
///         r"codex-es-guard explain '/p/it'\''s' --as codex --with rm",
///         "codex-es-guard why 8d4db789-3",
///         r"codex-es-guard request '/p/it'\''s' --because 'WHY' --wait 2m",
///         "codex-es-guard requests",
///         "codex-es-guard approve ID --once",
///     ]
/// );
/// ```
#[must_use]
pub fn next_steps(record: &DecisionRecord<'_>) -> Vec<NextStep> {
    let mut steps = Vec::new();
    let mut add = |purpose, command| steps.push(NextStep { purpose, command });
    if sentence::is_change(record) {
        if let Some(restore) = ChangeSentence::of(record).restore {
            add("Have it back", restore);
        }
        if let Some(session) = record.undo_session.as_deref() {
            let session = word(session.as_bytes());
            add(
                "What this session took",
                format!("codex-es-guard undo show {session}"),
            );
        }
        return steps;
    }
    if let Some(explain) = explain(record) {
        add("Which rule decides, step by step", explain);
    }
    let id = record.short_id();
    let id = word(id.as_bytes());
    add(
        "What can be done instead",
        format!("codex-es-guard why {id}"),
    );
    if let Some(request) = request(record) {
        add(
            "The agent asks for this path",
            format!("{request} --because 'WHY' --wait 2m"),
        );
        add(
            "You see what agents ask for",
            "codex-es-guard requests".to_owned(),
        );
        add(
            "You grant it, by the id in that list",
            "codex-es-guard approve ID --once".to_owned(),
        );
    }
    if record.verdict() == Some(Verdict::Audit)
        && let Some(session) = record.undo_session.as_deref()
    {
        let session = word(session.as_bytes());
        add(
            "What went on is preserved",
            format!("codex-es-guard undo show {session}"),
        );
    }
    steps
}

/// What a reason means for the person, in a sentence or two; of the reason of an allowed operation
/// nothing.
#[must_use]
pub const fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::AgentInZone => {
            "What an agent removes from a protected zone, or moves out of it, would be gone. Only a \
             person does that. The agent may still edit it: what was there before is preserved."
        }
        Reason::AuditOnly => {
            "The policy's mode is audit: agents are watched, not stopped. In the mode enforce this \
             would have been denied."
        }
        Reason::UnknownLineage => {
            "The guard could not find out which processes this one descends from, so that it may be \
             an agent's. The policy's on_unknown decides, and it says deny."
        }
        Reason::Deadline => {
            "The kernel waited as long as it waits. The policy's on_deadline decided. If this \
             happens again, the machine is very busy or the guard hangs."
        }
        Reason::UnresolvedPath => {
            "The guard could not find out which object the path names, for instance since it \
             changed meanwhile. What cannot be judged is not allowed."
        }
        Reason::Unpreservable => {
            "The policy allows this if what is lost is preserved first, and that failed: the undo \
             store has no room, cannot be written, or the file is too large for it."
        }
        Reason::GuardFiles => {
            "These are the files and processes that the guard itself needs: its policy, logs, rings \
             and programs. No agent changes them, whatever the policy says."
        }
        Reason::OutsideZones
        | Reason::Override
        | Reason::SystemTemp
        | Reason::Disposable
        | Reason::Scratch
        | Reason::WithinZones
        | Reason::Replaced
        | Reason::NotJudged
        | Reason::Human
        | Reason::TrustedTool
        | Reason::Preserved => "",
    }
}

/// The command that asks for the path of a denial, without a reason; `None` if it cannot be requested.
pub(crate) fn request(record: &DecisionRecord<'_>) -> Option<String> {
    let may_be = record.path_bytes.is_none() && Kept::of(record).may_be_requested();
    may_be.then(|| format!("codex-es-guard request {}", word(record.path.as_bytes())))
}

fn explain(record: &DecisionRecord<'_>) -> Option<String> {
    let operation = record.operation()?;
    if record.path_bytes.is_some() || record.dest_bytes.is_some() {
        // The text is not the path.
        return None;
    }
    let mut command = format!("codex-es-guard explain {}", word(record.path.as_bytes()));
    let mut option = |name: &str, value: &str| {
        command.push_str(name);
        command.push_str(&word(value.as_bytes()));
    };
    if let Some(agent) = record.agent.as_deref() {
        option(" --as ", agent.strip_prefix(CUSTOM_PREFIX).unwrap_or(agent));
    }
    if operation.as_str() != DEFAULT_OPERATION {
        option(" --op ", operation.as_str());
    }
    if let Some(destination) = record.dest.as_deref() {
        option(" --to ", destination);
    }
    option(" --with ", &record.process);
    Some(command)
}

/// What `explain` assumes.
const DEFAULT_OPERATION: &str = "unlink";

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::DecisionEvent;
    use guard_testing::events::{CHANGE, DENIAL};

    fn commands(event: &DecisionEvent<'_>) -> Vec<String> {
        let record = DecisionRecord::new(event, "000102030405").in_session(b"calm-heron-7");
        let steps = next_steps(&record).into_iter();
        steps.map(|step| step.command).collect()
    }

    #[test]
    fn a_move_is_explained_with_its_destination_and_program() {
        assert_eq!(
            commands(&DENIAL)[0],
            "codex-es-guard explain /home/u/project/main.rs --as claude_code --op rename --to \
             /tmp/main.rs --with mv"
        );
        let own = DecisionEvent {
            agent: Some("custom:mytool"),
            ..DENIAL
        };
        assert!(commands(&own)[0].contains(" --as mytool "));
    }

    #[test]
    fn what_cannot_be_named_or_requested_is_not_suggested() {
        let unnamed = DecisionEvent {
            path: b"/home/u/project/\xff",
            ..DENIAL
        };
        assert_eq!(commands(&unnamed), ["codex-es-guard why 00010203-0"]);
        let own = DecisionEvent {
            reason: Reason::GuardFiles,
            ..DENIAL
        };
        let commands = commands(&own);
        assert!(!commands.iter().any(|command| command.contains("request")));
    }

    #[test]
    fn a_change_comes_back() {
        assert_eq!(
            commands(&CHANGE),
            [
                "codex-es-guard undo restore calm-heron-7 /home/u/project/main.rs",
                "codex-es-guard undo show calm-heron-7"
            ]
        );
    }

    #[test]
    fn each_reason_of_a_denial_has_a_meaning() {
        for reason in [
            Reason::AgentInZone,
            Reason::AuditOnly,
            Reason::UnknownLineage,
            Reason::Deadline,
            Reason::UnresolvedPath,
            Reason::Unpreservable,
            Reason::GuardFiles,
        ] {
            let meaning = meaning(reason);
            assert!(meaning.ends_with('.') && meaning.len() < 300, "{meaning}");
        }
        assert_eq!(meaning(Reason::Human), "");
    }
}
