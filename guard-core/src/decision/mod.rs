//! The verdict: a pure function of the policy's snapshot, the operation, and facts about the actor
//! and the objects.
//!
//! The first rule that matches decides, and is the verdict's [`Reason`]:
//!
//! | | rule | verdict |
//! |-|------|---------|
//! | 1 | one of the guard's own files is touched: `human`, else `guard_files` | allow, deny |
//! | 2 | the policy does not judge this kind: `not_judged` | allow |
//! | 3 | no path touches a zone: `outside_zones` | allow |
//! | 4 | the most specific entry is an `override` that applies, a `system_temp` or a `disposable` path | allow |
//! | 5 | no name is destroyed: the rename stays `within_zones`, or `replaced` a protected name | allow, but for an agent's rename of a kept file over another, unrelated one: `agent_in_zone` |
//! | 6 | the actor has no agent in its lineage: `human` | allow |
//! | 7 | the actor is a `trusted_tool`, within its scope; `replaced` if it removes to make again | allow |
//! | 8 | an agent removes what nobody loses, which is `scratch`: its own, a socket, a directory that it emptied, a backup, what a tool makes again | allow |
//! | 9 | the policy's `removals` are preserved, and an agent removes less than a zone: `preserved` | allow |
//! | 10 | the ancestry is unknown: `unknown_lineage` | `on_unknown` |
//! | 11 | otherwise `agent_in_zone` (`audit_only` in audit mode) | deny (audit) |
//!
//! **Removing or moving a zone's root is judged under that zone**, whatever else covers the path:
//! the root itself or a parent of it, also into another zone, also where an override or a temporary
//! path covers it. An override of a zone's own path applies to what is below the root.
//!
//! A zone may be a single file. Renaming a file onto it is an edit (`replaced`), as for any
//! protected file; renaming onto a zone that is a directory or a link is not.
//!
//! Guarantees: no system call, no lock and no allocation of its own; the [`FactSource`] is asked only
//! for what the matching rules need, and never if no zone is touched. The guard's own files are
//! guarded in audit mode too. It deliberately reads no clock and resolves no path.
//!
//! ```
//! # use guard_core::actor::{Actor, Attribution, ToolNames, ToolSet, FactSource};
//! use guard_core::decision::decide;
//! use guard_core::policy::{Platform, Policy, Snapshot, Surroundings};
//! use guard_core::{Operation, OperationKind, Reason, Verdict};
//! # struct Human(ToolNames);
//! # impl FactSource for Human {
//! #     fn actor(&self) -> Actor<'_> {
//! #         Actor { key: Default::default(), ppid: 0, uid: 0, executable: b"/bin/rm", argv0: b"rm",
//! #             attribution: Attribution::Human, tools: ToolSet::default(), tool_names: &self.0 }
//! #     }
//! #     fn arguments(&self) -> Vec<u8> { Vec::new() }
//! #     fn executable_changed_ns(&self) -> Option<u64> { None }
//! #     fn file(&self, _: &[u8]) -> Option<guard_core::file::FileFacts> { None }
//! # }
//! # let human = Human(ToolNames::default());
//!
//! let policy = Policy::parse(br#"{"protected_zones": ["~/work"]}"#).unwrap();
//! let snapshot = Snapshot::compile(&policy, &Surroundings {
//!     home: b"/home/u",
//!     platform: Platform::Linux,
//!     extra_zones: &[],
//!     own_files: &[],
//!     locate: &|path| vec![path.to_vec()],
//!     session: "",
//!     started_ns: 0,
//! }).unwrap();
//!
//! let unlink = |path| Operation { kind: OperationKind::Unlink, path, destination: None };
//! let decision = decide(&snapshot, &unlink(b"/home/u/notes"), 0, &human);
//! assert_eq!(decision.reason, Reason::OutsideZones);
//! let decision = decide(&snapshot, &unlink(b"/home/u/work/a"), 0, &human);
//! assert_eq!((decision.verdict, decision.reason), (Verdict::Allow, Reason::Human));
//! ```

mod backup;
mod effective;
mod explain;
mod place;
mod preserve;
mod rules;
mod scratch;

