//! No file of a crate needs a file that needs it.
//!
//! A file needs the files that define what it names: by `use`, by a path such as `crate::a::b` or
//! `child::f`, by a name that a glob brings, by a macro. `mod x;` and `pub use` alone need nothing.
//! Tests inside `src` do not count, since the product is the same without them.

use crate::repository::{none, packages, tokens};
use crate::rust::modules::{Modules, Scope};
use crate::rust::resolve::Edges;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn no_file_needs_one_that_needs_it() {
    let mut complaints = Vec::new();
    for package in packages() {
        for root in package.roots() {
            let edges = Modules::of(&root, Scope::Product, &|path| tokens(path)).edges();
            complaints.extend(
                circles(&edges)
                    .into_iter()
                    .map(|circle| shown(&circle, &edges)),
            );
        }
    }
    none("no file needs one that needs it", &complaints);
}

/// Sets of files each of which needs all others, by way of others or not.
fn circles(edges: &Edges) -> Vec<BTreeSet<&str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = edges
        .keys()
        .map(|start| (&**start, reached_from(start, edges)))
        .collect();
    let mut found: Vec<BTreeSet<&str>> = Vec::new();
    for (start, files) in &reached {
        if files.contains(start) && !found.iter().any(|circle| circle.contains(start)) {
            let back = |file: &&&str| {
                reached
                    .get(**file)
                    .is_some_and(|files| files.contains(start))
            };
            found.push(files.iter().filter(back).copied().collect());
        }
    }
    found
}

fn reached_from<'e>(start: &'e str, edges: &'e Edges) -> BTreeSet<&'e str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(file) = open.pop() {
        for next in edges.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(&**next) {
                open.push(next);
            }
        }
    }
    reached
}

fn shown(circle: &BTreeSet<&str>, edges: &Edges) -> String {
    let mut lines = vec![format!("a circle of {} files:", circle.len())];
    for file in circle {
        for (other, name) in edges.get(*file).into_iter().flatten() {
            if circle.contains(&**other) {
                lines.push(format!("  {file} needs {other} for {name}"));
            }
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust::tokens::Tree;

    /// The circles in a crate of these files, each as the names of its files.
    fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<String, Vec<Tree>> = files
            .iter()
            .map(|(name, text)| (format!("src/{name}.rs"), Tree::parse(text)))
            .collect();
        let read = |path: &str| files.get(path).map(Vec::as_slice);
        let edges = Modules::of("src/lib.rs", Scope::Product, &read).edges();
        let name = |path: &&str| {
            path.trim_start_matches("src/")
                .trim_end_matches(".rs")
                .to_owned()
        };
        circles(&edges)
            .iter()
            .map(|circle| circle.iter().map(name).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn files_that_need_each_other_are_a_circle() {
        let lib = ("lib", "mod a; mod b; mod c;");
        let a = "pub struct A;";
        let c = "pub struct C;";
        for (case, a, b) in [
            (
                "crate",
                "use crate::b::B; pub struct A;",
                "use crate::a::A; pub struct B;",
            ),
            (
                "super",
                "use super::b::{self, B as D}; pub struct A;",
                "use super::a::A; pub struct B;",
            ),
            (
                "in a body",
                "pub fn a() { crate::b::b(); }",
                "pub fn b() { let f = crate::a::a; }",
            ),
            (
                "in a macro",
                "pub fn a() { assert!(crate::b::b()); }",
                "use crate::a::*; fn b() { a() }",
            ),
            (
                "a type",
                "pub struct A(Option<crate::b::B>);",
                "pub struct B { a: Vec<crate::a::A> }",
            ),
            (
                "a glob",
                "use crate::b::*; pub struct A(B);",
                "use crate::a::*; pub struct B(A);",
            ),
            (
                "a module",
                "use crate::b; fn f() -> b::B {} pub struct A;",
                "use crate::a::A; pub struct B;",
            ),
            (
                "a macro",
                "macro_rules! m { () => { crate::b::B } }",
                "m!(); pub struct B;",
            ),
        ] {
            let circles = circles_of(&[lib, ("a", a), ("b", b), ("c", c)]);
            assert_eq!(circles, ["a b"], "{case}");
        }
        let three = circles_of(&[
            lib,
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "use crate::c::C; pub struct B;"),
            ("c", "use crate::a::A; pub struct C;"),
        ]);
        assert_eq!(three, ["a b c"]);
        assert!(circles_of(&[lib, ("a", a), ("b", "use crate::a::A;"), ("c", c)]).is_empty());
    }

    #[test]
    fn a_parent_is_needed_for_what_it_defines_and_not_for_what_it_declares() {
        let child = ("a", "use super::Shared; pub struct A;");
        let declares = "mod a; pub struct Shared; pub use a::A;";
        assert!(circles_of(&[("lib", declares), child]).is_empty());
        for lib in [
            "mod a; pub struct Shared; fn f(_: a::A) {}",
            "mod a; pub struct Shared; use a::A;",
            "mod a; pub struct Shared; pub use a::A; fn f(_: A) {}",
        ] {
            assert_eq!(circles_of(&[("lib", lib), child]), ["a lib"], "{lib}");
        }
    }

    #[test]
    fn what_is_passed_on_is_of_the_file_that_defines_it() {
        let lib = ("lib", "pub mod a; mod b;");
        let a = ("a", "mod inner; mod other; pub use inner::Inner;");
        let b = ("b", "use crate::a::Inner; pub struct B;");
        let inner = ("a/inner", "use crate::b::B; pub struct Inner;");
        let other = ("a/other", "use super::Inner; pub struct Other;");
        assert_eq!(circles_of(&[lib, a, b, inner, other]), ["a/inner b"]);
    }

    #[test]
    fn tests_comments_and_strings_need_nothing() {
        let lib = ("lib", "mod a; mod b;");
        let b = ("b", "use crate::a::A; pub struct B;");
        for a in [
            "// use crate::b::B;\n/* crate::b::B */ pub struct A;",
            "/// [`crate::b::B`]\npub struct A;",
            "pub struct A; const T: &str = \"crate::b::B\";",
            "pub struct A; #[cfg(test)] mod tests { use crate::b::B; use super::*; }",
            "pub struct A; #[cfg(test)] use crate::b::B; pub(in crate::b) fn f() {}",
            "pub struct A; fn f(a: A) { a.b::<u8>(); other::b::B; }",
        ] {
            assert!(circles_of(&[lib, ("a", a), b]).is_empty(), "{a}");
        }
    }
}
