//! What a directory's project files say is built in it, for a first policy.
//!
//! An output with an ambiguous name (`dist`, `build`) goes in a git repository that tracks nothing of
//! it, and nowhere else. Where there is no repository, `policy init` writes those that a project file
//! beside them explains into `disposable_paths`, where the person sees them and may take them out.
//!
//! It deliberately looks a few levels deep, follows no links, and names only what is there.

use std::fs;
use std::path::{Path, PathBuf};

/// Outputs, and the project files beside which a tool makes them.
const OUTPUTS: &[(&[&str], &[&str])] = &[
    (
        &["package.json"],
        &["dist", "build", "out", "coverage", "storybook-static"],
    ),
    (
        &["pyproject.toml", "setup.py", "setup.cfg"],
        &["dist", "build", "htmlcov", ".coverage", ".eggs"],
    ),
    (
        &["CMakeLists.txt", "meson.build"],
        &["build", "builddir", "out"],
    ),
    (&["go.mod", "composer.json"], &["vendor"]),
    (&["mkdocs.yml"], &["site"]),
    (&["_config.yml"], &["_site"]),
    (&["hugo.toml", "config.toml"], &["public"]),
];

/// The outputs in this directory that no repository has an account of, sorted.
pub(super) fn outputs_of(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = MAX_DIRECTORIES;
    let is_in_repository = directory
        .ancestors()
        .any(|above| above.join(".git").exists());
    if !is_in_repository {
        search(directory, MAX_DEPTH, &mut left, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn search(directory: &Path, depth: usize, left: &mut usize, found: &mut Vec<PathBuf>) {
    if *left == 0 || directory.join(".git").exists() {
        return;
    }
    *left -= 1;
    let is_here = |name: &&str| directory.join(name).exists();
    let outputs = OUTPUTS
        .iter()
        .filter(|(projects, _)| projects.iter().any(is_here))
        .flat_map(|(_, outputs)| outputs.iter().filter(|name| is_here(name)))
        .map(|name| directory.join(name));
    let here: Vec<PathBuf> = outputs.collect();
    if depth > 0 {
        for below in directories_in(directory) {
            if !here.contains(&below) {
                search(&below, depth - 1, left, found);
            }
        }
    }
    found.extend(here);
}

/// The directories in a directory, but for what is hidden and what package managers fill.
fn directories_in(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let entries = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        let is_skipped = name == "node_modules" || name.as_encoded_bytes().starts_with(b".");
        !is_skipped && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    entries.map(|entry| entry.path()).collect()
}

/// How deep projects are looked for below the directory.
const MAX_DEPTH: usize = 3;

/// How many directories are looked into.
const MAX_DIRECTORIES: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_beside_their_projects_are_found_where_no_repository_is() {
        let home = tempfile::tempdir().unwrap();
        let top = home.path();
        for directory in [
            "app/dist",
            "app/src/build",
            "dist",
            "lib/build",
            "repo/dist",
            "repo/.git",
            "app/node_modules/a/dist",
        ] {
            fs::create_dir_all(top.join(directory)).unwrap();
        }
        for file in [
            "app/package.json",
            "repo/package.json",
            "app/node_modules/a/package.json",
            "lib/setup.py",
        ] {
            fs::write(top.join(file), "{}").unwrap();
        }
        assert_eq!(
            outputs_of(top),
            [top.join("app/dist"), top.join("lib/build")]
        );
        fs::create_dir(top.join(".git")).unwrap();
        assert!(outputs_of(&top.join("app")).is_empty());
    }
}
