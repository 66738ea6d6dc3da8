//! The answers of the exporter's API, as the exporter writes them and the command line reads them.
//!
//! `openapi.json` in the exporter describes the same for other programs.

use crate::groups::Summary;
use crate::record::DecisionRecord;
use crate::sentence;
use crate::status::GuardStatus;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// `GET /api/v1/status`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Status<'a> {
    /// The exporter's version.
    pub version: Cow<'a, str>,
    /// Its process.
    pub pid: u32,
    /// When it started.
    pub started: String,
    /// How long ago that is.
    pub uptime_seconds: u64,
    /// Whether it drains rings and can write the log.
    pub ready: bool,
    /// Why it is not ready.
    pub obstacle: Option<String>,
    /// Denials that it has in memory.
    pub kept_denials: usize,
    /// Changes that it has in memory.
    #[serde(default)]
    pub kept_changes: usize,
    /// The denial log.
    pub denial_log: LogStatus,
    /// The change log, whose lines are not chained.
    #[serde(default)]
    pub change_log: LogStatus,
    /// What is sent to a collector; empty when nothing is.
    #[serde(default)]
    pub otlp: Vec<OtlpStatus>,
    /// Decisions of each agent, the busiest first.
    pub agents: Vec<AgentDecisions>,
    /// The guards whose rings it reads.
    pub guards: Cow<'a, [GuardStatus]>,
    /// What is wrong with any of the guards, each in a sentence.
    #[serde(default)]
    pub problems: Vec<String>,
}

/// A log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct LogStatus {
    /// Where it is.
    pub path: String,
    /// The hash of its last line while its lines are chained; else `null`.
    pub head: Option<String>,
}

/// How one signal is sent over OTLP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct OtlpStatus {
    /// `traces`, `metrics` or `logs`.
    pub signal: String,
    /// Where to, without what may be secret; `null` when the endpoint cannot be used.
    pub endpoint: Option<String>,
    /// Items that the collector accepted.
    pub exported: u64,
    /// Items that did not reach it.
    pub dropped: u64,
    /// Items that wait.
    pub queued: u64,
}

/// What was decided for one agent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct AgentDecisions {
    /// Its label; `none` for processes of no agent.
    pub agent: String,
    /// Within the last minute.
    #[serde(rename = "1m")]
    pub minute: DecisionCounts,
    /// Within the last five minutes.
    #[serde(rename = "5m")]
    pub five_minutes: DecisionCounts,
    /// Since the exporter started.
    pub start: DecisionCounts,
}

/// Decisions by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct DecisionCounts {
    /// Allowed.
    pub allow: u64,
    /// Denied.
    pub deny: u64,
    /// Allowed because the policy's mode is audit.
    pub audit: u64,
}

/// `GET /api/v1/latency`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Latencies {
    /// The spans of time that were asked for, the shortest first.
    pub spans: Vec<LatencySpan>,
}

/// The latencies of one span of time.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct LatencySpan {
    /// `1m`, `5m` or `start`.
    pub span: Cow<'static, str>,
    /// One row for each operation and verdict that occurred.
    pub series: Vec<Percentiles>,
}

/// The latencies of one operation and verdict, nanoseconds.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[expect(missing_docs, reason = "each is named for what it is")]
pub struct Percentiles {
    pub operation: Cow<'static, str>,
    pub verdict: Cow<'static, str>,
    pub count: u64,
    pub mean_ns: f64,
    pub min_ns: u64,
    pub p50_ns: u64,
    pub p75_ns: u64,
    pub p90_ns: u64,
    pub p99_ns: u64,
    pub p99_9_ns: u64,
    pub p99_99_ns: u64,
    pub max_ns: u64,
}

/// `GET /api/v1/requests`
#[derive(Debug, Deserialize, Serialize)]
pub struct Requests {
    /// Those that wait for a person, each as its line of `overrides.jsonl`. Every one can be read as a
    /// [`RequestRecord`](crate::request_record::RequestRecord).
    pub open: Vec<Box<RawValue>>,
    /// The latest steps of all, likewise, the newest first.
    pub steps: Vec<Box<RawValue>>,
}

