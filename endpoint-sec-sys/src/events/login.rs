//! Events about people: authentication, sessions, `su` and `sudo`.

use crate::darwin::{audit_token_t, uid_t};
use crate::enums::{
    es_address_type_t, es_authentication_type_t, es_auto_unlock_type_t,
    es_openssh_login_result_type_t, es_sudo_plugin_type_t, es_touchid_mode_t,
};
use crate::opaque_debug;
use crate::process::{es_graphical_session_id_t, es_process_t};
use crate::token::es_string_token_t;

/// An authentication against Open Directory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_authentication_od_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The kind of record, mostly `Users`.
    pub record_type: es_string_token_t,
    /// The record's name.
    pub record_name: es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// An authentication by Touch ID.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_authentication_touchid_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// What was wanted of the finger.
    pub touchid_mode: es_touchid_mode_t,
    /// Whether [`uid`](Self::uid) holds a value.
    pub has_uid: bool,
    /// Who.
    pub uid: es_event_authentication_touchid_t_uid,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A user id, or nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_authentication_touchid_t_uid {
    /// The user's number.
    pub uid: uid_t,
}

/// An authentication by a token such as a smart card.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_authentication_token_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The hash of the public key.
    pub pubkey_hash: es_string_token_t,
    /// The token.
    pub token_id: es_string_token_t,
    /// The Kerberos principal, if any.
    pub kerberos_principal: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// An authentication by an Apple Watch.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_authentication_auto_unlock_t {
    /// The user's name.
    pub username: es_string_token_t,
    /// What was unlocked.
    pub type_: es_auto_unlock_type_t,
}

/// A person was authenticated, or not.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_authentication_t {
    /// Whether it succeeded.
    pub success: bool,
    /// Which member of [`data`](Self::data) holds.
    pub type_: es_authentication_type_t,
    /// How.
    pub data: es_event_authentication_t_data,
}

/// How a person was authenticated.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_authentication_t_data {
    /// For `ES_AUTHENTICATION_TYPE_OD`; never null.
    pub od: *mut es_event_authentication_od_t,
    /// For `ES_AUTHENTICATION_TYPE_TOUCHID`; never null.
    pub touchid: *mut es_event_authentication_touchid_t,
    /// For `ES_AUTHENTICATION_TYPE_TOKEN`; never null.
    pub token: *mut es_event_authentication_token_t,
    /// For `ES_AUTHENTICATION_TYPE_AUTO_UNLOCK`; never null.
    pub auto_unlock: *mut es_event_authentication_auto_unlock_t,
}

/// A person logged in at the login window.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_lw_session_login_t {
    /// The user's name.
    pub username: es_string_token_t,
    /// The graphical session.
    pub graphical_session_id: es_graphical_session_id_t,
}

/// A person logged out at the login window.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_lw_session_logout_t {
    /// The user's name.
    pub username: es_string_token_t,
    /// The graphical session.
    pub graphical_session_id: es_graphical_session_id_t,
}

/// A graphical session was locked.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_lw_session_lock_t {
    /// The user's name.
    pub username: es_string_token_t,
    /// The graphical session.
    pub graphical_session_id: es_graphical_session_id_t,
}

/// A graphical session was unlocked.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_lw_session_unlock_t {
    /// The user's name.
    pub username: es_string_token_t,
    /// The graphical session.
    pub graphical_session_id: es_graphical_session_id_t,
}

/// A screen-sharing viewer attached to a session, or failed to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_screensharing_attach_t {
    /// Whether it succeeded.
    pub success: bool,
    /// How to read [`source_address`](Self::source_address).
    pub source_address_type: es_address_type_t,
    /// Where the connection came from, as text.
    pub source_address: es_string_token_t,
    /// The viewer's Apple Account, when one was used.
    pub viewer_appleid: es_string_token_t,
    /// How the viewer was authenticated.
    pub authentication_type: es_string_token_t,
    /// As whom the viewer was authenticated.
    pub authentication_username: es_string_token_t,
    /// Whose session it is.
    pub session_username: es_string_token_t,
    /// Whether the session was there before.
    pub existing_session: bool,
    /// The graphical session.
    pub graphical_session_id: es_graphical_session_id_t,
}

/// A screen-sharing viewer detached.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_screensharing_detach_t {
    /// How to read [`source_address`](Self::source_address).
    pub source_address_type: es_address_type_t,
    /// Where the connection came from, as text.
    pub source_address: es_string_token_t,
    /// The viewer's Apple Account, when one was used.
    pub viewer_appleid: es_string_token_t,
    /// The graphical session.
    pub graphical_session_id: es_graphical_session_id_t,
}

