//! What an agent's model reads of its denials: facts, and what can be done instead.
//!
//! The first line is for programs; each further denial has such a line, too. The text is never longer
//! than [`MAX_BYTES`], and a name cannot begin another line of it. It has no way to grant anything.

use guard_report::notice::Kept;
use guard_report::sentence::visible;
use guard_report::shell::word;
use guard_report::story::Story;

/// Agents show this much whole.
pub(super) const MAX_BYTES: usize = 2048;

/// The text for these denials, the oldest first; `None` if there are none.
pub(super) fn compose(stories: &[Story<'_>]) -> Option<String> {
    let shown = stories.len().min(MAX_SHOWN);
    let texts = (1..=shown).rev().map(|shown| with(stories, shown));
    texts.flatten().find(|text| text.len() <= MAX_BYTES)
}

/// The text with so many of the denials.
fn with(stories: &[Story<'_>], shown: usize) -> Option<String> {
    let last = stories.last()?;
    let is_repeated = stories.iter().all(|story| story.count >= REPEATED);
    let mut text = String::new();
    // The newest first: it is what the agent waits for.
    for story in stories.iter().rev().take(shown) {
        text.push_str(&fact(story));
        text.push('\n');
    }
    if stories.len() > shown {
        let more = stories.len() - shown;
        text.push_str(&format!(
            "codex-es-guard: {more} more were denied in this call\n"
        ));
    }
    if is_repeated {
        let count = last.count;
        text.push_str(&format!(
            "The same was denied {count} times by now, and each further try will be. Stop trying, also \
             by other means, and go on without it.\n"
        ));
        text.push_str(&asking(last));
    } else {
        text.push_str(&explanation(last));
    }
    Some(text)
}

/// One denial for programs.
fn fact(story: &Story<'_>) -> String {
    let record = &story.record;
    let zone = record
        .zone_name
        .as_deref()
        .map(|name| format!(" zone={}", short_word(name)));
    format!(
        "codex-es-guard: denied op={} path={}{} reason={} id={} count={}",
        short_word(&record.op),
        short_word(&record.path),
        zone.unwrap_or_default(),
        short_word(&record.reason),
        story.id(),
        story.count
    )
}

/// What it means, and what can be done instead.
fn explanation(story: &Story<'_>) -> String {
    let path = short(&visible(&story.record.path));
    let why = Kept::of(&story.record).why();
    format!(
        "{path} was kept: {why}. A file guard that the person runs decided this, not the file's mode, \
         not the agent's sandbox. It is final for this path, whichever program tries, until a person \
         answers a request.\n\
         Possible now: leave it and go on; change its contents instead, which is allowed and can be \
         undone; move nothing out of the zone.\n{}",
        asking(story)
    )
}

fn asking(story: &Story<'_>) -> String {
    if story.request.is_none() {
        return "This cannot be requested: say to the person what is to be done, and why.\n"
            .to_owned();
    }
    let path = word(story.record.path.as_bytes());
    if path.len() > MAX_PATH_BYTES {
        // A cut word would be another path, or none.
        return format!(
            "If it is needed for the task: `codex-es-guard why {}` has the command that asks the \
             person, once.\n",
            story.id()
        );
    }
    format!(
        "If it is needed for the task: ask the person by the tool request_security_override of the MCP \
         server codex-es-guard, or by `codex-es-guard request {path} --because REASON --wait 2m`, once.\n"
    )
}

/// One word of a shell, or of it as much as fits.
fn short_word(text: &str) -> String {
    short(&word(text.as_bytes()))
}

fn short(text: &str) -> String {
    if text.len() <= MAX_PATH_BYTES {
        return text.to_owned();
    }
    let mut end = MAX_PATH_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}

/// How often the same must be denied to count as repeated.
const REPEATED: usize = 3;

/// Denials that are shown each for itself.
const MAX_SHOWN: usize = 3;

/// What is shown of a path, whose whole text is in `codex-es-guard why`.
const MAX_PATH_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_report::record::DecisionRecord;

    fn line(path: &str, seq: u64) -> String {
        serde_json::json!({
            "op": "unlink", "path": path, "dest": null, "process": "rm", "pid": 7, "seq": seq,
            "time": "2026-11-26T10:00:00Z", "ring": "8d4db789aabbccdd", "verdict": "deny",
            "reason": "agent_in_zone", "agent": "claude_code", "zone_name": "work",
            "zone": "/home/me/work",
        })
        .to_string()
    }

    fn story(line: &str, count: usize) -> Story<'_> {
        let record = DecisionRecord::parse(line).unwrap();
        let request = Some("codex-es-guard request X".to_owned());
        Story {
            record,
            count,
            since: None,
            request,
        }
    }

    #[test]
    fn the_first_line_is_for_programs_and_the_rest_are_facts() {
        let line = line("/home/me/work/thesis.tex", 12);
        assert_eq!(
            compose(&[story(&line, 1)]).unwrap(),
            "codex-es-guard: denied op=unlink path=/home/me/work/thesis.tex zone=work \
             reason=agent_in_zone id=8d4db789-12 count=1\n\
             /home/me/work/thesis.tex was kept: only a person may remove it (zone \"work\"). A file \
             guard that the person runs decided this, not the file's mode, not the agent's sandbox. It \
             is final for this path, whichever program tries, until a person answers a request.\n\
             Possible now: leave it and go on; change its contents instead, which is allowed and can be \
             undone; move nothing out of the zone.\n\
             If it is needed for the task: ask the person by the tool request_security_override of the \
             MCP server codex-es-guard, or by `codex-es-guard request /home/me/work/thesis.tex \
             --because REASON --wait 2m`, once.\n"
        );
        assert_eq!(compose(&[]), None);
    }

    #[test]
    fn repeated_denials_are_a_count_and_a_request_to_stop() {
        let line = line("/home/me/work/thesis.tex", 40);
        let text = compose(&[story(&line, 21)]).unwrap();
        assert!(
            text.starts_with("codex-es-guard: denied op=unlink "),
            "{text}"
        );
        assert!(
            text.contains("count=21\nThe same was denied 21 times by now"),
            "{text}"
        );
        assert!(text.contains("Stop trying"), "{text}");
        assert!(!text.contains("was kept"), "{text}");
    }

    #[test]
    fn whatever_the_names_the_text_is_short_has_its_lines_and_grants_nothing() {
        for name in ["a", "\n", "\u{202e}", "é", "codex-es-guard: denied\n", "'"] {
            let lines: Vec<String> = (0..90)
                .map(|seq| {
                    line(
                        &format!("/home/me/work/{}", name.repeat(4000 / name.len())),
                        seq,
                    )
                })
                .collect();
            for number in [1, 2, 3, 4, 90] {
                let stories: Vec<_> = lines
                    .iter()
                    .take(number)
                    .map(|line| story(line, 1))
                    .collect();
                let text = compose(&stories).unwrap();
                assert!(text.len() <= MAX_BYTES, "{}: {text}", text.len());
                let facts = text
                    .lines()
                    .filter(|line| line.starts_with("codex-es-guard: denied "));
                assert_eq!(facts.count(), number.min(MAX_SHOWN), "{text}");
                assert!(
                    !text.contains("approve") && !text.contains("es_policy"),
                    "{text}"
                );
            }
        }
    }
}
