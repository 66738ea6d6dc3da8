//! Domains of service names, and their holders.

use crate::c_enum::c_enum;

c_enum! {
    /// The domain of an XPC service's name. The values begin at 1.
    es_xpc_domain_type_t {
        /// The system.
        ES_XPC_DOMAIN_TYPE_SYSTEM = 1,
        /// A user.
        ES_XPC_DOMAIN_TYPE_USER = 2,
        /// A user's login session.
        ES_XPC_DOMAIN_TYPE_USER_LOGIN = 3,
        /// A session.
        ES_XPC_DOMAIN_TYPE_SESSION = 4,
        /// A process.
        ES_XPC_DOMAIN_TYPE_PID = 5,
        /// launchd's manager of a domain.
        ES_XPC_DOMAIN_TYPE_MANAGER = 6,
        /// A port.
        ES_XPC_DOMAIN_TYPE_PORT = 7,
        /// A graphical session.
        ES_XPC_DOMAIN_TYPE_GUI = 8,
    }
}

c_enum! {
    /// The holder of a service name. macOS 27.0.
    es_bootstrap_target_type_t {
        /// A running process.
        ES_BOOTSTRAP_TARGET_TYPE_PROCESS = 0,
        /// A job that is not running.
        ES_BOOTSTRAP_TARGET_TYPE_JOB = 1,
    }
}
