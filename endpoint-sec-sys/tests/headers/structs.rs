//! Structs, the union of events, Darwin's types, and blocks.

use crate::json::{count, headers, number, rust_type, text, without_modules};
use endpoint_sec_sys::block::{
    BLOCK_HAS_COPY_DISPOSE, BLOCK_HAS_SIGNATURE, BLOCK_IS_GLOBAL, Block, BlockDescriptor,
    es_handler_invoke_t,
};
use endpoint_sec_sys::layout::{FieldLayout, STRUCTS, StructLayout};
use endpoint_sec_sys::{
    acl_t, attrgroup_t, attribute_set_t, constants, cpu_subtype_t, cpu_type_t, dev_t, es_cdhash_t,
    es_graphical_session_id_t, es_sha256_t, gid_t, ino64_t, mode_t, nlink_t, off_t, pid_t,
    suseconds_t, time_t, uid_t, user_addr_t, user_size_t, uuid_t,
};
use serde_json::Value;
use std::mem::offset_of;

/// Structs of Darwin in the crate's table.
const OF_DARWIN: usize = 8;

#[test]
fn every_field_lies_where_the_headers_say() {
    let structs = headers("structs");
    let structs = structs.as_object().unwrap();
    let mut fields = 0;
    for (name, expected) in structs {
        fields += check(name, expected);
    }
    assert_eq!(structs.len(), count("structs") + count("unions"));
    assert_eq!(structs.len(), 132 + 1);
    assert_eq!(fields, 688);
    assert_eq!(STRUCTS.len(), structs.len() + OF_DARWIN);
}

#[test]
fn every_gated_field_has_its_message_version() {
    let gated = headers("version_gated_fields");
    let gated = gated.as_array().unwrap();
    for row in gated {
        let name = text(&row["struct"]);
        let last = rust_name(text(&row["field"]));
        let field = layout(name)
            .fields
            .iter()
            .find(|field| field.path.rsplit('.').next() == Some(&last))
            .unwrap_or_else(|| panic!("{name} has no {last}"));
        assert_eq!(field.offset, number(&row["offset"]), "{name}.{last}");
        let version = field.since_message_version.map(|version| version as usize);
        assert_eq!(
            version,
            Some(number(&row["min_message_version"])),
            "{name}.{last}"
        );
    }
    let ours: usize = STRUCTS
        .iter()
        .flat_map(|layout| layout.fields)
        .filter(|field| field.since_message_version.is_some())
        .count();
    assert_eq!((gated.len(), ours), (55, 55));
}

#[test]
fn darwin_s_types_are_as_wide_as_there() {
    let types = headers("system_types");
    let types = types.as_object().unwrap();
    let mut structs = 0;
    for (name, expected) in types {
        if expected.get("fields").is_some() {
            // `fsid_t` is the name in use of `struct fsid`.
            let name = if name == "struct fsid" {
                "fsid_t"
            } else {
                name
            };
            check(name.strip_prefix("struct ").unwrap_or(name), expected);
            structs += 1;
            continue;
        }
        let ours = match name.as_str() {
            "cpu_type_t" => measure::<cpu_type_t>(),
            "cpu_subtype_t" => measure::<cpu_subtype_t>(),
            "user_addr_t" => measure::<user_addr_t>(),
            "user_size_t" => measure::<user_size_t>(),
            "uid_t" => measure::<uid_t>(),
            "gid_t" => measure::<gid_t>(),
            "acl_t" => measure::<acl_t>(),
            "dev_t" => measure::<dev_t>(),
            "ino_t" | "ino64_t" => measure::<ino64_t>(),
            "mode_t" => measure::<mode_t>(),
            "nlink_t" => measure::<nlink_t>(),
            "pid_t" => measure::<pid_t>(),
            "off_t" => measure::<off_t>(),
            "time_t" => measure::<time_t>(),
            "suseconds_t" => measure::<suseconds_t>(),
            "attrgroup_t" => measure::<attrgroup_t>(),
            "fsid_t" => measure::<endpoint_sec_sys::fsid_t>(),
            "uuid_t" => measure::<uuid_t>(),
            other => panic!("{other} is not compared"),
        };
        assert_eq!(ours, expected_measure(expected), "{name}");
    }
    assert_eq!(structs, OF_DARWIN);
    assert_eq!(types.len(), 27);
    assert_eq!(measure::<attribute_set_t>(), (20, 4));
}

#[test]
fn typedefs_are_as_wide_as_there() {
    let typedefs = headers("typedefs");
    let typedefs = typedefs.as_object().unwrap();
    for (name, expected) in typedefs {
        let ours = match name.as_str() {
            "es_cdhash_t" => measure::<es_cdhash_t>(),
            "es_sha256_t" => measure::<es_sha256_t>(),
            "es_graphical_session_id_t" => measure::<es_graphical_session_id_t>(),
            other => panic!("{other} is not compared"),
        };
        assert_eq!(ours, expected_measure(expected), "{name}");
    }
    assert_eq!(typedefs.len(), 3);
}

