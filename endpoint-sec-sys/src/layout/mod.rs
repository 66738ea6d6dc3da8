//! The layout of every struct: sizes, alignments and offsets, asserted at compile time on each
//! target.
//!
//! If a type differs from the headers of macOS 27.0, the crate does not compile, not even for
//! targets on which no test can run. [`STRUCTS`] has the same numbers as data, measured from the
//! types.
//!
//! ```
//! use endpoint_sec_sys::layout::STRUCTS;
//!
//! let message = STRUCTS.iter().find(|layout| layout.name == "es_message_t").unwrap();
//! let thread = message.fields.iter().find(|field| field.path == "thread").unwrap();
//! assert_eq!((thread.offset, thread.since_message_version), (208, Some(4)));
//! ```

mod table;

pub use table::STRUCTS;

use core::any::type_name;

/// The layout of a struct or union.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StructLayout {
    /// The type's name.
    pub name: &'static str,
    /// Its size, in bytes, as macOS 27.0 has it.
    pub size: usize,
    /// Its alignment, in bytes.
    pub align: usize,
    /// Its fields and theirs, in the order of declaration.
    pub fields: &'static [FieldLayout],
}

/// The place of a field.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldLayout {
    /// The field's name in Rust; for a field of a nested type, the names that lead to it, with
    /// dots between.
    pub path: &'static str,
    /// Where it begins, in bytes from the beginning of the outermost struct.
    pub offset: usize,
    /// Its size, in bytes.
    pub size: usize,
    /// The message version that a message must have at least for the field to be read.
    pub since_message_version: Option<u32>,
    /// Returns the name of the field's type.
    pub type_name: fn() -> &'static str,
}

/// The size of what a function that selects a field points at. The function is never called.
const fn size_of_selected<T, F>(_: fn(*const T) -> *const F) -> usize {
    size_of::<F>()
}

/// The name of what a function that selects a field points at. The function is never called.
const fn name_of_selected<T, F>(_: fn(*const T) -> *const F) -> fn() -> &'static str {
    type_name::<F>
}
