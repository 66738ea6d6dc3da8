//! How a C enum is declared: a transparent `u32`, its values as constants, its names as data.
//!
//! Not a Rust enum: the library may return a value that this crate does not know, and a Rust enum
//! with an unknown value is undefined behaviour.

/// Declares an enum.
///
/// `Debug` prints the constant's C name, or the number if there is none.
macro_rules! c_enum {
    (
        $(#[$doc:meta])*
        $name:ident {
            $(
                $(#[$value_doc:meta])*
                $constant:ident = $value:literal,
            )*
        }
    ) => {
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            $(
                $(#[$value_doc])*
                pub const $constant: Self = Self($value);
            )*

            /// Every constant: its C name and its value.
            pub const CONSTANTS: &'static [(&'static str, Self)] =
                &[$((stringify!($constant), Self::$constant)),*];
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let known = Self::CONSTANTS.iter().find(|(_, value)| value == self);
                match known {
                    Some((name, _)) => f.write_str(name),
                    None => write!(f, "{}({})", stringify!($name), self.0),
                }
            }
        }
    };
}
pub(crate) use c_enum;