/// `GET /api/v1/denials`
#[derive(Debug, Deserialize, Serialize)]
pub struct Denials {
    /// The newest first, each as [`Record`] writes it. Every one can be read as a
    /// [`DecisionRecord`].
    pub denials: Vec<Box<RawValue>>,
    /// The `before` of the next page; `null` when there is none.
    pub next: Option<String>,
    /// Denials that the exporter has in memory.
    pub kept: usize,
    /// The most that it would have.
    pub max_kept: usize,
}

/// `GET /api/v1/changes`
#[derive(Debug, Deserialize, Serialize)]
pub struct Changes {
    /// The newest first, each as [`Record`] writes it. Every one can be read as a
    /// [`DecisionRecord`].
    pub changes: Vec<Box<RawValue>>,
    /// The `before` of the next page; `null` when there is none.
    pub next: Option<String>,
    /// Changes that the exporter has in memory.
    pub kept: usize,
    /// The most that it would have.
    pub max_kept: usize,
}

/// `GET /api/v1/denials/groups` and `GET /api/v1/changes/groups`
#[derive(Debug, Deserialize, Serialize)]
pub struct Groups {
    /// Those with the newest denials or changes first.
    pub groups: Vec<Group>,
    /// The `before` of the next page; `null` when there is none.
    pub next: Option<String>,
    /// Denials or changes that the exporter has in memory.
    pub kept: usize,
    /// The most that it would have.
    pub max_kept: usize,
}

/// The denials, or the changes, of one command or burst.
#[derive(Debug, Deserialize, Serialize)]
pub struct Group {
    /// The id of its oldest record.
    pub id: String,
    /// A sentence about all of it.
    pub summary: String,
    /// How many records it has.
    pub count: u64,
    /// With how many paths.
    pub paths: usize,
    /// The directory that has all of these.
    pub directory: String,
    /// When the oldest was.
    pub first: String,
    /// When the newest was.
    pub last: String,
    /// The newest, as [`Record`] writes it.
    pub newest: Box<RawValue>,
}

/// A denial or a change: the fields of its line in the log, after its identity and a sentence.
#[derive(Debug)]
pub struct Record {
    /// Its identity.
    pub id: String,
    /// `{"id":…,"summary":…,` and the line's fields.
    pub json: String,
}

// === impl DecisionCounts ===

impl DecisionCounts {
    /// All of them together.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.allow + self.deny + self.audit
    }
}

// === impl Record ===

impl Record {
    /// Of a line of a log; `None` when it is no record.
    #[must_use]
    pub fn of_line(line: &str) -> Option<Self> {
        let record = DecisionRecord::parse(line)?;
        let fields = line.trim_start().strip_prefix('{')?;
        let id = record.id();
        let summary = serde_json::Value::from(sentence::of(&record));
        let json = format!("{{\"id\":\"{id}\",\"summary\":{summary},{fields}");
        Some(Self { id, json })
    }
}

// === impl Denials ===

impl Denials {
    /// A page of these denials, of which there are `more`.
    #[must_use]
    pub fn page(denials: Vec<Record>, more: bool, kept: usize, max_kept: usize) -> Self {
        Self {
            next: next(&denials, more),
            denials: raw(denials),
            kept,
            max_kept,
        }
    }

    /// The denials as records. One that is none is skipped.
    pub fn records(&self) -> impl Iterator<Item = DecisionRecord<'_>> {
        let denials = self.denials.iter();
        denials.filter_map(|denial| DecisionRecord::parse(denial.get()))
    }
}

// === impl Changes ===

impl Changes {
    /// A page of these changes, of which there are `more`.
    #[must_use]
    pub fn page(changes: Vec<Record>, more: bool, kept: usize, max_kept: usize) -> Self {
        Self {
            next: next(&changes, more),
            changes: raw(changes),
            kept,
            max_kept,
        }
    }
}

// === impl Groups ===

impl Groups {
    /// A page of these groups, each with its lines, the newest first, of which there are `more`.
    #[must_use]
    pub fn page<'l, L>(
        groups: impl IntoIterator<Item = L>,
        more: bool,
        kept: usize,
        max_kept: usize,
    ) -> Self
    where
        L: IntoIterator<Item = &'l str>,
    {
        let mut last = None;
        let groups = groups.into_iter().filter_map(|lines| {
            let (group, newest) = Group::of_lines(lines)?;
            last = Some(newest);
            Some(group)
        });
        Self {
            groups: groups.collect(),
            next: last.filter(|_| more),
            kept,
            max_kept,
        }
    }
}

