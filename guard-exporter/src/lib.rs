//! Shows what the guards on this machine decide: reads their rings, counts into Prometheus metrics,
//! and writes the denial log.
//!
//! One decision's way: [`discovery`] finds the ring, [`drain`] reads it, [`observe`] has it counted
//! by [`metrics`], timed by [`activity`] and looked at by [`detect`], and when it is a denial
//! [`denial_log`] and [`recent`] keep it and [`stream`] tells it; [`otlp`] sends it on. [`http`] serves what is on the
//! [`board`]; [`service`] holds the two threads together.
//!
//! The exporter guarantees that it can neither change nor delay a decision: it maps rings read-only,
//! and guards never wait for it. It deliberately runs without any privilege, as the protected user.
#![forbid(unsafe_code)]

pub mod activity;
pub mod board;
pub mod cli;
pub mod confine;
pub mod cursors;
pub mod denial_log;
pub mod detect;
pub mod discovery;
pub mod drain;
pub mod health;
pub mod http;
pub mod instance;
pub mod metrics;
pub mod notice;
pub mod observe;
pub mod otlp;
pub mod percentiles;
pub mod recent;
pub mod ring;
pub mod rolling;
pub mod service;
pub mod status;
pub mod stream;
#[cfg(test)]
mod testing;
pub mod time;
pub mod verify;
