//! The C functions: they check their arguments and pass them to the installed machine.
//!
//! Without an installed machine every function fails as it does when the subsystem cannot be
//! reached.

use std::sync::Arc;

use endpoint_sec_sys::{es_event_type_t, functions};

use crate::events::EventSet;
use crate::machine::{Shared, current};
use crate::release::MACOS_11;
use crate::report::Defect;

pub(crate) mod answers;
mod clients;
mod messages;
mod muting;
mod settings;
mod symbols;
mod system;

/// The installed machine. Calling a function that its release does not have is a defect.
///
/// Functions newer than 11.0 are not checked here: clients find them by name, and [`symbols`] finds
/// only those that the release has.
fn machine(function: &'static str) -> Option<Arc<Shared>> {
    let shared = current()?;
    if !shared.is(MACOS_11) {
        let info = functions().find(|info| info.name == function);
        if info.is_some_and(|info| info.introduced > shared.config.release) {
            shared.lock().defect(Defect::MissingFunction { function });
        }
    }
    Some(shared)
}

/// Records that an argument is null.
fn null(shared: &Shared, function: &'static str) {
    shared.lock().defect(Defect::NullArgument { function });
}

/// The event types of an array.
///
/// # Safety
///
/// You must first convince yourself that `events` is null or points to `count` event types.
unsafe fn events_of(events: *const es_event_type_t, count: usize) -> Vec<es_event_type_t> {
    if events.is_null() || count == 0 {
        return Vec::new();
    }
    // SAFETY: not null, and the caller vouches for the rest.
    unsafe { std::slice::from_raw_parts(events, count) }.to_vec()
}

fn set_of(events: &[es_event_type_t]) -> EventSet {
    events.iter().map(|event| event.0).collect()
}
