//! What the tests and benches of this workspace share.
//!
//! | module | what it has |
//! |---|---|
//! | [`clock`] | the wall clock |
//! | [`events`] | sample decisions |
//! | `home` (feature `home`) | a scratch home with a guard's directories and rings |
//! | [`tree`] | what is in a directory |
//! | [`wait`] | waiting for a condition, never for a time |
//!
//! It is a dev-dependency only: no program contains it. Everything panics instead of returning an
//! error, since a test that cannot be set up has failed.
//!
//! Unit tests of guard-core cannot use it: it would bring another copy of guard-core's types.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test may fail, and says where it is"
)]

pub mod clock;
pub mod events;
#[cfg(feature = "home")]
pub mod home;
pub mod tree;
pub mod wait;
