//! The rows of the demo: the situations that the guard was made for.

/// What should become of a scene's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// It stays: the kernel said EPERM.
    Denied,
    /// It goes.
    Allowed,
    /// Its contents go, and `undo` has them back.
    Recovered,
}

/// One process that removes one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// Who acts, for the reader.
    pub(super) who: &'static str,
    /// The command as shown.
    pub(super) shown: &'static str,
    /// What makes the file, before and outside the session.
    pub(super) prepare: &'static str,
    /// The command as run by a shell in the scratch home.
    pub(super) script: &'static str,
    /// The file, relative to the scratch home.
    pub(super) target: &'static str,
    /// What should become of it.
    pub(super) wanted: Wanted,
}

/// All rows, in order.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        who: "You, in a shell: rm ← sh",
        shown: "rm work/draft.txt",
        prepare: "echo precious > work/draft.txt",
        script: "rm work/draft.txt",
        target: "work/draft.txt",
        wanted: Wanted::Allowed,
    },
    Scene {
        who: "Claude Code, by its process title: rm ← sh ← (argv[0] claude)",
        shown: "claude → sh → rm work/photos.zip",
        prepare: "echo precious > work/photos.zip",
        // Two commands each, so that no shell is replaced by its last one.
        script: "perl -e '$0 = \"claude\"; \
                 system(\"sh\", \"-c\", \"rm work/photos.zip; exit\")'; exit",
        target: "work/photos.zip",
        wanted: Wanted::Denied,
    },
    Scene {
        who: "Codex, by its binary: rm ← codex",
        shown: "codex → rm work/thesis.tex",
        prepare: "echo precious > work/thesis.tex",
        script: "bin/codex -c 'rm work/thesis.tex; exit $?'; exit $?",
        target: "work/thesis.tex",
        wanted: Wanted::Denied,
    },
    Scene {
        who: "git, a trusted tool, run by Codex: git ← codex",
        shown: "codex → git prune, which removes from .git/objects",
        prepare: "git init -q work/repo && echo lost | git -C work/repo hash-object -w --stdin",
        script: "bin/codex -c 'git -C work/repo prune --expire=now; exit $?'; exit $?",
        // The blob "lost\n".
        target: "work/repo/.git/objects/a5/0bcb6003fee24cd0dcb7d7da23c9150cd95457",
        wanted: Wanted::Allowed,
    },
    Scene {
        who: "A program that is no agent rotates its log: rm ← cli-proxy-api",
        shown: "cli-proxy-api → rm work/proxy.log.1",
        prepare: "echo precious > work/proxy.log.1",
        script: "bin/cli-proxy-api -c 'rm work/proxy.log.1; exit $?'; exit $?",
        target: "work/proxy.log.1",
        wanted: Wanted::Allowed,
    },
    Scene {
        who: "Codex has git throw away what was never committed: git ← codex",
        shown: "codex → git checkout .   then you: codex-es-guard undo restore last",
        prepare: "git init -q work/site && cd work/site && echo v1 > index.html && git add . && \
                  git -c user.name=you -c user.email=you@home commit -qm v1 && \
                  echo 'hours of work' > index.html",
        script: "bin/codex -c 'git -C work/site checkout -q .; exit $?'; exit $?",
        target: "work/site/index.html",
        wanted: Wanted::Recovered,
    },
    Scene {
        who: "Codex empties a file: > notes",
        shown: "codex → > work/notes.md   then you: codex-es-guard undo restore last",
        prepare: "echo precious > work/notes.md",
        script: "bin/codex -c '> work/notes.md; exit $?'; exit $?",
        target: "work/notes.md",
        wanted: Wanted::Recovered,
    },
];
