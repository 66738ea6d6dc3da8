//! The form that selects which denials and changes are shown.
//!
//! Its lists have what was seen beside what is known, so that an agent of one's own can be selected,
//! too. They apply at once where scripts run; the button is for everybody else.

use super::links::{BEFORE, GROUP, replacing};
use super::text::text;
use crate::app_state::AppState;
use crate::http::query::{EACH, PageQuery, Parameters, VIEW};
use guard_core::OperationKind;
use guard_core::agents;
use guard_report::status::GuardStatus;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// What can be selected, beside what is always there.
#[derive(Debug, Default)]
pub(super) struct Choices {
    /// Agents that were seen.
    agents: BTreeSet<Box<str>>,
    /// Zones that were seen, by name.
    zones: BTreeSet<Box<str>>,
    /// Sessions of guards.
    sessions: BTreeSet<Box<str>>,
}

// === impl Choices ===

impl Choices {
    /// Of the kept denials and changes, and of the guards.
    pub(super) fn of(app: &AppState, guards: &[GuardStatus]) -> Self {
        let mut choices = Self::default();
        for recent in [&app.recent, &app.changes] {
            recent.for_each(|record| {
                let add = |names: &mut BTreeSet<Box<str>>, name: Option<&str>| {
                    if let Some(name) = name
                        && names.len() < MAX_CHOICES
                        && !names.contains(name)
                    {
                        names.insert(name.into());
                    }
                };
                add(&mut choices.agents, record.facts.agent.as_deref());
                add(&mut choices.zones, record.facts.zone.as_deref());
            });
        }
        let sessions = guards.iter().map(|guard| guard.session.as_str().into());
        choices.sessions = sessions.take(MAX_CHOICES).collect();
        choices
    }
}

/// The form, with what is selected now.
pub(super) fn form(query: &PageQuery, parameters: &Parameters, choices: &Choices) -> Markup {
    let filter = &query.denials.filter;
    let since = parameters.value(SINCE);
    let operations = OperationKind::ALL.map(OperationKind::as_str);
    let operation = filter.operation.map(OperationKind::as_str);
    let verdict = filter.verdict.map(|verdict| verdict.as_str());
    let seen = || choices.agents.iter().map(|agent| &**agent);
    let others = agents::labels().filter(|label| !choices.agents.contains(*label));
    let is_seen = |wanted: &str| choices.agents.contains(wanted);
    let zones: Vec<&str> = choices.zones.iter().map(|zone| &**zone).collect();
    let agent = filter.agent.as_deref();
    html! {
        form #filter method="get" action="/" role="search" {
            @if query.each { input type="hidden" name=(VIEW) value=(EACH); }
            label { "Time " select name=(SINCE) {
                option value="" { "all" }
                @for (value, name) in RANGES {
                    option value=(value) selected[since == Some(value)] { (name) }
                }
                @if let Some(other) = since
                    && RANGES.iter().all(|(value, _)| *value != other)
                {
                    option value=(text(other)) selected { "since " (text(other)) }
                }
            } } " "
            label { "Agent " select name="agent" {
                option value="" { "any" }
                @if let Some(other) = agent
                    && !is_seen(other) && !agents::labels().any(|label| label == other)
                {
                    option selected { (text(other)) }
                }
                @if !choices.agents.is_empty() {
                    optgroup label="seen" {
                        @for label in seen() { (option(label, agent)) }
                    }
                }
                optgroup label="known" {
                    @for label in others { (option(label, agent)) }
                }
            } } " "
            (choice("operation", "Operation", &operations, operation))
            (choice("verdict", "Verdict", &["deny", "audit"], verdict))
            (choice("zone", "Zone", &zones, filter.zone.as_deref()))
            label { "Session " input name="session" list="sessions" autocomplete="off"
                spellcheck="false" value=(text(filter.session.as_deref().unwrap_or_default())); } " "
            datalist #sessions {
                @for session in &choices.sessions { option value=(text(session)) {} }
            }
            label { "Path " input name="path" autocomplete="off" spellcheck="false"
                placeholder="/below/this" value=(text(filter.path.as_deref().unwrap_or_default())); } " "
            label { "Text " input type="search" name="text" autocomplete="off" spellcheck="false"
                value=(text(filter.text.as_deref().unwrap_or_default())); } " "
            button { "Show" }
            @if parameters.without(&[VIEW, BEFORE]).next().is_some() {
                " " a #clear href="/" { "Clear" }
            }
        }
        p.views {
            @if query.each {
                a href=(replacing(parameters, &[VIEW, GROUP, BEFORE], &[])) {
                    "One row for each command"
                }
            } @else {
                a href=(replacing(parameters, &[VIEW, BEFORE], &[(VIEW, EACH)])) {
                    "One row for each denial"
                }
            }
        }
    }
}

/// A list to select one option of, or none. The selected one is in it even when it is not one of
/// `options`.
fn choice(name: &str, label: &str, options: &[&str], selected: Option<&str>) -> Markup {
    html! {
        label {
            (label) " "
            select name=(name) {
                option value="" { "any" }
                @if let Some(other) = selected && !options.contains(&other) {
                    option selected { (text(other)) }
                }
                @for value in options { (option(value, selected)) }
            }
        }
        " "
    }
}

fn option(value: &str, selected: Option<&str>) -> Markup {
    html! { option selected[selected == Some(value)] { (text(value)) } }
}

/// The times that can be selected, as `since` takes them.
const RANGES: [(&str, &str); 6] = [
    ("15m", "last 15 minutes"),
    ("1h", "last hour"),
    ("24h", "last 24 hours"),
    ("7d", "last 7 days"),
    ("30d", "last 30 days"),
    ("365d", "last year"),
];

const SINCE: &str = "since";
/// Names come from whoever writes rings.
const MAX_CHOICES: usize = 200;
