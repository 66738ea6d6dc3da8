//! Putting back what a session took.
//!
//! [`Plan::make`] reads a session's journal backwards and says what was where before the
//! session, without touching anything; [`Plan::apply`] does it.
//!
//! **Which version.** Of each file the newest that was the person's: what they had last. With
//! [`Request::at_ns`], the state at that moment.
//!
//! Guarantees: what is in the way of a restored file is preserved first, in a session of its own
//! in the same store, so that a restore can be undone like anything else. A file that somebody
//! changed after the agent's last touch is not replaced unless [`Request::force`] is set: the old
//! version goes beside it as `NAME.before-SESSION`. Nothing is removed, not even what an agent
//! made. Links on the way to a path are not followed.
//!
//! It deliberately does not ask: that is the command line's.

mod apply;
mod item;
mod moves;
mod names;
mod plan;

pub use apply::{Applied, ApplyError, Failure};
pub use item::{Action, Effect, Item, Request};
pub use plan::Plan;
