//! Functions: their signatures, since when they are there, and how they are reached.

use crate::json::{count, headers, rust_type, text, version};
use endpoint_sec_sys::{FunctionInfo, OsVersion, functions};
use serde_json::Value;

#[test]
fn every_function_has_the_headers_signature() {
    let expected = headers("functions");
    let expected = expected.as_array().unwrap();
    let mut parameters = 0;
    for row in expected {
        parameters += check(row);
    }
    let ours = functions().count();
    assert_eq!(
        (expected.len(), ours, count("public_functions")),
        (48, 48, 48)
    );
    assert_eq!(parameters, 106);
}

#[test]
fn functions_newer_than_macos_11_are_never_linked() {
    let linked: Vec<_> = functions().filter(|function| function.linked).collect();
    assert_eq!(linked.len(), 26);
    assert!(
        linked
            .iter()
            .all(|function| function.introduced <= OsVersion::OLDEST)
    );
    let looked_up: Vec<_> = functions().filter(|function| !function.linked).collect();
    assert_eq!(looked_up.len(), 22);
    assert!(
        looked_up
            .iter()
            .all(|function| function.introduced > OsVersion::OLDEST)
    );
}

#[test]
fn private_functions_are_left_out() {
    let private = headers("spi_symbols");
    let private = private.as_array().unwrap();
    assert_eq!(private.len(), count("spi_symbols"));
    for name in private {
        assert!(
            functions().all(|function| function.name != text(name)),
            "{name}"
        );
    }
}

/// Compares one function; returns how many parameters it has.
fn check(expected: &Value) -> usize {
    let name = text(&expected["name"]);
    let ours: Vec<&FunctionInfo> = functions().filter(|ours| ours.name == name).collect();
    let [ours] = ours.as_slice() else {
        panic!("{name} is listed {} times", ours.len());
    };
    assert_eq!(
        ours.introduced,
        version(&expected["introduced_macos"]),
        "{name}"
    );
    let deprecated = &expected["deprecated_macos"];
    let deprecated = (!deprecated.is_null()).then(|| version(deprecated));
    assert_eq!(ours.deprecated, deprecated, "{name}");
    let parameters: Vec<String> = expected["params"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| passed(text(parameter).split_once(": ").unwrap().1))
        .collect();
    assert_eq!(ours.parameters, parameters, "{name}");
    let returns = match text(&expected["returns"]) {
        "void" => String::new(),
        words => passed(words),
    };
    assert_eq!(ours.returns, returns, "{name}");
    parameters.len()
}

/// How Rust writes a type that the JSON describes in words.
fn passed(words: &str) -> String {
    let known = [
        ("non-null pointer to opaque es_client_t", "*mut es_client_t"),
        (
            "non-null out pointer to es_client_t pointer",
            "*mut *mut es_client_t",
        ),
        (
            "non-null pointer to const array of es_event_type_t",
            "*const es_event_type_t",
        ),
        (
            "non-null NUL-terminated const char pointer",
            "*const c_char",
        ),
        (
            "non-null block (es_client_t*, const es_message_t*) returning void",
            "es_handler_block_t",
        ),
        (
            "non-null block taking no arguments returning void",
            "es_sync_block_t",
        ),
        (
            "nullable retained xpc_object_t (dictionary)",
            "xpc_object_t",
        ),
        ("es_string_token_t by value", "es_string_token_t"),
    ];
    if let Some((_, rust)) = known.iter().find(|(known, _)| *known == words) {
        return (*rust).to_owned();
    }
    let words = words
        .trim_start_matches("non-null ")
        .trim_start_matches("nullable ");
    if let Some(pointee) = words.strip_prefix("out pointer to ") {
        return match pointee.strip_suffix(" pointer") {
            Some(pointee) => format!("*mut *mut {}", rust_type(pointee)),
            None => format!("*mut {}", rust_type(pointee)),
        };
    }
    if let Some(pointee) = words.strip_prefix("pointer to const ") {
        return format!("*const {}", rust_type(pointee));
    }
    if let Some(pointee) = words.strip_prefix("pointer to ") {
        return format!("*mut {}", rust_type(pointee));
    }
    assert!(!words.contains(' '), "`{words}` is not understood");
    rust_type(words)
}
