//! The built-in tools, as data.
//!
//! Interpreters and package managers remove whatever a script says, so they are trusted only within
//! what they make again. Compilers and linkers are trusted everywhere: they remove their own
//! outputs. Programs that copy and unpack remove a file only to make it again, which is an edit.
//! Container tools are not listed: another process removes for them.

use super::subcommand::{GIT, JJ, Subcommands};
use super::tool::{Except, Naming, Reach, Tool};
use crate::glob::Glob;

struct BuiltIn {
    names: &'static [&'static str],
    naming: Naming,
    reach: BuiltInReach,
    except: BuiltInExcept,
}

#[derive(Clone, Copy)]
enum BuiltInReach {
    Everywhere,
    Within(&'static [&'static str]),
    Replaced,
}

#[derive(Clone, Copy)]
enum BuiltInExcept {
    Nothing,
    Subcommand(&'static Subcommands),
    /// Prefixes of arguments: long options may be abbreviated.
    Beginnings(&'static [&'static str]),
    /// As for `tar`, besides such prefixes.
    Tar(&'static [&'static str]),
}

/// Built-in tools that share a scope, for documents that list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltInTools {
    /// Last components of their programs' paths.
    pub names: &'static [&'static str],
    /// The patterns below a zone where they are trusted; empty when no pattern limits them.
    pub within: &'static [&'static str],
    /// Compilers and linkers, which also go by names with a target.
    pub are_compilers: bool,
}

/// The built-in tools, in the order of the catalogue.
pub fn built_in() -> impl Iterator<Item = BuiltInTools> {
    BUILT_INS.iter().map(|row| BuiltInTools {
        names: row.names,
        within: match row.reach {
            BuiltInReach::Within(patterns) => patterns,
            BuiltInReach::Everywhere | BuiltInReach::Replaced => &[],
        },
        are_compilers: row.naming == Naming::Cross,
    })
}

pub(super) fn tools() -> Vec<Tool> {
    let tools = BUILT_INS.iter().flat_map(|row| {
        row.names.iter().map(|name| Tool {
            name: name.as_bytes().into(),
            naming: row.naming,
            reach: row.reach.to_reach(),
            except: row.except.to_except(),
            pin: None,
        })
    });
    tools.collect()
}

// === impl BuiltInReach ===

impl BuiltInReach {
    fn to_reach(self) -> Reach {
        let parse = |pattern: &&str| Glob::parse(pattern).expect("a test parses every pattern");
        match self {
            Self::Everywhere => Reach::Everywhere,
            Self::Within(patterns) => Reach::Within(patterns.iter().map(parse).collect()),
            Self::Replaced => Reach::Replaced,
        }
    }
}

// === impl BuiltInExcept ===

impl BuiltInExcept {
    fn to_except(self) -> Except {
        match self {
            Self::Nothing => Except::Nothing,
            Self::Subcommand(subcommands) => Except::Subcommand(subcommands),
            Self::Beginnings(beginnings) => Except::Beginnings(beginnings),
            Self::Tar(beginnings) => Except::Tar(beginnings),
        }
    }
}

