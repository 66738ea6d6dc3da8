//! Drains the guards' rings into Prometheus metrics and the denial log.
#![forbid(unsafe_code)]

pub mod denial_log;
pub mod metrics;
pub mod notice;
#[cfg(test)]
mod testing;
pub mod health;
pub mod http;
pub mod instance;
