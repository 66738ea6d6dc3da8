//! The table of event types, and look-ups in it.

use super::Emitter::{Kernel, Launchd, Program};
use super::Storage::{Inline, Pointer};
use super::{Cacheability, Emitter, EventInfo, EventKind, Response, Storage};
use crate::event_type::es_event_type_t as T;
use crate::release::OsVersion;

/// Every event type, at the index that is its value.
#[rustfmt::skip]
pub const EVENTS: [EventInfo; T::ES_EVENT_TYPE_LAST.0 as usize] = [
    auth(T::ES_EVENT_TYPE_AUTH_EXEC, MACOS_10_15, Inline, "exec").cacheable().targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_OPEN, MACOS_10_15, Inline, "open").cacheable().flags().targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_KEXTLOAD, MACOS_10_15, Inline, "kextload"),
    auth(T::ES_EVENT_TYPE_AUTH_MMAP, MACOS_10_15, Inline, "mmap").cacheable().targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_MPROTECT, MACOS_10_15, Inline, "mprotect"),
    auth(T::ES_EVENT_TYPE_AUTH_MOUNT, MACOS_10_15, Inline, "mount").cacheable(),
    auth(T::ES_EVENT_TYPE_AUTH_RENAME, MACOS_10_15, Inline, "rename").targets(2).repeats(),
    auth(T::ES_EVENT_TYPE_AUTH_SIGNAL, MACOS_10_15, Inline, "signal").targets(1).instigated(),
    auth(T::ES_EVENT_TYPE_AUTH_UNLINK, MACOS_10_15, Inline, "unlink").targets(1).repeats(),
    notify(T::ES_EVENT_TYPE_NOTIFY_EXEC, MACOS_10_15, Inline, "exec").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_OPEN, MACOS_10_15, Inline, "open").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_FORK, MACOS_10_15, Inline, "fork"),
    notify(T::ES_EVENT_TYPE_NOTIFY_CLOSE, MACOS_10_15, Inline, "close").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_CREATE, MACOS_10_15, Inline, "create").targets(1).repeats(),
    notify(T::ES_EVENT_TYPE_NOTIFY_EXCHANGEDATA, MACOS_10_15, Inline, "exchangedata").targets(2),
    notify(T::ES_EVENT_TYPE_NOTIFY_EXIT, MACOS_10_15, Inline, "exit"),
    notify(T::ES_EVENT_TYPE_NOTIFY_GET_TASK, MACOS_10_15, Inline, "get_task").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_KEXTLOAD, MACOS_10_15, Inline, "kextload"),
    notify(T::ES_EVENT_TYPE_NOTIFY_KEXTUNLOAD, MACOS_10_15, Inline, "kextunload"),
    notify(T::ES_EVENT_TYPE_NOTIFY_LINK, MACOS_10_15, Inline, "link").targets(2),
    notify(T::ES_EVENT_TYPE_NOTIFY_MMAP, MACOS_10_15, Inline, "mmap").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_MPROTECT, MACOS_10_15, Inline, "mprotect"),
    notify(T::ES_EVENT_TYPE_NOTIFY_MOUNT, MACOS_10_15, Inline, "mount"),
    notify(T::ES_EVENT_TYPE_NOTIFY_UNMOUNT, MACOS_10_15, Inline, "unmount"),
    notify(T::ES_EVENT_TYPE_NOTIFY_IOKIT_OPEN, MACOS_10_15, Inline, "iokit_open"),
    notify(T::ES_EVENT_TYPE_NOTIFY_RENAME, MACOS_10_15, Inline, "rename").targets(2).repeats(),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETATTRLIST, MACOS_10_15, Inline, "setattrlist").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETEXTATTR, MACOS_10_15, Inline, "setextattr").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETFLAGS, MACOS_10_15, Inline, "setflags").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETMODE, MACOS_10_15, Inline, "setmode").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETOWNER, MACOS_10_15, Inline, "setowner").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_SIGNAL, MACOS_10_15, Inline, "signal").targets(1).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_UNLINK, MACOS_10_15, Inline, "unlink").targets(1).repeats(),
    notify(T::ES_EVENT_TYPE_NOTIFY_WRITE, MACOS_10_15, Inline, "write").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_FILE_PROVIDER_MATERIALIZE, MACOS_10_15, Inline, "file_provider_materialize").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_FILE_PROVIDER_MATERIALIZE, MACOS_10_15, Inline, "file_provider_materialize").from(Program).instigated(),
    auth(T::ES_EVENT_TYPE_AUTH_FILE_PROVIDER_UPDATE, MACOS_10_15, Inline, "file_provider_update").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_FILE_PROVIDER_UPDATE, MACOS_10_15, Inline, "file_provider_update").from(Program),
    auth(T::ES_EVENT_TYPE_AUTH_READLINK, MACOS_10_15, Inline, "readlink").maybe_cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_READLINK, MACOS_10_15, Inline, "readlink").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_TRUNCATE, MACOS_10_15, Inline, "truncate").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_TRUNCATE, MACOS_10_15, Inline, "truncate").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_LINK, MACOS_10_15, Inline, "link").targets(2),
    notify(T::ES_EVENT_TYPE_NOTIFY_LOOKUP, MACOS_10_15, Inline, "lookup"),
    auth(T::ES_EVENT_TYPE_AUTH_CREATE, MACOS_10_15, Inline, "create").targets(1).repeats(),
    auth(T::ES_EVENT_TYPE_AUTH_SETATTRLIST, MACOS_10_15, Inline, "setattrlist").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_SETEXTATTR, MACOS_10_15, Inline, "setextattr").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_SETFLAGS, MACOS_10_15, Inline, "setflags").cacheable().targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_SETMODE, MACOS_10_15, Inline, "setmode").cacheable().targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_SETOWNER, MACOS_10_15, Inline, "setowner").cacheable().targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_CHDIR, MACOS_10_15_1, Inline, "chdir").cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_CHDIR, MACOS_10_15_1, Inline, "chdir").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_GETATTRLIST, MACOS_10_15_1, Inline, "getattrlist").cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_GETATTRLIST, MACOS_10_15_1, Inline, "getattrlist").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_STAT, MACOS_10_15_1, Inline, "stat").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_ACCESS, MACOS_10_15_1, Inline, "access").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_CHROOT, MACOS_10_15_1, Inline, "chroot").cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_CHROOT, MACOS_10_15_1, Inline, "chroot").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_UTIMES, MACOS_10_15_1, Inline, "utimes").cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_UTIMES, MACOS_10_15_1, Inline, "utimes").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_CLONE, MACOS_10_15_1, Inline, "clone").targets(2),
    notify(T::ES_EVENT_TYPE_NOTIFY_CLONE, MACOS_10_15_1, Inline, "clone").targets(2),
    notify(T::ES_EVENT_TYPE_NOTIFY_FCNTL, MACOS_10_15_1, Inline, "fcntl").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_GETEXTATTR, MACOS_10_15_1, Inline, "getextattr").cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_GETEXTATTR, MACOS_10_15_1, Inline, "getextattr").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_LISTEXTATTR, MACOS_10_15_1, Inline, "listextattr").cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_LISTEXTATTR, MACOS_10_15_1, Inline, "listextattr").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_READDIR, MACOS_10_15_1, Inline, "readdir").cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_READDIR, MACOS_10_15_1, Inline, "readdir").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_DELETEEXTATTR, MACOS_10_15_1, Inline, "deleteextattr").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_DELETEEXTATTR, MACOS_10_15_1, Inline, "deleteextattr").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_FSGETPATH, MACOS_10_15_1, Inline, "fsgetpath").cacheable().repeats(),
    notify(T::ES_EVENT_TYPE_NOTIFY_FSGETPATH, MACOS_10_15_1, Inline, "fsgetpath").repeats(),
    notify(T::ES_EVENT_TYPE_NOTIFY_DUP, MACOS_10_15_1, Inline, "dup").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_SETTIME, MACOS_10_15_1, Inline, "settime"),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETTIME, MACOS_10_15_1, Inline, "settime"),
    notify(T::ES_EVENT_TYPE_NOTIFY_UIPC_BIND, MACOS_10_15_1, Inline, "uipc_bind").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_UIPC_BIND, MACOS_10_15_1, Inline, "uipc_bind").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_UIPC_CONNECT, MACOS_10_15_1, Inline, "uipc_connect").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_UIPC_CONNECT, MACOS_10_15_1, Inline, "uipc_connect").cacheable().targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_EXCHANGEDATA, MACOS_10_15_1, Inline, "exchangedata").targets(2),
    auth(T::ES_EVENT_TYPE_AUTH_SETACL, MACOS_10_15_1, Inline, "setacl").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETACL, MACOS_10_15_1, Inline, "setacl").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_PTY_GRANT, MACOS_10_15_4, Inline, "pty_grant"),
    notify(T::ES_EVENT_TYPE_NOTIFY_PTY_CLOSE, MACOS_10_15_4, Inline, "pty_close"),
    auth(T::ES_EVENT_TYPE_AUTH_PROC_CHECK, MACOS_10_15_4, Inline, "proc_check").cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_PROC_CHECK, MACOS_10_15_4, Inline, "proc_check").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_GET_TASK, MACOS_10_15_4, Inline, "get_task").cacheable().targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_SEARCHFS, MACOS_11_0, Inline, "searchfs").cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_SEARCHFS, MACOS_11_0, Inline, "searchfs").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_FCNTL, MACOS_11_0, Inline, "fcntl").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_IOKIT_OPEN, MACOS_11_0, Inline, "iokit_open"),
    auth(T::ES_EVENT_TYPE_AUTH_PROC_SUSPEND_RESUME, MACOS_11_0, Inline, "proc_suspend_resume").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_PROC_SUSPEND_RESUME, MACOS_11_0, Inline, "proc_suspend_resume").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_CS_INVALIDATED, MACOS_11_0, Inline, "cs_invalidated"),
    notify(T::ES_EVENT_TYPE_NOTIFY_GET_TASK_NAME, MACOS_11_0, Inline, "get_task_name").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_TRACE, MACOS_11_0, Inline, "trace").targets(1).repeats(),
    notify(T::ES_EVENT_TYPE_NOTIFY_REMOTE_THREAD_CREATE, MACOS_11_0, Inline, "remote_thread_create").targets(1),
    auth(T::ES_EVENT_TYPE_AUTH_REMOUNT, MACOS_11_0, Inline, "remount"),
    notify(T::ES_EVENT_TYPE_NOTIFY_REMOUNT, MACOS_11_0, Inline, "remount"),
    auth(T::ES_EVENT_TYPE_AUTH_GET_TASK_READ, MACOS_11_3, Inline, "get_task_read").cacheable().targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_GET_TASK_READ, MACOS_11_3, Inline, "get_task_read").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_GET_TASK_INSPECT, MACOS_11_3, Inline, "get_task_inspect").targets(1),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETUID, MACOS_12_0, Inline, "setuid"),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETGID, MACOS_12_0, Inline, "setgid"),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETEUID, MACOS_12_0, Inline, "seteuid"),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETEGID, MACOS_12_0, Inline, "setegid"),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETREUID, MACOS_12_0, Inline, "setreuid"),
    notify(T::ES_EVENT_TYPE_NOTIFY_SETREGID, MACOS_12_0, Inline, "setregid"),
    auth(T::ES_EVENT_TYPE_AUTH_COPYFILE, MACOS_12_0, Inline, "copyfile").targets(2),
    notify(T::ES_EVENT_TYPE_NOTIFY_COPYFILE, MACOS_12_0, Inline, "copyfile").targets(2),
    notify(T::ES_EVENT_TYPE_NOTIFY_AUTHENTICATION, MACOS_13_0, Pointer, "authentication").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_XP_MALWARE_DETECTED, MACOS_13_0, Pointer, "xp_malware_detected").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_XP_MALWARE_REMEDIATED, MACOS_13_0, Pointer, "xp_malware_remediated").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_LW_SESSION_LOGIN, MACOS_13_0, Pointer, "lw_session_login").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_LW_SESSION_LOGOUT, MACOS_13_0, Pointer, "lw_session_logout").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_LW_SESSION_LOCK, MACOS_13_0, Pointer, "lw_session_lock").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_LW_SESSION_UNLOCK, MACOS_13_0, Pointer, "lw_session_unlock").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_SCREENSHARING_ATTACH, MACOS_13_0, Pointer, "screensharing_attach").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_SCREENSHARING_DETACH, MACOS_13_0, Pointer, "screensharing_detach").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_OPENSSH_LOGIN, MACOS_13_0, Pointer, "openssh_login").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_OPENSSH_LOGOUT, MACOS_13_0, Pointer, "openssh_logout").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_LOGIN_LOGIN, MACOS_13_0, Pointer, "login_login").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_LOGIN_LOGOUT, MACOS_13_0, Pointer, "login_logout").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_ADD, MACOS_13_0, Pointer, "btm_launch_item_add").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_REMOVE, MACOS_13_0, Pointer, "btm_launch_item_remove").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_PROFILE_ADD, MACOS_14_0, Pointer, "profile_add").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_PROFILE_REMOVE, MACOS_14_0, Pointer, "profile_remove").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_SU, MACOS_14_0, Pointer, "su").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_AUTHORIZATION_PETITION, MACOS_14_0, Pointer, "authorization_petition").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_AUTHORIZATION_JUDGEMENT, MACOS_14_0, Pointer, "authorization_judgement").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_SUDO, MACOS_14_0, Pointer, "sudo").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_GROUP_ADD, MACOS_14_0, Pointer, "od_group_add").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_GROUP_REMOVE, MACOS_14_0, Pointer, "od_group_remove").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_GROUP_SET, MACOS_14_0, Pointer, "od_group_set").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_MODIFY_PASSWORD, MACOS_14_0, Pointer, "od_modify_password").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_DISABLE_USER, MACOS_14_0, Pointer, "od_disable_user").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_ENABLE_USER, MACOS_14_0, Pointer, "od_enable_user").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_ATTRIBUTE_VALUE_ADD, MACOS_14_0, Pointer, "od_attribute_value_add").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_ATTRIBUTE_VALUE_REMOVE, MACOS_14_0, Pointer, "od_attribute_value_remove").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_ATTRIBUTE_SET, MACOS_14_0, Pointer, "od_attribute_set").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_CREATE_USER, MACOS_14_0, Pointer, "od_create_user").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_CREATE_GROUP, MACOS_14_0, Pointer, "od_create_group").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_DELETE_USER, MACOS_14_0, Pointer, "od_delete_user").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_OD_DELETE_GROUP, MACOS_14_0, Pointer, "od_delete_group").from(Program).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_XPC_CONNECT, MACOS_14_0, Pointer, "xpc_connect"),
    notify(T::ES_EVENT_TYPE_NOTIFY_GATEKEEPER_USER_OVERRIDE, MACOS_15_0, Pointer, "gatekeeper_user_override").from(Program),
    notify(T::ES_EVENT_TYPE_NOTIFY_TCC_MODIFY, MACOS_15_4, Pointer, "tcc_modify").from(Program).instigated(),
    reserved(T::ES_EVENT_TYPE_RESERVED_0, MACOS_26_3),
    reserved(T::ES_EVENT_TYPE_RESERVED_1, MACOS_26_3),
    reserved(T::ES_EVENT_TYPE_RESERVED_2, MACOS_26_3),
    reserved(T::ES_EVENT_TYPE_RESERVED_3, MACOS_26_4),
    reserved(T::ES_EVENT_TYPE_RESERVED_4, MACOS_26_4),
    reserved(T::ES_EVENT_TYPE_RESERVED_5, MACOS_26_4),
    reserved(T::ES_EVENT_TYPE_RESERVED_6, MACOS_26_4),
    reserved(T::ES_EVENT_TYPE_RESERVED_7, MACOS_26_5),
    reserved(T::ES_EVENT_TYPE_RESERVED_8, MACOS_26_5),
    auth(T::ES_EVENT_TYPE_AUTH_XPC_CONNECT, MACOS_27_0, Pointer, "xpc_connect"),
    auth(T::ES_EVENT_TYPE_AUTH_BOOTSTRAP_CHECK_IN, MACOS_27_0, Pointer, "bootstrap_check_in").from(Launchd).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_BOOTSTRAP_CHECK_IN, MACOS_27_0, Pointer, "bootstrap_check_in").from(Launchd).instigated(),
    auth(T::ES_EVENT_TYPE_AUTH_BOOTSTRAP_LOOK_UP, MACOS_27_0, Pointer, "bootstrap_look_up").from(Launchd).instigated(),
    notify(T::ES_EVENT_TYPE_NOTIFY_BOOTSTRAP_LOOK_UP, MACOS_27_0, Pointer, "bootstrap_look_up").from(Launchd).instigated(),
];

