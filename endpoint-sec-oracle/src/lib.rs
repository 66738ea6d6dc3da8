//! A second opinion: `endpoint-sec-sys` against another binding of the same library.
//!
//! HarfangLab's `endpoint-sec-sys` 0.6.2 was made from other headers, up to macOS 15.4, by other
//! hands. Wherever both have a type, a field or a constant, they must agree, and where they do not,
//! the reason is written down in `differences.rs`. All of it is `const` assertions, so
//! `cargo check --target aarch64-apple-darwin` is the test; elsewhere the other binding is empty,
//! and so is this crate.
//!
//! Nothing depends on this crate.

#[cfg(target_vendor = "apple")]
mod differences;
#[cfg(target_vendor = "apple")]
mod enums;
#[cfg(target_vendor = "apple")]
mod structs;
