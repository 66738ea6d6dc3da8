//! One trusted tool: the executables that its name covers, and how far the trust in it reaches.

use super::program::Program;
use super::subcommand::Subcommands;
use crate::actor::FactSource;
use crate::glob::Glob;
use crate::policy::ToolEntry;
use crate::process::basename;

/// A removal, as far as trust depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Removal<'a> {
    /// Whether a zone's root is removed.
    pub whole: bool,
    /// The object relative to the zone's root; `None` for the root itself.
    pub below: Option<&'a [u8]>,
    /// Whether making the name again at once would amount to an edit.
    pub replaceable: bool,
}

/// The tool because of which a removal is allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trusted<'t> {
    /// Its name in the policy.
    pub(crate) name: &'t [u8],
    /// Whether it removes the name to make it again.
    pub(crate) replaces: bool,
    /// Whether it keeps nothing of what it removes this time, so that it must be preserved.
    pub(crate) discards: bool,
}

#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: Box<[u8]>,
    pub(super) naming: Naming,
    pub(super) reach: Reach,
    pub(super) except: Except,
    /// When it discards for good what it removes.
    pub(super) discarding: Discarding,
    /// Whether it is a script, so that its process is the interpreter's.
    pub(super) is_script: bool,
    pub(super) pin: Option<Pin>,
}

/// The basenames of executables that a tool's name covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// The name itself.
    Exact,
    /// Also with a version and a target: `x86_64-linux-gnu-gcc-12`. Only compilers and their like
    /// have targets.
    Cross,
}

/// What a tool is trusted with.
#[derive(Debug)]
pub(super) enum Reach {
    Everywhere,
    /// Below a zone, what these patterns cover.
    Within(Vec<Glob>),
    /// Everywhere, since it leaves a copy beside.
    Compressed,
    /// Names that it makes again.
    Replaced,
}

/// Who owns what a trusted tool makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputOwner {
    /// Its agent: the tool makes again what is in its scope.
    Agent,
    /// Its agent, unless the tool removed another's object to make it.
    AgentIfNew,
    /// The owner of the original: the tool may be restoring a document.
    Original,
    /// Its agent, unless it is the copy of another's object that the tool removed.
    Copy,
}

/// Arguments that end the trust in a tool.
#[derive(Debug)]
pub(super) enum Except {
    Nothing,
    /// Any of these arguments.
    Arguments(Vec<Box<[u8]>>),
    /// Any argument with one of these prefixes.
    Beginnings(&'static [&'static str]),
    Subcommand(&'static Subcommands),
    /// Options of `tar` that remove what the archive does not have.
    Tar(&'static [&'static str]),
}

/// Arguments with which a tool keeps nothing of what it removes: it is trusted only if that is
/// preserved.
#[derive(Clone, Copy, Debug)]
pub(super) enum Discarding {
    Nothing,
    Subcommand(&'static Subcommands),
    /// Any argument with one of these prefixes.
    Beginnings(&'static [&'static str]),
    /// The same, or this letter among others after one dash.
    Letter(u8, &'static [&'static str]),
}

/// The executable that a policy means by a name; replaces the check of its age.
#[derive(Debug)]
pub(super) struct Pin {
    /// Its canonical locations; `None` for any.
    pub(super) paths: Option<Vec<Vec<u8>>>,
    pub(super) owner: Option<u32>,
}

// === impl Tool ===

impl Tool {
    pub(super) fn from_entry(entry: &ToolEntry, locate: &dyn Fn(&str) -> Vec<Vec<u8>>) -> Self {
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
            discarding: Discarding::Nothing,
            is_script: false,
            pin: entry.identity.as_ref().map(|identity| Pin {
                paths: identity.path.as_deref().map(locate),
                owner: identity.owner,
            }),
        }
    }

    /// From a descendant neither its ancestor's executable nor its arguments can be read, so trust
    /// that depends on them is not inherited.
    pub(super) fn is_inherited(&self) -> bool {
        matches!(self.reach, Reach::Within(_))
            && self.pin.is_none()
            && matches!(self.except, Except::Nothing)
    }

    pub(super) fn output_owner(&self) -> OutputOwner {
        match self.reach {
            Reach::Within(_) => OutputOwner::Agent,
            Reach::Replaced => OutputOwner::AgentIfNew,
            Reach::Compressed => OutputOwner::Copy,
            Reach::Everywhere if self.naming == Naming::Cross => OutputOwner::AgentIfNew,
            Reach::Everywhere => OutputOwner::Original,
        }
    }

    pub(super) fn reaches(&self, removal: &Removal<'_>) -> bool {
        let within = match &self.reach {
            Reach::Everywhere | Reach::Compressed => return true,
            Reach::Replaced => return removal.replaceable && !removal.whole,
            Reach::Within(within) => within,
        };
        let covered = |path: &[u8]| within.iter().any(|glob| glob.covers(path));
        !removal.whole && removal.below.is_some_and(covered)
    }

    /// Whether the tool was run by itself, in a subcommand that keeps what it removes.
    pub(super) fn keeps<W: FactSource + ?Sized>(&self, changed_before_ns: u64, facts: &W) -> bool {
        let Except::Subcommand(subcommands) = &self.except else {
            return false;
        };
        facts.parent().is_some_and(|parent| {
            basename(&parent.executable) == self.name.as_ref()
                && parent.executable_changed_ns <= changed_before_ns
                && subcommands.keep(&parent.arguments)
        })
    }

    pub(super) fn begins_tree(&self, arguments: &[u8]) -> bool {
        matches!(&self.except, Except::Subcommand(subcommands) if subcommands.begin(arguments))
    }

    pub(super) fn is_genuine<W: FactSource + ?Sized>(
        &self,
        program: &Program<'_>,
        changed_before_ns: u64,
        facts: &W,
    ) -> bool {
        let executable = program.path();
        if self.is_script && !program.script_is_older_than(changed_before_ns, facts) {
            return false;
        }
        let Some(pin) = &self.pin else {
            let changed = facts.executable_changed_ns();
            return changed.is_some_and(|changed| changed <= changed_before_ns);
        };
        let is_listed = |paths: &Vec<Vec<u8>>| paths.iter().any(|path| path == executable);
        pin.paths.as_ref().is_none_or(is_listed)
            && pin
                .owner
                .is_none_or(|owner| facts.executable_owner() == Some(owner))
    }
}

