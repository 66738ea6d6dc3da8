//! Running tasks: each command as it would be typed, with the time it takes.

use crate::root::root;
use crate::tasks::{Action, Task, find};
use std::fmt;
use std::io;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Why a task did not pass.
#[derive(Debug)]
pub(crate) enum RunError {
    /// A command could not be started.
    Start(String, io::Error),
    /// A command ended with this status.
    Failed(String, ExitStatus),
}

// === impl RunError ===

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(command, error) => write!(f, "cannot start `{command}`: {error}"),
            Self::Failed(command, status) => write!(f, "`{command}` failed: {status}"),
        }
    }
}

/// Runs the tasks in order, to the first that fails. `extra` are further arguments for the last
/// command of the only task.
pub(crate) fn run(tasks: &[&Task], extra: &[String]) -> Result<(), RunError> {
    let begun = Instant::now();
    let mut times = Vec::new();
    for task in tasks {
        run_task(task, extra, &mut times)?;
    }
    if times.len() > 1 {
        println!("=== times");
        for (name, took) in &times {
            println!("{:>6.1} s  {name}", took.as_secs_f64());
        }
        println!("every task passed in {} s", begun.elapsed().as_secs());
    }
    Ok(())
}

fn run_task(
    task: &Task,
    extra: &[String],
    times: &mut Vec<(&'static str, Duration)>,
) -> Result<(), RunError> {
    match task.action {
        Action::Tasks(names) => {
            for name in names {
                let task = find(name).expect("a test holds that every listed task is in the table");
                run_task(task, &[], times)?;
            }
        }
        Action::Commands(commands) => {
            let begun = Instant::now();
            println!("=== {}", task.name);
            for (number, line) in (1..).zip(commands) {
                let extra = if number == commands.len() { extra } else { &[] };
                run_command(line, extra)?;
            }
            println!("--- {} took {} s", task.name, begun.elapsed().as_secs());
            times.push((task.name, begun.elapsed()));
        }
    }
    Ok(())
}

/// Runs one command at the repository's root.
fn run_command(line: &str, extra: &[String]) -> Result<(), RunError> {
    let shown = [&[line.to_owned()], extra].concat().join(" ");
    println!("$ {shown}");
    let status = command(line).args(extra).status();
    match status {
        Err(error) => Err(RunError::Start(shown, error)),
        Ok(status) if !status.success() => Err(RunError::Failed(shown, status)),
        Ok(_) => Ok(()),
    }
}

/// A command from its line. What `cargo run` sets about this crate is not handed on.
fn command(line: &str) -> Command {
    let mut words = line.split(' ').peekable();
    let mut settings = Vec::new();
    while let Some(setting) = words.next_if(|word| word.contains('=')) {
        settings.extend(setting.split_once('='));
    }
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir(root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.envs(settings);
    command
}

#[cfg(test)]
mod tests {
    use super::{RunError, command, run};
    use crate::tasks::{Action, Task};

    fn task(commands: &'static [&'static str]) -> Task {
        Task {
            name: "sample",
            help: "A sample.",
            action: Action::Commands(commands),
        }
    }

    #[test]
    fn the_first_failure_ends_the_run() {
        let sample = task(&["true", "false", "/nonexistent/program"]);
        let error = run(&[&sample], &[]).expect_err("false fails");
        assert!(
            matches!(error, RunError::Failed(ref line, _) if line == "false"),
            "{error}"
        );
        let sample = task(&["/nonexistent/program"]);
        let error = run(&[&sample], &[]).expect_err("there is no such program");
        assert!(matches!(error, RunError::Start(..)), "{error}");
    }

    #[test]
    fn further_arguments_go_to_the_last_command() {
        let sample = task(&["test a = a", "test b ="]);
        assert!(run(&[&sample], &["b".to_owned()]).is_ok());
        assert!(run(&[&sample], &["c".to_owned()]).is_err());
    }

    #[test]
    fn settings_before_the_program_are_its_environment() {
        let output = command("SAMPLE=-Dx env").output().expect("env is there");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.lines().any(|line| line == "SAMPLE=-Dx"), "{text}");
    }

    #[test]
    fn what_cargo_sets_for_this_crate_is_not_handed_on() {
        let output = command("env").output().expect("env is there");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!text.contains("CARGO_MANIFEST_DIR="), "{text}");
        assert!(text.contains("PATH="), "{text}");
    }
}
