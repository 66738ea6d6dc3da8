//! Patterns for names and paths, matched without allocation.
//!
//! `*` matches any run of bytes in a component, `?` one byte, `[a-z]` and `[!a-z]` one byte of a set,
//! `\` makes the next byte literal, and a whole component `**` matches any number of components (at
//! the end of a pattern: one or more). A pattern that does not begin with `/` floats: it may match at
//! any depth.
//!
//! Guarantees: matching allocates nothing, never panics, and takes time bounded by the product of
//! the pattern's and the path's lengths. It deliberately has no `{a,b}`: write two patterns.
//!
//! ```
//! use guard_core::glob::Glob;
//!
//! let glob = Glob::parse("target").unwrap();
//! assert!(glob.covers(b"crates/core/target/debug/app"));
//! assert!(!glob.covers(b"crates/targets/a"));
//! ```

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    /// Without the leading slash of an anchored pattern.
    pattern: Box<[u8]>,
    floating: bool,
}

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseGlobError {
    /// Nothing to match.
    #[error("a pattern must not be empty")]
    Empty,
    /// A set without its end.
    #[error("`[` without `]`")]
    OpenSet,
    /// Nothing follows the last backslash.
    #[error("`\\` at the end")]
    OpenEscape,
    /// `{a,b}` is not supported.
    #[error("alternatives `{{a,b}}` are not supported: write one pattern for each")]
    Alternatives,
    /// More than [`MAX_GLOB_BYTES`].
    #[error("a pattern of {0} bytes is longer than {MAX_GLOB_BYTES}")]
    TooLong(usize),
}

/// Bounds the time one match takes.
pub const MAX_GLOB_BYTES: usize = 256;

