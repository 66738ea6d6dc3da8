//! The subcommand that a version control tool runs.
//!
//! Options before the subcommand are parsed by a table of those that take the next argument as their
//! value. Configuration on the command line can rename a subcommand (`git -c alias.x=clean x`), so
//! it ends the trust. Aliases in configuration files are not seen.

/// A tool's command line.
#[derive(Debug)]
pub(super) struct Subcommands {
    /// The prefix of the subcommand where the tool is called by it: `git-clean`.
    prefix: &'static [u8],
    /// Options that take the next argument as their value.
    with_value: &'static [&'static [u8]],
    /// Options that set configuration, as `NAME=value` in the next argument or after `=`.
    configuring: &'static [&'static [u8]],
    /// Prefixes of configuration names that can rename a subcommand.
    renaming: &'static [&'static [u8]],
    /// Subcommands that end the trust.
    forbidden: &'static [&'static [u8]],
    /// Subcommands that keep what they remove, but run a forbidden one: `git stash -u`.
    keeping: &'static [&'static [u8]],
    /// Subcommands that keep nothing of what they remove, given an argument with one of these
    /// prefixes, or whatever their arguments if there is none.
    discarding: &'static [(&'static [u8], &'static [&'static [u8]])],
    /// Subcommands that fill a new directory, where nothing of anybody's was.
    beginning: &'static [&'static [u8]],
}

pub(super) const GIT: Subcommands = Subcommands {
    prefix: b"git-",
    with_value: &[
        b"-C",
        b"-c",
        b"--git-dir",
        b"--work-tree",
        b"--namespace",
        b"--super-prefix",
        b"--config-env",
        b"--attr-source",
        b"--shallow-file",
    ],
    configuring: &[b"-c", b"--config-env"],
    renaming: &[b"alias.", b"help.autocorrect"],
    forbidden: &[b"clean"],
    keeping: &[b"stash"],
    discarding: &[
        (b"worktree", &[b"-f", b"--force"]),
        (b"submodule", &[b"-f", b"--force"]),
        (b"gc", &[b"--prune"]),
        (b"prune", &[]),
        (b"reflog", &[b"expire", b"delete"]),
    ],
    beginning: &[b"clone", b"init", b"worktree", b"submodule"],
};

pub(super) const JJ: Subcommands = Subcommands {
    prefix: b"jj-",
    with_value: &[
        b"-R",
        b"--repository",
        b"--at-operation",
        b"--at-op",
        b"--color",
        b"--config",
        b"--config-toml",
        b"--config-file",
    ],
    configuring: &[b"--config", b"--config-toml"],
    renaming: &[b"aliases"],
    forbidden: &[b"clean"],
    keeping: &[],
    discarding: &[],
    beginning: &[b"git"],
};

pub(super) const HG: Subcommands = Subcommands {
    prefix: b"hg-",
    with_value: &[
        b"-R",
        b"--repository",
        b"--cwd",
        b"--config",
        b"--encoding",
        b"--encodingmode",
        b"--color",
        b"--pager",
    ],
    configuring: &[b"--config"],
    renaming: &[b"alias."],
    forbidden: &[b"purge", b"clean"],
    keeping: &[],
    discarding: &[],
    beginning: &[b"clone", b"init", b"share"],
};

/// Sapling takes the options of Mercurial.
pub(super) const SL: Subcommands = Subcommands {
    prefix: b"sl-",
    ..HG
};

pub(super) const BZR: Subcommands = Subcommands {
    prefix: b"bzr-",
    with_value: &[b"--lsprof-file", b"--concurrency"],
    configuring: &[],
    renaming: &[],
    forbidden: &[b"clean-tree"],
    keeping: &[],
    discarding: &[],
    beginning: &[b"branch", b"checkout", b"init"],
};

pub(super) const FOSSIL: Subcommands = Subcommands {
    prefix: b"fossil-",
    with_value: &[],
    configuring: &[],
    renaming: &[],
    forbidden: &[b"clean"],
    keeping: &[],
    discarding: &[],
    beginning: &[b"open"],
};

// === impl Subcommands ===

impl Subcommands {
    /// Whether these arguments (NUL-separated, `argv[0]` first) end the trust. Arguments without a
    /// subcommand do: they were truncated, or could not be read.
    pub(super) fn forbid(&self, arguments: &[u8]) -> bool {
        // Some tools take a subcommand by its first letters.
        let is_forbidden = |given: &[u8]| {
            let is_it = |no: &&&[u8]| no.starts_with(given) && (given.len() >= 3 || given == **no);
            self.forbidden.iter().any(|no| is_it(&no))
        };
        self.given(arguments).is_none_or(is_forbidden)
    }

    /// Whether a tool with these arguments keeps nothing of what it removes.
    pub(super) fn discard(&self, arguments: &[u8]) -> bool {
        let Some(given) = self.given(arguments) else {
            return false;
        };
        let begins = |argument: &[u8], starts: &[&[u8]]| {
            starts.iter().any(|start| argument.starts_with(start))
        };
        self.discarding.iter().any(|(subcommand, starts)| {
            let mut after = arguments.split(|&byte| byte == 0);
            *subcommand == given
                && (starts.is_empty() || after.any(|argument| begins(argument, starts)))
        })
    }

    /// Whether a forbidden subcommand is trusted if a tool with these arguments runs it.
    pub(super) fn keep(&self, arguments: &[u8]) -> bool {
        self.given(arguments)
            .is_some_and(|subcommand| self.keeping.contains(&subcommand))
    }

