//! A decision with its reasons, step by step (`codex-es-guard explain`).
//!
//! An explanation runs [`decide`] itself, so that it cannot differ from the verdict, and adds the
//! entries that cover each path and the rules that did not match.

use super::{Decision, decide};
use crate::actor::FactSource;
use crate::event::ZoneRef;
use crate::operation::Operation;
use crate::policy::Snapshot;
use crate::verdict::Reason;
use crate::zones::{Entry, ZoneMatch};
use std::fmt;

/// A decision and its reasons. Its `Display` is text for people.
#[derive(Clone, Debug)]
pub struct Explanation<'s, 'o> {
    /// The decision.
    pub decision: Decision<'s>,
    /// The first path.
    pub path: PathExplanation<'s, 'o>,
    /// The second, if the operation has one.
    pub destination: Option<PathExplanation<'s, 'o>>,
}

/// The entries that cover a path.
#[derive(Clone, Debug)]
pub struct PathExplanation<'s, 'o> {
    /// The path.
    pub path: &'o [u8],
    /// The entries, the most specific first.
    pub entries: Vec<CoveringEntry<'s>>,
    /// The zone whose root is this path or below it.
    pub contained_zone: Option<ZoneRef<'s>>,
    /// Whether it is one of the guard's own files, or contains one.
    pub own: bool,
}

/// One entry that covers a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoveringEntry<'s> {
    /// A zone.
    Zone(ZoneRef<'s>),
    /// An override, by its id or its path, whether or not it applies.
    Override(&'s str),
    /// A disposable path.
    Disposable,
    /// A system temporary or trash path.
    SystemTemp,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleState {
    /// It does not match.
    NoMatch,
    /// It decided.
    Decided,
    /// An earlier one decided.
    NotReached,
}

/// The rules in their order. `human` is listed where it decides about zones; for the guard's own
/// files it comes first.
const RULES: [Reason; 14] = [
    Reason::GuardFiles,
    Reason::NotJudged,
    Reason::OutsideZones,
    Reason::Override,
    Reason::SystemTemp,
    Reason::Disposable,
    Reason::WithinZones,
    Reason::Replaced,
    Reason::Human,
    Reason::TrustedTool,
    Reason::Scratch,
    Reason::Preserved,
    Reason::UnknownLineage,
    Reason::AgentInZone,
];

impl Snapshot {
    /// Decides, and gives the reasons.
    pub fn explain<'s, 'o, W: FactSource + ?Sized>(
        &'s self,
        operation: &Operation<'o>,
        now_ns: u64,
        facts: &W,
    ) -> Explanation<'s, 'o> {
        Explanation {
            decision: decide(self, operation, now_ns, facts),
            path: self.explain_path(operation.path),
            destination: operation.destination.map(|path| self.explain_path(path)),
        }
    }

    fn explain_path<'s, 'o>(&'s self, path: &'o [u8]) -> PathExplanation<'s, 'o> {
        let found: ZoneMatch<'s> = self.tree.lookup(path);
        let entries = found.entries().filter_map(|entry| match entry {
            Entry::Zone(id) => self.zone(id).map(CoveringEntry::Zone),
            Entry::Override(id) => self
                .overrides
                .get(id.0 as usize)
                .map(|entry| CoveringEntry::Override(entry.id.as_deref().unwrap_or(&entry.path))),
            Entry::Disposable => Some(CoveringEntry::Disposable),
            Entry::SystemTemp => Some(CoveringEntry::SystemTemp),
        });
        PathExplanation {
            path,
            entries: entries.collect(),
            contained_zone: found.contains_zone_root().and_then(|id| self.zone(id)),
            own: found.is_own() || found.contains_own_file(),
        }
    }
}

// === impl Explanation ===

impl Explanation<'_, '_> {
    /// Every rule in its order, and what became of it.
    pub fn rules(&self) -> impl Iterator<Item = (Reason, RuleState)> {
        let decided = match self.decision.reason {
            Reason::AuditOnly => Reason::AgentInZone,
            reason => reason,
        };
        let mut state = RuleState::NoMatch;
        RULES.into_iter().map(move |rule| {
            if rule == decided {
                state = RuleState::NotReached;
                return (rule, RuleState::Decided);
            }
            (rule, state)
        })
    }
}

impl fmt::Display for Explanation<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision {
            verdict,
            reason,
            tool,
            override_id,
            ..
        } = self.decision;
        writeln!(
            formatter,
            "{}: {} ({})",
            verdict.as_str(),
            reason.as_str(),
            reason.explain()
        )?;
        if let Some(tool) = tool {
            writeln!(formatter, "  tool {}", String::from_utf8_lossy(tool))?;
        }
        if let Some(id) = override_id {
            writeln!(formatter, "  override {id}")?;
        }
        if let Some(preserve) = self.decision.preserve.explain() {
            writeln!(formatter, "  {preserve}")?;
        }
        write!(formatter, "path {}", self.path)?;
        if let Some(destination) = &self.destination {
            write!(formatter, "destination {destination}")?;
        }
        writeln!(formatter, "rules")?;
        for (rule, state) in self.rules() {
            writeln!(formatter, "  {:<16} {}", rule.as_str(), state.as_str())?;
        }
        Ok(())
    }
}

// === impl PathExplanation ===

impl fmt::Display for PathExplanation<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", String::from_utf8_lossy(self.path))?;
        if self.own {
            writeln!(formatter, "  one of the guard's own files")?;
        }
        if let Some(zone) = self.contained_zone {
            writeln!(formatter, "  contains the root of zone {}", zone.name)?;
        }
        for speaker in &self.entries {
            match speaker {
                CoveringEntry::Zone(zone) => {
                    let path = String::from_utf8_lossy(zone.path);
                    writeln!(formatter, "  in zone {} ({path})", zone.name)?;
                }
                CoveringEntry::Override(id) => writeln!(formatter, "  under override {id}")?,
                CoveringEntry::Disposable => writeln!(formatter, "  in a disposable path")?,
                CoveringEntry::SystemTemp => writeln!(formatter, "  in a temporary path")?,
            }
        }
        if self.entries.is_empty() {
            writeln!(formatter, "  in no entry of the policy")?;
        }
        Ok(())
    }
}

// === impl RuleState ===

impl RuleState {
    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoMatch => "does not match",
            Self::Decided => "decides",
            Self::NotReached => "not reached",
        }
    }
}
