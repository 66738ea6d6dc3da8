//! Events about what the system's own guards saw: malware, launch items, profiles, permissions.

use crate::audit_token::AuditToken;
use crate::enums::{
    BtmItemType, GatekeeperFileType, ProfileSource, RuleClass, TccEventType, TccIdentityType,
    TccReason, TccRight,
};
use crate::file::File;
use crate::process::Process;
use crate::raw::view;

view! {
    /// XProtect found malware.
    pub struct XpMalwareDetected<'a>(es_event_xp_malware_detected_t) {
        /// The version of the signatures.
        signature_version: &'a [u8],
        /// What malware it is.
        malware_identifier: &'a [u8],
        /// What ties events of one incident together.
        incident_identifier: &'a [u8],
        /// Where it was found.
        detected_path: &'a [u8],
        /// The executable that was found, if it is one. Message version 10.
        [maybe 10] detected_executable: Option<&'a [u8]>,
    }
}

view! {
    /// XProtect removed malware, or failed to.
    pub struct XpMalwareRemediated<'a>(es_event_xp_malware_remediated_t) {
        /// The version of the signatures.
        signature_version: &'a [u8],
        /// What malware it is.
        malware_identifier: &'a [u8],
        /// What ties events of one incident together.
        incident_identifier: &'a [u8],
        /// What was done, such as `path_delete`.
        action_type: &'a [u8],
        /// Whether it worked.
        success: bool,
        /// What came of it, in words.
        result_description: &'a [u8],
        /// The path, if it was about one.
        remediated_path: Option<&'a [u8]>,
        /// The process, if it was about one.
        remediated_process: Option<AuditToken> = remediated_process_audit_token,
    }
}

view! {
    /// A launch item was added.
    pub struct BtmLaunchItemAdd<'a>(es_event_btm_launch_item_add_t) {
        /// The instigating process, if it is still known.
        instigator: Option<Process<'a>>,
        /// The application that the item belongs to, if it is still known.
        app: Option<Process<'a>>,
        /// The item.
        item: BtmLaunchItem<'a>,
        /// The executable that is launched, if known.
        executable_path: Option<&'a [u8]>,
        /// The instigating process. Message version 8.
        [maybe 8] instigator_token: Option<AuditToken>,
        /// The application that the item belongs to. Message version 8.
        [maybe 8] app_token: Option<AuditToken>,
    }
}

view! {
    /// A launch item was removed.
    pub struct BtmLaunchItemRemove<'a>(es_event_btm_launch_item_remove_t) {
        /// The instigating process, if it is still known.
        instigator: Option<Process<'a>>,
        /// The application that the item belongs to, if it is still known.
        app: Option<Process<'a>>,
        /// The item.
        item: BtmLaunchItem<'a>,
        /// The instigating process. Message version 8.
        [maybe 8] instigator_token: Option<AuditToken>,
        /// The application that the item belongs to. Message version 8.
        [maybe 8] app_token: Option<AuditToken>,
    }
}

view! {
    /// Something that the system launches by itself.
    pub struct BtmLaunchItem<'a>(es_btm_launch_item_t) {
        /// What it is.
        item_type: BtmItemType,
        /// Whether only its legacy property list is known.
        legacy: bool,
        /// Whether device management manages it.
        managed: bool,
        /// Whose it is.
        uid: u32,
        /// Where it is, as a URL; a path relative to the application, if that has one.
        item_url: &'a [u8],
        /// The application that it belongs to, as a URL, if it belongs to one.
        app_url: Option<&'a [u8]>,
    }
}

view! {
    /// A configuration profile was installed or updated.
    pub struct ProfileAdd<'a>(es_event_profile_add_t) {
        /// The instigating process, if it is still known.
        instigator: Option<Process<'a>>,
        /// Whether it replaces an earlier version.
        is_update: bool,
        /// The profile.
        profile: Profile<'a>,
        /// The instigating process. Message version 8.
        [since 8] instigator_token: AuditToken,
    }
}

