//! Denials and changes over time, as far back as the logs reach: one line for each agent and each zone,
//! with denials above it and changes below. What a session, a path or a text selects is shown as far
//! back as whole lines are kept.

use super::links::address;
use super::text::{grouped, text};
use crate::recent::{DecisionFacts, LoggedDecision, OlderDecision, Recent};
use guard_report::filter::RecordFilter;
use maud::{Markup, html};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

/// What happened over some time.
#[derive(Debug)]
struct History {
    start_ns: u64,
    span: &'static Span,
    agents: HashMap<Box<str>, Lane>,
    zones: HashMap<Box<str>, Lane>,
}

/// Counts of one agent or zone.
#[derive(Debug)]
struct Lane {
    denied: [u32; BINS],
    changed: [u32; BINS],
}

/// What the picture needs of a denial or a change.
#[derive(Clone, Copy, Debug)]
struct Occurrence<'a> {
    wall_ns: u64,
    agent: Option<&'a str>,
    zone: Option<&'a str>,
    count: u64,
}

/// How much time is shown.
#[derive(Debug)]
struct Span {
    seconds: u64,
    /// The times between its beginning and now, a quarter of it apart.
    labels: [&'static str; 4],
}

/// The picture, of what `filter` selects.
pub(super) fn history(
    denials: &Recent,
    changes: &Recent,
    filter: &RecordFilter,
    now_ns: u64,
) -> Markup {
    let history = History::of(denials, changes, filter, now_ns);
    html! {
        figure #history {
            @if history.is_empty() {
                p { "Nothing was denied or changed in this time." }
            } @else {
                (history.picture())
            }
        }
    }
}

// === impl History ===

impl History {
    fn of(denials: &Recent, changes: &Recent, filter: &RecordFilter, now_ns: u64) -> Self {
        // A verdict is one of denials: changes are shown beside all of them.
        let of_changes = RecordFilter {
            verdict: None,
            ..filter.clone()
        };
        let denied = (denials.older(filter), denials.all(filter));
        let changed = (changes.older(&of_changes), changes.all(&of_changes));
        let (denied, changed) = (occurrences(&denied), occurrences(&changed));
        let both = denied.iter().chain(&changed);
        let oldest = both.map(|one| one.wall_ns).min().unwrap_or(now_ns);
        let from = filter.since_ns.unwrap_or(oldest);
        let seconds = now_ns.saturating_sub(from).div_ceil(SECOND_NS);
        let span = SPANS.iter().find(|span| seconds <= span.seconds);
        let span = span.unwrap_or(&SPANS[SPANS.len() - 1]);
        let mut history = Self {
            start_ns: now_ns.saturating_sub(span.seconds * SECOND_NS),
            span,
            agents: HashMap::new(),
            zones: HashMap::new(),
        };
        history.add(&denied, |lane| &mut lane.denied);
        history.add(&changed, |lane| &mut lane.changed);
        history
    }

