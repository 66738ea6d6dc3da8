//! Destinations, access control lists, mounts.

use crate::c_enum::c_enum;

c_enum! {
    /// Whether a destination exists.
    es_destination_type_t {
        /// It does.
        ES_DESTINATION_TYPE_EXISTING_FILE = 0,
        /// It does not yet.
        ES_DESTINATION_TYPE_NEW_PATH = 1,
    }
}

c_enum! {
    /// Whether something is set or removed.
    es_set_or_clear_t {
        /// Set.
        ES_SET = 0,
        /// Removed.
        ES_CLEAR = 1,
    }
}

c_enum! {
    /// Where a file system comes from. macOS 15.0.
    es_mount_disposition_t {
        /// An external drive.
        ES_MOUNT_DISPOSITION_EXTERNAL = 0,
        /// A built-in drive.
        ES_MOUNT_DISPOSITION_INTERNAL = 1,
        /// The network.
        ES_MOUNT_DISPOSITION_NETWORK = 2,
        /// Memory or an image.
        ES_MOUNT_DISPOSITION_VIRTUAL = 3,
        /// A null mount of another directory.
        ES_MOUNT_DISPOSITION_NULLFS = 4,
        /// Unknown.
        ES_MOUNT_DISPOSITION_UNKNOWN = 5,
    }
}
