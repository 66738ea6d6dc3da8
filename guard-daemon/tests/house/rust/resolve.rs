//! Which file defines what a module names.
//!
//! `crate`, `self`, `super`, names of modules, and imports, public or not, are followed until a
//! module defines the name. What no module defines is of another crate, or is made by a macro; the
//! latter belongs to the module that was reached.

use super::modules::Modules;
use std::collections::{BTreeMap, BTreeSet};

/// For each file, the files that define what it names, each with one such name.
pub(crate) type Edges = BTreeMap<String, BTreeMap<String, String>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Module(usize),
    /// Something that this module defines.
    Item(usize),
}

type Visited = BTreeSet<(usize, String)>;

// === impl Modules ===

impl Modules {
    /// Which file needs which. `mod x;` and `pub use` need nothing by themselves: who names what
    /// is passed on needs the file that defines it.
    pub(crate) fn edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (id, module) in self.0.iter().enumerate() {
            let names = &module.names;
            let imports = names.imports.iter().filter(|import| !import.public);
            let paths = imports.map(|import| &import.path).chain(&names.paths);
            let paths = paths.map(|path| (self.resolve(id, path), path.join("::")));
            let single = names.single.iter();
            let single = single.map(|name| (self.lookup(id, name), name.clone()));
            let macros = names.macros.iter();
            let macros = macros.map(|name| (self.lookup_macro(id, name), format!("{name}!")));
            for (target, name) in paths.chain(single).chain(macros) {
                let Some(Target::Item(target)) = target else {
                    continue;
                };
                let target = &self.0[target].file;
                if *target != module.file {
                    let from = edges.entry(module.file.clone()).or_default();
                    from.entry(target.clone()).or_insert(name);
                }
            }
        }
        edges
    }

    fn resolve(&self, module: usize, path: &[String]) -> Option<Target> {
        self.follow(module, path, &mut Visited::new())
    }

    fn lookup(&self, module: usize, name: &str) -> Option<Target> {
        self.find(module, name, &mut Visited::new())
    }

    /// A macro may also be known by its place in the text, without an import.
    fn lookup_macro(&self, module: usize, name: &str) -> Option<Target> {
        let declares = |id: &usize| self.0[*id].macros.contains(name);
        let anywhere = || (0..self.0.len()).find(declares).map(Target::Item);
        self.lookup(module, name).or_else(anywhere)
    }

    fn follow(&self, module: usize, path: &[String], visited: &mut Visited) -> Option<Target> {
        let mut parts = path.iter().map(String::as_str);
        let mut target = match parts.next()? {
            "crate" => Target::Module(0),
            "self" => Target::Module(module),
            "super" => Target::Module(self.0[module].parent?),
            first => self.find(module, first, visited)?,
        };
        for part in parts {
            let Target::Module(at) = target else {
                return Some(target);
            };
            target = if part == "super" {
                Target::Module(self.0[at].parent?)
            } else {
                self.find(at, part, visited).unwrap_or(Target::Item(at))
            };
        }
        Some(target)
    }

    fn find(&self, module: usize, name: &str, visited: &mut Visited) -> Option<Target> {
        if !visited.insert((module, name.to_owned())) {
            return None;
        }
        let at = &self.0[module];
        if let Some(child) = at.children.get(name) {
            return Some(Target::Module(*child));
        }
        if at.items.contains(name) || at.macros.contains(name) {
            return Some(Target::Item(module));
        }
        let imports = &at.names.imports;
        let named = imports.iter().filter(|import| import.name == name);
        if let Some(target) = named
            .filter_map(|import| self.follow(module, &import.path, visited))
            .next()
        {
            return Some(target);
        }
        let mut whole = imports.iter().filter(|import| import.name == "*");
        whole.find_map(|import| match self.follow(module, &import.path, visited)? {
            Target::Module(from) => self.find(from, name, visited),
            Target::Item(_) => None,
        })
    }
}
