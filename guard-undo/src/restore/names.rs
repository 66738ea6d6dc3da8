//! Which object stood at which name before a session: its journal, read backwards.
//!
//! A node says what a name gets: the object of a record, or what has another name now.

use crate::journal::{Event, Record};
use std::collections::{BTreeMap, BTreeSet};

/// What comes to a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// The name that it has now; `None` when nothing that is there now belongs here.
    pub(super) current: Option<Vec<u8>>,
    /// The record whose object was here.
    pub(super) loss: Option<usize>,
}

/// The names that a session changed, as they were.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<Vec<u8>, Node>);

/// Swaps of two names that were reported as two renames, each over the other (macOS).
#[derive(Debug, Default)]
struct Swaps {
    /// The second rename of each.
    ends: BTreeSet<usize>,
    /// What else was written down of it: the first rename and the two objects that were replaced.
    parts: BTreeSet<usize>,
}

// === impl Swaps ===

impl Swaps {
    /// Finds them: what the first rename replaced is what the second one moves.
    fn of(records: &[Record]) -> Self {
        let mut swaps = Self::default();
        for (end, record) in records.iter().enumerate() {
            let Event::Renamed {
                from,
                to,
                exchange: false,
                inode,
            } = &record.event
            else {
                continue;
            };
            let near = records.iter().enumerate().take(end).rev().take(MAX_PARTED);
            let mut first = None;
            let mut lost = None;
            let mut other_lost = None;
            for (index, earlier) in near {
                match &earlier.event {
                    Event::Renamed {
                        from: first_from,
                        to: first_to,
                        exchange: false,
                        inode: first_inode,
                    } if first.is_none() && (first_from, first_to) == (to, from) => {
                        first = Some((index, *first_inode));
                    }
                    Event::Replaced(loss) if first.is_none() && loss.path == *to => {
                        other_lost = Some((index, loss.facts.inode));
                    }
                    Event::Replaced(loss) if loss.path == *from && first.is_some() => {
                        lost = (loss.facts.inode == *inode).then_some(index);
                        break;
                    }
                    _ => {}
                }
            }
            if let (Some((first, moved)), Some(lost)) = (first, lost) {
                let other = other_lost.filter(|(_, inode)| *inode == moved);
                swaps.ends.insert(end);
                swaps.parts.extend([first, lost]);
                swaps.parts.extend(other.map(|(index, _)| index));
            }
        }
        swaps
    }
}

// === impl Names ===

impl Names {
    /// Undoes the records one by one, the last first. With `exactly`, the earliest version of each
    /// name counts, else the newest that was not the agent's own.
    pub(super) fn before(records: &[Record], from_ns: u64, exactly: bool) -> Self {
        let mut names = Self::default();
        let swaps = Swaps::of(records);
        let undone = records.iter().enumerate().rev();
        for (index, record) in undone.filter(|(_, record)| record.at_ns >= from_ns) {
            if swaps.parts.contains(&index) {
                continue;
            }
            match &record.event {
                Event::Renamed {
                    from, to, exchange, ..
                } => {
                    let exchange = *exchange || swaps.ends.contains(&index);
                    names.unname(from.as_bytes(), to.as_bytes(), exchange);
                }
                event => {
                    let Some(loss) = event.loss() else { continue };
                    let path = loss.path.as_bytes();
                    let mut node = names.at(path);
                    let has_better = node.loss.is_some_and(|newer| {
                        let newer = records.get(newer).and_then(|found| found.event.loss());
                        newer.is_some_and(|newer| !newer.own)
                    });
                    if exactly || !has_better {
                        node.loss = Some(index);
                    }
                    if !matches!(event, Event::Changed(_)) {
                        node.current = None;
                    }
                    names.0.insert(path.to_vec(), node);
                }
            }
        }
        names
    }

    pub(super) fn into_nodes(self) -> impl Iterator<Item = (Vec<u8>, Node)> {
        self.0.into_iter()
    }

    fn at(&self, path: &[u8]) -> Node {
        if let Some(node) = self.0.get(path) {
            return node.clone();
        }
        let mut end = path.len();
        while let Some(slash) = path.get(..end).and_then(|part| {
            part.iter()
                .rposition(|&byte| byte == b'/')
                .filter(|&at| at > 0)
        }) {
            let (above, rest) = path.split_at(slash);
            if let Some(node) = self.0.get(above) {
                let current = node.current.as_ref().map(|above| [above, rest].concat());
                return Node {
                    current,
                    loss: None,
                };
            }
            end = slash;
        }
        Node {
            current: Some(path.to_vec()),
            loss: None,
        }
    }

