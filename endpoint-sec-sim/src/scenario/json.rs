//! Scenarios written by hand: [`Scenario::from_json`].

use std::time::Duration;

use serde_json::Value;

use crate::file::{File, FileType};
use crate::process::{Facts, word};
use crate::scenario::steps::{Image, Name, Operation, ProcessSpec, Scenario, Step};
use crate::scenario::value::{Node, ReadScenarioError};

pub(super) fn read(text: &str) -> Result<Scenario, ReadScenarioError> {
    let root: Value = serde_json::from_str(text).map_err(|source| ReadScenarioError::Syntax {
        place: "the scenario".to_owned(),
        source,
    })?;
    Ok(Scenario {
        files: each(&root, "files", file)?,
        processes: each(&root, "processes", process)?,
        steps: each(&root, "steps", step)?,
        ..Scenario::default()
    })
}

/// Reads every item of an array of the scenario.
fn each<T>(
    root: &Value,
    field: &str,
    read: impl Fn(Node<'_>) -> Result<T, ReadScenarioError>,
) -> Result<Vec<T>, ReadScenarioError> {
    let items = root.get(field).and_then(Value::as_array);
    let items = items.map(Vec::as_slice).unwrap_or_default();
    let numbered = items.iter().enumerate();
    numbered
        .map(|(number, value)| {
            let place = format!("{field}[{number}]");
            let place = place.as_str();
            read(Node { value, place })
        })
        .collect()
}

fn file(node: Node<'_>) -> Result<File, ReadScenarioError> {
    if let Some(path) = node.value.as_str() {
        return Ok(File::regular(path));
    }
    let path = node.text("path")?;
    let file = File::of_type(file_type(node)?, path).size(node.number("size").unwrap_or(0));
    Ok(file.owned_by(
        node.number("uid").unwrap_or(0),
        node.number("gid").unwrap_or(0),
    ))
}

fn file_type(node: Node<'_>) -> Result<FileType, ReadScenarioError> {
    let Some(text) = node.some_text("type") else {
        return Ok(FileType::Regular);
    };
    let known = FILE_TYPES.iter().find(|(name, _)| name.as_bytes() == text);
    let known = known.map(|(_, file_type)| *file_type);
    known.ok_or_else(|| node.missing("type", "a type of file"))
}

fn process(node: Node<'_>) -> Result<ProcessSpec, ReadScenarioError> {
    let mut facts = Facts::of(File::regular(node.text("path")?));
    if let Some(uid) = node.number::<u32>("user") {
        let gid = if uid == 0 { 0 } else { 20 };
        let words = &mut facts.token.val;
        (words[word::AUID], words[word::EUID], words[word::RUID]) = (uid, uid, uid);
        (words[word::EGID], words[word::RGID]) = (gid, gid);
    }
    if let Some(pid) = node.number::<u32>("pid") {
        facts.token.val[word::PID] = pid;
    }
    if let Some(cwd) = node.some_text("cwd") {
        facts.cwd = File::directory(cwd);
    }
    if let Some(args) = node.texts("args") {
        facts.args = args;
    }
    facts.env = node.texts("env").unwrap_or_default();
    if let Some(signing_id) = node.some_text("signing_id") {
        facts.signing_id = Some(signing_id);
        facts.team_id = node.some_text("team_id");
        facts.platform_binary = facts.team_id.is_none();
    }
    Ok(ProcessSpec {
        name: Name::Given(name(node, "name")?),
        parent: node
            .find("parent")
            .map(|_| name(node, "parent"))
            .transpose()?
            .map(Name::Given),
        facts,
    })
}

fn step(node: Node<'_>) -> Result<Step, ReadScenarioError> {
    let expect = match node.find("expect").map(|node| node.value.as_str()) {
        None => None,
        Some(Some("allow")) => Some(true),
        Some(Some("deny")) => Some(false),
        Some(_) => return Err(node.missing("expect", "\"allow\" or \"deny\"")),
    };
    if let Some(millis) = node.number::<u64>("wait_ms") {
        return Ok(Step {
            actor: Name::Given(String::new()),
            known_as: None,
            operation: Operation::Wait(Duration::from_millis(millis)),
            expect,
        });
    }
    for kind in OPERATIONS {
        if node.find(kind).is_some() {
            let actor = Name::Given(name(node, kind)?);
            let operation = operation(node, kind, &actor)?;
            return Ok(Step {
                actor,
                known_as: None,
                operation,
                expect,
            });
        }
    }
    Err(ReadScenarioError::Operation {
        place: node.place.to_owned(),
        text: node.value.to_string(),
    })
}

fn operation(node: Node<'_>, kind: &str, actor: &Name) -> Result<Operation, ReadScenarioError> {
    let file = |field| Ok::<_, ReadScenarioError>(File::regular(node.text(field)?));
    Ok(match kind {
        "unlink" => Operation::Unlink(file("path")?),
        "truncate" => Operation::Truncate(file("path")?),
        "write" => Operation::Write(file("path")?),
        "open" => Operation::Open {
            file: file("path")?,
            fflag: flags(node)?,
        },
        "create" => Operation::Create {
            path: node.text("path")?,
            mode: node.number("mode").unwrap_or(0o644),
            file_type: file_type(node)?,
        },
        "close" => Operation::Close {
            file: file("path")?,
            modified: node.flag("modified").unwrap_or(false),
        },
        "rename" => Operation::Rename {
            from: file("from")?,
            to: node.text("to")?,
            replaces: false,
        },
        "link" => Operation::Link {
            from: file("from")?,
            to: node.text("to")?,
        },
        "clone" => Operation::Clone {
            from: file("from")?,
            to: node.text("to")?,
        },
        "copyfile" => Operation::Copyfile {
            from: file("from")?,
            to: node.text("to")?,
        },
        "exchangedata" => Operation::Exchangedata(file("from")?, file("to")?),
        "fork" => Operation::Fork {
            child: Name::Given(name(node, "as")?),
            facts: None,
        },
        "exec" => Operation::Exec {
            image: Image {
                path: node.text("path")?,
                args: node.texts("args"),
                env: node.texts("env"),
                script: node.some_text("script"),
                facts: None,
            },
            target: actor.clone(),
        },
        _ => Operation::Exit(node.number("status").unwrap_or(0)),
    })
}

fn flags(node: Node<'_>) -> Result<u32, ReadScenarioError> {
    if let Some(number) = node.number("flags") {
        return Ok(number);
    }
    let wrong = || node.missing("flags", "an array of \"read\" and \"write\", or a number");
    let mut flags = 0;
    for flag in node.texts("flags").ok_or_else(wrong)? {
        flags |= match flag.as_slice() {
            b"read" => 1,
            b"write" => 2,
            _ => return Err(wrong()),
        };
    }
    Ok(flags)
}

fn name(node: Node<'_>, field: &str) -> Result<String, ReadScenarioError> {
    let name = node.find(field).and_then(|node| node.value.as_str());
    let name = name.ok_or_else(|| node.missing(field, "the name of a process"))?;
    Ok(name.to_owned())
}

const FILE_TYPES: [(&str, FileType); 5] = [
    ("file", FileType::Regular),
    ("directory", FileType::Directory),
    ("symbolic_link", FileType::SymbolicLink),
    ("fifo", FileType::Fifo),
    ("socket", FileType::Socket),
];

const OPERATIONS: [&str; 14] = [
    "unlink",
    "truncate",
    "write",
    "open",
    "create",
    "close",
    "rename",
    "link",
    "clone",
    "copyfile",
    "exchangedata",
    "fork",
    "exec",
    "exit",
];
