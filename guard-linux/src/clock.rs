//! The kernel's clocks, in nanoseconds.

use rustix::time::{ClockId, clock_gettime};

/// The wall clock.
pub(crate) fn wall_ns() -> u64 {
    now_ns(ClockId::Realtime)
}

/// The clock that only advances: for durations.
pub(crate) fn monotonic_ns() -> u64 {
    now_ns(ClockId::Monotonic)
}

/// Time since boot, suspension included: the clock of start times in `/proc/PID/stat`.
pub(crate) fn since_boot_ns() -> u64 {
    now_ns(ClockId::Boottime)
}

fn now_ns(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    u64::try_from(time.tv_sec)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}
