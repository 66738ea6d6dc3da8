//! What the policy could say by itself, from what was denied and then approved.
//!
//! It guarantees that nothing is proposed which would open what a person rejected, nor a zone's root, and
//! that no interpreter and no program whose work is to remove becomes a trusted tool.

use super::past::Past;
use guard_core::event::{BY_POLICY, RequestStep};
use guard_core::path::is_at_or_below;
use guard_core::policy::Snapshot;
use guard_core::tools::ToolTable;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A change of the policy, and what it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// The policy's field.
    pub(crate) field: &'static str,
    /// The entry, as JSON.
    pub(crate) entry: serde_json::Value,
    /// Why, in a sentence.
    pub(crate) because: String,
}

/// What people answered, by path.
#[derive(Debug, Default)]
struct Answers {
    granted: BTreeMap<String, usize>,
    rejected: BTreeSet<String>,
    /// The paths that were granted after each program was denied there.
    programs: BTreeMap<String, BTreeSet<String>>,
}

/// The proposals, those that would have spared most questions first.
pub(crate) fn proposals(past: &Past, snapshot: &Snapshot) -> Vec<Proposal> {
    let answers = Answers::of(past);
    let mut found = answers.patterns(snapshot);
    found.extend(answers.directories(snapshot, &found));
    found.extend(answers.tools(snapshot));
    found.extend(answers.zones(snapshot));
    found
}

// === impl Answers ===

impl Answers {
    fn of(past: &Past) -> Self {
        let mut answers = Self::default();
        for request in past.requests() {
            answers.add(request.step(), request.by.as_deref(), &request.path);
        }
        for record in past.decisions().filter(|record| record.verdict != "allow") {
            let granted = answers.granted.keys();
            let of = |granted: &&String| is_at_or_below(record.path.as_bytes(), granted.as_bytes());
            if let Some(granted) = granted.clone().find(of) {
                let program = record.process.to_string();
                let paths = answers.programs.entry(program).or_default();
                paths.insert(granted.clone());
            }
        }
        answers
    }

    /// Takes a step of a request into account, if a person took it.
    fn add(&mut self, step: Option<RequestStep>, by: Option<&str>, path: &str) {
        let is_by_policy = by.is_some_and(|by| by.starts_with(BY_POLICY));
        match step {
            Some(RequestStep::Granted) if !is_by_policy => {
                *self.granted.entry(path.to_owned()).or_default() += 1;
            }
            Some(RequestStep::Rejected) => {
                self.rejected.insert(path.to_owned());
            }
            _ => {}
        }
    }

    /// Names that were granted in several places: `build`, `*.old`.
    fn patterns(&self, snapshot: &Snapshot) -> Vec<Proposal> {
        let mut by_pattern: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
        for path in self.granted.keys() {
            let Some(name) = Path::new(path).file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            // A pattern's own characters would mean something else.
            if name.contains(['*', '?', '[', '\\', '!']) {
                continue;
            }
            by_pattern.entry(name.to_owned()).or_default().insert(path);
            if let Some((stem, extension)) = name.rsplit_once('.')
                && !stem.is_empty()
            {
                let pattern = format!("*.{extension}");
                by_pattern.entry(pattern).or_default().insert(path);
            }
        }
        let mut found: Vec<_> = by_pattern.into_iter().collect();
        found.sort_by_key(|(pattern, paths)| (std::cmp::Reverse(paths.len()), pattern.clone()));
        let mut covered: BTreeSet<String> = BTreeSet::new();
        let mut proposals = Vec::new();
        for (pattern, paths) in found {
            let is_rejected = self.rejected.iter().any(|path| {
                let mut names = Path::new(path).components();
                names.any(|name| matches(&pattern, &name.as_os_str().to_string_lossy()))
            });
            let is_new = paths.iter().any(|path| !covered.contains(*path));
            if paths.len() < ENOUGH || is_rejected || !is_new || names_a_zone(&pattern, snapshot) {
                continue;
            }
            covered.extend(paths.iter().map(|path| (*path).clone()));
            proposals.push(Proposal {
                field: "disposable_paths",
                because: format!(
                    "{} paths of this name were opened, and none of it was refused",
                    paths.len()
                ),
                entry: pattern.into(),
            });
        }
        proposals
    }

