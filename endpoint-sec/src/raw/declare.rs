//! The macros that declare views: what is read, and when it may be read.

/// The gates that one view declares.
#[cfg(test)]
pub(crate) struct Gates {
    /// The C struct that it is a view of.
    pub(crate) c_struct: &'static str,
    /// For each field with a gate: its path in the C struct, and the message version.
    pub(crate) fields: &'static [Option<(&'static str, u32)>],
}

/// Declares a view of a C struct: a `Copy` type with a method for each field, and the same fields
/// in its `Debug`.
///
/// ```text
/// view! {
///     /// What the struct is.
///     pub struct Rename<'a>(es_event_rename_t) {
///         /// A field under its own name.
///         source: File<'a>,
///         /// A field under another name, or further inside.
///         [if destination_type == DestinationType::NewPath] directory: File<'a> = destination.new_path.dir,
///         /// A field that messages have from version 8 on: the method returns an `Option`.
///         [since 8] disposition: MountDisposition,
///         /// The same for a type that is an `Option` already: older messages read as `None`.
///         [maybe 2] script: Option<File<'a>>,
///         /// An array: the fields with its first element and its length.
///         [list argv argc] arguments: &'a [u8],
///     }
/// }
/// ```
///
/// The field's Rust type must be a [`Field`](super::Field) for its C type, or this does not
/// compile. `if` names a field declared above it; the C field is read only if that one is true, or
/// has the given value, and the method returns an `Option`.
///
/// What a declaration can get wrong is a missing gate. `gates_are_those_of_the_headers` compares
/// all of them with the layout table of `endpoint-sec-sys`, and Miri runs over every field of every
/// event in messages as short as each version's.
macro_rules! view {
    (
        $(#[$doc:meta])*
        pub struct $View:ident<$life:lifetime>($C:ident) {
            $(
                $(#[$field_doc:meta])*
                $([$($gate:tt)+])? $name:ident: $type:ty $(= $($path:ident).+)?
            ),* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $View<$life>($crate::raw::Raw<$life, endpoint_sec_sys::$C>);

        impl<$life> $View<$life> {
            /// The version of the message that this is part of; it says which fields there are.
            #[must_use]
            pub fn message_version(&self) -> u32 {
                self.0.version()
            }

            $(
                $(#[$field_doc])*
                #[must_use]
                pub fn $name(&self) -> $crate::raw::view!(@type [$($($gate)+)?] $life, $type) {
                    $crate::raw::view!(
                        @gate [$($($gate)+)?] self, $type, $life, [$name] [$($($path).+)?]
                    )
                }
            )*
        }

        #[cfg(test)]
        impl $View<'_> {
            pub(crate) const GATES: $crate::raw::declare::Gates = $crate::raw::declare::Gates {
                c_struct: stringify!($C),
                fields: &[$(
                    $crate::raw::view!(@version [$($($gate)+)?] [$name] [$($($path).+)?])
                ),*],
            };
        }

        impl std::fmt::Debug for $View<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($View))
                    $(.field(stringify!($name), &$crate::raw::Shown(&self.$name())))*
                    .finish()
            }
        }

        $crate::raw::shown_as_debug!($View<'_>);

        impl<$life> $crate::raw::Field<$life, endpoint_sec_sys::$C> for $View<$life> {
            unsafe fn read(at: *const endpoint_sec_sys::$C, version: u32) -> Self {
                // SAFETY: what the caller promises of the field is what `new` asks of the struct
                // that the field is.
                Self(unsafe { $crate::raw::Raw::new(at, version) })
            }
        }

        impl<$life> $crate::raw::Field<$life, *mut endpoint_sec_sys::$C> for $View<$life> {
            unsafe fn read(at: *const *mut endpoint_sec_sys::$C, version: u32) -> Self {
                // SAFETY: the caller vouches for the field, and any bytes are a value of a raw
                // pointer.
                let target = unsafe { at.read() };
                // SAFETY: what a pointer in a message points to belongs to the message and has its
                // version.
                Self(unsafe { $crate::raw::Raw::new(target, version) })
            }
        }

        impl<$life> $crate::raw::Field<$life, *mut endpoint_sec_sys::$C> for Option<$View<$life>> {
            unsafe fn read(at: *const *mut endpoint_sec_sys::$C, version: u32) -> Self {
                // SAFETY: the caller vouches for the field, and any bytes are a value of a raw
                // pointer.
                let target = unsafe { at.read() };
                // SAFETY: what a pointer in a message points to belongs to the message and has its
                // version.
                (!target.is_null()).then(|| $View(unsafe { $crate::raw::Raw::new(target, version) }))
            }
        }
    };

    (@type [] $life:lifetime, $type:ty) => { $type };
    (@type [since $version:literal] $life:lifetime, $type:ty) => { Option<$type> };
    (@type [maybe $version:literal] $life:lifetime, $type:ty) => { $type };
    (@type [if $($condition:tt)+] $life:lifetime, $type:ty) => { Option<$type> };
    (@type [list $($list:tt)+] $life:lifetime, $type:ty) => { $crate::raw::list::List<$life, $type> };

    (@version [since $version:literal] [$name:ident] []) => { Some((stringify!($name), $version)) };
    (@version [$gate:ident $version:literal] [$name:ident] [$first:ident $(.$part:ident)*]) => {
        Some((concat!(stringify!($first) $(, ".", stringify!($part))*), $version))
    };
    (@version [maybe $version:literal] [$name:ident] []) => { Some((stringify!($name), $version)) };
    (@version [$($gate:tt)*] [$name:ident] [$($path:tt)*]) => { None };

    (@gate [] $self:ident, $($read:tt)+) => { $crate::raw::view!(@read $self, $($read)+) };
    (@gate [since $version:literal] $self:ident, $($read:tt)+) => {
        if $self.0.version() >= $version {
            Some($crate::raw::view!(@read $self, $($read)+))
        } else {
            None
        }
    };
    (@gate [maybe $version:literal] $self:ident, $($read:tt)+) => {
        if $self.0.version() >= $version {
            $crate::raw::view!(@read $self, $($read)+)
        } else {
            None
        }
    };
    (@gate [if $field:ident] $self:ident, $($read:tt)+) => {
        $self.$field().then(|| $crate::raw::view!(@read $self, $($read)+))
    };
    (@gate [if $field:ident == $value:path] $self:ident, $($read:tt)+) => {
        ($self.$field() == $value).then(|| $crate::raw::view!(@read $self, $($read)+))
    };
    (@gate [list $pointer:ident $count:ident] $self:ident, $type:ty, $($rest:tt)+) => {
        $crate::raw::view!(@list $self, $type, [$pointer] $count)
    };
    (
        @gate [list $a:ident.$b:ident $count:ident if $field:ident == $value:path]
        $self:ident, $type:ty, $($rest:tt)+
    ) => {
        $crate::raw::view!(@list $self, $type, [$a.$b] $count if $self.$field() == $value)
    };

    (@read $self:ident, $type:ty, $life:lifetime, [$name:ident] []) => {
        $crate::raw::view!(@read $self, $type, $life, [$name] [$name])
    };
    (@read $self:ident, $type:ty, $life:lifetime, [$name:ident] [$($path:ident).+]) => {{
        let at = $self.0.as_ptr();
        // SAFETY: `at` points into a message that is there for the lifetime of this view
        // (`Raw::new`), and the gate around this block lets pass only messages that have the
        // field, so the projection stays inside the allocation.
        let at = unsafe { &raw const (*at).$($path).+ };
        // SAFETY: the field is there, as above, and the message stays as it is for `$life`.
        unsafe { <$type as $crate::raw::Field<$life, _>>::read(at, $self.0.version()) }
    }};

    (@list $self:ident, $type:ty, [$($pointer:ident).+] $count:ident $(if $there:expr)?) => {{
        let at = $self.0.as_ptr();
        // SAFETY: structs with arrays have had them from their first version on; `at`
        // points to such a struct, there for the lifetime of this view (`Raw::new`).
        let count = unsafe { (*at).$count };
        $(let count = if $there { count } else { 0 };)?
        // SAFETY: the same; any bytes are a value of a raw pointer.
        let first = unsafe { (*at).$($pointer).+ };
        // SAFETY: the headers say that `count` elements are at `first`; they belong to the
        // message. Of a union's other members the count is zero.
        unsafe { $crate::raw::list::List::new(first.cast_const(), count, $self.0.version()) }
    }};
}

/// Declares [`Event`](crate::Event) and how each event type finds its member of the union
/// `es_events_t`.
macro_rules! events {
    (
        $(#[$doc:meta])*
        pub enum Event {
            $(
                $(#[$member_doc:meta])*
                $Variant:ident($View:ident) = $member:ident: $($type:ident)|+
            ),* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub enum Event<'a> {
            $(
                $(#[$member_doc])*
                $Variant($View<'a>),
            )*
            /// An event of a type that the headers name only `RESERVED`. It can be subscribed to
            /// and, if it is an authorization, must be answered; what it holds is not documented.
            Reserved(EventType),
            /// An event of a type that is newer than this crate.
            Unknown(EventType),
        }

        #[cfg(test)]
        impl Event<'_> {
            pub(crate) const GATES: &'static [$crate::raw::declare::Gates] = &[$($View::GATES),*];
        }

        impl<'a> Event<'a> {
            /// Finds the member of the union that the message's type says is there.
            pub(crate) fn of(message: $crate::raw::Raw<'a, endpoint_sec_sys::es_message_t>, kind: EventType) -> Self {
                match kind {
                    $(
                        $(EventType::$type)|+ => {
                            let at = message.as_ptr();
                            // SAFETY: every message has the union `event` at the same place (offset
                            // 104, all versions), and `at` points to one for `'a` (`Raw::new`).
                            let at = unsafe { &raw const (*at).event.$member };
                            // SAFETY: the event type says which member of the union was written;
                            // the table above is that of ESMessage.h; `tests/events.rs` holds it
                            // against the data of the sys crate.
                            Self::$Variant(unsafe { $crate::raw::Field::read(at, message.version()) })
                        }
                    )*
                    other if other.is_reserved() => Self::Reserved(other),
                    other => Self::Unknown(other),
                }
            }
        }
    };
}

/// Makes an enumeration readable as a field of its C type.
macro_rules! enum_field {
    ($Enum:ident, $C:ident) => {
        impl<'a> $crate::raw::Field<'a, endpoint_sec_sys::$C> for $Enum {
            unsafe fn read(at: *const endpoint_sec_sys::$C, _version: u32) -> Self {
                // SAFETY: the caller vouches for the field. The C type is a transparent number, not
                // a Rust enumeration: any bytes are a value of it.
                Self::from_c(unsafe { at.read() })
            }
        }

        $crate::raw::shown_as_debug!($Enum);
    };
}

pub(crate) use {enum_field, events, view};
