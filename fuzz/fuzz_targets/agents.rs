//! Any bytes as a process's executable, arguments and environment, as on Linux or in macOS's
//! `KERN_PROCARGS2`: taking them apart and recognising an agent never panics, a label is a known one,
//! and markers that were there before the session make no agent.

#![no_main]

use guard_core::agents::{IgnoredMarkers, labels, recognise};
use guard_core::process::{MAX_ARGUMENTS_BYTES, MAX_ENVIRONMENT_BYTES, ProcessDescription};
use guard_es::processes::arguments::ArgumentArea;
use libfuzzer_sys::fuzz_target;

const PATTERNS: [&str; 2] = ["codex", "agent-of-mine"];

fuzz_target!(|answer: &[u8]| {
    let area = ArgumentArea::parse(answer);
    assert!(area.arguments.len() <= MAX_ARGUMENTS_BYTES);
    assert!(area.environment.len() <= MAX_ENVIRONMENT_BYTES);
    let parts = [area.program, area.arguments, area.environment];
    assert!(parts.iter().map(|part| part.len()).sum::<usize>() <= answer.len());

    let description = ProcessDescription {
        executable: area.program.to_vec(),
        arguments: area.arguments.to_vec(),
        environment: area.environment.to_vec(),
        ..ProcessDescription::default()
    };
    if let Some(agent) = recognise(&description, &PATTERNS, &IgnoredMarkers::default()) {
        let custom = agent.label.strip_prefix("custom:");
        let known = match custom {
            Some(pattern) => PATTERNS.contains(&pattern),
            None => labels().any(|label| label == agent.label),
        };
        assert!(known, "{}", agent.label);
        assert!(!agent.ancestor.is_empty());
    }
    let ignored = IgnoredMarkers::from_environment(&description.environment);
    let again = recognise(&description, &PATTERNS, &ignored);
    assert!(again.is_none_or(|agent| !agent.by_environment));
});
