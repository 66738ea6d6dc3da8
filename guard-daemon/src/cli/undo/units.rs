//! Sizes and counts, for people.

pub(super) use guard_report::size;

/// A count and its noun, `3 files`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