view! {
    /// A configuration profile was removed.
    pub struct ProfileRemove<'a>(es_event_profile_remove_t) {
        /// The instigating process, if it is still known.
        instigator: Option<Process<'a>>,
        /// The profile.
        profile: Profile<'a>,
        /// The instigating process. Message version 8.
        [since 8] instigator_token: AuditToken,
    }
}

view! {
    /// A configuration profile.
    pub struct Profile<'a>(es_profile_t) {
        /// Its identifier.
        identifier: &'a [u8],
        /// Its UUID.
        uuid: &'a [u8],
        /// Where it came from.
        install_source: ProfileSource,
        /// Who made it.
        organization: &'a [u8],
        /// What users see.
        display_name: &'a [u8],
        /// For whom it holds.
        scope: &'a [u8],
    }
}

view! {
    /// A process requested rights (`AuthorizationCopyRights` and similar calls).
    pub struct AuthorizationPetition<'a>(es_event_authorization_petition_t) {
        /// The process that passed the question on, if it is still known.
        instigator: Option<Process<'a>>,
        /// The instigating process, if it is still known.
        petitioner: Option<Process<'a>>,
        /// The flags of the question.
        flags: u32,
        /// The names of the rights.
        [list rights right_count] rights: &'a [u8],
        /// The process that passed the question on. Message version 8.
        [since 8] instigator_token: AuditToken,
        /// The instigating process. Message version 8.
        [since 8] petitioner_token: AuditToken,
    }
}

view! {
    /// The decision on a request for rights.
    pub struct AuthorizationJudgement<'a>(es_event_authorization_judgement_t) {
        /// The process that passed the question on, if it is still known.
        instigator: Option<Process<'a>>,
        /// The instigating process, if it is still known.
        petitioner: Option<Process<'a>>,
        /// Zero for success, else an error of the authorization services.
        return_code: i32,
        /// What was decided over each right.
        [list results result_count] results: AuthorizationResult<'a>,
        /// The process that passed the question on. Message version 8.
        [since 8] instigator_token: AuditToken,
        /// The instigating process. Message version 8.
        [since 8] petitioner_token: AuditToken,
    }
}

view! {
    /// What was decided over a right.
    pub struct AuthorizationResult<'a>(es_authorization_result_t) {
        /// The right.
        right_name: &'a [u8],
        /// The class of the rule that decided.
        rule_class: RuleClass,
        /// Whether it was granted.
        granted: bool,
    }
}

view! {
    /// A user let a program run that Gatekeeper had blocked.
    pub struct GatekeeperUserOverride<'a>(es_event_gatekeeper_user_override_t) {
        /// How the file is given.
        file_type: GatekeeperFileType,
        /// The file's path, if only that is known.
        [if file_type == GatekeeperFileType::Path] file_path: &'a [u8] = file.file_path,
        /// The file.
        [if file_type == GatekeeperFileType::File] file: File<'a> = file.file,
        /// The file's SHA-256, if known.
        sha256: Option<[u8; 32]>,
        /// The file's signature, if it has one.
        signing_info: Option<SignedFileInfo<'a>>,
    }
}

view! {
    /// The signature of a file.
    pub struct SignedFileInfo<'a>(es_signed_file_info_t) {
        /// The hash of the code directory.
        cdhash: [u8; 20],
        /// The signing identifier.
        signing_id: &'a [u8],
        /// The team identifier, if there is one.
        team_id: Option<&'a [u8]>,
    }
}

view! {
    /// A privacy permission changed.
    pub struct TccModify<'a>(es_event_tcc_modify_t) {
        /// The service, such as `kTCCServiceSystemPolicyAllFiles`.
        service: &'a [u8],
        /// Whose permission it is.
        identity: &'a [u8],
        /// How that is named.
        identity_type: TccIdentityType,
        /// What happened.
        update_type: TccEventType,
        /// The process that changed it.
        instigator_token: AuditToken,
        /// The process that changed it, if it is still known.
        instigator: Option<Process<'a>>,
        /// The process that answers for that one, if there is one.
        responsible_token: Option<AuditToken>,
        /// The process that answers for that one, if it is still known.
        responsible: Option<Process<'a>>,
        /// What the permission says now.
        right: TccRight,
        /// Why.
        reason: TccReason,
    }
}