const BUILT_INS: &[BuiltIn] = &[
    // Version control keeps what it removes, except for untracked files.
    BuiltIn {
        names: &["git"],
        naming: Naming::Exact,
        reach: BuiltInReach::Everywhere,
        except: BuiltInExcept::Subcommand(&GIT),
    },
    BuiltIn {
        names: &["jj"],
        naming: Naming::Exact,
        reach: BuiltInReach::Everywhere,
        except: BuiltInExcept::Subcommand(&JJ),
    },
    BuiltIn {
        names: &["cargo", "rustc", "rustdoc", "rustup", "clippy-driver"],
        naming: Naming::Exact,
        // Without cargo, rustc leaves the last six beside its output.
        reach: BuiltInReach::Within(&[
            "target",
            "*.rcgu.o",
            "rmeta*",
            "*.rmeta",
            "*.rlib",
            "*.d",
            "rustc??????",
        ]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &[
            "npm", "npx", "node", "nodejs", "yarn", "pnpm", "bun", "deno",
        ],
        naming: Naming::Versioned,
        reach: BuiltInReach::Within(&[
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
            ".svelte-kit",
            ".output",
            ".parcel-cache",
            ".angular",
            ".docusaurus",
            ".nyc_output",
            "storybook-static",
        ]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["python", "pip", "uv", "poetry", "pytest"],
        naming: Naming::Versioned,
        reach: BuiltInReach::Within(&[
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
            "htmlcov",
            ".hypothesis",
            ".eggs",
            ".ipynb_checkpoints",
        ]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["swift", "swiftc", "swift-build", "xcodebuild"],
        naming: Naming::Exact,
        reach: BuiltInReach::Within(&[".build", "DerivedData"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["nix", "nix-build", "nix-store", "nix-env"],
        naming: Naming::Exact,
        reach: BuiltInReach::Within(&["result", "result-*"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["go"],
        naming: Naming::Versioned,
        // `go mod vendor` makes `vendor` again from go.mod.
        reach: BuiltInReach::Within(&["vendor", "go-build*"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["make", "gmake", "cmake", "ninja", "meson"],
        naming: Naming::Exact,
        reach: BuiltInReach::Within(&[
            "build",
            "builddir",
            "out",
            "CMakeFiles",
            "*.o",
            "*.a",
            "*.so",
            "*.d",
        ]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["java", "gradle", "mvn"],
        naming: Naming::Exact,
        reach: BuiltInReach::Within(&["target", "build", ".gradle", ".bloop", ".metals"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["dotnet"],
        naming: Naming::Exact,
        reach: BuiltInReach::Within(&["bin", "obj", "TestResults"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["zig"],
        naming: Naming::Exact,
        reach: BuiltInReach::Within(&[".zig-cache", "zig-cache", "zig-out"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["ghc", "cabal", "stack"],
        naming: Naming::Versioned,
        reach: BuiltInReach::Within(&["dist-newstyle", ".stack-work", "*.hi", "*.o", "*.dyn_*"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["ruby", "bundle"],
        naming: Naming::Versioned,
        reach: BuiltInReach::Within(&["vendor/bundle", ".bundle", "tmp/cache"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["php"],
        naming: Naming::Versioned,
        // Composer makes `vendor` again from composer.lock.
        reach: BuiltInReach::Within(&["vendor"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["beam.smp"],
        naming: Naming::Exact,
        reach: BuiltInReach::Within(&["_build", "deps"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["dart", "flutter"],
        naming: Naming::Exact,
        reach: BuiltInReach::Within(&[".dart_tool", "build"]),
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["terraform", "tofu"],
        naming: Naming::Exact,
        reach: BuiltInReach::Within(&[".terraform", ".terraform.tfstate.lock.info"]),
        except: BuiltInExcept::Nothing,
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
        reach: BuiltInReach::Everywhere,
        // A plugin is other code: what it removes is not the compiler's own.
        except: BuiltInExcept::Beginnings(&["-fplugin"]),
    },
    BuiltIn {
        names: &["cp", "gcp", "ln", "gln", "install", "ginstall", "unzip"],
        naming: Naming::Exact,
        reach: BuiltInReach::Replaced,
        except: BuiltInExcept::Nothing,
    },
    BuiltIn {
        names: &["tar", "gtar", "bsdtar", "cpio", "bsdcpio", "pax"],
        naming: Naming::Exact,
        reach: BuiltInReach::Replaced,
        // `--remove-files`, `--recursive-unlink`, `--incremental` and `--listed-incremental`, in as few
        // letters as GNU tar takes.
        except: BuiltInExcept::Tar(&["--rem", "--recursiv", "--inc", "--lis"]),
    },
];

/// Names, without versions, of programs that remove what their arguments say.
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
    fn every_pattern_parses_and_every_name_is_listed_once() {
        let mut seen = HashSet::new();
        for tool in tools() {
            assert!(seen.insert(tool.name.clone()), "{:?}", tool.name);
            assert!(!matches!(tool.reach, Reach::Within(patterns) if patterns.is_empty()));
        }
    }
}
