//! The built-in tools, as data: what keeps, what replaces, what compresses, and compilers.
//!
//! Version control keeps what it removes, and a compressor keeps it in its copy. Programs that copy
//! and unpack remove a file only to make it again, which is an edit. Compilers and linkers remove
//! their own outputs. What a build or a package manager makes again is proven by its place
//! ([`places`](crate::places)), whichever program removes it. Container tools are not listed: another
//! process removes for them.

use super::subcommand::{BZR, FOSSIL, GIT, HG, JJ, SL, Subcommands};
use super::tool::{Discarding, Except, Naming, Reach, Tool};

struct BuiltIn {
    names: &'static [&'static str],
    naming: Naming,
    reach: BuiltInReach,
    except: BuiltInExcept,
    discarding: Discarding,
    /// Whether it is a script, so that its process is the interpreter's.
    is_script: bool,
}

#[derive(Clone, Copy)]
enum BuiltInReach {
    Everywhere,
    Compressed,
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

/// Built-in tools that share a row, for documents that list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltInTools {
    /// Last components of their programs' paths.
    pub names: &'static [&'static str],
    /// Compilers and linkers, which also go by names with a target.
    pub are_compilers: bool,
}

/// The built-in tools, in the order of the catalogue.
pub fn built_in() -> impl Iterator<Item = BuiltInTools> {
    BUILT_INS.iter().map(|row| BuiltInTools {
        names: row.names,
        are_compilers: row.naming == Naming::Cross,
    })
}

pub(super) fn tools() -> Vec<Tool> {
    let tools = BUILT_INS.iter().flat_map(|row| {
        row.names.iter().map(|name| Tool {
            name: name.as_bytes().into(),
            naming: row.naming,
            reach: match row.reach {
                BuiltInReach::Everywhere => Reach::Everywhere,
                BuiltInReach::Compressed => Reach::Compressed,
                BuiltInReach::Replaced => Reach::Replaced,
            },
            except: row.except.to_except(),
            discarding: row.discarding,
            is_script: row.is_script,
            pin: None,
        })
    });
    tools.collect()
}

// === impl BuiltIn ===

impl BuiltIn {
    const fn everywhere(names: &'static [&'static str]) -> Self {
        Self {
            names,
            naming: Naming::Exact,
            reach: BuiltInReach::Everywhere,
            except: BuiltInExcept::Nothing,
            discarding: Discarding::Nothing,
            is_script: false,
        }
    }

    const fn version_control(
        names: &'static [&'static str],
        subcommands: &'static Subcommands,
    ) -> Self {
        Self {
            except: BuiltInExcept::Subcommand(subcommands),
            discarding: Discarding::Subcommand(subcommands),
            ..Self::everywhere(names)
        }
    }

    const fn replacing(names: &'static [&'static str]) -> Self {
        Self {
            reach: BuiltInReach::Replaced,
            ..Self::everywhere(names)
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
    BuiltIn::version_control(&["git"], &GIT),
    BuiltIn::version_control(&["jj"], &JJ),
    BuiltIn {
        is_script: true,
        ..BuiltIn::version_control(&["hg"], &HG)
    },
    BuiltIn::version_control(&["sl"], &SL),
    BuiltIn {
        is_script: true,
        ..BuiltIn::version_control(&["bzr", "brz"], &BZR)
    },
    BuiltIn::version_control(&["fossil"], &FOSSIL),
    BuiltIn {
        // `--remove-unversioned`, `--remove-ignored`, `--remove-added`.
        except: BuiltInExcept::Beginnings(&["--rem"]),
        ..BuiltIn::everywhere(&["svn"])
    },
    BuiltIn::everywhere(&["git-lfs", "darcs", "pijul"]),
    // A compressor removes what its copy has.
    BuiltIn {
        reach: BuiltInReach::Compressed,
        ..BuiltIn::everywhere(&[
            "gzip", "pigz", "bzip2", "bunzip2", "pbzip2", "lbzip2", "xz", "pixz", "zstd", "pzstd",
            "lz4", "lzip", "lzop", "brotli", "compress",
        ])
    },
    BuiltIn {
        naming: Naming::Cross,
        // A plugin is other code: what it removes is not the compiler's own.
        except: BuiltInExcept::Beginnings(&["-fplugin"]),
        ..BuiltIn::everywhere(&[
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
            "rustc",
            "rustdoc",
            "clippy-driver",
            "swiftc",
            "swift-frontend",
            "ghc",
            "go",
        ])
    },
    BuiltIn::replacing(&["cp", "gcp", "ln", "gln", "install", "ginstall", "unzip"]),
    BuiltIn {
        // `-m` moves into the archive.
        discarding: Discarding::Letter(b'm', &["--mo"]),
        ..BuiltIn::replacing(&["zip"])
    },
    BuiltIn {
        discarding: Discarding::Beginnings(&["-sdel"]),
        ..BuiltIn::replacing(&["7z", "7za", "7zr", "7zz"])
    },
    BuiltIn::replacing(&["jar"]),
    BuiltIn {
        except: BuiltInExcept::Beginnings(&["--del", "--remove", "--force"]),
        ..BuiltIn::replacing(&["rsync"])
    },
    BuiltIn {
        // `--remove-files`, `--recursive-unlink`, `--incremental` and `--listed-incremental`, in as few
        // letters as GNU tar takes.
        except: BuiltInExcept::Tar(&["--rem", "--recursiv", "--inc", "--lis"]),
        ..BuiltIn::replacing(&["tar", "gtar", "bsdtar", "cpio", "bsdcpio", "pax"])
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
    fn every_name_is_listed_once_and_no_trust_is_inherited() {
        let mut seen = HashSet::new();
        for tool in tools() {
            assert!(seen.insert(tool.name.clone()), "{:?}", tool.name);
            assert!(!tool.is_inherited(), "{:?}", tool.name);
        }
    }
}
