//! The tools, as they are described to a client.

use super::answers::{self, Refused};
use guard_core::policy::POLICY_OPERATIONS;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a tool does with its arguments.
pub(super) type Answer = fn(&JsonObject) -> Result<Value, Refused>;

/// Every tool.
pub(super) fn all() -> Vec<Tool> {
    vec![
        tool(
            LIST_DENIALS,
            "List denials",
            "Lists what the file guard denied in this session, the newest first: which path, by which \
             rule, how often, and what can be done instead.",
            json!({
                "type": "object",
                "properties": {
                    "limit": {
                        "type": "integer", "minimum": 1, "maximum": answers::MAX_DENIALS,
                        "description": "How many at most; 10 if absent."
                    }
                },
                "additionalProperties": false
            }),
            json!({
                "type": "object",
                "properties": {
                    "in_session": { "type": "boolean" },
                    "denials": { "type": "array", "items": { "type": "object" } }
                },
                "required": ["in_session", "denials"]
            }),
            ToolAnnotations::new().read_only(true).open_world(false),
        ),
        tool(
            EXPLAIN_PATH,
            "Explain a path",
            "Explains whether an agent may remove, move or change a path, which rule decides it, and \
             whether an override was requested for it. Changes nothing.",
            json!({
                "type": "object",
                "properties": { "path": path(), "operation": operation() },
                "required": ["path"],
                "additionalProperties": false
            }),
            json!({
                "type": "object",
                "properties": {
                    "path": { "type": "string" },
                    "operation": { "type": "string" },
                    "verdict": { "type": "string" },
                    "reason": { "type": "string" },
                    "requests": { "type": "array", "items": { "type": "object" } }
                },
                "required": ["path", "operation", "verdict", "reason", "requests"]
            }),
            ToolAnnotations::new().read_only(true).open_world(false),
        ),
        tool(
            REQUEST_OVERRIDE,
            "Ask the person to open a path",
            "Asks the person at this machine to let this agent remove or move one path for a time. It \
             only asks: nothing is opened until the person answers, and a rejection is final. The same \
             path asked for again is the same request. Zones as a whole and home directories are never \
             opened.",
            json!({
                "type": "object",
                "properties": {
                    "path": path(),
                    "operation": operation(),
                    "reason": {
                        "type": "string", "maxLength": 900,
                        "description": "Why it is needed, for the person who decides."
                    },
                    "minutes": {
                        "type": "integer", "minimum": 1, "maximum": 1440,
                        "description": "For how long it is needed; the person decides."
                    }
                },
                "required": ["path"],
                "additionalProperties": false
            }),
            request_schema(),
            ToolAnnotations::new()
                .read_only(false)
                .destructive(false)
                .idempotent(true)
                .open_world(false),
        ),
        tool(
            OVERRIDE_STATUS,
            "What became of requests",
            "Shows what became of this session's requests: open, granted, rejected or ended.",
            json!({
                "type": "object",
                "properties": {
                    "id": { "type": "string", "description": "The request's id; all if absent." }
                },
                "additionalProperties": false
            }),
            json!({
                "type": "object",
                "properties": { "requests": { "type": "array", "items": request_schema() } },
                "required": ["requests"]
            }),
            ToolAnnotations::new().read_only(true).open_world(false),
        ),
    ]
}

/// What the tool of this name does.
pub(super) fn answer_of(name: &str) -> Option<Answer> {
    Some(match name {
        LIST_DENIALS => answers::list_denials,
        EXPLAIN_PATH => answers::explain_path,
        REQUEST_OVERRIDE => answers::request_override,
        OVERRIDE_STATUS => answers::override_status,
        _ => return None,
    })
}

fn tool(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    input: Value,
    output: Value,
    annotations: ToolAnnotations,
) -> Tool {
    let object = |schema| match schema {
        Value::Object(fields) => Arc::new(fields),
        _ => Arc::default(),
    };
    Tool::new(name, description, object(input))
        .with_title(title)
        .with_raw_output_schema(object(output))
        .with_annotations(annotations)
}

fn path() -> Value {
    json!({ "type": "string", "description": "The path; relative to the working directory, or absolute." })
}

fn operation() -> Value {
    let names: Vec<&str> = POLICY_OPERATIONS.iter().map(|kind| kind.as_str()).collect();
    json!({ "type": "string", "enum": names, "description": "The operation: unlink removes, rename moves." })
}

fn request_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "state": { "type": "string" },
            "path": { "type": "string" },
            "next": { "type": "string" }
        },
        "required": ["id", "state", "path", "next"]
    })
}

const LIST_DENIALS: &str = "list_denials";
const EXPLAIN_PATH: &str = "explain_path";
const REQUEST_OVERRIDE: &str = "request_security_override";
const OVERRIDE_STATUS: &str = "override_status";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_answered_described_and_closed() {
        for tool in all() {
            assert!(answer_of(&tool.name).is_some(), "{}", tool.name);
            assert!(tool.annotations.is_some() && tool.output_schema.is_some());
            assert_eq!(
                tool.input_schema["additionalProperties"], false,
                "{}",
                tool.name
            );
            let annotations = tool.annotations.unwrap();
            assert!(
                annotations.read_only_hint == Some(true)
                    || annotations.destructive_hint == Some(false),
                "{}",
                tool.name
            );
        }
        assert!(answer_of("approve").is_none());
    }
}
