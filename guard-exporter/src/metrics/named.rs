//! Series by a name from outside: of a zone or a tool.
//!
//! At most [`MAX_NAMES`] names have series of their own. Further names, and names with a slash, are
//! `other`: a label never holds a path, whatever names a policy gives its zones.

use super::catalogue::MAX_NAMES;
use prometheus::IntCounter;

/// A value for each name.
#[derive(Debug)]
pub(super) struct Named<T> {
    series: Vec<(Box<str>, T)>,
    /// Counts what became `other` because of the limit.
    capped: IntCounter,
}

// === impl Named ===

impl<T> Named<T> {
    pub(super) fn new(capped: IntCounter) -> Self {
        Self {
            series: Vec::new(),
            capped,
        }
    }

    /// The value for `name`, created when it is first seen.
    pub(super) fn get(&mut self, name: &str, create: impl FnOnce(&str) -> T) -> &mut T {
        let name = if is_valid(name) { name } else { OTHER };
        let index = match self.position(name) {
            Some(index) => index,
            None if self.series.len() < MAX_NAMES || name == OTHER => self.add(name, create),
            None => {
                self.capped.inc();
                match self.position(OTHER) {
                    Some(index) => index,
                    None => self.add(OTHER, create),
                }
            }
        };
        &mut self.series[index].1
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.series.iter().position(|(known, _)| **known == *name)
    }

    fn add(&mut self, name: &str, create: impl FnOnce(&str) -> T) -> usize {
        self.series.push((name.into(), create(name)));
        self.series.len() - 1
    }
}

fn is_valid(name: &str) -> bool {
    let is_refused = |c: char| c == '/' || c.is_control();
    (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.contains(is_refused)
}

const MAX_NAME_BYTES: usize = 64;
const OTHER: &str = "other";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_and_paths_are_other() {
        let capped = IntCounter::new("capped", "help").unwrap();
        let mut named = Named::<u64>::new(capped.clone());
        for number in 0..MAX_NAMES + 10 {
            *named.get(&format!("zone {number}"), |_| 0) += 1;
        }
        for invalid in ["/home/u", "a\nb", "", &"x".repeat(65)] {
            *named.get(invalid, |_| 0) += 1;
        }
        *named.get("zone 0", |_| 0) += 1;
        assert_eq!(*named.get("zone 0", |_| 0), 2);
        assert_eq!(*named.get(OTHER, |_| 0), 14);
        assert_eq!((named.series.len(), capped.get()), (MAX_NAMES + 1, 10));
    }
}
