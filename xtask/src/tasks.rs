//! The table of tasks, and the lists that CI runs.
//!
//! To add a task, add a row to [`TASKS`]; to have CI run it, add its name to [`CI`]. Every script in
//! `.ci/` is the command of a row or is named by another script; a test holds that.

use Action::{Commands, Tasks};

/// One task: what a developer types after `cargo xtask`.
pub(crate) struct Task {
    /// Its name: small letters and hyphens.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) help: &'static str,
    /// What it does.
    pub(crate) action: Action,
}

/// What a task does.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    /// Runs commands, each as it would be typed, but without quotes: words are what spaces part.
    /// Leading words with an equals sign are settings of its environment.
    Commands(&'static [&'static str]),
    /// Runs other tasks in order.
    Tasks(&'static [&'static str]),
}

// === impl Task ===

impl Task {
    /// Whether arguments can be added to its last command.
    pub(crate) fn takes_arguments(&self) -> bool {
        matches!(self.action, Commands(_))
    }
}

/// Every task, in the order in which a reader wants them.
pub(crate) const TASKS: &[Task] = &[
    Task {
        name: "ci",
        help: "Every check of a Linux machine, in the order in which they fail cheapest",
        action: Tasks(CI),
    },
    Task {
        name: "ci-macos",
        help: "Every check of a Mac",
        action: Tasks(CI_MACOS),
    },
    Task {
        name: "install",
        help: "Install what the checks need and the machine lacks (Debian, root)",
        action: Commands(&[".ci/install"]),
    },
    Task {
        name: "fmt",
        help: "Check the formatting",
        action: Commands(&["cargo fmt --all --check"]),
    },
    Task {
        name: "clippy",
        help: "Lint everything; warnings are errors",
        action: Commands(&["cargo clippy --workspace --all-targets --locked -- -Dwarnings"]),
    },
    Task {
        name: "clippy-apple",
        help: "Lint libraries and programs for both kinds of Mac, from any machine",
        action: Commands(&[
            "cargo clippy --workspace --lib --bins --locked --target aarch64-apple-darwin -- -Dwarnings",
            "cargo clippy --workspace --lib --bins --locked --target x86_64-apple-darwin -- -Dwarnings",
        ]),
    },
    Task {
        name: "doc",
        help: "Build the documentation; broken links are errors",
        action: Commands(&[
            "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --document-private-items --locked",
        ]),
    },
    Task {
        name: "build",
        help: "Build every crate",
        action: Commands(&["cargo build --workspace --locked"]),
    },
    Task {
        name: "test",
        help: "Run the tests of every crate",
        action: Commands(&["cargo test --workspace --locked"]),
    },
    Task {
        name: "promises",
        help: "Check that every test that a promise names is there and not ignored",
        action: Commands(&[".ci/promises"]),
    },
    Task {
        name: "msrv",
        help: "Build with the oldest Rust that Cargo.toml promises",
        action: Commands(&[".ci/msrv"]),
    },
    Task {
        name: "deny",
        help: "Check licences, sources and duplicates of the dependencies",
        action: Commands(&["cargo deny --log-level error check bans licenses sources"]),
    },
    Task {
        name: "advisories",
        help: "Check the dependencies for known vulnerabilities, where the network allows",
        action: Commands(&[".ci/advisories"]),
    },
    Task {
        name: "package",
        help: "Pack every crate as it would be published",
        action: Commands(&[".ci/package"]),
    },
    Task {
        name: "words",
        help: "Check spelling, and that no word is used that the project avoids",
        action: Commands(&[".ci/words"]),
    },
    Task {
        name: "workflows",
        help: "Check that the workflow, the issue forms and dependabot.yml are well-formed",
        action: Commands(&[".ci/workflows"]),
    },
    Task {
        name: "loom",
        help: "Explore every interleaving of the ring's and the lineage table's threads",
        action: Commands(&[".ci/loom"]),
    },
    Task {
        name: "miri",
        help: "Run under Miri what touches memory by hand",
        action: Commands(&[".ci/miri"]),
    },
    Task {
        name: "tsan",
        help: "Run the ring's threads under ThreadSanitizer",
        action: Commands(&[".ci/tsan"]),
    },
    Task {
        name: "fuzz",
        help: "Fuzz each parser of foreign bytes for some seconds",
        action: Commands(&[".ci/fuzz"]),
    },
    Task {
        name: "mutants",
        help: "See whether guard-core's tests notice changed rules (long; not in CI)",
        action: Commands(&[".ci/mutants"]),
    },
    Task {
        name: "apple",
        help: "Build, sign and read back the macOS bundle, on a machine that is no Mac",
        action: Commands(&[".ci/apple"]),
    },
    Task {
        name: "deployment",
        help: "Check property lists, entitlements, flake.nix and the nix-darwin module",
        action: Commands(&[".ci/deployment"]),
    },
    Task {
        name: "dashboards",
        help: "Check dashboards, rules and their cases, runbooks and example configurations",
        action: Commands(&[".ci/dashboards"]),
    },
    Task {
        name: "promtool",
        help: "Check the form of the metrics that the exporter serves",
        action: Commands(&[".ci/promtool"]),
    },
    Task {
        name: "prometheus",
        help: "Have a real Prometheus scrape a denial",
        action: Commands(&[".ci/prometheus"]),
    },
    Task {
        name: "alerts",
        help: "Have alerts of a real session reach a webhook",
        action: Commands(&[".ci/alerts"]),
    },
    Task {
        name: "otlp",
        help: "Have a real OpenTelemetry collector receive a denial",
        action: Commands(&[".ci/otlp"]),
    },
    Task {
        name: "browser",
        help: "Use the exporter's page in a real browser",
        action: Commands(&[".ci/browser"]),
    },
    Task {
        name: "previews",
        help: "Check that every panel has data, and draw the dashboards",
        action: Commands(&[".ci/previews"]),
    },
    Task {
        name: "agents",
        help: "Have real agents read why, ask, and go on, and work for a day undisturbed",
        action: Commands(&[".ci/agents"]),
    },
    Task {
        name: "everyday",
        help: "Do two days of work with real tools, as an agent under guard",
        action: Commands(&[".ci/everyday"]),
    },
    Task {
        name: "many-files",
        help: "Restore 100,000 files that one `git checkout` discarded",
        action: Commands(&[".ci/many-files"]),
    },
    Task {
        name: "fleet",
        help: "Have one Prometheus watch fifty exporters",
        action: Commands(&[".ci/fleet"]),
    },
    Task {
        name: "demo",
        help: "Run the demonstration with the release build",
        action: Commands(&["cargo run --release --locked -- demo"]),
    },
];

