//! What the headers say: `es-layout.json`, and how C's types are written in Rust.

use serde_json::Value;

/// A part of `es-layout.json`.
pub(crate) fn headers(part: &str) -> Value {
    parsed(include_str!("es-layout.json"))[part].take()
}

/// A whole JSON text.
pub(crate) fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A number of things that the headers declare.
pub(crate) fn count(of: &str) -> usize {
    usize::try_from(headers("counts")[of].as_u64().unwrap()).unwrap()
}

/// A number of the JSON.
pub(crate) fn number(value: &Value) -> usize {
    let number = value.as_u64();
    let number = number.unwrap_or_else(|| panic!("{value} is no number"));
    usize::try_from(number).unwrap()
}

/// A text of the JSON.
pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

/// A release such as `10.15.4`.
pub(crate) fn version(value: &Value) -> endpoint_sec_sys::OsVersion {
    endpoint_sec_sys::OsVersion::parse(text(value)).unwrap()
}

/// How Rust names a C type, with this crate's aliases resolved as `core::any::type_name` does.
pub(crate) fn rust_type(c: &str) -> String {
    let c = c.trim();
    if let Some((element, length)) = c.strip_suffix(']').and_then(|array| array.split_once('[')) {
        let length = if length.is_empty() { "0" } else { length };
        return format!("[{}; {length}]", rust_type(element));
    }
    if let Some(pointee) = c.strip_suffix('*') {
        let pointee = pointee.trim();
        return match pointee.strip_prefix("const ") {
            Some(pointee) => format!("*const {}", rust_type(pointee)),
            None => format!("*mut {}", rust_type(pointee)),
        };
    }
    let rust = match c.strip_prefix("struct ").unwrap_or(c) {
        "_Bool" | "bool" => "bool",
        "char" => std::any::type_name::<std::ffi::c_char>(),
        "uint8_t" => "u8",
        "u_short" | "u_int16_t" | "mode_t" | "nlink_t" => "u16",
        "int"
        | "int32_t"
        | "__int32_t"
        | "pid_t"
        | "dev_t"
        | "cpu_type_t"
        | "cpu_subtype_t"
        | "blksize_t"
        | "__darwin_suseconds_t" => "i32",
        "unsigned int"
        | "uint32_t"
        | "__uint32_t"
        | "uid_t"
        | "gid_t"
        | "attrgroup_t"
        | "es_graphical_session_id_t" => "u32",
        "long" | "__int64_t" | "off_t" | "blkcnt_t" | "__darwin_time_t" => "i64",
        "uint64_t" | "user_addr_t" | "user_size_t" | "__darwin_ino64_t" => "u64",
        "size_t" => "usize",
        "acl_t" => "*mut c_void",
        "uuid_t" => "[u8; 16]",
        "es_cdhash_t" => "[u8; 20]",
        "es_sha256_t" => "[u8; 32]",
        other => other,
    };
    rust.to_owned()
}

/// A Rust type's name without the modules before it.
pub(crate) fn without_modules(name: &str) -> String {
    let mut short = String::new();
    let mut word = String::new();
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if letters.peek() == Some(&':') => {
                letters.next();
                word.clear();
            }
            letter if letter.is_alphanumeric() || letter == '_' => word.push(letter),
            letter => {
                short.push_str(&word);
                word.clear();
                short.push(letter);
            }
        }
    }
    short + &word
}
