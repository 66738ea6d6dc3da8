//! What hooks remember from one to the next: which denials an agent was shown, and how often they
//! answered.
//!
//! It lies where an agent may write, since a hook is the agent's process:
//! `$XDG_STATE_HOME/codex-es-guard/hooks.json`. Whoever changes it changes only what that agent is
//! shown. Where it cannot be kept, hooks work without it.

use serde_json::{Map, Value, json};
use std::fs::{DirBuilder, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

/// What became of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There was something to say.
    Answered,
    /// There was nothing to say.
    Silent,
    /// The input was none that the agent passes.
    NotUnderstood,
}

/// The memory while it is locked.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// By ring: the numbers of the denials that were shown, the oldest first.
    shown: Map<String, Value>,
    /// By agent: how often hooks ended each way.
    counts: Map<String, Value>,
}

// === impl Outcome ===

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Silent => "silent",
            Self::NotUnderstood => "not_understood",
        }
    }
}

// === impl Memory ===

impl Memory {
    /// Changes the memory, while no other hook does. Does nothing where there can be none.
    pub(super) fn change(change: impl FnOnce(&mut Self)) {
        let Some(mut file) = path().and_then(open) else {
            return;
        };
        let mut text = String::new();
        let _begins_new = (&mut file).take(MAX_BYTES).read_to_string(&mut text);
        let mut memory = Self::parse(&text);
        change(&mut memory);
        let text = memory.to_json().to_string();
        let written = file
            .rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.write_all(text.as_bytes()));
        // The next hook begins with nothing, and shows what was shown.
        drop(written);
    }

    /// One more hook of this agent ended so.
    pub(super) fn count(&mut self, agent: &str, outcome: Outcome) {
        if !self.counts.contains_key(agent) && self.counts.len() >= MAX_AGENTS {
            return;
        }
        let counts = self.counts.entry(agent).or_insert_with(|| json!({}));
        let count = counts[outcome.as_str()].as_u64().unwrap_or(0);
        if let Some(counts) = counts.as_object_mut() {
            counts.insert(
                outcome.as_str().to_owned(),
                (count.saturating_add(1)).into(),
            );
        }
    }

    /// Whether a denial was not shown yet. From now on it was.
    pub(super) fn is_new(&mut self, ring: &str, number: u64) -> bool {
        if !self.shown.contains_key(ring) && self.shown.len() >= MAX_RINGS {
            let oldest = self.shown.keys().next().cloned();
            // The order of the others stays.
            self.shown.shift_remove(&oldest.unwrap_or_default());
        }
        let shown = self.shown.entry(ring).or_insert_with(|| json!([]));
        let Some(shown) = shown.as_array_mut() else {
            return true;
        };
        // What was forgotten is older than all that is remembered.
        let oldest = shown.first().and_then(Value::as_u64);
        if shown.len() >= MAX_SHOWN && oldest.is_some_and(|oldest| number < oldest) {
            return false;
        }
        let number = Value::from(number);
        if shown.contains(&number) {
            return false;
        }
        if shown.len() >= MAX_SHOWN {
            shown.remove(0);
        }
        shown.push(number);
        true
    }

    /// Reads a memory; what is none is an empty one.
    fn parse(text: &str) -> Self {
        let mut value: Value = serde_json::from_str(text).unwrap_or_default();
        let mut take = |name: &str| match value.get_mut(name).map(Value::take) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let (mut shown, mut counts) = (take("shown"), take("counts"));
        shown.retain(|_, numbers| numbers.is_array());
        counts.retain(|_, counts| counts.is_object());
        Self { shown, counts }
    }

    fn to_json(&self) -> Value {
        json!({ "counts": self.counts, "shown": self.shown })
    }
}

/// Where it is.
fn path() -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    Some(state?.join("codex-es-guard/hooks.json"))
}

fn open(path: PathBuf) -> Option<File> {
    let mut directory = DirBuilder::new();
    directory.recursive(true).mode(0o700);
    directory.create(path.parent()?).ok()?;
    let mut options = File::options();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let file = options.open(path).ok()?;
    file.lock().ok()?;
    Some(file)
}

/// A longer file is none of these.
const MAX_BYTES: u64 = 1 << 20;

/// Names of agents come from a command line.
const MAX_AGENTS: usize = 32;

/// Rings whose denials are remembered.
const MAX_RINGS: usize = 16;

/// Denials of a ring that are remembered.
const MAX_SHOWN: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_new_once_and_the_memory_is_bounded() {
        let mut memory = Memory::default();
        assert!(memory.is_new("a", 1));
        assert!(!memory.is_new("a", 1));
        assert!(memory.is_new("b", 1));
        let mut memory = Memory::parse(&memory.to_json().to_string());
        assert!(!memory.is_new("a", 1) && !memory.is_new("b", 1));
        for number in 0..2000 {
            memory.is_new("a", number);
            memory.is_new(&format!("ring {number}"), number);
            memory.count(&format!("agent {number}"), Outcome::Silent);
        }
        assert!(memory.to_json().to_string().len() < 32 * 1024);
    }

    #[test]
    fn what_was_forgotten_is_not_shown_again() {
        let mut memory = Memory::default();
        let many = 3 * MAX_SHOWN as u64;
        assert!((0..many).all(|number| memory.is_new("a", number)));
        assert!(!(0..many).any(|number| memory.is_new("a", number)));
        for number in 0..MAX_RINGS {
            memory.is_new(&format!("ring {number}"), 1);
        }
        let rings: Vec<&String> = memory.shown.keys().collect();
        let expected: Vec<String> = (0..MAX_RINGS)
            .map(|number| format!("ring {number}"))
            .collect();
        assert_eq!(
            rings,
            expected.iter().collect::<Vec<_>>(),
            "the oldest goes"
        );
    }

    #[test]
    fn hooks_are_counted_by_agent_and_outcome() {
        let mut memory = Memory::parse("no memory at all");
        for outcome in [
            Outcome::NotUnderstood,
            Outcome::Silent,
            Outcome::NotUnderstood,
        ] {
            memory.count("claude", outcome);
        }
        assert_eq!(
            memory.to_json()["counts"],
            json!({"claude": {"not_understood": 2, "silent": 1}})
        );
        let odd = r#"{"shown": {"a": 7, "b": [1]}, "counts": {"c": [], "d": {"silent": "x"}}}"#;
        let mut memory = Memory::parse(odd);
        memory.count("d", Outcome::Silent);
        assert!(memory.is_new("a", 1) && !memory.is_new("b", 1));
        assert_eq!(memory.to_json()["counts"], json!({"d": {"silent": 1}}));
    }
}
