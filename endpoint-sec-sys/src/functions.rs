//! The functions of macOS 11.0, the oldest release that this crate runs on. They are linked.
//!
//! Off Apple's targets the simulator defines them. Functions of newer releases are in
//! [`newer`](crate::newer).

use crate::block::es_handler_block_t;
use crate::client::es_client_t;
use crate::darwin::audit_token_t;
use crate::enums::{
    es_auth_result_t, es_clear_cache_result_t, es_new_client_result_t, es_respond_result_t,
    es_return_t,
};
use crate::event_type::es_event_type_t;
use crate::events::{es_event_exec_t, es_fd_t};
use crate::message::es_message_t;
use crate::metadata::FunctionInfo;
use crate::release::OsVersion;
use crate::token::es_string_token_t;
use core::ffi::c_char;

/// Declares functions, and lists them: first the release that has the function first, and the one
/// that deprecates it.
macro_rules! linked {
    ($(
        $(#[$doc:meta])*
        [$major:literal, $minor:literal $(; deprecated $old_major:literal, $old_minor:literal)?]
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $returns:ty)?;
    )*) => {
        #[cfg_attr(target_vendor = "apple", link(name = "EndpointSecurity"))]
        unsafe extern "C" {
            $(
                $(#[$doc])*
                pub fn $name($($argument: $type),*) $(-> $returns)?;
            )*
        }

        pub(crate) const LINKED: &[FunctionInfo] = &[$(
            FunctionInfo {
                name: stringify!($name),
                introduced: OsVersion::new($major, $minor, 0),
                deprecated: [$(OsVersion::new($old_major, $old_minor, 0))?].first().copied(),
                parameters: &[$(stringify!($type)),*],
                returns: concat!($(stringify!($returns))?),
                linked: true,
            }
        ),*];
    };
}

linked! {
    /// Subscribes the client to event types. Never removes a subscription.
    ///
    /// Up to macOS 26.3 a value that the kernel does not know could stop the machine; newer systems
    /// ignore it and report success.
    [10, 15] fn es_subscribe(
        client: *mut es_client_t,
        events: *const es_event_type_t,
        event_count: u32,
    ) -> es_return_t;
    /// Unsubscribes the client from event types.
    [10, 15] fn es_unsubscribe(
        client: *mut es_client_t,
        events: *const es_event_type_t,
        event_count: u32,
    ) -> es_return_t;
    /// Unsubscribes the client from all event types.
    [10, 15] fn es_unsubscribe_all(client: *mut es_client_t) -> es_return_t;
    /// Lists the event types that the client is subscribed to. The caller frees the list with
    /// [`free`](crate::free).
    [10, 15] fn es_subscriptions(
        client: *mut es_client_t,
        count: *mut usize,
        subscriptions: *mut *mut es_event_type_t,
    ) -> es_return_t;
    /// Answers an AUTH message of any type but `AUTH_OPEN`.
    [10, 15] fn es_respond_auth_result(
        client: *mut es_client_t,
        message: *const es_message_t,
        result: es_auth_result_t,
        cache: bool,
    ) -> es_respond_result_t;
    /// Answers an `AUTH_OPEN` message: 0 denies, `u32::MAX` allows everything.
    ///
    /// What is cached are the flags: a later open is allowed only if it has no others.
    [10, 15] fn es_respond_flags_result(
        client: *mut es_client_t,
        message: *const es_message_t,
        authorized_flags: u32,
        cache: bool,
    ) -> es_respond_result_t;
    /// Mutes a process, for all event types.
    [10, 15] fn es_mute_process(
        client: *mut es_client_t,
        audit_token: *const audit_token_t,
    ) -> es_return_t;
    /// Undoes [`es_mute_process`], however often it was called.
    [10, 15] fn es_unmute_process(
        client: *mut es_client_t,
        audit_token: *const audit_token_t,
    ) -> es_return_t;
    /// Lists muted processes. The caller frees the list with [`free`](crate::free). Deprecated
    /// since macOS 12.0.
    [10, 15; deprecated 12, 0] fn es_muted_processes(
        client: *mut es_client_t,
        count: *mut usize,
        audit_tokens: *mut *mut audit_token_t,
    ) -> es_return_t;
    /// Mutes all executables whose path begins so. Deprecated since macOS 12.0.
    [10, 15; deprecated 12, 0] fn es_mute_path_prefix(
        client: *mut es_client_t,
        path_prefix: *const c_char,
    ) -> es_return_t;
    /// Mutes an executable by its path. Deprecated since macOS 12.0.
    [10, 15; deprecated 12, 0] fn es_mute_path_literal(
        client: *mut es_client_t,
        path_literal: *const c_char,
    ) -> es_return_t;
    /// Unmutes all executables' paths, those too that a new client has muted by default.
    [10, 15] fn es_unmute_all_paths(client: *mut es_client_t) -> es_return_t;
    /// Clears the cache of answers, of all clients. Waits for the kernel: calling it in a
    /// handler has stalled the client's own messages.
    [10, 15] fn es_clear_cache(client: *mut es_client_t) -> es_clear_cache_result_t;
    /// Creates a client. `handler` receives its messages, one after another, on a thread of the
    /// library.
    ///
    /// The cache of answers is cleared.
    [10, 15] fn es_new_client(
        client: *mut *mut es_client_t,
        handler: es_handler_block_t,
    ) -> es_new_client_result_t;
    /// Deletes a client; null is allowed. Up to macOS 26 on the thread that made it only; never in
    /// its handler; never while another call on the client runs.
    [10, 15] fn es_delete_client(client: *mut es_client_t) -> es_return_t;
    /// A message's size, in bytes. Deprecated since macOS 11.0: a copy's pointers dangle.
    [10, 15; deprecated 11, 0] fn es_message_size(msg: *const es_message_t) -> usize;
    /// Keeps a message; the result must not be written to. Deprecated since macOS 11.0 for
    /// [`es_retain_message`].
    [10, 15; deprecated 11, 0] fn es_copy_message(msg: *const es_message_t) -> *mut es_message_t;
    /// Frees what [`es_copy_message`] returned. Deprecated since macOS 11.0 for
    /// [`es_release_message`].
    [10, 15; deprecated 11, 0] fn es_free_message(msg: *mut es_message_t);
    /// Keeps a message beyond the handler's call.
    [11, 0] fn es_retain_message(msg: *const es_message_t);
    /// Releases a message, once for each [`es_retain_message`].
    [11, 0] fn es_release_message(msg: *const es_message_t);
    /// How many arguments the program gets.
    [10, 15] fn es_exec_arg_count(event: *const es_event_exec_t) -> u32;
    /// How many variables the program's environment has.
    [10, 15] fn es_exec_env_count(event: *const es_event_exec_t) -> u32;
    /// How many descriptors the program has open.
    [11, 0] fn es_exec_fd_count(event: *const es_event_exec_t) -> u32;
    /// An argument, as long as the message lives. The index must be below the count.
    [10, 15] fn es_exec_arg(event: *const es_event_exec_t, index: u32) -> es_string_token_t;
    /// A variable, as long as the message lives. The index must be below the count.
    [10, 15] fn es_exec_env(event: *const es_event_exec_t, index: u32) -> es_string_token_t;
    /// A descriptor, as long as the message lives. The index must be below the count.
    [11, 0] fn es_exec_fd(event: *const es_event_exec_t, index: u32) -> *const es_fd_t;
}
