//! Tools that may remove things for an agent, and how far the trust reaches.
//!
//! A tool is known by its executable's basename. Trusted everywhere, it may remove whatever it
//! likes; trusted *within* patterns, only what lies below a zone at a path they cover, and never a
//! zone's root. The trust of a scoped tool reaches its descendants (the `rm` that `npm` runs, a
//! build script of `cargo`); the trust of a tool that is trusted everywhere does not (a `git` hook).
//! A tool trusted for what it *replaces* (`tar`, `cp`) may remove names it is about to make again, as
//! long as the policy takes new contents for an edit.
//!
//! Guarantees: an executable that was changed after the agent started is not the tool it is called
//! (`cp /bin/rm git`), unless the policy pins it by `identity`, which then must hold instead. A tool
//! whose arguments forbid the trust, or cannot be read, is not trusted.
//!
//! It deliberately does not ask what a tool is made to do: `git rm` removes, and is trusted. What
//! was moved into a scope (`mv src/main.rs target/`) is in that scope.

mod catalogue;
mod subcommand;

pub use catalogue::{BuiltInTools, built_in};

use crate::actor::{Actor, FactSource, ToolSet};
use crate::glob::Glob;
use crate::policy::ToolEntry;
use crate::process::basename;
use subcommand::Subcommands;

/// The tools a policy trusts.
#[derive(Debug)]
pub struct ToolTable {
    /// Sorted by name.
    tools: Vec<Tool>,
}

/// What is to be removed, as far as trust depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Removal<'a> {
    /// A zone's root goes away.
    pub whole: bool,
    /// The objects, relative to the roots of their zones.
    pub below: [Option<&'a [u8]>; 2],
    /// Only a name goes, and were it made again at once, that would be an edit like any other.
    pub replaceable: bool,
}

/// The tool that a removal is allowed to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trusted<'t> {
    /// Its name in the policy.
    pub(crate) name: &'t [u8],
    /// It removes the name to make it again.
    pub(crate) replaces: bool,
}

#[derive(Debug)]
struct Tool {
    name: Box<[u8]>,
    naming: Naming,
    reach: Reach,
    except: Except,
    pin: Option<Pin>,
}

/// Which executables' basenames a tool's name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// Exactly this one.
    Exact,
    /// Also with a version: `python3.11`, `node-20`.
    Versioned,
    /// Also with a version and a target: `x86_64-linux-gnu-gcc-12`. Only compilers and their like
    /// have targets.
    Cross,
}

/// What a tool is trusted with.
#[derive(Debug)]
enum Reach {
    Everywhere,
    /// What these patterns cover, below a zone.
    Within(Vec<Glob>),
    /// Names that it makes again.
    Replaced,
}

/// Whose is what a trusted tool makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// Its agent's: the tool makes again what lies in its scope.
    New,
    /// Its agent's, unless the tool removed somebody's file to make it.
    InPlace,
    /// Whoever's it was: the tool may be bringing a document back.
    BroughtBack,
}

/// What in a tool's arguments ends the trust.
#[derive(Debug)]
enum Except {
    Nothing,
    /// Any of these arguments.
    Arguments(Vec<Box<[u8]>>),
    /// Any argument that begins so.
    Beginnings(&'static [&'static str]),
    Subcommand(&'static Subcommands),
}

/// Which executable is meant, instead of its age.
#[derive(Debug)]
struct Pin {
    /// Its canonical locations; `None` when any will do.
    paths: Option<Vec<Vec<u8>>>,
    owner: Option<u32>,
    /// A code signature is asked for, which no facts can attest yet: the tool is not trusted.
    signature: bool,
}

// === impl ToolTable ===

impl ToolTable {
    /// The built-in tools.
    #[must_use]
    pub fn built_in() -> Self {
        Self::sorted(catalogue::tools())
    }

    /// The tools of a policy, which replace the built-in ones. `locate` gives the canonical
    /// locations of a pinned executable.
    pub fn from_entries(entries: &[ToolEntry], locate: &dyn Fn(&str) -> Vec<Vec<u8>>) -> Self {
        Self::sorted(
            entries
                .iter()
                .map(|entry| Tool::from_entry(entry, locate))
                .collect(),
        )
    }

    /// Whether the trust in tools of this executable basename reaches their descendants.
    #[must_use]
    pub fn is_scoped(&self, name: &[u8]) -> bool {
        self.called(name).any(Tool::is_inherited)
    }

    /// Whose is what the tool of this policy name makes.
    #[must_use]
    pub fn making(&self, name: &[u8]) -> Making {
        let tool = self.named(name).first();
        tool.map_or(Making::BroughtBack, Tool::making)
    }

    /// Whether this executable, be it what its name says or not, may bring documents back.
    pub(crate) fn may_bring_back(&self, executable: &[u8]) -> bool {
        self.running(executable)
            .any(|tool| tool.making() == Making::BroughtBack)
    }