/// Somebody logged in by OpenSSH, or failed to.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_openssh_login_t {
    /// Whether it succeeded.
    pub success: bool,
    /// How it ended.
    pub result_type: es_openssh_login_result_type_t,
    /// How to read [`source_address`](Self::source_address).
    pub source_address_type: es_address_type_t,
    /// Where the connection came from, as text.
    pub source_address: es_string_token_t,
    /// The user's name.
    pub username: es_string_token_t,
    /// Whether [`uid`](Self::uid) holds a value.
    pub has_uid: bool,
    /// The user, when known.
    pub uid: es_event_openssh_login_t_uid,
}

/// A user id, or nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_openssh_login_t_uid {
    /// The user's number.
    pub uid: uid_t,
}

/// An OpenSSH session ended.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_openssh_logout_t {
    /// How to read [`source_address`](Self::source_address).
    pub source_address_type: es_address_type_t,
    /// Where the connection came from, as text.
    pub source_address: es_string_token_t,
    /// The user's name.
    pub username: es_string_token_t,
    /// The user's number.
    pub uid: uid_t,
}

/// Somebody logged in by `login(1)`, or failed to.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_login_login_t {
    /// Whether it succeeded.
    pub success: bool,
    /// Why it failed.
    pub failure_message: es_string_token_t,
    /// The user's name.
    pub username: es_string_token_t,
    /// Whether [`uid`](Self::uid) holds a value.
    pub has_uid: bool,
    /// The user, when known.
    pub uid: es_event_login_login_t_uid,
}

/// A user id, or nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_login_login_t_uid {
    /// The user's number.
    pub uid: uid_t,
}

/// A session of `login(1)` ended.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_login_logout_t {
    /// The user's name.
    pub username: es_string_token_t,
    /// The user's number.
    pub uid: uid_t,
}

/// `su(1)` was used, or failed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_su_t {
    /// Whether it succeeded.
    pub success: bool,
    /// Why it failed.
    pub failure_message: es_string_token_t,
    /// The user who called.
    pub from_uid: uid_t,
    /// The name of the user who called.
    pub from_username: es_string_token_t,
    /// Whether [`to_uid`](Self::to_uid) holds a value.
    pub has_to_uid: bool,
    /// The user to become.
    pub to_uid: es_event_su_t_to_uid,
    /// The name of the user to become.
    pub to_username: es_string_token_t,
    /// The shell.
    pub shell: es_string_token_t,
    /// How many arguments.
    pub argc: usize,
    /// The arguments; may be null.
    pub argv: *mut es_string_token_t,
    /// How many variables.
    pub env_count: usize,
    /// The environment; may be null.
    pub env: *mut es_string_token_t,
}

/// A user id, or nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_su_t_to_uid {
    /// The user's number.
    pub uid: uid_t,
}

/// Why `sudo(8)` refused.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_sudo_reject_info_t {
    /// The plugin that refused.
    pub plugin_name: es_string_token_t,
    /// The kind of plugin.
    pub plugin_type: es_sudo_plugin_type_t,
    /// Why it failed.
    pub failure_message: es_string_token_t,
}

/// `sudo(8)` was used, or refused.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_sudo_t {
    /// Whether it succeeded.
    pub success: bool,
    /// Why it was refused; may be null.
    pub reject_info: *mut es_sudo_reject_info_t,
    /// Whether [`from_uid`](Self::from_uid) holds a value.
    pub has_from_uid: bool,
    /// The user who called.
    pub from_uid: es_event_sudo_t_from_uid,
    /// The name of the user who called.
    pub from_username: es_string_token_t,
    /// Whether [`to_uid`](Self::to_uid) holds a value.
    pub has_to_uid: bool,
    /// The user to become.
    pub to_uid: es_event_sudo_t_to_uid,
    /// The name of the user to become.
    pub to_username: es_string_token_t,
    /// The command.
    pub command: es_string_token_t,
}

/// A user id, or nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_sudo_t_from_uid {
    /// The user's number.
    pub uid: uid_t,
}

/// A user id, or nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_sudo_t_to_uid {
    /// The user's number.
    pub uid: uid_t,
}

opaque_debug!(
    es_event_authentication_touchid_t,
    es_event_authentication_touchid_t_uid,
    es_event_authentication_t,
    es_event_authentication_t_data,
    es_event_openssh_login_t,
    es_event_openssh_login_t_uid,
    es_event_login_login_t,
    es_event_login_login_t_uid,
    es_event_su_t,
    es_event_su_t_to_uid,
    es_event_sudo_t,
    es_event_sudo_t_from_uid,
    es_event_sudo_t_to_uid
);
