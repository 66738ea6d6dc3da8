//! The summary above everything else: the state of the guards, and some numbers.

use super::tables::START;
use super::text::{grouped, text};
use crate::app_state::AppState;
use guard_report::activity::NONE;
use guard_report::api::{AgentDecisions, DecisionCounts};
use guard_report::rolling::LONGEST;
use guard_report::status::GuardStatus;
use guard_report::time;
use maud::{Markup, html};
use std::time::Instant;

/// The section with the summary; `obstacle` is why the exporter is not ready.
pub(super) fn summary(
    guards: &[GuardStatus],
    agents: &[AgentDecisions],
    app: &AppState,
    obstacle: Option<&str>,
    now: Instant,
) -> Markup {
    let minute = |count: fn(&DecisionCounts) -> u64| -> u64 {
        agents.iter().map(|agent| count(&agent.minute)).sum()
    };
    let since_start = |count: fn(&DecisionCounts) -> u64| -> String {
        let sum = agents.iter().map(|agent| count(&agent.start)).sum();
        format!("{} since the exporter started", grouped(sum))
    };
    let denied = minute(|counts| counts.deny);
    let live = guards.iter().filter(|guard| guard.alive);
    let active_agents = live.map(|guard| guard.active_agents).sum();
    let (changed, lost) = app.changes_kept();
    html! {
        section #summary aria-label="Summary" {
            (state(guards, time::now_ns()))
            @if let Some(obstacle) = obstacle {
                p.state.bad { (text(obstacle)) }
            }
            dl.tiles {
                div {
                    dt { "Denied in the last minute" }
                    dd class=(if denied > 0 { "bad" } else { "idle" }) { (grouped(denied)) }
                    dd.more { (since_start(|counts| counts.deny)) }
                    dd.spark { (bars(&app.activity().denied_lately(now))) }
                }
                (tile(
                    "",
                    "Decisions in the last minute",
                    &grouped(minute(DecisionCounts::all)),
                    &since_start(DecisionCounts::all),
                ))
                (tile(
                    "",
                    "Agents at work",
                    &grouped(active_agents),
                    &seen(agents),
                ))
                (tile(
                    if lost > 0 { "warn" } else { "" },
                    "Changed and removed",
                    &grouped(changed),
                    &match lost {
                        0 if changed == 0 => "nothing yet".to_owned(),
                        0 => "all of it preserved".to_owned(),
                        lost => format!("{} of it not preserved", grouped(lost)),
                    },
                ))
            }
        }
    }
}

/// Which agents were seen, by name: their number would be another one's than that of processes.
fn seen(agents: &[AgentDecisions]) -> String {
    let names = agents.iter().filter(|agent| agent.agent != NONE);
    let mut names: Vec<_> = names.map(|agent| text(&agent.agent)).collect();
    let others = names.len().saturating_sub(SHOWN_AGENTS);
    names.truncate(SHOWN_AGENTS);
    match (names.is_empty(), others) {
        (true, _) => "none seen yet".to_owned(),
        (_, 0) => format!("seen: {}", names.join(", ")),
        (_, others) => format!("seen: {} and {others} more", names.join(", ")),
    }
}

/// The state of the guards, and what is wrong with each.
fn state(guards: &[GuardStatus], now_ns: u64) -> Markup {
    let live: Vec<&GuardStatus> = guards.iter().filter(|guard| guard.alive).collect();
    let is_bad = |guard: &&GuardStatus| {
        !guard.enforcing || !guard.policy.ok || guard.unresponsive_for(now_ns).is_some()
    };
    let problems: Vec<String> = guards
        .iter()
        .flat_map(|guard| guard.problems(now_ns))
        .collect();
    let is_audit = live.iter().any(|guard| guard.policy.mode == "audit");
    let class = if live.iter().any(is_bad) {
        "bad"
    } else if is_audit || !problems.is_empty() {
        "warn"
    } else if live.is_empty() {
        "idle"
    } else {
        "good"
    };
    let count = match live.len() {
        0 => "No guard is at work".to_owned(),
        1 => "A guard is at work".to_owned(),
        count => format!("{count} guards are at work"),
    };
    html! {
        div class={ "state " (class) } {
            p {
                (count)
                @if is_audit { "; in audit mode agents are watched and not stopped" }
                "."
                @if live.is_empty() { " Start one: " code.command { (START) } }
            }
            @if !problems.is_empty() {
                ul {
                    @for problem in &problems { li { (text(problem)) } }
                }
            }
        }
    }
}

