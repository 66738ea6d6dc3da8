//! Which crate may need which, and what the core must not touch.
//!
//! A crate needs what its `Cargo.toml` lists for the product, on any platform, and what that needs
//! in turn by `Cargo.lock`. What only tests need does not count.

use crate::repository::{between, none, packages, quoted, read, tokens};
use crate::rust::modules::{Modules, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What each crate may need of this workspace, directly or not.
const MAY_NEED: [(&str, &[&str]); 14] = [
    ("endpoint-sec-sys", &[]),
    ("endpoint-sec", &["endpoint-sec-sys"]),
    ("endpoint-sec-sim", &["endpoint-sec-sys"]),
    ("guard-core", &[]),
    ("guard-undo", &["guard-core"]),
    ("guard-report", &["guard-core"]),
    ("guard-control", &["guard-core", "guard-report"]),
    ("guard-linux", &["guard-core", "guard-undo"]),
    (
        "guard-es",
        &[
            "endpoint-sec",
            "endpoint-sec-sys",
            "guard-core",
            "guard-undo",
        ],
    ),
    (
        "codex-es-guard",
        &[
            "endpoint-sec",
            "endpoint-sec-sys",
            "guard-control",
            "guard-core",
            "guard-es",
            "guard-linux",
            "guard-report",
            "guard-undo",
        ],
    ),
    ("guard-exporter", &["guard-core", "guard-report"]),
    (
        "guard-companion",
        &[
            "endpoint-sec",
            "endpoint-sec-sys",
            "guard-control",
            "guard-core",
            "guard-es",
            "guard-linux",
            "guard-report",
            "guard-undo",
        ],
    ),
    ("guard-testing", &["guard-core", "guard-report"]),
    ("xtask", &[]),
];

/// The guard links fewer packages, those of this workspace included.
const MOST_PACKAGES: usize = 75;

const SERVERS: [&str; 3] = ["axum", "hyper", "prometheus"];
const RUNTIME: &str = "tokio";
const KERNELS: [&str; 2] = ["nix", "rustix"];

#[test]
fn arrows_point_one_way() {
    let members = Members::read();
    let mut complaints = Vec::new();
    for name in members.direct.keys() {
        let row = MAY_NEED.iter().find(|(package, _)| package == name);
        let Some((_, allowed)) = row else {
            complaints.push(format!("{name} has no row here"));
            continue;
        };
        let needed = members.needed_by(name);
        let others = members
            .direct
            .keys()
            .filter(|other| needed.contains(*other));
        let wrong = others.filter(|other| !allowed.contains(&&***other));
        complaints.extend(wrong.map(|other| format!("{name} needs {other}")));
    }
    none("crates need one another in one direction", &complaints);
}

#[test]
fn only_the_exporter_serves_and_nothing_that_guards_has_a_runtime() {
    let members = Members::read();
    let mut complaints = Vec::new();
    for name in members.direct.keys() {
        let needed = members.needed_by(name);
        let servers = SERVERS.into_iter().filter(|_| name != "guard-exporter");
        let has_runtime = ["guard-companion", "guard-exporter"].contains(&name.as_str());
        let runtime = Some(RUNTIME).filter(|_| !has_runtime);
        let found = servers
            .chain(runtime)
            .filter(|other| needed.contains(*other));
        complaints.extend(found.map(|server| format!("{name} needs {server}")));
    }
    none("only the exporter serves", &complaints);
}

#[test]
fn the_guard_needs_few_packages_and_no_bus() {
    let needed = Members::read().needed_by("codex-es-guard");
    let buses = ["notify-rust", "rmcp", "zbus"].into_iter();
    let mut complaints: Vec<String> = buses
        .filter(|name| needed.contains(*name))
        .map(|name| format!("codex-es-guard needs {name}"))
        .collect();
    for target in ["x86_64-unknown-linux-gnu", "aarch64-apple-darwin"] {
        let packages = linked("codex-es-guard", target);
        if packages.len() >= MOST_PACKAGES {
            let count = packages.len();
            complaints.push(format!("on {target} it links {count}: {packages:?}"));
        }
    }
    none(
        "what is not needed to guard is the companion's",
        &complaints,
    );
}

/// The packages that Cargo links into a program for a platform.
fn linked(package: &str, target: &str) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", "normal"])
        .args(["--prefix", "none", "--no-dedupe"])
        .args(["--package", package, "--target", target])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("Cargo runs");
    assert!(tree.status.success(), "{tree:?}");
    let text = String::from_utf8_lossy(&tree.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.split(" (").next());
    names.map(str::to_owned).collect()
}

