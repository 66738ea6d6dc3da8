//! The list of functions.

use super::FunctionInfo;
use crate::functions::LINKED;
use crate::newer::LOOKED_UP;

/// Every function of the library.
pub fn functions() -> impl Iterator<Item = &'static FunctionInfo> {
    LINKED.iter().chain(LOOKED_UP)
}