#[test]
fn blocks_are_laid_out_as_specified() {
    type Handler = Block<es_handler_invoke_t, *mut u8>;
    let abi = headers("constants")["block_abi"].take();
    let expected: Vec<(String, usize)> = abi["layout"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|field| field.as_object().unwrap())
        .map(|(name, offset)| (name.clone(), number(offset)))
        .collect();
    let ours = [
        ("isa", offset_of!(Handler, header.isa)),
        ("flags", offset_of!(Handler, header.flags)),
        ("reserved", offset_of!(Handler, header.reserved)),
        ("invoke", offset_of!(Handler, header.invoke)),
        ("descriptor", offset_of!(Handler, header.descriptor)),
        ("captures", offset_of!(Handler, captures)),
    ];
    assert_eq!(
        ours.map(|(name, offset)| (name.to_owned(), offset)),
        expected.as_slice()
    );
    for (flag, ours) in [
        ("BLOCK_IS_GLOBAL", BLOCK_IS_GLOBAL),
        ("BLOCK_HAS_COPY_DISPOSE", BLOCK_HAS_COPY_DISPOSE),
        ("BLOCK_HAS_SIGNATURE", BLOCK_HAS_SIGNATURE),
    ] {
        assert_eq!(abi[flag], ours, "{flag}");
    }
    assert_eq!(offset_of!(BlockDescriptor, size), 8);
    assert_eq!(offset_of!(BlockDescriptor, copy), 16);
    assert_eq!(offset_of!(BlockDescriptor, dispose), 24);
}

#[test]
fn flags_of_other_headers_have_their_values() {
    let all = headers("constants");
    let source = include_str!("../../src/constants.rs");
    let mut compared = 0;
    for (part, prefix) in [("fflag", ""), ("PROX_FDTYPE", "PROX_FDTYPE_"), ("CS", "")] {
        for (name, value) in all[part].as_object().unwrap() {
            let Some(value) = value.as_u64() else {
                assert_eq!(name, "note");
                continue;
            };
            let declared = format!("pub const {prefix}{name}: ");
            let ours = source.lines().find_map(|line| line.strip_prefix(&declared));
            let ours = ours.unwrap_or_else(|| panic!("{prefix}{name} is missing"));
            let (_, ours) = ours.trim_end_matches(';').split_once(" = ").unwrap();
            // O_SEARCH is given as the sum of two others.
            if ours == "O_EXEC | O_DIRECTORY" {
                assert_eq!(u64::from(constants::O_SEARCH.cast_unsigned()), value);
            } else {
                assert_eq!(literal(ours), value, "{prefix}{name}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 6 + 11 + 28);
}

/// Compares one struct; returns how many fields it has.
fn check(name: &str, expected: &Value) -> usize {
    let ours = layout(name);
    assert_eq!(
        (ours.size, ours.align),
        expected_measure(expected),
        "{name}"
    );
    let fields = expected_fields(expected);
    let paths: Vec<&str> = fields.iter().map(|(path, _)| path.as_str()).collect();
    let our_paths: Vec<&str> = ours.fields.iter().map(|field| field.path).collect();
    assert_eq!(our_paths, paths, "{name}");
    for (field, (_, expected)) in ours.fields.iter().zip(&fields) {
        check_field(name, field, expected);
    }
    fields.len()
}

fn check_field(name: &str, field: &FieldLayout, expected: &Value) {
    let at = format!("{name}.{}", field.path);
    assert_eq!(field.offset, number(&expected["offset"]), "offset of {at}");
    assert_eq!(field.size, number(&expected["size"]), "size of {at}");
    let since = field.since_message_version.map(u64::from);
    assert_eq!(
        since,
        expected["min_message_version"].as_u64(),
        "message version of {at}"
    );
    let c = text(&expected["type"]);
    let rust = without_modules((field.type_name)());
    if c.starts_with('(') {
        assert_eq!(
            rust,
            format!("{name}_{}", field.path.replace('.', "_")),
            "type of {at}"
        );
    } else {
        assert_eq!(rust, rust_type(c), "type of {at}");
    }
}

/// The fields of a struct of the JSON, with their paths in Rust.
///
/// What C leaves without a name is `anonymous` if it is a union and `fields` if it is a struct in
/// one. An anonymous union around a single plain field is that field alone.
fn expected_fields(expected: &Value) -> Vec<(String, &Value)> {
    let rows = expected["fields"].as_array().unwrap();
    let mut fields = Vec::new();
    let mut prefix = "";
    let mut ends = 0;
    for (index, row) in rows.iter().enumerate() {
        let name = text(&row["name"]);
        let offset = number(&row["offset"]);
        let end = offset + number(&row["size"]);
        if offset >= ends {
            prefix = "";
        }
        if !name.starts_with('<') {
            let path: Vec<String> = name.split('.').map(rust_name).collect();
            fields.push((format!("{prefix}{}", path.join(".")), row));
            continue;
        }
        if text(&row["type"]) == "(anonymous struct)" {
            fields.push(("anonymous.fields".to_owned(), row));
            prefix = "anonymous.fields.";
            continue;
        }
        let inside = |row: &&Value| number(&row["offset"]) < end;
        let members: Vec<&Value> = rows[index + 1..].iter().take_while(inside).collect();
        if let [only] = members.as_slice() {
            assert_eq!(
                (&only["offset"], &only["size"]),
                (&row["offset"], &row["size"])
            );
            continue;
        }
        fields.push(("anonymous".to_owned(), row));
        prefix = "anonymous.";
        ends = end;
    }
    fields
}

fn rust_name(c: &str) -> String {
    if c == "type" {
        "type_".to_owned()
    } else {
        c.to_owned()
    }
}

/// The layout of one of the crate's structs.
pub(crate) fn layout(name: &str) -> &'static StructLayout {
    let mut layouts = STRUCTS.iter().filter(|layout| layout.name == name);
    let layout = layouts
        .next()
        .unwrap_or_else(|| panic!("{name} is missing"));
    assert!(layouts.next().is_none(), "{name} is listed twice");
    layout
}

fn measure<T>() -> (usize, usize) {
    (size_of::<T>(), align_of::<T>())
}

fn expected_measure(expected: &Value) -> (usize, usize) {
    (number(&expected["size"]), number(&expected["align"]))
}

/// The value of a Rust integer literal.
fn literal(text: &str) -> u64 {
    let digits = text.replace('_', "");
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
        None => digits.parse().unwrap(),
    }
}
