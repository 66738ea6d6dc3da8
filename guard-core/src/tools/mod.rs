//! Tools that may remove objects for an agent, and the scope of that trust.
//!
//! A tool is identified by the basename of its executable, or of the script that Python runs. A tool trusted everywhere may remove anything;
//! one trusted *within* patterns may remove what these cover below a zone, and never a zone's root.
//! Descendants of a scoped tool are trusted like it (the `rm` that it runs); those of a tool trusted
//! everywhere are not (a `git` hook). A tool trusted for what it
//! *replaces* (`tar`, `cp`) may remove names that it is about to make again, unless the policy judges
//! changes of contents as well.
//!
//! Guarantees: an executable that was changed after the agent started is not trusted by its name
//! (`cp /bin/rm git`), unless the policy pins it by `identity`, which is then checked instead. A tool
//! whose arguments end the trust, or cannot be read, is not trusted, nor is one into which other code
//! is loaded (`LD_PRELOAD`).
//!
//! It deliberately does not examine what a tool is made to do: `git rm` removes, and is trusted. What
//! was moved into a scope (`mv src/main.rs target/`) is in that scope.

mod catalogue;
mod program;
mod subcommand;
mod tool;

pub use catalogue::{BuiltInTools, built_in};
pub(crate) use tool::Trusted;
pub use tool::{OutputOwner, Removal};

use crate::actor::{Actor, FactSource, ToolSet};
use crate::policy::ToolEntry;
use crate::process::basename;
use program::{Program, strip_version};
use tool::{Naming, Reach, Tool};

/// The tools a policy trusts.
#[derive(Debug)]
pub struct ToolTable {
    /// Sorted by name.
    tools: Vec<Tool>,
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

    /// Whether descendants of tools of this executable basename are trusted like them.
    #[must_use]
    pub fn is_scoped(&self, name: &[u8]) -> bool {
        self.called(name).any(Tool::is_inherited)
    }

    /// The owner of what the tool of this policy name makes.
    #[must_use]
    pub fn output_owner(&self, name: &[u8]) -> OutputOwner {
        let tool = self.named(name).first();
        tool.map_or(OutputOwner::Original, Tool::output_owner)
    }

    /// Whether the acting process, of this executable, may restore documents, whatever its identity.
    pub(crate) fn may_restore<W: FactSource + ?Sized>(&self, executable: &[u8], facts: &W) -> bool {
        let restores = |tool: &Tool| tool.output_owner() == OutputOwner::Original;
        self.running(executable).any(restores)
            || Program::script_of(executable, facts)
                .is_some_and(|script| self.scripts(&script).any(restores))
    }

    /// Whether an executable of this name, with these arguments, fills a new directory where nothing
    /// of anybody's was: `git clone`.
    pub(crate) fn begins_tree(&self, executable: &[u8], arguments: &[u8]) -> bool {
        self.running(executable)
            .any(|tool| tool.begins_tree(arguments))
    }

    /// Whether an executable of this name removes what its arguments say, so that trusting it
    /// everywhere amounts to trusting the agent.
    #[must_use]
    pub fn removes_anything(name: &str) -> bool {
        catalogue::REMOVERS.contains(&strip_version(name.as_bytes()))
    }

