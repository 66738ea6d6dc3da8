//! What the samples are about: two files, two processes, and which shape the event has.

use endpoint_sec_sys::{audit_token_t, es_process_t, es_string_token_t};

use crate::file::File;
use crate::memory::Arena;
use crate::process::Process;

/// What sample events are about.
pub(super) struct Sample {
    pub(super) file: File,
    pub(super) other: File,
    pub(super) target: Process,
    pub(super) instigator: Process,
    /// Which shape, of those that the event has.
    pub(super) arm: usize,
    /// Without anything that may be missing.
    pub(super) bare: bool,
}

// === impl Sample ===

impl Sample {
    /// A process that may be missing, and is in bare samples.
    pub(super) fn some_process(&self, arena: &mut Arena, process: &Process) -> *mut es_process_t {
        arena.optional_process(Some(process).filter(|_| !self.bare))
    }

    pub(super) fn instigator(&self, arena: &mut Arena) -> *mut es_process_t {
        self.some_process(arena, &self.instigator)
    }

    pub(super) fn instigator_token(&self) -> audit_token_t {
        self.instigator.audit_token()
    }

    /// A text that may be missing, and is in bare samples.
    pub(super) fn text(&self, arena: &mut Arena, text: &str) -> es_string_token_t {
        arena.optional_string(Some(text).filter(|_| !self.bare))
    }

    /// A value that may be missing, and is in bare samples.
    pub(super) fn some<T: Copy>(&self, arena: &mut Arena, value: T) -> *mut T {
        if self.bare {
            std::ptr::null_mut()
        } else {
            arena.place(value)
        }
    }
}
