//! The names of attributes and events.
//!
//! A test compares those of the semantic conventions with the crate of the conventions; all others
//! begin with `guard.`. A name is never built from a value.

use guard_core::event::RequestStep;

macro_rules! names {
    ($($constant:ident $name:literal;)+) => {
        $(pub(super) const $constant: &str = $name;)+

        /// All of them, in the order of this file.
        #[cfg(test)]
        const ALL: &[&str] = &[$($name),+];
    };
}

names! {
    SERVICE_NAME "service.name";
    SERVICE_VERSION "service.version";
    SERVICE_INSTANCE_ID "service.instance.id";
    HOST_NAME "host.name";
    HOST_ARCH "host.arch";
    OS_TYPE "os.type";
    OS_VERSION "os.version";

    PROCESS_PID "process.pid";
    PROCESS_PARENT_PID "process.parent_pid";
    PROCESS_EXECUTABLE_PATH "process.executable.path";
    PROCESS_EXECUTABLE_NAME "process.executable.name";
    PROCESS_COMMAND "process.command";
    PROCESS_REAL_USER_ID "process.real_user.id";
    USER_ID "user.id";
    FILE_PATH "file.path";
    FILE_NAME "file.name";
    FILE_DIRECTORY "file.directory";
    FILE_EXTENSION "file.extension";
    ERROR_TYPE "error.type";
    RULE_NAME "security_rule.name";
    RULE_CATEGORY "security_rule.category";

    DECISION_ID "guard.decision.id";
    DECISION_DURATION "guard.decision.duration";
    OPERATION "guard.operation";
    VERDICT "guard.verdict";
    REASON "guard.reason";
    ANSWER "guard.answer";
    ERRNO "guard.errno";
    AGENT_NAME "guard.agent.name";
    AGENT_PID "guard.agent.pid";
    ANCESTOR "guard.ancestor";
    SESSION_ID "guard.session.id";
    ZONE_PATH "guard.zone.path";
    TOOL "guard.tool";
    OVERRIDE_ID "guard.override.id";
    CHANGE "guard.change";
    PRESERVED "guard.preserved";
    UNPRESERVED "guard.unpreserved";
    PRESERVE_DURATION "guard.preserve.duration";
    SIZE_BEFORE "guard.file.size_before";
    SIZE_AFTER "guard.file.size_after";
    TARGET_PATH "guard.file.target_path";
    PATH_BYTES "guard.file.path_bytes";
    TARGET_PATH_BYTES "guard.file.target_path_bytes";
    REQUEST_STEP "guard.request.step";
    REQUEST_DENIALS "guard.request.denials";
    REQUEST_USES "guard.request.uses";
    REQUEST_REASON "guard.request.reason";
    REQUEST_ANSWERED_BY "guard.request.answered_by";
    REQUEST_WAIT "guard.request.wait";
    LINK "guard.link";
    DETECTION_COUNT "guard.detection.count";
    DETECTION_DENIED "guard.detection.denied";
    DETECTION_BEGINS "guard.detection.begins";
}

/// The event name of a denial's log record.
pub(super) const DENIED: &str = "guard.decision.denied";
/// The event name of an operation that would have been denied, in audit mode.
pub(super) const AUDITED: &str = "guard.decision.audited";
/// The event name of a change whose contents were preserved.
pub(super) const CHANGE_PRESERVED: &str = "guard.change.preserved";
/// The event name of a change whose contents could not be preserved.
pub(super) const CHANGE_UNPRESERVED: &str = "guard.change.unpreserved";
/// The value of a link's `guard.link`: it leads to the denial.
pub(super) const LINK_DENIAL: &str = "denial";

/// The event name of a step of a request.
pub(super) const fn request_step(step: RequestStep) -> &'static str {
    match step {
        RequestStep::Requested => "guard.override.requested",
        RequestStep::Granted => "guard.override.granted",
        RequestStep::Rejected => "guard.override.rejected",
        RequestStep::Unanswered => "guard.override.unanswered",
        RequestStep::Used => "guard.override.used",
        RequestStep::Expired => "guard.override.expired",
        RequestStep::Spent => "guard.override.spent",
        RequestStep::Withdrawn => "guard.override.withdrawn",
    }
}

/// The event name of a retry storm.
pub(super) const RETRY_STORM: &str = "guard.retry_storm.detected";
/// The event name of a mass deletion.
pub(super) const MASS_DELETION: &str = "guard.mass_deletion.detected";

/// The instrumentation scope of decisions.
pub(super) const SCOPE: &str = "guard";
/// The instrumentation scope of the exporter's own spans.
pub(super) const OWN_SCOPE: &str = "guard_exporter";

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_semantic_conventions::{attribute, resource};
    use std::collections::HashSet;

    #[test]
    fn names_are_those_of_the_semantic_conventions() {
        let conventional = HashSet::from([
            resource::SERVICE_NAME,
            resource::SERVICE_VERSION,
            resource::SERVICE_INSTANCE_ID,
            resource::HOST_NAME,
            resource::HOST_ARCH,
            resource::OS_TYPE,
            resource::OS_VERSION,
            attribute::PROCESS_PID,
            attribute::PROCESS_PARENT_PID,
            attribute::PROCESS_EXECUTABLE_PATH,
            attribute::PROCESS_EXECUTABLE_NAME,
            attribute::PROCESS_COMMAND,
            attribute::PROCESS_REAL_USER_ID,
            attribute::USER_ID,
            attribute::FILE_PATH,
            attribute::FILE_NAME,
            attribute::FILE_DIRECTORY,
            attribute::FILE_EXTENSION,
            attribute::ERROR_TYPE,
            attribute::SECURITY_RULE_NAME,
            attribute::SECURITY_RULE_CATEGORY,
        ]);
        let mut seen = HashSet::new();
        for name in ALL {
            assert!(seen.insert(name), "{name} is there twice");
            assert!(
                conventional.contains(name) || name.starts_with("guard."),
                "{name} is neither of the conventions nor of the guard"
            );
        }
        for name in conventional {
            assert!(seen.contains(&name), "{name} is compared and never used");
        }
    }
}
