//! Performing an allowed call in place of its caller, on the pinned objects: one function for each
//! kind. Calls that are not here are executed by the kernel, for the caller.
//!
//! Only for a caller that may do exactly what the guard may do; the errno is the kernel's.

use super::resolve::Name;
use crate::sys::notify::Reply;
use rustix::fs::{AtFlags, RenameFlags};
use rustix::io::Result;

/// What is done with a call that is allowed.
pub(super) enum Execution<F> {
    /// The guard performs it.
    Perform(F),
    /// The kernel goes on with it.
    Continue,
}

// === impl Execution ===

impl<F: FnOnce() -> Result<()>> Execution<F> {
    /// Does it.
    pub(super) fn run(self) -> Reply {
        match self {
            Self::Perform(perform) => perform().map_or_else(Reply::Fail, |()| Reply::Return(0)),
            Self::Continue => Reply::Continue,
        }
    }

    /// Whether the guard performs it.
    pub(super) const fn is_performed(&self) -> bool {
        matches!(self, Self::Perform(_))
    }

    /// The same, or nothing if the guard has done it already.
    pub(super) fn unless(self, is_done: bool) -> Execution<impl FnOnce() -> Result<()>> {
        match self {
            Self::Perform(perform) => {
                Execution::Perform(move || if is_done { Ok(()) } else { perform() })
            }
            Self::Continue => Execution::Continue,
        }
    }

    /// `self` if the guard may perform the call, else left to the kernel.
    pub(super) fn only_if(self, may_perform: bool) -> Self {
        if may_perform { self } else { Self::Continue }
    }
}

/// Executes `unlink`, `unlinkat` and `rmdir`.
pub(super) fn unlink(name: &Name, flags: AtFlags) -> Result<()> {
    rustix::fs::unlinkat(&name.directory.fd, &name.name, flags)
}

/// Executes `rename`, `renameat` and `renameat2`.
pub(super) fn rename(from: &Name, to: &Name, flags: RenameFlags) -> Result<()> {
    let (old, new) = (&from.directory.fd, &to.directory.fd);
    rustix::fs::renameat_with(old, &from.name, new, &to.name, flags)
}

/// Executes `link` and `linkat`, without following a final symbolic link.
pub(super) fn link(from: &Name, to: &Name) -> Result<()> {
    let (old, new) = (&from.directory.fd, &to.directory.fd);
    rustix::fs::linkat(old, &from.name, new, &to.name, AtFlags::empty())
}
