//! The same decision, told step by step (`codex-es-guard explain`).
//!
//! An explanation runs [`decide`] itself and adds which entries speak for each path and which rules
//! were passed by, so that it cannot tell another story than the verdict.

use super::{Decision, decide};
use crate::actor::FactSource;
use crate::event::ZoneRef;
use crate::operation::Operation;
use crate::policy::Snapshot;
use crate::verdict::Reason;
use crate::zones::{Entry, Place};
use std::fmt;

/// A decision and how it came about. Its `Display` is text for people.
#[derive(Clone, Debug)]
pub struct Explanation<'s, 'o> {
    /// The decision.
    pub decision: Decision<'s>,
    /// The first path.
    pub path: PathExplanation<'s, 'o>,
    /// The second, if the operation has one.
    pub destination: Option<PathExplanation<'s, 'o>>,
}

/// Which entries cover a path.
#[derive(Clone, Debug)]
pub struct PathExplanation<'s, 'o> {
    /// The path.
    pub path: &'o [u8],
    /// The entries, the most specific first.
    pub speakers: Vec<Speaker<'s>>,
    /// The zone that goes away with this name.
    pub carries: Option<ZoneRef<'s>>,
    /// It is one of the guard's own files, or holds one.
    pub own: bool,
}

/// One entry that covers a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker<'s> {
    /// A zone.
    Zone(ZoneRef<'s>),
    /// An override, by its id or its path, alive or not.
    Override(&'s str),
    /// A disposable place.
    Disposable,
    /// A system temporary or trash place.
    SystemTemp,
}

/// How far a rule came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleState {
    /// It does not hold.
    Passed,
    /// It decided.
    Decided,
    /// An earlier one decided.
    NotReached,
}

/// The rules in their order. `human` stands where zones are concerned; for the guard's own files
/// it is asked first.
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
    /// Decides, and tells how.
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
        let place: Place<'s> = self.tree.place(path);
        let speakers = place.entries().filter_map(|entry| match entry {
            Entry::Zone(id) => self.zone(id).map(Speaker::Zone),
            Entry::Override(id) => self
                .overrides
                .get(id.0 as usize)
                .map(|entry| Speaker::Override(entry.id.as_deref().unwrap_or(&entry.path))),
            Entry::Disposable => Some(Speaker::Disposable),
            Entry::SystemTemp => Some(Speaker::SystemTemp),
        });
        PathExplanation {
            path,
            speakers: speakers.collect(),
            carries: place.carries().and_then(|id| self.zone(id)),
            own: place.is_own() || place.carries_own(),
        }
    }
}

// === impl Explanation ===

impl Explanation<'_, '_> {
    /// Every rule in its order, and how far it came.
    pub fn rules(&self) -> impl Iterator<Item = (Reason, RuleState)> {
        let decided = match self.decision.reason {
            Reason::AuditOnly => Reason::AgentInZone,
            reason => reason,
        };
        let mut state = RuleState::Passed;
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
        if let Some(zone) = self.carries {
            writeln!(formatter, "  takes zone {} along", zone.name)?;
        }
        for speaker in &self.speakers {
            match speaker {
                Speaker::Zone(zone) => {
                    let path = String::from_utf8_lossy(zone.path);
                    writeln!(formatter, "  in zone {} ({path})", zone.name)?;
                }
                Speaker::Override(id) => writeln!(formatter, "  under override {id}")?,
                Speaker::Disposable => writeln!(formatter, "  in a disposable place")?,
                Speaker::SystemTemp => writeln!(formatter, "  in a temporary place")?,
            }
        }
        if self.speakers.is_empty() {
            writeln!(formatter, "  covered by nothing")?;
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
            Self::Passed => "does not hold",
            Self::Decided => "decides",
            Self::NotReached => "not reached",
        }
    }
}
