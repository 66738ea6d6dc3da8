//! The selection of operations that the kernel sends.

mod applied;
mod plan;

pub use applied::AdoptError;
pub(crate) use applied::Applied;
pub(crate) use plan::{ENFORCED, MutePlan, Reach};
