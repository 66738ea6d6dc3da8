//! Events of macOS's own protections: malware, background items, profiles, rights, privacy.

use crate::darwin::{audit_token_t, uid_t};
use crate::enums::{
    es_authorization_rule_class_t, es_btm_item_type_t, es_gatekeeper_user_override_file_type_t,
    es_profile_source_t, es_tcc_authorization_reason_t, es_tcc_authorization_right_t,
    es_tcc_event_type_t, es_tcc_identity_type_t,
};
use crate::opaque_debug;
use crate::process::{es_file_t, es_process_t, es_sha256_t, es_signed_file_info_t};
use crate::token::es_string_token_t;

/// XProtect found malware.
///
/// 64 bytes before message version 10.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_xp_malware_detected_t {
    /// The version of XProtect's signatures.
    pub signature_version: es_string_token_t,
    /// The malware's name.
    pub malware_identifier: es_string_token_t,
    /// Ties what was found to what was done about it.
    pub incident_identifier: es_string_token_t,
    /// Where.
    pub detected_path: es_string_token_t,
    /// The program within it, when a bundle was found. Message version 10.
    pub detected_executable: es_string_token_t,
}

/// XProtect acted on malware.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_xp_malware_remediated_t {
    /// The version of XProtect's signatures.
    pub signature_version: es_string_token_t,
    /// The malware's name.
    pub malware_identifier: es_string_token_t,
    /// Ties what was found to what was done about it.
    pub incident_identifier: es_string_token_t,
    /// What was done.
    pub action_type: es_string_token_t,
    /// Whether it succeeded.
    pub success: bool,
    /// What came of it.
    pub result_description: es_string_token_t,
    /// Where.
    pub remediated_path: es_string_token_t,
    /// The process that was acted on; may be null.
    pub remediated_process_audit_token: *mut audit_token_t,
}

/// A background item: a login item, an agent, a daemon.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_btm_launch_item_t {
    /// The kind of item.
    pub item_type: es_btm_item_type_t,
    /// Whether the item is a plist, not registered by an application.
    pub legacy: bool,
    /// Whether device management added it.
    pub managed: bool,
    /// For whom.
    pub uid: uid_t,
    /// Where the item is, as a URL.
    pub item_url: es_string_token_t,
    /// Where its application is, as a URL.
    pub app_url: es_string_token_t,
}

/// A background item was added.
///
/// 40 bytes before message version 8.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_btm_launch_item_add_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The application to which the item belongs, when it registered the item itself; may be null.
    pub app: *mut es_process_t,
    /// The item; never null.
    pub item: *mut es_btm_launch_item_t,
    /// The program of a legacy item.
    pub executable_path: es_string_token_t,
    /// The audit token of the instigating process; may be null. Message version 8.
    pub instigator_token: *mut audit_token_t,
    /// The audit token of that application; may be null. Message version 8.
    pub app_token: *mut audit_token_t,
}

/// A background item was removed.
///
/// 24 bytes before message version 8.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_btm_launch_item_remove_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The application to which the item belongs, when it registered the item itself; may be null.
    pub app: *mut es_process_t,
    /// The item; never null.
    pub item: *mut es_btm_launch_item_t,
    /// The audit token of the instigating process; may be null. Message version 8.
    pub instigator_token: *mut audit_token_t,
    /// The audit token of that application; may be null. Message version 8.
    pub app_token: *mut audit_token_t,
}

/// A configuration profile.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_profile_t {
    /// The profile's identifier.
    pub identifier: es_string_token_t,
    /// The profile's UUID, as text.
    pub uuid: es_string_token_t,
    /// How it came.
    pub install_source: es_profile_source_t,
    /// Who made it.
    pub organization: es_string_token_t,
    /// What people see.
    pub display_name: es_string_token_t,
    /// For whom it holds.
    pub scope: es_string_token_t,
}

/// A configuration profile was added or updated.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_profile_add_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// Whether the profile was there before.
    pub is_update: bool,
    /// The profile; never null.
    pub profile: *mut es_profile_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A configuration profile was removed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_profile_remove_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The profile; never null.
    pub profile: *mut es_profile_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A process asked for authorization rights.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_authorization_petition_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The process that wants the rights; may be null.
    pub petitioner: *mut es_process_t,
    /// The flags of the petition, `kAuthorizationFlag*`.
    pub flags: u32,
    /// How many rights.
    pub right_count: usize,
    /// The rights' names; may be null.
    pub rights: *mut es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
    /// The audit token of the process that wants the rights. Message version 8.
    pub petitioner_token: audit_token_t,
}

/// The judgement of one right.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_authorization_result_t {
    /// The right.
    pub right_name: es_string_token_t,
    /// The class of rule that decided.
    pub rule_class: es_authorization_rule_class_t,
    /// Whether it was granted.
    pub granted: bool,
}

/// A petition for authorization rights was judged.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_authorization_judgement_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The process that wants the rights; may be null.
    pub petitioner: *mut es_process_t,
    /// 0 for success, else an error of Authorization Services.
    pub return_code: i32,
    /// How many judgements.
    pub result_count: usize,
    /// The judgements; may be null.
    pub results: *mut es_authorization_result_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
    /// The audit token of the process that wants the rights. Message version 8.
    pub petitioner_token: audit_token_t,
}

/// A person let a program run that Gatekeeper had stopped.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_gatekeeper_user_override_t {
    /// Which member of [`file`](Self::file) holds.
    pub file_type: es_gatekeeper_user_override_file_type_t,
    /// What runs.
    pub file: es_event_gatekeeper_user_override_t_file,
    /// The file's hash; may be null.
    pub sha256: *mut es_sha256_t,
    /// What the file's signature says; may be null.
    pub signing_info: *mut es_signed_file_info_t,
}

/// What runs in spite of Gatekeeper.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_gatekeeper_user_override_t_file {
    /// The path alone.
    pub file_path: es_string_token_t,
    /// The file; never null.
    pub file: *mut es_file_t,
}

/// A privacy permission (TCC) was given, changed or taken.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_tcc_modify_t {
    /// The permission's name.
    pub service: es_string_token_t,
    /// Who has the permission.
    pub identity: es_string_token_t,
    /// How to read [`identity`](Self::identity).
    pub identity_type: es_tcc_identity_type_t,
    /// What happened to the permission.
    pub update_type: es_tcc_event_type_t,
    /// The audit token of the instigating process.
    pub instigator_token: audit_token_t,
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The audit token of the instigator's responsible process; may be null.
    pub responsible_token: *mut audit_token_t,
    /// The instigator's responsible process; may be null.
    pub responsible: *mut es_process_t,
    /// What is permitted now.
    pub right: es_tcc_authorization_right_t,
    /// Why.
    pub reason: es_tcc_authorization_reason_t,
}

opaque_debug!(
    es_event_gatekeeper_user_override_t,
    es_event_gatekeeper_user_override_t_file
);
