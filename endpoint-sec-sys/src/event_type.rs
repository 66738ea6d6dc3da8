//! The event types: which operation a message is about.

use crate::c_enum::c_enum;

c_enum! {
    /// The kind of event: `AUTH` asks before, `NOTIFY` tells afterwards.
    ///
    /// Everything known of each stands in [`EVENTS`](crate::EVENTS).
    es_event_type_t {
        /// Asks for the execution of a program. macOS 10.15.
        ES_EVENT_TYPE_AUTH_EXEC = 0,
        /// Asks for the opening of a file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_OPEN = 1,
        /// Asks for the loading of a kernel extension. macOS 10.15.
        ES_EVENT_TYPE_AUTH_KEXTLOAD = 2,
        /// Asks for the mapping of a file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_MMAP = 3,
        /// Asks for a change of memory protection. macOS 10.15.
        ES_EVENT_TYPE_AUTH_MPROTECT = 4,
        /// Asks for the mounting of a file system. macOS 10.15.
        ES_EVENT_TYPE_AUTH_MOUNT = 5,
        /// Asks for the move of a file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_RENAME = 6,
        /// Asks for a signal to another process. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SIGNAL = 7,
        /// Asks for the removal of a name. macOS 10.15.
        ES_EVENT_TYPE_AUTH_UNLINK = 8,
        /// Tells of the execution of a program. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_EXEC = 9,
        /// Tells of the opening of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_OPEN = 10,
        /// Tells of a fork. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_FORK = 11,
        /// Tells of the closing of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_CLOSE = 12,
        /// Tells of the creation of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_CREATE = 13,
        /// Tells of the exchange of two files' contents. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_EXCHANGEDATA = 14,
        /// Tells of the exit of a process. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_EXIT = 15,
        /// Tells of access to another process's control port. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_GET_TASK = 16,
        /// Tells of the loading of a kernel extension. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_KEXTLOAD = 17,
        /// Tells of the unloading of a kernel extension. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_KEXTUNLOAD = 18,
        /// Tells of the making of a hard link. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_LINK = 19,
        /// Tells of the mapping of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_MMAP = 20,
        /// Tells of a change of memory protection. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_MPROTECT = 21,
        /// Tells of the mounting of a file system. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_MOUNT = 22,
        /// Tells of the unmounting of a file system. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_UNMOUNT = 23,
        /// Tells of the opening of a driver's user client. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_IOKIT_OPEN = 24,
        /// Tells of the move of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_RENAME = 25,
        /// Tells of the setting of attributes. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SETATTRLIST = 26,
        /// Tells of the setting of an extended attribute. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SETEXTATTR = 27,
        /// Tells of the setting of a file's flags. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SETFLAGS = 28,
        /// Tells of the setting of a file's mode. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SETMODE = 29,
        /// Tells of the setting of a file's owner. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SETOWNER = 30,
        /// Tells of a signal to another process. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_SIGNAL = 31,
        /// Tells of the removal of a name. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_UNLINK = 32,
        /// Tells of a write to a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_WRITE = 33,
        /// Asks for the arrival of a provider's file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_FILE_PROVIDER_MATERIALIZE = 34,
        /// Tells of the arrival of a provider's file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_FILE_PROVIDER_MATERIALIZE = 35,
        /// Asks for the update of a provider's file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_FILE_PROVIDER_UPDATE = 36,
        /// Tells of the update of a provider's file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_FILE_PROVIDER_UPDATE = 37,
        /// Asks for the reading of a symbolic link. macOS 10.15.
        ES_EVENT_TYPE_AUTH_READLINK = 38,
        /// Tells of the reading of a symbolic link. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_READLINK = 39,
        /// Asks for the truncation of a file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_TRUNCATE = 40,
        /// Tells of the truncation of a file. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_TRUNCATE = 41,
        /// Asks for the making of a hard link. macOS 10.15.
        ES_EVENT_TYPE_AUTH_LINK = 42,
        /// Tells of the look-up of a path. macOS 10.15.
        ES_EVENT_TYPE_NOTIFY_LOOKUP = 43,
        /// Asks for the creation of a file. macOS 10.15.
        ES_EVENT_TYPE_AUTH_CREATE = 44,
        /// Asks for the setting of attributes. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SETATTRLIST = 45,
        /// Asks for the setting of an extended attribute. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SETEXTATTR = 46,
        /// Asks for the setting of a file's flags. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SETFLAGS = 47,
        /// Asks for the setting of a file's mode. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SETMODE = 48,
        /// Asks for the setting of a file's owner. macOS 10.15.
        ES_EVENT_TYPE_AUTH_SETOWNER = 49,
        /// Asks for a change of working directory. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_CHDIR = 50,
        /// Tells of a change of working directory. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_CHDIR = 51,
        /// Asks for the reading of attributes. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_GETATTRLIST = 52,
        /// Tells of the reading of attributes. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_GETATTRLIST = 53,
        /// Tells of the reading of a file's status. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_STAT = 54,
        /// Tells of a question about access to a file. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_ACCESS = 55,
        /// Asks for a change of root directory. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_CHROOT = 56,
        /// Tells of a change of root directory. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_CHROOT = 57,
        /// Asks for the setting of a file's times. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_UTIMES = 58,
        /// Tells of the setting of a file's times. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_UTIMES = 59,
        /// Asks for the cloning of a file. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_CLONE = 60,
        /// Tells of the cloning of a file. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_CLONE = 61,
        /// Tells of a control operation on a descriptor. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_FCNTL = 62,
        /// Asks for the reading of an extended attribute. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_GETEXTATTR = 63,
        /// Tells of the reading of an extended attribute. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_GETEXTATTR = 64,
        /// Asks for the listing of extended attributes. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_LISTEXTATTR = 65,
        /// Tells of the listing of extended attributes. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_LISTEXTATTR = 66,
        /// Asks for the listing of a directory. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_READDIR = 67,
        /// Tells of the listing of a directory. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_READDIR = 68,
        /// Asks for the removal of an extended attribute. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_DELETEEXTATTR = 69,
        /// Tells of the removal of an extended attribute. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_DELETEEXTATTR = 70,
        /// Asks for a question for a file's path by its number. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_FSGETPATH = 71,
        /// Tells of a question for a file's path by its number. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_FSGETPATH = 72,
        /// Tells of the duplication of a descriptor. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_DUP = 73,
        /// Asks for the setting of the system's time. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_SETTIME = 74,
        /// Tells of the setting of the system's time. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_SETTIME = 75,
        /// Tells of the binding of a UNIX-domain socket. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_UIPC_BIND = 76,
        /// Asks for the binding of a UNIX-domain socket. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_UIPC_BIND = 77,
        /// Tells of the connection of a UNIX-domain socket. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_UIPC_CONNECT = 78,
        /// Asks for the connection of a UNIX-domain socket. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_UIPC_CONNECT = 79,
        /// Asks for the exchange of two files' contents. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_EXCHANGEDATA = 80,
        /// Asks for the setting of an access control list. macOS 10.15.1.
        ES_EVENT_TYPE_AUTH_SETACL = 81,
        /// Tells of the setting of an access control list. macOS 10.15.1.
        ES_EVENT_TYPE_NOTIFY_SETACL = 82,
        /// Tells of the grant of a pseudo-terminal. macOS 10.15.4.
        ES_EVENT_TYPE_NOTIFY_PTY_GRANT = 83,
        /// Tells of the closing of a pseudo-terminal. macOS 10.15.4.
        ES_EVENT_TYPE_NOTIFY_PTY_CLOSE = 84,
        /// Asks for a question about another process. macOS 10.15.4.
        ES_EVENT_TYPE_AUTH_PROC_CHECK = 85,
        /// Tells of a question about another process. macOS 10.15.4.
        ES_EVENT_TYPE_NOTIFY_PROC_CHECK = 86,
        /// Asks for access to another process's control port. macOS 10.15.4.
        ES_EVENT_TYPE_AUTH_GET_TASK = 87,
        /// Asks for the search of a volume. macOS 11.0.
        ES_EVENT_TYPE_AUTH_SEARCHFS = 88,
        /// Tells of the search of a volume. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_SEARCHFS = 89,
        /// Asks for a control operation on a descriptor. macOS 11.0.
        ES_EVENT_TYPE_AUTH_FCNTL = 90,
        /// Asks for the opening of a driver's user client. macOS 11.0.
        ES_EVENT_TYPE_AUTH_IOKIT_OPEN = 91,
        /// Asks for the suspension or resumption of a process. macOS 11.0.
        ES_EVENT_TYPE_AUTH_PROC_SUSPEND_RESUME = 92,
        /// Tells of the suspension or resumption of a process. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_PROC_SUSPEND_RESUME = 93,
        /// Tells of the invalidation of a code signature. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_CS_INVALIDATED = 94,
        /// Tells of access to another process's name port. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_GET_TASK_NAME = 95,
        /// Tells of an attachment to another process. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_TRACE = 96,
        /// Tells of the creation of a thread in another process. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_REMOTE_THREAD_CREATE = 97,
        /// Asks for a change of a mounted file system's options. macOS 11.0.
        ES_EVENT_TYPE_AUTH_REMOUNT = 98,
        /// Tells of a change of a mounted file system's options. macOS 11.0.
        ES_EVENT_TYPE_NOTIFY_REMOUNT = 99,
        /// Asks for access to another process's read port. macOS 11.3.
        ES_EVENT_TYPE_AUTH_GET_TASK_READ = 100,
        /// Tells of access to another process's read port. macOS 11.3.
        ES_EVENT_TYPE_NOTIFY_GET_TASK_READ = 101,
        /// Tells of access to another process's inspect port. macOS 11.3.
        ES_EVENT_TYPE_NOTIFY_GET_TASK_INSPECT = 102,
        /// Tells of a call of `setuid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETUID = 103,
        /// Tells of a call of `setgid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETGID = 104,
        /// Tells of a call of `seteuid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETEUID = 105,
        /// Tells of a call of `setegid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETEGID = 106,
        /// Tells of a call of `setreuid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETREUID = 107,
        /// Tells of a call of `setregid`. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_SETREGID = 108,
        /// Asks for the kernel's copy of a file. macOS 12.0.
        ES_EVENT_TYPE_AUTH_COPYFILE = 109,
        /// Tells of the kernel's copy of a file. macOS 12.0.
        ES_EVENT_TYPE_NOTIFY_COPYFILE = 110,
        /// Tells of an authentication. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_AUTHENTICATION = 111,
        /// Tells of malware that XProtect found. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_XP_MALWARE_DETECTED = 112,
        /// Tells of malware that XProtect acted on. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_XP_MALWARE_REMEDIATED = 113,
        /// Tells of a login at the login window. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LW_SESSION_LOGIN = 114,
        /// Tells of a logout at the login window. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LW_SESSION_LOGOUT = 115,
        /// Tells of the locking of a session. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LW_SESSION_LOCK = 116,
        /// Tells of the unlocking of a session. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LW_SESSION_UNLOCK = 117,
        /// Tells of a screen-sharing viewer that attaches. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_SCREENSHARING_ATTACH = 118,
        /// Tells of a screen-sharing viewer that detaches. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_SCREENSHARING_DETACH = 119,
        /// Tells of a login by OpenSSH. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_OPENSSH_LOGIN = 120,
        /// Tells of a logout by OpenSSH. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_OPENSSH_LOGOUT = 121,
        /// Tells of a login by `login`. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LOGIN_LOGIN = 122,
        /// Tells of a logout by `login`. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_LOGIN_LOGOUT = 123,
        /// Tells of a background item that was added. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_ADD = 124,
        /// Tells of a background item that was removed. macOS 13.0.
        ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_REMOVE = 125,
        /// Tells of a configuration profile that was added. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_PROFILE_ADD = 126,
        /// Tells of a configuration profile that was removed. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_PROFILE_REMOVE = 127,
        /// Tells of a use of `su`. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_SU = 128,
        /// Tells of a petition for rights. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_AUTHORIZATION_PETITION = 129,
        /// Tells of the judgement of a petition for rights. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_AUTHORIZATION_JUDGEMENT = 130,
        /// Tells of a use of `sudo`. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_SUDO = 131,
        /// Tells of a member added to a group. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_GROUP_ADD = 132,
        /// Tells of a member removed from a group. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_GROUP_REMOVE = 133,
        /// Tells of a group whose members were replaced. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_GROUP_SET = 134,
        /// Tells of a changed password. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_MODIFY_PASSWORD = 135,
        /// Tells of a disabled user. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_DISABLE_USER = 136,
        /// Tells of an enabled user. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_ENABLE_USER = 137,
        /// Tells of a value added to an attribute. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_ATTRIBUTE_VALUE_ADD = 138,
        /// Tells of a value removed from an attribute. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_ATTRIBUTE_VALUE_REMOVE = 139,
        /// Tells of an attribute that was set. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_ATTRIBUTE_SET = 140,
        /// Tells of a created user. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_CREATE_USER = 141,
        /// Tells of a created group. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_CREATE_GROUP = 142,
        /// Tells of a deleted user. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_DELETE_USER = 143,
        /// Tells of a deleted group. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_OD_DELETE_GROUP = 144,
        /// Tells of a connection to an XPC service. macOS 14.0.
        ES_EVENT_TYPE_NOTIFY_XPC_CONNECT = 145,
        /// Tells of a person's override of Gatekeeper. macOS 15.0.
        ES_EVENT_TYPE_NOTIFY_GATEKEEPER_USER_OVERRIDE = 146,
        /// Tells of a changed privacy permission. macOS 15.4.
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
        /// Asks for a connection to an XPC service. macOS 27.0.
        ES_EVENT_TYPE_AUTH_XPC_CONNECT = 157,
        /// Asks for a service's name claimed at launchd. macOS 27.0.
        ES_EVENT_TYPE_AUTH_BOOTSTRAP_CHECK_IN = 158,
        /// Tells of a service's name claimed at launchd. macOS 27.0.
        ES_EVENT_TYPE_NOTIFY_BOOTSTRAP_CHECK_IN = 159,
        /// Asks for a service's name looked up at launchd. macOS 27.0.
        ES_EVENT_TYPE_AUTH_BOOTSTRAP_LOOK_UP = 160,
        /// Tells of a service's name looked up at launchd. macOS 27.0.
        ES_EVENT_TYPE_NOTIFY_BOOTSTRAP_LOOK_UP = 161,
        /// How many there are.
        ES_EVENT_TYPE_LAST = 162,
    }
}
