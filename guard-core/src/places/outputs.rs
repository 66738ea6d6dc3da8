//! Outputs: what a tool probably made, so that it may go, and is preserved.
//!
//! A name alone is no proof where people use it, too: version control must have nothing at or below it
//! (see [`super::repository`]).

use super::repository::is_untracked;
use super::rules::is_marker;
use crate::actor::FactSource;
use crate::file::FileKind;
use crate::glob::matches_name;
use crate::process::basename;

/// Files that are made from another one, by their names.
#[derive(Clone, Copy, Debug)]
pub struct Derived {
    /// How the names of the made ones end.
    pub endings: &'static [&'static str],
    /// How the name of what they are made from ends in place of that.
    pub source: &'static str,
}

/// Whether an object may be an output: by its name, by what is beside it, or since it is a program.
pub(super) fn may_be_output<F: FactSource + ?Sized>(
    path: &[u8],
    kind: FileKind,
    since_ns: u64,
    facts: &F,
) -> bool {
    has_output_name(path)
        || kind == FileKind::Regular
            && (is_derived(path, since_ns, facts) || is_program(path, facts))
}

/// Whether version control has nothing at or below what [may be an output](may_be_output).
pub(super) fn is_untracked_output<F: FactSource + ?Sized>(
    path: &[u8],
    since_ns: u64,
    facts: &F,
) -> bool {
    is_untracked(path, &|path| is_marker(path, since_ns, facts), facts)
}

fn has_output_name(path: &[u8]) -> bool {
    let name = basename(path);
    OUTPUTS
        .iter()
        .any(|pattern| matches_name(pattern.as_bytes(), name))
}

fn is_derived<F: FactSource + ?Sized>(path: &[u8], since_ns: u64, facts: &F) -> bool {
    let source = |derived: &Derived| {
        let endings = derived.endings.iter();
        let stem = endings.filter_map(|ending| path.strip_suffix(ending.as_bytes()));
        let source = stem.map(|stem| [stem, derived.source.as_bytes()].concat());
        source.take(1).any(|path| is_marker(&path, since_ns, facts))
    };
    DERIVED.iter().any(source)
}

fn is_program<F: FactSource + ?Sized>(path: &[u8], facts: &F) -> bool {
    let beginning = facts.beginning(path, PROGRAM_BYTES);
    beginning.is_some_and(|bytes| PROGRAMS.iter().any(|magic| bytes.starts_with(magic)))
}

/// How programs, libraries and object files begin: ELF, Mach-O, PE and WebAssembly
/// (<https://en.wikipedia.org/wiki/List_of_file_signatures>).
const PROGRAMS: &[&[u8]] = &[
    b"\x7fELF",
    &[0xcf, 0xfa, 0xed, 0xfe],
    &[0xca, 0xfe, 0xba, 0xbe],
    b"MZ\x90\0",
    b"\0asm",
];

const PROGRAM_BYTES: usize = 4;

/// What is made from a file beside it: by `configure` from its template, by LaTeX from a document.
pub const DERIVED: &[Derived] = &[
    Derived {
        endings: &[""],
        source: ".in",
    },
    Derived {
        endings: &[
            ".aux",
            ".toc",
            ".lof",
            ".lot",
            ".log",
            ".out",
            ".bbl",
            ".blg",
            ".nav",
            ".snm",
            ".fls",
            ".fdb_latexmk",
            ".synctex.gz",
            ".dvi",
            ".pdf",
        ],
        source: ".tex",
    },
];

/// Names, as patterns, that outputs have and other things too.
pub const OUTPUTS: &[&str] = &[
    "build",
    "builddir",
    "cmake-build-*",
    "dist",
    "out",
    "output",
    "vendor",
    "bin",
    "obj",
    "target",
    "node_modules",
    "coverage",
    "htmlcov",
    "public",
    "site",
    "_site",
    "storybook-static",
    "DerivedData",
    "TestResults",
    "venv",
    ".venv",
    "env",
    ".cache",
    ".eggs",
    ".bundle",
    ".coverage",
    ".coverage.*",
    ".eslintcache",
    "*.tsbuildinfo",
    "*.pyc",
    "*.o",
    "*.a",
    "*.so",
    "*.d",
    "*.class",
    "*.hi",
    "*.lo",
    "*.la",
    "*.obj",
    "*.gcda",
    "*.gcno",
    ".deps",
    ".libs",
    "config.log",
    "config.status",
    "libtool",
    "stamp-h*",
    "*.dyn_*",
    "*.rlib",
    "*.rmeta",
    "result",
    "result-*",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_facts::SampleFacts;

    /// Times before and after the start of the agent.
    const OLD_NS: u64 = 1;
    const YOUNG_NS: u64 = 100;
    const SINCE_NS: u64 = 10;

    fn is_output(path: &str, disk: &SampleFacts) -> bool {
        let path = path.as_bytes();
        may_be_output(path, FileKind::Regular, SINCE_NS, disk)
            && is_untracked_output(path, SINCE_NS, disk)
    }

    /// A linked work tree of a repository to which nothing was added.
    fn repository() -> SampleFacts {
        SampleFacts {
            files: vec![("/z/.git", OLD_NS), ("/z/w/HEAD", OLD_NS)],
            texts: vec![("/z/.git", b"gitdir: w\n")],
            ..SampleFacts::default()
        }
    }

    #[test]
    fn outputs_go_if_nothing_tracks_them() {
        assert!(!is_output("/z/dist", &SampleFacts::default()));
        let mut disk = repository();
        assert!(is_output("/z/dist", &disk));
        assert!(is_output("/z/main.o", &disk));
        assert!(!is_output("/z/docs", &disk));
        disk.files.push(("/z/w/index", OLD_NS));
        assert!(!is_output("/z/dist", &disk));
        let index: &[u8] = b"DIRC\0\0\0\x02\0\0\0\0\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07";
        disk.texts.push(("/z/w/index", index));
        assert!(is_output("/z/dist", &disk));
        disk.files[0].1 = YOUNG_NS;
        assert!(!is_output("/z/dist", &disk), "the agent ran git init");
    }

    #[test]
    fn a_program_is_an_output_whatever_its_name() {
        let mut disk = repository();
        for (text, is_program) in [
            (&b"\x7fELF\x02\x01"[..], true),
            (&[0xcf, 0xfa, 0xed, 0xfe, 7, 0], true),
            (b"#!/bin/sh\n", false),
            (b"\x7f", false),
        ] {
            disk.texts.push(("/z/prog", text));
            assert_eq!(is_output("/z/prog", &disk), is_program, "{text:?}");
            let path = b"/z/prog";
            assert!(!may_be_output(path, FileKind::Directory, SINCE_NS, &disk));
            disk.texts.pop();
        }
    }

    #[test]
    fn what_is_made_from_a_file_beside_it_is_an_output() {
        let mut disk = repository();
        disk.files.extend([
            ("/z/Makefile.in", OLD_NS),
            ("/z/thesis.tex", OLD_NS),
            ("/z/young.in", YOUNG_NS),
        ]);
        for (path, expected) in [
            ("/z/Makefile", true),
            ("/z/thesis.pdf", true),
            ("/z/thesis.synctex.gz", true),
            ("/z/thesis.md", false),
            ("/z/other.pdf", false),
            ("/z/young", false),
        ] {
            assert_eq!(is_output(path, &disk), expected, "{path}");
        }
    }
}
