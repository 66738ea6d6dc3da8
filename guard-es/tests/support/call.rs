//! Single system calls of a simulated Mac, as rows of tables.

#![allow(dead_code, reason = "each test binary makes some of the calls")]

use crate::support::Mac;
use endpoint_sec_sim::{Attempt, Process};

/// One system call with its paths.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Unlink(&'static str),
    Rename(&'static str, &'static str),
    Truncate(&'static str),
    /// With kernel flags.
    Open(&'static str, u32),
    Create(&'static str),
    Link(&'static str, &'static str),
    Clone(&'static str, &'static str),
    Copy(&'static str, &'static str),
    Exchange(&'static str, &'static str),
}

// === impl Call ===

impl Call {
    pub(crate) fn attempt(self, mac: &Mac, actor: &Process) -> Attempt {
        let machine = &mac.machine;
        match self {
            Self::Unlink(path) => machine.unlink(actor, path),
            Self::Rename(from, to) => machine.rename(actor, from, to),
            Self::Truncate(path) => machine.truncate(actor, path),
            Self::Open(path, flags) => machine.open(actor, path, flags),
            Self::Create(path) => machine.create_file(actor, path, 0o644),
            Self::Link(from, to) => machine.link(actor, from, to),
            Self::Clone(from, to) => machine.clone_file(actor, from, to),
            Self::Copy(from, to) => machine.copyfile(actor, from, to),
            Self::Exchange(one, other) => machine.exchangedata(actor, one, other),
        }
    }

    pub(crate) fn allowed(self, mac: &Mac, actor: &Process) -> bool {
        self.attempt(mac, actor).allowed()
    }
}
