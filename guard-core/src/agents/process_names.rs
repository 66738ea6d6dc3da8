//! The names of a process: its executable, its title, and the script it interprets.
//!
//! Everything is borrowed from the description. Which names are an agent's is in the catalogue.
//!
//! For `node /usr/lib/node_modules/@openai/codex/bin/codex.js --full-auto`, the executable is
//! `node` and the script is `codex.js`.

use crate::process::{ProcessDescription, basename};

/// The names of one process.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessNames<'a> {
    executable: &'a [u8],
    argv0: &'a [u8],
    script: Option<&'a [u8]>,
}

// === impl ProcessNames ===

impl<'a> ProcessNames<'a> {
    pub(super) fn of(description: &'a ProcessDescription) -> Self {
        Self {
            executable: &description.executable,
            argv0: description.argv0(),
            script: script(description),
        }
    }

    /// The basename of the executable; of `argv[0]` if the executable cannot be read.
    pub(super) fn image(&self) -> &'a [u8] {
        basename(if self.executable.is_empty() {
            self.argv0
        } else {
            self.executable
        })
    }

    /// Every name of the process itself, not of its script.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a [u8]> {
        // `argv[0]` first: it is what people see.
        titles(self.argv0)
            .into_iter()
            .chain([basename(self.executable)])
            .filter(|n| !n.is_empty())
    }

    /// The basename of the script or module, for an interpreter.
    pub(super) fn script(&self) -> Option<&'a [u8]> {
        self.script.map(basename)
    }

    /// Every path, for globs.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'a [u8]> {
        [self.executable, self.argv0]
            .into_iter()
            .chain(self.script)
            .filter(|p| !p.is_empty())
    }
}

/// The names in `argv[0]`.
///
/// A process that sets its title overwrites the whole vector with one string, so `argv[0]` may be
/// `claude --foo /a/b`. The part before the first space is a name too, but only within the last
/// component or without a slash before it: in `/home/u/claude code/rm`, `claude` is part of a
/// directory's name.
fn titles(argv0: &[u8]) -> [&[u8]; 3] {
    let title = first_word(argv0);
    let title = if title.contains(&b'/') { b"" } else { title };
    [basename(argv0), first_word(basename(argv0)), title]
}

fn first_word(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b' ').next().unwrap_or_default()
}

/// The script that an interpreter runs, or the module (`python -m aider`).
fn script(description: &ProcessDescription) -> Option<&[u8]> {
    let interpreter = [description.executable.as_slice(), description.argv0()]
        .into_iter()
        .find_map(|path| Interpreter::of(basename(path)))?;
    let mut arguments = description.arguments().skip(1);
    loop {
        let argument = arguments.next()?;
        if interpreter.evaluates().contains(&argument) {
            return None;
        }
        if argument == b"-m" && matches!(interpreter, Interpreter::Python) {
            return arguments.next();
        }
        if interpreter.takes_value().contains(&argument) {
            arguments.next()?;
        } else if !argument.starts_with(b"-") && !interpreter.commands().contains(&argument) {
            return Some(argument);
        }
    }
}

/// Whose argument vector names a script. Only interpreters that known agents are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interpreter {
    Node,
    Bun,
    Python,
}

impl Interpreter {
    fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"node" | b"nodejs" => Some(Self::Node),
            b"bun" | b"deno" => Some(Self::Bun),
            b"Python" => Some(Self::Python),
            _ => {
                let version = name
                    .strip_prefix(b"python")
                    .or_else(|| name.strip_prefix(b"pypy"))?;
                let numeric = version
                    .iter()
                    .all(|byte| byte.is_ascii_digit() || *byte == b'.');
                numeric.then_some(Self::Python)
            }
        }
    }

    /// Options after which there is no script.
    fn evaluates(self) -> &'static [&'static [u8]] {
        match self {
            Self::Node | Self::Bun => &[b"-e", b"--eval", b"-p", b"--print"],
            Self::Python => &[b"-c"],
        }
    }

    /// Options whose value is the next argument.
    fn takes_value(self) -> &'static [&'static [u8]] {
        match self {
            Self::Node => &[
                b"-r",
                b"--require",
                b"--import",
                b"--loader",
                b"--experimental-loader",
                b"-C",
            ],
            Self::Bun => &[b"-r", b"--preload", b"--cwd"],
            Self::Python => &[b"-W", b"-X"],
        }
    }

    /// Subcommands before the script.
    fn commands(self) -> &'static [&'static [u8]] {
        match self {
            Self::Bun => &[b"run"],
            Self::Node | Self::Python => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(executable: &str, arguments: &[&str]) -> ProcessDescription {
        ProcessDescription {
            executable: executable.into(),
            arguments: arguments.join("\0").into_bytes(),
            ..ProcessDescription::default()
        }
    }

    #[test]
    fn scripts() {
        let table: [(&[&str], Option<&str>); 10] = [
            (&["node", "/opt/x/cli.js", "a"], Some("cli.js")),
            (
                &[
                    "node",
                    "--max-old-space-size=99",
                    "-r",
                    "hook.js",
                    "/opt/cli.js",
                ],
                Some("cli.js"),
            ),
            (&["node", "-e", "process.exit()"], None),
            (&["node"], None),
            (&["bun", "run", "/opt/cli.ts"], Some("cli.ts")),
            (&["python3.12", "/venv/bin/aider", "--yes"], Some("aider")),
            (&["python", "-X", "dev", "-m", "aider"], Some("aider")),
            (&["python3", "-c", "import os", "aider"], None),
            (&["pythonista", "aider"], None),
            (&["sh", "aider"], None),
        ];
        for (arguments, script) in table {
            let description = describe(arguments[0], arguments);
            let names = ProcessNames::of(&description);
            assert_eq!(names.script(), script.map(str::as_bytes), "{arguments:?}");
        }
    }

    #[test]
    fn a_title_is_a_name_and_a_directory_is_not() {
        let names = |argv0: &str| -> Vec<String> {
            let description = describe("", &[argv0]);
            let names = ProcessNames::of(&description);
            names
                .names()
                .map(|name| String::from_utf8_lossy(name).into_owned())
                .collect()
        };
        assert!(names("claude --resume /a/b").contains(&"claude".to_owned()));
        assert!(names("/opt/my tools/claude --resume").contains(&"claude".to_owned()));
        assert!(!names("/home/u/claude code/rm").contains(&"claude".to_owned()));
    }

    #[test]
    fn the_image_is_the_executable_where_it_can_be_read() {
        assert_eq!(
            ProcessNames::of(&describe("/usr/bin/guard", &["x"])).image(),
            b"guard"
        );
        assert_eq!(
            ProcessNames::of(&describe("", &["/usr/bin/guard"])).image(),
            b"guard"
        );
    }
}
