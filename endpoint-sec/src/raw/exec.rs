//! The lists of an exec, which the library keeps packed behind the message: arguments, environment,
//! descriptors.

use super::{Field, Raw, Shown};
use crate::process::Descriptor;
use endpoint_sec_sys as sys;
use std::fmt;
use std::iter::FusedIterator;

/// Declares the list of an exec that a pair of C functions reads.
macro_rules! exec_list {
    ($(
        $(#[$doc:meta])*
        $List:ident, $Iter:ident of $type:ty = $count:ident, $read:ident;
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $List<'a> {
            event: Raw<'a, sys::es_event_exec_t>,
            len: u32,
        }

        #[doc = concat!("The iterator of [`", stringify!($List), "`].")]
        #[derive(Clone)]
        pub struct $Iter<'a> {
            list: $List<'a>,
            range: std::ops::Range<u32>,
        }

        impl<'a> $List<'a> {
            pub(crate) fn of(event: Raw<'a, sys::es_event_exec_t>) -> Self {
                // SAFETY: `event` is the exec member of a message that stays for `'a`, as the
                // function asks.
                let len = unsafe { sys::$count(event.as_ptr()) };
                Self { event, len }
            }

            /// How many there are.
            #[must_use]
            pub fn len(&self) -> usize {
                self.len as usize
            }

            /// Whether there are none.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len == 0
            }

            /// The one at `index`, counted from zero.
            #[must_use]
            pub fn get(&self, index: usize) -> Option<$type> {
                let index = u32::try_from(index).ok().filter(|index| *index < self.len)?;
                // SAFETY: the event is there for `'a`, and the index is below the count, beyond
                // which the function is undefined.
                Some(unsafe { $read(self.event, index) })
            }

            /// All of them in order.
            #[must_use]
            pub fn iter(&self) -> $Iter<'a> {
                $Iter { list: *self, range: 0..self.len }
            }
        }

        impl<'a> IntoIterator for $List<'a> {
            type Item = $type;
            type IntoIter = $Iter<'a>;

            fn into_iter(self) -> $Iter<'a> {
                self.iter()
            }
        }

        impl fmt::Debug for $List<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.iter().fmt(f)
            }
        }

        impl<'a> Iterator for $Iter<'a> {
            type Item = $type;

            fn next(&mut self) -> Option<$type> {
                self.list.get(self.range.next()? as usize)
            }

            // The range knows how to skip: `nth` counts from the current position.
            fn nth(&mut self, n: usize) -> Option<$type> {
                self.list.get(self.range.nth(n)? as usize)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.range.size_hint()
            }
        }

        impl<'a> DoubleEndedIterator for $Iter<'a> {
            fn next_back(&mut self) -> Option<$type> {
                self.list.get(self.range.next_back()? as usize)
            }
        }

        impl ExactSizeIterator for $Iter<'_> {}

        impl FusedIterator for $Iter<'_> {}

        impl fmt::Debug for $Iter<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut list = f.debug_list();
                for value in self.clone() {
                    list.entry(&Shown(&value));
                }
                list.finish()
            }
        }

        $crate::raw::shown_as_debug!($List<'_>);
    )*};
}

exec_list! {
    /// The arguments of a program, its own name first.
    Arguments, ArgumentsIter of &'a [u8] = es_exec_arg_count, argument;
    /// The environment of a program, a `NAME=value` each.
    Environment, EnvironmentIter of &'a [u8] = es_exec_env_count, variable;
    /// The file descriptors that a program starts with, as far as the message lists them.
    Descriptors, DescriptorsIter of Descriptor<'a> = es_exec_fd_count, descriptor;
}

/// # Safety
///
/// You must first convince yourself that `index` is below the count that the event's own count
/// function returned.
unsafe fn argument<'a>(event: Raw<'a, sys::es_event_exec_t>, index: u32) -> &'a [u8] {
    // SAFETY: the event is part of a message (`Raw::new`); the caller vouches for the index.
    let token = unsafe { sys::es_exec_arg(event.as_ptr(), index) };
    // SAFETY: the token is a local; its bytes belong to the message.
    unsafe { Field::<sys::es_string_token_t>::read(&raw const token, event.version()) }
}

/// # Safety
///
/// As for [`argument`].
unsafe fn variable<'a>(event: Raw<'a, sys::es_event_exec_t>, index: u32) -> &'a [u8] {
    // SAFETY: the event is part of a message (`Raw::new`); the caller vouches for the index.
    let token = unsafe { sys::es_exec_env(event.as_ptr(), index) };
    // SAFETY: the token is a local; its bytes belong to the message.
    unsafe { Field::<sys::es_string_token_t>::read(&raw const token, event.version()) }
}

/// # Safety
///
/// As for [`argument`].
unsafe fn descriptor<'a>(event: Raw<'a, sys::es_event_exec_t>, index: u32) -> Descriptor<'a> {
    // SAFETY: the event is part of a message (`Raw::new`); the caller vouches for the index.
    let at = unsafe { sys::es_exec_fd(event.as_ptr(), index) };
    // SAFETY: what the function returns belongs to the message.
    unsafe { Field::<sys::es_fd_t>::read(at, event.version()) }
}
