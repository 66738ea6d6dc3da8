//! The text of a policy with an override more or less, and everything else byte for byte.
//!
//! For text that is JSON: the caller has parsed it. Anything else gives `None` or a text that is not
//! JSON either, and no panic.

use std::ops::Range;

/// The text with one more override, at the end of the list.
pub(crate) fn with_override(text: &str, entry: &str) -> Option<String> {
    let members = members(text)?;
    let insert =
        |at: usize, what: &str| Some(format!("{}{what}{}", text.get(..at)?, text.get(at..)?));
    let Some(list) = overrides(text, &members) else {
        let field = format!("\"{FIELD}\": [{entry}]");
        return match members.last() {
            Some((_, value)) => {
                let space = space_before(text, members.last()?.0.start);
                insert(value.end, &format!(",{space}{field}"))
            }
            None => insert(text.find('{')? + 1, &field),
        };
    };
    match elements(text, &list)?.last() {
        Some(last) => {
            let space = space_before(text, last.start);
            let space = if space.is_empty() { " " } else { space };
            insert(last.end, &format!(",{space}{entry}"))
        }
        None => Some(format!(
            "{}[{entry}]{}",
            text.get(..list.start)?,
            text.get(list.end..)?
        )),
    }
}

/// The text without the overrides that `is_meant` accepts, each as JSON.
pub(crate) fn without_overrides(
    text: &str,
    is_meant: &dyn Fn(&serde_json::Value) -> bool,
) -> Option<String> {
    let mut text = text.to_owned();
    loop {
        let Some(list) = overrides(&text, &members(&text)?) else {
            return Some(text);
        };
        let elements = elements(&text, &list)?;
        let goes = |element: &Range<usize>| {
            let value = text
                .get(element.clone())
                .and_then(|text| serde_json::from_str(text).ok());
            value.is_some_and(|value| is_meant(&value))
        };
        let Some(index) = elements.iter().position(goes) else {
            return Some(text);
        };
        // With the comma before it, or else the one after it, or else all between the brackets.
        let element = elements.get(index)?;
        let before = index.checked_sub(1).and_then(|index| elements.get(index));
        let removed = match (before, elements.get(index + 1)) {
            (Some(before), _) => before.end..element.end,
            (None, Some(after)) => element.start..after.start,
            (None, None) => list.start + 1..list.end - 1,
        };
        text.replace_range(removed, "");
    }
}

/// Where the list of overrides is.
fn overrides(text: &str, members: &[(Range<usize>, Range<usize>)]) -> Option<Range<usize>> {
    let is_it = |(key, _): &&(Range<usize>, Range<usize>)| {
        let key = text.get(key.clone()).unwrap_or_default();
        serde_json::from_str::<String>(key).is_ok_and(|key| key == FIELD)
    };
    let found = members.iter().find(is_it)?.1.clone();
    text.get(found.clone())?.starts_with('[').then_some(found)
}

/// Where the keys and the values of the document's object are.
fn members(text: &str) -> Option<Vec<(Range<usize>, Range<usize>)>> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, 0);
    let mut found = Vec::new();
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    at = skip_space(bytes, at + 1);
    while bytes.get(at)? != &b'}' {
        let key = at..value_end(bytes, at)?;
        at = skip_space(bytes, key.end);
        if bytes.get(at)? != &b':' {
            return None;
        }
        at = skip_space(bytes, at + 1);
        let value = at..value_end(bytes, at)?;
        at = skip_space(bytes, value.end);
        found.push((key, value));
        if bytes.get(at)? == &b',' {
            at = skip_space(bytes, at + 1);
        }
    }
    Some(found)
}

/// Where the elements of a list are.
fn elements(text: &str, list: &Range<usize>) -> Option<Vec<Range<usize>>> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, list.start + 1);
    let mut found = Vec::new();
    while bytes.get(at)? != &b']' {
        let element = at..value_end(bytes, at)?;
        at = skip_space(bytes, element.end);
        found.push(element);
        if bytes.get(at)? == &b',' {
            at = skip_space(bytes, at + 1);
        }
    }
    Some(found)
}

