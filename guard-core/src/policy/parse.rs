//! From a JSON document to a [`Policy`], field by field.
//!
//! Each object is parsed by one `match` over its fields' names; a list of these names serves the "did
//! you mean" for unknown ones.

use super::document::{Field, Type, Value, error_at, object, unknown, wrong_type};
use super::error::{ParsePolicyError, PolicyProblem, nearest};
use super::model::{
    DenialNotice, DisposableEntry, MAX_COMMAND_BYTES, MAX_NAME_BYTES, MAX_OVERRIDES,
    MAX_PATH_BYTES, MAX_POLICY_BYTES, Mode, OnDeadline, OnUnknown, OperationSet, OverrideApproval,
    OverrideEntry, POLICY_OPERATIONS, Policy, Removals, ToolEntry, ToolIdentity, ZoneEntry,
};
use super::undo;
use crate::glob::Glob;
use crate::operation::OperationKind;
use crate::time;
use std::collections::HashSet;
use std::hash::Hash;

type Parsed<T> = Result<T, ParsePolicyError>;

// === impl Policy ===

impl Policy {
    /// Reads the text of a policy file.
    ///
    /// # Errors
    ///
    /// The first fault, with its line and column.
    pub fn parse(text: &[u8]) -> Result<Self, ParsePolicyError> {
        policy(text)
    }
}

fn policy(text: &[u8]) -> Parsed<Policy> {
    if text.len() > MAX_POLICY_BYTES {
        return Err(error_at(text, 0, PolicyProblem::TooLarge(text.len())));
    }
    let text = str::from_utf8(text)
        .map_err(|error| error_at(text, error.valid_up_to(), PolicyProblem::NotUtf8))?;
    let document = Value::document(text)?;
    let mut policy = Policy::default();
    for Field { key, name, value } in object(document, "the policy")? {
        match name.as_str() {
            "protected_zones" => {
                let entries = entries(value, "protected_zones", zone)?;
                policy.protected_zones = distinct(entries, "protected_zones", |e| e.path.clone())?;
            }
            "temporary_overrides" => {
                let entries = entries(value, "temporary_overrides", override_entry)?;
                if entries.len() > MAX_OVERRIDES {
                    return Err(value.error(PolicyProblem::TooManyOverrides(entries.len())));
                }
                let shown = |e: &OverrideEntry| e.id.clone().unwrap_or_else(|| e.path.clone());
                distinct_by(&entries, "temporary_overrides", Clone::clone, shown)?;
                policy.temporary_overrides = plain(entries);
            }
            "trusted_tools" => {
                let entries = entries(value, "trusted_tools", tool)?;
                distinct_by(&entries, "trusted_tools", Clone::clone, |e| e.name.clone())?;
                policy.trusted_tools = Some(plain(entries));
            }
            "ai_agent_patterns" => {
                let entries = entries(value, "ai_agent_patterns", |value| {
                    text_of(value, "ai_agent_patterns")
                })?;
                policy.ai_agent_patterns = distinct(entries, "ai_agent_patterns", Clone::clone)?;
            }
            "mode" => policy.mode = choice(value, "mode", MODES)?,
            "operations" => {
                let entries = entries(value, "operations", |value| kind(value, "operations"))?;
                let name = |kind: &OperationKind| kind.as_str().to_owned();
                policy.operations = OperationSet::of(&distinct(entries, "operations", name)?);
            }
            "disposable_paths" => {
                let entries = entries(value, "disposable_paths", disposable)?;
                policy.disposable_paths = plain(entries);
            }
            "override_approval" => {
                policy.override_approval = choice(value, "override_approval", APPROVALS)?;
            }
            "on_unknown" => policy.on_unknown = choice(value, "on_unknown", ON_UNKNOWN)?,
            "on_deadline" => policy.on_deadline = choice(value, "on_deadline", ON_DEADLINE)?,
            "removals" => policy.removals = choice(value, "removals", REMOVALS)?,
            "undo" => policy.undo = undo::undo(value)?,
            "notice" => policy.notice = choice(value, "notice", NOTICES)?,
            "notify_command" => policy.notify_command = command(value, "notify_command")?,
            _ => return Err(unknown(key, name, POLICY_FIELDS)),
        }
    }
    Ok(policy)
}

