//! A guarded session that goes on: a shell that does what a test says, when it says so.

use super::stage::{DEADLINE, Done, Stage, finish};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

/// A session whose root is a shell. It ends with [`end`](Self::end), or when it is dropped.
#[derive(Debug)]
pub(crate) struct Live {
    child: Option<Child>,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// What came of a script.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    /// Standard output and standard error, without notices.
    pub(crate) output: String,
    /// The notices of denials that were shown since the last answer, also of what went before.
    pub(crate) notices: String,
}

// === impl Live ===

impl Live {
    /// Starts `codex-es-guard run ARGUMENTS -- bash`, without an exporter.
    pub(crate) fn start<S: AsRef<OsStr>>(
        stage: &Stage,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut command = stage.guard(["run", "--no-exporter"]);
        command.args(arguments).args(["--", "bash"]);
        Self::of(command)
    }

    /// Starts a session by this command, whose root reads commands from its standard input.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        let mut live = Self {
            child: Some(child),
            stdin,
            lines,
        };
        // From here on the policy as it was is in force.
        live.type_line("true");
        live
    }

    /// The person at the shell does this.
    #[track_caller]
    pub(crate) fn human(&mut self, script: &str) -> Answer {
        self.type_line(&format!("bash -c {}", quote(script)))
    }

    /// An agent does this.
    #[track_caller]
    pub(crate) fn agent(&mut self, script: &str) -> Answer {
        // It stays above what it runs: a shell would become its last command.
        let script = quote(&format!("{script}\nexit $?"));
        self.type_line(&format!("(exec -a claude bash -c {script})"))
    }

    /// Fails unless an agent hears EPERM when it does this.
    #[track_caller]
    pub(crate) fn denies(&mut self, script: &str) {
        let answer = self.agent(script);
        let denied = answer.output.contains("Operation not permitted");
        assert!(denied && answer.code != 0, "{script}: {answer:?}");
    }

    /// Fails unless an agent can do this.
    #[track_caller]
    pub(crate) fn allows(&mut self, script: &str) {
        let answer = self.agent(script);
        assert_eq!((answer.code, answer.output.as_str()), (0, ""), "{script}");
    }

    /// Ends the shell, and with it the session.
    pub(crate) fn end(mut self) -> Done {
        drop(self.stdin.take());
        finish(self.child.take().expect("it ends once"))
    }

    #[track_caller]
    fn type_line(&mut self, command: &str) -> Answer {
        let stdin = self.stdin.as_mut().expect("it did not end");
        let typed = writeln!(
            stdin,
            "{command} < /dev/null 2>&1; code=$?; echo; echo {MARK} $code"
        );
        let (mut output, mut notices) = (String::new(), String::new());
        loop {
            let line = match self.lines.recv_timeout(DEADLINE) {
                Ok(line) if typed.is_ok() => line,
                _ => {
                    drop(self.stdin.take());
                    let child = self.child.take().expect("it did not end");
                    panic!("{command}: the session is gone: {:#?}", finish(child));
                }
            };
            if let Some(code) = line.strip_prefix(MARK) {
                // The empty line before the mark is not the script's.
                let code = code.trim().parse().unwrap();
                output.truncate(output.trim_end().len());
                return Answer {
                    code,
                    output,
                    notices,
                };
            }
            let into = if line.starts_with(NOTICE) {
                &mut notices
            } else {
                &mut output
            };
            into.push_str(&line);
            into.push('\n');
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        drop(self.stdin.take());
        if let Some(mut child) = self.child.take() {
            let _reaped = child.wait();
        }
    }
}

/// One word for a shell.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

const NOTICE: &str = "codex-es-guard: kept ";
const MARK: &str = "=== it is done:";
