//! The requests that wait for a person, and the latest steps of all requests and overrides.
//!
//! A step is kept as its line in the log. It guarantees that a request is open from its first step until
//! its answer, or until its guard is gone; the log gives what an earlier exporter read.

use guard_core::event::RequestStep;
use guard_report::log_files::read_newest;
use guard_report::request_record::RequestRecord;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Open requests and the latest steps.
#[derive(Debug, Default)]
pub struct Requests(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// By ring and request, in the order of their ids.
    open: BTreeMap<(String, String), Arc<str>>,
    /// The oldest first.
    steps: VecDeque<Arc<str>>,
}

/// Steps that are kept.
pub const MAX_STEPS: usize = 256;

// === impl Requests ===

impl Requests {
    /// What the log at `path` holds.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        let requests = Self::default();
        // What cannot be read is not shown.
        for text in read_newest(path, usize::MAX, usize::MAX) {
            text.lines().for_each(|line| requests.push(line));
        }
        requests
    }

    /// Takes a step: its line in the log, without the newline.
    pub fn push(&self, line: &str) {
        let Some(record) = RequestRecord::parse(line) else {
            return;
        };
        let key = (record.ring.into_owned(), record.id.into_owned());
        let line: Arc<str> = line.into();
        let mut kept = self.lock();
        match RequestStep::from_name(&record.step) {
            Some(RequestStep::Requested) => {
                kept.open.insert(key, Arc::clone(&line));
            }
            Some(_) => {
                kept.open.remove(&key);
            }
            None => {}
        }
        if kept.steps.len() >= MAX_STEPS {
            kept.steps.pop_front();
        }
        kept.steps.push_back(line);
    }

    /// Forgets the open requests of rings that no live guard writes.
    pub fn retain(&self, is_live: impl Fn(&str) -> bool) {
        self.lock().open.retain(|(ring, _), _| is_live(ring));
    }

    /// The lines of the requests that wait for a person.
    #[must_use]
    pub fn open(&self) -> Vec<Arc<str>> {
        self.lock().open.values().map(Arc::clone).collect()
    }

    /// The lines of the latest steps, the newest first.
    #[must_use]
    pub fn steps(&self) -> Vec<Arc<str>> {
        self.lock().steps.iter().rev().map(Arc::clone).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::event::RequestEvent;
    use guard_report::log_files::numbered;
    use guard_testing::events::REQUEST;

    fn line(step: RequestStep, id: &str, ring: &str) -> String {
        let event = RequestEvent {
            step,
            id,
            ..REQUEST
        };
        let mut line = Vec::new();
        RequestRecord::new(&event, ring).append_to(&mut line);
        String::from_utf8(line).unwrap().trim_end().to_owned()
    }

    #[test]
    fn a_request_is_open_until_it_is_answered_or_its_guard_is_gone() {
        let requests = Requests::default();
        for (id, ring) in [("a-1", "aa"), ("a-2", "aa"), ("b-1", "bb")] {
            requests.push(&line(RequestStep::Requested, id, ring));
        }
        requests.push("no line");
        assert_eq!(requests.open().len(), 3);
        requests.push(&line(RequestStep::Rejected, "a-1", "aa"));
        requests.push(&line(RequestStep::Granted, "x", "aa"));
        assert_eq!(requests.open().len(), 2);
        requests.retain(|ring| ring == "bb");
        let open = requests.open();
        assert!(open.len() == 1 && open[0].contains("b-1"));
        assert_eq!(requests.steps().len(), 5);
        assert!(requests.steps()[0].contains("granted"));
    }

    #[test]
    fn the_log_gives_what_was_read_before() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("overrides.jsonl");
        let asked = line(RequestStep::Requested, "a-1", "aa");
        std::fs::write(numbered(&log, 1), format!("{asked}\n")).unwrap();
        let other = line(RequestStep::Requested, "a-2", "aa");
        let answered = line(RequestStep::Granted, "a-1", "aa");
        std::fs::write(&log, format!("{other}\n{answered}\n")).unwrap();
        let requests = Requests::load(&log);
        let open = requests.open();
        assert!(open.len() == 1 && open[0].contains("a-2"));
    }
}
