//! Background items, profiles, rights, Gatekeeper, privacy.

use crate::c_enum::c_enum;

c_enum! {
    /// A kind of background item.
    es_btm_item_type_t {
        /// A user's item.
        ES_BTM_ITEM_TYPE_USER_ITEM = 0,
        /// An application.
        ES_BTM_ITEM_TYPE_APP = 1,
        /// A login item.
        ES_BTM_ITEM_TYPE_LOGIN_ITEM = 2,
        /// A launch agent.
        ES_BTM_ITEM_TYPE_AGENT = 3,
        /// A launch daemon.
        ES_BTM_ITEM_TYPE_DAEMON = 4,
    }
}

c_enum! {
    /// How a configuration profile was installed.
    es_profile_source_t {
        /// By device management.
        ES_PROFILE_SOURCE_MANAGED = 0,
        /// By hand.
        ES_PROFILE_SOURCE_INSTALL = 1,
    }
}

c_enum! {
    /// The class of the rule that decided about a right.
    es_authorization_rule_class_t {
        /// The user was authenticated.
        ES_AUTHORIZATION_RULE_CLASS_USER = 0,
        /// Another rule.
        ES_AUTHORIZATION_RULE_CLASS_RULE = 1,
        /// A mechanism.
        ES_AUTHORIZATION_RULE_CLASS_MECHANISM = 2,
        /// Always allowed.
        ES_AUTHORIZATION_RULE_CLASS_ALLOW = 3,
        /// Always denied.
        ES_AUTHORIZATION_RULE_CLASS_DENY = 4,
        /// Not known.
        ES_AUTHORIZATION_RULE_CLASS_UNKNOWN = 5,
        /// Not valid.
        ES_AUTHORIZATION_RULE_CLASS_INVALID = 6,
    }
}

c_enum! {
    /// How a file that Gatekeeper blocked is reported.
    es_gatekeeper_user_override_file_type_t {
        /// Its path alone.
        ES_GATEKEEPER_USER_OVERRIDE_FILE_TYPE_PATH = 0,
        /// The file.
        ES_GATEKEEPER_USER_OVERRIDE_FILE_TYPE_FILE = 1,
    }
}

c_enum! {
    /// What happened to a privacy permission. macOS 15.4.
    es_tcc_event_type_t {
        /// Not known.
        ES_TCC_EVENT_TYPE_UNKNOWN = 0,
        /// It was made.
        ES_TCC_EVENT_TYPE_CREATE = 1,
        /// It was changed.
        ES_TCC_EVENT_TYPE_MODIFY = 2,
        /// It was removed.
        ES_TCC_EVENT_TYPE_DELETE = 3,
    }
}

c_enum! {
    /// What names the holder of a privacy permission. macOS 15.4.
    es_tcc_identity_type_t {
        /// A bundle identifier.
        ES_TCC_IDENTITY_TYPE_BUNDLE_ID = 0,
        /// A path.
        ES_TCC_IDENTITY_TYPE_EXECUTABLE_PATH = 1,
        /// A policy.
        ES_TCC_IDENTITY_TYPE_POLICY_ID = 2,
        /// A file provider's domain.
        ES_TCC_IDENTITY_TYPE_FILE_PROVIDER_DOMAIN_ID = 3,
    }
}

c_enum! {
    /// What a privacy permission permits. macOS 15.4.
    es_tcc_authorization_right_t {
        /// Nothing.
        ES_TCC_AUTHORIZATION_RIGHT_DENIED = 0,
        /// Not known.
        ES_TCC_AUTHORIZATION_RIGHT_UNKNOWN = 1,
        /// Everything.
        ES_TCC_AUTHORIZATION_RIGHT_ALLOWED = 2,
        /// A part.
        ES_TCC_AUTHORIZATION_RIGHT_LIMITED = 3,
        /// Adding and changing.
        ES_TCC_AUTHORIZATION_RIGHT_ADD_MODIFY_ADDED = 4,
        /// The process's session.
        ES_TCC_AUTHORIZATION_RIGHT_SESSION_PID = 5,
        /// The user asked for more information, and is asked again.
        ES_TCC_AUTHORIZATION_RIGHT_LEARN_MORE = 6,
    }
}

c_enum! {
    /// Why a privacy permission is as it is. macOS 15.4.
    es_tcc_authorization_reason_t {
        /// None.
        ES_TCC_AUTHORIZATION_REASON_NONE = 0,
        /// An error.
        ES_TCC_AUTHORIZATION_REASON_ERROR = 1,
        /// The user agreed when asked.
        ES_TCC_AUTHORIZATION_REASON_USER_CONSENT = 2,
        /// The user set it.
        ES_TCC_AUTHORIZATION_REASON_USER_SET = 3,
        /// The system set it.
        ES_TCC_AUTHORIZATION_REASON_SYSTEM_SET = 4,
        /// The service's policy.
        ES_TCC_AUTHORIZATION_REASON_SERVICE_POLICY = 5,
        /// Device management.
        ES_TCC_AUTHORIZATION_REASON_MDM_POLICY = 6,
        /// Device management overrides the service's policy.
        ES_TCC_AUTHORIZATION_REASON_SERVICE_OVERRIDE_POLICY = 7,
        /// The program does not say what it is for.
        ES_TCC_AUTHORIZATION_REASON_MISSING_USAGE_STRING = 8,
        /// The prompt timed out.
        ES_TCC_AUTHORIZATION_REASON_PROMPT_TIMEOUT = 9,
        /// Not asked yet.
        ES_TCC_AUTHORIZATION_REASON_PREFLIGHT_UNKNOWN = 10,
        /// The program is entitled.
        ES_TCC_AUTHORIZATION_REASON_ENTITLED = 11,
        /// The policy for programs of its type.
        ES_TCC_AUTHORIZATION_REASON_APP_TYPE_POLICY = 12,
        /// The user cancelled the prompt.
        ES_TCC_AUTHORIZATION_REASON_PROMPT_CANCEL = 13,
    }
}
