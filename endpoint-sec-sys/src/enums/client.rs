//! Results and arguments of calls on a client.

use crate::c_enum::c_enum;

c_enum! {
    /// Whether a call succeeded.
    es_return_t {
        /// It did.
        ES_RETURN_SUCCESS = 0,
        /// It did not.
        ES_RETURN_ERROR = 1,
    }
}

c_enum! {
    /// The result of creating a client.
    es_new_client_result_t {
        /// The client was created.
        ES_NEW_CLIENT_RESULT_SUCCESS = 0,
        /// A pointer was null.
        ES_NEW_CLIENT_RESULT_ERR_INVALID_ARGUMENT = 1,
        /// The Endpoint Security subsystem could not be reached, or another failure.
        ES_NEW_CLIENT_RESULT_ERR_INTERNAL = 2,
        /// The program lacks the entitlement `com.apple.developer.endpoint-security.client`.
        ES_NEW_CLIENT_RESULT_ERR_NOT_ENTITLED = 3,
        /// The user has not given Full Disk Access to the responsible process.
        ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED = 4,
        /// The caller is not root.
        ES_NEW_CLIENT_RESULT_ERR_NOT_PRIVILEGED = 5,
        /// The caller has too many clients already; the limit is not documented.
        ES_NEW_CLIENT_RESULT_ERR_TOO_MANY_CLIENTS = 6,
    }
}

c_enum! {
    /// The result of an answer. Note that
    /// [`ES_RESPOND_RESULT_NOT_FOUND`](Self::ES_RESPOND_RESULT_NOT_FOUND) has no `ERR` in its name.
    es_respond_result_t {
        /// The answer was accepted.
        ES_RESPOND_RESULT_SUCCESS = 0,
        /// An argument was invalid.
        ES_RESPOND_RESULT_ERR_INVALID_ARGUMENT = 1,
        /// The subsystem could not be reached, or another failure.
        ES_RESPOND_RESULT_ERR_INTERNAL = 2,
        /// No such message waits for an answer: unknown, or its deadline has passed.
        ES_RESPOND_RESULT_NOT_FOUND = 3,
        /// The message was answered before.
        ES_RESPOND_RESULT_ERR_DUPLICATE_RESPONSE = 4,
        /// The function does not fit the event type, or the message is a notification.
        ES_RESPOND_RESULT_ERR_EVENT_TYPE = 5,
    }
}

c_enum! {
    /// The result of clearing the cache.
    es_clear_cache_result_t {
        /// The cache was cleared.
        ES_CLEAR_CACHE_RESULT_SUCCESS = 0,
        /// The subsystem could not be reached, or another failure.
        ES_CLEAR_CACHE_RESULT_ERR_INTERNAL = 1,
        /// Too often: try again later.
        ES_CLEAR_CACHE_RESULT_ERR_THROTTLE = 2,
    }
}

c_enum! {
    /// Whose path is muted, and how it is compared.
    es_mute_path_type_t {
        /// The executable's path, as a plain text prefix.
        ES_MUTE_PATH_TYPE_PREFIX = 0,
        /// The executable's path, whole.
        ES_MUTE_PATH_TYPE_LITERAL = 1,
        /// The path operated on, as a plain text prefix. macOS 13.0.
        ES_MUTE_PATH_TYPE_TARGET_PREFIX = 2,
        /// The path operated on, whole. macOS 13.0.
        ES_MUTE_PATH_TYPE_TARGET_LITERAL = 3,
    }
}

c_enum! {
    /// Which kind of muting is inverted. macOS 13.0.
    es_mute_inversion_type_t {
        /// Processes.
        ES_MUTE_INVERSION_TYPE_PROCESS = 0,
        /// Executables' paths.
        ES_MUTE_INVERSION_TYPE_PATH = 1,
        /// Paths operated on.
        ES_MUTE_INVERSION_TYPE_TARGET_PATH = 2,
        /// How many there are.
        ES_MUTE_INVERSION_TYPE_LAST = 3,
    }
}

c_enum! {
    /// Whether muting is inverted: 0 is *yes*. macOS 13.0.
    es_mute_inverted_return_t {
        /// It is.
        ES_MUTE_INVERTED = 0,
        /// It is not.
        ES_MUTE_NOT_INVERTED = 1,
        /// The call failed.
        ES_MUTE_INVERTED_ERROR = 2,
    }
}

c_enum! {
    /// What happens when a deadline is missed. macOS 27.0.
    es_deadline_miss_mode_t {
        /// The client is killed.
        ES_DEADLINE_MISS_MODE_KILL = 0,
        /// The operation is denied, and so are operations whose messages were dropped.
        ES_DEADLINE_MISS_MODE_FAIL_CLOSED = 1,
        /// The operation is allowed.
        ES_DEADLINE_MISS_MODE_FAIL_OPEN = 2,
    }
}
