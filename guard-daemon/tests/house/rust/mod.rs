//! Reading Rust, as far as the rules need it.

pub(crate) mod modules;
mod names;
pub(crate) mod resolve;
pub(crate) mod test_functions;
pub(crate) mod tokens;
