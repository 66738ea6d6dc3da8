//! Recordings of `eslogger(1)`: [`Scenario::from_eslogger`].
//!
//! A line is modelled after `es_message_t`: `process` is the actor, and `event` has one member,
//! called like that of `es_events_t`, whose fields are called like the C fields. `eslogger` records
//! NOTIFY events only.

use endpoint_sec_sys::audit_token_t;
use serde_json::Value;

use crate::file::{File, FileType};
use crate::process::{Facts, execution, word};
use crate::scenario::steps::{Image, Name, Operation, ProcessSpec, Scenario, Step};
use crate::scenario::value::{Node, ReadScenarioError};

pub(super) fn read(lines: &str) -> Result<Scenario, ReadScenarioError> {
    let mut scenario = Scenario::default();
    for (number, line) in (1..).zip(lines.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("line {number}");
        let place = place.as_str();
        let value: Value = serde_json::from_str(line).map_err(|source| {
            let place = place.to_owned();
            ReadScenarioError::Syntax { place, source }
        })?;
        let node = Node {
            value: &value,
            place,
        };
        read_line(node, &mut scenario)?;
    }
    Ok(scenario)
}

fn read_line(node: Node<'_>, scenario: &mut Scenario) -> Result<(), ReadScenarioError> {
    let events = node.need("event")?.value.as_object();
    let kind = events.and_then(|events| events.keys().next());
    let kind = kind.ok_or_else(|| node.missing("event", "an object with one member"))?;
    let event = node.need("event")?.need(kind)?;
    let Some(operation) = operation(kind, event)? else {
        *scenario.skipped.entry(kind.clone()).or_default() += 1;
        return Ok(());
    };
    let facts = facts(node.need("process")?)?;
    let actor = Name::Recorded(execution(&facts.token));
    scenario.steps.push(Step {
        actor: actor.clone(),
        known_as: Some(ProcessSpec {
            name: actor,
            parent: None,
            facts,
        }),
        operation,
        expect: None,
    });
    Ok(())
}

/// The operation of an event; nothing for types that cannot be replayed.
fn operation(kind: &str, event: Node<'_>) -> Result<Option<Operation>, ReadScenarioError> {
    Ok(Some(match kind {
        "unlink" => Operation::Unlink(file(event, "target")?),
        "truncate" => Operation::Truncate(file(event, "target")?),
        "write" => Operation::Write(file(event, "target")?),
        "open" => Operation::Open {
            file: file(event, "file")?,
            fflag: event.number("fflag").unwrap_or(1),
        },
        "close" => Operation::Close {
            file: file(event, "target")?,
            modified: event.flag("modified").unwrap_or(false),
        },
        "create" => {
            let (path, existing) = destination(event)?;
            let (mode, file_type) = match existing {
                Some(file) => (file.mode, file.file_type()),
                None => {
                    let mode = event.number("destination.new_path.mode");
                    (mode.unwrap_or(0o644), None)
                }
            };
            Operation::Create {
                path,
                mode: mode & 0o7777,
                file_type: file_type.unwrap_or(FileType::Regular),
            }
        }
        "rename" => {
            let (to, existing) = destination(event)?;
            Operation::Rename {
                from: file(event, "source")?,
                to,
                replaces: existing.is_some(),
            }
        }
        "link" => Operation::Link {
            from: file(event, "source")?,
            to: joined(event, "target_dir", "target_filename")?,
        },
        "clone" => Operation::Clone {
            from: file(event, "source")?,
            to: joined(event, "target_dir", "target_name")?,
        },
        "copyfile" => Operation::Copyfile {
            from: file(event, "source")?,
            to: joined(event, "target_dir", "target_name")?,
        },
        "exchangedata" => Operation::Exchangedata(file(event, "file1")?, file(event, "file2")?),
        "fork" => {
            let facts = facts(event.need("child")?)?;
            Operation::Fork {
                child: Name::Recorded(execution(&facts.token)),
                facts: Some(facts),
            }
        }
        "exec" => exec(event)?,
        "exit" => Operation::Exit(event.number("stat").unwrap_or(0)),
        _ => return Ok(None),
    }))
}

