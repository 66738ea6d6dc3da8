//! Asking the guards of a user over their control sockets: the client's half, for every program that
//! asks.
//!
//! [`protocol`] is what passes over a socket, [`client`] finds the guards and asks them. A guard
//! answers by the kernel's word of who asks; nothing here claims anything about the caller.
//!
//! It is a crate of its own, and not a part of guard-report, so that the exporter cannot ask.

#![forbid(unsafe_code)]

pub mod client;
pub mod protocol;
