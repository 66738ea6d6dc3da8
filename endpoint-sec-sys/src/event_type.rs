//! The event types: which operation a message is about.

use crate::c_enum::c_enum;

c_enum! {
    /// An event type. `AUTH` types are requests before the operation, `NOTIFY` types reports after
    /// it.
    ///
    /// [`EVENTS`](crate::EVENTS) lists the properties of each.
    es_event_type_t {
        /// Requests the execution of a program. macOS 10.15.
        ES_EVENT_TYPE_AUTH_EXEC = 0,
        /// Requests the opening of a file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_OPEN = 1,
        /// Requests the loading of a kernel extension. macOS 10.15.
        ES_EVENT_TYPE_AUTH_KEXTLOAD = 2,
        /// Requests the mapping of a file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_MMAP = 3,
        /// Requests a change of memory protection. macOS 10.15.
        ES_EVENT_TYPE_AUTH_MPROTECT = 4,
        /// Requests the mounting of a file system. macOS 10.15.
        ES_EVENT_TYPE_AUTH_MOUNT = 5,
        /// Requests the renaming of a file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_RENAME = 6,
        /// Requests a signal to another process. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SIGNAL = 7,
        /// Requests the removal of a name. macOS 10.15.
        ES_EVENT_TYPE_AUTH_UNLINK = 8,
        /// Reports the execution of a program. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_EXEC = 9,
        /// Reports the opening of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_OPEN = 10,
        /// Reports a fork. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_FORK = 11,
        /// Reports the closing of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_CLOSE = 12,
        /// Reports the creation of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_CREATE = 13,
        /// Reports the exchange of two files' contents. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_EXCHANGEDATA = 14,
        /// Reports the exit of a process. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_EXIT = 15,
        /// Reports access to another process's control port. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_GET_TASK = 16,
        /// Reports the loading of a kernel extension. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_KEXTLOAD = 17,
        /// Reports the unloading of a kernel extension. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_KEXTUNLOAD = 18,
        /// Reports the creation of a hard link. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_LINK = 19,
        /// Reports the mapping of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_MMAP = 20,
        /// Reports a change of memory protection. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_MPROTECT = 21,
        /// Reports the mounting of a file system. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_MOUNT = 22,
        /// Reports the unmounting of a file system. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_UNMOUNT = 23,
        /// Reports the opening of a driver's user client. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_IOKIT_OPEN = 24,
        /// Reports the renaming of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_RENAME = 25,
        /// Reports the setting of attributes. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SETATTRLIST = 26,
        /// Reports the setting of an extended attribute. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SETEXTATTR = 27,
        /// Reports the setting of a file's flags. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SETFLAGS = 28,
        /// Reports the setting of a file's mode. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SETMODE = 29,
        /// Reports the setting of a file's owner. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SETOWNER = 30,
        /// Reports a signal to another process. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SIGNAL = 31,
        /// Reports the removal of a name. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_UNLINK = 32,
        /// Reports a write to a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_WRITE = 33,
        /// Requests the arrival of a provider's file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_FILE_PROVIDER_MATERIALIZE = 34,
        /// Reports the arrival of a provider's file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_FILE_PROVIDER_MATERIALIZE = 35,
        /// Requests the update of a provider's file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_FILE_PROVIDER_UPDATE = 36,
        /// Reports the update of a provider's file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_FILE_PROVIDER_UPDATE = 37,
        /// Requests the reading of a symbolic link. macOS 10.15.
        ES_EVENT_TYPE_AUTH_READLINK = 38,
        /// Reports the reading of a symbolic link. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_READLINK = 39,
        /// Requests the truncation of a file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_TRUNCATE = 40,
        /// Reports the truncation of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_TRUNCATE = 41,
        /// Requests the creation of a hard link. macOS 10.15.
        ES_EVENT_TYPE_AUTH_LINK = 42,
        /// Reports the look-up of a path. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_LOOKUP = 43,
        /// Requests the creation of a file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_CREATE = 44,
        /// Requests the setting of attributes. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SETATTRLIST = 45,
        /// Requests the setting of an extended attribute. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SETEXTATTR = 46,
        /// Requests the setting of a file's flags. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SETFLAGS = 47,
        /// Requests the setting of a file's mode. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SETMODE = 48,
        /// Requests the setting of a file's owner. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SETOWNER = 49,
        /// Requests a change of working directory. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_CHDIR = 50,
        /// Reports a change of working directory. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_CHDIR = 51,
        /// Requests the reading of attributes. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_GETATTRLIST = 52,
        /// Reports the reading of attributes. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_GETATTRLIST = 53,
        /// Reports the reading of a file's status. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_STAT = 54,
        /// Reports an `access(2)` check of a file. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_ACCESS = 55,
        /// Requests a change of root directory. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_CHROOT = 56,
        /// Reports a change of root directory. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_CHROOT = 57,
        /// Requests the setting of a file's times. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_UTIMES = 58,
        /// Reports the setting of a file's times. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_UTIMES = 59,
        /// Requests the cloning of a file. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_CLONE = 60,
        /// Reports the cloning of a file. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_CLONE = 61,
        /// Reports a control operation on a descriptor. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_FCNTL = 62,
        /// Requests the reading of an extended attribute. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_GETEXTATTR = 63,
        /// Reports the reading of an extended attribute. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_GETEXTATTR = 64,
        /// Requests the listing of extended attributes. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_LISTEXTATTR = 65,
        /// Reports the listing of extended attributes. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_LISTEXTATTR = 66,
        /// Requests the listing of a directory. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_READDIR = 67,
        /// Reports the listing of a directory. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_READDIR = 68,
        /// Requests the removal of an extended attribute. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_DELETEEXTATTR = 69,
        /// Reports the removal of an extended attribute. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_DELETEEXTATTR = 70,
        /// Requests a look-up of a file's path by its inode number. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_FSGETPATH = 71,
        /// Reports a look-up of a file's path by its inode number. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_FSGETPATH = 72,
        /// Reports the duplication of a descriptor. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_DUP = 73,
        /// Requests the setting of the system's time. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_SETTIME = 74,
        /// Reports the setting of the system's time. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_SETTIME = 75,
        /// Reports the binding of a UNIX-domain socket. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_UIPC_BIND = 76,
        /// Requests the binding of a UNIX-domain socket. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_UIPC_BIND = 77,
        /// Reports the connection of a UNIX-domain socket. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_UIPC_CONNECT = 78,
        /// Requests the connection of a UNIX-domain socket. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_UIPC_CONNECT = 79,
        /// Requests the exchange of two files' contents. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_EXCHANGEDATA = 80,
        /// Requests the setting of an access control list. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_SETACL = 81,
        /// Reports the setting of an access control list. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_SETACL = 82,
        /// Reports the grant of a pseudo-terminal. macOS 10.15.4.
        ES_EVENT_TYPE_NOTIFY_PTY_GRANT = 83,
        /// Reports the closing of a pseudo-terminal. macOS 10.15.4.
        ES_EVENT_TYPE_NOTIFY_PTY_CLOSE = 84,
        /// Requests a `proc_info` call about another process. macOS 10.15.4.
        ES_EVENT_TYPE_AUTH_PROC_CHECK = 85,
        /// Reports a `proc_info` call about another process. macOS 10.15.4.
        ES_EVENT_TYPE_NOTIFY_PROC_CHECK = 86,
        /// Requests access to another process's control port. macOS 10.15.4.
        ES_EVENT_TYPE_AUTH_GET_TASK = 87,
        /// Requests the search of a volume. macOS 11.0.
        ES_EVENT_TYPE_AUTH_SEARCHFS = 88,
        /// Reports the search of a volume. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_SEARCHFS = 89,
        /// Requests a control operation on a descriptor. macOS 11.0.
        ES_EVENT_TYPE_AUTH_FCNTL = 90,
        /// Requests the opening of a driver's user client. macOS 11.0.
        ES_EVENT_TYPE_AUTH_IOKIT_OPEN = 91,
        /// Requests the suspension or resumption of a process. macOS 11.0.
        ES_EVENT_TYPE_AUTH_PROC_SUSPEND_RESUME = 92,
        /// Reports the suspension or resumption of a process. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_PROC_SUSPEND_RESUME = 93,
        /// Reports the invalidation of a code signature. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_CS_INVALIDATED = 94,
        /// Reports access to another process's name port. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_GET_TASK_NAME = 95,
        /// Reports an attachment to another process. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_TRACE = 96,
        /// Reports the creation of a thread in another process. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_REMOTE_THREAD_CREATE = 97,
        /// Requests a change of a mounted file system's options. macOS 11.0.
        ES_EVENT_TYPE_AUTH_REMOUNT = 98,
        /// Reports a change of a mounted file system's options. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_REMOUNT = 99,
        /// Requests access to another process's read port. macOS 11.3.
        ES_EVENT_TYPE_AUTH_GET_TASK_READ = 100,
        /// Reports access to another process's read port. macOS 11.3.
        ES_EVENT_TYPE_NOTIFY_GET_TASK_READ = 101,
        /// Reports access to another process's inspect port. macOS 11.3.
        ES_EVENT_TYPE_NOTIFY_GET_TASK_INSPECT = 102,
        /// Reports a call of `setuid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETUID = 103,
        /// Reports a call of `setgid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETGID = 104,
        /// Reports a call of `seteuid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETEUID = 105,
        /// Reports a call of `setegid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETEGID = 106,
        /// Reports a call of `setreuid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETREUID = 107,
        /// Reports a call of `setregid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETREGID = 108,
        /// Requests the kernel's copy of a file. macOS 12.0.
        ES_EVENT_TYPE_AUTH_COPYFILE = 109,
        /// Reports the kernel's copy of a file. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_COPYFILE = 110,
        /// Reports an authentication. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_AUTHENTICATION = 111,
        /// Reports malware that XProtect found. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_XP_MALWARE_DETECTED = 112,
        /// Reports malware that XProtect acted on. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_XP_MALWARE_REMEDIATED = 113,
        /// Reports a login at the login window. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LW_SESSION_LOGIN = 114,
        /// Reports a logout at the login window. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LW_SESSION_LOGOUT = 115,
        /// Reports the locking of a session. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LW_SESSION_LOCK = 116,
        /// Reports the unlocking of a session. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LW_SESSION_UNLOCK = 117,
        /// Reports a screen-sharing viewer that attaches. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_SCREENSHARING_ATTACH = 118,
        /// Reports a screen-sharing viewer that detaches. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_SCREENSHARING_DETACH = 119,
        /// Reports a login by OpenSSH. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_OPENSSH_LOGIN = 120,
        /// Reports a logout by OpenSSH. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_OPENSSH_LOGOUT = 121,
        /// Reports a login by `login`. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LOGIN_LOGIN = 122,
        /// Reports a logout by `login`. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LOGIN_LOGOUT = 123,
        /// Reports a background item that was added. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_ADD = 124,
        /// Reports a background item that was removed. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_REMOVE = 125,
        /// Reports a configuration profile that was added. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_PROFILE_ADD = 126,
        /// Reports a configuration profile that was removed. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_PROFILE_REMOVE = 127,
        /// Reports a use of `su`. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_SU = 128,
        /// Reports a petition for rights. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_AUTHORIZATION_PETITION = 129,
        /// Reports the judgement of a petition for rights. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_AUTHORIZATION_JUDGEMENT = 130,
        /// Reports a use of `sudo`. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_SUDO = 131,
        /// Reports a member added to a group. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_GROUP_ADD = 132,
        /// Reports a member removed from a group. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_GROUP_REMOVE = 133,
        /// Reports a group whose members were replaced. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_GROUP_SET = 134,
        /// Reports a changed password. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_MODIFY_PASSWORD = 135,
        /// Reports a disabled user. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_DISABLE_USER = 136,
        /// Reports an enabled user. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_ENABLE_USER = 137,
        /// Reports a value added to an attribute. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_ATTRIBUTE_VALUE_ADD = 138,
        /// Reports a value removed from an attribute. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_ATTRIBUTE_VALUE_REMOVE = 139,
        /// Reports an attribute that was set. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_ATTRIBUTE_SET = 140,
        /// Reports a created user. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_CREATE_USER = 141,
        /// Reports a created group. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_CREATE_GROUP = 142,
        /// Reports a deleted user. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_DELETE_USER = 143,
        /// Reports a deleted group. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_DELETE_GROUP = 144,
        /// Reports a connection to an XPC service. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_XPC_CONNECT = 145,
        /// Reports a user's override of Gatekeeper. macOS 15.0.
        ES_EVENT_TYPE_NOTIFY_GATEKEEPER_USER_OVERRIDE = 146,
        /// Reports a changed privacy permission. macOS 15.4.
        ES_EVENT_TYPE_NOTIFY_TCC_MODIFY = 147,
        /// Not documented. macOS 26.3.
        ES_EVENT_TYPE_RESERVED_0 = 148,
        /// Not documented. macOS 26.3.
        ES_EVENT_TYPE_RESERVED_1 = 149,
        /// Not documented. macOS 26.3.
        ES_EVENT_TYPE_RESERVED_2 = 150,
        /// Not documented. macOS 26.4.
        ES_EVENT_TYPE_RESERVED_3 = 151,
        /// Not documented. macOS 26.4.
        ES_EVENT_TYPE_RESERVED_4 = 152,
        /// Not documented. macOS 26.4.
        ES_EVENT_TYPE_RESERVED_5 = 153,
        /// Not documented. macOS 26.4.
        ES_EVENT_TYPE_RESERVED_6 = 154,
        /// Not documented. macOS 26.5.
        ES_EVENT_TYPE_RESERVED_7 = 155,
        /// Not documented. macOS 26.5.
        ES_EVENT_TYPE_RESERVED_8 = 156,
        /// Requests a connection to an XPC service. macOS 27.0.
        ES_EVENT_TYPE_AUTH_XPC_CONNECT = 157,
        /// Requests a service's name claimed at launchd. macOS 27.0.
        ES_EVENT_TYPE_AUTH_BOOTSTRAP_CHECK_IN = 158,
        /// Reports a service's name claimed at launchd. macOS 27.0.
        ES_EVENT_TYPE_NOTIFY_BOOTSTRAP_CHECK_IN = 159,
        /// Requests a service's name looked up at launchd. macOS 27.0.
        ES_EVENT_TYPE_AUTH_BOOTSTRAP_LOOK_UP = 160,
        /// Reports a service's name looked up at launchd. macOS 27.0.
        ES_EVENT_TYPE_NOTIFY_BOOTSTRAP_LOOK_UP = 161,
        /// How many there are.
        ES_EVENT_TYPE_LAST = 162,
    }
}