    /// Directories in which several paths were granted, and paths that were granted again and again.
    fn directories(&self, snapshot: &Snapshot, others: &[Proposal]) -> Vec<Proposal> {
        let by_pattern = |path: &str| {
            let name = Path::new(path).file_name().unwrap_or_default();
            let name = name.to_string_lossy();
            let mut entries = others.iter().filter_map(|other| other.entry.as_str());
            entries.any(|pattern| matches(pattern, &name))
        };
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (path, times) in &self.granted {
            if by_pattern(path) {
                continue;
            }
            *counts.entry(path.clone()).or_default() += times;
            if let Some(parent) = Path::new(path).parent().and_then(Path::to_str) {
                *counts.entry(parent.to_owned()).or_default() += times;
            }
        }
        let mut found: Vec<(String, usize)> = counts
            .into_iter()
            .filter(|(path, times)| *times >= ENOUGH && self.may_open(path, snapshot))
            .collect();
        found.sort_by_key(|(path, times)| (std::cmp::Reverse(*times), path.clone()));
        let mut kept: Vec<(String, usize)> = Vec::new();
        for (path, times) in found {
            let is_covered = |(other, _): &(String, usize)| {
                is_at_or_below(path.as_bytes(), other.as_bytes())
                    || is_at_or_below(other.as_bytes(), path.as_bytes())
            };
            if !kept.iter().any(is_covered) {
                kept.push((path, times));
            }
        }
        let proposal = |(path, times): (String, usize)| Proposal {
            field: "disposable_paths",
            because: format!("it, or what is in it, was opened {times} times"),
            entry: path.into(),
        };
        kept.into_iter().map(proposal).collect()
    }

    /// Programs that were denied in several places which a person then opened.
    fn tools(&self, snapshot: &Snapshot) -> Vec<Proposal> {
        let mut found = Vec::new();
        for (program, paths) in &self.programs {
            if paths.len() < ENOUGH || is_never_trusted(program) {
                continue;
            }
            // Relative to the zone, as the field takes them.
            let within: BTreeSet<String> = paths
                .iter()
                .filter_map(|path| {
                    let inside = |zone: &[u8]| is_at_or_below(path.as_bytes(), zone);
                    let zone = snapshot.zones().find(|zone| inside(zone.path))?;
                    let below = path.get(zone.path.len()..)?.trim_start_matches('/');
                    Some(below.split('/').next()?.to_owned())
                })
                .collect();
            let is_plain =
                |name: &String| !name.is_empty() && !name.contains(['*', '?', '[', '\\']);
            let is_rejected = |name: &String| {
                let mut rejected = self.rejected.iter();
                rejected.any(|path| path.split('/').any(|part| part == name))
            };
            if within.is_empty() || !within.iter().all(is_plain) || within.iter().any(is_rejected) {
                continue;
            }
            found.push(Proposal {
                field: "trusted_tools",
                because: format!(
                    "it was denied in {} places that were opened for it",
                    paths.len()
                ),
                entry: serde_json::json!({ "name": program, "within": within }),
            });
        }
        found
    }

    /// Zones in which nearly everything that was asked for was granted.
    fn zones(&self, snapshot: &Snapshot) -> Vec<Proposal> {
        let mut found = Vec::new();
        for zone in snapshot.zones() {
            let inside = |path: &&String| is_at_or_below(path.as_bytes(), zone.path);
            let granted = self.granted.keys().filter(inside).count();
            let rejected = self.rejected.iter().filter(inside).count();
            if granted >= MANY && rejected == 0 {
                found.push(Proposal {
                    field: "protected_zones",
                    because: format!(
                        "all {granted} paths that were asked for in it were opened: preserving \
                         removals asks nobody, and undo has them"
                    ),
                    entry: serde_json::json!({
                        "path": String::from_utf8_lossy(zone.path),
                        "name": zone.name,
                        "removals": "preserve",
                    }),
                });
            }
        }
        found
    }

    /// Whether opening a path for good opens neither a zone nor what was rejected.
    fn may_open(&self, path: &str, snapshot: &Snapshot) -> bool {
        let opens = |inner: &[u8]| is_at_or_below(inner, path.as_bytes());
        let mut zones = snapshot.zones();
        let is_inside = snapshot
            .zones()
            .any(|zone| is_at_or_below(path.as_bytes(), zone.path));
        is_inside
            && !zones.any(|zone| opens(zone.path))
            && !self.rejected.iter().any(|rejected| {
                opens(rejected.as_bytes()) || is_at_or_below(path.as_bytes(), rejected.as_bytes())
            })
    }
}

/// Whether a name, or `*.` and an extension, is this one's.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => name.len() > end.len() && name.ends_with(end),
        None => name == pattern,
    }
}

fn names_a_zone(pattern: &str, snapshot: &Snapshot) -> bool {
    let mut zones = snapshot.zones();
    zones.any(|zone| {
        let path = String::from_utf8_lossy(zone.path).into_owned();
        path.split('/').any(|part| matches(pattern, part))
    })
}

/// Approvals from which a proposal is made.
const ENOUGH: usize = 3;

/// Approvals in a zone from which its removals might be preserved instead.
const MANY: usize = 10;

