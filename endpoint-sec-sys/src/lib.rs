//! The raw ABI of Apple's Endpoint Security library, as of macOS 27.0.
//!
//! Types, fields, constants and functions have their C names; `type` is `type_`. Every layout is
//! asserted at compile time, on every target, against the table in [`layout`]. Darwin's own types
//! are defined in [`darwin`], so that all of it compiles on every host.
//!
//! - An enum is a transparent `u32` with constants, since newer systems add values.
//! - A struct or union without a name in C is called after its place: `es_event_rename_t`'s
//!   `destination` is an [`es_event_rename_t_destination`]. A union without even a field name is
//!   the field `anonymous`, a struct in it the field `fields`.
//! - Pointers are raw. *Never null* and *may be null* repeat the headers' word.
//! - *Message version n* means: read the field only if the message's `version` is at least n.
//!   Older systems allocate less, or left private data there.
//!
//! Functions that macOS 11.0 has are linked; newer ones are looked up by [`newer`] when asked for.
//! On targets that are not Apple's, whoever links this crate defines the functions: a simulator.
//!
//! Left out, deliberately: whatever the library exports without a public header, and safety.
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
