//! How people authenticate and from where.

use crate::c_enum::c_enum;

c_enum! {
    /// How a person was authenticated.
    es_authentication_type_t {
        /// By Open Directory.
        ES_AUTHENTICATION_TYPE_OD = 0,
        /// By Touch ID.
        ES_AUTHENTICATION_TYPE_TOUCHID = 1,
        /// By a token.
        ES_AUTHENTICATION_TYPE_TOKEN = 2,
        /// By an Apple Watch.
        ES_AUTHENTICATION_TYPE_AUTO_UNLOCK = 3,
        /// How many there are.
        ES_AUTHENTICATION_TYPE_LAST = 4,
    }
}

c_enum! {
    /// The mode of a Touch ID check.
    es_touchid_mode_t {
        /// Verification of a given user.
        ES_TOUCHID_MODE_VERIFICATION = 0,
        /// Identification of the user.
        ES_TOUCHID_MODE_IDENTIFICATION = 1,
    }
}

c_enum! {
    /// What an Apple Watch unlocked: begins at 1.
    es_auto_unlock_type_t {
        /// The machine.
        ES_AUTO_UNLOCK_MACHINE_UNLOCK = 1,
        /// A prompt.
        ES_AUTO_UNLOCK_AUTH_PROMPT = 2,
    }
}

c_enum! {
    /// How an address is written.
    es_address_type_t {
        /// There is none.
        ES_ADDRESS_TYPE_NONE = 0,
        /// IPv4.
        ES_ADDRESS_TYPE_IPV4 = 1,
        /// IPv6.
        ES_ADDRESS_TYPE_IPV6 = 2,
        /// A UNIX-domain socket.
        ES_ADDRESS_TYPE_NAMED_SOCKET = 3,
    }
}

c_enum! {
    /// How a login by OpenSSH ended.
    es_openssh_login_result_type_t {
        /// Too many tries.
        ES_OPENSSH_LOGIN_EXCEED_MAXTRIES = 0,
        /// root may not log in.
        ES_OPENSSH_LOGIN_ROOT_DENIED = 1,
        /// It succeeded.
        ES_OPENSSH_AUTH_SUCCESS = 2,
        /// No method.
        ES_OPENSSH_AUTH_FAIL_NONE = 3,
        /// A wrong password.
        ES_OPENSSH_AUTH_FAIL_PASSWD = 4,
        /// A wrong answer.
        ES_OPENSSH_AUTH_FAIL_KBDINT = 5,
        /// A wrong key.
        ES_OPENSSH_AUTH_FAIL_PUBKEY = 6,
        /// A host that is not trusted.
        ES_OPENSSH_AUTH_FAIL_HOSTBASED = 7,
        /// GSSAPI failed.
        ES_OPENSSH_AUTH_FAIL_GSSAPI = 8,
        /// No such user.
        ES_OPENSSH_INVALID_USER = 9,
    }
}

c_enum! {
    /// A kind of plugin of `sudo`.
    es_sudo_plugin_type_t {
        /// Not known.
        ES_SUDO_PLUGIN_TYPE_UNKNOWN = 0,
        /// `sudo` itself.
        ES_SUDO_PLUGIN_TYPE_FRONT_END = 1,
        /// Policy.
        ES_SUDO_PLUGIN_TYPE_POLICY = 2,
        /// Input and output.
        ES_SUDO_PLUGIN_TYPE_IO = 3,
        /// Audit.
        ES_SUDO_PLUGIN_TYPE_AUDIT = 4,
        /// Approval.
        ES_SUDO_PLUGIN_TYPE_APPROVAL = 5,
    }
}