fn exec(event: Node<'_>) -> Result<Operation, ReadScenarioError> {
    let mut facts = facts(event.need("target")?)?;
    if let Some(cwd) = event.some_text("cwd.path") {
        facts.cwd = File::directory(cwd);
    }
    let target = Name::Recorded(execution(&facts.token));
    Ok(Operation::Exec {
        image: Image {
            path: facts.executable.path().to_vec(),
            args: event.texts("args"),
            env: event.texts("env"),
            script: event.some_text("script.path"),
            facts: Some(facts),
        },
        target,
    })
}

/// Where a file goes: to a path, and maybe over a file that is there.
fn destination(event: Node<'_>) -> Result<(Vec<u8>, Option<File>), ReadScenarioError> {
    if event.find("destination.existing_file").is_some() {
        let existing = file(event, "destination.existing_file")?;
        return Ok((existing.path().to_vec(), Some(existing)));
    }
    let path = joined(
        event,
        "destination.new_path.dir",
        "destination.new_path.filename",
    )?;
    Ok((path, None))
}

/// A directory and a name in it as one path.
fn joined(event: Node<'_>, directory: &str, name: &str) -> Result<Vec<u8>, ReadScenarioError> {
    let mut path = event.text(&format!("{directory}.path"))?;
    if path.last() != Some(&b'/') {
        path.push(b'/');
    }
    path.extend(event.text(name)?);
    Ok(path)
}

fn file(event: Node<'_>, field: &str) -> Result<File, ReadScenarioError> {
    let node = event.need(field)?;
    let mut file = File::regular(node.text("path")?);
    file.path_truncated = node.flag("path_truncated").unwrap_or(false);
    let stat = |name: &str| format!("stat.{name}");
    file.inode = node.number(&stat("st_ino")).unwrap_or(file.inode);
    file.mode = node.number(&stat("st_mode")).unwrap_or(file.mode);
    file.uid = node.number(&stat("st_uid")).unwrap_or(file.uid);
    file.gid = node.number(&stat("st_gid")).unwrap_or(file.gid);
    file.size = node.number(&stat("st_size")).unwrap_or(file.size);
    file.device = node.number(&stat("st_dev")).unwrap_or(file.device);
    file.links = node.number(&stat("st_nlink")).unwrap_or(file.links);
    Ok(file)
}

fn facts(node: Node<'_>) -> Result<Facts, ReadScenarioError> {
    let mut facts = Facts::of(file(node, "executable")?);
    let token = token(node, "audit_token");
    facts.token = token.ok_or_else(|| node.missing("audit_token", "an object with `pid`"))?;
    facts.responsible = self::token(node, "responsible_audit_token").unwrap_or(facts.token);
    facts.ppid = node.number("ppid").unwrap_or(1);
    facts.original_ppid = node.number("original_ppid").unwrap_or(facts.ppid);
    facts.parent = self::token(node, "parent_audit_token").unwrap_or_else(|| {
        let mut parent = audit_token_t { val: [0; 8] };
        parent.val[word::PID] = facts.ppid.cast_unsigned();
        parent
    });
    facts.group = node.number("group_id").unwrap_or(0);
    facts.session = node.number("session_id").unwrap_or(0);
    let flags = node.number("codesigning_flags");
    facts.codesigning_flags = flags.unwrap_or(facts.codesigning_flags);
    facts.platform_binary = node.flag("is_platform_binary").unwrap_or(false);
    facts.es_client = node.flag("is_es_client").unwrap_or(false);
    facts.signing_id = node.some_text("signing_id");
    facts.team_id = node.some_text("team_id").filter(|team| !team.is_empty());
    facts.tty = node.find("tty").map(|_| file(node, "tty")).transpose()?;
    Ok(facts)
}

fn token(node: Node<'_>, field: &str) -> Option<audit_token_t> {
    let token = node.find(field)?;
    let mut words = [0; 8];
    words[word::PID] = token.number("pid")?;
    let others = [
        (word::AUID, "auid"),
        (word::EUID, "euid"),
        (word::EGID, "egid"),
        (word::RUID, "ruid"),
        (word::RGID, "rgid"),
        (word::ASID, "asid"),
        (word::PIDVERSION, "pidversion"),
    ];
    for (word, name) in others {
        words[word] = token.number(name).unwrap_or(0);
    }
    Some(audit_token_t { val: words })
}
