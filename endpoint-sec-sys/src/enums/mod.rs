//! The C enums, each a transparent `u32` with its values as constants.
//!
//! A value that this crate does not know stays what it is: systems newer than the crate add some.

mod client;
mod file;
mod ipc;
mod login;
mod message;
mod open_directory;
mod process;
mod security;

pub use client::*;
pub use file::*;
pub use ipc::*;
pub use login::*;
pub use message::*;
pub use open_directory::*;
pub use process::*;
pub use security::*;