fn zone(value: Value<'_>) -> Parsed<ZoneEntry> {
    if value.kind() == Type::Text {
        return Ok(ZoneEntry {
            path: path(value, "protected_zones")?,
            name: None,
            removals: None,
        });
    }
    let (mut at, mut zone_name, mut removals) = (None, None, None);
    for Field { key, name, value } in object(value, "protected_zones")? {
        match name.as_str() {
            "path" => at = Some(path(value, "path")?),
            "name" => zone_name = Some(text_of(value, "name")?),
            "removals" => removals = Some(choice(value, "removals", REMOVALS)?),
            _ => return Err(unknown(key, name, ZONE_FIELDS)),
        }
    }
    Ok(ZoneEntry {
        path: present(value, at, "path", "protected_zones")?,
        name: zone_name,
        removals,
    })
}

/// A command: a text for the shell, or the program with its arguments.
fn command(value: Value<'_>, field: &'static str) -> Parsed<Vec<String>> {
    if value.kind() == Type::Text {
        let line = text_of_at_most(value, field, MAX_COMMAND_BYTES)?;
        return Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), line]);
    }
    if value.kind() != Type::List {
        return Err(wrong_type(value, field, "a string or a list of strings"));
    }
    let word = |value| text_of_at_most(value, field, MAX_COMMAND_BYTES);
    let words = plain(entries(value, field, word)?);
    if words.is_empty() {
        return Err(value.error(PolicyProblem::Empty(field)));
    }
    Ok(words)
}

fn override_entry(value: Value<'_>) -> Parsed<OverrideEntry> {
    let mut entry = OverrideEntry {
        path: String::new(),
        operations: OperationSet::of(&POLICY_OPERATIONS),
        agent: None,
        session: None,
        expires_at_ns: None,
        granted_by: None,
        id: None,
    };
    if value.kind() == Type::Text {
        entry.path = path(value, "temporary_overrides")?;
        return Ok(entry);
    }
    let mut at = None;
    for Field { key, name, value } in object(value, "temporary_overrides")? {
        match name.as_str() {
            "path" => at = Some(path(value, "path")?),
            "op" => entry.operations = operations(value)?,
            "agent" => entry.agent = Some(text_of(value, "agent")?),
            "session" => entry.session = Some(text_of(value, "session")?),
            "expires_at" => entry.expires_at_ns = Some(expiry(value)?),
            "granted_by" => entry.granted_by = Some(text_of(value, "granted_by")?),
            "id" => entry.id = Some(text_of(value, "id")?),
            _ => return Err(unknown(key, name, OVERRIDE_FIELDS)),
        }
    }
    entry.path = present(value, at, "path", "temporary_overrides")?;
    Ok(entry)
}

fn tool(value: Value<'_>) -> Parsed<ToolEntry> {
    let mut entry = ToolEntry {
        name: String::new(),
        within: None,
        except_args: Vec::new(),
        identity: None,
    };
    if value.kind() == Type::Text {
        entry.name = tool_name(value, "trusted_tools")?;
        return Ok(entry);
    }
    let mut called = None;
    for Field { key, name, value } in object(value, "trusted_tools")? {
        match name.as_str() {
            "name" => called = Some(tool_name(value, "name")?),
            "within" => entry.within = Some(plain(entries(value, "within", pattern)?)),
            "except_args" => {
                entry.except_args = plain(entries(value, "except_args", |value| {
                    text_of(value, "except_args")
                })?);
            }
            "identity" => entry.identity = Some(identity(value)?),
            _ => return Err(unknown(key, name, TOOL_FIELDS)),
        }
    }
    entry.name = present(value, called, "name", "trusted_tools")?;
    Ok(entry)
}

fn identity(value: Value<'_>) -> Parsed<ToolIdentity> {
    let mut identity = ToolIdentity {
        path: None,
        owner: None,
    };
    let fields = object(value, "identity")?;
    if fields.is_empty() {
        return Err(value.error(PolicyProblem::Empty("identity")));
    }
    for Field { key, name, value } in fields {
        match name.as_str() {
            "path" => identity.path = Some(path(value, "path")?),
            "owner" => identity.owner = Some(owner(value)?),
            "signature" => return Err(key.error(PolicyProblem::NotSupported("signature"))),
            _ => return Err(unknown(key, name, IDENTITY_FIELDS)),
        }
    }
    Ok(identity)
}

