//! Patterns over many decisions.
//!
//! | kind | reported when |
//! |---|---|
//! | `retry_storm` | an agent is denied the same operation on the same path [`STORM`] times, never more than [`STORM_PAUSE`] apart |
//! | `mass_deletion` | a session removes, or tries to remove, [`MASS`] names within [`MASS_WINDOW`], in zones or outside them |
//!
//! Each is reported when it begins, and again each time it has grown tenfold; its count grows with every
//! operation. Removals that the policy
//! allows (temporary and disposable places, overrides, trusted tools, an agent's own files) and those
//! of people do not count.
//!
//! Time is the guards' monotonic clock in each event, so a backlog is evaluated by when things
//! happened, and a clock that is set back changes nothing. Memory is bounded whatever a ring contains:
//! of more actors than fit, those idle the longest are forgotten.

mod commands;
mod deletions;
mod generations;
mod live_count;
mod operation_count;
mod retries;

pub use deletions::{MASS, MASS_WINDOW};
pub use live_count::LiveCount;
pub use retries::{STORM, STORM_PAUSE};

use commands::DeniedCommands;
use deletions::Deletions;
use guard_core::DecisionEvent;
use guard_core::verdict::{Reason, Verdict};
use guard_report::time::rfc3339;
use retries::Retries;
use serde::Serialize;

/// Checks every decision.
#[derive(Debug, Default)]
pub struct Detector {
    retries: Retries,
    deletions: Deletions,
    commands: DeniedCommands,
}

/// A pattern that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detection {
    pub kind: DetectionKind,
    /// The time of the decision that completed it.
    pub time: String,
    /// The value of the `agent` label.
    pub agent: String,
    pub session: String,
    pub operation: &'static str,
    /// The path; for a mass deletion that of the operation that completed it.
    pub path: String,
    /// The zone of that path, by its name.
    pub zone: Option<String>,
    /// The operations since it began, and how many of them were denied.
    #[serde(flatten)]
    pub counted: LiveCount,
    pub place: DetectionPlace,
    /// Whether it begins; otherwise it has grown tenfold.
    pub begins: bool,
}

/// The kinds of detections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DetectionKind {
    /// The same operation repeated.
    RetryStorm,
    /// Many names removed at once.
    MassDeletion,
}

/// Where the last operation of a detection was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DetectionPlace {
    /// In a zone, and it was preserved.
    Preserved,
    /// In a zone.
    Zone,
    /// Outside all zones.
    Outside,
}

// === impl Detector ===

impl Detector {
    /// Checks a decision about the agent with this `label`.
    pub fn check(&mut self, event: &DecisionEvent<'_>, label: &str) -> [Option<Detection>; 2] {
        let found = |kind, (counted, begins): (LiveCount, bool)| Detection {
            kind,
            time: rfc3339(event.wall_ns),
            agent: label.to_owned(),
            session: text(event.session),
            operation: event.operation.as_str(),
            path: text(event.path),
            zone: event.zone.map(|zone| zone.name.to_owned()),
            counted,
            place: DetectionPlace::of(event),
            begins,
        };
        [
            self.retries
                .check(event)
                .map(|storm| found(DetectionKind::RetryStorm, storm)),
            self.deletions
                .check(event)
                .map(|deletion| found(DetectionKind::MassDeletion, deletion)),
        ]
    }

    /// Whether this is the first denial of its process.
    pub fn is_denied_command(&mut self, event: &DecisionEvent<'_>) -> bool {
        self.commands.is_first(event)
    }
}

// === impl Detection ===

impl Detection {
    /// `allow` when any operation was allowed, `deny` when all were denied.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.counted.allowed() > 0 {
            Verdict::Allow
        } else {
            Verdict::Deny
        }
    }

    /// One sentence without its full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (count, denied) = (self.counted.count(), self.counted.denied());
        let visible = guard_report::sentence::visible;
        let (agent, path) = (visible(&self.agent), visible(&self.path));
        let session = visible(&self.session);
        match self.kind {
            DetectionKind::RetryStorm => format!(
                "retry storm: {agent} (session {session}) was denied {} on {path} {count} times",
                self.operation
            ),
            DetectionKind::MassDeletion => format!(
                "mass deletion: {agent} (session {session}) asked to remove {count} names within \
                 {} s, {denied} of them denied, among them {path}",
                self.counted.seconds()
            ),
        }
    }
}

// === impl DetectionPlace ===

impl DetectionPlace {
    /// All places.
    pub const ALL: [Self; 3] = [Self::Preserved, Self::Zone, Self::Outside];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preserved => "preserved",
            Self::Zone => "zone",
            Self::Outside => "outside",
        }
    }

    fn of(event: &DecisionEvent<'_>) -> Self {
        match event.zone {
            Some(_) if event.reason == Reason::Preserved => Self::Preserved,
            Some(_) => Self::Zone,
            None => Self::Outside,
        }
    }
}

// === impl DetectionKind ===

impl DetectionKind {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryStorm => "retry_storm",
            Self::MassDeletion => "mass_deletion",
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::OperationKind;
    use guard_core::verdict::Answer;
    use guard_testing::events::denial;

    #[test]
    fn a_denied_rm_r_is_a_mass_deletion_and_not_a_storm() {
        let mut detector = Detector::default();
        let mut found = Vec::new();
        for number in 0..10 * MASS {
            let path = format!("/home/u/project/{number}");
            let event = DecisionEvent {
                operation: OperationKind::Unlink,
                path: path.as_bytes(),
                destination: None,
                ..denial(number)
            };
            found.extend(detector.check(&event, "codex").into_iter().flatten());
        }
        let [first, second] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(
            (first.kind, first.begins, second.begins),
            (DetectionKind::MassDeletion, true, false)
        );
        // Both are of the same, and count on.
        assert!(first.counted.is_of_the_same(&second.counted));
        assert_eq!(first.counted.count(), 10 * MASS);
        assert_eq!(first.verdict(), Verdict::Deny);
        assert_eq!(
            first.sentence(),
            "mass deletion: codex (session s-1) asked to remove 2000 names within 10 s, 2000 of them \
             denied, among them /home/u/project/199"
        );
    }

    #[test]
    fn the_same_operation_repeated_is_a_storm() {
        let mut detector = Detector::default();
        let counts: Vec<(u64, bool)> = (0..10 * STORM)
            .flat_map(|number| detector.check(&denial(number), "codex"))
            .flatten()
            .inspect(|found| assert_eq!(found.kind, DetectionKind::RetryStorm))
            .map(|found| (found.counted.count(), found.begins))
            .collect();
        assert_eq!(counts, [(STORM, true), (10 * STORM, false)]);
        let allowed = DecisionEvent {
            verdict: Verdict::Allow,
            reason: Reason::Human,
            answer: Answer::Continued,
            ..denial(0)
        };
        let mut detector = Detector::default();
        let found = (0..100)
            .flat_map(|_| detector.check(&allowed, "none"))
            .flatten();
        assert_eq!(found.count(), 0, "allowed operations are not a storm");
    }
}
