//! The answer to an operation, and the one reason for it.

/// What the guard answers. The names are the stable values of the `verdict` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// The operation proceeds.
    Allow = 0,
    /// The caller gets `EPERM`.
    Deny = 1,
    /// The operation proceeds, but enforce mode would have denied it. Recorded like a denial.
    Audit = 2,
}

/// The reason for a verdict, exactly one for each branch of
/// [`decide`](crate::decision::decide). The names are the stable values of the `reason` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// No path touches a protected zone.
    OutsideZones = 0,
    /// A temporary override applies to the path.
    Override = 1,
    /// The path is a system temporary or a trash path.
    SystemTemp = 2,
    /// The policy calls the path disposable.
    Disposable = 3,
    /// An agent removes or moves what nobody loses: an object that an agent made, a socket, a
    /// directory that is young or that agents emptied, or, preserved, a backup beside its original.
    Scratch = 4,
    /// A rename that stays inside protected zones.
    WithinZones = 5,
    /// A protected name gets new contents, which is an edit: by a rename from outside onto it, or by
    /// a tool that removes it to make it again.
    Replaced = 6,
    /// The policy does not judge this kind of operation.
    NotJudged = 7,
    /// The actor has no agent in its lineage.
    Human = 8,
    /// The acting process is a trusted tool, within its scope.
    TrustedTool = 9,
    /// An agent's process would destroy something in a protected zone.
    AgentInZone = 10,
    /// As [`AgentInZone`](Self::AgentInZone), in audit mode.
    AuditOnly = 11,
    /// The actor's ancestry is unknown; the policy's `on_unknown` answered.
    UnknownLineage = 12,
    /// The kernel's deadline passed before the verdict; the policy's `on_deadline` answered.
    Deadline = 13,
    /// The path could not be resolved to an object.
    UnresolvedPath = 14,
    /// The object is one of the guard's own files or processes.
    GuardFiles = 15,
    /// What would be lost must be preserved first, and could not be.
    Unpreservable = 16,
    /// An agent removes something, and the policy's `removals` says that it is preserved instead of
    /// denied.
    Preserved = 17,
}

/// How the answer was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Answer {
    /// The guard refused the call, and the kernel did nothing.
    Denied = 0,
    /// The guard performed the call for its caller on pinned directories.
    Performed = 1,
    /// The kernel continued the caller's own call.
    Continued = 2,
}

// === impl Verdict ===

impl Verdict {
    /// All verdicts, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Deny, Self::Audit];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Audit => "audit",
        }
    }

    /// The verdict with this number, as stored in a ring.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

// === impl Reason ===

impl Reason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 18] = [
        Self::OutsideZones,
        Self::Override,
        Self::SystemTemp,
        Self::Disposable,
        Self::Scratch,
        Self::WithinZones,
        Self::Replaced,
        Self::NotJudged,
        Self::Human,
        Self::TrustedTool,
        Self::AgentInZone,
        Self::AuditOnly,
        Self::UnknownLineage,
        Self::Deadline,
        Self::UnresolvedPath,
        Self::GuardFiles,
        Self::Unpreservable,
        Self::Preserved,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutsideZones => "outside_zones",
            Self::Override => "override",
            Self::SystemTemp => "system_temp",
            Self::Disposable => "disposable",
            Self::Scratch => "scratch",
            Self::WithinZones => "within_zones",
            Self::Replaced => "replaced",
            Self::NotJudged => "not_judged",
            Self::Human => "human",
            Self::TrustedTool => "trusted_tool",
            Self::AgentInZone => "agent_in_zone",
            Self::AuditOnly => "audit_only",
            Self::UnknownLineage => "unknown_lineage",
            Self::Deadline => "deadline",
            Self::UnresolvedPath => "unresolved_path",
            Self::GuardFiles => "guard_files",
            Self::Unpreservable => "unpreservable",
            Self::Preserved => "preserved",
        }
    }

    /// One sentence for people: what this reason means.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::OutsideZones => "no path of the operation touches a protected zone",
            Self::Override => "a temporary override covers the path",
            Self::SystemTemp => "the path is a system temporary or trash path",
            Self::Disposable => "the policy calls the path disposable",
            Self::Scratch => "an AI agent made it, or nobody loses it",
            Self::WithinZones => "the rename stays inside protected zones",
            Self::Replaced => "a protected name gets new contents, which is an edit",
            Self::NotJudged => "the policy does not judge this kind of operation",
            Self::Human => "no AI agent is in the actor's lineage",
            Self::TrustedTool => "the acting process is a trusted tool, within its scope",
            Self::AgentInZone => "an AI agent's process would destroy something in a zone",
            Self::AuditOnly => "it would be denied, but the policy's mode is audit",
            Self::UnknownLineage => "the actor's ancestry is unknown; on_unknown answered",
            Self::Deadline => "the kernel's deadline passed first; on_deadline answered",
            Self::UnresolvedPath => "the path could not be resolved to an object",
            Self::Unpreservable => "what would be lost could not be preserved first",
            Self::Preserved => "the policy preserves removals instead of denying them",
            Self::GuardFiles => "it is one of the guard's own files or processes",
        }
    }

    /// The reason with this number, as stored in a ring.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

// === impl Answer ===

impl Answer {
    /// All answers, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Denied, Self::Performed, Self::Continued];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Performed => "performed",
            Self::Continued => "continued",
        }
    }

    /// The answer with this number, as stored in a ring.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip() {
        for (number, reason) in (0u8..).zip(Reason::ALL) {
            assert_eq!(reason as u8, number);
            assert_eq!(Reason::from_number(number), Some(reason));
        }
        for (number, verdict) in (0u8..).zip(Verdict::ALL) {
            assert_eq!(verdict as u8, number);
            assert_eq!(Verdict::from_number(number), Some(verdict));
        }
        for (number, answer) in (0u8..).zip(Answer::ALL) {
            assert_eq!(answer as u8, number);
            assert_eq!(Answer::from_number(number), Some(answer));
        }
        assert_eq!(Reason::from_number(18), None);
    }
}
