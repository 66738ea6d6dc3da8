//! Mach's clock.

use endpoint_sec_sys as sys;

/// The time, in ticks.
pub(crate) fn now() -> u64 {
    // SAFETY: the function takes nothing and reads a clock.
    unsafe { sys::mach_absolute_time() }
}

/// How many nanoseconds a tick is, as a fraction; a nanosecond if the system does not say.
pub(crate) fn timebase() -> (u32, u32) {
    let mut info = sys::mach_timebase_info_data_t { numer: 1, denom: 1 };
    // SAFETY: the function writes two numbers to a local that is there.
    let result = unsafe { sys::mach_timebase_info(&raw mut info) };
    if result == 0 {
        (info.numer, info.denom)
    } else {
        (1, 1)
    }
}
