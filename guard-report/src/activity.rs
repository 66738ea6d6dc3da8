//! Decisions of the last minutes and since the start: latencies by operation and verdict, and counts
//! by agent.
//!
//! Percentiles come from HDR histograms: two significant digits from a nanosecond to a minute, so
//! that no answer is off by more than one in a hundred. A longer time counts as a minute.
//!
//! Agents have the labels that the denial log has. At most [`MAX_LABELS`] are distinguished; further
//! ones are counted together as [`OTHER`], since a label may come from a ring that lies.

use crate::api::{AgentDecisions, DecisionCounts, Percentiles};
use crate::rolling::{LONGEST, Rolling, WINDOWS, Window};
use guard_core::OperationKind;
use guard_core::verdict::Verdict;
use hdrhistogram::Histogram;
use std::time::Instant;

/// What was decided, and how fast.
#[derive(Debug)]
pub struct Activity {
    slices: Rolling<Slice>,
    /// What has left the slices.
    before: Slice,
    labels: Vec<Box<str>>,
}

/// Which span of time is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The last minutes.
    Last(Window),
    /// All since the beginning.
    SinceStart,
}

/// One histogram of nanoseconds for each operation and verdict that was seen.
#[derive(Debug, Default)]
pub struct Latencies {
    series: [[Option<Box<Nanoseconds>>; Verdict::ALL.len()]; OperationKind::ALL.len()],
}

/// The agents that are distinguished.
pub const MAX_LABELS: usize = 64;
/// The label of processes of no agent.
pub const NONE: &str = "none";
/// The label of all agents beyond [`MAX_LABELS`].
pub const OTHER: &str = "other";

/// A histogram of nanoseconds. Counts have 32 bits: four billion in one slice are beyond any guard,
/// and what is beyond stays at the most.
pub type Nanoseconds = Histogram<u32>;

/// What happened in some seconds.
#[derive(Debug, Default)]
struct Slice {
    latencies: Latencies,
    agents: AgentCounts,
}

#[derive(Debug, Default)]
struct AgentCounts(Vec<[u64; Verdict::ALL.len()]>);

// === impl Activity ===

impl Activity {
    /// Nothing yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            slices: Rolling::new(now),
            before: Slice::default(),
            labels: Vec::new(),
        }
    }

    /// Adds a decision for the agent with this label, made at `time`.
    pub fn add(
        &mut self,
        time: Instant,
        agent: Option<&str>,
        operation: OperationKind,
        verdict: Verdict,
        latency_ns: u64,
    ) {
        let agent = self.number(agent.unwrap_or(NONE));
        let before = &mut self.before;
        let slice = self.slices.slice(time, |expired| before.merge(expired));
        slice.latencies.add(operation, verdict, latency_ns);
        slice.agents.add(agent, verdict);
    }

    /// The latencies of `span`, as it ends at `now`.
    #[must_use]
    pub fn latencies(&self, now: Instant, span: Span) -> Latencies {
        let mut sum = Latencies::default();
        self.each(now, span, |slice| sum.merge(&slice.latencies));
        sum
    }

    /// The decisions of each agent, the busiest first.
    #[must_use]
    pub fn agents(&self, now: Instant) -> Vec<AgentDecisions> {
        let spans = Span::ALL.map(|span| {
            let mut sum = AgentCounts::default();
            self.each(now, span, |slice| sum.merge(&slice.agents));
            sum
        });
        let labels = self.labels.iter().enumerate();
        let mut agents: Vec<AgentDecisions> = labels
            .map(|(number, label)| {
                let [minute, five_minutes, start] =
                    [0, 1, 2].map(|span: usize| spans[span].of(number));
                AgentDecisions {
                    agent: label.to_string(),
                    minute,
                    five_minutes,
                    start,
                }
            })
            .collect();
        agents.sort_by(|a, b| {
            let busy = |agent: &AgentDecisions| (agent.start.deny, agent.start.all());
            busy(b).cmp(&busy(a)).then_with(|| a.agent.cmp(&b.agent))
        });
        agents
    }

    /// How many operations were denied in each slice of the longest window, oldest first.
    #[must_use]
    pub fn denied_lately(&self, now: Instant) -> [u64; LONGEST.slices] {
        let mut denied = [0; LONGEST.slices];
        for (age, slice) in self.slices.ages(now, LONGEST) {
            if let Some(place) = denied.iter_mut().rev().nth(age) {
                *place = slice.agents.denied();
            }
        }
        denied
    }

    /// The number of the agent with this label, which stays the same.
    fn number(&mut self, label: &str) -> usize {
        let position =
            |labels: &[Box<str>], label: &str| labels.iter().position(|known| **known == *label);
        if let Some(known) = position(&self.labels, label) {
            return known;
        }
        let label = if self.labels.len() < MAX_LABELS {
            label
        } else {
            OTHER
        };
        position(&self.labels, label).unwrap_or_else(|| {
            self.labels.push(label.into());
            self.labels.len() - 1
        })
    }

    /// Shows the slices that make up `span`, as it ends at `now`.
    fn each(&self, now: Instant, span: Span, mut show: impl FnMut(&Slice)) {
        match span {
            Span::Last(window) => self.slices.last(now, window).for_each(show),
            Span::SinceStart => {
                show(&self.before);
                self.slices.all().for_each(show);
            }
        }
    }
}

