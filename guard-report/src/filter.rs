//! Which denials or changes are wanted: the same choice on the command line and in the API.

use crate::record::{DecisionRecord, SHORT_RING};
use crate::sentence;
use guard_core::OperationKind;
use guard_core::agents;
use guard_core::verdict::Verdict;

/// Which denials or changes are wanted. What is `None` wants all.
///
/// ```
/// use guard_report::filter::{RecordFilter, Subject};
///
/// let filter = RecordFilter {
///     agent: Some("claude".to_owned()),
///     ..RecordFilter::default()
/// };
/// let by = |label| Subject { agent: Some(label), ..Subject::default() };
/// assert!(filter.may_want(&by("claude_code")));
/// assert!(!filter.may_want(&by("codex")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Of this agent: its label, a name that people call it by, or `custom` for all that are not in
    /// the catalogue.
    pub agent: Option<String>,
    /// In the zone of this name or path.
    pub zone: Option<String>,
    /// Of this operation.
    pub operation: Option<OperationKind>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// Not before this wall clock time, nanoseconds.
    pub since_ns: Option<u64>,
    /// Not after this wall clock time, nanoseconds.
    pub until_ns: Option<u64>,
    /// Of this session, by its name; or of the guard whose ring's id begins with these eight or more
    /// digits.
    pub session: Option<String>,
    /// With this path, or one below it; without a slash at its beginning, with paths that contain it.
    pub path: Option<String>,
    /// With a sentence that contains this, whatever its case.
    pub text: Option<String>,
}

/// What a filter compares first: what is known without the whole record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The agent's label.
    pub agent: Option<&'a str>,
    /// The zone's name.
    pub zone_name: Option<&'a str>,
    /// The zone's path.
    pub zone_path: Option<&'a str>,
    /// The operation.
    pub operation: Option<OperationKind>,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// When, wall clock nanoseconds.
    pub wall_ns: Option<u64>,
}

// === impl RecordFilter ===

impl RecordFilter {
    /// Whether the filter wants this denial or change.
    #[must_use]
    pub fn wants(&self, record: &DecisionRecord<'_>) -> bool {
        let is_path = |wanted: &String| {
            let mut paths = [Some(&record.path), record.dest.as_ref()]
                .into_iter()
                .flatten();
            paths.any(|path| is_path(wanted, path))
        };
        let says = |wanted: &String| {
            let sentence = sentence::of(record).to_lowercase();
            sentence.contains(&wanted.to_lowercase())
        };
        self.may_want(&Subject::from(record))
            && self
                .session
                .as_ref()
                .is_none_or(|wanted| is_session(wanted, record))
            && self.path.as_ref().is_none_or(is_path)
            && self.text.as_ref().is_none_or(says)
    }

    /// Whether what is known without the whole record decides.
    #[must_use]
    pub const fn is_shallow(&self) -> bool {
        self.session.is_none() && self.path.is_none() && self.text.is_none()
    }

    /// Whether the filter may want a denial or change of which this is known.
    #[must_use]
    pub fn may_want(&self, denial: &Subject<'_>) -> bool {
        let is_zone = |wanted: &str| [denial.zone_name, denial.zone_path].contains(&Some(wanted));
        self.agent
            .as_deref()
            .is_none_or(|wanted| denial.agent.is_some_and(|found| is_agent(wanted, found)))
            && self.zone.as_deref().is_none_or(is_zone)
            && self
                .operation
                .is_none_or(|wanted| denial.operation == Some(wanted))
            && self
                .verdict
                .is_none_or(|wanted| denial.verdict == Some(wanted))
            && self
                .since_ns
                .is_none_or(|since| denial.wall_ns.is_some_and(|at| since <= at))
            && self
                .until_ns
                .is_none_or(|until| denial.wall_ns.is_some_and(|at| at <= until))
    }
}

// === impl Subject ===

impl<'a> From<&'a DecisionRecord<'_>> for Subject<'a> {
    fn from(record: &'a DecisionRecord<'_>) -> Self {
        Self {
            agent: record.agent.as_deref(),
            zone_name: record.zone_name.as_deref(),
            zone_path: record.zone.as_deref(),
            operation: record.operation(),
            verdict: record.verdict(),
            wall_ns: record.wall_ns(),
        }
    }
}

