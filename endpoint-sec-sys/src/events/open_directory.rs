//! Events about the directory of users and groups.

use crate::darwin::{audit_token_t, uuid_t};
use crate::enums::{es_od_account_type_t, es_od_member_type_t, es_od_record_type_t};
use crate::opaque_debug;
use crate::process::es_process_t;
use crate::token::es_string_token_t;

/// A member of a group.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_od_member_id_t {
    /// Which member of [`member_value`](Self::member_value) holds.
    pub member_type: es_od_member_type_t,
    /// Who.
    pub member_value: es_od_member_id_t_member_value,
}

/// Who the member is.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_od_member_id_t_member_value {
    /// The UUID.
    pub uuid: uuid_t,
    /// The name.
    pub name: es_string_token_t,
}

/// The members of a group.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_od_member_id_array_t {
    /// Which member of [`member_array`](Self::member_array) holds.
    pub member_type: es_od_member_type_t,
    /// How many.
    pub member_count: usize,
    /// Who.
    pub member_array: es_od_member_id_array_t_member_array,
}

/// Who the members are.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_od_member_id_array_t_member_array {
    /// The UUIDs; never null.
    pub uuids: *mut uuid_t,
    /// The names; never null.
    pub names: *mut es_string_token_t,
}

/// A member was added to a group.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_group_add_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The group.
    pub group_name: es_string_token_t,
    /// The member; never null.
    pub member: *mut es_od_member_id_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A member was removed from a group.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_group_remove_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The group.
    pub group_name: es_string_token_t,
    /// The member; never null.
    pub member: *mut es_od_member_id_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A group's members were replaced.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_group_set_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The group.
    pub group_name: es_string_token_t,
    /// The members; never null.
    pub members: *mut es_od_member_id_array_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// An account's password was changed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_modify_password_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The kind of account.
    pub account_type: es_od_account_type_t,
    /// The account.
    pub account_name: es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A user was disabled.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_disable_user_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The user.
    pub user_name: es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A user was enabled.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_enable_user_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The user.
    pub user_name: es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A value was added to a record's attribute.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_attribute_value_add_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The kind of record.
    pub record_type: es_od_record_type_t,
    /// The record's name.
    pub record_name: es_string_token_t,
    /// The attribute's name.
    pub attribute_name: es_string_token_t,
    /// The value.
    pub attribute_value: es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A value was removed from a record's attribute.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_attribute_value_remove_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The kind of record.
    pub record_type: es_od_record_type_t,
    /// The record's name.
    pub record_name: es_string_token_t,
    /// The attribute's name.
    pub attribute_name: es_string_token_t,
    /// The value.
    pub attribute_value: es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A record's attribute was set.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_attribute_set_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The kind of record.
    pub record_type: es_od_record_type_t,
    /// The record's name.
    pub record_name: es_string_token_t,
    /// The attribute's name.
    pub attribute_name: es_string_token_t,
    /// How many values.
    pub attribute_value_count: usize,
    /// The values; may be null.
    pub attribute_values: *mut es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A user was created.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_create_user_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The user.
    pub user_name: es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A group was created.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_create_group_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The group.
    pub group_name: es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A user was deleted.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_delete_user_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The user.
    pub user_name: es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

/// A group was deleted.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_od_delete_group_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// 0 for success, else an error of Open Directory.
    pub error_code: i32,
    /// The group.
    pub group_name: es_string_token_t,
    /// The Open Directory node.
    pub node_name: es_string_token_t,
    /// The path of the node's database, empty for a remote node.
    pub db_path: es_string_token_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
}

opaque_debug!(
    es_od_member_id_t,
    es_od_member_id_t_member_value,
    es_od_member_id_array_t,
    es_od_member_id_array_t_member_array
);