/// A release and its message version.
#[derive(Clone, Copy)]
struct Since(OsVersion, u32);

const fn since(major: u32, minor: u32, patch: u32, message_version: u32) -> Since {
    Since(OsVersion::new(major, minor, patch), message_version)
}

const fn auth(event_type: T, since: Since, storage: Storage, member: &'static str) -> EventInfo {
    EventInfo {
        kind: EventKind::Auth,
        response: Some(Response::Auth),
        cacheability: Some(Cacheability::NotCacheable),
        ..notify(event_type, since, storage, member)
    }
}

const fn notify(event_type: T, since: Since, storage: Storage, member: &'static str) -> EventInfo {
    EventInfo {
        kind: EventKind::Notify,
        member: Some(member),
        storage: Some(storage),
        ..reserved(event_type, since)
    }
}

const fn reserved(event_type: T, since: Since) -> EventInfo {
    EventInfo {
        event_type,
        name: T::CONSTANTS[event_type.0 as usize].0,
        kind: EventKind::Reserved,
        introduced: since.0,
        first_message_version: since.1,
        member: None,
        storage: None,
        response: None,
        cacheability: None,
        target_paths: 0,
        emitter: Kernel,
        has_instigator_role: false,
        repeats: false,
    }
}

// === impl es_event_type_t ===

