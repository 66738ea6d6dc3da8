//! `codex-es-guard setup`: puts the hooks and the MCP server into agents' own configuration.
//!
//! It finds the agents on this machine, shows what it would change, and changes it when a person says
//! yes. Formatting, comments and order of each file stay; what was there before is kept beside it. Run
//! again it changes nothing, and `--remove` takes back what it added, and nothing else.
//!
//! A file that it does not understand, or may not write, it leaves alone and says so.

mod agents;
mod file;
mod json;
mod toml;

use agents::{Change, Content, Place};
use anyhow::{Context as _, Result, bail};
use guard_report::companion::{AGENTS, SetupArguments};
use guard_report::sibling::sibling;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A file whose text is to change.
#[derive(Debug)]
struct Planned {
    path: PathBuf,
    before: Option<String>,
    /// `None`: the file goes.
    after: Option<String>,
    is_program: bool,
}

/// Sets up agents, or takes that back. Returns whether every file could be changed.
pub(crate) fn run(arguments: &SetupArguments) -> Result<bool> {
    let place = place()?;
    let chosen = chosen(arguments, &place);
    if chosen.is_empty() {
        say("no agent that can be set up was found; name one: codex-es-guard setup claude");
        return Ok(true);
    }
    let mut planned = Vec::new();
    let mut done = Vec::new();
    let mut all_well = true;
    for agent in &chosen {
        let mut changes = place.changes(agent);
        changes.extend(shim(arguments, &place, agent));
        for change in changes {
            match plan(&change, arguments.remove) {
                Ok(None) => done.push(change.path),
                Ok(Some(change)) => planned.push(change),
                Err(error) => {
                    all_well = false;
                    say(&format!("left alone: {}: {error:#}", change.path.display()));
                }
            }
        }
    }
    for change in &planned {
        say(change.show().trim_end());
    }
    if planned.is_empty() {
        let state = if arguments.remove {
            "nothing of it"
        } else {
            "it"
        };
        say(&format!(
            "nothing to change: {state} is there for {}",
            chosen.join(", ")
        ));
    } else if !arguments.print {
        if !arguments.yes && !is_confirmed(planned.len())? {
            say("nothing was changed");
            return Ok(all_well);
        }
        for change in &planned {
            if let Err(error) = change.apply(arguments.remove) {
                all_well = false;
                say(&format!("left alone: {}: {error}", change.path.display()));
            }
        }
    }
    if arguments.remove && !arguments.print {
        // Whoever took out by hand what was added left the copies of what was before.
        done.iter().for_each(|path| file::forget_before(path));
    }
    if !arguments.remove {
        for agent in &chosen {
            if let Some(remark) = agents::remark(agent, &place.program) {
                say(&remark);
            }
        }
        say("\nFor AGENTS.md or CLAUDE.md of your projects:\n");
        say(agents::INSTRUCTIONS.trim_end());
    }
    Ok(all_well)
}

fn place() -> Result<Place> {
    let absolute = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let program =
        sibling("codex-es-guard").context("codex-es-guard is not beside guard-companion")?;
    let program = program.into_os_string().into_string();
    Ok(Place {
        home: absolute("HOME").context("HOME is not an absolute path")?,
        program: program.map_err(|_| anyhow::anyhow!("the path of codex-es-guard is not UTF-8"))?,
        path: agents::search_path(),
        variable: absolute,
    })
}

fn chosen(arguments: &SetupArguments, place: &Place) -> Vec<String> {
    if !arguments.agents.is_empty() {
        return arguments.agents.clone();
    }
    // What was set up goes, also of an agent that is gone.
    let found = AGENTS
        .into_iter()
        .filter(|agent| arguments.remove || place.has(agent));
    found.map(str::to_owned).collect()
}

/// The wrapper that starts an agent under guard.
fn shim(arguments: &SetupArguments, place: &Place, agent: &str) -> Option<Change> {
    let directory = place.home.join(".local/share/codex-es-guard/bin");
    let program = agents::program_of(agent, &place.path, &directory)?;
    let path = directory.join(program.file_name()?);
    // Without --shims those that are there go with the rest.
    let is_wanted = arguments.shims || (arguments.remove && path.exists());
    if !is_wanted {
        return None;
    }
    let word = |path: &Path| guard_report::shell::word(path.as_os_str().as_encoded_bytes());
    let text = format!(
        "#!/bin/sh\n# Made by: codex-es-guard setup --shims\nexec {} run -- {} \"$@\"\n",
        word(Path::new(&place.program)),
        word(&program)
    );
    Some(Change {
        path,
        content: Content::Whole(text),
    })
}

