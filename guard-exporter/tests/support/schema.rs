//! As much of JSON Schema as the API's description uses. A word it does not know fails the test.

use serde_json::Value;

/// Asserts that `value` conforms to `schema`; `document` holds what it refers to.
pub fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    let schema = resolve(document, schema);
    let words = schema.as_object().expect("a schema is an object");
    for (word, constraint) in words {
        match word.as_str() {
            "type" => {
                let types = match constraint {
                    Value::Array(types) => types.iter().collect(),
                    one => vec![one],
                };
                let fits = types.iter().any(|name| is(value, name.as_str().unwrap()));
                assert!(fits, "{place} is {value}, not {constraint}");
            }
            "enum" => assert!(
                constraint.as_array().unwrap().contains(value),
                "{place}: {value}"
            ),
            "required" => {
                for name in constraint.as_array().unwrap() {
                    let name = name.as_str().unwrap();
                    assert!(value.get(name).is_some(), "{place} has no {name}: {value}");
                }
            }
            "properties" => {
                for (name, schema) in constraint.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(document, schema, value, &format!("{place}.{name}"));
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(constraint, false);
                for name in value.as_object().unwrap().keys() {
                    let is_known = schema["properties"].get(name).is_some();
                    assert!(is_known, "{place}.{name} is not described");
                }
            }
            "items" => {
                for (index, value) in value.as_array().unwrap().iter().enumerate() {
                    check(document, constraint, value, &format!("{place}[{index}]"));
                }
            }
            "description" => {}
            other => panic!("{place}: the test does not know {other}"),
        }
    }
}

/// What a `$ref` leads to; anything else is itself.
pub fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').expect("within the document");
            document
                .pointer(pointer)
                .unwrap_or_else(|| panic!("no {reference}"))
        }
        None => schema,
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no type {other}"),
    }
}
