//! Canonical paths as bytes: absolute, without `.`, `..`, doubled or trailing slashes.
//!
//! They are compared by whole components. It deliberately resolves nothing and knows no text.

/// Whether a path is this directory or below it.
///
/// ```
/// use guard_core::path::is_at_or_below;
///
/// assert!(is_at_or_below(b"/a/b", b"/a/b") && is_at_or_below(b"/a/b/c", b"/a/b"));
/// assert!(!is_at_or_below(b"/a/bc", b"/a/b"));
/// ```
#[must_use]
pub fn is_at_or_below(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || directory == b"/")
}

/// The directory in which a path's last component is; empty for `/` and what is in it.
#[must_use]
pub fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    path.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_components_count() {
        assert!(is_at_or_below(b"/a/b", b"/a/b"));
        assert!(is_at_or_below(b"/a/b/c", b"/a/b"));
        assert!(is_at_or_below(b"/a", b"/") && is_at_or_below(b"/", b"/"));
        assert!(!is_at_or_below(b"/a/bc", b"/a/b"));
        assert!(!is_at_or_below(b"/a", b"/a/b"));
    }

    #[test]
    fn a_parent_is_what_the_last_component_is_in() {
        assert_eq!(parent(b"/a/b"), b"/a");
        assert_eq!(parent(b"/a"), b"");
        assert_eq!(parent(b"/"), b"");
    }
}
