//! Reads JSON values, and reports what is missing.

use serde_json::Value;

/// Why a scenario cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadScenarioError {
    /// The text is not JSON.
    #[error("{place} is not JSON")]
    Syntax {
        /// Where: the text, or a line of it.
        place: String,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// Something is missing or of another kind.
    #[error("{place} needs `{field}`, {kind}")]
    Missing {
        /// Where: a line of a recording, or a part of a scenario.
        place: String,
        /// The field.
        field: String,
        /// What it must be.
        kind: &'static str,
    },
    /// A step does something that no step can do.
    #[error("{place} does nothing that is known: {text}")]
    Operation {
        /// Which step.
        place: String,
        /// The step.
        text: String,
    },
}

/// A JSON value, and its place.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) place: &'a str,
}

// === impl Node ===

impl<'a> Node<'a> {
    /// The value at a path of field names with points between.
    pub(super) fn find(self, path: &str) -> Option<Self> {
        let mut value = self.value;
        for field in path.split('.') {
            value = value.get(field).filter(|value| !value.is_null())?;
        }
        Some(Self { value, ..self })
    }

    /// The object at a path.
    pub(super) fn need(self, path: &str) -> Result<Self, ReadScenarioError> {
        self.find(path)
            .ok_or_else(|| self.missing(path, "an object"))
    }

    /// The text at a path, as bytes.
    pub(super) fn text(self, path: &str) -> Result<Vec<u8>, ReadScenarioError> {
        self.some_text(path)
            .ok_or_else(|| self.missing(path, "a text"))
    }

    /// The text at a path, if there is one.
    pub(super) fn some_text(self, path: &str) -> Option<Vec<u8>> {
        Some(self.find(path)?.value.as_str()?.as_bytes().to_vec())
    }

    /// The number at a path, if there is one that fits.
    pub(super) fn number<N: TryFrom<i64>>(self, path: &str) -> Option<N> {
        self.find(path)?.value.as_i64()?.try_into().ok()
    }

    /// The truth value at a path, if there is one.
    pub(super) fn flag(self, path: &str) -> Option<bool> {
        self.find(path)?.value.as_bool()
    }

    /// The texts of the array at a path, if there is one.
    pub(super) fn texts(self, path: &str) -> Option<Vec<Vec<u8>>> {
        let items = self.find(path)?.value.as_array()?;
        let text = |item: &Value| Some(item.as_str()?.as_bytes().to_vec());
        items.iter().map(text).collect()
    }

    pub(super) fn missing(self, field: &str, kind: &'static str) -> ReadScenarioError {
        ReadScenarioError::Missing {
            place: self.place.to_owned(),
            field: field.to_owned(),
            kind,
        }
    }
}
