//! What a restore would do.

use super::item::{Action, Effect, Item, Request};
use super::moves;
use super::names::{Names, Node};
use crate::files::{Kind, ObjectStat, OwnedName, is_absence, is_same_contents};
use crate::journal::{Event, Facts, Kept, Loss};
use crate::store::Session;
use guard_core::path::is_at_or_below;
use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// What would be done, item by item, in an order that works.
#[derive(Debug)]
pub struct Plan {
    /// Moves first, then directories, then files and links.
    pub items: Vec<Item>,
    pub(super) elsewhere: bool,
}

struct Planner<'s, 'r> {
    session: &'s Session,
    request: &'r Request,
    /// When the agent touched each path last.
    touched: HashMap<&'s [u8], u64>,
}

// === impl Plan ===

impl Plan {
    /// Plans the undoing of a session, by what is there now. It changes nothing.
    #[must_use]
    pub fn make(session: &Session, request: &Request) -> Self {
        let from_ns = request.at_ns.unwrap_or(0);
        let names = Names::before(&session.records, from_ns, request.at_ns.is_some());
        let planner = Planner {
            session,
            request,
            touched: touches(session),
        };
        let (mut moves, mut places) = (Vec::new(), Vec::new());
        for (path, node) in names.into_nodes() {
            if planner.is_wanted(&path, &node) {
                planner.plan(path, &node, &mut moves, &mut places);
            }
        }
        // Parents sort before what is below them.
        places.sort_by_key(|item: &Item| !matches!(item.action, Action::Directory { .. }));
        let mut items = moves::in_order(moves);
        items.extend(places);
        Self {
            items,
            elsewhere: request.to.is_some(),
        }
    }

    /// Whether there is anything left to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items
            .iter()
            .all(|item| item.effect == Effect::AlreadyThere)
    }
}

fn touches(session: &Session) -> HashMap<&[u8], u64> {
    let mut touched = HashMap::new();
    for record in &session.records {
        let path = match &record.event {
            Event::Removed(loss) | Event::Replaced(loss) | Event::Changed(loss) => &loss.path,
            Event::Renamed { to: path, .. } | Event::Touched { path } => path,
            _ => continue,
        };
        let latest = touched.entry(path.as_bytes()).or_insert(record.at_ns);
        *latest = record.at_ns.max(*latest);
    }
    touched
}

// === impl Planner ===

impl Planner<'_, '_> {
    fn is_wanted(&self, path: &[u8], node: &Node) -> bool {
        let only = &self.request.only;
        let covered = |path: &[u8]| only.iter().any(|above| is_at_or_below(path, above));
        only.is_empty() || covered(path) || node.current.as_deref().is_some_and(covered)
    }

    fn plan(&self, path: Vec<u8>, node: &Node, moves: &mut Vec<Item>, places: &mut Vec<Item>) {
        let moved = node.current.as_ref().filter(|current| **current != path);
        if let Some(from) = moved
            && self.request.to.is_none()
            && let Some(item) = self.plan_move(&path, from)
        {
            moves.push(item);
        }
        let loss = node
            .loss
            .and_then(|index| self.session.records.get(index))
            .and_then(|record| record.event.loss());
        if let Some(loss) = loss {
            // What is moved back here is then what is in the way.
            let current = moved.unwrap_or(&path);
            places.push(self.plan_place(&path, current, loss));
        }
    }

    fn plan_move(&self, path: &[u8], from: &[u8]) -> Option<Item> {
        let found = stat_path(from).ok()??;
        let effect = match stat_path(path) {
            Ok(Some(here)) if here.facts.inode == found.facts.inode => return None,
            // Another move may take it away first; what is there then is preserved.
            Ok(Some(_)) => Effect::Replaces,
            _ => Effect::Clear,
        };
        Some(Item {
            path: path.into(),
            target: path.into(),
            action: Action::Move { from: from.into() },
            effect,
        })
    }

    fn plan_place(&self, path: &[u8], current: &[u8], loss: &Loss) -> Item {
        let action = self.action(loss);
        let target = match &self.request.to {
            Some(dir) => self.below(dir, path),
            None => path.to_vec(),
        };
        let mut item = Item {
            path: path.into(),
            target: target.into(),
            action,
            effect: Effect::Clear,
        };
        if let Action::File { object, .. } = &item.action
            && !object.exists()
        {
            item.effect = Effect::Unavailable("it is not in the store any more".to_owned());
        }
        let checked = if self.request.to.is_some() {
            item.target.0.clone()
        } else {
            current.to_vec()
        };
        let found = match stat_path(&checked) {
            Ok(found) => found,
            Err(error) => {
                item.effect = Effect::Unavailable(error.to_string());
                return item;
            }
        };
        let Some(found) = found else {
            return item;
        };
        if is_there(&checked, &found, &item.action) {
            item.effect = Effect::AlreadyThere;
        } else if matches!(item.effect, Effect::Clear) {
            let blocks = found.kind == Kind::Directory || self.request.to.is_some();
            if blocks || (self.is_persons(&checked, &found) && !self.request.force) {
                item.target = self.free_beside(&item.target.0).into();
                item.effect = Effect::Beside;
            } else {
                item.effect = Effect::Replaces;
            }
        }
        item
    }

