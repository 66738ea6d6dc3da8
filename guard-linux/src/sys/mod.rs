//! System calls that neither std nor rustix offers, each behind a safe function.
//!
//! All unsafe code of this crate is in this module. What is here, and why rustix is not used for it:
//!
//! - [`notify`]: rustix has no `seccomp(2)` and no requests of its listener;
//! - [`fanotify`]: rustix has no `fanotify(7)`;
//! - [`memory`]: rustix has no `process_vm_readv(2)`;
//! - [`process`]: rustix offers no `fork`, and std's `exec` resets dispositions that are inherited;
//! - [`signals`]: rustix keeps `sigaction` and signal sets to itself, for C libraries own them;
//! - [`inherited`]: what has to run before `main`, and descriptors that no Rust value owns.
//!
//! Every function fails with the kernel's errno, retries nothing, and contains no policy.

pub(crate) mod fanotify;
pub(crate) mod inherited;
pub(crate) mod memory;
pub(crate) mod notify;
pub(crate) mod process;
mod result;
pub(crate) mod signals;
