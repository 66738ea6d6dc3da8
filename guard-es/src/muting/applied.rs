//! Telling the kernel what to send, and changing one's mind without a gap.
//!
//! The kernel keeps a set of (path, event) pairs. Going from one plan to another adds what is new
//! first, then lets the policy change, and takes away what is old last: at no moment does a plan
//! lack what the policy in force needs.

use super::plan::{MutePlan, Reach};
use endpoint_sec::{CallError, EventType, Handle, PathError, TargetPath};
use std::collections::{BTreeMap, BTreeSet};

/// Why the kernel would not send what a policy needs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The kernel did not take a path.
    #[error("a zone cannot be covered: {0}")]
    Call(#[from] CallError),
    /// What the policy names is no path to Endpoint Security.
    #[error("a zone cannot be covered: {0}")]
    Path(#[from] PathError),
}

/// A path, and how far it reaches.
type Target = (Vec<u8>, Reach);

/// The pairs that the kernel has.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pairs: BTreeMap<Target, BTreeSet<EventType>>,
}

// === impl Applied ===

impl Applied {
    /// Adds what `plan` has and the kernel lacks, besides `always`, which no plan takes away.
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

    /// Takes away what the kernel has and `plan` lacks. What cannot be taken away brings messages
    /// that nobody needs, and is tried again the next time.
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
