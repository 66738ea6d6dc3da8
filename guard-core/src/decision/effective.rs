//! The entry that is in effect for a path: the most specific one that applies.

use crate::actor::Attribution;
use crate::policy::{OverrideEntry, Snapshot, Zone};
use crate::process::basename;
use crate::verdict::Reason;
use crate::zones::{Entry, ZoneMatch, below};

/// What the policy says of a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum EffectiveEntry<'s> {
    /// No zone contains the path.
    Outside,
    /// A zone protects the path.
    Zone(&'s Zone),
    /// A zone contains the path, but a more specific entry exempts it.
    Open {
        reason: Reason,
        zone: &'s Zone,
        overriding: Option<&'s OverrideEntry>,
    },
}

pub(super) fn effective_entry<'s>(
    snapshot: &'s Snapshot,
    found: ZoneMatch<'s>,
    path: &[u8],
    applies: impl Fn(&OverrideEntry) -> bool,
) -> EffectiveEntry<'s> {
    let mut open = None;
    for entry in found.entries() {
        match entry {
            Entry::Zone(id) => {
                let Some(zone) = snapshot.zones.get(id.0 as usize) else {
                    continue;
                };
                let by_name = || exempt_by_name(snapshot, zone, path).map(|reason| (reason, None));
                return match open.or_else(by_name) {
                    Some((reason, overriding)) => EffectiveEntry::Open {
                        reason,
                        zone,
                        overriding,
                    },
                    None => EffectiveEntry::Zone(zone),
                };
            }
            _ if open.is_some() => {}
            Entry::Override(id) => {
                open = snapshot
                    .overrides
                    .get(id.0 as usize)
                    .filter(|entry| applies(entry))
                    .map(|entry| (Reason::Override, Some(entry)));
            }
            Entry::Disposable => open = Some((Reason::Disposable, None)),
            Entry::SystemTemp => open = Some((Reason::SystemTemp, None)),
        }
    }
    EffectiveEntry::Outside
}

/// Whether an override that names an agent or a session applies to this actor.
pub(super) fn is_for(
    entry: &OverrideEntry,
    snapshot: &Snapshot,
    attribution: Attribution<'_>,
) -> bool {
    let Attribution::Agent(agent) = attribution else {
        return false;
    };
    let is_its_session =
        |session: &str| session.as_bytes() == agent.session || session == snapshot.session.as_ref();
    entry
        .agent
        .as_deref()
        .is_none_or(|label| label == agent.label)
        && entry.session.as_deref().is_none_or(is_its_session)
}

/// The reason for which a name is exempt at any depth below a zone.
fn exempt_by_name(snapshot: &Snapshot, zone: &Zone, path: &[u8]) -> Option<Reason> {
    if basename(path) == FINDER_FILE {
        return Some(Reason::SystemTemp);
    }
    if snapshot.disposable.is_empty() {
        return None;
    }
    let below = below(zone.as_ref().path, path)?;
    let is_disposable = snapshot.disposable.iter().any(|glob| glob.covers(below));
    is_disposable.then_some(Reason::Disposable)
}

/// Written by the Finder into each directory it displays.
const FINDER_FILE: &[u8] = b".DS_Store";