/// Whether it does what its arguments say: an interpreter, or a program whose work is to remove or to
/// move.
fn is_never_trusted(program: &str) -> bool {
    ToolTable::removes_anything(program) || NEVER_TRUSTED.contains(&program)
}

/// Those that the catalogue of tools does not name.
const NEVER_TRUSTED: [&str; 4] = ["ksh", "sudo", "shred", "cp"];

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::policy::{Platform, Policy, Surroundings};

    fn snapshot() -> Snapshot {
        let surroundings = Surroundings {
            home: b"/home/u",
            platform: Platform::Linux,
            extra_zones: &[],
            own_files: &[],
            locate: &|path| vec![path.to_vec()],
            session: "",
            started_ns: 0,
        };
        let policy = Policy::parse(br#"{"protected_zones": ["~/work", "~/other"]}"#).unwrap();
        Snapshot::compile(&policy, &surroundings).unwrap()
    }

    fn answers(granted: &[(&str, usize)], rejected: &[&str]) -> Answers {
        let own = |(path, times): &(&str, usize)| ((*path).to_owned(), *times);
        Answers {
            granted: granted.iter().map(own).collect(),
            rejected: rejected.iter().map(|path| (*path).to_owned()).collect(),
            programs: BTreeMap::new(),
        }
    }

    fn entries(proposals: Vec<Proposal>) -> Vec<String> {
        let entry = |proposal: Proposal| proposal.entry.as_str().unwrap().to_owned();
        proposals.into_iter().map(entry).collect()
    }

    #[test]
    fn what_the_policy_granted_by_itself_nobody_answered() {
        let mut answers = Answers::default();
        let granted = Some(RequestStep::Granted);
        answers.add(
            granted,
            Some("the policy (override_approval is auto)"),
            "/z/a",
        );
        answers.add(granted, Some("me (pid 7)"), "/z/b");
        answers.add(Some(RequestStep::Used), Some("me (pid 7)"), "/z/c");
        assert_eq!(answers.granted.keys().collect::<Vec<_>>(), ["/z/b"]);
    }

    #[test]
    fn names_that_are_opened_everywhere_become_patterns() {
        let snapshot = snapshot();
        let granted = [
            ("/home/u/work/a/out", 1),
            ("/home/u/work/b/out", 1),
            ("/home/u/work/c/out", 1),
            ("/home/u/work/x.old", 1),
            ("/home/u/work/y.old", 1),
            ("/home/u/work/z.old", 1),
        ];
        let found = answers(&granted, &[]).patterns(&snapshot);
        assert_eq!(entries(found), ["*.old", "out"]);
        // What was refused once is never proposed.
        let refused = answers(&granted, &["/home/u/work/deep/out/thesis"]);
        assert_eq!(entries(refused.patterns(&snapshot)), ["*.old"]);
    }

    #[test]
    fn directories_are_proposed_but_neither_zones_nor_what_was_refused() {
        let snapshot = snapshot();
        let granted = [
            ("/home/u/work/gen/1", 1),
            ("/home/u/work/gen/2", 1),
            ("/home/u/work/gen/3", 1),
            ("/home/u/work/one", 1),
            ("/home/u/work/cache/v", 4),
        ];
        let found = answers(&granted, &[]).directories(&snapshot, &[]);
        assert_eq!(entries(found), ["/home/u/work/cache", "/home/u/work/gen"]);
        let refused = answers(&granted, &["/home/u/work/gen/4"]);
        assert_eq!(
            entries(refused.directories(&snapshot, &[])),
            ["/home/u/work/cache"]
        );
    }

    #[test]
    fn a_tool_is_proposed_within_its_places_and_no_interpreter_is() {
        let snapshot = snapshot();
        let mut answers = answers(&[], &["/home/u/work/src/main.c"]);
        let places = ["out/a", "out/b", "gen/c"].map(|below| format!("/home/u/work/{below}"));
        for program in ["mytool", "python3", "rm"] {
            let places = places.iter().cloned().collect();
            answers.programs.insert(program.to_owned(), places);
        }
        let found = answers.tools(&snapshot);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].entry,
            serde_json::json!({"name": "mytool", "within": ["gen", "out"]})
        );
    }

    #[test]
    fn a_zone_where_all_is_granted_may_preserve_removals() {
        let snapshot = snapshot();
        let paths: Vec<String> = (0..10).map(|n| format!("/home/u/work/{n}")).collect();
        let granted: Vec<_> = paths.iter().map(|path| (path.as_str(), 1)).collect();
        let found = answers(&granted, &[]).zones(&snapshot);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].entry["removals"], "preserve");
        assert!(
            answers(&granted, &["/home/u/work/x"])
                .zones(&snapshot)
                .is_empty()
        );
    }
}