impl T {
    /// The properties of this event type; nothing if it is newer than macOS 27.0.
    pub fn info(self) -> Option<&'static EventInfo> {
        EVENTS.get(usize::try_from(self.0).ok()?)
    }
}

// === impl EventInfo ===

impl EventInfo {
    /// The NOTIFY type of the same operation for an AUTH type, and the other way round.
    pub fn counterpart(&self) -> Option<&'static Self> {
        let member = self.member?;
        let is_other = |other: &&Self| other.member == Some(member) && other.kind != self.kind;
        EVENTS.iter().find(is_other)
    }

    const fn cacheable(mut self) -> Self {
        self.cacheability = Some(Cacheability::Cacheable);
        self
    }

    const fn maybe_cacheable(mut self) -> Self {
        self.cacheability = Some(Cacheability::Unspecified);
        self
    }

    const fn flags(mut self) -> Self {
        self.response = Some(Response::Flags);
        self
    }

    const fn targets(mut self, paths: u8) -> Self {
        self.target_paths = paths;
        self
    }

    const fn from(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    const fn instigated(mut self) -> Self {
        self.has_instigator_role = true;
        self
    }

    const fn repeats(mut self) -> Self {
        self.repeats = true;
        self
    }
}

const MACOS_10_15: Since = since(10, 15, 0, 1);
const MACOS_10_15_1: Since = since(10, 15, 1, 1);
const MACOS_10_15_4: Since = since(10, 15, 4, 2);
const MACOS_11_0: Since = since(11, 0, 0, 4);
const MACOS_11_3: Since = since(11, 3, 0, 4);
const MACOS_12_0: Since = since(12, 0, 0, 4);
const MACOS_13_0: Since = since(13, 0, 0, 6);
const MACOS_14_0: Since = since(14, 0, 0, 7);
const MACOS_15_0: Since = since(15, 0, 0, 8);
const MACOS_15_4: Since = since(15, 4, 0, 8);
const MACOS_26_3: Since = since(26, 3, 0, 10);
const MACOS_26_4: Since = since(26, 4, 0, 10);
const MACOS_26_5: Since = since(26, 5, 0, 10);
const MACOS_27_0: Since = since(27, 0, 0, 11);
