//! Process facts on macOS.
//!
//! Three interfaces describe a process: `proc_pidpath` its executable, `sysctl(KERN_PROCARGS2)` its
//! current arguments and its environment, `proc_pidinfo(PROC_PIDTBSDINFO)` its parent, user and
//! start time. The audit token of its task has its `pidversion`, the number that Endpoint Security
//! reports too and that changes with each exec. It is read first and last, so that a description
//! never mixes two programs.
//!
//! Off macOS only [`arguments`] exists, for its tests.

pub mod arguments;
#[cfg(target_vendor = "apple")]
mod libproc;
#[cfg(target_vendor = "apple")]
mod sys;

#[cfg(target_vendor = "apple")]
pub use libproc::{
    AnyUsers, LibProc, all_processes, boot_session, parent_of, terminal_session, this_process,
};
#[cfg(target_vendor = "apple")]
pub use sys::{SocketPeer, socket_peer};
#[cfg(target_vendor = "apple")]
pub(crate) use sys::{file_system, is_case_sensitive};
