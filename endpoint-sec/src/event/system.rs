//! Events about the system: volumes, kernel extensions, devices, terminals, time.

use crate::enums::MountDisposition;
use crate::file::{File, StatFs};
use crate::raw::view;

view! {
    /// A file system is mounted.
    pub struct Mount<'a>(es_event_mount_t) {
        /// What is known of it.
        statfs: StatFs<'a>,
        /// What kind of device it is on. Message version 8.
        [since 8] disposition: MountDisposition,
    }
}

view! {
    /// A file system is unmounted.
    pub struct Unmount<'a>(es_event_unmount_t) {
        /// What is known of it.
        statfs: StatFs<'a>,
    }
}

view! {
    /// A mounted file system gets other flags.
    pub struct Remount<'a>(es_event_remount_t) {
        /// What is known of it.
        statfs: StatFs<'a>,
        /// The new flags (`MNT_RDONLY`, …). Message version 8.
        [since 8] remount_flags: u64,
        /// What kind of device it is on. Message version 8.
        [since 8] disposition: MountDisposition,
    }
}

view! {
    /// A kernel extension is loaded.
    pub struct KextLoad<'a>(es_event_kextload_t) {
        /// Its bundle identifier.
        identifier: &'a [u8],
    }
}

view! {
    /// A kernel extension is unloaded.
    pub struct KextUnload<'a>(es_event_kextunload_t) {
        /// Its bundle identifier.
        identifier: &'a [u8],
    }
}

view! {
    /// A device is opened through the I/O Kit.
    pub struct IoKitOpen<'a>(es_event_iokit_open_t) {
        /// The type of user client requested.
        user_client_type: u32,
        /// The class of the user client.
        user_client_class: &'a [u8],
        /// The registry number of the device. Message version 10.
        [since 10] parent_registry_id: u64,
        /// The registry path of the device. Message version 10.
        [maybe 10] parent_path: Option<&'a [u8]>,
    }
}

view! {
    /// The system's time is set. Processes with a private entitlement do not show.
    pub struct SetTime<'a>(es_event_settime_t) {}
}

view! {
    /// A pseudo terminal is granted.
    pub struct PtyGrant<'a>(es_event_pty_grant_t) {
        /// Its device number.
        dev: i32,
    }
}

view! {
    /// A pseudo terminal is closed.
    pub struct PtyClose<'a>(es_event_pty_close_t) {
        /// Its device number.
        dev: i32,
    }
}

view! {
    /// A Unix socket gets a name.
    pub struct UipcBind<'a>(es_event_uipc_bind_t) {
        /// The directory of the name.
        dir: File<'a>,
        /// The name, one component.
        filename: &'a [u8],
        /// The mode the socket gets.
        mode: u16,
    }
}

view! {
    /// A Unix socket is connected to.
    pub struct UipcConnect<'a>(es_event_uipc_connect_t) {
        /// The socket.
        file: File<'a>,
        /// The communications domain (`PF_LOCAL`).
        domain: i32,
        /// The type of socket (`SOCK_STREAM`, …).
        kind: i32 = type_,
        /// The protocol.
        protocol: i32,
    }
}
