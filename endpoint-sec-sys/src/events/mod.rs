//! What happened: one struct for each kind of event, and the union of them all.

mod attributes;
mod directory;
mod file;
mod file_provider;
mod ipc;
mod kernel;
mod login;
mod memory;
mod mount;
mod open_directory;
mod process;
mod security;

pub use attributes::*;
pub use directory::*;
pub use file::*;
pub use file_provider::*;
pub use ipc::*;
pub use kernel::*;
pub use login::*;
pub use memory::*;
pub use mount::*;
pub use open_directory::*;
pub use process::*;
pub use security::*;

use crate::opaque_debug;

/// What happened: the member that belongs to the message's event type.
///
/// Members up to macOS 12 are inline; newer ones are pointers, never null.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_events_t {
    /// For `NOTIFY_ACCESS`.
    pub access: es_event_access_t,
    /// For `AUTH_CHDIR` and `NOTIFY_CHDIR`.
    pub chdir: es_event_chdir_t,
    /// For `AUTH_CHROOT` and `NOTIFY_CHROOT`.
    pub chroot: es_event_chroot_t,
    /// For `AUTH_CLONE` and `NOTIFY_CLONE`.
    pub clone: es_event_clone_t,
    /// For `NOTIFY_CLOSE`.
    pub close: es_event_close_t,
    /// For `AUTH_COPYFILE` and `NOTIFY_COPYFILE`.
    pub copyfile: es_event_copyfile_t,
    /// For `NOTIFY_CREATE` and `AUTH_CREATE`.
    pub create: es_event_create_t,
    /// For `NOTIFY_CS_INVALIDATED`.
    pub cs_invalidated: es_event_cs_invalidated_t,
    /// For `AUTH_DELETEEXTATTR` and `NOTIFY_DELETEEXTATTR`.
    pub deleteextattr: es_event_deleteextattr_t,
    /// For `NOTIFY_DUP`.
    pub dup: es_event_dup_t,
    /// For `NOTIFY_EXCHANGEDATA` and `AUTH_EXCHANGEDATA`.
    pub exchangedata: es_event_exchangedata_t,
    /// For `AUTH_EXEC` and `NOTIFY_EXEC`.
    pub exec: es_event_exec_t,
    /// For `NOTIFY_EXIT`.
    pub exit: es_event_exit_t,
    /// For `AUTH_FILE_PROVIDER_MATERIALIZE` and `NOTIFY_FILE_PROVIDER_MATERIALIZE`.
    pub file_provider_materialize: es_event_file_provider_materialize_t,
    /// For `AUTH_FILE_PROVIDER_UPDATE` and `NOTIFY_FILE_PROVIDER_UPDATE`.
    pub file_provider_update: es_event_file_provider_update_t,
    /// For `NOTIFY_FCNTL` and `AUTH_FCNTL`.
    pub fcntl: es_event_fcntl_t,
    /// For `NOTIFY_FORK`.
    pub fork: es_event_fork_t,
    /// For `AUTH_FSGETPATH` and `NOTIFY_FSGETPATH`.
    pub fsgetpath: es_event_fsgetpath_t,
    /// For `NOTIFY_GET_TASK` and `AUTH_GET_TASK`.
    pub get_task: es_event_get_task_t,
    /// For `AUTH_GET_TASK_READ` and `NOTIFY_GET_TASK_READ`.
    pub get_task_read: es_event_get_task_read_t,
    /// For `NOTIFY_GET_TASK_INSPECT`.
    pub get_task_inspect: es_event_get_task_inspect_t,
    /// For `NOTIFY_GET_TASK_NAME`.
    pub get_task_name: es_event_get_task_name_t,
    /// For `AUTH_GETATTRLIST` and `NOTIFY_GETATTRLIST`.
    pub getattrlist: es_event_getattrlist_t,
    /// For `AUTH_GETEXTATTR` and `NOTIFY_GETEXTATTR`.
    pub getextattr: es_event_getextattr_t,
    /// For `NOTIFY_IOKIT_OPEN` and `AUTH_IOKIT_OPEN`.
    pub iokit_open: es_event_iokit_open_t,
    /// For `AUTH_KEXTLOAD` and `NOTIFY_KEXTLOAD`.
    pub kextload: es_event_kextload_t,
    /// For `NOTIFY_KEXTUNLOAD`.
    pub kextunload: es_event_kextunload_t,
    /// For `NOTIFY_LINK` and `AUTH_LINK`.
    pub link: es_event_link_t,
    /// For `AUTH_LISTEXTATTR` and `NOTIFY_LISTEXTATTR`.
    pub listextattr: es_event_listextattr_t,
    /// For `NOTIFY_LOOKUP`.
    pub lookup: es_event_lookup_t,
    /// For `AUTH_MMAP` and `NOTIFY_MMAP`.
    pub mmap: es_event_mmap_t,
    /// For `AUTH_MOUNT` and `NOTIFY_MOUNT`.
    pub mount: es_event_mount_t,
    /// For `AUTH_MPROTECT` and `NOTIFY_MPROTECT`.
    pub mprotect: es_event_mprotect_t,
    /// For `AUTH_OPEN` and `NOTIFY_OPEN`.
    pub open: es_event_open_t,
    /// For `AUTH_PROC_CHECK` and `NOTIFY_PROC_CHECK`.
    pub proc_check: es_event_proc_check_t,
    /// For `AUTH_PROC_SUSPEND_RESUME` and `NOTIFY_PROC_SUSPEND_RESUME`.
    pub proc_suspend_resume: es_event_proc_suspend_resume_t,
    /// For `NOTIFY_PTY_CLOSE`.
    pub pty_close: es_event_pty_close_t,
    /// For `NOTIFY_PTY_GRANT`.
    pub pty_grant: es_event_pty_grant_t,
    /// For `AUTH_READDIR` and `NOTIFY_READDIR`.
    pub readdir: es_event_readdir_t,
    /// For `AUTH_READLINK` and `NOTIFY_READLINK`.
    pub readlink: es_event_readlink_t,
    /// For `NOTIFY_REMOTE_THREAD_CREATE`.
    pub remote_thread_create: es_event_remote_thread_create_t,
    /// For `AUTH_REMOUNT` and `NOTIFY_REMOUNT`.
    pub remount: es_event_remount_t,
    /// For `AUTH_RENAME` and `NOTIFY_RENAME`.
    pub rename: es_event_rename_t,
    /// For `AUTH_SEARCHFS` and `NOTIFY_SEARCHFS`.
    pub searchfs: es_event_searchfs_t,
    /// For `AUTH_SETACL` and `NOTIFY_SETACL`.
    pub setacl: es_event_setacl_t,
    /// For `NOTIFY_SETATTRLIST` and `AUTH_SETATTRLIST`.
    pub setattrlist: es_event_setattrlist_t,
    /// For `NOTIFY_SETEXTATTR` and `AUTH_SETEXTATTR`.
    pub setextattr: es_event_setextattr_t,
    /// For `NOTIFY_SETFLAGS` and `AUTH_SETFLAGS`.
    pub setflags: es_event_setflags_t,
    /// For `NOTIFY_SETMODE` and `AUTH_SETMODE`.
    pub setmode: es_event_setmode_t,
    /// For `NOTIFY_SETOWNER` and `AUTH_SETOWNER`.
    pub setowner: es_event_setowner_t,
    /// For `AUTH_SETTIME` and `NOTIFY_SETTIME`.
    pub settime: es_event_settime_t,
    /// For `NOTIFY_SETUID`.
    pub setuid: es_event_setuid_t,
    /// For `NOTIFY_SETGID`.
    pub setgid: es_event_setgid_t,
    /// For `NOTIFY_SETEUID`.
    pub seteuid: es_event_seteuid_t,
    /// For `NOTIFY_SETEGID`.
    pub setegid: es_event_setegid_t,
    /// For `NOTIFY_SETREUID`.
    pub setreuid: es_event_setreuid_t,
    /// For `NOTIFY_SETREGID`.
    pub setregid: es_event_setregid_t,
    /// For `AUTH_SIGNAL` and `NOTIFY_SIGNAL`.
    pub signal: es_event_signal_t,
    /// For `NOTIFY_STAT`.
    pub stat: es_event_stat_t,
    /// For `NOTIFY_TRACE`.
    pub trace: es_event_trace_t,
    /// For `AUTH_TRUNCATE` and `NOTIFY_TRUNCATE`.
    pub truncate: es_event_truncate_t,
    /// For `NOTIFY_UIPC_BIND` and `AUTH_UIPC_BIND`.
    pub uipc_bind: es_event_uipc_bind_t,
    /// For `NOTIFY_UIPC_CONNECT` and `AUTH_UIPC_CONNECT`.
    pub uipc_connect: es_event_uipc_connect_t,
    /// For `AUTH_UNLINK` and `NOTIFY_UNLINK`.
    pub unlink: es_event_unlink_t,
    /// For `NOTIFY_UNMOUNT`.
    pub unmount: es_event_unmount_t,
    /// For `AUTH_UTIMES` and `NOTIFY_UTIMES`.
    pub utimes: es_event_utimes_t,
    /// For `NOTIFY_WRITE`.
    pub write: es_event_write_t,
    /// For `NOTIFY_AUTHENTICATION`.
    pub authentication: *mut es_event_authentication_t,
    /// For `NOTIFY_XP_MALWARE_DETECTED`.
    pub xp_malware_detected: *mut es_event_xp_malware_detected_t,
    /// For `NOTIFY_XP_MALWARE_REMEDIATED`.
    pub xp_malware_remediated: *mut es_event_xp_malware_remediated_t,
    /// For `NOTIFY_LW_SESSION_LOGIN`.
    pub lw_session_login: *mut es_event_lw_session_login_t,
    /// For `NOTIFY_LW_SESSION_LOGOUT`.
    pub lw_session_logout: *mut es_event_lw_session_logout_t,
    /// For `NOTIFY_LW_SESSION_LOCK`.
    pub lw_session_lock: *mut es_event_lw_session_lock_t,
    /// For `NOTIFY_LW_SESSION_UNLOCK`.
    pub lw_session_unlock: *mut es_event_lw_session_unlock_t,
    /// For `NOTIFY_SCREENSHARING_ATTACH`.
    pub screensharing_attach: *mut es_event_screensharing_attach_t,
    /// For `NOTIFY_SCREENSHARING_DETACH`.
    pub screensharing_detach: *mut es_event_screensharing_detach_t,
    /// For `NOTIFY_OPENSSH_LOGIN`.
    pub openssh_login: *mut es_event_openssh_login_t,
    /// For `NOTIFY_OPENSSH_LOGOUT`.
    pub openssh_logout: *mut es_event_openssh_logout_t,
    /// For `NOTIFY_LOGIN_LOGIN`.
    pub login_login: *mut es_event_login_login_t,
    /// For `NOTIFY_LOGIN_LOGOUT`.
    pub login_logout: *mut es_event_login_logout_t,
    /// For `NOTIFY_BTM_LAUNCH_ITEM_ADD`.
    pub btm_launch_item_add: *mut es_event_btm_launch_item_add_t,
    /// For `NOTIFY_BTM_LAUNCH_ITEM_REMOVE`.
    pub btm_launch_item_remove: *mut es_event_btm_launch_item_remove_t,
    /// For `NOTIFY_PROFILE_ADD`.
    pub profile_add: *mut es_event_profile_add_t,
    /// For `NOTIFY_PROFILE_REMOVE`.
    pub profile_remove: *mut es_event_profile_remove_t,
    /// For `NOTIFY_SU`.
    pub su: *mut es_event_su_t,
    /// For `NOTIFY_AUTHORIZATION_PETITION`.
    pub authorization_petition: *mut es_event_authorization_petition_t,
    /// For `NOTIFY_AUTHORIZATION_JUDGEMENT`.
    pub authorization_judgement: *mut es_event_authorization_judgement_t,
    /// For `NOTIFY_SUDO`.
    pub sudo: *mut es_event_sudo_t,
    /// For `NOTIFY_OD_GROUP_ADD`.
    pub od_group_add: *mut es_event_od_group_add_t,
    /// For `NOTIFY_OD_GROUP_REMOVE`.
    pub od_group_remove: *mut es_event_od_group_remove_t,
    /// For `NOTIFY_OD_GROUP_SET`.
    pub od_group_set: *mut es_event_od_group_set_t,
    /// For `NOTIFY_OD_MODIFY_PASSWORD`.
    pub od_modify_password: *mut es_event_od_modify_password_t,
    /// For `NOTIFY_OD_DISABLE_USER`.
    pub od_disable_user: *mut es_event_od_disable_user_t,
    /// For `NOTIFY_OD_ENABLE_USER`.
    pub od_enable_user: *mut es_event_od_enable_user_t,
    /// For `NOTIFY_OD_ATTRIBUTE_VALUE_ADD`.
    pub od_attribute_value_add: *mut es_event_od_attribute_value_add_t,
    /// For `NOTIFY_OD_ATTRIBUTE_VALUE_REMOVE`.
    pub od_attribute_value_remove: *mut es_event_od_attribute_value_remove_t,
    /// For `NOTIFY_OD_ATTRIBUTE_SET`.
    pub od_attribute_set: *mut es_event_od_attribute_set_t,
    /// For `NOTIFY_OD_CREATE_USER`.
    pub od_create_user: *mut es_event_od_create_user_t,
    /// For `NOTIFY_OD_CREATE_GROUP`.
    pub od_create_group: *mut es_event_od_create_group_t,
    /// For `NOTIFY_OD_DELETE_USER`.
    pub od_delete_user: *mut es_event_od_delete_user_t,
    /// For `NOTIFY_OD_DELETE_GROUP`.
    pub od_delete_group: *mut es_event_od_delete_group_t,
    /// For `NOTIFY_XPC_CONNECT` and `AUTH_XPC_CONNECT`.
    pub xpc_connect: *mut es_event_xpc_connect_t,
    /// For `NOTIFY_GATEKEEPER_USER_OVERRIDE`.
    pub gatekeeper_user_override: *mut es_event_gatekeeper_user_override_t,
    /// For `NOTIFY_TCC_MODIFY`.
    pub tcc_modify: *mut es_event_tcc_modify_t,
    /// For `AUTH_BOOTSTRAP_CHECK_IN` and `NOTIFY_BOOTSTRAP_CHECK_IN`.
    pub bootstrap_check_in: *mut es_event_bootstrap_check_in_t,
    /// For `AUTH_BOOTSTRAP_LOOK_UP` and `NOTIFY_BOOTSTRAP_LOOK_UP`.
    pub bootstrap_look_up: *mut es_event_bootstrap_look_up_t,
}

opaque_debug!(es_events_t);
