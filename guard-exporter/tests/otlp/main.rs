//! OTLP with a collector: what arrives, and what is counted as dropped.
#![allow(clippy::tests_outside_test_module, reason = "a test binary")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod collector;
mod faults;
mod secrets;
mod signals;
#[path = "../support/mod.rs"]
mod support;

use collector::Collector;
use std::process::Command;
use support::{Exporter, Home};

/// The command of an exporter without the `OTEL_*` variables of the environment.
fn command(home: &Home) -> Command {
    let mut command = home.command();
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    command
}

/// An exporter that sends to `collector` without delay.
fn start(home: &Home, collector: &Collector, variables: &[(&str, &str)]) -> Exporter {
    start_at(home, &collector.endpoint(), variables)
}

fn start_at(home: &Home, endpoint: &str, variables: &[(&str, &str)]) -> Exporter {
    home.spawn(
        command(home)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .envs(PROMPT)
            .envs(variables.iter().copied()),
    )
}

/// The value of a metric of one signal.
fn metric(exporter: &Exporter, name: &str, signal: &str) -> u64 {
    let value = exporter.metric(&format!("guard_otlp_{name}{{signal=\"{signal}\"}}"));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count"
    )]
    let value = value.unwrap() as u64;
    value
}

/// No item waits for its batch to fill.
const PROMPT: [(&str, &str); 3] = [
    ("OTEL_BSP_SCHEDULE_DELAY", "1"),
    ("OTEL_BLRP_SCHEDULE_DELAY", "1"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
];
