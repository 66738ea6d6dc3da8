//! Past decisions judged by another policy.
//!
//! A record has what a policy judges: the operation, its paths, the program, the agent. It lacks what
//! only that moment knew: whose the object was, a tool's arguments. What was decided by that stays as it
//! was; a tool is taken as called without arguments. It deliberately reads nothing but records and the policy.

pub(crate) mod past;
pub(crate) mod proposals;

use guard_core::actor::{Actor, AgentRef, Attribution, FactSource, ToolNames, ToolSet};
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::policy::Snapshot;
use guard_core::process::{ProcessKey, basename};
use guard_core::verdict::{Reason, Verdict};
use guard_core::{Operation, OperationKind};
use guard_report::record::DecisionRecord;

/// What another policy makes of a past decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What was decided then.
    pub(crate) was: Verdict,
    /// What would be decided.
    pub(crate) would_be: Verdict,
    /// Why.
    pub(crate) reason: Reason,
}

/// Who acted, as the record has it.
struct Recorded<'a> {
    record: &'a DecisionRecord<'a>,
    wall_ns: u64,
    is_unknown: bool,
    preserves: bool,
    names: ToolNames,
    tools: ToolSet,
}

// === impl Judged ===

impl Judged {
    /// Judges a record; `None` when it does not have what the decision depended on.
    pub(crate) fn of(record: &DecisionRecord<'_>, snapshot: &Snapshot) -> Option<Self> {
        let (was, reason) = (record.verdict()?, record.reason()?);
        if !depends_on_policy(reason) || record.path_bytes.is_some() {
            return None;
        }
        let kind = record.operation()?;
        let two_names = matches!(
            kind,
            OperationKind::Rename | OperationKind::Exchange | OperationKind::Link
        );
        let destination = record.dest.as_deref().map(str::as_bytes);
        if two_names != destination.is_some() || record.dest_bytes.is_some() {
            return None;
        }
        let operation = Operation {
            kind,
            path: record.path.as_bytes(),
            destination,
        };
        let names = ToolNames::default();
        let program = basename(record.exe.as_bytes());
        let tools = if snapshot.is_scoped_tool(program) {
            names.intern(program)
        } else {
            ToolSet::default()
        };
        let wall_ns = record.wall_ns().unwrap_or_default();
        let facts = Recorded {
            record,
            wall_ns,
            is_unknown: reason == Reason::UnknownLineage,
            preserves: snapshot.undo().enabled,
            names,
            tools,
        };
        let decision = snapshot.explain(&operation, wall_ns, &facts).decision;
        Some(Self {
            was,
            would_be: decision.verdict,
            reason: decision.reason,
        })
    }

    /// Whether the other policy decides differently.
    pub(crate) fn differs(&self) -> bool {
        self.was != self.would_be
    }
}

/// Whether the policy and what a record has decide alone.
const fn depends_on_policy(reason: Reason) -> bool {
    match reason {
        Reason::OutsideZones
        | Reason::Override
        | Reason::SystemTemp
        | Reason::Disposable
        | Reason::WithinZones
        | Reason::Replaced
        | Reason::NotJudged
        | Reason::TrustedTool
        | Reason::AgentInZone
        | Reason::AuditOnly
        | Reason::UnknownLineage
        | Reason::Preserved => true,
        Reason::Scratch
        | Reason::Human
        | Reason::Deadline
        | Reason::UnresolvedPath
        | Reason::GuardFiles
        | Reason::Unpreservable => false,
    }
}

// === impl FactSource for Recorded ===

impl FactSource for Recorded<'_> {
    fn actor(&self) -> Actor<'_> {
        let record = self.record;
        let attribution = match record.agent.as_deref() {
            _ if self.is_unknown => Attribution::Unknown { agent_seen: true },
            None => Attribution::Human,
            Some(label) => Attribution::Agent(AgentRef {
                label,
                ancestor: record.ancestor.as_deref().unwrap_or_default().as_bytes(),
                pid: record.agent_pid.unwrap_or_default(),
                // What is on the disk is older.
                started_ns: self.wall_ns,
                session: record.session.as_deref().unwrap_or_default().as_bytes(),
            }),
        };
        Actor {
            key: ProcessKey {
                pid: record.pid,
                generation: record.generation,
            },
            ppid: record.ppid,
            uid: record.uid,
            executable: record.exe.as_bytes(),
            argv0: record.argv0.as_bytes(),
            attribution,
            tools: self.tools,
            tool_names: &self.names,
        }
    }

    fn arguments(&self) -> Vec<u8> {
        let mut arguments = self.record.argv0.as_bytes().to_vec();
        arguments.push(0);
        arguments
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        Some(0)
    }

    /// Of what was taken: somebody's file, older than the agent. Of other names nothing is known.
    fn file(&self, path: &[u8]) -> Option<FileFacts> {
        (path == self.record.path.as_bytes()).then_some(FileFacts {
            kind: FileKind::Regular,
            born_ns: None,
            identity: FileIdentity {
                device: 0,
                inode: 0,
            },
            changed_ns: 0,
            modified_ns: 0,
            size: self.record.bytes.unwrap_or(1).max(1),
        })
    }

    fn preserves(&self) -> bool {
        self.preserves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::policy::{Platform, Policy, Surroundings};
    use guard_testing::events::DENIAL;

    fn snapshot(policy: &str) -> Snapshot {
        let surroundings = Surroundings {
            home: b"/home/u",
            platform: Platform::Linux,
            extra_zones: &[],
            own_files: &[],
            locate: &|path| vec![path.to_vec()],
            session: "",
            started_ns: 0,
        };
        Snapshot::compile(&Policy::parse(policy.as_bytes()).unwrap(), &surroundings).unwrap()
    }

    fn judged(policy: &str, reason: Reason) -> Option<(Verdict, Reason)> {
        let event = guard_core::DecisionEvent {
            operation: OperationKind::Unlink,
            destination: None,
            reason,
            path: b"/home/u/project/target/x.o",
            ..DENIAL
        };
        let record = DecisionRecord::new(&event, "aa");
        let judged = Judged::of(&record, &snapshot(policy))?;
        Some((judged.would_be, judged.reason))
    }

    #[test]
    fn a_denial_is_judged_by_another_policy() {
        let with = |more: &str| format!(r#"{{"protected_zones": ["~/project"]{more}}}"#);
        for (policy, expected) in [
            (with(""), (Verdict::Deny, Reason::AgentInZone)),
            (
                with(r#", "disposable_paths": ["*.o"]"#),
                (Verdict::Allow, Reason::Disposable),
            ),
            (
                with(r#", "trusted_tools": ["mv"]"#),
                (Verdict::Allow, Reason::TrustedTool),
            ),
            (
                with(r#", "removals": "preserve""#),
                (Verdict::Allow, Reason::Preserved),
            ),
            (
                with(r#", "mode": "audit""#),
                (Verdict::Audit, Reason::AuditOnly),
            ),
            ("{}".to_owned(), (Verdict::Allow, Reason::OutsideZones)),
        ] {
            assert_eq!(
                judged(&policy, Reason::AgentInZone),
                Some(expected),
                "{policy}"
            );
        }
        assert_eq!(judged("{}", Reason::GuardFiles), None);
        assert_eq!(judged("{}", Reason::Scratch), None);
    }
}
