//! What a notice says of a request.

use guard_control::protocol::RequestStatus;
use guard_report::sentence::{times, visible};
use serde::Deserialize as _;
use serde_json::Value;

/// A notice, in plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// One line.
    pub(super) title: String,
    /// Some lines.
    pub(super) body: String,
}

// === impl Notice ===

impl Notice {
    /// The notice for what the guard says; `None` if it is nothing for a person.
    pub(super) fn of(input: &Value) -> Option<Self> {
        let request = RequestStatus::deserialize(input.get("request")?).ok()?;
        let agent = short(request.agent.as_deref().unwrap_or("a process"));
        let deed = deed(&request.op);
        let path = short(&request.path);
        let title = match input.get("event")?.as_str()? {
            "requested" => format!("{agent} asks to {deed}"),
            "granted" => format!("{agent} may {deed}, by the policy"),
            _ => return None,
        };
        let mut body = path;
        if let Some(because) = &request.because {
            body.push_str(&format!("\nbecause: {}", short(because)));
        }
        if request.denials > 0 {
            body.push_str(&format!("\ndenied {} before", times(request.denials)));
        }
        let answers = ["approve", "reject"].map(|name| input.get(name).and_then(Value::as_str));
        for answer in answers.into_iter().flatten() {
            body.push_str(&format!("\n{}", short(answer)));
        }
        Some(Self { title, body })
    }

    /// The body for a server that takes it for markup.
    #[cfg(any(test, not(target_os = "macos")))]
    pub(super) fn markup(&self) -> String {
        let mut escaped = String::with_capacity(self.body.len());
        for c in self.body.chars() {
            match c {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                c => escaped.push(c),
            }
        }
        escaped
    }
}

/// The operations, as people call them.
fn deed(operations: &[String]) -> String {
    let names = operations.iter().map(|name| match name.as_str() {
        "unlink" => "remove".to_owned(),
        "rename" => "move".to_owned(),
        other => short(other),
    });
    names.collect::<Vec<_>>().join(" or ")
}

/// The text visible, on one line, and no longer than fits a notice.
fn short(text: &str) -> String {
    let shown = visible(text);
    if shown.chars().count() <= MAX_CHARS {
        return shown.into_owned();
    }
    // The end of a path says most.
    let cut = shown.chars().count() - MAX_CHARS;
    format!("…{}", shown.chars().skip(cut).collect::<String>())
}

/// What fits on a notice's line or two.
const MAX_CHARS: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn input(event: &str, path: &str) -> Value {
        let is_open = event == "requested";
        json!({
            "event": event,
            "approve": is_open.then_some("codex-es-guard approve 3fa81c-1"),
            "reject": is_open.then_some("codex-es-guard reject 3fa81c-1"),
            "request": {
                "id": "3fa81c-1", "state": "open", "path": path, "op": ["unlink", "rename"],
                "because": "thesis.typ replaces it", "agent": "claude_code", "pid": 7,
                "session": "s", "asked": "2026-11-26T10:00:00Z", "answered": null,
                "answered_by": null, "answer": null, "expires_at": null, "once": false,
                "uses": 0, "denials": 3,
            },
        })
    }

    #[test]
    fn a_request_says_who_asks_for_what_and_how_to_answer() {
        let notice = Notice::of(&input("requested", "/home/me/work/thesis.tex")).unwrap();
        assert_eq!(notice.title, "claude_code asks to remove or move");
        assert_eq!(
            notice.body,
            "/home/me/work/thesis.tex\nbecause: thesis.typ replaces it\ndenied 3 times before\n\
             codex-es-guard approve 3fa81c-1\ncodex-es-guard reject 3fa81c-1"
        );
        let notice = Notice::of(&input("granted", "/home/me/work/thesis.tex")).unwrap();
        assert_eq!(
            notice.title,
            "claude_code may remove or move, by the policy"
        );
        assert!(!notice.body.contains("approve"), "{}", notice.body);
    }

    #[test]
    fn names_are_one_visible_line_and_never_markup() {
        let name = format!("/z/{}\n<b>\u{202e}&", "x".repeat(1000));
        let notice = Notice::of(&input("requested", &name)).unwrap();
        assert_eq!(notice.body.lines().count(), 5, "{}", notice.body);
        assert!(notice.body.len() < 600, "{}", notice.body);
        assert!(!notice.body.contains('\u{202e}'), "{}", notice.body);
        let markup = notice.markup();
        assert!(
            !markup.contains('<') && markup.contains("&lt;b&gt;"),
            "{markup}"
        );
        assert!(markup.contains("&amp;"), "{markup}");
    }

    #[test]
    fn what_is_no_request_is_no_notice() {
        for input in [
            json!(null),
            json!({}),
            json!({"event": "requested"}),
            json!({"event": "requested", "request": {}}),
            input("used", "/z"),
        ] {
            assert_eq!(Notice::of(&input), None, "{input}");
        }
    }
}
