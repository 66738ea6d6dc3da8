//! Process facts on macOS.
//!
//! Three interfaces name a process: `proc_pidpath` its program, `sysctl(KERN_PROCARGS2)` its
//! arguments as they stand now and its environment, `proc_pidinfo(PROC_PIDTBSDINFO)` its parent,
//! user and start. A fourth, the audit token of its task, tells which execution it is: the
//! `pidversion` in it is what Endpoint Security counts, too. It is read first and last, so that a
//! description never mixes two programs.
//!
//! Only [`arguments`] exists off macOS, for its tests.

pub mod arguments;
#[cfg(target_vendor = "apple")]
mod libproc;
#[cfg(target_vendor = "apple")]
mod sys;

#[cfg(target_vendor = "apple")]
pub use libproc::{LibProc, all_processes, boot_session, parent_of, this_process};
#[cfg(target_vendor = "apple")]
pub(crate) use sys::{file_system, is_case_sensitive};
