//! What the messages of each operation say.

mod files;
mod processes;

pub(crate) use files::*;
pub(crate) use processes::*;