    fn action(&self, loss: &Loss) -> Action {
        let facts = loss.facts;
        match &loss.kept {
            Kept::Directory => Action::Directory { facts },
            Kept::Link { target } => Action::Link {
                target: target.clone(),
                facts,
            },
            Kept::Object { id, method } => {
                let object = self.session.object(*id);
                if method.keeps_inode() && is_altered(&object, &facts) {
                    if let Some(earlier) = self.copy_of(&facts) {
                        return earlier;
                    }
                    return Action::File {
                        object,
                        method: *method,
                        facts,
                        altered: true,
                    };
                }
                Action::File {
                    object,
                    method: *method,
                    facts,
                    altered: false,
                }
            }
        }
    }

    /// The copy that was made of the same inode before it was changed through another name.
    fn copy_of(&self, facts: &Facts) -> Option<Action> {
        self.session.records.iter().find_map(|record| {
            let Event::Changed(loss) = &record.event else {
                return None;
            };
            let Kept::Object { id, method } = loss.kept else {
                return None;
            };
            (loss.facts == *facts).then(|| Action::File {
                object: self.session.object(id),
                method,
                facts: *facts,
                altered: false,
            })
        })
    }

    /// Whether somebody changed what is here after the agent's last touch. What no agent
    /// touched is the person's.
    fn is_persons(&self, path: &[u8], found: &ObjectStat) -> bool {
        self.touched
            .get(path)
            .is_none_or(|touched| found.changed_ns > touched.saturating_add(MOMENT_NS))
    }

    fn free_beside(&self, path: &[u8]) -> Vec<u8> {
        let name = [path, b".before-", self.session.name().as_bytes()].concat();
        let mut free = name.clone();
        let mut number = 2;
        while !matches!(stat_path(&free), Ok(None)) && number < MAX_BESIDE {
            free = [&name, format!(".{number}").as_bytes()].concat();
            number += 1;
        }
        free
    }

    /// A path's place below another directory: from its zone's name on.
    fn below(&self, dir: &Path, path: &[u8]) -> Vec<u8> {
        let zones = self.session.began().zones;
        let above = zones
            .iter()
            .filter(|zone| is_at_or_below(path, zone.as_bytes()))
            .filter_map(|zone| zone.as_path().parent())
            .map(|parent| parent.as_os_str().as_bytes())
            .max_by_key(|parent| parent.len())
            .unwrap_or_default();
        let rest = path.strip_prefix(above).unwrap_or(path);
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        [dir.as_os_str().as_bytes(), b"/", rest].concat()
    }
}

pub(super) fn stat_path(path: &[u8]) -> io::Result<Option<ObjectStat>> {
    match OwnedName::of_path(path, false) {
        Ok(name) => name.as_name().stat_if_any(),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a kept inode was written after it was preserved.
fn is_altered(object: &Path, facts: &Facts) -> bool {
    let found = stat_path(object.as_os_str().as_bytes()).ok().flatten();
    found.is_some_and(|found| {
        (found.facts.size, found.facts.mtime_ns) != (facts.size, facts.mtime_ns)
    })
}

/// Whether what is at a path is what would be put there.
fn is_there(path: &[u8], found: &ObjectStat, action: &Action) -> bool {
    match action {
        Action::Move { .. } => false,
        Action::Directory { .. } => found.kind == Kind::Directory,
        Action::Link { target, .. } => {
            found.kind == Kind::Link
                && OwnedName::of_path(path, false)
                    .and_then(|name| name.as_name().read_link())
                    .is_ok_and(|found| found == target.0)
        }
        Action::File { object, facts, .. } => {
            let same = |one: &Facts| {
                (one.mode, one.size, one.mtime_ns) == (facts.mode, facts.size, facts.mtime_ns)
            };
            found.kind == Kind::File
                && same(&found.facts)
                && (found.facts.inode == facts.inode || is_same_file(path, object).unwrap_or(false))
        }
    }
}

fn is_same_file(path: &[u8], object: &Path) -> io::Result<bool> {
    let here = OwnedName::of_path(path, false)?;
    let here = here.as_name().open_for_reading()?;
    is_same_contents(&here, &std::fs::File::open(object)?)
}

/// How long after a touch the agent may still be writing.
const MOMENT_NS: u64 = 2_000_000_000;

const MAX_BESIDE: u32 = 1_000;
