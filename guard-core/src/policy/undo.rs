//! Parsing of the policy's `undo`.

use super::document::{Field, Type, Value, object, unknown, wrong_type};
use super::error::ParsePolicyError;
use super::model::UndoPolicy;

pub(super) fn undo(value: Value<'_>) -> Result<UndoPolicy, ParsePolicyError> {
    let mut undo = UndoPolicy::default();
    if value.kind() == Type::Boolean {
        undo.enabled = value.raw() == "true";
        return Ok(undo);
    }
    if value.kind() != Type::Object {
        return Err(wrong_type(value, "undo", "false or an object"));
    }
    for Field { key, name, value } in object(value, "undo")? {
        match name.as_str() {
            "max_bytes" => undo.max_bytes = Some(bytes(value, "max_bytes")?),
            "max_copy" => undo.max_copy = Some(bytes(value, "max_copy")?),
            "keep_days" => undo.keep_days = Some(number(value, "keep_days", 3650)?),
            "min_free" => undo.min_free = Some(number(value, "min_free", 90)?),
            _ => return Err(unknown(key, name, UNDO_FIELDS)),
        }
    }
    Ok(undo)
}

/// A number of bytes, or a text of a number and a binary unit: `"20 GiB"`.
fn bytes(value: Value<'_>, field: &'static str) -> Result<u64, ParsePolicyError> {
    let expected = "a number of bytes, or a text as \"20 GiB\"";
    let written = match value.kind() {
        Type::Number => value.raw().parse().ok(),
        Type::Text => from_text(&value.string()?),
        _ => None,
    };
    written.ok_or_else(|| wrong_type(value, field, expected))
}

fn from_text(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(end)?;
    let (_, shift) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn number<N: std::str::FromStr + Copy + Into<u64>>(
    value: Value<'_>,
    field: &'static str,
    most: u64,
) -> Result<N, ParsePolicyError> {
    let expected = match field {
        "keep_days" => "a number of days up to 3650",
        _ => "hundredths of the disk up to 90",
    };
    let written = value
        .raw()
        .parse::<N>()
        .ok()
        .filter(|&number| number.into() <= most);
    written.ok_or_else(|| wrong_type(value, field, expected))
}

const UNITS: [(&str, u32); 4] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];

pub(super) const UNDO_FIELDS: &[&str] = &["max_bytes", "max_copy", "keep_days", "min_free"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policy, Removals};

    fn parse(undo: &str) -> Result<UndoPolicy, String> {
        let text = format!(r#"{{"undo": {undo}}}"#);
        let policy = Policy::parse(text.as_bytes());
        policy
            .map(|policy| policy.undo)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn undo_is_off_on_or_bounded() {
        assert!(parse("true").unwrap().enabled);
        assert!(!parse("false").unwrap().enabled);
        assert_eq!(parse("{}").unwrap(), UndoPolicy::default());
        let bounded =
            parse(r#"{"max_bytes": "20 GiB", "max_copy": 1000, "keep_days": 3, "min_free": 10}"#)
                .unwrap();
        assert_eq!(
            bounded,
            UndoPolicy {
                enabled: true,
                max_bytes: Some(20 << 30),
                max_copy: Some(1000),
                keep_days: Some(3),
                min_free: Some(10),
            }
        );
        for bad in [
            "7",
            r#""off""#,
            r#"{"max_bytes": "20 GB"}"#,
            r#"{"max_bytes": "GiB"}"#,
            r#"{"max_bytes": "99999999999 TiB"}"#,
            r#"{"max_bytes": -1}"#,
            r#"{"keep_days": 4000}"#,
            r#"{"min_free": 91}"#,
            r#"{"min_free": 2.5}"#,
            r#"{"max_byte": 1}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(
            parse(r#"{"max_byte": 1}"#)
                .unwrap_err()
                .contains("max_bytes")
        );
    }

    #[test]
    fn removals_are_denied_or_preserved_whole_or_by_zone() {
        let text = br#"{"removals": "preserve", "protected_zones":
            ["/a", {"path": "/b", "removals": "deny"}]}"#;
        let policy = Policy::parse(text).unwrap();
        assert_eq!(policy.removals, Removals::Preserve);
        let zones: Vec<_> = policy
            .protected_zones
            .iter()
            .map(|zone| zone.removals)
            .collect();
        assert_eq!(zones, [None, Some(Removals::Deny)]);
        assert!(Policy::parse(br#"{"removals": "keep"}"#).is_err());
    }
}