    /// The tool because of which this removal is allowed. Executables changed after
    /// `changed_before_ns`, the start of the agent, are not trusted by name.
    pub(crate) fn trusting<W: FactSource + ?Sized>(
        &self,
        actor: &Actor<'_>,
        changed_before_ns: u64,
        facts: &W,
        removal: &Removal<'_>,
    ) -> Option<Trusted<'_>> {
        let is_trusted = |tool: &&Tool, program: &Program<'_>| {
            tool.reaches(removal)
                && tool.is_genuine(program, changed_before_ns, facts)
                && (!tool.except.forbids(program, facts) || tool.keeps(changed_before_ns, facts))
                && (facts.preserves() || !tool.discarding.applies(program, facts))
                && !facts.loads_other_code()
        };
        let program = Program::Executable(actor.executable);
        let itself = self
            .running(actor.executable)
            .find(|tool| !tool.is_script && is_trusted(tool, &program))
            .map(|tool| (tool, tool.discarding.applies(&program, facts)));
        let as_script = || {
            let program = Program::script_of(actor.executable, facts)?;
            let tool = self
                .scripts(&program)
                .find(|tool| is_trusted(tool, &program))?;
            Some((tool, tool.discarding.applies(&program, facts)))
        };
        let above = || {
            if actor.tools == ToolSet::default() {
                return None;
            }
            let names = actor.tools.names(actor.tool_names);
            names
                .flat_map(|name| self.called(name))
                .find(|tool| tool.is_inherited() && tool.reaches(removal))
        };
        let above = || above().map(|tool| (tool, false));
        let found = itself.or_else(as_script).or_else(above);
        found.map(|(tool, discards)| Trusted {
            name: &tool.name,
            replaces: matches!(tool.reach, Reach::Replaced),
            discards,
        })
    }

    fn sorted(mut tools: Vec<Tool>) -> Self {
        tools.sort_by(|left, right| left.name.cmp(&right.name));
        Self { tools }
    }

    /// The tools that an executable may be: those of its basename, and `git` for programs in git's
    /// own directory (`git-core/git-remote-https`), which holds no hooks.
    fn running(&self, executable: &[u8]) -> impl Iterator<Item = &Tool> {
        let name = basename(executable);
        let directory = executable
            .strip_suffix(name)
            .and_then(|path| path.strip_suffix(b"/"));
        let is_helper =
            name.starts_with(b"git-") && directory.map(basename) == Some(&b"git-core"[..]);
        self.called(if is_helper { b"git" } else { name })
    }

    /// The tools that a script may be.
    fn scripts(&self, program: &Program<'_>) -> impl Iterator<Item = &Tool> {
        self.named(program.name())
            .iter()
            .filter(|tool| tool.is_script)
    }

    fn called(&self, name: &[u8]) -> impl Iterator<Item = &Tool> {
        // npm's bun is `bun.exe` everywhere.
        let name = name.strip_suffix(b".exe").unwrap_or(name);
        let plain = strip_version(name);
        let bare = plain.rsplit(|&byte| byte == b'-').next().unwrap_or(plain);
        let versioned = if plain == name {
            &[]
        } else {
            self.named(plain)
        };
        let cross = if bare == plain { &[] } else { self.named(bare) };
        let others = versioned.iter().chain(cross);
        let others = others.filter(|tool| tool.naming == Naming::Cross);
        self.named(name).iter().chain(others)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::ToolNames;

    #[test]
    fn names_with_versions_and_targets() {
        let table = ToolTable::built_in();
        for (name, tool) in [
            ("python3.11", None),
            ("gcc-12", Some("gcc")),
            ("x86_64-linux-gnu-gcc", Some("gcc")),
            ("x86_64-linux-gnu-g++-12", Some("g++")),
            ("x86_64-linux-gnu-ld.bfd", Some("ld.bfd")),
            ("cc1", Some("cc1")),
            ("7z.exe", Some("7z")),
            ("rustc", Some("rustc")),
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
        let policy = br#"{"trusted_tools": [{"name": "tidy", "within": ["out"]}, "sweep"]}"#;
        let policy = crate::policy::Policy::parse(policy).unwrap();
        let entries = policy.trusted_tools.unwrap();
        let table = ToolTable::from_entries(&entries, &|_| Vec::new());
        assert_ne!(ToolNames::default().intern(b"tidy"), ToolSet::default());
        assert!(table.is_scoped(b"tidy") && !table.is_scoped(b"sweep"));
        assert!(!ToolTable::built_in().is_scoped(b"gcc"));
    }

    #[test]
    fn version_control_restores_and_compilers_make() {
        let table = ToolTable::built_in();
        for (name, output_owner) in [
            ("git", OutputOwner::Original),
            ("jj", OutputOwner::Original),
            ("no such tool", OutputOwner::Original),
            ("hg", OutputOwner::Original),
            ("gzip", OutputOwner::Copy),
            ("gcc", OutputOwner::AgentIfNew),
            ("tar", OutputOwner::AgentIfNew),
        ] {
            assert_eq!(table.output_owner(name.as_bytes()), output_owner, "{name}");
        }
    }

    #[test]
    fn interpreters_are_removers() {
        assert!(ToolTable::removes_anything("python3"));
        assert!(ToolTable::removes_anything("rm"));
        assert!(!ToolTable::removes_anything("cargo"));
    }
}
