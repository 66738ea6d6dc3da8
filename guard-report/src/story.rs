//! The whole story of one denial: how often the same was denied, and what can be done instead.
//!
//! It is what `codex-es-guard why`, the agents' hooks and the MCP server show, each in its form. It
//! says what is final and how to ask; it never says how to grant.

use crate::notice::Kept;
use crate::past_denials::PastDenials;
use crate::record::DecisionRecord;
use crate::sentence::Sentence;
use crate::shell::word;
use crate::time;
use guard_core::event::UnpreservedCause;
use serde_json::{Value, json};

/// One denial, and those that are like it.
#[derive(Clone, Debug)]
pub struct Story<'a> {
    /// The denial.
    pub record: DecisionRecord<'a>,
    /// How often the same was denied in the session, this one included.
    pub count: usize,
    /// When the first of them was, wall clock nanoseconds.
    pub since: Option<u64>,
    /// The command to ask with, if asking is possible.
    pub request: Option<String>,
}

// === impl Story ===

impl<'a> Story<'a> {
    /// The story of a denial that is one of these.
    #[must_use]
    pub fn of(record: DecisionRecord<'a>, denials: &PastDenials) -> Self {
        let is_alike = |other: &DecisionRecord<'_>| {
            (&other.ring, &other.op, &other.path) == (&record.ring, &record.op, &record.path)
        };
        let mut alike = denials.records().filter(is_alike);
        let since = alike.next().and_then(|first| first.wall_ns());
        let count = alike.count() + 1;
        let is_requestable = record.path_bytes.is_none() && Kept::of(&record).may_be_requested();
        let request = is_requestable.then(|| {
            let path = word(record.path.as_bytes());
            format!("codex-es-guard request {path}")
        });
        Self {
            record,
            count,
            since,
            request,
        }
    }

    /// The denial's id: the end of the ring's id says nothing more.
    #[must_use]
    pub fn id(&self) -> String {
        let ring = &self.record.ring;
        let ring = ring.get(..SHORT_RING).unwrap_or(ring);
        format!("{ring}-{}", self.record.seq)
    }

    /// What can be done instead, in sentences.
    #[must_use]
    pub fn instead(&self) -> Vec<String> {
        let mut steps = self.room();
        steps.extend([
            "Leave it as it is: the same will be denied again, with whichever program.".to_owned(),
            "Edit it instead: new contents are allowed, and what was there before is preserved."
                .to_owned(),
        ]);
        steps.push(match &self.request {
            Some(request) => {
                format!("Ask a person for this path: {request} --because 'WHY' --wait 2m")
            }
            None => "Say to the person what is to be done: this cannot be requested.".to_owned(),
        });
        steps
    }

    /// What makes room where it could not be preserved for want of it.
    fn room(&self) -> Vec<String> {
        let cause = self.record.unpreserved.as_deref();
        let is_full = |cause| matches!(cause, UnpreservedCause::Full | UnpreservedCause::LowDisk);
        let step =
            "Say to the person that there is no room to preserve it: codex-es-guard undo prune";
        let wanted = cause
            .map(UnpreservedCause::from_name)
            .filter(|cause| is_full(*cause));
        wanted.map(|_| step.to_owned()).into_iter().collect()
    }

    /// The story as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let sentence = Sentence::of(&self.record).to_string();
        json!({
            "id": self.id(),
            "sentence": sentence,
            "final": true,
            "count": self.count,
            "first_time": self.since.map(time::rfc3339),
            "request": self.request,
            "instead": self.instead(),
            "denial": self.record,
        })
    }
}

/// The beginning of a ring's id, and the number of a denial in it.
///
/// ```
/// use guard_report::story::parse_id;
///
/// assert_eq!(parse_id("8d4db789-12"), Some(("8d4db789", 12)));
/// assert_eq!(parse_id("keep-1"), None);
/// ```
#[must_use]
pub fn parse_id(text: &str) -> Option<(&str, u64)> {
    let (ring, number) = text.rsplit_once('-')?;
    let is_ring = ring.len() >= SHORT_RING / 2 && ring.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((ring, number.parse().ok().filter(|_| is_ring)?))
}

/// What is shown of a ring's id.
const SHORT_RING: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_beginning_of_a_ring_and_a_number() {
        assert_eq!(parse_id("8d4db789-12"), Some(("8d4db789", 12)));
        for no_id in [
            "8d4-1",
            "keep-1",
            "8d4db789",
            "8d4db789-x",
            "a/8d4db789-1",
            "-1",
        ] {
            assert_eq!(parse_id(no_id), None, "{no_id}");
        }
    }
}
