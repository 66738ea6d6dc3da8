//! Asking a person, and the person's answer: the control socket of a guard.
//!
//! ```text
//! codex-es-guard request ─▶ client ══ socket ══▶ server ─▶ standing: who asks, by the kernel
//!                                                   ├─▶ wanted: may this be asked for at all?
//!                                                   ├─▶ requests: those that are open, within bounds
//! codex-es-guard approve ─▶ client ══ socket ══▶ server ─▶ standing: is it a person?
//!                                                   └─▶ grants: an override, in force at once
//! ```
//!
//! It guarantees that a process with an agent among its ancestors, or whose ancestors are not all
//! known, may ask and cannot grant, whatever it sends; that requests are bounded in size, number and
//! rate; and that no thread that answers the kernel waits for any of this. It deliberately knows
//! nothing of what an agent claims about itself.
//!
//! On Linux a thread of its own serves a session; on macOS the thread that keeps house, which also
//! puts policies in force.

mod connection;
mod desk;
mod grants;
mod journal;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
mod notify;
mod peer;
mod requests;
mod server;
mod standing;
#[cfg(target_os = "linux")]
mod thread;
pub(crate) mod wanted;

pub(crate) use desk::Desk;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(target_os = "macos")]
use macos as platform;
#[cfg(target_os = "macos")]
pub(crate) use server::Server;
#[cfg(target_os = "linux")]
pub(crate) use thread::start;