    fn add(
        &mut self,
        occurrences: &[Occurrence<'_>],
        counts: impl Fn(&mut Lane) -> &mut [u32; BINS],
    ) {
        let width = self.span.seconds * SECOND_NS / BINS as u64;
        for one in occurrences {
            let Some(age) = one.wall_ns.checked_sub(self.start_ns) else {
                continue;
            };
            // A clock that was set back has times to come.
            let bin = usize::try_from(age / width).map_or(BINS - 1, |bin| bin.min(BINS - 1));
            let names = [
                (&mut self.agents, one.agent.unwrap_or("unknown")),
                (&mut self.zones, one.zone.unwrap_or_default()),
            ];
            for (lanes, name) in names.into_iter().filter(|(_, name)| !name.is_empty()) {
                if !lanes.contains_key(name) {
                    lanes.insert(name.into(), Lane::EMPTY);
                }
                if let Some(lane) = lanes.get_mut(name) {
                    let count = u32::try_from(one.count).unwrap_or(u32::MAX);
                    let sum = &mut counts(lane)[bin];
                    *sum = sum.saturating_add(count);
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.zones.is_empty()
    }

    fn picture(&self) -> Markup {
        let lanes = self.agents.values().chain(self.zones.values());
        let most = |counts: fn(&Lane) -> &[u32; BINS]| {
            let all = lanes.clone().flat_map(counts);
            all.copied().max().unwrap_or(0)
        };
        let most = [most(|lane| &lane.denied), most(|lane| &lane.changed)];
        let parts = [
            ("agent", "Agents", &self.agents),
            ("zone", "Zones", &self.zones),
        ];
        html! {
            figcaption {
                span.denied { "denied, at most " (grouped(most[0].into())) " at once" }
                span.changed { "changed and removed, at most " (grouped(most[1].into())) }
            }
            div.wide {
                table.lanes role="table" {
                    caption.unseen { "Denials and changes over time, by agent and by zone" }
                    thead role="rowgroup" {
                        tr role="row" {
                            th scope="col" role="columnheader" { span.unseen { "Agent or zone" } }
                            th scope="col" role="columnheader" {
                                span.axis {
                                    @for label in self.span.labels { span { (label) } }
                                    span { "now" }
                                }
                            }
                            th scope="col" role="columnheader" { "Denied" }
                            th scope="col" role="columnheader" { "Changed" }
                        }
                    }
                    @for (name, heading, lanes) in parts {
                        tbody role="rowgroup" {
                            tr role="row" {
                                th.part scope="rowgroup" role="rowheader" colspan="4" { (heading) }
                            }
                            @for (value, lane) in busiest(lanes) {
                                (row(name, value, lane, most))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn occurrences(
    (older, kept): &(Vec<OlderDecision>, Vec<Arc<LoggedDecision>>),
) -> Vec<Occurrence<'_>> {
    let older = older.iter().map(Occurrence::of);
    let kept = kept.iter().map(|one| Occurrence::of(&one.facts));
    older.chain(kept).collect()
}

// === impl Occurrence ===

impl<'a> Occurrence<'a> {
    fn of<S: Deref<Target = str>>(facts: &'a DecisionFacts<S>) -> Self {
        Self {
            wall_ns: facts.wall_ns,
            agent: facts.agent.as_deref(),
            zone: facts.zone.as_deref(),
            count: facts.count,
        }
    }
}

/// The lanes with most in them, the first first.
fn busiest(lanes: &HashMap<Box<str>, Lane>) -> Vec<(&str, &Lane)> {
    let mut found: Vec<_> = lanes.iter().map(|(name, lane)| (&**name, lane)).collect();
    found.sort_by_key(|(name, lane)| (std::cmp::Reverse((lane.denied(), lane.changed())), *name));
    found.truncate(SHOWN_LANES);
    found
}

fn row(parameter: &str, name: &str, lane: &Lane, most: [u32; 2]) -> Markup {
    let (denied, changed) = (lane.denied(), lane.changed());
    html! {
        tr role="row" {
            th scope="row" role="rowheader" { a href=(address(&[(parameter, name)])) { (text(name)) } }
            td role="cell" {
                svg role="img" viewBox="0 0 600 40" preserveAspectRatio="none"
                    aria-label={ (denied) " denials and " (changed) " changes of " (text(name)) }
                {
                    line x1="0" y1="26" x2="600" y2="26" {}
                    @for (bin, (&denied, &changed)) in lane.denied.iter().zip(&lane.changed).enumerate() {
                        @let x = bin * 600 / BINS + 1;
                        @let width = 600 / BINS - 2;
                        @let up = height(denied, most[0], 25);
                        @if up > 0 {
                            rect.denied x=(x) y=(26 - up) width=(width) height=(up) {
                                title { (denied) " denied" }
                            }
                        }
                        @let down = height(changed, most[1], 13);
                        @if down > 0 {
                            rect.changed x=(x) y="27" width=(width) height=(down) {
                                title { (changed) " changed" }
                            }
                        }
                    }
                }
            }
            td.number role="cell" { (grouped(denied)) }
            td.number role="cell" { (grouped(changed)) }
        }
    }
}

/// By the square root, so that a few are seen beside many.
fn height(count: u32, most: u32, room: u32) -> u32 {
    if count == 0 {
        return 0;
    }
    let share = u64::from(count) * u64::from(room * room) / u64::from(most.max(1));
    u32::try_from(share.isqrt()).unwrap_or(room).clamp(2, room)
}

// === impl Lane ===

impl Lane {
    const EMPTY: Self = Self {
        denied: [0; BINS],
        changed: [0; BINS],
    };

    fn denied(&self) -> u64 {
        self.denied.iter().copied().map(u64::from).sum()
    }

    fn changed(&self) -> u64 {
        self.changed.iter().copied().map(u64::from).sum()
    }
}

const SECOND_NS: u64 = 1_000_000_000;
const BINS: usize = 60;
/// Of agents, and of zones; the others can be selected.
const SHOWN_LANES: usize = 6;

/// The shortest that has all is shown.
const SPANS: [Span; 9] = {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const fn span(seconds: u64, labels: [&'static str; 4]) -> Span {
        Span { seconds, labels }
    }
    [
        span(4 * MINUTE, ["4 min ago", "3 min", "2 min", "1 min"]),
        span(16 * MINUTE, ["16 min ago", "12 min", "8 min", "4 min"]),
        span(HOUR, ["1 h ago", "45 min", "30 min", "15 min"]),
        span(8 * HOUR, ["8 h ago", "6 h", "4 h", "2 h"]),
        span(DAY, ["24 h ago", "18 h", "12 h", "6 h"]),
        span(8 * DAY, ["8 days ago", "6 days", "4 days", "2 days"]),
        span(32 * DAY, ["32 days ago", "24 days", "16 days", "8 days"]),
        span(120 * DAY, ["120 days ago", "90 days", "60 days", "30 days"]),
        span(
            480 * DAY,
            ["480 days ago", "360 days", "240 days", "120 days"],
        ),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recent::MAX_KEPT;
    use guard_core::DecisionEvent;
    use guard_testing::events::{CHANGE, DENIAL};

    fn kept(events: &[DecisionEvent<'_>]) -> Recent {
        let recent = Recent::default();
        for event in events {
            recent.push(Arc::new(LoggedDecision::new(event, "{}")));
        }
        recent
    }

    #[test]
    fn everything_that_is_kept_has_its_place() {
        let at = |age_s: u64| DecisionEvent {
            wall_ns: DENIAL.wall_ns - age_s * SECOND_NS,
            ..DENIAL
        };
        let now_ns = DENIAL.wall_ns;
        // The second is an hour old less a bin, the third just now.
        let denials = kept(&[at(3600), at(3600 - 60), at(0)]);
        let changes = kept(&[CHANGE]);
        let all = RecordFilter::default();
        let history = History::of(&denials, &changes, &all, now_ns);
        assert_eq!(history.span.seconds, 3600);
        let lane = &history.agents["claude_code"];
        assert_eq!((lane.denied[0], lane.denied[1], lane.denied[59]), (1, 1, 1));
        assert_eq!(lane.changed[59], 1);
        assert_eq!(history.zones["project"].denied(), 3);
        let html = history.picture().into_string();
        assert_eq!(html.matches("<rect class=\"denied\"").count(), 6);
        assert!(
            html.contains("45 min") && html.contains("/?agent=claude_code"),
            "{html}"
        );
        // What is selected is what is shown.
        let lately = RecordFilter {
            since_ns: Some(now_ns - 100 * SECOND_NS),
            ..RecordFilter::default()
        };
        let history = History::of(&denials, &changes, &lately, now_ns);
        assert_eq!(history.span.seconds, 240);
        assert_eq!(history.agents["claude_code"].denied(), 1);
        assert!(History::of(&kept(&[]), &kept(&[]), &all, now_ns).is_empty());
        // Half a second more than a span is the next one.
        let history = History::of(&kept(&[at(960)]), &kept(&[]), &all, now_ns + SECOND_NS / 2);
        assert_eq!(history.agents["claude_code"].denied(), 1);
    }

    #[test]
    fn what_only_the_log_has_is_shown_too() {
        let month = 30 * 24 * 3600;
        let event = |age_s: u64| DecisionEvent {
            wall_ns: DENIAL.wall_ns - age_s * SECOND_NS,
            ..DENIAL
        };
        let denials = kept(&[event(month)]);
        for _ in 0..MAX_KEPT {
            denials.push(Arc::new(LoggedDecision::new(&event(0), "{}")));
        }
        let none = kept(&[]);
        let all = History::of(&denials, &none, &RecordFilter::default(), DENIAL.wall_ns);
        assert_eq!(all.span.seconds, 32 * 24 * 3600);
        assert_eq!(all.agents["claude_code"].denied(), MAX_KEPT as u64 + 1);
    }

    #[test]
    fn a_few_are_seen_beside_many() {
        let heights = [0, 1, 50, 100, 10_000].map(|count| height(count, 10_000, 25));
        assert_eq!(heights, [0, 2, 2, 2, 25]);
        assert_eq!(height(1, 0, 25), 25);
    }
}
