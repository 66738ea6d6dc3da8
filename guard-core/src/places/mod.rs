//! Places whose contents a tool makes again: proven by what is there, whoever removes it.
//!
//! `rm -rf node_modules` and `node -e 'fs.rmSync(…)'` are the same deed, so that not the program is
//! trusted but the place: `node_modules` beside `package.json`, a directory with `pyvenv.cfg`, a
//! tagged cache. A name alone proves nothing where people use it, too (`build`, `dist`): such an
//! *output* goes only if version control has nothing of it, and is preserved.
//!
//! | place | proof | what becomes of it |
//! |-------|-------|--------------------|
//! | [`Place::MadeAgain`](crate::standing::Place::MadeAgain) | a marker that is older than the agent, in it or beside it, or a name that nothing else has | may be removed, nothing is preserved |
//! | [`Place::Output`](crate::standing::Place::Output) | an output's name, a file beside it that it is made from, or a program's first bytes; and the repository around it tracks nothing below | may be removed, and is preserved |
//! | [`Place::Unproven`](crate::standing::Place::Unproven) | none | as everywhere |
//!
//! Guarantees: the rules are pure; what is on the disk comes from a [`FactSource`](crate::actor::FactSource). What was once
//! proven stays so while the directory is the same: `rm -rf env` removes its own proof first. An
//! agent proves nothing: neither a marker that it made counts, nor a directory that it moved there.
//!
//! It deliberately does not know how things are made again, nor whether anybody can.

mod cache;
pub mod git_index;
mod outputs;
mod repository;
mod rules;

pub use cache::Places;
pub use outputs::{DERIVED, Derived, OUTPUTS};
pub use rules::{MADE_AGAIN, PlaceProof, PlaceRule};