/// A user id, or `"root"`. Other names would need a look-up.
fn owner(value: Value<'_>) -> Parsed<u32> {
    let wrong = || wrong_type(value, "owner", "a user id or \"root\"");
    match value.kind() {
        Type::Text if value.string()? == "root" => Ok(0),
        Type::Number => value.raw().parse().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// `~` and absolute paths are paths; anything else is a pattern below zones.
fn disposable(value: Value<'_>) -> Parsed<DisposableEntry> {
    let text = text_of_at_most(value, "disposable_paths", MAX_PATH_BYTES)?;
    if text.starts_with('/') || text.starts_with('~') {
        path(value, "disposable_paths").map(DisposableEntry::Path)
    } else {
        pattern(value).map(DisposableEntry::Pattern)
    }
}

fn pattern(value: Value<'_>) -> Parsed<Glob> {
    let pattern = text_of_at_most(value, "within", MAX_PATH_BYTES)?;
    Glob::parse(&pattern).map_err(|fault| value.error(PolicyProblem::Pattern { pattern, fault }))
}

fn operations(value: Value<'_>) -> Parsed<OperationSet> {
    if value.kind() == Type::Text {
        return kind(value, "op").map(|kind| OperationSet::of(&[kind]));
    }
    if value.kind() != Type::List {
        return Err(wrong_type(value, "op", "a string or a list of strings"));
    }
    let kinds = plain(entries(value, "op", |value| kind(value, "op"))?);
    if kinds.is_empty() {
        return Err(value.error(PolicyProblem::Empty("op")));
    }
    Ok(OperationSet::of(&kinds))
}

fn kind(value: Value<'_>, field: &'static str) -> Parsed<OperationKind> {
    choice(
        value,
        field,
        POLICY_OPERATIONS.map(|kind| (kind.as_str(), kind)),
    )
}

fn expiry(value: Value<'_>) -> Parsed<u64> {
    let time = match value.kind() {
        Type::Number => time::parse(value.raw()),
        Type::Text => time::parse(&value.string()?),
        _ => return Err(wrong_type(value, "expires_at", "a time")),
    };
    time.map_err(|fault| {
        value.error(PolicyProblem::Time {
            value: value.raw().trim_matches('"').to_owned(),
            fault,
        })
    })
}

/// An absolute path, or `~` and below, as written without trailing and doubled slashes and `.`.
fn path(value: Value<'_>, field: &'static str) -> Parsed<String> {
    let path = text_of_at_most(value, field, MAX_PATH_BYTES)?;
    let (start, rest) = match path.split_at_checked(1) {
        Some(("/", rest)) => ("/", rest),
        Some(("~", rest)) if rest.is_empty() || rest.starts_with('/') => ("~/", rest),
        _ => return Err(value.error(PolicyProblem::Relative(path))),
    };
    let mut tidy = String::from(start);
    for component in rest
        .split('/')
        .filter(|component| !matches!(*component, "" | "."))
    {
        if component == ".." {
            return Err(value.error(PolicyProblem::ParentComponent(path)));
        }
        if !tidy.ends_with('/') {
            tidy.push('/');
        }
        tidy.push_str(component);
    }
    if tidy == "~/" {
        tidy.pop();
    }
    Ok(tidy)
}

fn tool_name(value: Value<'_>, field: &'static str) -> Parsed<String> {
    let name = text_of(value, field)?;
    if name.contains('/') {
        return Err(value.error(PolicyProblem::ToolPath(name)));
    }
    Ok(name)
}

fn text_of(value: Value<'_>, field: &'static str) -> Parsed<String> {
    text_of_at_most(value, field, MAX_NAME_BYTES)
}

fn text_of_at_most(value: Value<'_>, field: &'static str, limit: usize) -> Parsed<String> {
    if value.kind() != Type::Text {
        return Err(wrong_type(value, field, "a string"));
    }
    let text = value.string()?;
    let problem = if text.is_empty() {
        PolicyProblem::Empty(field)
    } else if text.contains('\0') {
        PolicyProblem::Nul(field)
    } else if text.len() > limit && limit == MAX_PATH_BYTES {
        PolicyProblem::PathTooLong(text.len())
    } else if text.len() > limit {
        PolicyProblem::NameTooLong {
            field,
            bytes: text.len(),
            limit,
        }
    } else {
        return Ok(text);
    };
    Err(value.error(problem))
}

fn choice<T: Copy, const N: usize>(
    value: Value<'_>,
    field: &'static str,
    known: [(&'static str, T); N],
) -> Parsed<T> {
    let written = text_of(value, field)?;
    let found = known.iter().find(|(name, _)| *name == written);
    found.map(|(_, choice)| *choice).ok_or_else(|| {
        let nearest = nearest(&written, &known.map(|(name, _)| name));
        value.error(PolicyProblem::UnknownValue {
            field,
            value: written,
            nearest,
        })
    })
}

/// The items of a list, each with its position.
fn entries<'t, T>(
    value: Value<'t>,
    field: &'static str,
    read: impl Fn(Value<'t>) -> Parsed<T>,
) -> Parsed<Vec<(Value<'t>, T)>> {
    if value.kind() != Type::List {
        return Err(wrong_type(value, field, "a list"));
    }
    value
        .items()?
        .into_iter()
        .map(|item| Ok((item, read(item)?)))
        .collect()
}

fn plain<T>(entries: Vec<(Value<'_>, T)>) -> Vec<T> {
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// The items, unless two have the same text.
fn distinct<T>(
    entries: Vec<(Value<'_>, T)>,
    field: &'static str,
    shown: impl Fn(&T) -> String,
) -> Parsed<Vec<T>> {
    distinct_by(&entries, field, &shown, &shown)?;
    Ok(plain(entries))
}

fn distinct_by<T, K: Eq + Hash>(
    entries: &[(Value<'_>, T)],
    field: &'static str,
    key: impl Fn(&T) -> K,
    shown: impl Fn(&T) -> String,
) -> Parsed<()> {
    let mut seen = HashSet::new();
    for (value, entry) in entries {
        if !seen.insert(key(entry)) {
            let value_shown = shown(entry);
            return Err(value.error(PolicyProblem::RepeatedEntry {
                field,
                value: value_shown,
            }));
        }
    }
    Ok(())
}

fn present<T>(
    value: Value<'_>,
    found: Option<T>,
    field: &'static str,
    within: &'static str,
) -> Parsed<T> {
    found.ok_or_else(|| value.error(PolicyProblem::Missing { field, within }))
}

const POLICY_FIELDS: &[&str] = &[
    "protected_zones",
    "temporary_overrides",
    "trusted_tools",
    "ai_agent_patterns",
    "mode",
    "operations",
    "disposable_paths",
    "override_approval",
    "on_unknown",
    "on_deadline",
    "removals",
    "undo",
    "notice",
    "notify_command",
];
const ZONE_FIELDS: &[&str] = &["path", "name", "removals"];
const OVERRIDE_FIELDS: &[&str] = &[
    "path",
    "op",
    "agent",
    "session",
    "expires_at",
    "granted_by",
    "id",
];
const TOOL_FIELDS: &[&str] = &["name", "within", "except_args", "identity"];
const IDENTITY_FIELDS: &[&str] = &["path", "owner"];

/// The fields of each kind of object in a policy: of the policy itself, of an entry of
/// `protected_zones`, `temporary_overrides` and `trusted_tools`, and of a tool's `identity`.
pub const FIELDS: [(&str, &[&str]); 6] = [
    ("policy", POLICY_FIELDS),
    ("protected_zones", ZONE_FIELDS),
    ("temporary_overrides", OVERRIDE_FIELDS),
    ("trusted_tools", TOOL_FIELDS),
    ("identity", IDENTITY_FIELDS),
    ("undo", undo::UNDO_FIELDS),
];

const MODES: [(&str, Mode); 2] = [("enforce", Mode::Enforce), ("audit", Mode::Audit)];
const NOTICES: [(&str, DenialNotice); 2] = [("on", DenialNotice::On), ("off", DenialNotice::Off)];
const APPROVALS: [(&str, OverrideApproval); 2] = [
    ("human", OverrideApproval::Human),
    ("auto", OverrideApproval::Auto),
];
const REMOVALS: [(&str, Removals); 2] =
    [("deny", Removals::Deny), ("preserve", Removals::Preserve)];
const ON_UNKNOWN: [(&str, OnUnknown); 4] = [
    ("agent_if_seen", OnUnknown::AgentIfSeen),
    ("allow", OnUnknown::Allow),
    ("deny", OnUnknown::Deny),
    ("audit", OnUnknown::Audit),
];
const ON_DEADLINE: [(&str, OnDeadline); 2] =
    [("allow", OnDeadline::Allow), ("deny", OnDeadline::Deny)];
