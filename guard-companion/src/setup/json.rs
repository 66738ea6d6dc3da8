//! Changes of a JSON file with comments, which leave the rest of it byte for byte.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::Value;

/// One thing that is the set-up's own in a file.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// The member of this name, below these objects.
    Member {
        /// The objects' names, the outermost first.
        below: &'static [&'static str],
        /// Its name.
        name: &'static str,
        /// Its value.
        value: Value,
    },
    /// An element of an array, recognised by a text that no other has.
    Element {
        /// The names of the objects and last of the array.
        below: &'static [&'static str],
        /// What identifies it.
        mark: String,
        /// Its value.
        value: Value,
    },
    /// A member that the file needs if it is new; it stays when the rest goes.
    Default {
        /// Its name, at the top.
        name: &'static str,
        /// Its value.
        value: Value,
    },
}

/// Why a file cannot be changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum EditJsonError {
    /// It is no JSON, also with comments.
    #[error("it is not JSON: {0}")]
    Malformed(String),
    /// Something else is where an object or an array should be.
    #[error("`{0}` in it is not what this agent has there")]
    Shape(String),
}

/// The text with these entries in it.
pub(super) fn with(text: &str, entries: &[Entry]) -> Result<String, EditJsonError> {
    let root = parse(text)?;
    let top = top(&root)?;
    for entry in entries {
        match entry {
            Entry::Member { below, name, value } => {
                let object = object_below(&top, below)?;
                match object.get(name) {
                    None => drop(object.append(name, input(value))),
                    Some(found) if is_same(&found.to_string(), name, value) => {}
                    Some(found) => found.set_value(input(value)),
                }
            }
            Entry::Element { below, mark, value } => {
                let (last, objects) = below.split_last().ok_or_else(|| shape(""))?;
                let object = object_below(&top, objects)?;
                let array = object
                    .array_value_or_create(last)
                    .ok_or_else(|| shape(last))?;
                let mut own = array
                    .elements()
                    .into_iter()
                    .filter(|element| element.to_string().contains(mark.as_str()));
                match own.next() {
                    None => drop(array.append(input(value))),
                    Some(found) if squeezed(&found.to_string()) == squeezed(&value.to_string()) => {
                    }
                    Some(found) => {
                        let index = found.element_index().unwrap_or_default();
                        found.remove();
                        array.insert(index, input(value));
                    }
                }
            }
            Entry::Default { name, value } => {
                if top.get(name).is_none() {
                    top.insert(0, name, input(value));
                }
            }
        }
    }
    Ok(root.to_string())
}

/// The text without these entries; what they were in goes if nothing else is in it.
pub(super) fn without(text: &str, entries: &[Entry]) -> Result<String, EditJsonError> {
    let root = parse(text)?;
    let Some(top) = root.object_value() else {
        return Ok(text.to_owned());
    };
    for entry in entries {
        match entry {
            Entry::Member { below, name, .. } => {
                let mut objects = vec![top.clone()];
                if !below.iter().all(|name| descend(&mut objects, name)) {
                    continue;
                }
                if let Some(found) = objects.last().and_then(|object| object.get(name)) {
                    found.remove();
                    remove_empty(&objects, below);
                }
            }
            Entry::Element { below, mark, .. } => {
                let Some((last, names)) = below.split_last() else {
                    continue;
                };
                let mut objects = vec![top.clone()];
                if !names.iter().all(|name| descend(&mut objects, name)) {
                    continue;
                }
                let Some(array) = objects.last().and_then(|object| object.array_value(last)) else {
                    continue;
                };
                let own = array.elements().into_iter();
                let own: Vec<_> = own
                    .filter(|element| element.to_string().contains(mark.as_str()))
                    .collect();
                if own.is_empty() {
                    continue;
                }
                own.into_iter().for_each(|element| element.remove());
                if array.elements().is_empty() {
                    if let Some(member) = objects.last().and_then(|object| object.get(last)) {
                        member.remove();
                    }
                    remove_empty(&objects, names);
                }
            }
            Entry::Default { .. } => {}
        }
    }
    Ok(root.to_string())
}

fn parse(text: &str) -> Result<CstRootNode, EditJsonError> {
    CstRootNode::parse(text, &ParseOptions::default())
        .map_err(|error| EditJsonError::Malformed(error.to_string()))
}

