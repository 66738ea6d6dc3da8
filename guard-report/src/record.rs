//! A record of the denial log, as both programs read it.

use guard_core::OperationKind;
use guard_core::verdict::{Reason, Verdict};
use serde::Deserialize;
use std::borrow::Cow;

/// Some fields of a line.
#[derive(Clone, Debug, Deserialize)]
#[expect(
    missing_docs,
    reason = "each is the field of the log, which the log says"
)]
pub struct DenialRecord<'a> {
    #[serde(borrow)]
    pub ring: Cow<'a, str>,
    pub seq: u64,
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    #[serde(borrow)]
    pub op: Cow<'a, str>,
    #[serde(borrow)]
    pub verdict: Cow<'a, str>,
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    #[serde(borrow)]
    pub dest: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub process: Cow<'a, str>,
    pub pid: u32,
    #[serde(borrow)]
    pub agent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub zone_name: Option<Cow<'a, str>>,
}

// === impl DenialRecord ===

impl<'a> DenialRecord<'a> {
    /// Reads a line; `None` when it is not one that the exporter writes.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// What was asked.
    #[must_use]
    pub fn operation(&self) -> Option<OperationKind> {
        OperationKind::from_name(&self.op)
    }

    /// What was answered.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        let mut verdicts = Verdict::ALL.into_iter();
        verdicts.find(|verdict| verdict.as_str() == self.verdict)
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        let mut reasons = Reason::ALL.into_iter();
        reasons.find(|reason| reason.as_str() == self.reason)
    }

    /// Its identity: `RING-NUMBER`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}-{}", self.ring, self.seq)
    }
}
