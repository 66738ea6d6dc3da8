//! A Rust file as a tree of tokens: without comments, and with strings as literals.
//!
//! `proc_macro2` is the lexer of the compiler's own macros, so nested comments, raw strings and
//! lifetimes are read as the compiler reads them. It does not expand macros; what is written inside
//! a macro's parentheses is a group like any other.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One token, or a pair of brackets with what is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// An identifier or a keyword, and its line.
    Word(String, usize),
    /// One character of punctuation.
    Sign(char),
    /// A number, a character or a string, as written.
    Literal(String),
    /// `(…)`, `[…]` or `{…}`, by the opening bracket.
    Group(char, Vec<Self>),
}

// === impl Tree ===

impl Tree {
    /// Reads a file's text.
    ///
    /// # Panics
    ///
    /// If it is no Rust.
    pub(crate) fn parse(text: &str) -> Vec<Self> {
        let stream: TokenStream = text.parse().expect("the text consists of Rust tokens");
        trees(stream)
    }

    pub(crate) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word, _) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn is_word(&self, expected: &str) -> bool {
        self.word() == Some(expected)
    }

    pub(crate) fn is_sign(&self, expected: char) -> bool {
        *self == Self::Sign(expected)
    }

    /// What is between brackets of this kind.
    pub(crate) fn inside(&self, bracket: char) -> Option<&[Self]> {
        match self {
            Self::Group(opening, trees) if *opening == bracket => Some(trees),
            _ => None,
        }
    }
}

/// Whether a word is anywhere in these trees.
pub(crate) fn contains_word(trees: &[Tree], word: &str) -> bool {
    trees.iter().any(|tree| match tree {
        Tree::Group(_, trees) => contains_word(trees, word),
        tree => tree.is_word(word),
    })
}

fn trees(stream: TokenStream) -> Vec<Tree> {
    let tokens = stream.into_iter().map(|token| match token {
        TokenTree::Ident(word) => {
            let line = word.span().start().line;
            let word = word.to_string();
            Tree::Word(word.trim_start_matches("r#").to_owned(), line)
        }
        TokenTree::Punct(sign) => Tree::Sign(sign.as_char()),
        TokenTree::Literal(literal) => Tree::Literal(literal.to_string()),
        TokenTree::Group(group) => {
            let opening = match group.delimiter() {
                Delimiter::Parenthesis => '(',
                Delimiter::Bracket => '[',
                Delimiter::Brace => '{',
                Delimiter::None => ' ',
            };
            Tree::Group(opening, trees(group.stream()))
        }
    });
    tokens.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_out_and_strings_have_no_words() {
        let text = r###"
            // fn a() {}
            /* fn b() { /* fn c() {} */ } */
            const D: &str = "fn e() {}";
            const F: &str = r#"" fn g() {} "#;
            const H: char = '"';
            fn i<'a>(j: &'a u8) {}
        "###;
        let trees = Tree::parse(text);
        for word in ["D", "F", "H", "i"] {
            assert!(contains_word(&trees, word), "{word}");
        }
        for word in ["b", "c", "e", "g"] {
            assert!(!contains_word(&trees, word), "{word}");
        }
    }
}
