//! The addresses of this page with other parameters.

use crate::http::query::Parameters;
use guard_report::record::DecisionRecord;
use url::form_urlencoded::Serializer;

/// The page with these parameters and no others.
pub(super) fn address(parameters: &[(&str, &str)]) -> String {
    with(parameters.iter().copied())
}

/// The page with the parameters that it has now, except `dropped` ones, and with `added` ones.
pub(super) fn replacing(now: &Parameters, dropped: &[&str], added: &[(&str, &str)]) -> String {
    let kept = now.without(dropped);
    with(kept.chain(added.iter().copied()))
}

/// The session that a record's denials are found by.
pub(super) fn session_of<'r>(record: &'r DecisionRecord<'_>) -> Option<&'r str> {
    record.session.as_deref().or(record.undo_session.as_deref())
}

fn with<'p>(parameters: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let mut query = Serializer::for_suffix(String::from(PATH), PATH.len());
    query.extend_pairs(parameters);
    query.finish()
}

/// Belongs to one list: another begins with its newest.
pub(super) const BEFORE: &str = "before";
/// Selects one group.
pub(super) const GROUP: &str = "group";
const PATH: &str = "/?";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_become_parameters() {
        assert_eq!(
            address(&[("zone", "a&b=c"), ("agent", "é")]),
            "/?zone=a%26b%3Dc&agent=%C3%A9"
        );
    }
}