/// What a change does to its file; `None` if it is done already.
fn plan(change: &Change, remove: bool) -> Result<Option<Planned>> {
    let before = file::read(&change.path)?;
    let text = before.as_deref().unwrap_or("");
    let is_program = text.starts_with("#!")
        || matches!(&change.content, Content::Whole(text) if text.starts_with("#!"));
    let after = match (&change.content, remove) {
        (Content::Whole(own), false) => Some(own.clone()),
        (Content::Whole(own), true) => before.clone().filter(|text| text != own),
        (_, true) if before.is_none() => None,
        (content, false) => Some(content.put_into(text)?),
        (content, true) => {
            let was = file::before(&change.path);
            let is_as_left = |was: &String| content.put_into(was).is_ok_and(|left| left == text);
            match was {
                // Nobody changed it since: it becomes what it was, byte for byte.
                Some(was) if is_as_left(&was) => Some(was),
                None if is_as_left(&String::new()) => None,
                was => {
                    let left = content.take_out_of(text)?;
                    // Only a file that the set-up made goes with what was in it.
                    let is_made = was.is_none() && left != text;
                    Some(left).filter(|left| !(is_made && is_empty(left)))
                }
            }
        }
    };
    let planned = Planned {
        path: change.path.clone(),
        before,
        after,
        is_program,
    };
    Ok(Some(planned).filter(|planned| planned.before != planned.after))
}

/// Whether a file says nothing.
fn is_empty(text: &str) -> bool {
    matches!(text.trim(), "" | "{}")
}

// === impl Content ===

impl Content {
    fn put_into(&self, text: &str) -> Result<String> {
        Ok(match self {
            Self::Json(entries) => {
                let mut changed =
                    json::with(if text.trim().is_empty() { "{}" } else { text }, entries)?;
                if !changed.ends_with('\n') && text.is_empty() {
                    changed.push('\n');
                }
                changed
            }
            Self::CodexServer { program } => toml::with(text, program)?,
            Self::Whole(own) => own.clone(),
        })
    }

    fn take_out_of(&self, text: &str) -> Result<String> {
        Ok(match self {
            Self::Json(entries) => json::without(text, entries)?,
            Self::CodexServer { .. } => toml::without(text)?,
            Self::Whole(_) => String::new(),
        })
    }
}

// === impl Planned ===

impl Planned {
    /// The lines that come and go.
    fn show(&self) -> String {
        let mut shown = format!("{}\n", self.path.display());
        let lines = |text: &Option<String>| -> Vec<String> {
            text.iter()
                .flat_map(|text| text.lines())
                .map(str::to_owned)
                .collect()
        };
        let (before, after) = (lines(&self.before), lines(&self.after));
        let same = |pairs: &mut dyn Iterator<Item = (&String, &String)>| {
            pairs.take_while(|(a, b)| a == b).count()
        };
        let first = same(&mut before.iter().zip(&after));
        let left = before.len().min(after.len()) - first;
        let last = same(&mut before.iter().rev().zip(after.iter().rev())).min(left);
        for (sign, lines) in [('-', &before), ('+', &after)] {
            for line in &lines[first..lines.len() - last] {
                let _in_memory = writeln!(shown, "  {sign} {line}");
            }
        }
        shown
    }

    fn apply(&self, remove: bool) -> std::io::Result<()> {
        match &self.after {
            Some(text) => file::replace(&self.path, self.before.as_deref(), text)?,
            None => file::remove(&self.path)?,
        }
        if remove {
            file::forget_before(&self.path);
        } else if self.is_program {
            std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }
}

/// Asks the person.
fn is_confirmed(files: usize) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here; --yes changes these {files} files");
    }
    let mut stdout = std::io::stdout();
    write!(stdout, "Change these {files} files? [y/N] ")?;
    stdout.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn say(text: &str) {
    // A closed pipe is not an error.
    drop(writeln!(std::io::stdout(), "{text}"));
}
