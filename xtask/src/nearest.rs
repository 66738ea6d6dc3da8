//! The nearest of some names to a misspelt one.

/// The name that the fewest edits turn `given` into, when at most a third of it has to change.
pub(crate) fn nearest<'n>(
    given: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let most = (given.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (distance(given, name), name))
        .filter(|(edits, _)| *edits <= most)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// The Levenshtein distance, one row of the table at a time.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, old) in (1..).zip(from.chars()) {
        let mut diagonal = row[0];
        row[0] = above;
        for (column, new) in (1..).zip(&to) {
            let replaced = diagonal + usize::from(old != *new);
            diagonal = row[column];
            row[column] = replaced.min(diagonal + 1).min(row[column - 1] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn edits_are_counted() {
        for (from, to, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("clipy", "clippy", 1),
            ("tets", "test", 2),
        ] {
            assert_eq!(distance(from, to), edits, "{from} {to}");
        }
    }

    #[test]
    fn only_a_near_name_is_offered() {
        let names = ["clippy", "test", "tsan"];
        assert_eq!(nearest("clipy", names), Some("clippy"));
        assert_eq!(nearest("tesT", names), Some("test"));
        assert_eq!(nearest("deploy", names), None);
    }
}
