//! Events about users that log in and out, reported by the programs that authenticate them.
//!
//! These messages come from programs of the system, not from the kernel: another program for the
//! same purpose does not send them.

use crate::audit_token::AuditToken;
use crate::enums::{
    AddressType, AuthenticationType, AutoUnlockType, OpensshLoginResult, SudoPluginType,
    TouchIdMode,
};
use crate::process::Process;
use crate::raw::view;

view! {
    /// A user authenticated, or failed to.
    pub struct Authentication<'a>(es_event_authentication_t) {
        /// Whether it worked.
        success: bool,
        /// By which way.
        kind: AuthenticationType = type_,
        /// The details, if it was by Open Directory.
        [if kind == AuthenticationType::Od]
        od: AuthenticationOd<'a> = data.od,
        /// The details, if it was by Touch ID.
        [if kind == AuthenticationType::TouchId]
        touch_id: AuthenticationTouchId<'a> = data.touchid,
        /// The details, if it was by token.
        [if kind == AuthenticationType::Token]
        token: AuthenticationToken<'a> = data.token,
        /// The details, if it was by an Apple Watch.
        [if kind == AuthenticationType::AutoUnlock]
        auto_unlock: AuthenticationAutoUnlock<'a> = data.auto_unlock,
    }
}

view! {
    /// An authentication by a record of Open Directory.
    pub struct AuthenticationOd<'a>(es_event_authentication_od_t) {
        /// The instigating process, if it is still known.
        instigator: Option<Process<'a>>,
        /// The type of record, such as `dsRecTypeStandard:Users`.
        record_type: &'a [u8],
        /// The record's name.
        record_name: &'a [u8],
        /// The directory node, such as `/Local/Default`.
        node_name: &'a [u8],
        /// The path of the database, for local nodes.
        db_path: Option<&'a [u8]>,
        /// The instigating process. Message version 8.
        [since 8] instigator_token: AuditToken,
    }
}

view! {
    /// An authentication by Touch ID.
    pub struct AuthenticationTouchId<'a>(es_event_authentication_touchid_t) {
        /// The instigating process, if it is still known.
        instigator: Option<Process<'a>>,
        /// What was asked.
        touchid_mode: TouchIdMode,
        /// Whether the user is known.
        has_uid: bool,
        /// The user, if known.
        [if has_uid] uid: u32 = uid.uid,
        /// The instigating process. Message version 8.
        [since 8] instigator_token: AuditToken,
    }
}

view! {
    /// An authentication by a token, such as a smart card.
    pub struct AuthenticationToken<'a>(es_event_authentication_token_t) {
        /// The instigating process, if it is still known.
        instigator: Option<Process<'a>>,
        /// The hash of the public key.
        pubkey_hash: &'a [u8],
        /// The token's identifier.
        token_id: &'a [u8],
        /// The Kerberos principal, if one is involved.
        kerberos_principal: Option<&'a [u8]>,
        /// The instigating process. Message version 8.
        [since 8] instigator_token: AuditToken,
    }
}

view! {
    /// An authentication by an Apple Watch.
    pub struct AuthenticationAutoUnlock<'a>(es_event_authentication_auto_unlock_t) {
        /// The user.
        username: &'a [u8],
        /// What was unlocked.
        kind: AutoUnlockType = type_,
    }
}

view! {
    /// A user logged in at the login window.
    pub struct LwSessionLogin<'a>(es_event_lw_session_login_t) {
        /// The user.
        username: &'a [u8],
        /// The graphical session.
        graphical_session_id: u32,
    }
}

view! {
    /// A user logged out of the login window's session.
    pub struct LwSessionLogout<'a>(es_event_lw_session_logout_t) {
        /// The user.
        username: &'a [u8],
        /// The graphical session.
        graphical_session_id: u32,
    }
}

view! {
    /// A graphical session was locked.
    pub struct LwSessionLock<'a>(es_event_lw_session_lock_t) {
        /// The user.
        username: &'a [u8],
        /// The graphical session.
        graphical_session_id: u32,
    }
}

view! {
    /// A graphical session was unlocked.
    pub struct LwSessionUnlock<'a>(es_event_lw_session_unlock_t) {
        /// The user.
        username: &'a [u8],
        /// The graphical session.
        graphical_session_id: u32,
    }
}