pub use backup::backup_suffixes;
pub use explain::{CoveringEntry, Explanation, PathExplanation, RuleState};
pub use place::place_of;
pub use preserve::Preserve;

use crate::actor::{Actor, Attribution, FactSource};
use crate::event::ZoneRef;
use crate::file::FileKind;
use crate::operation::{Operation, OperationKind};
use crate::policy::{Mode, OnUnknown, Snapshot, Zone};
use crate::standing::{Place, PlaceQuery};
use crate::tools::{OutputOwner, Removal};
use crate::verdict::{Reason, Verdict};
use crate::zones::{Entry, ZoneMatch};
use effective::EffectiveEntry;
use rules::{Effect, ProtectedTarget};
use std::cell::OnceCell;

/// The verdict on one operation, and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'s> {
    /// The verdict.
    pub verdict: Verdict,
    /// Its reason.
    pub reason: Reason,
    /// The zone that is touched.
    pub zone: Option<ZoneRef<'s>>,
    /// The override that allowed it, by its id, else its path.
    pub override_id: Option<&'s str>,
    /// The trusted tool that allowed it, by its policy name.
    pub tool: Option<&'s [u8]>,
    /// What must be preserved before an allowed operation proceeds.
    pub preserve: Preserve,
}

// === impl Decision ===

impl Decision<'_> {
    /// The decision on an operation that was to be preserved and could not be.
    #[must_use]
    pub const fn unpreservable(self) -> Self {
        Self {
            verdict: Verdict::Deny,
            reason: Reason::Unpreservable,
            override_id: None,
            tool: None,
            preserve: Preserve::Nothing,
            ..self
        }
    }

    /// Who owns what the trusted tool makes because of which this was allowed; `None` if it was
    /// allowed for another reason.
    #[must_use]
    pub fn output_owner(&self, snapshot: &Snapshot) -> Option<OutputOwner> {
        self.tool.map(|tool| snapshot.tools.output_owner(tool))
    }

    /// The decision if a path could not be resolved to an object, so that no rule applies.
    #[must_use]
    pub const fn unresolved(denied: bool) -> Self {
        Self {
            verdict: if denied {
                Verdict::Deny
            } else {
                Verdict::Allow
            },
            reason: Reason::UnresolvedPath,
            zone: None,
            override_id: None,
            tool: None,
            preserve: Preserve::Nothing,
        }
    }
}

/// The acting process, asked for at most once.
struct LazyActor<'f, F: ?Sized> {
    facts: &'f F,
    resolved: OnceCell<Actor<'f>>,
}

/// The evaluation of one operation.
struct Evaluation<'s, 'f, 'o, F: ?Sized> {
    snapshot: &'s Snapshot,
    operation: &'o Operation<'o>,
    now_ns: u64,
    facts: &'f F,
    actor: LazyActor<'f, F>,
}

/// Decides. `now_ns` is the wall clock, for overrides that expire.
pub fn decide<'s, F: FactSource + ?Sized>(
    snapshot: &'s Snapshot,
    operation: &Operation<'_>,
    now_ns: u64,
    facts: &F,
) -> Decision<'s> {
    Evaluation {
        snapshot,
        operation,
        now_ns,
        facts,
        actor: LazyActor {
            facts,
            resolved: OnceCell::new(),
        },
    }
    .decide()
}

impl Snapshot {
    /// Whether the operation concerns a zone or the guard's own files at all; if not, it is allowed.
    /// Cheaper than [`decide`], and needs no facts.
    #[must_use]
    pub fn touches(&self, operation: &Operation<'_>) -> bool {
        let source = self.tree.lookup(operation.path);
        let destination = operation.destination.map(|path| self.tree.lookup(path));
        let in_zone = |found: ZoneMatch<'_>| {
            found.contains_zone_root().is_some()
                || found.entries().any(|entry| matches!(entry, Entry::Zone(_)))
        };
        rules::touches_own(operation.kind, source, destination)
            || (self.judges(operation.kind)
                && (in_zone(source) || destination.is_some_and(in_zone)))
    }
}

// === impl Evaluation ===

