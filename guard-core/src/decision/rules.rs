//! What each kind of operation destroys. Nothing here depends on the actor, except through overrides
//! for one agent or session.

use super::effective::EffectiveEntry;
use crate::operation::{Operation, OperationKind};
use crate::policy::{OverrideEntry, Snapshot, Zone};
use crate::verdict::Reason;
use crate::zones::{ZoneMatch, below};

/// What an operation does to the zones.
pub(super) enum Effect<'s, 'o> {
    /// Nothing protected is destroyed.
    Permitted {
        reason: Reason,
        zone: Option<&'s Zone>,
        overriding: Option<&'s OverrideEntry>,
    },
    /// Something protected is destroyed.
    Destroys(ProtectedTarget<'s, 'o>),
}

/// What would be destroyed.
pub(super) struct ProtectedTarget<'s, 'o> {
    pub(super) zone: &'s Zone,
    /// Whether the zone's root is destroyed, not only something below it.
    pub(super) whole: bool,
    /// The zone's root, if another name is renamed onto it.
    pub(super) onto_root: Option<&'o [u8]>,
    /// The object relative to the zone's root; `None` where the root is destroyed.
    pub(super) below: Option<&'o [u8]>,
}

/// A name, and what the zones say of it.
#[derive(Clone, Copy)]
struct Object<'s, 'o> {
    path: &'o [u8],
    found: ZoneMatch<'s>,
}

type EffectiveEntryOf<'f, 's> = &'f dyn Fn(ZoneMatch<'s>, &[u8]) -> EffectiveEntry<'s>;

/// Whether the operation removes, moves, truncates, writes or links one of the guard's own files.
pub(super) fn touches_own(
    kind: OperationKind,
    source: ZoneMatch<'_>,
    destination: Option<ZoneMatch<'_>>,
) -> bool {
    let is_own = |found: ZoneMatch<'_>| found.is_own();
    let removes_own = |found: ZoneMatch<'_>| found.is_own() || found.contains_own_file();
    match kind {
        OperationKind::Control | OperationKind::Write | OperationKind::Truncate => source.is_own(),
        OperationKind::Clone => destination.unwrap_or(source).is_own(),
        OperationKind::Link => source.is_own() || destination.is_some_and(is_own),
        OperationKind::Unlink => removes_own(source),
        OperationKind::Rename | OperationKind::Exchange => {
            removes_own(source) || destination.is_some_and(removes_own)
        }
    }
}

/// The effect of an operation that the policy judges.
pub(super) fn effect<'s, 'o>(
    snapshot: &'s Snapshot,
    operation: &'o Operation<'o>,
    source: ZoneMatch<'s>,
    destination: Option<ZoneMatch<'s>>,
    effective: EffectiveEntryOf<'_, 's>,
) -> Effect<'s, 'o> {
    let source = Object {
        path: operation.path,
        found: source,
    };
    let destination = operation
        .destination
        .zip(destination)
        .map(|(path, found)| Object { path, found });
    match operation.kind {
        OperationKind::Unlink => remove(snapshot, source, effective),
        OperationKind::Rename => rename(snapshot, source, destination, effective),
        OperationKind::Exchange => exchange(snapshot, source, destination, effective),
        OperationKind::Truncate => overwrite(source, effective),
        OperationKind::Clone => overwrite(destination.unwrap_or(source), effective),
        OperationKind::Link => link(source, destination, effective),
        OperationKind::Write | OperationKind::Control => permitted(Reason::NotJudged),
    }
}

fn remove<'s, 'o>(
    snapshot: &'s Snapshot,
    object: Object<'s, 'o>,
    effective: EffectiveEntryOf<'_, 's>,
) -> Effect<'s, 'o> {
    if let Some(zone) = contained_zone(snapshot, object) {
        return Effect::Destroys(ProtectedTarget::whole(zone));
    }
    overwrite(object, effective)
}

/// The source is moved away; an object at the destination is replaced.
fn rename<'s, 'o>(
    snapshot: &'s Snapshot,
    source: Object<'s, 'o>,
    destination: Option<Object<'s, 'o>>,
    effective: EffectiveEntryOf<'_, 's>,
) -> Effect<'s, 'o> {
    if let Some(zone) = contained_zone(snapshot, source) {
        return Effect::Destroys(ProtectedTarget::whole(zone));
    }
    if let Some(destination) = destination
        && let Some(zone) = contained_zone(snapshot, destination)
    {
        return Effect::Destroys(ProtectedTarget {
            onto_root: Some(destination.path),
            ..ProtectedTarget::whole(zone)
        });
    }
    let goes_to_zone = || {
        destination
            .map(|object| effective(object.found, object.path))
            .and_then(EffectiveEntry::zone)
    };
    match effective(source.found, source.path) {
        EffectiveEntry::Zone(zone) => match goes_to_zone() {
            Some(_) => Effect::Permitted {
                reason: Reason::WithinZones,
                zone: Some(zone),
                overriding: None,
            },
            None => Effect::Destroys(ProtectedTarget::of(zone, source.path)),
        },
        EffectiveEntry::Outside => match goes_to_zone() {
            zone @ Some(_) => Effect::Permitted {
                reason: Reason::Replaced,
                zone,
                overriding: None,
            },
            None => permitted(Reason::OutsideZones),
        },
        open => open.permitted(),
    }
}

