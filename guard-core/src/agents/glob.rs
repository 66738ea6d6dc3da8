//! Path globs: `*` stands for any bytes within one component, `**` for any number of components.
//!
//! Patterns are the catalogue's own and paths come from the kernel, so there is no escaping, no
//! character class and no error. Matching is on bytes and case-sensitive.
//!
//! `**/claude/versions/*` covers `/home/u/.local/share/claude/versions/2.1.37`.

/// Whether the whole of `path` matches `pattern`.
pub(super) fn matches(pattern: &str, path: &[u8]) -> bool {
    components_match(pattern.as_bytes(), path)
}

fn components_match(pattern: &[u8], path: &[u8]) -> bool {
    let (wanted, pattern_rest) = split_component(pattern);
    if wanted == b"**" {
        let Some(rest) = pattern_rest else {
            return true;
        };
        let mut tail = Some(path);
        while let Some(candidate) = tail {
            if components_match(rest, candidate) {
                return true;
            }
            tail = split_component(candidate).1;
        }
        return false;
    }
    let (found, path_rest) = split_component(path);
    component_matches(wanted, found)
        && match (pattern_rest, path_rest) {
            (None, None) => true,
            (Some(pattern), Some(path)) => components_match(pattern, path),
            _ => false,
        }
}

/// One component against one: `*` is tried shortest first, going back to the last one only.
fn component_matches(pattern: &[u8], name: &[u8]) -> bool {
    let mut parts = pattern.split(|&byte| byte == b'*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(after) = find_after(rest, part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// What follows the first occurrence of `part`.
fn find_after<'a>(text: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    (0..=text.len()).find_map(|start| text.get(start..)?.strip_prefix(part))
}

fn split_component(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|&byte| byte == b'/') {
        Some(slash) => (path.get(..slash).unwrap_or_default(), path.get(slash + 1..)),
        None => (path, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use globset::GlobBuilder;
    use proptest::prelude::*;

    #[test]
    fn components_are_whole() {
        assert!(matches(
            "**/claude/versions/*",
            b"/home/u/.local/share/claude/versions/2.1.37"
        ));
        assert!(matches("**/claude/versions/*", b"claude/versions/2"));
        assert!(!matches("**/claude/versions/*", b"/x/claude/versions/2/rm"));
        assert!(!matches("**/claude/versions/*", b"/x/myclaude/versions/2"));
        assert!(matches(
            "**/@openai/codex/**",
            b"/usr/lib/node_modules/@openai/codex/bin/codex.js"
        ));
        assert!(!matches(
            "**/@openai/codex/**",
            b"/usr/lib/node_modules/@openai/codex-tools/x"
        ));
        assert!(matches("**/a*b*c/**", b"/x/a-b-c/y"));
        assert!(!matches("**/a*b*c/**", b"/x/a-c-b/y"));
    }

    proptest! {
        #[test]
        fn agrees_with_globset(
            pattern in r"(\*\*/)?[ab*]{1,3}(/[ab*]{1,3}){0,2}",
            path in r"[ab]{1,3}(/[ab]{1,3}){0,3}",
        ) {
            // `**` has its meaning only as a whole component; elsewhere the two may differ.
            prop_assume!(!pattern.trim_start_matches("**/").contains("**"));
            let oracle = GlobBuilder::new(&pattern).literal_separator(true).build().unwrap();
            prop_assert_eq!(
                matches(&pattern, path.as_bytes()),
                oracle.compile_matcher().is_match(&path),
            );
        }
    }
}
