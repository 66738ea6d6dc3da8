//! The raw ABI of Apple's Endpoint Security library, as of macOS 27.0.
//!
//! Types, fields, constants and functions have their C names; `type` is `type_`. Every layout is
//! asserted at compile time, on every target, against the table in [`layout`]. Darwin's own types
//! are defined in [`darwin`], so that all of it compiles on every host.
//!
//! - An enum is a transparent `u32` with constants, since newer systems add values.
//! - A struct or union that is anonymous in C is named after its field: the `destination` of
//!   `es_event_rename_t` is an [`es_event_rename_t_destination`]. A union without a field name is
//!   the field `anonymous`, a struct in it the field `fields`.
//! - Pointers are raw. *Never null* and *may be null* are the headers' annotations.
//! - *Message version n* means: read the field only if the message's `version` is at least n.
//!   Older systems allocate less, or have private data there.
//!
//! Functions of macOS 11.0 are linked; newer ones are looked up at run time by [`newer`]. On
//! targets that are not Apple's the functions are undefined: the program must link a simulator that
//! defines them.
//!
//! The crate deliberately leaves out what the library exports without a public header, and it is
//! not safe: `endpoint-sec` is the safe API over it.
//!
//! ```
//! use endpoint_sec_sys::{EVENTS, es_event_type_t};
//!
//! let unlink = &EVENTS[es_event_type_t::ES_EVENT_TYPE_AUTH_UNLINK.0 as usize];
//! assert_eq!(unlink.name, "ES_EVENT_TYPE_AUTH_UNLINK");
//! assert_eq!(unlink.target_paths, 1);
//! ```

#![allow(non_camel_case_types)]

pub mod block;
mod c_enum;
mod client;
pub mod constants;
pub mod darwin;
mod enums;
mod event_type;
mod events;
mod functions;
pub mod layout;
mod message;
mod metadata;
mod muting;
pub mod newer;
mod process;
mod release;
mod system;
mod token;

pub use client::*;
pub use darwin::*;
pub use enums::*;
pub use event_type::*;
pub use events::*;
pub use functions::*;
pub use message::*;
pub use metadata::{
    Cacheability, EVENTS, Emitter, EventInfo, EventKind, FunctionInfo, Response, Storage, functions,
};
pub use muting::*;
pub use process::*;
pub use release::{OsVersion, os_version};
pub use system::*;
pub use token::*;

/// Implements `Debug` for types that hold a union: it names the type and shows nothing.
macro_rules! opaque_debug {
    ($($name:ident),* $(,)?) => {
        $(
            impl core::fmt::Debug for $name {
                fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        )*
    };
}
use opaque_debug;
