//! Events about what is known of files: modes, owners, times, lists, extended attributes.

use crate::enums::SetOrClear;
use crate::file::{AttributeList, File};
use crate::raw::acl::Acl;
use crate::raw::view;
use crate::time::TimeSpec;

view! {
    /// A file's mode is set.
    pub struct SetMode<'a>(es_event_setmode_t) {
        /// The new mode.
        mode: u16,
        /// The file.
        target: File<'a>,
    }
}

view! {
    /// A file's flags are set (`chflags`).
    pub struct SetFlags<'a>(es_event_setflags_t) {
        /// The new flags.
        flags: u32,
        /// The file.
        target: File<'a>,
    }
}

view! {
    /// A file's owner is set.
    pub struct SetOwner<'a>(es_event_setowner_t) {
        /// The new owner.
        uid: u32,
        /// The new group.
        gid: u32,
        /// The file.
        target: File<'a>,
    }
}

view! {
    /// A file's access control list is set or cleared.
    pub struct SetAcl<'a>(es_event_setacl_t) {
        /// The file.
        target: File<'a>,
        /// Which of the two.
        set_or_clear: SetOrClear,
        /// The new list, if one is set.
        [if set_or_clear == SetOrClear::Set] acl: Acl<'a> = acl.set,
    }
}

view! {
    /// A file's times are set.
    pub struct Utimes<'a>(es_event_utimes_t) {
        /// The file.
        target: File<'a>,
        /// The new time of access.
        atime: TimeSpec,
        /// The new time of change.
        mtime: TimeSpec,
    }
}

view! {
    /// Attributes of a file are read (`getattrlist`).
    pub struct GetAttrList<'a>(es_event_getattrlist_t) {
        /// Which attributes.
        attrlist: AttributeList,
        /// The file.
        target: File<'a>,
    }
}

view! {
    /// Attributes of a file are set (`setattrlist`).
    pub struct SetAttrList<'a>(es_event_setattrlist_t) {
        /// Which attributes.
        attrlist: AttributeList,
        /// The file.
        target: File<'a>,
    }
}

view! {
    /// A volume is searched (`searchfs`).
    pub struct SearchFs<'a>(es_event_searchfs_t) {
        /// Which attributes are searched by.
        attrlist: AttributeList,
        /// The volume.
        target: File<'a>,
    }
}

view! {
    /// An extended attribute is set.
    pub struct SetExtAttr<'a>(es_event_setextattr_t) {
        /// The file.
        target: File<'a>,
        /// The attribute's name.
        extattr: &'a [u8],
    }
}

view! {
    /// An extended attribute is read.
    pub struct GetExtAttr<'a>(es_event_getextattr_t) {
        /// The file.
        target: File<'a>,
        /// The attribute's name.
        extattr: &'a [u8],
    }
}

view! {
    /// An extended attribute is removed.
    pub struct DeleteExtAttr<'a>(es_event_deleteextattr_t) {
        /// The file.
        target: File<'a>,
        /// The attribute's name.
        extattr: &'a [u8],
    }
}

view! {
    /// The names of a file's extended attributes are read.
    pub struct ListExtAttr<'a>(es_event_listextattr_t) {
        /// The file.
        target: File<'a>,
    }
}

view! {
    /// A file's metadata is read by `stat`.
    pub struct StatFile<'a>(es_event_stat_t) {
        /// The file.
        target: File<'a>,
    }
}

view! {
    /// Access to a file is checked (`access(2)`).
    pub struct Access<'a>(es_event_access_t) {
        /// For what: `R_OK`, `W_OK`, `X_OK` or `F_OK`.
        mode: i32,
        /// The file.
        target: File<'a>,
    }
}