    fn unname(&mut self, from: &[u8], to: &[u8], exchange: bool) {
        let (moved, other) = (self.at(to), self.at(from));
        let below_to = self.take_below(to);
        let below_from = if exchange {
            self.take_below(from)
        } else {
            Vec::new()
        };
        self.0.insert(from.to_vec(), moved);
        let left = if exchange { other } else { Node::default() };
        self.0.insert(to.to_vec(), left);
        for (rest, node) in below_to {
            self.0.insert([from, &rest].concat(), node);
        }
        for (rest, node) in below_from {
            self.0.insert([to, &rest].concat(), node);
        }
    }

    /// What is known below a directory, by the rest of its path from the slash on.
    fn take_below(&mut self, dir: &[u8]) -> Vec<(Vec<u8>, Node)> {
        let start = [dir, b"/"].concat();
        let keys: Vec<_> = self
            .0
            .range(start.clone()..)
            .map(|(path, _)| path.clone())
            .take_while(|path| path.starts_with(&start))
            .collect();
        let take = |path: Vec<u8>| {
            let node = self.0.remove(&path)?;
            Some((path.get(dir.len()..)?.to_vec(), node))
        };
        keys.into_iter().filter_map(take).collect()
    }
}

/// How many records of other operations may be among those of a swap.
const MAX_PARTED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{BytePath, Facts, Kept, Loss};

    fn loss(path: &str, own: bool) -> Loss {
        Loss {
            path: BytePath::from(path.as_bytes()),
            agent: None,
            kept: Kept::Directory,
            facts: Facts::default(),
            own,
        }
    }

    /// `-p` removed, `=p` replaced, `~p` changed, `+p` the agent's own version removed, `a>b`
    /// renamed, `a<>b` exchanged.
    fn records(script: &str) -> Vec<Record> {
        let event = |word: &str| {
            let path = |path: &str| BytePath::from(path.as_bytes());
            let renamed = |from, to, exchange| Event::Renamed {
                from: path(from),
                to: path(to),
                exchange,
                inode: 0,
            };
            match word.split_at(1) {
                ("-", path) => Event::Removed(loss(path, false)),
                ("+", path) => Event::Removed(loss(path, true)),
                ("=", path) => Event::Replaced(loss(path, false)),
                ("~", path) => Event::Changed(loss(path, false)),
                _ => match (word.split_once("<>"), word.split_once('>')) {
                    (Some((from, to)), _) => renamed(from, to, true),
                    (_, Some((from, to))) => renamed(from, to, false),
                    _ => panic!("{word}"),
                },
            }
        };
        let words = script.split_whitespace().zip(1..);
        words
            .map(|(word, at_ns)| Record {
                at_ns,
                event: event(word),
            })
            .collect()
    }

    fn check(script: &str, exactly: bool, wanted: &str) {
        let names = Names::before(&records(script), 0, exactly);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let mut found = Vec::new();
        for (path, node) in names.into_nodes() {
            let path = text(path);
            let moved = node.current.map(text).filter(|current| *current != path);
            if moved.is_none() && node.loss.is_none() {
                continue;
            }
            let moved = moved.map_or_else(String::new, |from| format!("<{from}"));
            let loss = node
                .loss
                .map_or_else(String::new, |index| format!("#{}", index + 1));
            found.push(format!("{path}{moved}{loss}"));
        }
        assert_eq!(found.join(" "), wanted, "{script}");
    }

    #[test]
    fn names_are_followed_back() {
        check("-/a", false, "/a#1");
        check("/a>/b", false, "/a</b");
        check("/a>/b /b>/c", false, "/a</c");
        check("=/b /a>/b", false, "/a</b /b#1");
        check("~/a /a>/b", false, "/a</b#1");
        check("/a<>/b", false, "/a</b /b</a");
        check("/d>/e -/e/x /e/y>/e/z", false, "/d</e /d/x#2 /d/y</e/z");
        check("-/d/x /d>/e", false, "/d</e /d/x#1");
        check("-/a /b>/a", false, "/a#1 /b</a");
        check("/a>/t /b>/a /t>/b", false, "/a</b /b</a");
        check("/f>/f~ ~/f", false, "/f</f~");
    }

    #[test]
    fn a_swap_that_was_two_renames_is_taken_back() {
        check("=/b /a>/b =/a /b>/a", false, "/a</b /b</a");
        check(
            "=/b -/x /a>/b ~/y =/a /b>/a",
            false,
            "/a</b /b</a /x#2 /y#4",
        );
        // What was replaced first is not what came back: another object by the same name.
        let mut records = records("=/b /a>/b =/a /b>/a");
        if let Event::Replaced(loss) = &mut records[0].event {
            loss.facts.inode = 9;
        }
        assert!(Swaps::of(&records).ends.is_empty());
    }

    #[test]
    fn the_newest_version_that_was_the_person_s_counts() {
        check("~/a ~/a", false, "/a#2");
        check("~/a +/a", false, "/a#1");
        check("+/a", false, "/a#1");
        check("~/a +/a -/a", false, "/a#3");
        check("~/a ~/a -/a", true, "/a#1");
    }
}
