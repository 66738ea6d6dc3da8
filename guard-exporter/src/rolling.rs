//! Figures of the last minutes, kept in slices of [`SLICE`] that fall away one by one.
//!
//! A window of a minute is the slice that is being filled and the full ones before it: at least
//! [`SLICE`] less than its name says, never more. Time is the exporter's monotonic clock at the
//! reading, so neither a clock that is set back nor a backlog's old stamps move anything.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a slice is filled.
pub const SLICE: Duration = Duration::from_secs(10);

/// The windows that are told, shortest first.
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

    /// The slice to be filled at `now`. What no window shows any more goes to `gone`.
    pub fn current(&mut self, now: Instant, mut gone: impl FnMut(&T)) -> &mut T {
        let number = self.number(now);
        if self.slices.back().is_none_or(|(last, _)| *last < number) {
            self.slices.push_back((number, T::default()));
            while let Some((first, _)) = self.slices.front()
                && first + KEPT <= number
            {
                self.slices
                    .pop_front()
                    .iter()
                    .for_each(|(_, slice)| gone(slice));
            }
        }
        &mut self.slices.back_mut().expect("one is there").1
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
        *rolling.current(at(0), |_| panic!()) += 1;
        *rolling.current(at(9), |_| panic!()) += 1;
        *rolling.current(at(55), |_| panic!()) += 4;
        assert_eq!(sum(&rolling, 55, "1m"), 6);
        assert_eq!(sum(&rolling, 60, "1m"), 4, "the first slice left");
        assert_eq!(sum(&rolling, 299, "5m"), 6);
        assert_eq!(sum(&rolling, 300, "5m"), 4);
        let ages: Vec<_> = rolling.ages(at(60), Window::named("5m").unwrap()).collect();
        assert_eq!(ages, [(6, &2), (1, &4)]);
        let mut gone = 0;
        *rolling.current(at(10_000), |slice| gone += slice) += 8;
        assert_eq!(gone, 6, "nothing is lost on the way");
        assert_eq!(sum(&rolling, 10_000, "5m"), 8);
        assert_eq!(rolling.slices.len(), 1, "what no window shows is let go");
    }

    #[test]
    fn windows_have_names_and_lengths() {
        let lengths = WINDOWS.map(|window| (window.name, window.seconds()));
        assert_eq!(lengths, [("1m", 60), ("5m", 300)]);
        assert_eq!(Window::named("1h"), None);
    }
}
