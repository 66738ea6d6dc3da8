//! Which functions of the library this crate calls, by its source.

#![allow(clippy::tests_outside_test_module, reason = "a test binary")]

use endpoint_sec_sys::functions;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_function_is_called_but_those_that_macos_11_replaced() {
    let mut source = String::new();
    read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut source,
    );
    let words: BTreeSet<&str> = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .collect();
    let names: Vec<&str> = functions().map(|function| function.name).collect();
    let (called, others): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| words.contains(**name));
    assert_eq!(
        others,
        ["es_message_size", "es_copy_message", "es_free_message"]
    );
    assert_eq!(called.len(), 45);
}

/// Adds the text of every file below a directory.
fn read(directory: &Path, source: &mut String) {
    for entry in fs::read_dir(directory).expect("the source is there") {
        let path = entry.expect("its names can be read").path();
        if path.is_dir() {
            read(&path, source);
        } else {
            *source += &fs::read_to_string(&path).expect("a file of Rust is a text");
        }
    }
}
