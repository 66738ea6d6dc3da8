//! The screen as lines: what fits, what matters most first.
//!
//! On a tall terminal there is a table for the guards, the agents and the latencies each, and the
//! rest is denials; on a short one each table is a line.

use super::source::Shown;
use guard_report::sentence::{times, visible};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) emphasis: Emphasis,
}

/// How a line is emphasised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emphasis {
    /// The first line.
    Title,
    /// The head of a table.
    Heading,
    /// What is wrong.
    Wrong,
    /// Anything else.
    None,
}

/// At most `rows` lines of at most `columns` columns: a character of East Asia may take two.
pub(super) fn lines(shown: &Shown, columns: usize, rows: usize) -> Vec<Line> {
    let mut lines = vec![title(shown, columns)];
    let problems = if rows < TALL { 1 } else { 3 };
    for problem in shown.problems.iter().take(problems) {
        lines.push(Line::new(
            Emphasis::Wrong,
            &format!("! {}", visible(problem)),
        ));
    }
    requests(shown, if rows < TALL { 1 } else { 6 }, &mut lines);
    if rows < TALL {
        lines.extend(short(shown));
    } else {
        // Half of the rest is for denials.
        let each = (rows.saturating_sub(lines.len()) / 6).max(2);
        guards(shown, each, &mut lines);
        agents(shown, each, &mut lines);
        latencies(shown, each, &mut lines);
        lines.push(Line::new(Emphasis::Heading, "DENIALS"));
    }
    if shown.denials.is_empty() {
        lines.push(Line::new(Emphasis::None, "no denials yet"));
    }
    for denial in &shown.denials {
        lines.push(Line::new(Emphasis::None, denial));
    }
    lines.truncate(rows);
    for line in &mut lines {
        cut(&mut line.text, columns);
    }
    lines
}

fn title(shown: &Shown, columns: usize) -> Line {
    let alive = shown.guards.iter().filter(|guard| guard.alive).count();
    let guards = count(alive, "guard");
    let text = format!("{guards}  {}  q quits  {}", shown.time, shown.from);
    Line::new(Emphasis::Title, &column(&text, columns))
}

/// What waits for a person: the command first, which a narrow terminal must not cut.
fn requests(shown: &Shown, rows: usize, lines: &mut Vec<Line>) {
    let open = shown.requests.len();
    if open > rows {
        let more = format!("{open} requests: codex-es-guard requests lists them");
        lines.push(Line::new(Emphasis::Wrong, &more));
    }
    for request in shown.requests.iter().take(rows) {
        let mut text = format!(
            "codex-es-guard approve {}  {} asks for {} of {}",
            visible(&request.id),
            visible(request.agent.as_deref().unwrap_or("somebody")),
            request.op.join("+"),
            visible(&request.path),
        );
        if request.denials > 0 {
            text.push_str(&format!(", denied {}", times(request.denials)));
        }
        if let Some(because) = &request.because {
            text.push_str(&format!(", because: {}", visible(because)));
        }
        lines.push(Line::new(Emphasis::Wrong, &text));
    }
}

/// Each table in one line.
fn short(shown: &Shown) -> Vec<Line> {
    let (mut denied, mut allowed) = (0, 0);
    for agent in &shown.agents {
        denied += agent.minute.deny + agent.minute.audit;
        allowed += agent.minute.allow;
    }
    let slowest = shown.latencies.iter().map(|latency| latency.p99_ns).max();
    let slowest = slowest.map_or_else(|| "-".to_owned(), duration);
    let rates = format!("{denied} denied {allowed} allowed /min  p99 {slowest}");
    vec![Line::new(Emphasis::Heading, &rates)]
}

