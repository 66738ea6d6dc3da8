//! JSON values with their positions in the text.
//!
//! `serde_json` checks the syntax and lends each value as a slice of the text ([`RawValue`]); the
//! slice's offset in the text is the value's position in the file. Fields keep their order and
//! repetitions, so that repetitions can be refused.

use super::error::{ParsePolicyError, PolicyProblem, nearest};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::fmt;

/// One JSON value, or one field's name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'t> {
    document: &'t str,
    /// A slice of `document`.
    text: &'t str,
}

/// The JSON type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Number,
    Text,
    List,
    Object,
}

/// A field of an object: its name's value, its name, its value.
#[derive(Clone, Debug)]
pub(super) struct Field<'t> {
    pub(super) key: Value<'t>,
    pub(super) name: String,
    pub(super) value: Value<'t>,
}

struct RawObject<'t>(Vec<(&'t RawValue, &'t RawValue)>);

// === impl Value ===

impl<'t> Value<'t> {
    /// The document's one value.
    pub(super) fn document(text: &'t str) -> Result<Self, ParsePolicyError> {
        let whole = Self {
            document: text,
            text,
        };
        whole.read::<&RawValue>().map(|raw| whole.part(raw))
    }

    pub(super) fn kind(self) -> Type {
        match self.text.as_bytes().first() {
            Some(b'{') => Type::Object,
            Some(b'[') => Type::List,
            Some(b'"') => Type::Text,
            Some(b't' | b'f') => Type::Boolean,
            Some(b'n') => Type::Null,
            _ => Type::Number,
        }
    }

    /// The value as written.
    pub(super) fn raw(self) -> &'t str {
        self.text
    }

    /// A string without its quotation marks; for [`Type::Text`] only.
    pub(super) fn string(self) -> Result<String, ParsePolicyError> {
        self.read()
    }

    /// The items of a list; for [`Type::List`] only.
    pub(super) fn items(self) -> Result<Vec<Self>, ParsePolicyError> {
        let items = self.read::<Vec<&RawValue>>()?;
        Ok(items.into_iter().map(|raw| self.part(raw)).collect())
    }

    /// The fields of an object; for [`Type::Object`] only.
    pub(super) fn fields(self) -> Result<Vec<Field<'t>>, ParsePolicyError> {
        let fields = self.read::<RawObject<'t>>()?.0;
        fields
            .into_iter()
            .map(|(key, value)| {
                let key = self.part(key);
                Ok(Field {
                    key,
                    name: key.string()?,
                    value: self.part(value),
                })
            })
            .collect()
    }

    /// An error at this value.
    pub(super) fn error(self, problem: PolicyProblem) -> ParsePolicyError {
        error_at(self.document.as_bytes(), self.offset(), problem)
    }

    fn read<T: Deserialize<'t>>(self) -> Result<T, ParsePolicyError> {
        serde_json::from_str(self.text).map_err(|error| {
            let line_start: usize = self
                .text
                .split_inclusive('\n')
                .take(error.line() - 1)
                .map(str::len)
                .sum();
            let offset = self.offset() + line_start + error.column().saturating_sub(1);
            let text = error.to_string();
            // The position is added later, within the whole document.
            let what = text
                .rsplit_once(" at line ")
                .map_or(text.as_str(), |(what, _)| what);
            error_at(
                self.document.as_bytes(),
                offset,
                PolicyProblem::Syntax(what.to_owned()),
            )
        })
    }

    fn part(self, raw: &'t RawValue) -> Self {
        Self {
            document: self.document,
            text: raw.get(),
        }
    }

    /// The offset of the value: `text` is a slice of `document`.
    fn offset(self) -> usize {
        self.text.as_ptr().addr() - self.document.as_ptr().addr()
    }
}

/// An error at a byte offset of a text that need not be UTF-8.
pub(super) fn error_at(text: &[u8], offset: usize, problem: PolicyProblem) -> ParsePolicyError {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let last_line = before
        .rsplit(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let column = String::from_utf8_lossy(last_line).chars().count() + 1;
    ParsePolicyError {
        line,
        column,
        problem,
    }
}

// === impl Type ===

impl Type {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

// === impl RawObject ===

impl<'de: 't, 't> Deserialize<'de> for RawObject<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Vec<(&'de RawValue, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Fields).map(Self)
    }
}

/// The fields of an object, none of them twice.
pub(super) fn object<'t>(
    value: Value<'t>,
    field: &'static str,
) -> Result<Vec<Field<'t>>, ParsePolicyError> {
    if value.kind() != Type::Object {
        let expected = match field {
            "the policy" | "identity" => "an object",
            _ => "strings or objects",
        };
        return Err(wrong_type(value, field, expected));
    }
    let fields = value.fields()?;
    let mut seen = HashSet::new();
    for field in &fields {
        if !seen.insert(field.name.as_str()) {
            return Err(field
                .key
                .error(PolicyProblem::RepeatedField(field.name.clone())));
        }
    }
    Ok(fields)
}

pub(super) fn unknown(key: Value<'_>, field: String, known: &[&'static str]) -> ParsePolicyError {
    let nearest = nearest(&field, known);
    key.error(PolicyProblem::UnknownField { field, nearest })
}

pub(super) fn wrong_type(
    value: Value<'_>,
    field: &'static str,
    expected: &'static str,
) -> ParsePolicyError {
    let found = value.kind().as_str();
    value.error(PolicyProblem::WrongType {
        field,
        expected,
        found,
    })
}
