//! Enums and their constants.

use crate::json::{count, headers, number};
use endpoint_sec_sys::*;

/// An enum of this crate, as data.
pub(crate) struct Enum {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    align: usize,
    pub(crate) constants: Vec<(&'static str, u32)>,
}

macro_rules! enums {
    ($($name:ident),* $(,)?) => {
        vec![$(Enum {
            name: stringify!($name),
            size: size_of::<$name>(),
            align: align_of::<$name>(),
            constants: $name::CONSTANTS.iter().map(|(name, value)| (*name, value.0)).collect(),
        }),*]
    };
}

/// Every enum of this crate.
pub(crate) fn ours() -> Vec<Enum> {
    enums![
        es_action_type_t,
        es_set_or_clear_t,
        es_proc_check_type_t,
        es_xpc_domain_type_t,
        es_bootstrap_target_type_t,
        es_authentication_type_t,
        es_sudo_plugin_type_t,
        es_event_type_t,
        es_auth_result_t,
        es_result_type_t,
        es_return_t,
        es_respond_result_t,
        es_new_client_result_t,
        es_clear_cache_result_t,
        es_mute_path_type_t,
        es_address_type_t,
        es_mute_inversion_type_t,
        es_mute_inverted_return_t,
        es_authorization_rule_class_t,
        es_od_member_type_t,
        es_od_account_type_t,
        es_od_record_type_t,
        es_gatekeeper_user_override_file_type_t,
        es_tcc_event_type_t,
        es_tcc_authorization_right_t,
        es_tcc_authorization_reason_t,
        es_tcc_identity_type_t,
        es_cs_validation_category_t,
        es_auto_unlock_type_t,
        es_btm_item_type_t,
        es_destination_type_t,
        es_get_task_type_t,
        es_openssh_login_result_type_t,
        es_mount_disposition_t,
        es_proc_suspend_resume_type_t,
        es_profile_source_t,
        es_touchid_mode_t,
        es_deadline_miss_mode_t,
    ]
}

#[test]
fn every_constant_has_the_headers_value() {
    let enums = headers("enums");
    let enums = enums.as_object().unwrap();
    let sizes = headers("enum_repr");
    let ours = ours();
    let mut constants = 0;
    for (name, expected) in enums {
        let ours: Vec<&Enum> = ours.iter().filter(|ours| ours.name == name).collect();
        let [ours] = ours.as_slice() else {
            panic!("{name} is listed {} times", ours.len());
        };
        let expected: Vec<(&str, u32)> = expected
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), u32::try_from(number(value)).unwrap()))
            .collect();
        assert_eq!(ours.constants, expected, "{name}");
        let size = (number(&sizes[name]["size"]), number(&sizes[name]["align"]));
        assert_eq!((ours.size, ours.align), size, "{name}");
        assert_eq!(sizes[name]["underlying"], "unsigned int", "{name}");
        constants += expected.len();
    }
    assert_eq!((enums.len(), ours.len(), count("enums")), (38, 38, 38));
    assert_eq!(constants, 329);
}

#[test]
fn values_show_their_names() {
    let denied = es_auth_result_t::ES_AUTH_RESULT_DENY;
    assert_eq!(format!("{denied:?}"), "ES_AUTH_RESULT_DENY");
    assert_eq!(format!("{:?}", es_auth_result_t(7)), "es_auth_result_t(7)");
}
