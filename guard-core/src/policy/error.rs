//! What can be wrong with a policy's text.
//!
//! A message is complete by itself: it says where and what, and includes the faults of patterns and
//! times. None of these is also the error's `source()`, which would print it twice.

use super::model::{MAX_OVERRIDES, MAX_PATH_BYTES, MAX_POLICY_BYTES};
use crate::glob::ParseGlobError;
use crate::time::ParseTimeError;

/// The first fault in a policy's text, and its position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct ParsePolicyError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there; part of the message, and so not its source.
    pub problem: PolicyProblem,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyProblem {
    /// More than [`MAX_POLICY_BYTES`].
    #[error("the policy has {0} bytes, more than {MAX_POLICY_BYTES}")]
    TooLarge(usize),
    /// Not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// A value of the wrong type.
    #[error("`{field}` takes {expected}, not {found}")]
    WrongType {
        /// The field.
        field: &'static str,
        /// The type it takes.
        expected: &'static str,
        /// The type of the value.
        found: &'static str,
    },
    /// An unknown field.
    #[error("unknown field `{field}`{}", hint(*nearest))]
    UnknownField {
        /// As written.
        field: String,
        /// The most similar known field.
        nearest: Option<&'static str>,
    },
    /// A field that has no effect in this version.
    #[error("`{0}` is not supported yet")]
    NotSupported(&'static str),
    /// A value that the field does not have.
    #[error("`{field}` cannot be `{value}`{}", hint(*nearest))]
    UnknownValue {
        /// The field.
        field: &'static str,
        /// As written.
        value: String,
        /// The most similar known value.
        nearest: Option<&'static str>,
    },
    /// A field written twice.
    #[error("`{0}` is written twice")]
    RepeatedField(String),
    /// An entry written twice.
    #[error("`{value}` is in `{field}` twice")]
    RepeatedEntry {
        /// The field.
        field: &'static str,
        /// The entry.
        value: String,
    },
    /// A required field that is missing.
    #[error("`{field}` is missing in an entry of `{within}`")]
    Missing {
        /// The field.
        field: &'static str,
        /// The list.
        within: &'static str,
    },
    /// An empty text or list.
    #[error("`{0}` must not be empty")]
    Empty(&'static str),
    /// A path that begins neither with `/` nor with `~/`.
    #[error("`{0}` is not an absolute path (begin with `/` or `~/`)")]
    Relative(String),
    /// `..` in a path.
    #[error("`{0}` must not contain `..`")]
    ParentComponent(String),
    /// NUL in a text.
    #[error("`{0}` must not contain NUL")]
    Nul(&'static str),
    /// Longer than [`MAX_PATH_BYTES`].
    #[error("a path of {0} bytes is longer than {MAX_PATH_BYTES}")]
    PathTooLong(usize),
    /// Longer than a text of this kind may be.
    #[error("`{field}` of {bytes} bytes is longer than {limit}")]
    NameTooLong {
        /// The field.
        field: &'static str,
        /// Its length.
        bytes: usize,
        /// The most it may have.
        limit: usize,
    },
    /// More than [`MAX_OVERRIDES`].
    #[error("{0} overrides are more than {MAX_OVERRIDES}")]
    TooManyOverrides(usize),
    /// A text or number that is not a time.
    #[error("`{value}`: {fault}")]
    Time {
        /// As written.
        value: String,
        /// What is wrong with it.
        fault: ParseTimeError,
    },
    /// An invalid pattern.
    #[error("pattern `{pattern}`: {fault}")]
    Pattern {
        /// As written.
        pattern: String,
        /// What is wrong with it; part of the message, and so not its source.
        fault: ParseGlobError,
    },
    /// A tool's name with a slash.
    #[error(
        "`{0}` is a path; a tool is named by its executable's basename, pin it with `identity`"
    )]
    ToolPath(String),
}

fn hint(nearest: Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}

/// The known name most similar to `written`, unless all differ too much.
pub(super) fn nearest(written: &str, known: &[&'static str]) -> Option<&'static str> {
    let (distance, name) = known
        .iter()
        .map(|name| (distance(written, name), *name))
        .min()?;
    (distance <= 1 + name.len() / 4).then_some(name)
}

/// Levenshtein's distance, in characters, ignoring case.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (number, left) in left
        .chars()
        .take(64)
        .flat_map(char::to_lowercase)
        .enumerate()
    {
        let mut before = number + 1;
        let mut next = vec![before];
        for (above, right) in row.windows(2).zip(&right) {
            let &[diagonal, above] = above else { continue };
            before = (diagonal + usize::from(left != *right))
                .min(above + 1)
                .min(before + 1);
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name() {
        let known = ["protected_zones", "mode", "op"];
        assert_eq!(nearest("protected_zone", &known), Some("protected_zones"));
        assert_eq!(nearest("Mode", &known), Some("mode"));
        assert_eq!(nearest("ops", &known), Some("op"));
        assert_eq!(nearest("colour", &known), None);
        // One edit, and one more for each four letters.
        for (written, name, is_near) in [
            ("opp", "op", true),
            ("oppp", "op", false),
            ("mdoe", "mode", true),
            ("mxyz", "mode", false),
            ("prtctdzones", "protected_zones", true),
            ("prtctdzons", "protected_zones", false),
        ] {
            assert_eq!(nearest(written, &[name]).is_some(), is_near, "{written}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
