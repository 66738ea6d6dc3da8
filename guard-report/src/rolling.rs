//! Figures of the last minutes, kept in slices of [`SLICE`] that expire one by one.
//!
//! A window of a minute is the slice that is being filled and the full ones before it: at least
//! [`SLICE`] less than its name says, never more. Time is a monotonic clock, so a wall clock that is
//! set back moves nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a slice is filled.
pub const SLICE: Duration = Duration::from_secs(10);

/// The windows, shortest first.
pub const WINDOWS: [Window; 2] = [
    Window {
        name: "1m",
        slices: 6,
    },
    Window {
        name: "5m",
        slices: 30,
    },
];

/// The longest of them.
pub const LONGEST: Window = WINDOWS[WINDOWS.len() - 1];

/// How far back figures are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// What it is called.
    pub name: &'static str,
    /// How many slices it spans, the one being filled included.
    pub slices: usize,
}

/// Slices of `T`, as many as the longest of [`WINDOWS`] needs.
#[derive(Debug)]
pub struct Rolling<T> {
    origin: Instant,
    /// By number, rising; those in which nothing happened are not there.
    slices: VecDeque<(u64, T)>,
}

// === impl Window ===

impl Window {
    /// The window of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        WINDOWS.into_iter().find(|window| window.name == name)
    }

    /// The most seconds it covers.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.slices as u64 * SLICE.as_secs()
    }
}

// === impl Rolling ===

impl<T: Default> Rolling<T> {
    /// Nothing yet.
    #[must_use]
    pub fn new(origin: Instant) -> Self {
        Self {
            origin,
            slices: VecDeque::new(),
        }
    }

    /// The slice of `time`, or the oldest kept one for a time before that. What no window covers any
    /// more goes to `expired`.
    pub fn slice(&mut self, time: Instant, mut expired: impl FnMut(&T)) -> &mut T {
        let number = self.number(time);
        if self.slices.back().is_none_or(|(last, _)| *last < number) {
            self.slices.push_back((number, T::default()));
            while let Some((first, _)) = self.slices.front()
                && first + KEPT <= number
            {
                self.slices
                    .pop_front()
                    .iter()
                    .for_each(|(_, slice)| expired(slice));
            }
        }
        // Nearly always the last.
        let after = self.slices.iter().rposition(|(slice, _)| *slice <= number);
        let index = match after {
            Some(index) if self.slices[index].0 == number => index,
            Some(index) => self.insert(index + 1, number),
            None if number + KEPT > self.slices[self.slices.len() - 1].0 => self.insert(0, number),
            None => 0,
        };
        &mut self.slices[index].1
    }

    /// The slices of `window` as it ends at `now`.
    pub fn last(&self, now: Instant, window: Window) -> impl Iterator<Item = &T> {
        self.ages(now, window).map(|(_, slice)| slice)
    }

    /// As [`last`](Self::last), each with how many slices ago it was filled; 0 is being filled.
    pub fn ages(&self, now: Instant, window: Window) -> impl Iterator<Item = (usize, &T)> {
        let number = self.number(now);
        let age = move |slice: &u64| usize::try_from(number.saturating_sub(*slice));
        self.slices
            .iter()
            .filter_map(move |(slice, value)| Some((age(slice).ok()?, value)))
            .filter(move |(age, _)| *age < window.slices)
    }

    /// All slices that there are.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.slices.iter().map(|(_, slice)| slice)
    }

    fn insert(&mut self, index: usize, number: u64) -> usize {
        self.slices.insert(index, (number, T::default()));
        index
    }

    fn number(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.origin).as_secs() / SLICE.as_secs()
    }
}

const KEPT: u64 = LONGEST.slices as u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_come_into_windows_and_fall_out_of_them() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rolling = Rolling::<u64>::new(start);
        let sum = |rolling: &Rolling<u64>, now, window| -> u64 {
            rolling.last(at(now), Window::named(window).unwrap()).sum()
        };
        *rolling.slice(at(0), |_| panic!()) += 1;
        *rolling.slice(at(9), |_| panic!()) += 1;
        *rolling.slice(at(55), |_| panic!()) += 4;
        assert_eq!(sum(&rolling, 55, "1m"), 6);
        assert_eq!(sum(&rolling, 60, "1m"), 4, "the first slice left");
        assert_eq!(sum(&rolling, 299, "5m"), 6);
        assert_eq!(sum(&rolling, 300, "5m"), 4);
        let ages: Vec<_> = rolling.ages(at(60), Window::named("5m").unwrap()).collect();
        assert_eq!(ages, [(6, &2), (1, &4)]);
        let mut expired = 0;
        *rolling.slice(at(10_000), |slice| expired += slice) += 8;
        assert_eq!(expired, 6, "nothing is lost on the way");
        assert_eq!(sum(&rolling, 10_000, "5m"), 8);
        assert_eq!(rolling.slices.len(), 1, "what no window covers is dropped");
    }

    #[test]
    fn what_comes_late_falls_into_its_own_slice() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rolling = Rolling::<u64>::new(start);
        for (seconds, value) in [(400, 1), (365, 2), (399, 4), (385, 8), (120, 16), (3, 32)] {
            *rolling.slice(at(seconds), |_| panic!()) += value;
        }
        let slices: Vec<_> = rolling.slices.iter().copied().collect();
        assert_eq!(slices, [(12, 48), (36, 2), (38, 8), (39, 4), (40, 1)]);
        let minute: u64 = rolling.last(at(409), WINDOWS[0]).sum();
        assert_eq!(minute, 15);
    }

    #[test]
    fn windows_have_names_and_lengths() {
        let lengths = WINDOWS.map(|window| (window.name, window.seconds()));
        assert_eq!(lengths, [("1m", 60), ("5m", 300)]);
        assert_eq!(Window::named("1h"), None);
    }
}
