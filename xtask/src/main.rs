//! `cargo xtask`: the project's tasks by name.
//!
//! ```text
//! cargo xtask                list the tasks
//! cargo xtask TASK...        run these tasks, in this order, to the first that fails
//! cargo xtask TASK -- ARG... run one task with arguments for its last command
//! ```
//!
//! The table in [`tasks`] is the only list. `.ci/run` runs the task `ci`, the workflow in `.github/`
//! runs `ci`, `ci-macos` and single tasks, and developers run what they need; all of them run the
//! same commands. A long task is a script in `.ci/`, which can also be run directly.
//!
//! Exit status: 0 when every task passed, 1 when one failed, 2 when there is no such task.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a command line program"
)]

mod nearest;
mod root;
mod run;
mod tasks;

use std::process::ExitCode;
use tasks::{TASKS, Task};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let split = words.iter().position(|word| word == "--");
    let (names, extra) = match split {
        Some(at) => (&words[..at], &words[at + 1..]),
        None => (&words[..], &[][..]),
    };
    if names.is_empty() || matches!(names[0].as_str(), "help" | "-h" | "--help") {
        print!("{}", list());
        return ExitCode::SUCCESS;
    }
    let mut chosen = Vec::new();
    for name in names {
        match tasks::find(name) {
            Some(task) => chosen.push(task),
            None => {
                eprintln!("{}", unknown(name));
                return ExitCode::from(2);
            }
        }
    }
    if !extra.is_empty() && (chosen.len() != 1 || !chosen[0].takes_arguments()) {
        eprintln!("xtask: arguments after `--` need exactly one task that runs a command");
        return ExitCode::from(2);
    }
    match run::run(&chosen, extra) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The tasks, one a line, each with its help.
fn list() -> String {
    let width = TASKS.iter().map(|task| task.name.len()).max().unwrap_or(0);
    let mut text = String::from("Usage: cargo xtask TASK... | TASK -- ARG...\n\nTasks:\n");
    for Task { name, help, .. } in TASKS {
        text.push_str(&format!("  {name:width$}  {help}\n"));
    }
    text
}

/// What an unknown name is answered with.
fn unknown(name: &str) -> String {
    let names = TASKS.iter().map(|task| task.name);
    match nearest::nearest(name, names) {
        Some(near) => format!("xtask: no task `{name}`; did you mean `{near}`?"),
        None => format!("xtask: no task `{name}`; `cargo xtask` lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::{list, unknown};

    #[test]
    fn the_list_has_a_line_for_each_task() {
        let list = list();
        for task in crate::tasks::TASKS {
            let line = list.lines().find(|line| line.contains(task.help));
            let line = line.expect("the task's help is in the list");
            assert_eq!(line.split_whitespace().next(), Some(task.name));
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest_one() {
        assert!(unknown("clipy").contains("did you mean `clippy`?"));
        assert!(unknown("zzzzzzzzzz").contains("lists them"));
    }
}
