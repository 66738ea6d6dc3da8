//! Performs a scenario.

use std::collections::HashMap;

use crate::file::File;
use crate::machine::Machine;
use crate::process::{Process, word};
use crate::scenario::steps::{Image, Name, Operation, ProcessSpec, Scenario, Step};
use crate::verdict::Verdict;

/// The result of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// Which operation, from 0.
    pub step: usize,
    /// The operation as text: `unlink /a by /bin/rm[412]`.
    pub what: String,
    /// Its outcome.
    pub verdict: Verdict,
    /// Whether it was expected to be allowed, if the scenario says.
    pub expected: Option<bool>,
}

/// An operation of a process that the scenario never introduced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step {step} names {name}, which no process is called by")]
pub struct UnknownProcessError {
    /// Which operation, from 0.
    pub step: usize,
    /// The name.
    pub name: String,
}

/// The processes of a scenario while it is played.
struct Playback<'a> {
    machine: &'a Machine,
    processes: HashMap<Name, Process>,
}

// === impl Scenario ===

impl Scenario {
    /// Performs every operation in order, each after the verdict on the one before.
    ///
    /// # Errors
    ///
    /// When an operation names a process that does not exist; the operations before it have been
    /// performed.
    pub fn play(&self, machine: &Machine) -> Result<Vec<Played>, UnknownProcessError> {
        let mut playback = Playback {
            machine,
            processes: HashMap::new(),
        };
        for file in &self.files {
            machine.create(file.clone());
        }
        for spec in &self.processes {
            playback.introduce(spec);
        }
        let mut played = Vec::with_capacity(self.steps.len());
        for (number, step) in self.steps.iter().enumerate() {
            if let Some(spec) = &step.known_as
                && !playback.processes.contains_key(&spec.name)
            {
                playback.introduce(spec);
            }
            let (what, verdict) = playback.perform(number, step)?;
            played.push(Played {
                step: number,
                what,
                verdict,
                expected: step.expect,
            });
        }
        Ok(played)
    }
}

// === impl Played ===

impl Played {
    /// Whether the outcome is as expected, or nothing was expected.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        self.expected
            .is_none_or(|expected| expected == self.verdict.allowed)
    }
}

// === impl Playback ===