/// Each object is moved to the other's name.
fn exchange<'s, 'o>(
    snapshot: &'s Snapshot,
    left: Object<'s, 'o>,
    right: Option<Object<'s, 'o>>,
    effective: EffectiveEntryOf<'_, 's>,
) -> Effect<'s, 'o> {
    let contained_zone = |object| contained_zone(snapshot, object);
    if let Some(zone) = contained_zone(left).or_else(|| right.and_then(contained_zone)) {
        return Effect::Destroys(ProtectedTarget::whole(zone));
    }
    let left_entry = effective(left.found, left.path);
    let right_entry = right.map_or(EffectiveEntry::Outside, |object| {
        effective(object.found, object.path)
    });
    match (left_entry, right_entry, right) {
        (EffectiveEntry::Zone(zone), EffectiveEntry::Zone(_), _) => Effect::Permitted {
            reason: Reason::WithinZones,
            zone: Some(zone),
            overriding: None,
        },
        (EffectiveEntry::Zone(zone), _, _) => {
            Effect::Destroys(ProtectedTarget::of(zone, left.path))
        }
        (_, EffectiveEntry::Zone(zone), Some(right)) => {
            Effect::Destroys(ProtectedTarget::of(zone, right.path))
        }
        (EffectiveEntry::Outside, other, _) | (other, _, _) => other.permitted(),
    }
}

/// The object's content is destroyed, and perhaps its name.
fn overwrite<'s, 'o>(
    object: Object<'s, 'o>,
    effective: EffectiveEntryOf<'_, 's>,
) -> Effect<'s, 'o> {
    match effective(object.found, object.path) {
        EffectiveEntry::Zone(zone) => Effect::Destroys(ProtectedTarget::of(zone, object.path)),
        other => other.permitted(),
    }
}

/// Through a second name outside the zones a protected object could be changed.
fn link<'s, 'o>(
    source: Object<'s, 'o>,
    destination: Option<Object<'s, 'o>>,
    effective: EffectiveEntryOf<'_, 's>,
) -> Effect<'s, 'o> {
    let destination = destination.map(|object| effective(object.found, object.path));
    match (effective(source.found, source.path), destination) {
        (EffectiveEntry::Zone(zone), Some(EffectiveEntry::Zone(_))) => Effect::Permitted {
            reason: Reason::WithinZones,
            zone: Some(zone),
            overriding: None,
        },
        (EffectiveEntry::Zone(zone), _) => Effect::Destroys(ProtectedTarget::of(zone, source.path)),
        (other, _) => other.permitted(),
    }
}

/// The zone whose root is removed or moved with this name.
fn contained_zone<'s>(snapshot: &'s Snapshot, object: Object<'s, '_>) -> Option<&'s Zone> {
    snapshot
        .zones
        .get(object.found.contains_zone_root()?.0 as usize)
}

fn permitted<'s, 'o>(reason: Reason) -> Effect<'s, 'o> {
    Effect::Permitted {
        reason,
        zone: None,
        overriding: None,
    }
}

// === impl EffectiveEntry ===

impl<'s> EffectiveEntry<'s> {
    fn zone(self) -> Option<&'s Zone> {
        match self {
            Self::Zone(zone) => Some(zone),
            Self::Outside | Self::Open { .. } => None,
        }
    }

    /// Why an unprotected object may be destroyed. Not for [`EffectiveEntry::Zone`].
    fn permitted<'o>(self) -> Effect<'s, 'o> {
        match self {
            Self::Open {
                reason,
                zone,
                overriding,
            } => Effect::Permitted {
                reason,
                zone: Some(zone),
                overriding,
            },
            Self::Outside | Self::Zone(_) => permitted(Reason::OutsideZones),
        }
    }
}

// === impl ProtectedTarget ===

impl<'s, 'o> ProtectedTarget<'s, 'o> {
    fn whole(zone: &'s Zone) -> Self {
        Self {
            zone,
            whole: true,
            onto_root: None,
            below: None,
        }
    }

    fn of(zone: &'s Zone, path: &'o [u8]) -> Self {
        Self {
            zone,
            whole: false,
            onto_root: None,
            below: below(zone.as_ref().path, path),
        }
    }
}
