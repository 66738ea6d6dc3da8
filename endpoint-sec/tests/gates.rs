//! The declarations of views, held against the headers: which field needs which message version.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn gates_are_those_of_the_headers() {
    let mut declared = BTreeSet::new();
    let mut views = 0;
    collect(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut |text| {
            for view in text.split("\nview! {").skip(1) {
                views += 1;
                let view = view.split("\n}\n").next().unwrap();
                let (_, rest) = view.split_once("pub struct ").unwrap();
                let (_, rest) = rest.split_once('(').unwrap();
                let (c_type, fields) = rest.split_once(')').unwrap();
                declared.extend(gates(c_type, fields));
            }
        },
    );
    let expected: BTreeSet<_> = GATES
        .iter()
        .map(|(c_type, field, version)| ((*c_type).to_owned(), (*field).to_owned(), *version))
        .collect();
    assert_eq!(declared, expected);
    assert!(views > 106 + 12, "{views} views were looked at");
}

/// The gated fields of a view: its C struct, the C field, the message version.
fn gates(c_type: &str, fields: &str) -> Vec<(String, String, u32)> {
    let gates = fields.split("\n        [").skip(1);
    let gates = gates.filter_map(|gate| {
        let rest = gate
            .strip_prefix("since ")
            .or_else(|| gate.strip_prefix("maybe "))?;
        let (version, rest) = rest.split_once(']')?;
        let (declaration, _) = rest.split_once(",\n")?;
        let (name, path) = declaration.split_once(": ")?;
        let field = path.split_once(" = ").map_or(name.trim(), |(_, path)| {
            path.rsplit('.').next().unwrap_or(path).trim()
        });
        // A C name that is a word of Rust ends in an underscore.
        let field = field.trim_end_matches('_');
        Some((c_type.to_owned(), field.to_owned(), version.parse().ok()?))
    });
    gates.collect()
}

fn collect(directory: &Path, found: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// Every field that not all messages have, and the first message version that does
/// (ESMessage.h and ESMessageCore.h, macOS 27.0).
const GATES: [(&str, &str, u32); 55] = [
    ("es_event_authentication_od_t", "instigator_token", 8),
    ("es_event_authentication_token_t", "instigator_token", 8),
    ("es_event_authentication_touchid_t", "instigator_token", 8),
    ("es_event_authorization_judgement_t", "instigator_token", 8),
    ("es_event_authorization_judgement_t", "petitioner_token", 8),
    ("es_event_authorization_petition_t", "instigator_token", 8),
    ("es_event_authorization_petition_t", "petitioner_token", 8),
    ("es_event_btm_launch_item_add_t", "app_token", 8),
    ("es_event_btm_launch_item_add_t", "instigator_token", 8),
    ("es_event_btm_launch_item_remove_t", "app_token", 8),
    ("es_event_btm_launch_item_remove_t", "instigator_token", 8),
    ("es_event_close_t", "was_mapped_writable", 6),
    ("es_event_create_t", "acl", 2),
    ("es_event_exec_t", "cwd", 3),
    ("es_event_exec_t", "dyld_exec_path", 7),
    ("es_event_exec_t", "image_cpusubtype", 6),
    ("es_event_exec_t", "image_cputype", 6),
    ("es_event_exec_t", "last_fd", 4),
    ("es_event_exec_t", "script", 2),
    (
        "es_event_file_provider_materialize_t",
        "instigator_token",
        8,
    ),
    ("es_event_get_task_inspect_t", "type", 5),
    ("es_event_get_task_name_t", "type", 5),
    ("es_event_get_task_read_t", "type", 5),
    ("es_event_get_task_t", "type", 5),
    ("es_event_iokit_open_t", "parent_path", 10),
    ("es_event_iokit_open_t", "parent_registry_id", 10),
    ("es_event_mount_t", "disposition", 8),
    ("es_event_od_attribute_set_t", "instigator_token", 8),
    ("es_event_od_attribute_value_add_t", "instigator_token", 8),
    (
        "es_event_od_attribute_value_remove_t",
        "instigator_token",
        8,
    ),
    ("es_event_od_create_group_t", "instigator_token", 8),
    ("es_event_od_create_user_t", "instigator_token", 8),
    ("es_event_od_delete_group_t", "instigator_token", 8),
    ("es_event_od_delete_user_t", "instigator_token", 8),
    ("es_event_od_disable_user_t", "instigator_token", 8),
    ("es_event_od_enable_user_t", "instigator_token", 8),
    ("es_event_od_group_add_t", "instigator_token", 8),
    ("es_event_od_group_remove_t", "instigator_token", 8),
    ("es_event_od_group_set_t", "instigator_token", 8),
    ("es_event_od_modify_password_t", "instigator_token", 8),
    ("es_event_profile_add_t", "instigator_token", 8),
    ("es_event_profile_remove_t", "instigator_token", 8),
    ("es_event_remount_t", "disposition", 8),
    ("es_event_remount_t", "remount_flags", 8),
    ("es_event_signal_t", "instigator", 9),
    ("es_event_xp_malware_detected_t", "detected_executable", 10),
    ("es_message_t", "global_seq_num", 4),
    ("es_message_t", "seq_num", 2),
    ("es_message_t", "thread", 4),
    ("es_process_t", "cdhash_full", 11),
    ("es_process_t", "cs_validation_category", 10),
    ("es_process_t", "parent_audit_token", 4),
    ("es_process_t", "responsible_audit_token", 4),
    ("es_process_t", "start_time", 3),
    ("es_process_t", "tty", 2),
];
