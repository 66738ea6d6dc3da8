//! What happened: a view for each kind of event.
//!
//! An event of a type that the headers name only `RESERVED`, or that is newer than this crate, is
//! delivered all the same: as [`Event::Reserved`] or [`Event::Unknown`]. If it is a request, it
//! must be answered like any other.

mod attributes;
mod contents;
mod directory;
mod names;
mod processes;
mod security;
mod services;
mod sessions;
mod system;

pub use attributes::*;
pub use contents::*;
pub use directory::*;
pub use names::*;
pub use processes::*;
pub use security::*;
pub use services::*;
pub use sessions::*;
pub use system::*;

use crate::event_type::EventType;
use crate::raw::events;

events! {
    /// What happened, or is about to.
    ///
    /// AUTH and NOTIFY messages have the same view; the message has the action type.
    pub enum Event {
        /// [`Exec`].
        Exec(Exec) = exec: AUTH_EXEC | NOTIFY_EXEC,
        /// [`Open`].
        Open(Open) = open: AUTH_OPEN | NOTIFY_OPEN,
        /// [`KextLoad`].
        KextLoad(KextLoad) = kextload: AUTH_KEXTLOAD | NOTIFY_KEXTLOAD,
        /// [`Mmap`].
        Mmap(Mmap) = mmap: AUTH_MMAP | NOTIFY_MMAP,
        /// [`Mprotect`].
        Mprotect(Mprotect) = mprotect: AUTH_MPROTECT | NOTIFY_MPROTECT,
        /// [`Mount`].
        Mount(Mount) = mount: AUTH_MOUNT | NOTIFY_MOUNT,
        /// [`Rename`].
        Rename(Rename) = rename: AUTH_RENAME | NOTIFY_RENAME,
        /// [`Signal`].
        Signal(Signal) = signal: AUTH_SIGNAL | NOTIFY_SIGNAL,
        /// [`Unlink`].
        Unlink(Unlink) = unlink: AUTH_UNLINK | NOTIFY_UNLINK,
        /// [`Fork`].
        Fork(Fork) = fork: NOTIFY_FORK,
        /// [`Close`].
        Close(Close) = close: NOTIFY_CLOSE,
        /// [`Create`].
        Create(Create) = create: NOTIFY_CREATE | AUTH_CREATE,
        /// [`ExchangeData`].
        ExchangeData(ExchangeData) = exchangedata: NOTIFY_EXCHANGEDATA | AUTH_EXCHANGEDATA,
        /// [`Exit`].
        Exit(Exit) = exit: NOTIFY_EXIT,
        /// [`GetTask`].
        GetTask(GetTask) = get_task: NOTIFY_GET_TASK | AUTH_GET_TASK,
        /// [`KextUnload`].
        KextUnload(KextUnload) = kextunload: NOTIFY_KEXTUNLOAD,
        /// [`Link`].
        Link(Link) = link: NOTIFY_LINK | AUTH_LINK,
        /// [`Unmount`].
        Unmount(Unmount) = unmount: NOTIFY_UNMOUNT,
        /// [`IoKitOpen`].
        IoKitOpen(IoKitOpen) = iokit_open: NOTIFY_IOKIT_OPEN | AUTH_IOKIT_OPEN,
        /// [`SetAttrList`].
        SetAttrList(SetAttrList) = setattrlist: NOTIFY_SETATTRLIST | AUTH_SETATTRLIST,
        /// [`SetExtAttr`].
        SetExtAttr(SetExtAttr) = setextattr: NOTIFY_SETEXTATTR | AUTH_SETEXTATTR,
        /// [`SetFlags`].
        SetFlags(SetFlags) = setflags: NOTIFY_SETFLAGS | AUTH_SETFLAGS,
        /// [`SetMode`].
        SetMode(SetMode) = setmode: NOTIFY_SETMODE | AUTH_SETMODE,
        /// [`SetOwner`].
        SetOwner(SetOwner) = setowner: NOTIFY_SETOWNER | AUTH_SETOWNER,
        /// [`Write`].
        Write(Write) = write: NOTIFY_WRITE,
        /// [`FileProviderMaterialize`].
        FileProviderMaterialize(FileProviderMaterialize) = file_provider_materialize: AUTH_FILE_PROVIDER_MATERIALIZE | NOTIFY_FILE_PROVIDER_MATERIALIZE,
        /// [`FileProviderUpdate`].
        FileProviderUpdate(FileProviderUpdate) = file_provider_update: AUTH_FILE_PROVIDER_UPDATE | NOTIFY_FILE_PROVIDER_UPDATE,
        /// [`ReadLink`].
        ReadLink(ReadLink) = readlink: AUTH_READLINK | NOTIFY_READLINK,
        /// [`Truncate`].
        Truncate(Truncate) = truncate: AUTH_TRUNCATE | NOTIFY_TRUNCATE,
        /// [`Lookup`].
        Lookup(Lookup) = lookup: NOTIFY_LOOKUP,
        /// [`Chdir`].
        Chdir(Chdir) = chdir: AUTH_CHDIR | NOTIFY_CHDIR,
        /// [`GetAttrList`].
        GetAttrList(GetAttrList) = getattrlist: AUTH_GETATTRLIST | NOTIFY_GETATTRLIST,
        /// [`StatFile`].
        Stat(StatFile) = stat: NOTIFY_STAT,
        /// [`Access`].
        Access(Access) = access: NOTIFY_ACCESS,
        /// [`Chroot`].
        Chroot(Chroot) = chroot: AUTH_CHROOT | NOTIFY_CHROOT,
        /// [`Utimes`].
        Utimes(Utimes) = utimes: AUTH_UTIMES | NOTIFY_UTIMES,
        /// [`CloneFile`].
        Clone(CloneFile) = clone: AUTH_CLONE | NOTIFY_CLONE,
        /// [`Fcntl`].
        Fcntl(Fcntl) = fcntl: NOTIFY_FCNTL | AUTH_FCNTL,
        /// [`GetExtAttr`].
        GetExtAttr(GetExtAttr) = getextattr: AUTH_GETEXTATTR | NOTIFY_GETEXTATTR,
        /// [`ListExtAttr`].
        ListExtAttr(ListExtAttr) = listextattr: AUTH_LISTEXTATTR | NOTIFY_LISTEXTATTR,
        /// [`ReadDir`].
        ReadDir(ReadDir) = readdir: AUTH_READDIR | NOTIFY_READDIR,
        /// [`DeleteExtAttr`].
        DeleteExtAttr(DeleteExtAttr) = deleteextattr: AUTH_DELETEEXTATTR | NOTIFY_DELETEEXTATTR,
        /// [`FsGetPath`].
        FsGetPath(FsGetPath) = fsgetpath: AUTH_FSGETPATH | NOTIFY_FSGETPATH,
        /// [`Dup`].
        Dup(Dup) = dup: NOTIFY_DUP,
        /// [`SetTime`].
        SetTime(SetTime) = settime: AUTH_SETTIME | NOTIFY_SETTIME,
        /// [`UipcBind`].
        UipcBind(UipcBind) = uipc_bind: NOTIFY_UIPC_BIND | AUTH_UIPC_BIND,
        /// [`UipcConnect`].
        UipcConnect(UipcConnect) = uipc_connect: NOTIFY_UIPC_CONNECT | AUTH_UIPC_CONNECT,
        /// [`SetAcl`].
        SetAcl(SetAcl) = setacl: AUTH_SETACL | NOTIFY_SETACL,
        /// [`PtyGrant`].
        PtyGrant(PtyGrant) = pty_grant: NOTIFY_PTY_GRANT,
        /// [`PtyClose`].
        PtyClose(PtyClose) = pty_close: NOTIFY_PTY_CLOSE,
        /// [`ProcCheck`].
        ProcCheck(ProcCheck) = proc_check: AUTH_PROC_CHECK | NOTIFY_PROC_CHECK,
        /// [`SearchFs`].
        SearchFs(SearchFs) = searchfs: AUTH_SEARCHFS | NOTIFY_SEARCHFS,
        /// [`ProcSuspendResume`].
        ProcSuspendResume(ProcSuspendResume) = proc_suspend_resume: AUTH_PROC_SUSPEND_RESUME | NOTIFY_PROC_SUSPEND_RESUME,
        /// [`CsInvalidated`].
        CsInvalidated(CsInvalidated) = cs_invalidated: NOTIFY_CS_INVALIDATED,
        /// [`GetTaskName`].
        GetTaskName(GetTaskName) = get_task_name: NOTIFY_GET_TASK_NAME,
        /// [`Trace`].
        Trace(Trace) = trace: NOTIFY_TRACE,
        /// [`RemoteThreadCreate`].
        RemoteThreadCreate(RemoteThreadCreate) = remote_thread_create: NOTIFY_REMOTE_THREAD_CREATE,
        /// [`Remount`].
        Remount(Remount) = remount: AUTH_REMOUNT | NOTIFY_REMOUNT,
        /// [`GetTaskRead`].
        GetTaskRead(GetTaskRead) = get_task_read: AUTH_GET_TASK_READ | NOTIFY_GET_TASK_READ,
        /// [`GetTaskInspect`].
        GetTaskInspect(GetTaskInspect) = get_task_inspect: NOTIFY_GET_TASK_INSPECT,
        /// [`SetUid`].
        SetUid(SetUid) = setuid: NOTIFY_SETUID,
        /// [`SetGid`].
        SetGid(SetGid) = setgid: NOTIFY_SETGID,
        /// [`SetEuid`].
        SetEuid(SetEuid) = seteuid: NOTIFY_SETEUID,
        /// [`SetEgid`].
        SetEgid(SetEgid) = setegid: NOTIFY_SETEGID,
        /// [`SetReuid`].
        SetReuid(SetReuid) = setreuid: NOTIFY_SETREUID,
        /// [`SetRegid`].
        SetRegid(SetRegid) = setregid: NOTIFY_SETREGID,
        /// [`CopyFile`].
        CopyFile(CopyFile) = copyfile: AUTH_COPYFILE | NOTIFY_COPYFILE,
        /// [`Authentication`].
        Authentication(Authentication) = authentication: NOTIFY_AUTHENTICATION,
        /// [`XpMalwareDetected`].
        XpMalwareDetected(XpMalwareDetected) = xp_malware_detected: NOTIFY_XP_MALWARE_DETECTED,
        /// [`XpMalwareRemediated`].
        XpMalwareRemediated(XpMalwareRemediated) = xp_malware_remediated: NOTIFY_XP_MALWARE_REMEDIATED,
        /// [`LwSessionLogin`].
        LwSessionLogin(LwSessionLogin) = lw_session_login: NOTIFY_LW_SESSION_LOGIN,
        /// [`LwSessionLogout`].
        LwSessionLogout(LwSessionLogout) = lw_session_logout: NOTIFY_LW_SESSION_LOGOUT,
        /// [`LwSessionLock`].
        LwSessionLock(LwSessionLock) = lw_session_lock: NOTIFY_LW_SESSION_LOCK,
        /// [`LwSessionUnlock`].
        LwSessionUnlock(LwSessionUnlock) = lw_session_unlock: NOTIFY_LW_SESSION_UNLOCK,
        /// [`ScreensharingAttach`].
        ScreensharingAttach(ScreensharingAttach) = screensharing_attach: NOTIFY_SCREENSHARING_ATTACH,
        /// [`ScreensharingDetach`].
        ScreensharingDetach(ScreensharingDetach) = screensharing_detach: NOTIFY_SCREENSHARING_DETACH,
        /// [`OpensshLogin`].
        OpensshLogin(OpensshLogin) = openssh_login: NOTIFY_OPENSSH_LOGIN,
        /// [`OpensshLogout`].
        OpensshLogout(OpensshLogout) = openssh_logout: NOTIFY_OPENSSH_LOGOUT,
        /// [`LoginLogin`].
        LoginLogin(LoginLogin) = login_login: NOTIFY_LOGIN_LOGIN,
        /// [`LoginLogout`].
        LoginLogout(LoginLogout) = login_logout: NOTIFY_LOGIN_LOGOUT,
        /// [`BtmLaunchItemAdd`].
        BtmLaunchItemAdd(BtmLaunchItemAdd) = btm_launch_item_add: NOTIFY_BTM_LAUNCH_ITEM_ADD,
        /// [`BtmLaunchItemRemove`].
        BtmLaunchItemRemove(BtmLaunchItemRemove) = btm_launch_item_remove: NOTIFY_BTM_LAUNCH_ITEM_REMOVE,
        /// [`ProfileAdd`].
        ProfileAdd(ProfileAdd) = profile_add: NOTIFY_PROFILE_ADD,
        /// [`ProfileRemove`].
        ProfileRemove(ProfileRemove) = profile_remove: NOTIFY_PROFILE_REMOVE,
        /// [`Su`].
        Su(Su) = su: NOTIFY_SU,
        /// [`AuthorizationPetition`].
        AuthorizationPetition(AuthorizationPetition) = authorization_petition: NOTIFY_AUTHORIZATION_PETITION,
        /// [`AuthorizationJudgement`].
        AuthorizationJudgement(AuthorizationJudgement) = authorization_judgement: NOTIFY_AUTHORIZATION_JUDGEMENT,
        /// [`Sudo`].
        Sudo(Sudo) = sudo: NOTIFY_SUDO,
        /// [`OdGroupAdd`].
        OdGroupAdd(OdGroupAdd) = od_group_add: NOTIFY_OD_GROUP_ADD,
        /// [`OdGroupRemove`].
        OdGroupRemove(OdGroupRemove) = od_group_remove: NOTIFY_OD_GROUP_REMOVE,
        /// [`OdGroupSet`].
        OdGroupSet(OdGroupSet) = od_group_set: NOTIFY_OD_GROUP_SET,
        /// [`OdModifyPassword`].
        OdModifyPassword(OdModifyPassword) = od_modify_password: NOTIFY_OD_MODIFY_PASSWORD,
        /// [`OdDisableUser`].
        OdDisableUser(OdDisableUser) = od_disable_user: NOTIFY_OD_DISABLE_USER,
        /// [`OdEnableUser`].
        OdEnableUser(OdEnableUser) = od_enable_user: NOTIFY_OD_ENABLE_USER,
        /// [`OdAttributeValueAdd`].
        OdAttributeValueAdd(OdAttributeValueAdd) = od_attribute_value_add: NOTIFY_OD_ATTRIBUTE_VALUE_ADD,
        /// [`OdAttributeValueRemove`].
        OdAttributeValueRemove(OdAttributeValueRemove) = od_attribute_value_remove: NOTIFY_OD_ATTRIBUTE_VALUE_REMOVE,
        /// [`OdAttributeSet`].
        OdAttributeSet(OdAttributeSet) = od_attribute_set: NOTIFY_OD_ATTRIBUTE_SET,
        /// [`OdCreateUser`].
        OdCreateUser(OdCreateUser) = od_create_user: NOTIFY_OD_CREATE_USER,
        /// [`OdCreateGroup`].
        OdCreateGroup(OdCreateGroup) = od_create_group: NOTIFY_OD_CREATE_GROUP,
        /// [`OdDeleteUser`].
        OdDeleteUser(OdDeleteUser) = od_delete_user: NOTIFY_OD_DELETE_USER,
        /// [`OdDeleteGroup`].
        OdDeleteGroup(OdDeleteGroup) = od_delete_group: NOTIFY_OD_DELETE_GROUP,
        /// [`XpcConnect`].
        XpcConnect(XpcConnect) = xpc_connect: NOTIFY_XPC_CONNECT | AUTH_XPC_CONNECT,
        /// [`GatekeeperUserOverride`].
        GatekeeperUserOverride(GatekeeperUserOverride) = gatekeeper_user_override: NOTIFY_GATEKEEPER_USER_OVERRIDE,
        /// [`TccModify`].
        TccModify(TccModify) = tcc_modify: NOTIFY_TCC_MODIFY,
        /// [`BootstrapCheckIn`].
        BootstrapCheckIn(BootstrapCheckIn) = bootstrap_check_in: AUTH_BOOTSTRAP_CHECK_IN | NOTIFY_BOOTSTRAP_CHECK_IN,
        /// [`BootstrapLookUp`].
        BootstrapLookUp(BootstrapLookUp) = bootstrap_look_up: AUTH_BOOTSTRAP_LOOK_UP | NOTIFY_BOOTSTRAP_LOOK_UP,
    }
}
