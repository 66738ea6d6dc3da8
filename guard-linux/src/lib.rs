//! The Linux backend of codex-es-guard: guarded sessions by seccomp user notification.
//!
//! A filter on the session's processes makes a few system calls wait (`filter`). The supervisor
//! ([`supervisor`]) resolves what they would do (`callers`, `directories`), decides ([`judge`]),
//! and denies, performs or continues them. [`session`] is the tree of processes around it.
//!
//! ```text
//! session::run ─ fork ─▶ supervisor process: Supervisor::start(args, guard) … run_command()
//!                          └─ fork ─▶ the command, under the filter
//! ```
//!
//! It guarantees that a call of the session that destroys is answered by the guard or fails, also
//! when the guard is killed; that a caller gets what the kernel would answer, errno included, unless
//! it is denied; and that nothing is done for a caller that the kernel would refuse it.
//!
//! It deliberately knows no policy file, no exporter and no command line: the program that links it
//! brings a [`guard_core::guard::Guard`] and a command to run.

#![cfg(target_os = "linux")]

mod arguments;
mod callers;
mod calls;
mod clock;
mod context;
mod descriptors;
mod directories;
mod facts;
mod file_writes;
mod files;
mod filter;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod judge;
mod location;
mod mounts;
pub mod notice;
pub mod procfs;
mod program;
pub mod session;
mod session_caches;
pub mod supervisor;
mod sys;
mod walk;
mod writers;