fn guards(shown: &Shown, rows: usize, lines: &mut Vec<Line>) {
    let head = format!(
        "{:<18} {:>8} {:<9} {:>5} {:>6} {:>9} {:>11} {:>6}",
        "GUARD", "PID", "STATE", "ZONES", "BEAT", "DENIED", "ALLOWED", "LOST"
    );
    lines.push(Line::new(Emphasis::Heading, &head));
    for (guard, beat) in shown.guards.iter().zip(&shown.beats).rev().take(rows) {
        let (state, emphasis) = match (guard.alive, guard.enforcing, guard.policy.mode.as_str()) {
            (false, ..) => ("ended", Emphasis::None),
            (_, false, _) => ("inactive", Emphasis::Wrong),
            (_, _, "audit") => ("audit", Emphasis::Wrong),
            _ => ("enforce", Emphasis::None),
        };
        let beat = beat.map_or_else(|| "-".to_owned(), |age| format!("{} s", age.as_secs()));
        let text = format!(
            "{} {:>8} {state:<9} {:>5} {beat:>6} {:>9} {:>11} {:>6}",
            column(&visible(&guard.session), FIRST),
            guard.pid,
            guard.policy.zones,
            guard.deny.committed,
            guard.allow.committed + guard.change.committed,
            guard.deny.lost + guard.allow.lost + guard.change.lost,
        );
        lines.push(Line::new(emphasis, &text));
    }
}

fn agents(shown: &Shown, rows: usize, lines: &mut Vec<Line>) {
    let head = format!(
        "{:<18} {:>12} {:>12} {:>12}",
        "AGENT", "DENIED/MIN", "AUDITED/MIN", "ALLOWED/MIN"
    );
    lines.push(Line::new(Emphasis::Heading, &head));
    let mut agents: Vec<_> = shown.agents.iter().collect();
    let busy = |agent: &&guard_report::api::AgentDecisions| {
        let minute = agent.minute;
        std::cmp::Reverse((minute.deny + minute.audit, minute.allow))
    };
    agents.sort_by_key(busy);
    for agent in agents.into_iter().take(rows) {
        let minute = agent.minute;
        let text = format!(
            "{} {:>12} {:>12} {:>12}",
            column(&visible(&agent.agent), FIRST),
            minute.deny,
            minute.audit,
            minute.allow
        );
        lines.push(Line::new(Emphasis::None, &text));
    }
}

fn latencies(shown: &Shown, rows: usize, lines: &mut Vec<Line>) {
    let head = format!(
        "{:<18} {:>9} {:>9} {:>9} {:>9}",
        "LATENCY (1 MIN)", "COUNT", "P50", "P99", "MAX"
    );
    lines.push(Line::new(Emphasis::Heading, &head));
    for latency in shown.latencies.iter().take(rows) {
        let text = format!(
            "{} {:>9} {:>9} {:>9} {:>9}",
            column(
                &format!(
                    "{} {}",
                    visible(&latency.operation),
                    visible(&latency.verdict)
                ),
                FIRST
            ),
            latency.count,
            duration(latency.p50_ns),
            duration(latency.p99_ns),
            duration(latency.max_ns)
        );
        lines.push(Line::new(Emphasis::None, &text));
    }
}

/// Three figures and a unit.
fn duration(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{:.1} µs", nanoseconds as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", nanoseconds as f64 / 1e6),
        _ => format!("{:.1} s", nanoseconds as f64 / 1e9),
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Cuts what takes more than this many columns of a terminal, and shows that it did.
fn cut(text: &mut String, columns: usize) {
    if text.width() <= columns {
        return;
    }
    let mut room = columns.saturating_sub(ELLIPSIS.width().unwrap_or(1));
    let end = text.char_indices().find(|(_, c)| {
        let width = c.width().unwrap_or(0);
        let fits = width <= room;
        room -= width.min(room);
        !fits
    });
    text.truncate(end.map_or(text.len(), |(end, _)| end));
    if columns > 0 {
        text.push(ELLIPSIS);
    }
}

/// The text in exactly this many columns.
fn column(text: &str, columns: usize) -> String {
    let mut text = text.to_owned();
    cut(&mut text, columns);
    let missing = columns.saturating_sub(text.width());
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

// === impl Line ===

impl Line {
    fn new(emphasis: Emphasis, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            emphasis,
        }
    }
}

const ELLIPSIS: char = '…';

/// Columns of the first column of a table.
const FIRST: usize = 18;