impl Playback<'_> {
    /// Makes a process exist.
    fn introduce(&mut self, spec: &ProcessSpec) {
        let mut facts = spec.facts.clone();
        let parent = spec
            .parent
            .as_ref()
            .and_then(|name| self.processes.get(name));
        match (&spec.name, parent) {
            // A recording knows everything but the ancestry, which follows from the parent's
            // number.
            (Name::Recorded(_), _) => {}
            (Name::Given(_), parent) => {
                let user = facts.token;
                facts.inherit(&parent.unwrap_or_else(|| self.machine.launchd()).0);
                if spec.facts.cwd.path() != b"/" {
                    facts.cwd = spec.facts.cwd.clone();
                }
                if !spec.facts.env.is_empty() {
                    facts.env.clone_from(&spec.facts.env);
                }
                if user.val[word::AUID] != 0 {
                    let ids = [word::AUID, word::EUID, word::EGID, word::RUID, word::RGID];
                    for id in ids {
                        facts.token.val[id] = user.val[id];
                    }
                }
            }
        }
        let process = self.machine.admit(facts);
        self.processes.insert(spec.name.clone(), process);
    }

    /// Performs an operation and waits for its verdict. Returns its description, too.
    fn perform(
        &mut self,
        number: usize,
        step: &Step,
    ) -> Result<(String, Verdict), UnknownProcessError> {
        if let Operation::Wait(time) = step.operation {
            self.machine.advance(time);
            let verdict = Verdict {
                allowed: true,
                ..Verdict::default()
            };
            return Ok((format!("wait {time:?}"), verdict));
        }
        let actor = self.processes.get(&step.actor).cloned();
        let actor = actor.ok_or_else(|| UnknownProcessError {
            step: number,
            name: step.actor.to_string(),
        })?;
        let (words, verdict) = match &step.operation {
            Operation::Fork { child, facts } => {
                let forked = self.machine.fork_as(&actor, facts.clone());
                self.processes.insert(child.clone(), forked);
                ("fork".into(), happened())
            }
            Operation::Exec { image, target } => self.execute(&actor, image, &step.actor, target),
            operation => self.change(&actor, operation),
        };
        Ok((format!("{words} by {actor:?}"), verdict))
    }

    fn execute(
        &mut self,
        actor: &Process,
        image: &Image,
        name: &Name,
        becomes: &Name,
    ) -> (String, Verdict) {
        let mut exec = self.machine.exec(actor, &image.path);
        if let Some(facts) = &image.facts {
            exec = exec.recorded(facts.clone());
        }
        if let Some(args) = &image.args {
            exec = exec.args(args);
        }
        if let Some(env) = &image.env {
            exec = exec.env(env);
        }
        if let Some(script) = &image.script {
            exec = exec.script(script);
        }
        let (target, attempt) = exec.run();
        let verdict = attempt.verdict();
        if verdict.allowed {
            self.processes.remove(name);
            self.processes.insert(becomes.clone(), target);
        } else if becomes != name {
            // The recorded operations of the new image are performed by the old one.
            self.processes.insert(becomes.clone(), actor.clone());
        }
        (format!("exec {}", shown(&image.path)), verdict)
    }

    /// Deeds on files, and the last one of all.
    fn change(&self, actor: &Process, operation: &Operation) -> (String, Verdict) {
        let machine = self.machine;
        let (name, paths, attempt): (_, Vec<&[u8]>, _) = match operation {
            Operation::Unlink(file) => (
                "unlink",
                vec![self.ensure_exists(file)],
                machine.unlink(actor, file.path()),
            ),
            Operation::Rename { from, to, replaces } => {
                if *replaces && !machine.exists(to) {
                    machine.create(File::regular(to));
                }
                let paths = vec![self.ensure_exists(from), to];
                ("rename", paths, machine.rename(actor, from.path(), to))
            }
            Operation::Open { file, fflag } => {
                let path = self.ensure_exists(file);
                ("open", vec![path], machine.open(actor, path, *fflag))
            }
            Operation::Create {
                path,
                mode,
                file_type,
            } => (
                "create",
                vec![path],
                machine.make(actor, *file_type, path, *mode),
            ),
            Operation::Truncate(file) => {
                let path = self.ensure_exists(file);
                ("truncate", vec![path], machine.truncate(actor, path))
            }
            Operation::Write(file) => {
                let path = self.ensure_exists(file);
                ("write", vec![path], machine.write(actor, path))
            }
            Operation::Close { file, modified } => {
                let path = self.ensure_exists(file);
                ("close", vec![path], machine.close(actor, path, *modified))
            }
            Operation::Link { from, to } => {
                let path = self.ensure_exists(from);
                ("link", vec![path, to], machine.link(actor, path, to))
            }
            Operation::Clone { from, to } => {
                let path = self.ensure_exists(from);
                ("clone", vec![path, to], machine.clone_file(actor, path, to))
            }
            Operation::Copyfile { from, to } => {
                let path = self.ensure_exists(from);
                (
                    "copyfile",
                    vec![path, to],
                    machine.copyfile(actor, path, to),
                )
            }
            Operation::Exchangedata(one, other) => {
                let paths = vec![self.ensure_exists(one), self.ensure_exists(other)];
                let attempt = machine.exchangedata(actor, one.path(), other.path());
                ("exchangedata", paths, attempt)
            }
            Operation::Exit(status) => ("exit", Vec::new(), machine.exit(actor, *status)),
            Operation::Fork { .. } | Operation::Exec { .. } | Operation::Wait(_) => {
                return (String::new(), happened());
            }
        };
        let words = paths.into_iter().fold(name.to_owned(), |words, path| {
            format!("{words} {}", shown(path))
        });
        (words, attempt.verdict())
    }

    /// A file that an operation is about exists, or there would be no such operation.
    fn ensure_exists<'file>(&self, file: &'file File) -> &'file [u8] {
        if !self.machine.exists(file.path()) {
            self.machine.create(file.clone());
        }
        file.path()
    }
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// The verdict on an operation without requests.
fn happened() -> Verdict {
    Verdict {
        allowed: true,
        ..Verdict::default()
    }
}
