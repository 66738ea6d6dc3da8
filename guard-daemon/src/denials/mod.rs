//! Denials as they stand in the log: which are wanted, and where they are.

pub(crate) mod log;
pub(crate) mod since;

use guard_core::OperationKind;
use guard_report::record::DenialRecord;
use since::Since;

/// Which denials are wanted. What is `None` wants all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Of this agent.
    pub(crate) agent: Option<String>,
    /// In the zone of this name or path.
    pub(crate) zone: Option<String>,
    /// Of this operation.
    pub(crate) operation: Option<OperationKind>,
    /// Not before.
    pub(crate) since: Option<Since>,
}

/// The zone's path, which [`DenialRecord`] leaves out.
#[derive(serde::Deserialize)]
struct ZonePath<'a> {
    #[serde(borrow)]
    zone: Option<std::borrow::Cow<'a, str>>,
}

// === impl Filter ===

impl Filter {
    /// Whether the line is wanted; lines that are no denials are not.
    pub(crate) fn wants(&self, line: &str) -> bool {
        let Some(told) = DenialRecord::parse(line) else {
            return false;
        };
        let agent = |wanted: &String| told.agent.as_deref() == Some(wanted);
        let zone = |wanted: &String| {
            told.zone_name.as_deref() == Some(wanted)
                || serde_json::from_str::<ZonePath<'_>>(line)
                    .is_ok_and(|path| path.zone.as_deref() == Some(wanted))
        };
        self.agent.as_ref().is_none_or(agent)
            && self.zone.as_ref().is_none_or(zone)
            && self
                .operation
                .is_none_or(|wanted| told.operation() == Some(wanted))
            && self.since.is_none_or(|since| since.is_before(&told.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_counts() {
        let line = r#"{"ts":1,"op":"unlink","path":"/p/a","dest":null,"zone":"/p","process":"rm",
            "time":"2026-01-02T03:04:05Z","ring":"00","seq":0,"verdict":"deny",
            "reason":"agent_in_zone","agent":"codex","pid":7,"zone_name":"work"}"#;
        let filter = |change: &dyn Fn(&mut Filter)| {
            let mut filter = Filter::default();
            change(&mut filter);
            filter.wants(line)
        };
        assert!(filter(&|_| {}));
        assert!(filter(&|all| all.agent = Some("codex".into())));
        assert!(!filter(&|all| all.agent = Some("claude_code".into())));
        assert!(filter(&|all| all.zone = Some("work".into())));
        assert!(filter(&|all| all.zone = Some("/p".into())));
        assert!(!filter(&|all| all.zone = Some("p".into())));
        assert!(filter(&|all| all.operation = Some(OperationKind::Unlink)));
        assert!(!filter(&|all| all.operation = Some(OperationKind::Rename)));
        let since = |text: &str| Since::parse(text, 0).ok();
        assert!(filter(&|all| all.since = since("2026-01-02")));
        assert!(!filter(&|all| all.since = since("2026-01-02T03:04:06Z")));
        assert!(!Filter::default().wants("by hand"));
    }
}