view! {
    /// A viewer attached to a shared screen, or failed to.
    pub struct ScreensharingAttach<'a>(es_event_screensharing_attach_t) {
        /// Whether it worked.
        success: bool,
        /// What the source address is.
        source_address_type: AddressType,
        /// Where the viewer is, if known.
        source_address: Option<&'a [u8]>,
        /// The viewer's Apple Account, if known.
        viewer_appleid: Option<&'a [u8]>,
        /// How the viewer authenticated.
        authentication_type: &'a [u8],
        /// The user the viewer authenticated as, if known.
        authentication_username: Option<&'a [u8]>,
        /// The user of the session, if known.
        session_username: Option<&'a [u8]>,
        /// Whether the session was there before.
        existing_session: bool,
        /// The graphical session.
        graphical_session_id: u32,
    }
}

view! {
    /// A viewer detached from a shared screen.
    pub struct ScreensharingDetach<'a>(es_event_screensharing_detach_t) {
        /// What the source address is.
        source_address_type: AddressType,
        /// Where the viewer was, if known.
        source_address: Option<&'a [u8]>,
        /// The viewer's Apple Account, if known.
        viewer_appleid: Option<&'a [u8]>,
        /// The graphical session.
        graphical_session_id: u32,
    }
}

view! {
    /// A user logged in by SSH, or failed to.
    pub struct OpensshLogin<'a>(es_event_openssh_login_t) {
        /// Whether it worked.
        success: bool,
        /// How it ended.
        result_type: OpensshLoginResult,
        /// What the source address is.
        source_address_type: AddressType,
        /// Where the user came from.
        source_address: &'a [u8],
        /// The user's name, as it was given.
        username: &'a [u8],
        /// Whether there is a user of that name.
        has_uid: bool,
        /// The user, if there is one.
        [if has_uid] uid: u32 = uid.uid,
    }
}

view! {
    /// A user logged out of SSH.
    pub struct OpensshLogout<'a>(es_event_openssh_logout_t) {
        /// What the source address is.
        source_address_type: AddressType,
        /// Where the user came from.
        source_address: &'a [u8],
        /// The user's name.
        username: &'a [u8],
        /// The user.
        uid: u32,
    }
}

view! {
    /// A user logged in by `/usr/bin/login`, or failed to.
    pub struct LoginLogin<'a>(es_event_login_login_t) {
        /// Whether it worked.
        success: bool,
        /// Why it failed, if it did.
        failure_message: Option<&'a [u8]>,
        /// The user's name, as it was given.
        username: &'a [u8],
        /// Whether there is a user of that name.
        has_uid: bool,
        /// The user, if there is one.
        [if has_uid] uid: u32 = uid.uid,
    }
}

view! {
    /// A user logged out of `/usr/bin/login`.
    pub struct LoginLogout<'a>(es_event_login_logout_t) {
        /// The user's name.
        username: &'a [u8],
        /// The user.
        uid: u32,
    }
}

view! {
    /// `su` was used, or refused.
    pub struct Su<'a>(es_event_su_t) {
        /// Whether it worked.
        success: bool,
        /// Why it failed, if it did.
        failure_message: Option<&'a [u8]>,
        /// The user that it came from.
        from_uid: u32,
        /// That user's name.
        from_username: &'a [u8],
        /// Whether there is a user to go to.
        has_to_uid: bool,
        /// The user to go to, if there is one.
        [if has_to_uid] to_uid: u32 = to_uid.uid,
        /// That user's name, if it was given.
        to_username: Option<&'a [u8]>,
        /// The shell that is started, if it worked.
        shell: Option<&'a [u8]>,
        /// The arguments that the shell gets.
        [list argv argc] arguments: &'a [u8],
        /// The environment that the shell gets.
        [list env env_count] environment: &'a [u8],
    }
}

view! {
    /// `sudo` was used, or refused.
    pub struct Sudo<'a>(es_event_sudo_t) {
        /// Whether it worked.
        success: bool,
        /// Why it was rejected, if it was.
        reject_info: Option<SudoRejectInfo<'a>>,
        /// Whether the user that it came from is known.
        has_from_uid: bool,
        /// The user that it came from, if known.
        [if has_from_uid] from_uid: u32 = from_uid.uid,
        /// That user's name, if known.
        from_username: Option<&'a [u8]>,
        /// Whether the user to go to is known.
        has_to_uid: bool,
        /// The user to go to, if known.
        [if has_to_uid] to_uid: u32 = to_uid.uid,
        /// That user's name, if known.
        to_username: Option<&'a [u8]>,
        /// The command to run, if known.
        command: Option<&'a [u8]>,
    }
}

view! {
    /// Why `sudo` rejected a command.
    pub struct SudoRejectInfo<'a>(es_sudo_reject_info_t) {
        /// The plug-in that rejected it.
        plugin_name: &'a [u8],
        /// What kind of plug-in that is.
        plugin_type: SudoPluginType,
        /// Its reason.
        failure_message: &'a [u8],
    }
}
