//! Asking a person, and the person's answer: the control socket of a guard.
//!
//! ```text
//! codex-es-guard request ─▶ client ══ socket ══▶ server ─▶ peer: who asks, by the kernel
//!                                                   ├─▶ wanted: may this be asked for at all?
//!                                                   ├─▶ requests: those that are open, within bounds
//! codex-es-guard approve ─▶ client ══ socket ══▶ server ─▶ peer: is it a person?
//!                                                   └─▶ grants: an override, in force at once
//! ```
//!
//! It guarantees that a process with an agent among its ancestors, or whose ancestors are not all
//! known, may ask and cannot grant, whatever it sends; that requests are bounded in size, number and
//! rate; and that no thread that answers the kernel waits for any of this. It deliberately knows
//! nothing of what an agent claims about itself.

#[cfg(target_os = "linux")]
mod connection;
#[cfg(target_os = "linux")]
mod desk;
#[cfg(target_os = "linux")]
mod grants;
#[cfg(target_os = "linux")]
mod journal;
#[cfg(target_os = "linux")]
mod notify;
#[cfg(target_os = "linux")]
mod peer;
#[cfg(any(target_os = "linux", test))]
mod requests;
#[cfg(target_os = "linux")]
mod server;
pub(crate) mod wanted;

#[cfg(target_os = "linux")]
pub(crate) use desk::Desk;
#[cfg(target_os = "linux")]
pub(crate) use server::start;
