//! Who speaks for a path: the most specific entry that is alive.

use crate::actor::Attribution;
use crate::policy::{OverrideEntry, Snapshot, Zone};
use crate::process::basename;
use crate::verdict::Reason;
use crate::zones::{Entry, Place, below};

/// What covers a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cover<'s> {
    /// No zone is above, whatever else is.
    Outside,
    /// A zone protects it.
    Zone(&'s Zone),
    /// A zone is above, but something more specific opens it.
    Open {
        reason: Reason,
        zone: &'s Zone,
        overriding: Option<&'s OverrideEntry>,
    },
}

pub(super) fn cover<'s>(
    snapshot: &'s Snapshot,
    place: Place<'s>,
    path: &[u8],
    is_alive: impl Fn(&OverrideEntry) -> bool,
) -> Cover<'s> {
    let mut open = None;
    for entry in place.entries() {
        match entry {
            Entry::Zone(id) => {
                let Some(zone) = snapshot.zones.get(id.0 as usize) else {
                    continue;
                };
                let by_name = || opened_by_name(snapshot, zone, path).map(|reason| (reason, None));
                return match open.or_else(by_name) {
                    Some((reason, overriding)) => Cover::Open {
                        reason,
                        zone,
                        overriding,
                    },
                    None => Cover::Zone(zone),
                };
            }
            _ if open.is_some() => {}
            Entry::Override(id) => {
                open = snapshot
                    .overrides
                    .get(id.0 as usize)
                    .filter(|entry| is_alive(entry))
                    .map(|entry| (Reason::Override, Some(entry)));
            }
            Entry::Disposable => open = Some((Reason::Disposable, None)),
            Entry::SystemTemp => open = Some((Reason::SystemTemp, None)),
        }
    }
    Cover::Outside
}

/// Whether an override for an agent or a session is for this actor.
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

/// Names that are open at any depth below a zone.
fn opened_by_name(snapshot: &Snapshot, zone: &Zone, path: &[u8]) -> Option<Reason> {
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

/// What macOS leaves in every directory it shows.
const FINDER_FILE: &[u8] = b".DS_Store";