// === impl Slice ===

impl Slice {
    fn merge(&mut self, other: &Self) {
        self.latencies.merge(&other.latencies);
        self.agents.merge(&other.agents);
    }
}

// === impl Span ===

impl Span {
    /// All of them, shortest first.
    pub const ALL: [Self; WINDOWS.len() + 1] = [
        Self::Last(WINDOWS[0]),
        Self::Last(WINDOWS[1]),
        Self::SinceStart,
    ];

    /// The span of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|span| span.name() == name)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Last(window) => window.name,
            Self::SinceStart => "start",
        }
    }
}

// === impl Latencies ===

impl Latencies {
    /// The histograms that hold something, by operation and verdict.
    pub fn iter(&self) -> impl Iterator<Item = (OperationKind, Verdict, &Nanoseconds)> {
        let operations = OperationKind::ALL.into_iter().zip(&self.series);
        operations.flat_map(|(operation, by_verdict)| {
            let verdicts = Verdict::ALL.into_iter().zip(by_verdict);
            verdicts.filter_map(move |(verdict, histogram)| {
                Some((operation, verdict, histogram.as_deref()?))
            })
        })
    }

    /// A row for each operation and verdict.
    #[must_use]
    pub fn percentiles(&self) -> Vec<Percentiles> {
        let row = |(operation, verdict, histogram): (OperationKind, Verdict, &Nanoseconds)| {
            let at = |quantile| histogram.value_at_quantile(quantile);
            Percentiles {
                operation: operation.as_str().into(),
                verdict: verdict.as_str().into(),
                count: histogram.len(),
                mean_ns: histogram.mean(),
                min_ns: histogram.min(),
                p50_ns: at(0.5),
                p75_ns: at(0.75),
                p90_ns: at(0.9),
                p99_ns: at(0.99),
                p99_9_ns: at(0.999),
                p99_99_ns: at(0.9999),
                max_ns: histogram.max(),
            }
        };
        self.iter().map(row).collect()
    }

    /// All that `chosen` names, in one histogram.
    #[must_use]
    pub fn together(&self, chosen: impl Fn(OperationKind, Verdict) -> bool) -> Nanoseconds {
        let mut sum = nanoseconds();
        for (operation, verdict, histogram) in self.iter() {
            if chosen(operation, verdict) {
                sum.add(histogram).expect(SAME_BOUNDS);
            }
        }
        sum
    }

    fn add(&mut self, operation: OperationKind, verdict: Verdict, latency_ns: u64) {
        self.series[operation as usize][verdict as usize]
            .get_or_insert_with(|| Box::new(nanoseconds()))
            .record(latency_ns.min(LONGEST_NS))
            .expect("a histogram that grows takes a minute");
    }

    fn merge(&mut self, other: &Self) {
        for (operation, verdict, histogram) in other.iter() {
            self.series[operation as usize][verdict as usize]
                .get_or_insert_with(|| Box::new(nanoseconds()))
                .add(histogram)
                .expect(SAME_BOUNDS);
        }
    }
}

// === impl AgentCounts ===

impl AgentCounts {
    fn add(&mut self, agent: usize, verdict: Verdict) {
        if self.0.len() <= agent {
            self.0.resize(agent + 1, Default::default());
        }
        self.0[agent][verdict as usize] += 1;
    }

    fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), Default::default());
        }
        for (sum, counts) in self.0.iter_mut().zip(&other.0) {
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum += count;
            }
        }
    }

    fn denied(&self) -> u64 {
        let denied = |counts: &[u64; Verdict::ALL.len()]| counts[Verdict::Deny as usize];
        self.0.iter().map(denied).sum()
    }

    fn of(&self, agent: usize) -> DecisionCounts {
        let counts = self.0.get(agent).copied().unwrap_or_default();
        DecisionCounts {
            allow: counts[Verdict::Allow as usize],
            deny: counts[Verdict::Deny as usize],
            audit: counts[Verdict::Audit as usize],
        }
    }
}

