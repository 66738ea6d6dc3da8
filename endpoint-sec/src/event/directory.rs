//! Events about users and groups, reported by Open Directory.

use crate::audit_token::AuditToken;
use crate::enums::{OdAccountType, OdMemberType, OdRecordType};
use crate::process::Process;
use crate::raw::view;

/// Declares the view of a change in a directory, with the fields that all of them have.
macro_rules! change {
    (
        $(#[$doc:meta])*
        pub struct $View:ident<'a>($C:ident) { $($fields:tt)* }
    ) => {
        view! {
            $(#[$doc])*
            pub struct $View<'a>($C) {
                /// The instigating process, if it is still known.
                instigator: Option<Process<'a>>,
                /// Zero for success, else an error of Open Directory.
                error_code: i32,
                $($fields)*
                /// The directory node.
                node_name: &'a [u8],
                /// The path of the database, for local nodes.
                db_path: Option<&'a [u8]>,
                /// The instigating process. Message version 8.
                [since 8] instigator_token: AuditToken,
            }
        }
    };
}

change! {
    /// A member was added to a group.
    pub struct OdGroupAdd<'a>(es_event_od_group_add_t) {
        /// The group.
        group_name: &'a [u8],
        /// The member.
        member: OdMember<'a>,
    }
}

change! {
    /// A member was removed from a group.
    pub struct OdGroupRemove<'a>(es_event_od_group_remove_t) {
        /// The group.
        group_name: &'a [u8],
        /// The member.
        member: OdMember<'a>,
    }
}

change! {
    /// The members of a group were set.
    pub struct OdGroupSet<'a>(es_event_od_group_set_t) {
        /// The group.
        group_name: &'a [u8],
        /// The members.
        members: OdMembers<'a>,
    }
}

view! {
    /// A member of a group.
    pub struct OdMember<'a>(es_od_member_id_t) {
        /// How it is named.
        member_type: OdMemberType,
        /// The user's name, if it is named so.
        [if member_type == OdMemberType::UserName] name: &'a [u8] = member_value.name,
        /// The user's UUID, if it is named so.
        [if member_type == OdMemberType::UserUuid] user_uuid: [u8; 16] = member_value.uuid,
        /// The group's UUID, if it is named so.
        [if member_type == OdMemberType::GroupUuid] group_uuid: [u8; 16] = member_value.uuid,
    }
}

view! {
    /// The members of a group, all named in the same way. Only the list of that way is not empty.
    pub struct OdMembers<'a>(es_od_member_id_array_t) {
        /// How they are named.
        member_type: OdMemberType,
        /// The users' names.
        [list member_array.names member_count if member_type == OdMemberType::UserName]
        names: &'a [u8],
        /// The users' UUIDs.
        [list member_array.uuids member_count if member_type == OdMemberType::UserUuid]
        user_uuids: [u8; 16],
        /// The groups' UUIDs.
        [list member_array.uuids member_count if member_type == OdMemberType::GroupUuid]
        group_uuids: [u8; 16],
    }
}

change! {
    /// A password was changed.
    pub struct OdModifyPassword<'a>(es_event_od_modify_password_t) {
        /// Whose kind of account it is.
        account_type: OdAccountType,
        /// The account.
        account_name: &'a [u8],
    }
}

change! {
    /// A user was disabled.
    pub struct OdDisableUser<'a>(es_event_od_disable_user_t) {
        /// The user.
        user_name: &'a [u8],
    }
}

change! {
    /// A user was enabled.
    pub struct OdEnableUser<'a>(es_event_od_enable_user_t) {
        /// The user.
        user_name: &'a [u8],
    }
}

change! {
    /// A value was added to an attribute of a record.
    pub struct OdAttributeValueAdd<'a>(es_event_od_attribute_value_add_t) {
        /// What kind of record it is.
        record_type: OdRecordType,
        /// The record.
        record_name: &'a [u8],
        /// The attribute.
        attribute_name: &'a [u8],
        /// The attribute's value.
        attribute_value: &'a [u8],
    }
}

change! {
    /// A value was removed from an attribute of a record.
    pub struct OdAttributeValueRemove<'a>(es_event_od_attribute_value_remove_t) {
        /// What kind of record it is.
        record_type: OdRecordType,
        /// The record.
        record_name: &'a [u8],
        /// The attribute.
        attribute_name: &'a [u8],
        /// The attribute's value.
        attribute_value: &'a [u8],
    }
}

change! {
    /// An attribute of a record was set.
    pub struct OdAttributeSet<'a>(es_event_od_attribute_set_t) {
        /// What kind of record it is.
        record_type: OdRecordType,
        /// The record.
        record_name: &'a [u8],
        /// The attribute.
        attribute_name: &'a [u8],
        /// The attribute's values.
        [list attribute_values attribute_value_count] attribute_values: &'a [u8],
    }
}

change! {
    /// A user was made.
    pub struct OdCreateUser<'a>(es_event_od_create_user_t) {
        /// The user.
        user_name: &'a [u8],
    }
}

change! {
    /// A group was made.
    pub struct OdCreateGroup<'a>(es_event_od_create_group_t) {
        /// The group.
        group_name: &'a [u8],
    }
}

change! {
    /// A user was deleted.
    pub struct OdDeleteUser<'a>(es_event_od_delete_user_t) {
        /// The user.
        user_name: &'a [u8],
    }
}

change! {
    /// A group was deleted.
    pub struct OdDeleteGroup<'a>(es_event_od_delete_group_t) {
        /// The group.
        group_name: &'a [u8],
    }
}
