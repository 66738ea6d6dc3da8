//! Applies a plan to the kernel's set of selected paths, and changes it without a gap.
//!
//! The kernel keeps a set of (path, event type) pairs. To go from one plan to another, the new
//! pairs are added first, then the policy is replaced, and the old pairs are removed last: at no
//! time does the set lack a pair that the policy in force needs.

use super::plan::{MutePlan, Reach};
use endpoint_sec::{CallError, EventType, Handle, PathError, TargetPath};
use std::collections::{BTreeMap, BTreeSet};

/// Why a policy cannot be put in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The kernel refused a path.
    #[error("a path of the policy cannot be selected")]
    Call(#[from] CallError),
    /// Endpoint Security has no such paths.
    #[error("a path of the policy is not a valid target path")]
    Path(#[from] PathError),
}

/// A path, and whether it is compared whole or as a prefix.
type Target = (Vec<u8>, Reach);

/// The pairs that the kernel's set has.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pairs: BTreeMap<Target, BTreeSet<EventType>>,
}

// === impl Applied ===

impl Applied {
    /// Adds the pairs of `plan`, and those of `unconditional`, which belong to every plan.
    pub(crate) fn widen(
        &mut self,
        handle: &Handle,
        plan: &MutePlan,
        unconditional: &[(Target, EventType)],
    ) -> Result<(), AdoptError> {
        for (target, events) in wanted(plan, unconditional) {
            let there = self.pairs.entry(target.clone()).or_default();
            let new: Vec<EventType> = events.difference(there).copied().collect();
            if !new.is_empty() {
                handle.mute_target_events(&path(&target)?, &new)?;
                there.extend(new);
            }
        }
        Ok(())
    }

    /// Removes the pairs that `plan` does not have. A pair that cannot be removed causes messages
    /// that are not needed, and is tried again the next time.
    pub(crate) fn narrow(
        &mut self,
        handle: &Handle,
        plan: &MutePlan,
        unconditional: &[(Target, EventType)],
    ) {
        let wanted = wanted(plan, unconditional);
        let none = BTreeSet::new();
        for (target, there) in &mut self.pairs {
            let needed = wanted.get(target).unwrap_or(&none);
            let old: Vec<EventType> = there.difference(needed).copied().collect();
            if old.is_empty() {
                continue;
            }
            let Ok(path) = path(target) else { continue };
            if handle.unmute_target_events(&path, &old).is_ok() {
                there.retain(|event| needed.contains(event));
            }
        }
        self.pairs.retain(|_, there| !there.is_empty());
    }
}

fn wanted(
    plan: &MutePlan,
    unconditional: &[(Target, EventType)],
) -> BTreeMap<Target, BTreeSet<EventType>> {
    let mut wanted: BTreeMap<Target, BTreeSet<EventType>> = BTreeMap::new();
    for rule in plan.rules() {
        let target = (rule.path.clone(), rule.reach);
        wanted
            .entry(target)
            .or_default()
            .extend(rule.concern.events());
    }
    for (target, event) in unconditional {
        wanted.entry(target.clone()).or_default().insert(*event);
    }
    wanted
}

fn path((path, reach): &Target) -> Result<TargetPath, PathError> {
    match reach {
        Reach::Literal => TargetPath::literal(path),
        Reach::Prefix => TargetPath::prefix(path),
    }
}
