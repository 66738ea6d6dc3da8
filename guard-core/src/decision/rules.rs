//! What an operation takes away, by its kind. Nothing here depends on who asks, except through
//! overrides that are for an agent.

use super::cover::Cover;
use crate::operation::{Operation, OperationKind};
use crate::policy::{OverrideEntry, Snapshot, Zone};
use crate::verdict::Reason;
use crate::zones::{Place, below};

/// What an operation does to the zones.
pub(super) enum Effect<'s, 'o> {
    /// Nothing that is protected goes.
    Passes {
        reason: Reason,
        zone: Option<&'s Zone>,
        overriding: Option<&'s OverrideEntry>,
    },
    /// Something does.
    Takes(Loss<'s, 'o>),
}

/// What would go.
pub(super) struct Loss<'s, 'o> {
    pub(super) zone: &'s Zone,
    /// The zone's root goes, not only something below it.
    pub(super) whole: bool,
    /// The object is a zone's root that another name is renamed onto.
    pub(super) onto_root: Option<&'o [u8]>,
    /// The objects, relative to their zones' roots.
    pub(super) below: [Option<&'o [u8]>; 2],
}

/// A name, its place and what covers it.
#[derive(Clone, Copy)]
struct Object<'s, 'o> {
    path: &'o [u8],
    place: Place<'s>,
}

type CoverOf<'f, 's> = &'f dyn Fn(Place<'s>, &[u8]) -> Cover<'s>;

/// Whether the guard's own files are removed, moved, cut, written or given another name.
pub(super) fn touches_own(
    kind: OperationKind,
    source: Place<'_>,
    destination: Option<Place<'_>>,
) -> bool {
    let is_own = |place: Place<'_>| place.is_own();
    let takes_own = |place: Place<'_>| place.is_own() || place.carries_own();
    match kind {
        OperationKind::Control | OperationKind::Write | OperationKind::Truncate => source.is_own(),
        OperationKind::Clone => destination.unwrap_or(source).is_own(),
        OperationKind::Link => source.is_own() || destination.is_some_and(is_own),
        OperationKind::Unlink => takes_own(source),
        OperationKind::Rename | OperationKind::Exchange => {
            takes_own(source) || destination.is_some_and(takes_own)
        }
    }
}

/// What a judged operation does.
pub(super) fn effect<'s, 'o>(
    snapshot: &'s Snapshot,
    operation: &'o Operation<'o>,
    source: Place<'s>,
    destination: Option<Place<'s>>,
    cover: CoverOf<'_, 's>,
) -> Effect<'s, 'o> {
    let source = Object {
        path: operation.path,
        place: source,
    };
    let destination = operation
        .destination
        .zip(destination)
        .map(|(path, place)| Object { path, place });
    match operation.kind {
        OperationKind::Unlink => remove(snapshot, source, cover),
        OperationKind::Rename => rename(snapshot, source, destination, cover),
        OperationKind::Exchange => exchange(snapshot, source, destination, cover),
        OperationKind::Truncate => overwrite(source, cover),
        OperationKind::Clone => overwrite(destination.unwrap_or(source), cover),
        OperationKind::Link => link(source, destination, cover),
        OperationKind::Write | OperationKind::Control => passes(Reason::NotJudged),
    }
}

fn remove<'s, 'o>(
    snapshot: &'s Snapshot,
    object: Object<'s, 'o>,
    cover: CoverOf<'_, 's>,
) -> Effect<'s, 'o> {
    if let Some(zone) = carried(snapshot, object) {
        return Effect::Takes(Loss::whole(zone));
    }
    overwrite(object, cover)
}

/// The source leaves; what stands at the destination is replaced.
fn rename<'s, 'o>(
    snapshot: &'s Snapshot,
    source: Object<'s, 'o>,
    destination: Option<Object<'s, 'o>>,
    cover: CoverOf<'_, 's>,
) -> Effect<'s, 'o> {
    if let Some(zone) = carried(snapshot, source) {
        return Effect::Takes(Loss::whole(zone));
    }
    if let Some(destination) = destination
        && let Some(zone) = carried(snapshot, destination)
    {
        return Effect::Takes(Loss {
            onto_root: Some(destination.path),
            ..Loss::whole(zone)
        });
    }
    let goes_to_zone = || {
        destination
            .map(|object| cover(object.place, object.path))
            .and_then(Cover::zone)
    };
    match cover(source.place, source.path) {
        Cover::Zone(zone) => match goes_to_zone() {
            Some(_) => Effect::Passes {
                reason: Reason::WithinZones,
                zone: Some(zone),
                overriding: None,
            },
            None => Effect::Takes(Loss::of(zone, source.path)),
        },
        Cover::Outside => match goes_to_zone() {
            zone @ Some(_) => Effect::Passes {
                reason: Reason::Replaced,
                zone,
                overriding: None,
            },
            None => passes(Reason::OutsideZones),
        },
        open => open.passes(),
    }
}

