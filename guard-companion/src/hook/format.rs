//! The formats of the agents' hooks: what they pass in, and what they read of an answer.
//!
//! | agent | events that are answered | where the text goes |
//! |---|---|---|
//! | `claude`, `codex` | `PostToolUse`, `PostToolUseFailure` | `hookSpecificOutput.additionalContext` |
//! | `gemini` | `AfterTool` | the same |
//! | `antigravity` | `PreInvocation` | `injectSteps[].ephemeralMessage` |
//! | `cursor` | `postToolUse`, `postToolUseFailure` | `additional_context` |
//! | `copilot` | `postToolUse`, `postToolUseFailure` | `additionalContext` |
//! | `opencode` | `tool.execute.after` | `additional_context`, which the installed plugin appends |
//!
//! Other events of an agent are not this hook's, and get no answer. Fields that are not known are
//! ignored: agents add some with each version.

use serde_json::{Value, json};
use std::time::Duration;

/// An agent whose hooks can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agent {
    Claude,
    Codex,
    Gemini,
    Antigravity,
    Cursor,
    Copilot,
    Opencode,
}

/// A call of a tool that a hook reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The event, as the agent named it.
    pub(super) event: String,
    /// The agent's own session.
    pub(super) session: Option<String>,
    /// When it may have begun, wall clock nanoseconds.
    pub(super) since_ns: u64,
}

/// What was read of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A call that ended.
    Call(Call),
    /// An event that is none of this hook's business.
    NotOurs,
    /// No event of this agent.
    NotUnderstood,
}

// === impl Agent ===

impl Agent {
    /// The agent that people call so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "claude" => Self::Claude,
            "codex" => Self::Codex,
            "gemini" => Self::Gemini,
            "antigravity" => Self::Antigravity,
            "cursor" => Self::Cursor,
            "copilot" => Self::Copilot,
            "opencode" => Self::Opencode,
            _ => return None,
        })
    }

    /// Reads an input that arrived at `now_ns`.
    pub(super) fn read(self, input: &[u8], now_ns: u64) -> Read {
        let Ok(Value::Object(input)) = serde_json::from_slice(input) else {
            return Read::NotUnderstood;
        };
        let text = |names: &[&str]| {
            let mut found = names.iter().filter_map(|name| input.get(*name)?.as_str());
            found.next().map(str::to_owned)
        };
        let event = text(&["hook_event_name", "hookEventName"]);
        let Some(event) = event.or_else(|| self.event_by_fields(&|name| input.contains_key(name)))
        else {
            return Read::NotUnderstood;
        };
        if !self.answers().contains(&event.as_str()) {
            return Read::NotOurs;
        }
        let lasted = ["duration_ms", "duration"]
            .into_iter()
            .find_map(|name| input.get(name)?.as_f64());
        let lasted = lasted
            .and_then(|milliseconds| Duration::try_from_secs_f64(milliseconds / 1000.0).ok())
            .map_or(LONGEST_CALL, |lasted| lasted.saturating_add(SLACK));
        let lasted = u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX);
        Read::Call(Call {
            event,
            session: text(&[
                "session_id",
                "sessionId",
                "conversation_id",
                "conversationId",
            ])
            .filter(|session| !session.is_empty()),
            since_ns: now_ns.saturating_sub(lasted),
        })
    }

    /// The answer to a call.
    pub(super) fn answer(self, call: &Call, text: &str) -> Value {
        match self {
            Self::Claude | Self::Codex | Self::Gemini => json!({
                "hookSpecificOutput": { "hookEventName": call.event, "additionalContext": text }
            }),
            Self::Antigravity => json!({ "injectSteps": [{ "ephemeralMessage": text }] }),
            Self::Cursor | Self::Opencode => json!({ "additional_context": text }),
            // The editor's hooks have the names and the format of Claude Code.
            Self::Copilot if call.event.starts_with('P') => Self::Claude.answer(call, text),
            Self::Copilot => json!({ "additionalContext": text }),
        }
    }

    /// The events whose answer reaches the model.
    const fn answers(self) -> &'static [&'static str] {
        match self {
            Self::Claude | Self::Codex => &["PostToolUse", "PostToolUseFailure"],
            Self::Gemini => &["AfterTool"],
            Self::Antigravity => &["PreInvocation"],
            Self::Cursor => &["postToolUse", "postToolUseFailure"],
            Self::Copilot => &[
                "postToolUse",
                "postToolUseFailure",
                "PostToolUse",
                "PostToolUseFailure",
            ],
            Self::Opencode => &["tool.execute.after"],
        }
    }

    /// The event of an input that does not name it.
    fn event_by_fields(self, has: &dyn Fn(&str) -> bool) -> Option<String> {
        let event = match self {
            Self::Copilot if has("toolName") && has("error") => "postToolUseFailure",
            Self::Copilot if has("toolName") && has("toolResult") => "postToolUse",
            Self::Copilot if has("toolName") => "preToolUse",
            Self::Antigravity if has("invocationNum") => "PreInvocation",
            Self::Antigravity if has("conversationId") => "another",
            _ => return None,
        };
        Some(event.to_owned())
    }
}

/// What is looked back when the agent does not say how long its call took.
const LONGEST_CALL: Duration = Duration::from_secs(600);

/// Between the call's own clock and the kernel's answers.
const SLACK: Duration = Duration::from_secs(2);