// === impl Except ===

impl Except {
    pub(super) fn forbids<W: FactSource + ?Sized>(&self, program: &Program<'_>, facts: &W) -> bool {
        let any = |forbidden: &dyn Fn(&[u8]) -> bool| {
            let arguments = program.arguments(facts);
            arguments.is_empty() || arguments.split(|&byte| byte == 0).any(forbidden)
        };
        match self {
            Self::Nothing => false,
            Self::Subcommand(subcommands) => subcommands.forbid(&program.arguments(facts)),
            Self::Arguments(forbidden) => {
                any(&|argument| forbidden.iter().any(|no| no.as_ref() == argument))
            }
            Self::Beginnings(forbidden) => any(&|argument| begins(argument, forbidden)),
            Self::Tar(forbidden) => {
                any(&|argument| begins(argument, forbidden) || is_incremental(argument))
                    || is_old_incremental(&program.arguments(facts))
                    || has_options(&facts.environment())
            }
        }
    }
}

// === impl Discarding ===

impl Discarding {
    pub(super) fn applies<W: FactSource + ?Sized>(self, program: &Program<'_>, facts: &W) -> bool {
        let any = |discards: &dyn Fn(&[u8]) -> bool| {
            let arguments = program.arguments(facts);
            arguments.split(|&byte| byte == 0).skip(1).any(discards)
        };
        match self {
            Self::Nothing => false,
            Self::Subcommand(subcommands) => subcommands.discard(&program.arguments(facts)),
            Self::Beginnings(beginnings) => any(&|argument| begins(argument, beginnings)),
            Self::Letter(letter, beginnings) => any(&|argument| {
                let is_cluster = argument.starts_with(b"-") && !argument.starts_with(b"--");
                begins(argument, beginnings) || (is_cluster && argument.contains(&letter))
            }),
        }
    }
}

fn begins(argument: &[u8], forbidden: &[&str]) -> bool {
    forbidden
        .iter()
        .any(|no| argument.starts_with(no.as_bytes()))
}

/// `-g` and `-G`, also among other letters: restoring an incremental archive removes what it does
/// not list.
fn is_incremental(argument: &[u8]) -> bool {
    argument.starts_with(b"-") && !argument.starts_with(b"--") && has_incremental_letter(argument)
}

/// The same letters in a first argument without a dash, as old command lines have it.
fn is_old_incremental(arguments: &[u8]) -> bool {
    let first = arguments.split(|&byte| byte == 0).nth(1);
    first.is_some_and(|first| !first.starts_with(b"-") && has_incremental_letter(first))
}

fn has_incremental_letter(letters: &[u8]) -> bool {
    letters.iter().any(|letter| matches!(letter, b'g' | b'G'))
}

/// Whether `TAR_OPTIONS` gives options that the arguments do not show.
fn has_options(environment: &[u8]) -> bool {
    environment
        .split(|&byte| byte == 0)
        .filter_map(|entry| entry.strip_prefix(b"TAR_OPTIONS="))
        .any(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incremental_archives_are_recognised() {
        for (line, incremental) in [
            ("tar -xf a.tar", false),
            ("tar xzf a.tgz", false),
            ("tar -C images -xf a.tar", false),
            ("tar -xGf a.tar", true),
            ("tar xGf a.tar", true),
            ("tar -x -g snar", true),
            ("tar x --gzip", false),
        ] {
            let arguments = line.replace(' ', "\0");
            let found = arguments
                .split('\0')
                .any(|argument| is_incremental(argument.as_bytes()))
                || is_old_incremental(arguments.as_bytes());
            assert_eq!(found, incremental, "{line}");
        }
        assert!(has_options(b"A=b\0TAR_OPTIONS=--remove-files\0"));
        assert!(!has_options(b"TAR_OPTIONS=\0"));
    }
}