fn tile(class: &str, name: &str, value: &str, more: &str) -> Markup {
    html! {
        div {
            dt { (name) }
            dd class=(class) { (value) }
            dd.more { (more) }
        }
    }
}

/// Denials by the slice, oldest first.
fn bars(denied: &[u64; LONGEST.slices]) -> Markup {
    let most = denied.iter().copied().max().unwrap_or(0);
    let sum = denied.iter().sum::<u64>();
    let minutes = LONGEST.seconds() / 60;
    let label = format!("Denials of the last {minutes} minutes: {sum} in all");
    // A few denials are visible beside many.
    let height = |count: u64| match count {
        0 => 1,
        count => (count * 22 / most).max(3),
    };
    html! {
        svg role="img" viewBox="0 0 300 24" preserveAspectRatio="none" aria-label=(label) {
            @for (index, &count) in denied.iter().enumerate() {
                rect class=[(count == 0).then_some("none")] x=(index * 10 + 1) y=(24 - height(count)) width="8"
                    height=(height(count)) {}
            }
        }
    }
}

const SHOWN_AGENTS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::ring::{Counter, Producer, RingOptions};

    const NOW_NS: u64 = 1_000_000_000_000;

    /// A live guard, with a change.
    fn guard(change: impl Fn(&Producer)) -> GuardStatus {
        let ring = Producer::anonymous(&RingOptions::default()).unwrap();
        ring.set(Counter::EnforcementActive, 1);
        ring.set(Counter::PolicyOk, 1);
        ring.beat(NOW_NS);
        change(&ring);
        GuardStatus::of(&ring.reader(), true)
    }

    #[test]
    fn the_summary_names_the_worst_first() {
        let good = || guard(|_| ());
        let ended = GuardStatus {
            alive: false,
            ..good()
        };
        let audit = || guard(|ring| ring.set(Counter::PolicyAudit, 1));
        let hung = || guard(|ring| ring.beat(NOW_NS - 71_000_000_000));
        for (guards, class, expected) in [
            (vec![], "idle", "No guard is at work."),
            (vec![ended], "idle", "No guard is at work."),
            (vec![good()], "good", "A guard is at work."),
            (vec![good(), good()], "good", "2 guards are at work."),
            (vec![good(), audit()], "warn", "watched and not stopped"),
            (
                vec![audit(), guard(|ring| ring.set(Counter::PolicyOk, 0))],
                "bad",
                "keeps an older policy",
            ),
            (
                vec![good(), hung()],
                "bad",
                "2 guards are at work.</p><ul><li>the guard of session  (pid 0) last updated its ring 71 s",
            ),
            (
                vec![
                    hung(),
                    guard(|ring| ring.set(Counter::EnforcementActive, 0)),
                ],
                "bad",
                "decides nothing (enforcement",
            ),
        ] {
            let html = state(&guards, NOW_NS).into_string();
            assert!(html.contains(expected), "{expected}: {html}");
            assert!(html.contains(&format!("\"state {class}\"")), "{html}");
        }
    }

    #[test]
    fn every_slice_has_a_bar() {
        let mut denied = [0; LONGEST.slices];
        denied[LONGEST.slices - 1] = 1000;
        denied[0] = 1;
        let html = bars(&denied).into_string();
        assert_eq!(html.matches("<rect").count(), LONGEST.slices);
        for rect in [
            "<rect x=\"1\" y=\"21\" width=\"8\" height=\"3\">",
            "<rect class=\"none\" x=\"11\" y=\"23\" width=\"8\" height=\"1\">",
            "<rect x=\"291\" y=\"2\" width=\"8\" height=\"22\">",
        ] {
            assert!(html.contains(rect), "no {rect} in {html}");
        }
        assert!(html.contains("1001 in all"), "{html}");
    }
}
