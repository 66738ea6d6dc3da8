//! Performing a scenario.

use std::collections::HashMap;

use crate::file::File;
use crate::machine::Machine;
use crate::process::{Process, word};
use crate::scenario::steps::{Cast, Deed, Image, Name, Scenario, Step};
use crate::verdict::Verdict;

/// What became of one deed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// Which deed, from 0.
    pub step: usize,
    /// The deed in words: `unlink /a by /bin/rm[412]`.
    pub what: String,
    /// Its outcome.
    pub verdict: Verdict,
    /// Whether it was expected to be allowed, if the scenario says.
    pub expected: Option<bool>,
}

/// A deed of a process that the scenario never introduced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step {step} names {name}, which no process is called by")]
pub struct UnknownProcessError {
    /// Which deed, from 0.
    pub step: usize,
    /// The name.
    pub name: String,
}

/// The processes of a scenario while it is played.
struct Stage<'a> {
    machine: &'a Machine,
    cast: HashMap<Name, Process>,
}

// === impl Scenario ===

impl Scenario {
    /// Performs every deed in order, each after the verdict on the one before.
    ///
    /// # Errors
    ///
    /// When a deed names a process that does not exist; the deeds before it have been performed.
    pub fn play(&self, machine: &Machine) -> Result<Vec<Played>, UnknownProcessError> {
        let mut stage = Stage {
            machine,
            cast: HashMap::new(),
        };
        for file in &self.files {
            machine.create(file.clone());
        }
        for cast in &self.processes {
            stage.introduce(cast);
        }
        let mut played = Vec::with_capacity(self.steps.len());
        for (number, step) in self.steps.iter().enumerate() {
            if let Some(cast) = &step.known_as
                && !stage.cast.contains_key(&cast.name)
            {
                stage.introduce(cast);
            }
            let (what, verdict) = stage.perform(number, step)?;
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

// === impl Stage ===

impl Stage<'_> {
    /// Lets a process exist.
    fn introduce(&mut self, cast: &Cast) {
        let mut facts = cast.facts.clone();
        let parent = cast.parent.as_ref().and_then(|name| self.cast.get(name));
        match (&cast.name, parent) {
            // A recording knows everything but the ancestry, which follows from the parent's
            // number.
            (Name::Recorded(_), _) => {}
            (Name::Given(_), parent) => {
                let user = facts.token;
                facts.inherit(&parent.unwrap_or_else(|| self.machine.launchd()).0);
                if cast.facts.cwd.path() != b"/" {
                    facts.cwd = cast.facts.cwd.clone();
                }
                if !cast.facts.env.is_empty() {
                    facts.env.clone_from(&cast.facts.env);
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
        self.cast.insert(cast.name.clone(), process);
    }

    /// Performs a deed and waits for its verdict. Says in words what was done.
    fn perform(
        &mut self,
        number: usize,
        step: &Step,
    ) -> Result<(String, Verdict), UnknownProcessError> {
        if let Deed::Wait(time) = step.deed {
            self.machine.advance(time);
            let verdict = Verdict {
                allowed: true,
                ..Verdict::default()
            };
            return Ok((format!("wait {time:?}"), verdict));
        }
        let actor = self.cast.get(&step.actor).cloned();
        let actor = actor.ok_or_else(|| UnknownProcessError {
            step: number,
            name: step.actor.to_string(),
        })?;
        let (words, verdict) = match &step.deed {
            Deed::Fork { child, facts } => {
                let forked = self.machine.fork_as(&actor, facts.clone());
                self.cast.insert(child.clone(), forked);
                ("fork".into(), happened())
            }
            Deed::Exec { image, target } => self.execute(&actor, image, &step.actor, target),
            deed => self.change(&actor, deed),
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
            self.cast.remove(name);
            self.cast.insert(becomes.clone(), target);
        } else if becomes != name {
            // What the recording tells of the new image is now done by the old one.
            self.cast.insert(becomes.clone(), actor.clone());
        }
        (format!("exec {}", shown(&image.path)), verdict)
    }

    /// Deeds on files, and the last one of all.
    fn change(&self, actor: &Process, deed: &Deed) -> (String, Verdict) {
        let machine = self.machine;
        let (name, paths, attempt): (_, Vec<&[u8]>, _) = match deed {
            Deed::Unlink(file) => (
                "unlink",
                vec![self.seen(file)],
                machine.unlink(actor, file.path()),
            ),
            Deed::Rename { from, to, replaces } => {
                if *replaces && !machine.exists(to) {
                    machine.create(File::regular(to));
                }
                let paths = vec![self.seen(from), to];
                ("rename", paths, machine.rename(actor, from.path(), to))
            }
            Deed::Open { file, fflag } => {
                let path = self.seen(file);
                ("open", vec![path], machine.open(actor, path, *fflag))
            }
            Deed::Create {
                path,
                mode,
                file_type,
            } => (
                "create",
                vec![path],
                machine.make(actor, *file_type, path, *mode),
            ),
            Deed::Truncate(file) => {
                let path = self.seen(file);
                ("truncate", vec![path], machine.truncate(actor, path))
            }
            Deed::Write(file) => {
                let path = self.seen(file);
                ("write", vec![path], machine.write(actor, path))
            }
            Deed::Close { file, modified } => {
                let path = self.seen(file);
                ("close", vec![path], machine.close(actor, path, *modified))
            }
            Deed::Link { from, to } => {
                let path = self.seen(from);
                ("link", vec![path, to], machine.link(actor, path, to))
            }
            Deed::Clone { from, to } => {
                let path = self.seen(from);
                ("clone", vec![path, to], machine.clone_file(actor, path, to))
            }
            Deed::Copyfile { from, to } => {
                let path = self.seen(from);
                (
                    "copyfile",
                    vec![path, to],
                    machine.copyfile(actor, path, to),
                )
            }
            Deed::Exchangedata(one, other) => {
                let paths = vec![self.seen(one), self.seen(other)];
                let attempt = machine.exchangedata(actor, one.path(), other.path());
                ("exchangedata", paths, attempt)
            }
            Deed::Exit(status) => ("exit", Vec::new(), machine.exit(actor, *status)),
            Deed::Fork { .. } | Deed::Exec { .. } | Deed::Wait(_) => {
                return (String::new(), happened());
            }
        };
        let words = paths.into_iter().fold(name.to_owned(), |words, path| {
            format!("{words} {}", shown(path))
        });
        (words, attempt.verdict())
    }

    /// A file that a deed is about exists, or there would be no such deed.
    fn seen<'file>(&self, file: &'file File) -> &'file [u8] {
        if !self.machine.exists(file.path()) {
            self.machine.create(file.clone());
        }
        file.path()
    }
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// The outcome of what nobody is asked about.
fn happened() -> Verdict {
    Verdict {
        allowed: true,
        ..Verdict::default()
    }
}
