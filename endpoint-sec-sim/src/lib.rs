//! A simulated Mac, for tests and benches of Endpoint Security clients away from macOS.
//!
//! This crate defines the C functions of libEndpointSecurity on every target that is not Apple's, so that a client built
//! for macOS links and runs here unchanged. What the functions act on is a [`Machine`]: it has a release, processes, files,
//! a clock, and a subsystem that keeps the rules of Apple's headers. What a client does wrong is written down and fails the
//! test.
//!
//! On Apple's targets this crate is empty.

#![cfg(not(target_vendor = "apple"))]

mod abi;
mod action;
mod attempt;
mod cache;
mod clock;
mod events;
mod file;
mod machine;
mod memory;
mod mute;
mod payload;
mod process;
pub mod release;
mod report;
mod sample;
mod scenario;

pub use action::Action;
pub use attempt::{Attempt, Verdict};
pub use clock::Timebase;
pub use endpoint_sec_sys::OsVersion;
pub use file::File;
pub use machine::operations::Exec;
pub use machine::{Installed, Machine, MachineBuilder};
pub use memory::{Arena, no_string};
pub use process::{Process, ProcessBuilder};
pub use report::{Defect, Report};
pub use scenario::{Played, ReadScenarioError, Scenario, UnknownProcessError};