// === impl Glob ===

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`ParseGlobError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ParseGlobError> {
        let bytes = text.as_bytes();
        if bytes.len() > MAX_GLOB_BYTES {
            return Err(ParseGlobError::TooLong(bytes.len()));
        }
        let (pattern, floating) = match bytes.strip_prefix(b"/") {
            Some(anchored) => (anchored, false),
            None => (bytes, true),
        };
        let pattern = pattern.strip_suffix(b"/").unwrap_or(pattern);
        if pattern.is_empty() {
            return Err(ParseGlobError::Empty);
        }
        for component in pattern.split(|&byte| byte == b'/') {
            check_name_pattern(component)?;
        }
        Ok(Self {
            pattern: pattern.into(),
            floating,
        })
    }

    /// Whether the whole path (relative, or without its leading slash) matches.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        run(&self.pattern, self.floating, path, false)
    }

    /// Whether the path, or a directory it lies in, matches.
    #[must_use]
    pub fn covers(&self, path: &[u8]) -> bool {
        run(&self.pattern, self.floating, path, true)
    }

    /// The pattern as it was read.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.pattern
    }
}

/// Whether the whole path matches a pattern of our own, such as `**/@openai/codex/**`.
pub(crate) fn matches_path(pattern: &str, path: &[u8]) -> bool {
    run(pattern.as_bytes(), false, path, false)
}

/// Like string matching with `*`, on components: only the last `**` has to be tried again, since a
/// shorter match of an earlier one leaves more for the rest.
fn run(pattern: &[u8], floating: bool, path: &[u8], may_leave_rest: bool) -> bool {
    let mut patterns = pattern.split(|&byte| byte == b'/');
    let mut names = path
        .split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty());
    let mut again = floating.then(|| (patterns.clone(), names.clone()));
    loop {
        let matched = match patterns.next() {
            None => {
                if may_leave_rest || names.clone().next().is_none() {
                    return true;
                }
                false
            }
            Some(b"**") if patterns.clone().next().is_none() => {
                if names.clone().next().is_some() {
                    return true;
                }
                false
            }
            Some(b"**") => {
                again = Some((patterns.clone(), names.clone()));
                true
            }
            Some(pattern) => names.next().is_some_and(|name| matches_name(pattern, name)),
        };
        if matched {
            continue;
        }
        let Some((from, rest)) = &mut again else {
            return false;
        };
        if rest.next().is_none() {
            return false;
        }
        (patterns, names) = (from.clone(), rest.clone());
    }
}

/// Whether one component matches one component's pattern. A pattern that
/// [`Glob::parse`] would refuse matches nothing beyond its fault.
#[inline]
pub(crate) fn matches_name(pattern: &[u8], name: &[u8]) -> bool {
    // Most patterns begin or end with literals, and most names with others.
    let begins = plain_start(pattern).is_none_or(|start| name.first() == Some(&start));
    let ends = plain_end(pattern).is_none_or(|end| name.last() == Some(&end));
    begins && ends && matches_all(pattern, name)
}

fn matches_all(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        let step = match (token(pattern), name.split_first()) {
            (None, None) => return true,
            (Some((Token::Any, rest)), _) => {
                again = Some((rest, name));
                Some((rest, name))
            }
            (Some((token, rest)), Some((&byte, left))) if token.takes(byte) => Some((rest, left)),
            _ => None,
        };
        if let Some(next) = step {
            (pattern, name) = next;
            continue;
        }
        let Some((from, [_, rest @ ..])) = again else {
            return false;
        };
        again = Some((from, rest));
        (pattern, name) = (from, rest);
    }
}

/// The byte that a matching name must begin with, if the pattern begins with a literal.
fn plain_start(pattern: &[u8]) -> Option<u8> {
    match pattern {
        [b'\\' | b'*' | b'?' | b'[', ..] | [] => None,
        [start, ..] => Some(*start),
    }
}

/// The byte that a matching name must end with, if the pattern ends with a literal.
fn plain_end(pattern: &[u8]) -> Option<u8> {
    match pattern {
        [.., b'\\', _] | [.., b'*' | b'?' | b']'] | [] => None,
        [.., end] => Some(*end),
    }
}

#[derive(Clone, Copy)]
enum Token<'p> {
    Any,
    One,
    Set { members: &'p [u8], negated: bool },
    Plain(u8),
    Faulty,
}

fn token(pattern: &[u8]) -> Option<(Token<'_>, &[u8])> {
    Some(match pattern {
        [] => return None,
        [b'*', rest @ ..] => (Token::Any, rest),
        [b'?', rest @ ..] => (Token::One, rest),
        [b'\\', byte, rest @ ..] => (Token::Plain(*byte), rest),
        [b'\\'] => (Token::Faulty, &[]),
        [b'[', rest @ ..] => set(rest).unwrap_or((Token::Faulty, &[])),
        [byte, rest @ ..] => (Token::Plain(*byte), rest),
    })
}

/// A set's members and what follows it. A `]` that comes first is a member.
fn set(pattern: &[u8]) -> Option<(Token<'_>, &[u8])> {
    let (negated, inside) = match pattern {
        [b'!' | b'^', inside @ ..] => (true, inside),
        inside => (false, inside),
    };
    let end = 1 + inside.get(1..)?.iter().position(|&byte| byte == b']')?;
    let (members, rest) = inside.split_at_checked(end)?;
    Some((Token::Set { members, negated }, rest.strip_prefix(b"]")?))
}

// === impl Token ===

impl Token<'_> {
    fn takes(self, byte: u8) -> bool {
        match self {
            Self::One => true,
            Self::Plain(plain) => plain == byte,
            Self::Set { members, negated } => contains(members, byte) != negated,
            Self::Any | Self::Faulty => false,
        }
    }
}

fn contains(members: &[u8], byte: u8) -> bool {
    let mut rest = members;
    loop {
        rest = match rest {
            [] => return false,
            [low, b'-', high, ..] if (*low..=*high).contains(&byte) => return true,
            [_, b'-', _, rest @ ..] => rest,
            [member, ..] if *member == byte => return true,
            [_, rest @ ..] => rest,
        }
    }
}

fn check_name_pattern(pattern: &[u8]) -> Result<(), ParseGlobError> {
    let mut rest = pattern;
    while let Some((token, next)) = token(rest) {
        match token {
            Token::Faulty if rest.first() == Some(&b'[') => return Err(ParseGlobError::OpenSet),
            Token::Faulty => return Err(ParseGlobError::OpenEscape),
            Token::Plain(b'{') if rest.first() == Some(&b'{') => {
                return Err(ParseGlobError::Alternatives);
            }
            _ => rest = next,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn floating_patterns_cover_what_is_below_their_match() {
        for (pattern, path, covered) in [
            ("target", "target", true),
            ("target", "a/target/debug/b", true),
            ("target", "a/targets", false),
            ("*.o", "src/a.o", true),
            ("*.o", "src/a.oo", false),
            ("build/**", "x/build", false),
            ("build/**", "x/build/a", true),
            ("/build", "build/a", true),
            ("/build", "x/build/a", false),
            ("a/**/z", "a/z", true),
            ("a/**/z", "q/a/b/c/z/y", true),
            ("**/target/**", "x/target/y", true),
            ("[!.]*", ".git", false),
            ("[]a]x", "]x", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
        ] {
            assert_eq!(
                Glob::parse(pattern).unwrap().covers(path.as_bytes()),
                covered,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(Glob::parse(""), Err(ParseGlobError::Empty));
        assert_eq!(Glob::parse("/"), Err(ParseGlobError::Empty));
        assert_eq!(Glob::parse("a[b"), Err(ParseGlobError::OpenSet));
        assert_eq!(Glob::parse("a\\"), Err(ParseGlobError::OpenEscape));
        assert_eq!(Glob::parse("*.{o,a}"), Err(ParseGlobError::Alternatives));
        assert_eq!(
            Glob::parse(&"a".repeat(257)),
            Err(ParseGlobError::TooLong(257))
        );
    }

    #[test]
    fn paths_match_as_a_whole() {
        for (pattern, path, matched) in [
            (
                "**/claude/versions/*",
                "/home/u/.local/share/claude/versions/2.1.37",
                true,
            ),
            ("**/claude/versions/*", "claude/versions/2", true),
            ("**/claude/versions/*", "/x/claude/versions/2/rm", false),
            ("**/claude/versions/*", "/x/myclaude/versions/2", false),
            (
                "**/@openai/codex/**",
                "/usr/lib/node_modules/@openai/codex/bin/codex.js",
                true,
            ),
            ("**/@openai/codex/**", "/n/@openai/codex-tools/x", false),
            ("**/a*b*c/**", "/x/a-b-c/y", true),
            ("**/a*b*c/**", "/x/a-c-b/y", false),
        ] {
            assert_eq!(
                matches_path(pattern, path.as_bytes()),
                matched,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn many_stars_end() {
        let pattern = format!("{}b", "*a".repeat(100));
        assert!(!matches_name(
            pattern.as_bytes(),
            "a".repeat(4_000).as_bytes()
        ));
        assert!(matches_name(
            pattern.as_bytes(),
            format!("{}b", "a".repeat(4_000)).as_bytes()
        ));
    }

    proptest! {
        #[test]
        fn agrees_with_globset(
            pattern in proptest::collection::vec("(\\*\\*|[ab.*?]{1,4}|[ab]\\[[!]?[ab]\\]|\\[a-b\\]\\*)", 1..4),
            path in proptest::collection::vec("[abc.]{1,4}", 1..5),
        ) {
            let (pattern, path) = (pattern.join("/"), path.join("/"));
            let theirs = globset::GlobBuilder::new(&pattern)
                .literal_separator(true)
                .backslash_escape(true)
                .build();
            // What globset does with `**` inside a longer component differs.
            let plain = pattern.split('/').all(|part| part == "**" || !part.contains("**"));
            if let (Ok(theirs), true) = (theirs, plain) {
                let ours = Glob::parse(&format!("/{pattern}")).unwrap();
                prop_assert_eq!(
                    ours.matches(path.as_bytes()),
                    theirs.compile_matcher().is_match(&path),
                    "{} {}", pattern, path
                );
            }
        }
    }
}
