//! The place of an object in a zone.

use crate::actor::FactSource;
use crate::standing::{Place, PlaceQuery};

/// What the topmost directory above an object, or the object itself, is: the zone's root is not
/// asked about. What an agent moved there from elsewhere is not in that place.
pub fn place_of<F: FactSource + ?Sized>(
    zone: &[u8],
    path: &[u8],
    since_ns: u64,
    query: PlaceQuery,
    facts: &F,
) -> Place {
    let below = crate::zones::below(zone, path);
    let Some(below) = below.filter(|below| !below.is_empty()) else {
        return Place::Unproven;
    };
    let root = path.len() - below.len();
    let ends = below.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let ends = ends.map(|(at, _)| root + at).chain([path.len()]);
    let mut best = Place::Unproven;
    for directory in ends.filter_map(|end| path.get(..end)) {
        let place = facts.place(directory, since_ns, query);
        if place == Place::Unproven || !is_at_home(directory, path, facts) {
            continue;
        }
        if place == Place::MadeAgain {
            return place;
        }
        best = place;
    }
    best
}

/// Whether neither the directory nor the object below it was moved there from elsewhere.
fn is_at_home<F: FactSource + ?Sized>(directory: &[u8], path: &[u8], facts: &F) -> bool {
    let is_below = |from: Vec<u8>| {
        let rest = from.strip_prefix(directory);
        rest.is_some_and(|rest| rest.starts_with(b"/"))
    };
    facts.came_from(directory).is_none() && facts.came_from(path).is_none_or(is_below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_facts::SampleFacts;

    fn of(zone: &str, path: &str, moved: &[(&'static str, &'static str)]) -> Place {
        let facts = SampleFacts {
            places: vec![
                ("/z/node_modules", Place::MadeAgain),
                ("/z/dist", Place::Output),
            ],
            came_from: moved.to_vec(),
            ..SampleFacts::default()
        };
        place_of(
            zone.as_bytes(),
            path.as_bytes(),
            0,
            PlaceQuery::OrOutput,
            &facts,
        )
    }

    #[test]
    fn an_object_is_in_the_place_above_it() {
        for (path, place) in [
            ("/z/node_modules/a/b", Place::MadeAgain),
            ("/z/node_modules", Place::MadeAgain),
            ("/z/dist/a", Place::Output),
            ("/z/src/a", Place::Unproven),
            ("/z", Place::Unproven),
        ] {
            assert_eq!(of("/z", path, &[]), place, "{path}");
        }
        for path in ["/z/node_modules/a", "/z/node_modules"] {
            assert_eq!(of("/z/node_modules", path, &[]), Place::Unproven, "{path}");
        }
    }

    #[test]
    fn what_was_moved_there_is_not_in_the_place() {
        let path = "/z/node_modules/a";
        for (moved, place) in [
            ((path, "/z/docs/a"), Place::Unproven),
            ((path, "/z/node_modules/b"), Place::MadeAgain),
            (("/z/node_modules", "/z/docs"), Place::Unproven),
        ] {
            assert_eq!(of("/z", path, &[moved]), place, "{moved:?}");
        }
    }
}
