//! What messages ask, and what was answered.

use crate::c_enum::c_enum;

c_enum! {
    /// Whether a message wants an answer.
    es_action_type_t {
        /// It does, and the operation waits.
        ES_ACTION_TYPE_AUTH = 0,
        /// It does not.
        ES_ACTION_TYPE_NOTIFY = 1,
    }
}

c_enum! {
    /// An answer: 0 is *allow*.
    es_auth_result_t {
        /// The operation may go on.
        ES_AUTH_RESULT_ALLOW = 0,
        /// The operation fails.
        ES_AUTH_RESULT_DENY = 1,
    }
}

c_enum! {
    /// The kind of a decision.
    es_result_type_t {
        /// Allowed or denied.
        ES_RESULT_TYPE_AUTH = 0,
        /// Flags that are permitted.
        ES_RESULT_TYPE_FLAGS = 1,
    }
}