impl<'s, F: FactSource + ?Sized> Evaluation<'s, '_, '_, F> {
    fn decide(&self) -> Decision<'s> {
        let source = self.snapshot.tree.lookup(self.operation.path);
        let destination = self
            .operation
            .destination
            .map(|path| self.snapshot.tree.lookup(path));
        if rules::touches_own(self.operation.kind, source, destination) {
            return self.decide_own(source);
        }
        if !self.snapshot.judges(self.operation.kind) {
            return self.allow(Reason::NotJudged, None);
        }
        let effective = |found, path: &[u8]| self.effective_entry(found, path);
        match rules::effect(
            self.snapshot,
            self.operation,
            source,
            destination,
            &effective,
        ) {
            Effect::Permitted {
                reason,
                zone,
                overriding,
            } => {
                let decision = Decision {
                    override_id: overriding.map(|entry| entry.id.as_deref().unwrap_or(&entry.path)),
                    ..self.allow(reason, zone)
                };
                self.evaluate_permitted(decision, zone)
            }
            Effect::Destroys(target) => self.evaluate_target(&target),
        }
    }

    fn decide_own(&self, source: ZoneMatch<'s>) -> Decision<'s> {
        let zone = self.snapshot.zone_over(source);
        match self.actor.get().attribution {
            Attribution::Human => self.allow(Reason::Human, zone),
            Attribution::Unknown { agent_seen } if !self.counts_as_agent(agent_seen) => {
                self.allow(Reason::UnknownLineage, zone)
            }
            _ => self.answer(Verdict::Deny, Reason::GuardFiles, zone),
        }
    }

    /// A permitted operation may still replace an object, or require that it is preserved.
    fn evaluate_permitted(&self, permitted: Decision<'s>, zone: Option<&'s Zone>) -> Decision<'s> {
        let Some(zone) = zone else { return permitted };
        match (
            self.operation.kind,
            permitted.reason,
            self.operation.destination,
        ) {
            // Whoever it is, and whatever is there: no fact is asked for.
            (OperationKind::Unlink, Reason::Override, _) => Decision {
                preserve: Preserve::IfPossible,
                ..permitted
            },
            (OperationKind::Rename, Reason::Replaced, Some(destination)) => {
                self.preserved(Preserve::IfPossible, zone, destination, permitted)
            }
            (OperationKind::Rename, Reason::WithinZones, Some(destination)) => {
                let found = self.snapshot.tree.lookup(destination);
                let zone = self.snapshot.zone_over(found).unwrap_or(zone);
                self.evaluate_replacement(permitted, zone, destination)
            }
            _ => permitted,
        }
    }

    /// A rename within zones: a kept file that replaces another, unrelated one destroys it. `zone` is
    /// that of the destination.
    fn evaluate_replacement(
        &self,
        permitted: Decision<'s>,
        zone: &'s Zone,
        destination: &[u8],
    ) -> Decision<'s> {
        let facts = self.facts;
        let actor = self.actor.get();
        let Attribution::Agent(agent) = actor.attribution else {
            return permitted;
        };
        let from = self.operation.path;
        if let Some(preserve) = scratch::preserve_own(destination, facts) {
            return self.preserved(preserve, zone, destination, permitted);
        }
        if !scratch::is_kept_over_kept(from, destination, agent.started_ns, facts) {
            return self.preserved(Preserve::IfPossible, zone, destination, permitted);
        }
        let removal = Removal {
            whole: false,
            below: crate::zones::below(zone.as_ref().path, destination),
            replaceable: false,
        };
        let tools = &self.snapshot.tools;
        let is_wanted = backup::is_rotation(from, destination)
            || zone.preserves_removals()
            || tools
                .trusting(actor, agent.started_ns, facts, &removal)
                .is_some();
        if is_wanted {
            return self.preserved(Preserve::Required, zone, destination, permitted);
        }
        if self.snapshot.mode() == Mode::Audit {
            let audited = self.answer(Verdict::Audit, Reason::AuditOnly, Some(zone));
            return self.preserved(Preserve::IfPossible, zone, destination, audited);
        }
        self.answer(Verdict::Deny, Reason::AgentInZone, Some(zone))
    }

    /// The decision with what must be preserved first, unless a tool makes the object again. Nothing
    /// of a person's is preserved.
    fn preserved(
        &self,
        preserve: Preserve,
        zone: &Zone,
        path: &[u8],
        decision: Decision<'s>,
    ) -> Decision<'s> {
        let is_needless = preserve == Preserve::Nothing
            || self.actor.get().attribution == Attribution::Human
            || self.place(zone, path, PlaceQuery::MadeAgain) == Place::MadeAgain;
        if is_needless {
            return decision;
        }
        Decision {
            preserve,
            ..decision
        }
    }

    /// What the place of an object in a zone is.
    fn place(&self, zone: &Zone, path: &[u8], query: PlaceQuery) -> Place {
        place_of(zone.as_ref().path, path, self.since_ns(), query, self.facts)
    }

    /// What is older than this was there before the agent.
    fn since_ns(&self) -> u64 {
        match self.actor.get().attribution {
            Attribution::Agent(agent) => agent.started_ns,
            Attribution::Human | Attribution::Unknown { .. } => self.snapshot.started_ns,
        }
    }

    /// As [`preserved`](Self::preserved), if the operation removes an object in a zone.
    fn removal_preserved(
        &self,
        preserve: Preserve,
        zone: Option<&Zone>,
        decision: Decision<'s>,
    ) -> Decision<'s> {
        match zone {
            Some(zone) if self.operation.kind == OperationKind::Unlink => {
                self.preserved(preserve, zone, self.operation.path, decision)
            }
            _ => decision,
        }
    }

    /// Rules 6 to 11: a protected target would be destroyed.
    fn evaluate_target(&self, target: &ProtectedTarget<'s, '_>) -> Decision<'s> {
        let zone = Some(target.zone);
        let facts = self.facts;
        let actor = self.actor.get();
        let agent = match actor.attribution {
            Attribution::Human => return self.allow(Reason::Human, zone),
            Attribution::Agent(agent) => Some(agent),
            Attribution::Unknown { .. } => None,
        };
        let since_ns = self.since_ns();
        let is_file = |path| {
            let found = facts.file(path);
            found.is_some_and(|found| found.kind == FileKind::Regular)
        };
        if target.onto_root.is_some_and(is_file) {
            return self.allow(Reason::Replaced, zone);
        }
        let removal = Removal {
            whole: target.whole,
            below: target.below,
            replaceable: self.operation.kind == OperationKind::Unlink
                && !self.snapshot.judges(OperationKind::Truncate),
        };
        if let Some(tool) = self
            .snapshot
            .tools
            .trusting(actor, since_ns, facts, &removal)
        {
            let reason = if tool.replaces {
                Reason::Replaced
            } else {
                Reason::TrustedTool
            };
            let decision = Decision {
                tool: Some(tool.name),
                ..self.allow(reason, zone)
            };
            let preserve = if tool.discards {
                Preserve::Required
            } else {
                Preserve::of_tool(self.snapshot.tools.output_owner(tool.name))
            };
            return self.removal_preserved(preserve, zone, decision);
        }
        let judged_as_agent = actor.attribution.may_be_agents();
        if judged_as_agent && let Some(preserve) = self.loses_nothing(target, since_ns) {
            return self.removal_preserved(preserve, zone, self.allow(Reason::Scratch, zone));
        }
        let is_removal = self.operation.kind == OperationKind::Unlink && !target.whole;
        if judged_as_agent && !target.whole && self.leaves_what_is_made_again(target.zone) {
            return self.allow(Reason::Scratch, zone);
        }
        if judged_as_agent && is_removal {
            let query = if facts.preserves() {
                PlaceQuery::OrOutput
            } else {
                PlaceQuery::MadeAgain
            };
            match self.place(target.zone, self.operation.path, query) {
                Place::MadeAgain => return self.allow(Reason::Scratch, zone),
                Place::Output if facts.preserves() => {
                    return Decision {
                        preserve: Preserve::Required,
                        ..self.allow(Reason::Scratch, zone)
                    };
                }
                Place::Output | Place::Unproven => {}
            }
        }
        if agent.is_some() && is_removal && target.zone.preserves_removals() {
            let decision = self.allow(Reason::Preserved, zone);
            return Decision {
                preserve: Preserve::Required,
                ..decision
            };
        }
        match actor.attribution {
            Attribution::Unknown { agent_seen } => self.answer(
                self.verdict_for_unknown(agent_seen),
                Reason::UnknownLineage,
                zone,
            ),
            _ if self.snapshot.mode() == Mode::Audit => {
                let audited = self.answer(Verdict::Audit, Reason::AuditOnly, zone);
                // Its place was evaluated above: no tool makes it again.
                let preserve = if self.operation.kind == OperationKind::Unlink {
                    Preserve::IfPossible
                } else {
                    Preserve::Nothing
                };
                Decision {
                    preserve,
                    ..audited
                }
            }
            _ => self.answer(Verdict::Deny, Reason::AgentInZone, zone),
        }
    }

    /// Whether a file is moved out of what a tool makes again, as `pip` does before it removes it. What
    /// is below a directory may be another's.
    fn leaves_what_is_made_again(&self, zone: &Zone) -> bool {
        let path = self.operation.path;
        let is_file = || {
            let found = self.facts.file(path);
            found.is_some_and(|found| !found.is_directory())
        };
        self.operation.kind == OperationKind::Rename
            && is_file()
            && self.place(zone, path, PlaceQuery::MadeAgain) == Place::MadeAgain
    }

    /// If nothing of anybody's would be lost for good: what must be preserved all the same.
    fn loses_nothing(&self, target: &ProtectedTarget<'_, '_>, since_ns: u64) -> Option<Preserve> {
        let facts = self.facts;
        let path = self.operation.path;
        match self.operation.kind {
            _ if target.whole => None,
            OperationKind::Unlink => scratch::is_scratch(path, since_ns, facts),
            // It truncates its own file, to write it again.
            OperationKind::Truncate => scratch::is_own(path, facts).then_some(Preserve::Nothing),
            OperationKind::Rename => scratch::is_own_tree(path, facts).then_some(Preserve::Nothing),
            _ => None,
        }
    }

    fn verdict_for_unknown(&self, agent_seen: bool) -> Verdict {
        match self.snapshot.on_unknown() {
            OnUnknown::Audit => Verdict::Audit,
            _ if !self.counts_as_agent(agent_seen) => Verdict::Allow,
            _ if self.snapshot.mode() == Mode::Audit => Verdict::Audit,
            _ => Verdict::Deny,
        }
    }

    fn counts_as_agent(&self, agent_seen: bool) -> bool {
        match self.snapshot.on_unknown() {
            OnUnknown::AgentIfSeen => agent_seen,
            OnUnknown::Allow => false,
            OnUnknown::Deny | OnUnknown::Audit => true,
        }
    }

    fn effective_entry(&self, found: ZoneMatch<'s>, path: &[u8]) -> EffectiveEntry<'s> {
        effective::effective_entry(self.snapshot, found, path, |entry| {
            entry.operations.contains(self.operation.kind)
                && entry.expires_at_ns.is_none_or(|end| self.now_ns < end)
                && ((entry.agent.is_none() && entry.session.is_none())
                    || effective::is_for(entry, self.snapshot, self.actor.get().attribution))
        })
    }

    fn allow(&self, reason: Reason, zone: Option<&'s Zone>) -> Decision<'s> {
        self.answer(Verdict::Allow, reason, zone)
    }

    fn answer(&self, verdict: Verdict, reason: Reason, zone: Option<&'s Zone>) -> Decision<'s> {
        Decision {
            verdict,
            reason,
            zone: zone.map(Zone::as_ref),
            override_id: None,
            tool: None,
            preserve: Preserve::Nothing,
        }
    }
}

// === impl LazyActor ===

impl<'f, F: FactSource + ?Sized> LazyActor<'f, F> {
    fn get(&self) -> &Actor<'f> {
        self.resolved.get_or_init(|| self.facts.actor())
    }
}