fn nanoseconds() -> Nanoseconds {
    let mut histogram = Histogram::new(SIGNIFICANT_DIGITS).expect("two digits are allowed");
    // Grows with the longest time seen: most decisions take microseconds, and few slices need room
    // for more.
    histogram.auto(true);
    histogram
}

const SIGNIFICANT_DIGITS: u8 = 2;
const LONGEST_NS: u64 = 60_000_000_000;
const SAME_BOUNDS: &str = "a histogram that grows takes what another holds";

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn percentiles_are_precise_to_one_percent() {
        let now = Instant::now();
        let mut activity = Activity::new(now);
        for nanoseconds in 1..=100_000_u64 {
            let agent = Some("codex");
            activity.add(
                now,
                agent,
                OperationKind::Unlink,
                Verdict::Deny,
                nanoseconds,
            );
        }
        activity.add(now, None, OperationKind::Rename, Verdict::Allow, u64::MAX);
        let latencies = activity.latencies(now, Span::SinceStart);
        let series: Vec<_> = latencies.iter().collect();
        let [
            (OperationKind::Unlink, Verdict::Deny, unlinks),
            (_, _, renames),
        ] = series[..]
        else {
            panic!("{series:?}");
        };
        for (quantile, exact) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.9999, 99_990.0)] {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let found = unlinks.value_at_quantile(quantile) as f64;
            assert!((found / exact - 1.0).abs() < 0.01, "{quantile}: {found}");
        }
        assert_eq!((unlinks.len(), renames.len()), (100_000, 1));
        assert!(
            renames.max() >= LONGEST_NS,
            "a longer time counts as a minute"
        );
        let both = latencies.together(|_, _| true);
        assert_eq!(both.len(), 100_001);
    }

    #[test]
    fn windows_forget_and_the_start_does_not() {
        let start = Instant::now();
        let later = start + Duration::from_secs(1200);
        let mut activity = Activity::new(start);
        let agent = Some("codex");
        activity.add(start, agent, OperationKind::Unlink, Verdict::Deny, 5);
        activity.add(later, agent, OperationKind::Unlink, Verdict::Allow, 5);
        let count = |span| activity.latencies(later, span).together(|_, _| true).len();
        assert_eq!(Span::ALL.map(count), [1, 1, 2]);
        activity.add(later, agent, OperationKind::Unlink, Verdict::Deny, 5);
        let denied = activity.denied_lately(later + Duration::from_secs(20));
        assert_eq!(denied[LONGEST.slices - 3..], [1, 0, 0]);
        assert_eq!(denied.iter().sum::<u64>(), 1);
        let counts = |deny, allow| DecisionCounts {
            allow,
            deny,
            audit: 0,
        };
        assert_eq!(
            activity.agents(later),
            [AgentDecisions {
                agent: "codex".to_owned(),
                minute: counts(1, 1),
                five_minutes: counts(1, 1),
                start: counts(2, 1),
            }]
        );
    }

    #[test]
    fn labels_are_bounded_and_the_busiest_comes_first() {
        let now = Instant::now();
        let mut activity = Activity::new(now);
        let mut add = |agent: &str, verdict| {
            activity.add(now, Some(agent), OperationKind::Unlink, verdict, 1);
        };
        for number in 0..MAX_LABELS + 9 {
            add(&format!("custom:{number}"), Verdict::Allow);
        }
        add("custom:7", Verdict::Deny);
        let agents = activity.agents(now);
        assert_eq!(agents.len(), MAX_LABELS + 1);
        let first: Vec<_> = agents.iter().take(2).collect();
        assert_eq!((&*first[0].agent, first[0].minute.deny), ("custom:7", 1));
        assert_eq!((&*first[1].agent, first[1].minute.allow), (OTHER, 9));
    }

    #[test]
    fn there_is_a_row_for_each_operation_and_verdict() {
        let now = Instant::now();
        let mut activity = Activity::new(now);
        assert!(
            activity
                .latencies(now, Span::SinceStart)
                .percentiles()
                .is_empty()
        );
        for _ in 0..10 {
            activity.add(
                now,
                Some("codex"),
                OperationKind::Unlink,
                Verdict::Deny,
                2_000,
            );
        }
        let rows = activity.latencies(now, Span::SinceStart).percentiles();
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(
            (&*row.operation, &*row.verdict, row.count),
            ("unlink", "deny", 10)
        );
        for value in [row.min_ns, row.p50_ns, row.p99_99_ns, row.max_ns] {
            assert!((1_980..=2_020).contains(&value), "{row:?}");
        }
    }
}