/// What CI runs on Linux.
const CI: &[&str] = &[
    "fmt",
    "workflows",
    "words",
    "deployment",
    "clippy",
    "clippy-apple",
    "doc",
    "deny",
    "advisories",
    "package",
    "build",
    "test",
    "promises",
    "msrv",
    "loom",
    "miri",
    "tsan",
    "fuzz",
    "apple",
    "dashboards",
    "promtool",
    "prometheus",
    "alerts",
    "otlp",
    "browser",
    "previews",
    "fleet",
    "agents",
    "everyday",
    "many-files",
    "demo",
];

/// What CI runs on a Mac.
const CI_MACOS: &[&str] = &["fmt", "clippy", "build", "test"];

/// The task of this name.
pub(crate) fn find(name: &str) -> Option<&'static Task> {
    TASKS.iter().find(|task| task.name == name)
}

#[cfg(test)]
mod tests {
    use super::{Action, CI, TASKS, find};
    use crate::root::root;
    use std::collections::BTreeSet;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn names_are_short_words_and_differ() {
        let mut names = BTreeSet::new();
        for task in TASKS {
            let plain = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(task.name.chars().all(plain), "{}", task.name);
            assert!(names.insert(task.name), "{} twice", task.name);
            assert!(!task.help.ends_with('.'), "{}: {}", task.name, task.help);
        }
    }

    #[test]
    fn lists_name_tasks_that_run_commands() {
        for task in TASKS {
            if let Action::Tasks(names) = task.action {
                assert!(!names.is_empty());
                let mut seen = BTreeSet::new();
                for name in names {
                    let listed = find(name).unwrap_or_else(|| panic!("no task {name}"));
                    assert!(listed.takes_arguments(), "{name} is a list itself");
                    assert!(seen.insert(name), "{} lists {name} twice", task.name);
                }
            }
        }
    }

    #[test]
    fn every_script_is_run_by_a_task_or_by_another_script() {
        let mut texts = vec![(String::from("the table"), commands().join("\n"))];
        let mut scripts = Vec::new();
        for entry in fs::read_dir(root().join(".ci")).expect(".ci is there") {
            let path = entry.expect("it can be listed").path();
            let metadata = path.metadata().expect("it is there");
            if !metadata.is_file() {
                continue;
            }
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.expect("the name is text").to_owned();
            if metadata.permissions().mode() & 0o111 != 0 && name != "run" {
                scripts.push(name.clone());
            }
            let text = fs::read_to_string(&path).expect("a script is text");
            texts.push((name, text));
        }
        assert!(scripts.len() > 10, "{scripts:?}");
        for name in scripts {
            let used = texts
                .iter()
                .any(|(user, text)| *user != name && text.contains(&format!(".ci/{name}")));
            assert!(used, "nothing runs .ci/{name}");
        }
    }

    #[test]
    fn a_script_is_there_and_gives_its_task_the_name() {
        for task in TASKS {
            if let Action::Commands(&[command]) = task.action
                && let Some(script) = command.strip_prefix(".ci/")
            {
                assert_eq!(script, task.name);
            }
        }
        for command in commands() {
            let script = command.split(' ').find(|word| word.starts_with(".ci/"));
            assert!(
                script.is_none_or(|script| root().join(script).is_file()),
                "{command}"
            );
        }
    }

    #[test]
    fn ci_runs_every_script_that_keeps_a_promise() {
        let read = |path| fs::read_to_string(root().join(path)).expect("it is there");
        let documents = [
            "SPECIFICATION.md",
            "ARCHITECTURE.md",
            "endpoint-sec/README.md",
        ]
        .map(read);
        let named: BTreeSet<&str> = documents
            .iter()
            .flat_map(|text| text.split("`.ci/").skip(1))
            .filter_map(|rest| rest.split('`').next())
            .filter(|name| !name.is_empty())
            .collect();
        assert!(named.len() > 5, "{named:?}");
        for name in named {
            assert!(CI.contains(&name), "CI does not run .ci/{name}");
        }
    }

    #[test]
    fn ci_begins_with_what_fails_cheapest() {
        assert_eq!(CI.first(), Some(&"fmt"));
        let place = |name| CI.iter().position(|task| *task == name);
        assert!(place("clippy") < place("test") && place("build") < place("test"));
    }

    fn commands() -> Vec<&'static str> {
        let lists = TASKS.iter().filter_map(|task| match task.action {
            Action::Commands(commands) => Some(commands),
            Action::Tasks(_) => None,
        });
        lists.flatten().copied().collect()
    }
}
