//! The rules, as data, and their evaluation for one directory.

use crate::actor::FactSource;
use crate::glob::matches_name;
use crate::path::parent;
use crate::process::basename;
use crate::standing::{Proof, Standing};

/// A rule by which a directory is made again.
#[derive(Clone, Copy, Debug)]
pub struct PlaceRule {
    /// The directory's name, as a pattern; `*` for any.
    pub name: &'static str,
    /// What proves it.
    pub proof: PlaceProof,
}

/// What proves that a directory is made again.
#[derive(Clone, Copy, Debug)]
pub enum PlaceProof {
    /// Its name: nothing else is called so.
    Name,
    /// One of these is beside it.
    Beside(&'static [&'static str]),
    /// All of the first are in it, and none of the second, which people write.
    Inside(&'static [&'static str], &'static [&'static str]),
    /// A `CACHEDIR.TAG` with its signature is in it (<https://bford.info/cachedir/>).
    Tag,
}

/// Whether a directory is one that is made again. `since_ns` is the start of the agent.
pub(super) fn is_made_again<F: FactSource + ?Sized>(
    directory: &[u8],
    since_ns: u64,
    facts: &F,
) -> bool {
    let name = basename(directory);
    MADE_AGAIN.iter().any(|rule| {
        matches_name(rule.name.as_bytes(), name) && rule.proof.holds(directory, since_ns, facts)
    })
}

// === impl PlaceProof ===

impl PlaceProof {
    fn holds<F: FactSource + ?Sized>(self, directory: &[u8], since_ns: u64, facts: &F) -> bool {
        let is_marker = |path: &[u8]| is_marker(path, since_ns, facts);
        let inside = |name: &&str| [directory, b"/", name.as_bytes()].concat();
        match self {
            Self::Name => true,
            Self::Beside(names) => {
                let parent = parent(directory);
                let beside = |name: &&str| is_marker(&[parent, b"/", name.as_bytes()].concat());
                names.iter().any(beside)
            }
            Self::Inside(all, none) => {
                all.iter().all(|name| is_marker(&inside(name)))
                    && !none.iter().any(|name| facts.file(&inside(name)).is_some())
            }
            Self::Tag => {
                let tag = inside(&TAG);
                let is_signed =
                    || facts.beginning(&tag, SIGNATURE.len()).as_deref() == Some(SIGNATURE);
                is_marker(&tag) && is_signed()
            }
        }
    }
}

/// Whether a marker is here, and was before the agent: by its age, or since it replaced one that
/// was not the agent's. What an agent moved or brought here is none.
pub(super) fn is_marker<F: FactSource + ?Sized>(path: &[u8], since_ns: u64, facts: &F) -> bool {
    facts.file(path).is_some_and(|found| {
        let is_old = found.born_ns.is_some_and(|born_ns| born_ns <= since_ns);
        match facts.standing(path, &found) {
            Standing::Own(Proof::Seen | Proof::Changed) => false,
            Standing::Nobodys if !is_old => true,
            _ => is_old && facts.came_from(path).is_none(),
        }
    })
}

const TAG: &str = "CACHEDIR.TAG";

const SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

const PACKAGE_JSON: PlaceProof = PlaceProof::Beside(&["package.json"]);

const GRADLE: PlaceProof = PlaceProof::Beside(&[
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
]);

/// What people write at the top of a project, which no build makes.
const SOURCES: &[&str] = &[
    ".git",
    ".hg",
    "src",
    "CMakeLists.txt",
    "meson.build",
    "configure.ac",
    "Cargo.toml",
    "package.json",
    "pyproject.toml",
];

const fn rule(name: &'static str, proof: PlaceProof) -> PlaceRule {
    PlaceRule { name, proof }
}

