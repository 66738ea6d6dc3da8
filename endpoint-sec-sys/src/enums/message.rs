//! Action types and answers.

use crate::c_enum::c_enum;

c_enum! {
    /// Whether a message is a request or a report.
    es_action_type_t {
        /// A request: the operation waits for an answer.
        ES_ACTION_TYPE_AUTH = 0,
        /// A report.
        ES_ACTION_TYPE_NOTIFY = 1,
    }
}

c_enum! {
    /// An answer: 0 is *allow*.
    es_auth_result_t {
        /// The operation proceeds.
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
