//! Series by a name that comes from outside: a zone's, a tool's.
//!
//! At most [`MAX_NAMES`] names have series of their own. The rest, and whatever looks like a path,
//! is `other`: a label never holds a path, whatever a policy calls its zones.

use super::catalogue::MAX_NAMES;
use prometheus::IntCounter;

/// A value for each name.
#[derive(Debug)]
pub(super) struct Named<T> {
    series: Vec<(Box<str>, T)>,
    /// Counts what became `other` for want of room.
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

    /// The value for `name`, made when it is first seen.
    pub(super) fn get(&mut self, name: &str, make: impl FnOnce(&str) -> T) -> &mut T {
        let name = if is_fit(name) { name } else { OTHER };
        let index = match self.position(name) {
            Some(index) => index,
            None if self.series.len() < MAX_NAMES || name == OTHER => self.add(name, make),
            None => {
                self.capped.inc();
                match self.position(OTHER) {
                    Some(index) => index,
                    None => self.add(OTHER, make),
                }
            }
        };
        &mut self.series[index].1
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.series.iter().position(|(known, _)| **known == *name)
    }

    fn add(&mut self, name: &str, make: impl FnOnce(&str) -> T) -> usize {
        self.series.push((name.into(), make(name)));
        self.series.len() - 1
    }
}

fn is_fit(name: &str) -> bool {
    let is_strange = |c: char| c == '/' || c.is_control();
    (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.contains(is_strange)
}

const MAX_NAME_BYTES: usize = 64;
const OTHER: &str = "other";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_cap_and_paths_are_other() {
        let capped = IntCounter::new("capped", "help").unwrap();
        let mut named = Named::<u64>::new(capped.clone());
        for number in 0..MAX_NAMES + 10 {
            *named.get(&format!("zone {number}"), |_| 0) += 1;
        }
        for strange in ["/home/u", "a\nb", "", &"x".repeat(65)] {
            *named.get(strange, |_| 0) += 1;
        }
        *named.get("zone 0", |_| 0) += 1;
        assert_eq!(*named.get("zone 0", |_| 0), 2);
        assert_eq!(*named.get(OTHER, |_| 0), 14);
        assert_eq!((named.series.len(), capped.get()), (MAX_NAMES + 1, 10));
    }
}