    /// Whether an executable of this name removes whatever its arguments say, so that trusting it
    /// everywhere trusts the agent itself.
    #[must_use]
    pub fn removes_anything(name: &str) -> bool {
        catalogue::REMOVERS.contains(&strip_version(name.as_bytes()))
    }

    /// The tool because of which this removal is allowed. `changed_before_ns` is when the agent
    /// started: executables changed later are not trusted by name.
    pub(crate) fn trusting<W: FactSource + ?Sized>(
        &self,
        actor: &Actor<'_>,
        changed_before_ns: u64,
        facts: &W,
        removal: &Removal<'_>,
    ) -> Option<Trusted<'_>> {
        let itself = self.running(actor.executable).find(|tool| {
            tool.reaches(removal)
                && tool.is_genuine(actor.executable, changed_before_ns, facts)
                && (!tool.except.forbids(facts) || tool.keeps(changed_before_ns, facts))
        });
        let above = || {
            if actor.tools == ToolSet::default() {
                return None;
            }
            let names = actor.tools.names(actor.tool_names);
            names
                .flat_map(|name| self.called(name))
                .find(|tool| tool.is_inherited() && tool.reaches(removal))
        };
        itself.or_else(above).map(|tool| Trusted {
            name: &tool.name,
            replaces: matches!(tool.reach, Reach::Replaced),
        })
    }

    fn sorted(mut tools: Vec<Tool>) -> Self {
        tools.sort_by(|left, right| left.name.cmp(&right.name));
        Self { tools }
    }

    /// The tools an executable may be: those of its basename, and `git` for what git keeps in its
    /// own directory (`git-core/git-remote-https`). Hooks are not kept there.
    fn running(&self, executable: &[u8]) -> impl Iterator<Item = &Tool> {
        let name = basename(executable);
        let directory = executable
            .strip_suffix(name)
            .and_then(|path| path.strip_suffix(b"/"));
        let is_helper =
            name.starts_with(b"git-") && directory.map(basename) == Some(&b"git-core"[..]);
        self.called(if is_helper { b"git" } else { name })
    }

    fn called(&self, name: &[u8]) -> impl Iterator<Item = &Tool> {
        let plain = strip_version(name);
        let bare = plain.rsplit(|&byte| byte == b'-').next().unwrap_or(plain);
        let versioned = if plain == name {
            &[]
        } else {
            self.named(plain)
        };
        let cross = if bare == plain { &[] } else { self.named(bare) };
        let versioned = versioned.iter().filter(|tool| tool.naming != Naming::Exact);
        let cross = cross.iter().filter(|tool| tool.naming == Naming::Cross);
        self.named(name).iter().chain(versioned).chain(cross)
    }

    fn named(&self, name: &[u8]) -> &[Tool] {
        let start = self.tools.partition_point(|tool| tool.name.as_ref() < name);
        let rest = self.tools.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|tool| tool.name.as_ref() == name)
            .count();
        rest.get(..length).unwrap_or_default()
    }
}

/// `python3.11` → `python`, `gcc-12` → `gcc`; a name that is all version stays.
fn strip_version(name: &[u8]) -> &[u8] {
    let is_version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let length = name
        .iter()
        .rposition(|byte| !is_version(byte))
        .map_or(0, |last| last + 1);
    match name.get(..length) {
        Some(plain) if length < name.len() && length > 0 => {
            plain.strip_suffix(b"-").unwrap_or(plain)
        }
        _ => name,
    }
}

// === impl Tool ===

impl Tool {
    fn from_entry(entry: &ToolEntry, locate: &dyn Fn(&str) -> Vec<Vec<u8>>) -> Self {
        let arguments: Vec<Box<[u8]>> = entry
            .except_args
            .iter()
            .map(|argument| argument.as_bytes().into())
            .collect();
        Self {
            name: entry.name.as_bytes().into(),
            naming: Naming::Exact,
            reach: entry
                .within
                .clone()
                .map_or(Reach::Everywhere, Reach::Within),
            except: if arguments.is_empty() {
                Except::Nothing
            } else {
                Except::Arguments(arguments)
            },
            pin: entry.identity.as_ref().map(|identity| Pin {
                paths: identity.path.as_deref().map(locate),
                owner: identity.owner,
                signature: identity.signature.is_some(),
            }),
        }
    }

    /// A descendant shows neither its ancestor's executable nor its arguments, so that a trust
    /// which depends on them ends with the process itself.
    fn is_inherited(&self) -> bool {
        matches!(self.reach, Reach::Within(_))
            && self.pin.is_none()
            && matches!(self.except, Except::Nothing)
    }

    fn making(&self) -> Making {
        match self.reach {
            Reach::Within(_) => Making::New,
            Reach::Replaced => Making::InPlace,
            Reach::Everywhere if self.naming == Naming::Cross => Making::InPlace,
            Reach::Everywhere => Making::BroughtBack,
        }
    }

