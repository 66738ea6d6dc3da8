//! The tests in a module: the functions that `cargo test` runs and that can fail.

use super::tokens::{Tree, contains_word};

/// A function under `#[test]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestFunction {
    pub(crate) name: String,
    /// Why it keeps no promise, if it does not.
    pub(crate) fault: Option<&'static str>,
}

/// The tests among a module's tokens, and in its `proptest!` blocks.
pub(super) fn of(trees: &[Tree]) -> Vec<TestFunction> {
    let mut tests = Vec::new();
    let mut attributes: Vec<&[Tree]> = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        match (&trees[..at], tree) {
            ([.., Tree::Sign('#')], Tree::Group('[', inside)) => attributes.push(inside),
            ([.., name, Tree::Sign('!')], Tree::Group(_, inside)) if name.is_word("proptest") => {
                tests.extend(of(inside));
            }
            ([.., keyword], Tree::Word(name, _)) if keyword.is_word("fn") => {
                let body = trees[at..].iter().find_map(|tree| tree.inside('{'));
                tests.extend(test(name, &attributes, body.unwrap_or_default()));
            }
            // The end of an item: what comes next has attributes of its own.
            (_, Tree::Sign(';') | Tree::Group('{', _)) => attributes.clear(),
            _ => {}
        }
    }
    tests
}

/// Attributes that take a test's failure away.
pub(crate) const REFUSED: [&str; 2] = ["ignore", "should_panic"];

fn test(name: &str, attributes: &[&[Tree]], body: &[Tree]) -> Option<TestFunction> {
    // `#[test]`, `#[tokio::test]`, `#[tokio::test(flavor = "…")]`.
    let is_test = |inside: &&[Tree]| {
        let path = inside.iter().take_while(|tree| tree.inside('(').is_none());
        path.last().is_some_and(|last| last.is_word("test"))
    };
    if !attributes.iter().any(is_test) {
        return None;
    }
    let has = |word: &str| attributes.iter().any(|inside| contains_word(inside, word));
    let fault = if REFUSED.iter().any(|word| has(word)) {
        Some("is ignored, or should panic")
    } else if attributes
        .iter()
        .any(|inside| inside[0].is_word("cfg") && is_never(inside))
    {
        Some("is compiled nowhere")
    } else if !calls_something(body) {
        Some("asserts nothing and calls nothing")
    } else {
        None
    };
    Some(TestFunction {
        name: name.to_owned(),
        fault,
    })
}

/// Whether a condition is that of a loom model or a fuzz target, or `any()`.
fn is_never(condition: &[Tree]) -> bool {
    let is_none = |trees: &[Tree]| {
        let mut pairs = trees.windows(2);
        pairs.any(|pair| {
            pair[0].is_word("any") && pair[1].inside('(').is_some_and(<[Tree]>::is_empty)
        })
    };
    let inside = condition
        .get(1)
        .and_then(|tree| tree.inside('('))
        .unwrap_or_default();
    is_none(inside)
        || ["fuzzing", "loom", "FALSE"]
            .iter()
            .any(|word| contains_word(inside, word) && !contains_word(inside, "not"))
}

/// Whether a body calls a function, a method or a macro.
fn calls_something(body: &[Tree]) -> bool {
    body.iter()
        .enumerate()
        .any(|(at, tree)| match (&body[..at], tree) {
            ([.., Tree::Word(_, _), Tree::Sign('!')], Tree::Group(_, _)) => true,
            ([.., Tree::Word(_, _)], Tree::Group('(', _)) => true,
            (_, Tree::Group(_, inside)) => calls_something(inside),
            _ => false,
        })
}
