//! What `codex-es-guard` and the companion program beside it agree on: its name, and the arguments of the
//! command that both read.
//!
//! `codex-es-guard` describes the companion's commands in its help and completions, and passes them on.

use clap::builder::PossibleValuesParser;

/// The companion's program.
pub const PROGRAM: &str = "guard-companion";

/// Its command that shows a person a request, which only the guard runs.
pub const NOTIFY: &str = "notify";

/// The agents whose hooks it answers, by the names that people call them.
pub const HOOKS: [&str; 7] = [
    "claude",
    "codex",
    "gemini",
    "antigravity",
    "cursor",
    "copilot",
    "opencode",
];

/// The agents that it can set up.
pub const AGENTS: [&str; 8] = [
    "claude",
    "codex",
    "gemini",
    "antigravity",
    "cursor",
    "copilot",
    "opencode",
    "goose",
];

/// Put the hooks and the MCP server into agents' own configuration.
///
/// Shows what it would change, asks, and keeps what was there. Formatting and comments stay; run again it
/// changes nothing.
///
/// Exit status: 0 if every file is as it should be, 1 if one was left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(
    after_help = "Examples:\n  codex-es-guard setup\n  codex-es-guard setup claude codex --yes\n  \
    codex-es-guard setup --remove"
)]
pub struct SetupArguments {
    /// The agents [default: those on this machine].
    #[arg(value_name = "AGENT", value_parser = PossibleValuesParser::new(AGENTS))]
    pub agents: Vec<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Only print what would change.
    #[arg(long)]
    pub print: bool,
    /// Take back what was set up.
    #[arg(long)]
    pub remove: bool,
    /// Also make wrappers in ~/.local/share/codex-es-guard/bin that start agents under guard.
    #[arg(long)]
    pub shims: bool,
}

// === impl SetupArguments ===

impl SetupArguments {
    /// As words of a command line, which are read as the same again.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        let Self {
            agents,
            yes,
            print,
            remove,
            shims,
        } = self;
        let flags = [
            (*yes, "--yes"),
            (*print, "--print"),
            (*remove, "--remove"),
            (*shims, "--shims"),
        ];
        let given = flags.into_iter().filter(|(is_given, _)| *is_given);
        let flags = given.map(|(_, flag)| flag);
        flags.chain(agents.iter().map(String::as_str)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        setup: SetupArguments,
    }

    #[test]
    fn arguments_that_are_passed_on_are_read_as_the_same() {
        for bits in 0..16 {
            let is = |bit: u32| bits & (1 << bit) != 0;
            let setup = SetupArguments {
                agents: AGENTS.iter().take(bits).map(ToString::to_string).collect(),
                yes: is(0),
                print: is(1),
                remove: is(2),
                shims: is(3),
            };
            let words = ["setup"].into_iter().chain(setup.words());
            assert_eq!(Program::try_parse_from(words).unwrap().setup, setup);
        }
        assert!(Program::try_parse_from(["setup", "nobody"]).is_err());
    }
}