/// Where the value that begins at `start` ends.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => at = string_end(bytes, at)?,
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            b'}' | b']' if depth > 0 => (at, depth) = (at + 1, depth - 1),
            b',' | b':' | b'}' | b']' if depth == 0 => return (at > start).then_some(at),
            _ if depth > 0 => at += 1,
            // A number, `true`, `false` or `null`.
            _ => {
                let rest = bytes.get(at..)?;
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b",:]}".contains(byte);
                at += rest.iter().position(ends)?;
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Where the string that begins at `start` ends.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let is_space = |byte: &&u8| byte.is_ascii_whitespace();
    from + rest.iter().take_while(is_space).count()
}

/// The spaces and line breaks before a position.
fn space_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    before.get(before.trim_end().len()..).unwrap_or_default()
}

const FIELD: &str = "temporary_overrides";

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"{"path": "/p/a", "id": "1"}"#;

    fn ids(ids: &[&str]) -> impl Fn(&serde_json::Value) -> bool {
        let id = |entry: &serde_json::Value| entry.get("id")?.as_str().map(str::to_owned);
        move |entry| id(entry).is_some_and(|id| ids.contains(&id.as_str()))
    }

    #[test]
    fn an_override_is_added_where_the_list_is_or_would_be() {
        for (text, with) in [
            (
                "{}",
                r#"{"temporary_overrides": [{"path": "/p/a", "id": "1"}]}"#,
            ),
            (
                "{\n  \"mode\": \"audit\"\n}\n",
                "{\n  \"mode\": \"audit\",\n  \"temporary_overrides\": [{\"path\": \"/p/a\", \"id\": \"1\"}]\n}\n",
            ),
            (
                r#"{"temporary_overrides":[], "undo" : false}"#,
                r#"{"temporary_overrides":[{"path": "/p/a", "id": "1"}], "undo" : false}"#,
            ),
            (
                "{\"temporary_overrides\": [\n    \"~/out\"\n  ]}",
                "{\"temporary_overrides\": [\n    \"~/out\",\n    {\"path\": \"/p/a\", \"id\": \"1\"}\n  ]}",
            ),
            (
                r#"{"temporary\u005foverrides":["a]},\"b"]}"#,
                r#"{"temporary\u005foverrides":["a]},\"b", {"path": "/p/a", "id": "1"}]}"#,
            ),
        ] {
            assert_eq!(with_override(text, ENTRY).as_deref(), Some(with));
            let without = without_overrides(with, &ids(&["1"])).unwrap();
            let is_new = !text.contains("overrides");
            assert!(is_new || without == text, "{without}");
        }
    }

    #[test]
    fn overrides_are_removed_wherever_they_are() {
        let text = r#"{"temporary_overrides": [{"path":"/a","id":"1"}, "~/x", {"id":"2","path":"/b"},
            {"path":"/c"}, {"path":"/d","id":"3"}], "x": [{"id":"1"}]}"#;
        let left = without_overrides(text, &ids(&["1", "2", "3", "4"])).unwrap();
        assert_eq!(
            left,
            "{\"temporary_overrides\": [\"~/x\",\n            {\"path\":\"/c\"}], \"x\": [{\"id\":\"1\"}]}"
        );
        assert_eq!(without_overrides(text, &ids(&["9"])).as_deref(), Some(text));
        // One that is a text alone has no id.
        let plain = without_overrides(text, &|entry| entry == "~/x").unwrap();
        assert!(!plain.contains("~/x") && plain.contains(r#"{"id":"2","path":"/b"}"#));
    }

    #[test]
    fn what_is_no_policy_is_survived() {
        for text in [
            "",
            "{",
            "[]",
            "null",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\" 1}",
            "{,}",
            "{\"temporary_overrides\": [",
            "{\"temporary_overrides\": [1",
            "{\"temporary_overrides\": {}}",
            "{\"temporary_overrides\": \"x\"}",
            "{\"\\",
            "{\"a\":[}]}",
        ] {
            let _any = with_override(text, ENTRY);
            let _any = without_overrides(text, &ids(&["1"]));
        }
    }
}
