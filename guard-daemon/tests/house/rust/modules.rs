//! The modules of one crate, from its root file on: what each defines, names and tests.
//!
//! A module is a file, or a `mod x { … }` within one. A file that no `mod` leads to is none, as for
//! the compiler. Modules behind a `cfg` of a platform or a feature count.

use super::names::Names;
use super::test_functions::{self, TestFunction};
use super::tokens::{Tree, contains_word};
use std::collections::{BTreeMap, BTreeSet};

/// One module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    /// Its items, also those that are written inside a macro's brackets.
    pub(crate) items: BTreeSet<String>,
    /// The macros that it declares.
    pub(crate) macros: BTreeSet<String>,
    /// What it names of others.
    pub(crate) names: Names,
    pub(crate) tests: Vec<TestFunction>,
}

/// Which modules and items count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All but `#[cfg(test)]`.
    Product,
    /// What `cargo test` compiles: no loom models and no fuzz targets.
    Tests,
}

/// All modules of a crate; the first is its root.
#[derive(Debug, Default)]
pub(crate) struct Modules(pub(crate) Vec<Module>);

/// Gives a file's tokens, or `None` if there is no such file.
pub(crate) type ReadFile<'r> = &'r dyn Fn(&str) -> Option<&'r [Tree]>;

// === impl Modules ===

impl Modules {
    /// Follows `mod x;` from a root file on.
    pub(crate) fn of(root: &str, scope: Scope, read: ReadFile<'_>) -> Self {
        let mut modules = Self::default();
        let trees = read(root).unwrap_or_else(|| panic!("{root} is not there"));
        modules.add(None, root, parent_of(root), trees, (scope, read));
        modules
    }

    /// Adds a module; its children's files are in `directory`.
    fn add(
        &mut self,
        parent: Option<usize>,
        file: &str,
        directory: &str,
        trees: &[Tree],
        (scope, read): (Scope, ReadFile<'_>),
    ) -> usize {
        let this = self.0.len();
        let (trees, children) = split(trees, scope);
        let mut module = Module {
            file: file.to_owned(),
            parent,
            names: Names::of(&trees),
            tests: test_functions::of(&trees),
            ..Module::default()
        };
        scan_items(&trees, &mut module);
        self.0.push(module);
        for Child { name, path, inline } in children {
            let below = format!("{directory}/{name}");
            let id = if let Some(trees) = inline {
                Some(self.add(Some(this), file, &below, &trees, (scope, read)))
            } else {
                let at = match path {
                    Some(path) => vec![normal(&format!("{}/{path}", parent_of(file)))],
                    None => vec![format!("{below}.rs"), format!("{below}/mod.rs")],
                };
                let found = at.into_iter().find_map(|file| Some((read(&file)?, file)));
                found.map(|(trees, file)| {
                    let directory = if file == format!("{below}.rs") {
                        &below
                    } else {
                        parent_of(&file)
                    };
                    self.add(Some(this), &file, directory, trees, (scope, read))
                })
            };
            if let Some(id) = id {
                self.0[this].children.insert(name, id);
            }
        }
        this
    }
}

struct Child {
    name: String,
    /// The file, if an attribute names it.
    path: Option<String>,
    /// The contents, unless they are in a file.
    inline: Option<Vec<Tree>>,
}

/// Parts a module's tokens into its own, less what is out of scope, and its children.
fn split(trees: &[Tree], scope: Scope) -> (Vec<Tree>, Vec<Child>) {
    let (mut own, mut children) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < trees.len() {
        let start = at;
        while let [Tree::Sign('#'), Tree::Group('[', _), ..] = &trees[at..] {
            at += 2;
        }
        let attributes = &trees[start..at];
        if is_left_out(attributes, scope) {
            at += item_length(&trees[at..]);
        } else if let Some((child, length)) = child(&trees[at..], attributes) {
            children.push(child);
            at += length;
        } else {
            own.extend_from_slice(attributes);
            own.extend(trees.get(at).cloned());
            at += 1;
        }
    }
    (own, children)
}

fn is_left_out(attributes: &[Tree], scope: Scope) -> bool {
    let conditions = attributes.iter().filter_map(|tree| tree.inside('['));
    let mut conditions = conditions.filter(|inside| {
        inside.first().is_some_and(|first| first.is_word("cfg")) && !contains_word(inside, "not")
    });
    let words: &[&str] = match scope {
        Scope::Product => &["test"],
        Scope::Tests => &["fuzzing", "loom"],
    };
    conditions.any(|inside| words.iter().any(|word| contains_word(inside, word)))
}

/// How many tokens an item has: up to its `;` or its body.
fn item_length(trees: &[Tree]) -> usize {
    let is_use = trees.iter().take(3).any(|tree| tree.is_word("use"));
    let ends = |tree: &Tree| tree.is_sign(';') || (!is_use && tree.inside('{').is_some());
    trees
        .iter()
        .position(ends)
        .map_or(trees.len(), |end| end + 1)
}

fn child(trees: &[Tree], attributes: &[Tree]) -> Option<(Child, usize)> {
    let visibility = match trees {
        [public, Tree::Group('(', _), ..] if public.is_word("pub") => 2,
        [public, ..] if public.is_word("pub") => 1,
        _ => 0,
    };
    let (name, body) = match &trees[visibility..] {
        [keyword, Tree::Word(name, _), body, ..] if keyword.is_word("mod") => (name, body),
        _ => return None,
    };
    let path = attributes.iter().find_map(|tree| match tree.inside('[')? {
        [word, Tree::Sign('='), Tree::Literal(text)] if word.is_word("path") => {
            Some(text.trim_matches('"').to_owned())
        }
        _ => None,
    });
    let child = Child {
        name: name.clone(),
        path,
        inline: body.inside('{').map(<[Tree]>::to_vec),
    };
    Some((child, visibility + 3))
}

fn scan_items(trees: &[Tree], module: &mut Module) {
    const KEYWORDS: [&str; 8] = [
        "struct", "enum", "union", "trait", "fn", "const", "static", "type",
    ];
    let keyword = |tree: &Tree| tree.word().is_some_and(|word| KEYWORDS.contains(&word));
    for (at, tree) in trees.iter().enumerate() {
        match (&trees[..at], tree) {
            ([.., before], Tree::Word(name, _)) if keyword(before) => {
                module.items.insert(name.clone());
            }
            ([.., before, Tree::Sign('!')], Tree::Word(name, _))
                if before.is_word("macro_rules") =>
            {
                module.macros.insert(name.clone());
            }
            ([.., Tree::Sign('!')], Tree::Group(_, inside)) => scan_items(inside, module),
            _ => {}
        }
    }
}

fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// A path without `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}
