//! Which denials or changes are wanted: the same choice on the command line and in the API.

use crate::record::DecisionRecord;
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
/// assert!(filter.wants(&by("claude_code")));
/// assert!(!filter.wants(&by("codex")));
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
}

/// What a filter compares.
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
    pub fn wants(&self, denial: &Subject<'_>) -> bool {
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
        let line = r#"{"ts":1,"op":"unlink","path":"/p/a","dest":null,"zone":"/p","process":"rm",
            "time":"2026-01-02T03:04:05Z","ring":"00","seq":0,"verdict":"deny",
            "reason":"agent_in_zone","agent":"codex","pid":7,"zone_name":"work"}"#;
        let record = DecisionRecord::parse(line).unwrap();
        let wants = |change: &dyn Fn(&mut RecordFilter)| {
            let mut filter = RecordFilter::default();
            change(&mut filter);
            filter.wants(&Subject::from(&record))
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
