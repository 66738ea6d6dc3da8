//! Which operations the kernel sends.

mod plan;

pub use plan::{Concern, ENFORCED, Judged, MutePlan, Reach, Rule};