#[test]
fn the_core_needs_no_kernel_binding_but_for_the_ring_s_file() {
    let needed = Members::read().needed_by("guard-core");
    let found = KERNELS.iter().filter(|name| needed.contains(**name));
    let mut complaints: Vec<String> = found
        .map(|name| format!("guard-core needs {name}"))
        .collect();
    // mmap in the one, a flag for opening in the other.
    let files = [
        "guard-core/src/ring/memory.rs",
        "guard-core/src/ring/reader.rs",
    ];
    complaints.extend(core_uses(&["libc"], &files));
    none(
        "guard-core calls libc for the ring's file alone",
        &complaints,
    );
}

#[test]
fn the_core_reads_no_clock_and_opens_only_rings() {
    let nowhere = [
        "std::time::Instant",
        "std::time::SystemTime",
        "std::env",
        "std::process",
        "std::net",
    ];
    let mut complaints = core_uses(&nowhere, &[]);
    complaints.extend(core_uses(
        &["std::fs", "std::io", "std::os"],
        &["guard-core/src/ring/"],
    ));
    none(
        "guard-core is given times, processes and files",
        &complaints,
    );
}

/// Where guard-core names something below one of these paths, outside of these places.
fn core_uses(paths: &[&str], except: &[&str]) -> Vec<String> {
    let modules = Modules::of("guard-core/src/lib.rs", Scope::Product, &|path| {
        tokens(path)
    });
    let mut found = Vec::new();
    for module in &modules.0 {
        if except.iter().any(|place| module.file.starts_with(place)) {
            continue;
        }
        let imports = module.names.imports.iter().map(|import| &import.path);
        for used in imports.chain(&module.names.paths) {
            let used = used.join("::");
            let is_below = |path: &&str| {
                used.strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            };
            if paths.iter().any(is_below) {
                found.push(format!("{}: {used}", module.file));
            }
        }
    }
    found
}

/// The workspace's crates and what they need.
struct Members {
    /// By the name of each crate: what its `Cargo.toml` lists for the product.
    direct: BTreeMap<String, BTreeSet<String>>,
    /// The same for all other packages, by `Cargo.lock`.
    locked: BTreeMap<String, BTreeSet<String>>,
}

// === impl Members ===

impl Members {
    fn read() -> Self {
        let direct = packages().into_iter().map(|package| {
            let name = between(&package.manifest, "name = \"", "\"").to_owned();
            (name, listed(&package.manifest))
        });
        let lock = read("Cargo.lock");
        let mut locked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in lock.split("[[package]]").skip(1) {
            let name = between(entry, "name = \"", "\"");
            let list = entry.split_once("dependencies = [");
            let list = list.map_or("", |(_, rest)| rest.split(']').next().unwrap_or(rest));
            let names = quoted(list)
                .into_iter()
                .filter_map(|words| words.split(' ').next());
            let names = names.map(str::to_owned);
            locked.entry(name.to_owned()).or_default().extend(names);
        }
        Self {
            direct: direct.collect(),
            locked,
        }
    }

    /// Every package that a crate needs, also through others.
    fn needed_by(&self, name: &str) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            let next = self.direct.get(name).or_else(|| self.locked.get(name));
            for next in next.into_iter().flatten() {
                if needed.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        needed
    }
}

/// What a `Cargo.toml` lists, but for tests.
fn listed(manifest: &str) -> BTreeSet<String> {
    let tables = manifest
        .split("\n[")
        .filter_map(|table| table.split_once(']'));
    let tables = tables
        .filter(|(head, _)| head.ends_with("dependencies") && !head.ends_with("dev-dependencies"));
    let lines = tables.flat_map(|(_, body)| body.lines());
    let lines = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    lines
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_need_does_not_count() {
        let manifest = "[package]\nname = \"a\"\n\n[dependencies]\nb.workspace = true\n\
                        c = { path = \"c\" }\n\n[target.'cfg(unix)'.dependencies]\nd = \"1\"\n\n\
                        [dev-dependencies]\ne = \"1\"\n\n[[bench]]\nname = \"f\"\n";
        let expected = ["b", "c", "d"].map(str::to_owned);
        assert_eq!(listed(manifest), BTreeSet::from(expected));
    }
}
