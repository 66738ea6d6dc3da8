//! Events about services that launchd brokers.

use crate::audit_token::AuditToken;
use crate::enums::{BootstrapTargetType, XpcDomain};
use crate::process::Process;
use crate::raw::view;

view! {
    /// An XPC service is connected to.
    pub struct XpcConnect<'a>(es_event_xpc_connect_t) {
        /// The service's name.
        service_name: &'a [u8],
        /// The domain that it is looked up in.
        service_domain_type: XpcDomain,
    }
}

view! {
    /// A process checks in to offer a service. The message's own process is launchd. macOS 27.0.
    pub struct BootstrapCheckIn<'a>(es_event_bootstrap_check_in_t) {
        /// The process that checks in, if it is still known.
        instigator: Option<Process<'a>>,
        /// The process that checks in.
        instigator_token: AuditToken,
        /// The service's name.
        service_name: &'a [u8],
    }
}

view! {
    /// A process looks a service up. The message's own process is launchd. macOS 27.0; the
    /// authorization is delivered to descendants clients only.
    pub struct BootstrapLookUp<'a>(es_event_bootstrap_look_up_t) {
        /// The process that looks up, if it is still known.
        instigator: Option<Process<'a>>,
        /// The process that looks up.
        instigator_token: AuditToken,
        /// The service's name.
        service_name: &'a [u8],
        /// The result of the look-up.
        target_type: BootstrapTargetType,
        /// The process that offers the service, if it is one and still known.
        [if target_type == BootstrapTargetType::Process]
        process: Option<Process<'a>> = target.process.target,
        /// The process that offers the service, if it is one.
        [if target_type == BootstrapTargetType::Process]
        process_token: AuditToken = target.process.target_token,
        /// The label of that process's job.
        [if target_type == BootstrapTargetType::Process]
        process_job_label: Option<&'a [u8]> = target.process.job_label,
        /// The label of the job that would be started, if it is one.
        [if target_type == BootstrapTargetType::Job]
        job_label: Option<&'a [u8]> = target.job.job_label,
        /// What launchd demands of the job's code.
        [if target_type == BootstrapTargetType::Job]
        job_requirement: Option<CodeRequirement<'a>> = target.job.lwcr,
    }
}

view! {
    /// What code must have for launchd to start it.
    pub struct CodeRequirement<'a>(es_lightweight_code_requirement_t) {
        /// The team identifier, if one is demanded.
        team_id: Option<&'a [u8]>,
        /// The signing identifier, if one is demanded.
        signing_id: Option<&'a [u8]>,
    }
}
