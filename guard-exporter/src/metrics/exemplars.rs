//! Exemplars: the trace of the latest traced denial of a series.
//!
//! A process chooses its trace context, so an exemplar is only a hint, like the trace context in the
//! denial log. Each series has at most one, and the series that have one are bounded.

use super::catalogue::{DECISION_DURATION, DECISIONS};
use guard_core::event::TraceContext;
use guard_report::hex;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The latest exemplar of each series. A clone is the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Exemplars(Arc<Mutex<HashMap<Box<str>, Exemplar>>>);

/// One observation and its trace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exemplar {
    pub(super) trace: TraceContext,
    pub(super) value: f64,
    /// Wall clock seconds.
    pub(super) time: f64,
}

// === impl Exemplars ===

impl Exemplars {
    /// Sets the exemplar of `key`, which [`key`] makes.
    pub(super) fn put(&self, key: String, exemplar: Exemplar) {
        let mut exemplars = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        exemplars.insert(key.into(), exemplar);
    }

    /// The exemplar of `key`.
    pub(super) fn get(&self, key: &str) -> Option<Exemplar> {
        let exemplars = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        exemplars.get(key).cloned()
    }

    pub(super) fn is_empty(&self) -> bool {
        let exemplars = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        exemplars.is_empty()
    }
}

// === impl Exemplar ===

impl Exemplar {
    /// The labels in the text format.
    pub(super) fn labels(&self) -> String {
        let TraceContext {
            trace_id, span_id, ..
        } = &self.trace;
        format!(
            "{{trace_id=\"{}\",span_id=\"{}\"}}",
            hex(trace_id),
            hex(span_id)
        )
    }
}

/// Whether series of this family can have exemplars.
pub(super) fn may_have_exemplars(family: &str) -> bool {
    [DECISIONS.name, DECISION_DURATION.name].contains(&family)
}

/// The key of a sample: its family, its label values in the order of the label names, and the number of
/// its bucket if it has one.
pub(super) fn key<'a>(
    family: &str,
    values: impl IntoIterator<Item = &'a str>,
    bucket: Option<usize>,
) -> String {
    let mut key = String::with_capacity(96);
    key.push_str(family);
    for value in values {
        key.push('\n');
        key.push_str(value);
    }
    if let Some(bucket) = bucket {
        key.push('\n');
        key.push_str(&bucket.to_string());
    }
    key
}