/// From so many rows on there are tables.
const TALL: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_control::protocol::{RequestStatus, State};
    use guard_report::api::{AgentDecisions, DecisionCounts, Percentiles};

    fn shown() -> Shown {
        Shown {
            time: "03:04:05Z".to_owned(),
            from: "http://127.0.0.1:19477/".to_owned(),
            agents: ["amp", "codex"]
                .map(|agent| AgentDecisions {
                    agent: agent.to_owned(),
                    minute: DecisionCounts {
                        allow: 3,
                        deny: agent.len() as u64,
                        audit: 0,
                    },
                    five_minutes: DecisionCounts::default(),
                    start: DecisionCounts::default(),
                })
                .into(),
            latencies: vec![Percentiles {
                operation: "unlink".into(),
                verdict: "deny".into(),
                mean_ns: 0.0,
                min_ns: 0,
                p75_ns: 0,
                p90_ns: 0,
                p99_9_ns: 0,
                p99_99_ns: 0,
                count: 8,
                p50_ns: 950,
                p99_ns: 12_500,
                max_ns: 3_000_000,
            }],
            denials: (0..50)
                .map(|number| format!("03:04:05 denial {number}"))
                .collect(),
            problems: vec!["no exporter runs".to_owned()],
            ..Shown::default()
        }
    }

    #[test]
    fn whatever_the_size_it_fits_and_the_newest_denials_show() {
        for columns in [0, 1, 7, 40, 80, 300] {
            for rows in [0, 1, 2, 5, 10, 17, 18, 24, 100] {
                let lines = lines(&shown(), columns, rows);
                assert!(lines.len() <= rows, "{columns} by {rows}");
                for line in &lines {
                    assert!(line.text.width() <= columns, "{line:?}");
                }
                let shows = lines.iter().any(|line| line.text.contains("denial 0"));
                assert_eq!(shows, columns >= 40 && rows >= 5, "{columns} by {rows}");
            }
        }
    }

    #[test]
    fn what_waits_for_a_person_comes_before_the_tables() {
        let request = |number: usize| RequestStatus {
            id: format!("3fa81c-{number}"),
            state: State::Open,
            path: "/home/me/work/old".to_owned(),
            op: vec!["unlink".to_owned(), "rename".to_owned()],
            because: Some("replaced\u{1b}[2J".to_owned()),
            agent: Some("codex".to_owned()),
            pid: 1,
            session: "s".to_owned(),
            asked: String::new(),
            answered: None,
            answered_by: None,
            answer: None,
            expires_at: None,
            once: false,
            uses: 0,
            denials: 3,
        };
        let mut shown = shown();
        shown.requests = (1..=7).map(request).collect();
        let tall = lines(&shown, 200, 40);
        assert_eq!(
            tall[2].text,
            "7 requests: codex-es-guard requests lists them"
        );
        assert_eq!(
            tall[3].text,
            "codex-es-guard approve 3fa81c-1  codex asks for unlink+rename of /home/me/work/old, \
             denied 3 times, because: replaced\\u{1b}[2J"
        );
        let low = lines(&shown, 80, 10);
        assert!(low[3].text.starts_with("codex-es-guard approve 3fa81c-1"));
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let cut_to = |columns| {
            let mut text = "rm 文件/a".to_owned();
            cut(&mut text, columns);
            text
        };
        assert_eq!(cut_to(9), "rm 文件/a");
        assert_eq!(cut_to(8), "rm 文件…");
        assert_eq!(cut_to(7), "rm 文…", "half a character is none");
        assert_eq!(cut_to(1), "…");
        assert_eq!(cut_to(0), "");
        assert_eq!(column("文件", 6), "文件  ");
        let mut wide = shown();
        wide.denials = vec!["删除文件".repeat(40)];
        wide.agents[0].agent = "custom:智能体".to_owned();
        for columns in [7, 40, 80, 81] {
            for line in lines(&wide, columns, 24) {
                assert!(line.text.width() <= columns, "{line:?}");
            }
        }
        let row = lines(&wide, 80, 24);
        let row = row.iter().find(|line| line.text.starts_with("custom:"));
        assert_eq!(row.unwrap().text.width(), FIRST + 3 * 13);
    }

    #[test]
    fn the_busiest_agent_comes_first_and_latencies_have_units() {
        let lines = lines(&shown(), 80, 30);
        let place = |name: &str| lines.iter().position(|line| line.text.starts_with(name));
        assert!(place("codex") < place("amp"));
        let latency = &lines[place("unlink deny").unwrap()].text;
        for expected in ["950 ns", "12.5 µs", "3.0 ms"] {
            assert!(latency.contains(expected), "{latency}");
        }
    }
}