/// Each side leaves for the other's place.
fn exchange<'s, 'o>(
    snapshot: &'s Snapshot,
    left: Object<'s, 'o>,
    right: Option<Object<'s, 'o>>,
    cover: CoverOf<'_, 's>,
) -> Effect<'s, 'o> {
    let carried = |object| carried(snapshot, object);
    if let Some(zone) = carried(left).or_else(|| right.and_then(carried)) {
        return Effect::Takes(Loss::whole(zone));
    }
    let left_cover = cover(left.place, left.path);
    let right_cover = right.map_or(Cover::Outside, |object| cover(object.place, object.path));
    match (left_cover, right_cover, right) {
        (Cover::Zone(zone), Cover::Zone(_), _) => Effect::Passes {
            reason: Reason::WithinZones,
            zone: Some(zone),
            overriding: None,
        },
        (Cover::Zone(zone), _, _) => Effect::Takes(Loss::of(zone, left.path)),
        (_, Cover::Zone(zone), Some(right)) => Effect::Takes(Loss::of(zone, right.path)),
        (Cover::Outside, other, _) | (other, _, _) => other.passes(),
    }
}

/// The content goes; the name may.
fn overwrite<'s, 'o>(object: Object<'s, 'o>, cover: CoverOf<'_, 's>) -> Effect<'s, 'o> {
    match cover(object.place, object.path) {
        Cover::Zone(zone) => Effect::Takes(Loss::of(zone, object.path)),
        other => other.passes(),
    }
}

/// A second name outside lets what is protected be changed from there.
fn link<'s, 'o>(
    source: Object<'s, 'o>,
    destination: Option<Object<'s, 'o>>,
    cover: CoverOf<'_, 's>,
) -> Effect<'s, 'o> {
    let destination = destination.map(|object| cover(object.place, object.path));
    match (cover(source.place, source.path), destination) {
        (Cover::Zone(zone), Some(Cover::Zone(_))) => Effect::Passes {
            reason: Reason::WithinZones,
            zone: Some(zone),
            overriding: None,
        },
        (Cover::Zone(zone), _) => Effect::Takes(Loss::of(zone, source.path)),
        (other, _) => other.passes(),
    }
}

/// The zone whose root goes away with this name.
fn carried<'s>(snapshot: &'s Snapshot, object: Object<'s, '_>) -> Option<&'s Zone> {
    snapshot.zones.get(object.place.carries()?.0 as usize)
}

fn passes<'s, 'o>(reason: Reason) -> Effect<'s, 'o> {
    Effect::Passes {
        reason,
        zone: None,
        overriding: None,
    }
}

// === impl Cover ===

impl<'s> Cover<'s> {
    fn zone(self) -> Option<&'s Zone> {
        match self {
            Self::Zone(zone) => Some(zone),
            Self::Outside | Self::Open { .. } => None,
        }
    }

    /// Why what is not protected may go; call on the others only.
    fn passes<'o>(self) -> Effect<'s, 'o> {
        match self {
            Self::Open {
                reason,
                zone,
                overriding,
            } => Effect::Passes {
                reason,
                zone: Some(zone),
                overriding,
            },
            Self::Outside | Self::Zone(_) => passes(Reason::OutsideZones),
        }
    }
}

// === impl Loss ===

impl<'s, 'o> Loss<'s, 'o> {
    fn whole(zone: &'s Zone) -> Self {
        Self {
            zone,
            whole: true,
            onto_root: None,
            below: [None, None],
        }
    }

    fn of(zone: &'s Zone, path: &'o [u8]) -> Self {
        let below = below(zone.as_ref().path, path);
        Self {
            zone,
            whole: false,
            onto_root: None,
            below: [below, None],
        }
    }
}