    /// Whether a tool with these arguments fills a new directory.
    pub(super) fn begin(&self, arguments: &[u8]) -> bool {
        self.given(arguments)
            .is_some_and(|subcommand| self.beginning.contains(&subcommand))
    }

    /// The subcommand, unless the configuration may have renamed it.
    fn given<'a>(&self, arguments: &'a [u8]) -> Option<&'a [u8]> {
        let mut arguments = arguments.split(|&byte| byte == 0);
        let called = arguments.next().unwrap_or_default();
        let called = crate::process::basename(called);
        if let Some(subcommand) = called.strip_prefix(self.prefix) {
            return Some(subcommand);
        }
        while let Some(argument) = arguments.next() {
            if !argument.starts_with(b"-") {
                return (!argument.is_empty()).then_some(argument);
            }
            let (option, value) = if self.with_value.contains(&argument) {
                (argument, arguments.next().unwrap_or_default())
            } else {
                split_value(argument)
            };
            if self.configuring.contains(&option) && self.is_renaming(value) {
                return None;
            }
        }
        None
    }

    fn is_renaming(&self, setting: &[u8]) -> bool {
        let begins = |name: &&[u8]| {
            setting
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        self.renaming.iter().any(begins)
    }
}

/// `--option=value`
fn split_value(argument: &[u8]) -> (&[u8], &[u8]) {
    let at = argument
        .iter()
        .position(|&byte| byte == b'=')
        .unwrap_or(argument.len());
    let (option, value) = argument.split_at_checked(at).unwrap_or((argument, b""));
    (option, value.strip_prefix(b"=").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_command_lines() {
        for (line, forbidden) in [
            ("git commit -m clean", false),
            ("git clean -fdx", true),
            ("git -C x clean -fdx", true),
            ("git -C clean status", false),
            ("git -c a.b=c clean", true),
            ("git --git-dir x --work-tree=y clean", true),
            ("git --git-dir=clean gc", false),
            ("git --exec-path=/x -p --no-pager stash", false),
            ("git -p clean", true),
            ("git --namespace clean fetch", false),
            ("git -c alias.x=clean x -fdx", true),
            ("git -c ALIAS.x=clean x", true),
            ("git --config-env=alias.x=X x", true),
            ("git -c help.autocorrect=1 clen", true),
            ("git checkout clean", false),
            ("git rm -r .", false),
            ("git-clean -fdx", true),
            ("/usr/lib/git-core/git-gc", false),
            ("git", true),
            ("", true),
            ("git -C", true),
        ] {
            let arguments = line.replace(' ', "\0");
            assert_eq!(GIT.forbid(arguments.as_bytes()), forbidden, "{line}");
            assert_eq!(
                GIT.forbid(format!("{arguments}\0").as_bytes()),
                forbidden,
                "{line} NUL"
            );
        }
    }

    #[test]
    fn git_keeps_what_it_stashes() {
        for (line, keeps) in [
            ("git stash -u", true),
            ("/usr/bin/git -C x stash push", true),
            ("git clean -fd", false),
            ("git -c alias.stash=clean stash", false),
            ("git", false),
            ("", false),
        ] {
            assert_eq!(
                GIT.keep(line.replace(' ', "\0").as_bytes()),
                keeps,
                "{line}"
            );
        }
    }

    #[test]
    fn git_begins_repositories_and_worktrees() {
        for (line, begins) in [
            ("git clone -q a b", true),
            ("git -C x init", true),
            ("git worktree add wt", true),
            ("git checkout clone", false),
            ("git -c alias.init=checkout init", false),
            ("git", false),
        ] {
            let arguments = line.replace(' ', "\0");
            assert_eq!(GIT.begin(arguments.as_bytes()), begins, "{line}");
        }
    }

    #[test]
    fn git_discards_what_it_is_forced_to() {
        for (line, discards) in [
            ("git worktree remove --force wt", true),
            ("git -C x worktree remove -ff wt", true),
            ("git worktree remove wt", false),
            ("git submodule deinit -f m", true),
            ("git gc", false),
            ("git gc --prune=now", true),
            ("git prune", true),
            ("git reflog expire --expire=now --all", true),
            ("git reflog show", false),
            ("git checkout -f", false),
        ] {
            let arguments = line.replace(' ', "\0");
            assert_eq!(GIT.discard(arguments.as_bytes()), discards, "{line}");
        }
    }

    #[test]
    fn hg_purges_by_any_name() {
        for (line, forbidden) in [
            ("hg update -C", false),
            ("hg --cwd x rm a", false),
            ("hg purge", true),
            ("hg --config extensions.purge= purge --all", true),
            ("hg pur", true),
            ("hg cle", true),
            ("hg clone a b", false),
            ("hg pull", false),
            ("hg --config alias.x=purge x", true),
        ] {
            let arguments = line.replace(' ', "\0");
            assert_eq!(HG.forbid(arguments.as_bytes()), forbidden, "{line}");
        }
    }

    #[test]
    fn jj_command_lines() {
        assert!(!JJ.forbid(b"jj\0abandon\0"));
        assert!(!JJ.forbid(b"jj\0-R\0clean\0log\0"));
        assert!(JJ.forbid(b"jj\0--config\0aliases.x=['util']\0x\0"));
    }
}