// === impl Group ===

impl Group {
    /// Of these lines of a log, the newest first, with the id of the newest; `None` when none is a
    /// record.
    fn of_lines<'l>(lines: impl IntoIterator<Item = &'l str>) -> Option<(Self, String)> {
        let mut lines = lines.into_iter().peekable();
        let newest = Record::of_line(lines.peek()?)?;
        let summary = Summary::of(lines.filter_map(DecisionRecord::parse))?;
        let group = Self {
            summary: summary.to_string(),
            count: summary.count,
            paths: summary.paths,
            newest: RawValue::from_string(newest.json).ok()?,
            id: summary.id,
            directory: summary.directory,
            first: summary.first,
            last: summary.last,
        };
        Some((group, newest.id))
    }
}

fn next(records: &[Record], more: bool) -> Option<String> {
    let last = records.last().filter(|_| more);
    last.map(|last| last.id.clone())
}

fn raw(records: Vec<Record>) -> Vec<Box<RawValue>> {
    let records = records.into_iter();
    records
        .filter_map(|record| RawValue::from_string(record.json).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"ts":1,"op":"unlink","path":"/p/a","dest":null,"process":"rm",
        "time":"2024-06-10T06:13:20Z","ring":"00","seq":3,"verdict":"deny","reason":"agent_in_zone",
        "agent":"codex","pid":7,"zone_name":"p","hash":"1"}"#;

    #[test]
    fn a_page_of_denials_is_read_as_it_was_written() {
        let denial = || Record::of_line(LINE).unwrap();
        let json = denial().json;
        assert!(json.starts_with(r#"{"id":"00-3","summary":"codex was stopped from removing"#));
        assert!(json.ends_with(r#""hash":"1"}"#), "what is not known stays");
        for (more, next) in [(true, Some("00-3")), (false, None)] {
            let page = Denials::page(vec![denial()], more, 5, 10);
            let text = serde_json::to_string(&page).unwrap();
            let read: Denials = serde_json::from_str(&text).unwrap();
            assert_eq!(read.next.as_deref(), next);
            let records: Vec<_> = read.records().collect();
            assert_eq!((records.len(), records[0].seq), (1, 3));
        }
        assert!(Record::of_line("{}").is_none());
    }

    #[test]
    fn a_page_of_groups_is_read_as_it_was_written() {
        let older = LINE
            .replace("\"seq\":3", "\"seq\":2")
            .replace("/p/a", "/p/b");
        let page = Groups::page([vec![LINE, &older], vec!["{}"]], true, 5, 10);
        let text = serde_json::to_string(&page).unwrap();
        let read: Groups = serde_json::from_str(&text).unwrap();
        let group = &read.groups[0];
        assert_eq!((read.groups.len(), read.next.as_deref()), (1, Some("00-3")));
        assert_eq!((&*group.id, group.count, group.paths), ("00-2", 2, 2));
        assert!(group.summary.contains("removing 2 paths in /p with rm"));
        assert!(group.newest.get().starts_with(r#"{"id":"00-3","summary":"#));
    }

    #[test]
    fn a_status_is_read_as_it_was_written() {
        let status = Status {
            version: "1".into(),
            pid: 7,
            started: String::new(),
            uptime_seconds: 2,
            ready: false,
            obstacle: Some("a disk".to_owned()),
            kept_denials: 3,
            kept_changes: 4,
            denial_log: LogStatus::default(),
            change_log: LogStatus::default(),
            otlp: Vec::new(),
            agents: vec![AgentDecisions {
                agent: "codex".to_owned(),
                minute: DecisionCounts::default(),
                five_minutes: DecisionCounts::default(),
                start: DecisionCounts {
                    allow: 1,
                    deny: 2,
                    audit: 3,
                },
            }],
            guards: Cow::Borrowed(&[]),
            problems: vec!["it decides nothing".to_owned()],
        };
        let text = serde_json::to_string(&status).unwrap();
        assert!(text.contains(r#""agent":"codex","1m":{"allow":0,"deny":0,"audit":0},"5m""#));
        let read: Status<'static> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, status);
    }
}
