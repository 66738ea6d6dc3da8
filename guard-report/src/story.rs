//! The whole story of one denial: how often the same was denied, and what can be done instead.
//!
//! It is what `codex-es-guard why`, the agents' hooks and the MCP server show, each in its form. It
//! says what is final and how to ask; it never says how to grant.

use crate::next_steps;
use crate::past_denials::PastDenials;
use crate::record::{DecisionRecord, SHORT_RING};
use crate::sentence::Sentence;
use crate::time;
use guard_core::event::UnpreservedCause;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;

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
        let alike = alike(denials);
        Self::counted(record, &alike)
    }

    /// The stories of denials that are among these, in their order: these are read once.
    #[must_use]
    pub fn of_each(records: Vec<DecisionRecord<'a>>, denials: &PastDenials) -> Vec<Self> {
        let alike = alike(denials);
        let stories = records.into_iter();
        stories
            .map(|record| Self::counted(record, &alike))
            .collect()
    }

    fn counted(record: DecisionRecord<'a>, alike: &HashMap<Likeness<'_>, Alike>) -> Self {
        let found = alike.get(&likeness(&record)).copied();
        let Alike { count, since } = found.unwrap_or(Alike {
            count: 1,
            since: None,
        });
        Self {
            request: next_steps::request(&record),
            count: usize::try_from(count).unwrap_or(usize::MAX),
            since,
            record,
        }
    }

    /// The denial's id: the end of the ring's id says nothing more.
    #[must_use]
    pub fn id(&self) -> String {
        self.record.short_id()
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
        let is_full = |cause| matches!(cause, UnpreservedCause::Full | UnpreservedCause::LowDisk);
        let step =
            "Say to the person that there is no room to preserve it: codex-es-guard undo prune";
        let wanted = self.record.cause().filter(|cause| is_full(*cause));
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

/// What denials of one guard have in common that are alike: its ring, the operation and the path.
type Likeness<'a> = (Cow<'a, str>, Cow<'a, str>, Cow<'a, str>);

/// Denials that are alike.
#[derive(Clone, Copy, Debug)]
struct Alike {
    count: u64,
    /// When the first of them was, wall clock nanoseconds.
    since: Option<u64>,
}

fn alike(denials: &PastDenials) -> HashMap<Likeness<'_>, Alike> {
    let mut alike = HashMap::new();
    for record in denials.records() {
        let since = match &record.first {
            Some(first) => time::parse(first).ok(),
            None => record.wall_ns(),
        };
        let group = alike
            .entry(likeness(&record))
            .or_insert(Alike { count: 0, since });
        group.count += record.count.unwrap_or(1);
    }
    alike
}

fn likeness<'a>(record: &DecisionRecord<'a>) -> Likeness<'a> {
    (record.ring.clone(), record.op.clone(), record.path.clone())
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