    fn reaches(&self, removal: &Removal<'_>) -> bool {
        let within = match &self.reach {
            Reach::Everywhere => return true,
            Reach::Replaced => return removal.replaceable && !removal.whole,
            Reach::Within(within) => within,
        };
        let covered = |path: &[u8]| within.iter().any(|glob| glob.covers(path));
        !removal.whole && removal.below.into_iter().flatten().all(covered)
    }

    /// Whether the tool runs itself, as a part of what keeps what it removes.
    fn keeps<W: FactSource + ?Sized>(&self, changed_before_ns: u64, facts: &W) -> bool {
        let Except::Subcommand(subcommands) = &self.except else {
            return false;
        };
        facts.parent().is_some_and(|parent| {
            basename(&parent.executable) == self.name.as_ref()
                && parent.executable_changed_ns <= changed_before_ns
                && subcommands.keep(&parent.arguments)
        })
    }

    fn is_genuine<W: FactSource + ?Sized>(
        &self,
        executable: &[u8],
        changed_before_ns: u64,
        facts: &W,
    ) -> bool {
        let Some(pin) = &self.pin else {
            let changed = facts.executable_changed_ns();
            return changed.is_some_and(|changed| changed <= changed_before_ns);
        };
        let at_home = |paths: &Vec<Vec<u8>>| paths.iter().any(|path| path == executable);
        !pin.signature
            && pin.paths.as_ref().is_none_or(at_home)
            && pin
                .owner
                .is_none_or(|owner| facts.executable_owner() == Some(owner))
    }
}

// === impl Except ===

impl Except {
    fn forbids<W: FactSource + ?Sized>(&self, facts: &W) -> bool {
        let any = |forbidden: &dyn Fn(&[u8]) -> bool| {
            let arguments = facts.arguments();
            arguments.is_empty() || arguments.split(|&byte| byte == 0).any(forbidden)
        };
        match self {
            Self::Nothing => false,
            Self::Subcommand(subcommands) => subcommands.forbid(&facts.arguments()),
            Self::Arguments(forbidden) => {
                any(&|argument| forbidden.iter().any(|no| no.as_ref() == argument))
            }
            Self::Beginnings(forbidden) => any(&|argument| {
                let begins = |no: &&str| argument.starts_with(no.as_bytes());
                forbidden.iter().any(begins)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::ToolNames;

    #[test]
    fn names_with_versions_and_targets() {
        let table = ToolTable::built_in();
        for (name, tool) in [
            ("python3.11", Some("python")),
            ("python", Some("python")),
            ("pip3", Some("pip")),
            ("gcc-12", Some("gcc")),
            ("x86_64-linux-gnu-gcc", Some("gcc")),
            ("x86_64-linux-gnu-g++-12", Some("g++")),
            ("x86_64-linux-gnu-ld.bfd", Some("ld.bfd")),
            ("cc1", Some("cc1")),
            ("git", Some("git")),
            ("my-git", None),
            ("git2", None),
            ("pythonic", None),
            ("rm", None),
            ("docker", None),
            ("3.11", None),
            ("", None),
        ] {
            let found = table
                .called(name.as_bytes())
                .next()
                .map(|tool| tool.name.as_ref());
            assert_eq!(found, tool.map(str::as_bytes), "{name}");
        }
    }

    #[test]
    fn git_s_own_directory_is_git() {
        let table = ToolTable::built_in();
        let runs_git = |path: &[u8]| table.running(path).any(|tool| tool.name.as_ref() == b"git");
        assert!(runs_git(b"/usr/lib/git-core/git"));
        assert!(runs_git(b"/usr/lib/git-core/git-remote-https"));
        assert!(!runs_git(b"/home/u/bin/git-remote-https"));
        assert!(!runs_git(b"/home/u/p/.git/hooks/pre-commit"));
    }

    #[test]
    fn scoped_names_fit_the_set_lineage_keeps() {
        let table = ToolTable::built_in();
        let names = ToolNames::default();
        for tool in table.tools.iter().filter(|tool| tool.is_inherited()) {
            assert_ne!(names.intern(&tool.name), ToolSet::default());
            assert!(table.is_scoped(&tool.name));
        }
        assert!(!table.is_scoped(b"git"));
        assert!(!table.is_scoped(b"gcc"));
    }

    #[test]
    fn version_control_brings_back_and_builders_make() {
        let table = ToolTable::built_in();
        for (name, making) in [
            ("git", Making::BroughtBack),
            ("jj", Making::BroughtBack),
            ("no such tool", Making::BroughtBack),
            ("cargo", Making::New),
            ("npm", Making::New),
            ("gcc", Making::InPlace),
            ("tar", Making::InPlace),
        ] {
            assert_eq!(table.making(name.as_bytes()), making, "{name}");
        }
    }

    #[test]
    fn interpreters_are_removers() {
        assert!(ToolTable::removes_anything("python3"));
        assert!(ToolTable::removes_anything("rm"));
        assert!(!ToolTable::removes_anything("cargo"));
    }
}
