//! What a module names of others: by `use`, by a path, by a single name, by a macro's call.

use super::tokens::Tree;
use std::collections::BTreeSet;

/// A `use` of one thing, or of all of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// From where, as written.
    pub(crate) path: Vec<String>,
    /// The name in this module, `*` for all.
    pub(crate) name: String,
    /// Whether it is there for others as well: `pub use`.
    pub(crate) public: bool,
}

/// All names that a module writes, in bodies too.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) imports: Vec<Import>,
    /// Paths of at least two parts, outside of `use`.
    pub(crate) paths: BTreeSet<Vec<String>>,
    /// Single names, outside of `use`; no fields, no methods, no lifetimes.
    pub(crate) single: BTreeSet<String>,
    /// Macros that are called by a single name.
    pub(crate) macros: BTreeSet<String>,
}

// === impl Names ===

impl Names {
    pub(super) fn of(trees: &[Tree]) -> Self {
        let mut names = Self::default();
        names.scan(trees);
        names
    }

    fn scan(&mut self, trees: &[Tree]) {
        let mut at = 0;
        while at < trees.len() {
            let (before, rest) = trees.split_at(at);
            at += match rest {
                // Not the `use<'a>` of a type.
                [Tree::Word(word, _), next, ..] if word == "use" && !next.is_sign('<') => {
                    self.scan_use(before, &rest[1..])
                }
                [Tree::Word(_, _), ..] => self.scan_path(before, rest),
                [Tree::Group(_, inside), ..] if !is_restriction(before, inside) => {
                    self.scan(inside);
                    1
                }
                _ => 1,
            }
        }
    }

    fn scan_use(&mut self, before: &[Tree], rest: &[Tree]) -> usize {
        let end = rest.iter().position(|tree| tree.is_sign(';'));
        let end = end.unwrap_or(rest.len());
        let public = match before {
            [.., Tree::Group('(', _)] => true,
            [.., last] => last.is_word("pub"),
            [] => false,
        };
        self.import(&rest[..end], &[], public);
        end + 1
    }

    /// Takes a `use` apart.
    fn import(&mut self, trees: &[Tree], prefix: &[String], public: bool) {
        let (path, length) = path(trees);
        let is_prefix = path == ["self"] && !prefix.is_empty();
        let mut whole = prefix.to_vec();
        if !is_prefix {
            whole.extend(path);
        }
        let name = match &trees[length..] {
            [Tree::Sign(':'), Tree::Sign(':'), Tree::Group('{', inside)]
            | [Tree::Group('{', inside)] => {
                let parts = inside.split(|tree| tree.is_sign(','));
                for part in parts.filter(|part| !part.is_empty()) {
                    self.import(part, &whole, public);
                }
                return;
            }
            [.., Tree::Sign('*')] => "*".to_owned(),
            [word, Tree::Word(name, _)] if word.is_word("as") => name.clone(),
            _ => whole.last().cloned().unwrap_or_default(),
        };
        self.imports.push(Import {
            path: whole,
            name,
            public,
        });
    }

    fn scan_path(&mut self, before: &[Tree], rest: &[Tree]) -> usize {
        let (mut path, length) = path(rest);
        let is_whole = !matches!(
            before,
            [.., Tree::Sign(':'), Tree::Sign(':')] | [.., Tree::Sign('\'')]
        );
        let is_member = matches!(before, [.., Tree::Sign('.')])
            && !matches!(before, [.., Tree::Sign('.'), Tree::Sign('.')]);
        if is_whole && !is_member {
            let is_call = matches!(&rest[length..], [Tree::Sign('!'), Tree::Group(_, _), ..]);
            match (path.len(), is_call) {
                (1, true) => self.macros.extend(path.pop()),
                (1, false) => self.single.extend(path.pop()),
                _ => drop(self.paths.insert(path)),
            }
        }
        length
    }
}

/// The path that begins these trees, and its length in tokens.
fn path(trees: &[Tree]) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    let mut at = 0;
    while let Some(word) = trees.get(at).and_then(Tree::word) {
        path.push(word.to_owned());
        at += 1;
        let [Tree::Sign(':'), Tree::Sign(':'), Tree::Word(_, _), ..] = &trees[at..] else {
            break;
        };
        at += 2;
    }
    (path, at)
}

/// Whether these brackets are those of `pub(in …)`.
fn is_restriction(before: &[Tree], inside: &[Tree]) -> bool {
    let words = ["crate", "super", "self", "in"];
    let first = inside.first().and_then(Tree::word).unwrap_or_default();
    before.last().is_some_and(|last| last.is_word("pub")) && words.contains(&first)
}
