//! `codex-es-guard hook AGENT`: answers an agent's hook with the denials of its call.
//!
//! An agent runs it after each call of a tool and shows its model what it answers. It answers with
//! the denials that are the calling agent's, by lineage, that fall into the call, by time, and that it
//! has not shown yet; if there are none it says nothing. Its standard output is JSON in the agent's
//! format, or empty.
//!
//! It guarantees that an agent never fails because of it: whatever it is given, and whatever is
//! missing, it exits with 0, and says nothing rather than something wrong. What it did not understand
//! is counted ([`memory`]). It deliberately blocks no call: the kernel has decided already.

mod format;
mod memory;
mod text;

use crate::ancestors::ancestors;
use format::{Agent, Call, Read};
use guard_core::Verdict;
use guard_report::past_denials::PastDenials;
use guard_report::paths::StatePaths;
use guard_report::record::DecisionRecord;
use guard_report::story::Story;
use guard_report::time::now_ns;
use memory::{Memory, Outcome};
use std::collections::HashSet;
use std::io::{Read as _, Write as _};

/// Answers one hook.
pub(crate) fn run(agent: &str) {
    let mut input = Vec::new();
    let read = std::io::stdin().take(MAX_INPUT).read_to_end(&mut input);
    let outcome = match (Agent::named(agent), read) {
        (Some(agent), Ok(_)) => answer(agent, &input),
        _ => Outcome::NotUnderstood,
    };
    Memory::change(|memory| memory.count(agent, outcome));
}

fn answer(agent: Agent, input: &[u8]) -> Outcome {
    let call = match agent.read(input, now_ns()) {
        Read::Call(call) => call,
        Read::NotOurs => return Outcome::Silent,
        Read::NotUnderstood => return Outcome::NotUnderstood,
    };
    let Ok(paths) = StatePaths::of_user(None) else {
        return Outcome::Silent;
    };
    let ancestors = ancestors();
    let denials = PastDenials::in_rings(&paths, &ancestors);
    let stories = new_stories(&call, &denials, &ancestors);
    let Some(text) = text::compose(&stories) else {
        return Outcome::Silent;
    };
    let mut line = agent.answer(&call, &text).to_string();
    line.push('\n');
    // An agent that no longer listens misses it.
    let _unheard = std::io::stdout().write_all(line.as_bytes());
    Outcome::Answered
}

/// The denials of the call that were not shown yet, the oldest first. From now on they were.
fn new_stories<'d>(call: &Call, denials: &'d PastDenials, ancestors: &[u32]) -> Vec<Story<'d>> {
    let is_of_call = |record: &DecisionRecord<'_>| {
        let is_denial = matches!(record.verdict(), Some(Verdict::Deny));
        let is_callers = record.agent_pid.is_some_and(|pid| ancestors.contains(&pid))
            || (call.session.is_some() && record.session.as_deref() == call.session.as_deref());
        let is_in_time = record.wall_ns().is_some_and(|at| at >= call.since_ns);
        is_denial && is_callers && is_in_time
    };
    let found: Vec<DecisionRecord<'d>> = denials.records().filter(is_of_call).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let mut fresh = found.clone();
    // Without a memory all of the call's are shown.
    Memory::change(|memory| {
        fresh.retain(|record| memory.is_new(&record.ring, record.seq));
    });
    // Of those that are alike the latest, whose count has all of them.
    let mut seen = HashSet::new();
    let newest_first = fresh.into_iter().rev();
    let mut latest: Vec<_> = newest_first
        .filter(|record| seen.insert((record.op.clone(), record.path.clone())))
        .collect();
    latest.reverse();
    Story::of_each(latest, denials)
}

/// More than any agent passes on of a tool's result.
const MAX_INPUT: u64 = 64 << 20;