/// The file's object; an empty file gets one.
fn top(root: &CstRootNode) -> Result<CstObject, EditJsonError> {
    root.object_value_or_create().ok_or_else(|| shape(""))
}

fn object_below(top: &CstObject, names: &[&str]) -> Result<CstObject, EditJsonError> {
    let mut object = top.clone();
    for name in names {
        let below = object.object_value_or_create(name);
        object = below.ok_or_else(|| shape(name))?;
    }
    Ok(object)
}

/// Adds the object of this name in the last one. Returns whether there is one.
fn descend(objects: &mut Vec<CstObject>, name: &str) -> bool {
    let below = objects.last().and_then(|object| object.object_value(name));
    let found = below.is_some();
    objects.extend(below);
    found
}

/// Removes the innermost of these nested objects as far as they are empty. The first is the file's.
fn remove_empty(objects: &[CstObject], names: &[&str]) {
    for (depth, name) in names.iter().enumerate().rev() {
        let (Some(outer), Some(inner)) = (objects.get(depth), objects.get(depth + 1)) else {
            return;
        };
        if !inner.properties().is_empty() {
            return;
        }
        if let Some(member) = outer.get(name) {
            member.remove();
        }
    }
}

fn is_same(member: &str, name: &str, value: &Value) -> bool {
    let wanted = format!("{}:{value}", Value::from(name));
    squeezed(member) == squeezed(&wanted)
}

/// Without spaces, of which values of the set-up's own have no two.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(members) => {
            let members = members.iter();
            CstInputValue::Object(
                members
                    .map(|(name, value)| (name.clone(), input(value)))
                    .collect(),
            )
        }
    }
}

fn shape(name: &str) -> EditJsonError {
    EditJsonError::Shape(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entries() -> Vec<Entry> {
        vec![
            Entry::Element {
                below: &["hooks", "PostToolUse"],
                mark: "codex-es-guard hook".to_owned(),
                value: json!({"matcher": "Bash", "hooks": [
                    {"type": "command", "command": "/opt/codex-es-guard hook claude"}]}),
            },
            Entry::Member {
                below: &["mcpServers"],
                name: "codex-es-guard",
                value: json!({"command": "/opt/codex-es-guard", "args": ["mcp"]}),
            },
        ]
    }

    #[test]
    fn what_was_there_stays_and_comes_back_byte_for_byte() {
        for text in [
            "{}\n",
            "{\n  // mine\n  \"model\": \"opus\", /* of course */\n\n  \"z\": [1,2 , 3],\n}\n",
            "{\"hooks\":{\"PostToolUse\":[{\"matcher\":\"*\",\"hooks\":[]}]},\"mcpServers\":{\"a\":{}}}",
            "{\n\t\"mcpServers\": {\n\t\t\"a\": { \"command\": \"a\" } // first\n\t},\n\t\"hooks\": {\n\t\t\"PostToolUse\": [\n\t\t\t{ \"matcher\": \"Edit\" }\n\t\t]\n\t}\n}\n",
        ] {
            let changed = with(text, &entries()).unwrap();
            assert!(changed.contains("codex-es-guard hook claude"), "{changed}");
            assert_eq!(with(&changed, &entries()).unwrap(), changed, "again");
            for comment in ["// mine", "/* of course */", "[1,2 , 3]", "// first"] {
                assert_eq!(
                    changed.contains(comment),
                    text.contains(comment),
                    "{changed}"
                );
            }
            assert_eq!(
                squeezed(&without(&changed, &entries()).unwrap()),
                squeezed(text)
            );
        }
    }

    #[test]
    fn an_earlier_own_entry_is_replaced() {
        let text = "{\"hooks\": {\"PostToolUse\": [{\"command\": \"/old/codex-es-guard hook claude\"}, 7]}}";
        let changed = with(text, &entries()).unwrap();
        assert!(
            !changed.contains("/old/") && changed.contains('7'),
            "{changed}"
        );
    }

    #[test]
    fn what_is_not_understood_is_not_changed() {
        for text in [
            "[1]",
            "{\"hooks\": 7}",
            "{\"hooks\": {\"PostToolUse\": {}}}",
            "{",
            "a: b",
        ] {
            assert!(with(text, &entries()).is_err(), "{text}");
        }
        assert_eq!(without("[1]", &entries()).unwrap(), "[1]");
    }
}
