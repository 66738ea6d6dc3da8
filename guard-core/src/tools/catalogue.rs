//! The built-in tools, as data: who may remove what for an agent.
//!
//! Interpreters and package managers remove whatever a script says, so they are trusted only in
//! what they make again. Compilers and linkers are trusted everywhere: they remove their own
//! outputs. Containers are not here: what they remove, another process removes for them.

use super::subcommand::{GIT, JJ, Subcommands};
use super::{Except, Naming, Tool};
use crate::glob::Glob;

struct BuiltIn {
    names: &'static [&'static str],
    naming: Naming,
    /// `None`: everywhere.
    within: Option<&'static [&'static str]>,
    except: Option<&'static Subcommands>,
}

pub(super) fn tools() -> Vec<Tool> {
    let tools = BUILT_INS.iter().flat_map(|row| {
        row.names.iter().map(|name| Tool {
            name: name.as_bytes().into(),
            naming: row.naming,
            within: row.within.map(|patterns| {
                patterns
                    .iter()
                    .map(|pattern| Glob::parse(pattern).expect("a test reads it"))
                    .collect()
            }),
            except: row.except.map_or(Except::Nothing, Except::Subcommand),
            pin: None,
        })
    });
    tools.collect()
}

const BUILT_INS: &[BuiltIn] = &[
    // Version control keeps what it removes, except for what it never knew.
    BuiltIn {
        names: &["git"],
        naming: Naming::Exact,
        within: None,
        except: Some(&GIT),
    },
    BuiltIn {
        names: &["jj"],
        naming: Naming::Exact,
        within: None,
        except: Some(&JJ),
    },
    BuiltIn {
        names: &["cargo", "rustc", "rustdoc", "rustup", "clippy-driver"],
        naming: Naming::Exact,
        // rustc leaves the last six beside its output when it runs without cargo.
        within: Some(&[
            "target",
            "*.rcgu.o",
            "rmeta*",
            "*.rmeta",
            "*.rlib",
            "*.d",
            "rustc??????",
        ]),
        except: None,
    },
    BuiltIn {
        names: &[
            "npm", "npx", "node", "nodejs", "yarn", "pnpm", "bun", "deno",
        ],
        naming: Naming::Versioned,
        within: Some(&[
            "node_modules",
            "dist",
            "build",
            ".next",
            ".nuxt",
            ".cache",
            ".turbo",
            ".vite",
            "coverage",
            ".npm",
            ".yarn",
            ".pnpm-store",
        ]),
        except: None,
    },
    BuiltIn {
        names: &["python", "pip", "uv", "poetry", "pytest"],
        naming: Naming::Versioned,
        within: Some(&[
            ".venv",
            "venv",
            "__pycache__",
            ".tox",
            ".nox",
            ".pytest_cache",
            ".mypy_cache",
            ".ruff_cache",
            "build",
            "dist",
            "*.egg-info",
            "*.pyc",
            ".coverage",
            ".coverage.*",
        ]),
        except: None,
    },
    BuiltIn {
        names: &["swift", "swiftc", "swift-build", "xcodebuild"],
        naming: Naming::Exact,
        within: Some(&[".build", "DerivedData"]),
        except: None,
    },
    BuiltIn {
        names: &["nix", "nix-build", "nix-store", "nix-env"],
        naming: Naming::Exact,
        within: Some(&["result", "result-*"]),
        except: None,
    },
    BuiltIn {
        names: &["go"],
        naming: Naming::Versioned,
        // `go mod vendor` writes `vendor` anew from go.mod.
        within: Some(&["vendor", "go-build*"]),
        except: None,
    },
    BuiltIn {
        names: &["make", "gmake", "cmake", "ninja", "meson"],
        naming: Naming::Exact,
        within: Some(&[
            "build",
            "builddir",
            "out",
            "CMakeFiles",
            "*.o",
            "*.a",
            "*.so",
            "*.d",
        ]),
        except: None,
    },
    BuiltIn {
        names: &["java", "gradle", "mvn"],
        naming: Naming::Exact,
        within: Some(&["target", "build", ".gradle"]),
        except: None,
    },
    BuiltIn {
        names: &[
            "cc",
            "c++",
            "gcc",
            "g++",
            "clang",
            "clang++",
            "cc1",
            "cc1plus",
            "collect2",
            "lto1",
            "lto-wrapper",
            "as",
            "ar",
            "gcc-ar",
            "llvm-ar",
            "ranlib",
            "strip",
            "ld",
            "ld.bfd",
            "ld.gold",
            "ld.lld",
            "ld64.lld",
            "lld",
            "mold",
            "rust-lld",
        ],
        naming: Naming::Cross,
        within: None,
        except: None,
    },
];

/// Names without their versions that remove whatever they are told to.
pub(super) const REMOVERS: &[&[u8]] = &[
    b"rm",
    b"mv",
    b"unlink",
    b"rmdir",
    b"find",
    b"rsync",
    b"sh",
    b"bash",
    b"dash",
    b"zsh",
    b"fish",
    b"python",
    b"node",
    b"nodejs",
    b"bun",
    b"deno",
    b"perl",
    b"ruby",
    b"php",
    b"lua",
    b"busybox",
    b"coreutils",
    b"docker",
    b"env",
    b"xargs",
    b"osascript",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_pattern_reads_and_every_name_stands_once() {
        let mut seen = HashSet::new();
        for tool in tools() {
            assert!(seen.insert(tool.name.clone()), "{:?}", tool.name);
            assert_ne!(tool.within.as_deref().map(<[Glob]>::len), Some(0));
        }
    }
}