/// The places that are made again.
pub const MADE_AGAIN: &[PlaceRule] = &[
    rule("*", PlaceProof::Tag),
    rule("*", PlaceProof::Inside(&["pyvenv.cfg"], SOURCES)),
    rule("*", PlaceProof::Inside(&["CMakeCache.txt"], SOURCES)),
    rule(
        "*",
        PlaceProof::Inside(&["build.ninja", ".ninja_log"], SOURCES),
    ),
    rule(
        "*",
        PlaceProof::Inside(&["build.ninja", "args.gn"], SOURCES),
    ),
    rule(
        "*",
        PlaceProof::Inside(&["meson-info", "meson-private"], SOURCES),
    ),
    rule(
        "*",
        PlaceProof::Inside(&[".cargo-checksum.json"], &[".git"]),
    ),
    rule("vendor", PlaceProof::Inside(&["modules.txt"], &[".git"])),
    rule(
        "vendor",
        PlaceProof::Inside(&["autoload.php", "composer"], &[".git"]),
    ),
    rule("node_modules", PACKAGE_JSON),
    rule(".next", PACKAGE_JSON),
    rule(".nuxt", PACKAGE_JSON),
    rule(".output", PACKAGE_JSON),
    rule(".turbo", PACKAGE_JSON),
    rule(".vite", PACKAGE_JSON),
    rule(".svelte-kit", PACKAGE_JSON),
    rule(".parcel-cache", PACKAGE_JSON),
    rule(".angular", PACKAGE_JSON),
    rule(".docusaurus", PACKAGE_JSON),
    rule(".npm", PACKAGE_JSON),
    rule(".nx", PACKAGE_JSON),
    rule(".astro", PACKAGE_JSON),
    rule(".expo", PACKAGE_JSON),
    rule(".serverless", PACKAGE_JSON),
    rule(".pnpm-store", PACKAGE_JSON),
    rule("target", PlaceProof::Beside(&["Cargo.toml", "pom.xml"])),
    rule("build", GRADLE),
    rule(".gradle", GRADLE),
    rule(
        "*.egg-info",
        PlaceProof::Beside(&["setup.py", "setup.cfg", "pyproject.toml"]),
    ),
    rule(".dart_tool", PlaceProof::Beside(&["pubspec.yaml"])),
    rule(".zig-cache", PlaceProof::Beside(&["build.zig"])),
    rule("zig-cache", PlaceProof::Beside(&["build.zig"])),
    rule("zig-out", PlaceProof::Beside(&["build.zig"])),
    rule(".build", PlaceProof::Beside(&["Package.swift"])),
    rule(
        "_build",
        PlaceProof::Beside(&["mix.exs", "dune-project", "rebar.config"]),
    ),
    rule("deps", PlaceProof::Beside(&["mix.exs"])),
    rule("_build", PlaceProof::Beside(&["conf.py"])),
    rule(
        "_site",
        PlaceProof::Beside(&["_config.yml", ".eleventy.js", "eleventy.config.js"]),
    ),
    rule("site", PlaceProof::Beside(&["mkdocs.yml"])),
    rule("cdk.out", PlaceProof::Beside(&["cdk.json"])),
    rule("Pods", PlaceProof::Beside(&["Podfile"])),
    rule("CMakeFiles", PlaceProof::Beside(&["CMakeCache.txt"])),
    rule("__pycache__", PlaceProof::Name),
    rule(".terraform", PlaceProof::Name),
    rule(".tox", PlaceProof::Name),
    rule(".nox", PlaceProof::Name),
    rule(".mypy_cache", PlaceProof::Name),
    rule(".pytest_cache", PlaceProof::Name),
    rule(".ruff_cache", PlaceProof::Name),
    rule(".hypothesis", PlaceProof::Name),
    rule(".ipynb_checkpoints", PlaceProof::Name),
    rule(".bloop", PlaceProof::Name),
    rule(".metals", PlaceProof::Name),
    rule("dist-newstyle", PlaceProof::Name),
    rule(".stack-work", PlaceProof::Name),
    rule(".nyc_output", PlaceProof::Name),
    rule(".jekyll-cache", PlaceProof::Name),
    rule(".sass-cache", PlaceProof::Name),
    rule(".pytype", PlaceProof::Name),
    rule(".aws-sam", PlaceProof::Name),
    rule("autom4te.cache", PlaceProof::Name),
    rule("elm-stuff", PlaceProof::Name),
    rule("buck-out", PlaceProof::Name),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_facts::SampleFacts;
    use crate::standing::Place;

    /// Times before and after the start of the agent.
    const OLD_NS: u64 = 1;
    const YOUNG_NS: u64 = 100;

    fn evaluate(directory: &[u8], since_ns: u64, disk: &SampleFacts) -> Place {
        if is_made_again(directory, since_ns, disk) {
            Place::MadeAgain
        } else {
            Place::Unproven
        }
    }

    fn place(directory: &str, old: &[&'static str]) -> Place {
        let disk = SampleFacts {
            files: old.iter().map(|file| (*file, OLD_NS)).collect(),
            ..SampleFacts::default()
        };
        evaluate(directory.as_bytes(), 10, &disk)
    }

    #[test]
    fn markers_prove_places() {
        use Place::{MadeAgain, Unproven};
        for (directory, old, expected) in [
            ("/z/node_modules", &["/z/package.json"][..], MadeAgain),
            ("/z/node_modules", &[], Unproven),
            ("/z/modules", &["/z/package.json"], Unproven),
            ("/z/env", &["/z/env/pyvenv.cfg"], MadeAgain),
            ("/z/env", &["/z/pyvenv.cfg"], Unproven),
            ("/z", &["/z/pyvenv.cfg", "/z/src"], Unproven),
            ("/z/b", &["/z/b/CMakeCache.txt"], MadeAgain),
            (
                "/z/b",
                &["/z/b/CMakeCache.txt", "/z/b/CMakeLists.txt"],
                Unproven,
            ),
            ("/z/b", &["/z/b/build.ninja"], Unproven),
            ("/z/b", &["/z/b/build.ninja", "/z/b/.ninja_log"], MadeAgain),
            (
                "/z/vendor/fnv",
                &["/z/vendor/fnv/.cargo-checksum.json"],
                MadeAgain,
            ),
            ("/z/target", &["/z/Cargo.toml"], MadeAgain),
            ("/z/build", &["/z/build.gradle.kts"], MadeAgain),
            ("/z/build", &["/z/Makefile"], Unproven),
            ("/z/_site", &["/z/_config.yml"], MadeAgain),
            ("/z/_site", &[], Unproven),
            ("/z/__pycache__", &[], MadeAgain),
            ("/z/.cache", &["/z/.cache/CACHEDIR.TAG"], Unproven),
        ] {
            assert_eq!(place(directory, old), expected, "{directory} with {old:?}");
        }
    }

    #[test]
    fn a_tag_counts_with_its_signature() {
        let mut disk = SampleFacts {
            files: vec![("/z/c/CACHEDIR.TAG", OLD_NS)],
            ..SampleFacts::default()
        };
        assert_eq!(evaluate(b"/z/c", 10, &disk), Place::Unproven);
        disk.texts = vec![("/z/c/CACHEDIR.TAG", b"Signature: something else")];
        assert_eq!(evaluate(b"/z/c", 10, &disk), Place::Unproven);
        disk.texts = vec![(
            "/z/c/CACHEDIR.TAG",
            b"Signature: 8a477f597d28d172789f06886806bc55\n# A comment",
        )];
        assert_eq!(evaluate(b"/z/c", 10, &disk), Place::MadeAgain);
    }

    #[test]
    fn an_agent_s_marker_proves_nothing_unless_it_replaced_one() {
        let young = SampleFacts {
            files: vec![("/z/package.json", YOUNG_NS)],
            ..SampleFacts::default()
        };
        assert_eq!(evaluate(b"/z/node_modules", 10, &young), Place::Unproven);
        let replaced = SampleFacts {
            files: vec![("/z/package.json", YOUNG_NS)],
            nobodys: vec!["/z/package.json"],
            ..SampleFacts::default()
        };
        assert_eq!(
            evaluate(b"/z/node_modules", 10, &replaced),
            Place::MadeAgain
        );
    }

    #[test]
    fn what_an_agent_moved_is_no_marker() {
        let moved = SampleFacts {
            files: vec![("/z/docs/pyvenv.cfg", OLD_NS)],
            came_from: vec![("/z/docs/pyvenv.cfg", "/z/keep")],
            ..SampleFacts::default()
        };
        assert_eq!(evaluate(b"/z/docs", 10, &moved), Place::Unproven);
    }
}
