//! Kinds of members, accounts and records.

use crate::c_enum::c_enum;

c_enum! {
    /// How a member of a group is named.
    es_od_member_type_t {
        /// A user, by name.
        ES_OD_MEMBER_TYPE_USER_NAME = 0,
        /// A user, by UUID.
        ES_OD_MEMBER_TYPE_USER_UUID = 1,
        /// A group, by UUID.
        ES_OD_MEMBER_TYPE_GROUP_UUID = 2,
    }
}

c_enum! {
    /// A kind of account.
    es_od_account_type_t {
        /// A person's.
        ES_OD_ACCOUNT_TYPE_USER = 0,
        /// A machine's.
        ES_OD_ACCOUNT_TYPE_COMPUTER = 1,
    }
}

c_enum! {
    /// A kind of record.
    es_od_record_type_t {
        /// A user.
        ES_OD_RECORD_TYPE_USER = 0,
        /// A group.
        ES_OD_RECORD_TYPE_GROUP = 1,
    }
}