fn is_path(wanted: &str, found: &str) -> bool {
    if !wanted.starts_with('/') {
        return found.contains(wanted);
    }
    let wanted = wanted.trim_end_matches('/');
    let below = found.strip_prefix(wanted);
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

fn is_session(wanted: &str, record: &DecisionRecord<'_>) -> bool {
    let names = [record.session.as_deref(), record.undo_session.as_deref()];
    names.contains(&Some(wanted)) || (wanted.len() >= SHORT_RING && record.ring.starts_with(wanted))
}

/// Whether the label `found` is what `wanted` names.
fn is_agent(wanted: &str, found: &str) -> bool {
    found == wanted
        || found == agents::label_of(wanted)
        || (wanted == CUSTOM && found.starts_with(agents::CUSTOM_PREFIX))
}

/// The metrics' name for every agent that is not in the catalogue.
const CUSTOM: &str = "custom";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_counts() {
        let line = r#"{"ts":1,"op":"unlink","path":"/p/A","dest":"/q/b","zone":"/p",
            "time":"2026-01-02T03:04:05Z","ring":"0f0f0f0f0f","seq":0,"verdict":"deny",
            "process":"rm","session":"s-1","undo_session":"calm-heron-7",
            "reason":"agent_in_zone","agent":"codex","pid":7,"zone_name":"work"}"#;
        let record = DecisionRecord::parse(line).unwrap();
        let wants = |change: &dyn Fn(&mut RecordFilter)| {
            let mut filter = RecordFilter::default();
            change(&mut filter);
            filter.wants(&record)
        };
        assert!(wants(&|_| {}));
        assert!(wants(&|filter| filter.agent = Some("codex".into())));
        assert!(!wants(&|filter| filter.agent = Some("claude_code".into())));
        assert!(wants(&|filter| filter.zone = Some("work".into())));
        assert!(wants(&|filter| filter.zone = Some("/p".into())));
        assert!(!wants(&|filter| filter.zone = Some("p".into())));
        assert!(wants(
            &|filter| filter.operation = Some(OperationKind::Unlink)
        ));
        assert!(!wants(
            &|filter| filter.operation = Some(OperationKind::Rename)
        ));
        assert!(wants(&|filter| filter.verdict = Some(Verdict::Deny)));
        assert!(!wants(&|filter| filter.verdict = Some(Verdict::Audit)));
        let since = |text: &str| crate::time::parse(text).ok();
        assert!(wants(&|filter| filter.since_ns = since("2026-01-02")));
        assert!(wants(
            &|filter| filter.since_ns = since("2026-01-02T03:04:05Z")
        ));
        assert!(!wants(
            &|filter| filter.since_ns = since("2026-01-02T03:04:06Z")
        ));
        assert!(!wants(&|filter| filter.until_ns = since("2026-01-02")));
        assert!(wants(
            &|filter| filter.until_ns = since("2026-01-02T03:04:05Z")
        ));
        for (session, found) in [
            ("s-1", true),
            ("calm-heron-7", true),
            ("0f0f0f0f", true),
            ("0f0f", false),
            ("s", false),
        ] {
            assert_eq!(
                wants(&|filter| filter.session = Some(session.into())),
                found,
                "{session}"
            );
        }
        for (path, found) in [
            ("/p", true),
            ("/p/", true),
            ("/p/A", true),
            ("/p/A/b", false),
            ("/q", true),
            ("/", true),
            ("A", true),
            ("/A", false),
        ] {
            let wanted = wants(&|filter| filter.path = Some(path.into()));
            assert_eq!(wanted, found, "{path}");
        }
        for (text, found) in [("STOPPED from", true), ("/p/a", true), ("other", false)] {
            let wanted = wants(&|filter| filter.text = Some(text.into()));
            assert_eq!(wanted, found, "{text}");
        }
    }

    #[test]
    fn an_agent_is_found_by_each_of_its_names() {
        for (wanted, found) in [
            ("claude_code", "claude_code"),
            ("claude", "claude_code"),
            ("gemini-cli", "gemini_cli"),
            ("custom:mytool", "custom:mytool"),
            ("mytool", "custom:mytool"),
            ("custom", "custom:mytool"),
        ] {
            assert!(is_agent(wanted, found), "{wanted} {found}");
        }
        for (wanted, found) in [
            ("custom", "codex"),
            ("tool", "custom:mytool"),
            ("", "codex"),
        ] {
            assert!(!is_agent(wanted, found), "{wanted} {found}");
        }
    }
}
