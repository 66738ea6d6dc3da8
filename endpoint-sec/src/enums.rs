//! The API's enumerations.
//!
//! A newer system may use a value that this crate does not know; it is kept as `Other` with its
//! number, and never mistaken for one that is known. Values are those of ESTypes.h and ESMessage.h,
//! macOS 27.0.

/// Declares a Rust enumeration for a C one.
macro_rules! c_enums {
    ($(
        $(#[$doc:meta])*
        pub enum $Enum:ident($C:ident) {
            $($(#[$variant_doc:meta])* $Variant:ident = $constant:ident,)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum $Enum {
            $($(#[$variant_doc])* $Variant,)*
            /// A value that is newer than this crate.
            Other(u32),
        }

        impl $Enum {
            pub(crate) fn from_c(value: endpoint_sec_sys::$C) -> Self {
                match value {
                    $(endpoint_sec_sys::$C::$constant => Self::$Variant,)*
                    endpoint_sec_sys::$C(other) => Self::Other(other),
                }
            }

            /// The number that the C API has for it.
            #[must_use]
            pub fn as_raw(self) -> u32 {
                match self {
                    $(Self::$Variant => endpoint_sec_sys::$C::$constant.0,)*
                    Self::Other(other) => other,
                }
            }
        }

        $crate::raw::enum_field!($Enum, $C);
    )*};
}

c_enums! {
    /// Whether a message is a request or a report (`es_action_type_t`).
    pub enum ActionType(es_action_type_t) {
        /// A request: the operation waits for an answer.
        Auth = ES_ACTION_TYPE_AUTH,
        /// A report.
        Notify = ES_ACTION_TYPE_NOTIFY,
    }

    /// What a notification's result is (`es_result_type_t`).
    pub enum ResultType(es_result_type_t) {
        /// An answer.
        Auth = ES_RESULT_TYPE_AUTH,
        /// Flags, for opening.
        Flags = ES_RESULT_TYPE_FLAGS,
    }

    /// What was answered (`es_auth_result_t`).
    pub enum AuthResult(es_auth_result_t) {
        /// The operation was allowed.
        Allow = ES_AUTH_RESULT_ALLOW,
        /// The operation was denied.
        Deny = ES_AUTH_RESULT_DENY,
    }

    /// Whether something is set or cleared (`es_set_or_clear_t`).
    pub enum SetOrClear(es_set_or_clear_t) {
        /// It is set.
        Set = ES_SET,
        /// It is cleared.
        Clear = ES_CLEAR,
    }

    /// The kind of access to a process (`es_proc_check_type_t`, named for the call numbers of
    /// `proc_info`).
    pub enum ProcCheckType(es_proc_check_type_t) {
        /// A list of processes.
        ListPids = ES_PROC_CHECK_TYPE_LISTPIDS,
        /// Facts about a process.
        PidInfo = ES_PROC_CHECK_TYPE_PIDINFO,
        /// Facts about a descriptor of a process.
        PidFdInfo = ES_PROC_CHECK_TYPE_PIDFDINFO,
        /// The kernel's message buffer; never generated.
        KernelMessageBuffer = ES_PROC_CHECK_TYPE_KERNMSGBUF,
        /// Control of the calling process.
        SetControl = ES_PROC_CHECK_TYPE_SETCONTROL,
        /// Facts about a file port.
        PidFilePortInfo = ES_PROC_CHECK_TYPE_PIDFILEPORTINFO,
        /// Termination; never generated.
        Terminate = ES_PROC_CHECK_TYPE_TERMINATE,
        /// Dirty state tracking.
        DirtyControl = ES_PROC_CHECK_TYPE_DIRTYCONTROL,
        /// Resource usage.
        PidRusage = ES_PROC_CHECK_TYPE_PIDRUSAGE,
        /// User data; never generated.
        UdataInfo = ES_PROC_CHECK_TYPE_UDATA_INFO,
    }

    /// The domain in which an XPC service is looked up (`es_xpc_domain_type_t`).
    pub enum XpcDomain(es_xpc_domain_type_t) {
        /// The system.
        System = ES_XPC_DOMAIN_TYPE_SYSTEM,
        /// A user.
        User = ES_XPC_DOMAIN_TYPE_USER,
        /// A user's login.
        UserLogin = ES_XPC_DOMAIN_TYPE_USER_LOGIN,
        /// An audit session.
        Session = ES_XPC_DOMAIN_TYPE_SESSION,
        /// A process.
        Pid = ES_XPC_DOMAIN_TYPE_PID,
        /// A manager.
        Manager = ES_XPC_DOMAIN_TYPE_MANAGER,
        /// A port.
        Port = ES_XPC_DOMAIN_TYPE_PORT,
        /// A graphical session.
        Gui = ES_XPC_DOMAIN_TYPE_GUI,
    }

    /// The kind of result of a bootstrap look-up (`es_bootstrap_target_type_t`, macOS 27.0).
    pub enum BootstrapTargetType(es_bootstrap_target_type_t) {
        /// A process that checked in.
        Process = ES_BOOTSTRAP_TARGET_TYPE_PROCESS,
        /// A job that launchd would start.
        Job = ES_BOOTSTRAP_TARGET_TYPE_JOB,
    }

    /// How a user authenticated (`es_authentication_type_t`).
    pub enum AuthenticationType(es_authentication_type_t) {
        /// By a record of Open Directory.
        Od = ES_AUTHENTICATION_TYPE_OD,
        /// By Touch ID.
        TouchId = ES_AUTHENTICATION_TYPE_TOUCHID,
        /// By a token, such as a smart card.
        Token = ES_AUTHENTICATION_TYPE_TOKEN,
        /// By an Apple Watch.
        AutoUnlock = ES_AUTHENTICATION_TYPE_AUTO_UNLOCK,
    }

    /// Which plug-in of sudo rejected (`es_sudo_plugin_type_t`).
    pub enum SudoPluginType(es_sudo_plugin_type_t) {
        /// One of unknown type.
        Unknown = ES_SUDO_PLUGIN_TYPE_UNKNOWN,
        /// The front end.
        FrontEnd = ES_SUDO_PLUGIN_TYPE_FRONT_END,
        /// A policy plug-in.
        Policy = ES_SUDO_PLUGIN_TYPE_POLICY,
        /// An input and output plug-in.
        Io = ES_SUDO_PLUGIN_TYPE_IO,
        /// An audit plug-in.
        Audit = ES_SUDO_PLUGIN_TYPE_AUDIT,
        /// An approval plug-in.
        Approval = ES_SUDO_PLUGIN_TYPE_APPROVAL,
    }

    /// What a source address is (`es_address_type_t`).
    pub enum AddressType(es_address_type_t) {
        /// There is none.
        None = ES_ADDRESS_TYPE_NONE,
        /// An IPv4 address.
        Ipv4 = ES_ADDRESS_TYPE_IPV4,
        /// An IPv6 address.
        Ipv6 = ES_ADDRESS_TYPE_IPV6,
        /// A Unix socket's name.
        NamedSocket = ES_ADDRESS_TYPE_NAMED_SOCKET,
    }

    /// The class of the rule that decided over a right (`es_authorization_rule_class_t`).
    pub enum RuleClass(es_authorization_rule_class_t) {
        /// A user must authenticate.
        User = ES_AUTHORIZATION_RULE_CLASS_USER,
        /// Another rule is named.
        Rule = ES_AUTHORIZATION_RULE_CLASS_RULE,
        /// A list of mechanisms is run.
        Mechanism = ES_AUTHORIZATION_RULE_CLASS_MECHANISM,
        /// It is always granted.
        Allow = ES_AUTHORIZATION_RULE_CLASS_ALLOW,
        /// It is never granted.
        Deny = ES_AUTHORIZATION_RULE_CLASS_DENY,
        /// The class is not known.
        Unknown = ES_AUTHORIZATION_RULE_CLASS_UNKNOWN,
        /// The right is not valid.
        Invalid = ES_AUTHORIZATION_RULE_CLASS_INVALID,
    }

    /// How a member of a group is named (`es_od_member_type_t`).
    pub enum OdMemberType(es_od_member_type_t) {
        /// A user, by name.
        UserName = ES_OD_MEMBER_TYPE_USER_NAME,
        /// A user, by UUID.
        UserUuid = ES_OD_MEMBER_TYPE_USER_UUID,
        /// A group, by UUID.
        GroupUuid = ES_OD_MEMBER_TYPE_GROUP_UUID,
    }

    /// Whose password was changed (`es_od_account_type_t`).
    pub enum OdAccountType(es_od_account_type_t) {
        /// A user's.
        User = ES_OD_ACCOUNT_TYPE_USER,
        /// A computer's.
        Computer = ES_OD_ACCOUNT_TYPE_COMPUTER,
    }

    /// Which kind of record was changed (`es_od_record_type_t`).
    pub enum OdRecordType(es_od_record_type_t) {
        /// A user.
        User = ES_OD_RECORD_TYPE_USER,
        /// A group.
        Group = ES_OD_RECORD_TYPE_GROUP,
    }

    /// How the file of a Gatekeeper override is given (`es_gatekeeper_user_override_file_type_t`).
    pub enum GatekeeperFileType(es_gatekeeper_user_override_file_type_t) {
        /// By path only.
        Path = ES_GATEKEEPER_USER_OVERRIDE_FILE_TYPE_PATH,
        /// As a file.
        File = ES_GATEKEEPER_USER_OVERRIDE_FILE_TYPE_FILE,
    }

    /// What happened to a privacy permission (`es_tcc_event_type_t`).
    pub enum TccEventType(es_tcc_event_type_t) {
        /// Something else.
        Unknown = ES_TCC_EVENT_TYPE_UNKNOWN,
        /// It was created.
        Create = ES_TCC_EVENT_TYPE_CREATE,
        /// It was changed.
        Modify = ES_TCC_EVENT_TYPE_MODIFY,
        /// It was deleted.
        Delete = ES_TCC_EVENT_TYPE_DELETE,
    }

    /// What a privacy permission says (`es_tcc_authorization_right_t`).
    pub enum TccRight(es_tcc_authorization_right_t) {
        /// No.
        Denied = ES_TCC_AUTHORIZATION_RIGHT_DENIED,
        /// It is not decided.
        Unknown = ES_TCC_AUTHORIZATION_RIGHT_UNKNOWN,
        /// Yes.
        Allowed = ES_TCC_AUTHORIZATION_RIGHT_ALLOWED,
        /// To a part only.
        Limited = ES_TCC_AUTHORIZATION_RIGHT_LIMITED,
        /// Additions, and changes of what was added.
        AddModifyAdded = ES_TCC_AUTHORIZATION_RIGHT_ADD_MODIFY_ADDED,
        /// For this run of the process.
        SessionPid = ES_TCC_AUTHORIZATION_RIGHT_SESSION_PID,
        /// The user asked to learn more.
        LearnMore = ES_TCC_AUTHORIZATION_RIGHT_LEARN_MORE,
    }

    /// Why a privacy permission changed (`es_tcc_authorization_reason_t`).
    pub enum TccReason(es_tcc_authorization_reason_t) {
        /// No reason is given.
        None = ES_TCC_AUTHORIZATION_REASON_NONE,
        /// An error.
        Error = ES_TCC_AUTHORIZATION_REASON_ERROR,
        /// The user answered a prompt.
        UserConsent = ES_TCC_AUTHORIZATION_REASON_USER_CONSENT,
        /// The user changed a setting.
        UserSet = ES_TCC_AUTHORIZATION_REASON_USER_SET,
        /// The system changed it.
        SystemSet = ES_TCC_AUTHORIZATION_REASON_SYSTEM_SET,
        /// A policy of the service.
        ServicePolicy = ES_TCC_AUTHORIZATION_REASON_SERVICE_POLICY,
        /// A policy of device management.
        MdmPolicy = ES_TCC_AUTHORIZATION_REASON_MDM_POLICY,
        /// A policy that overrides the service's.
        ServiceOverridePolicy = ES_TCC_AUTHORIZATION_REASON_SERVICE_OVERRIDE_POLICY,
        /// The application does not say what for.
        MissingUsageString = ES_TCC_AUTHORIZATION_REASON_MISSING_USAGE_STRING,
        /// The prompt was not answered in time.
        PromptTimeout = ES_TCC_AUTHORIZATION_REASON_PROMPT_TIMEOUT,
        /// It was queried in advance and is not decided.
        PreflightUnknown = ES_TCC_AUTHORIZATION_REASON_PREFLIGHT_UNKNOWN,
        /// The application is entitled.
        Entitled = ES_TCC_AUTHORIZATION_REASON_ENTITLED,
        /// A policy for its type of application.
        AppTypePolicy = ES_TCC_AUTHORIZATION_REASON_APP_TYPE_POLICY,
        /// The prompt was cancelled.
        PromptCancel = ES_TCC_AUTHORIZATION_REASON_PROMPT_CANCEL,
    }

    /// How the subject of a privacy permission is named (`es_tcc_identity_type_t`).
    pub enum TccIdentityType(es_tcc_identity_type_t) {
        /// By bundle identifier.
        BundleId = ES_TCC_IDENTITY_TYPE_BUNDLE_ID,
        /// By the path of its executable.
        ExecutablePath = ES_TCC_IDENTITY_TYPE_EXECUTABLE_PATH,
        /// By a policy's identifier.
        PolicyId = ES_TCC_IDENTITY_TYPE_POLICY_ID,
        /// By a file provider's domain.
        FileProviderDomainId = ES_TCC_IDENTITY_TYPE_FILE_PROVIDER_DOMAIN_ID,
    }

    /// By whom a program's code was signed (`es_cs_validation_category_t`, macOS 26.0).
    pub enum CsValidationCategory(es_cs_validation_category_t) {
        /// It is not valid.
        Invalid = ES_CS_VALIDATION_CATEGORY_INVALID,
        /// It is part of macOS.
        Platform = ES_CS_VALIDATION_CATEGORY_PLATFORM,
        /// TestFlight.
        TestFlight = ES_CS_VALIDATION_CATEGORY_TESTFLIGHT,
        /// A developer, for development.
        Development = ES_CS_VALIDATION_CATEGORY_DEVELOPMENT,
        /// The App Store.
        AppStore = ES_CS_VALIDATION_CATEGORY_APP_STORE,
        /// An enterprise.
        Enterprise = ES_CS_VALIDATION_CATEGORY_ENTERPRISE,
        /// A developer, with a Developer ID.
        DeveloperId = ES_CS_VALIDATION_CATEGORY_DEVELOPER_ID,
        /// This machine.
        LocalSigning = ES_CS_VALIDATION_CATEGORY_LOCAL_SIGNING,
        /// Rosetta's translation.
        Rosetta = ES_CS_VALIDATION_CATEGORY_ROSETTA,
        /// An out-of-process just-in-time compiler.
        OutOfProcessJit = ES_CS_VALIDATION_CATEGORY_OOPJIT,
        /// Nobody.
        None = ES_CS_VALIDATION_CATEGORY_NONE,
    }

    /// What an Apple Watch unlocked (`es_auto_unlock_type_t`).
    pub enum AutoUnlockType(es_auto_unlock_type_t) {
        /// The machine.
        MachineUnlock = ES_AUTO_UNLOCK_MACHINE_UNLOCK,
        /// A prompt.
        AuthPrompt = ES_AUTO_UNLOCK_AUTH_PROMPT,
    }

    /// What a launch item is (`es_btm_item_type_t`).
    pub enum BtmItemType(es_btm_item_type_t) {
        /// An item the user added.
        UserItem = ES_BTM_ITEM_TYPE_USER_ITEM,
        /// An application.
        App = ES_BTM_ITEM_TYPE_APP,
        /// A login item.
        LoginItem = ES_BTM_ITEM_TYPE_LOGIN_ITEM,
        /// A launch agent.
        Agent = ES_BTM_ITEM_TYPE_AGENT,
        /// A launch daemon.
        Daemon = ES_BTM_ITEM_TYPE_DAEMON,
    }

    /// Whether the destination of a create or rename exists (`es_destination_type_t`).
    pub enum DestinationType(es_destination_type_t) {
        /// An existing file.
        ExistingFile = ES_DESTINATION_TYPE_EXISTING_FILE,
        /// A free name in a directory.
        NewPath = ES_DESTINATION_TYPE_NEW_PATH,
    }

    /// How a task port was obtained (`es_get_task_type_t`).
    pub enum GetTaskType(es_get_task_type_t) {
        /// By `task_for_pid` or a similar call.
        TaskForPid = ES_GET_TASK_TYPE_TASK_FOR_PID,
        /// From the task itself, which exposed it.
        ExposeTask = ES_GET_TASK_TYPE_EXPOSE_TASK,
        /// By a task identity token.
        IdentityToken = ES_GET_TASK_TYPE_IDENTITY_TOKEN,
    }

    /// How a login by SSH ended (`es_openssh_login_result_type_t`).
    pub enum OpensshLoginResult(es_openssh_login_result_type_t) {
        /// Too many tries.
        LoginExceedMaxTries = ES_OPENSSH_LOGIN_EXCEED_MAXTRIES,
        /// Root may not log in.
        LoginRootDenied = ES_OPENSSH_LOGIN_ROOT_DENIED,
        /// With success.
        AuthSuccess = ES_OPENSSH_AUTH_SUCCESS,
        /// The method `none` failed.
        AuthFailNone = ES_OPENSSH_AUTH_FAIL_NONE,
        /// The password was wrong.
        AuthFailPassword = ES_OPENSSH_AUTH_FAIL_PASSWD,
        /// Keyboard-interactive authentication failed.
        AuthFailKeyboardInteractive = ES_OPENSSH_AUTH_FAIL_KBDINT,
        /// The public key was refused.
        AuthFailPublicKey = ES_OPENSSH_AUTH_FAIL_PUBKEY,
        /// Host-based authentication failed.
        AuthFailHostBased = ES_OPENSSH_AUTH_FAIL_HOSTBASED,
        /// GSSAPI authentication failed.
        AuthFailGssapi = ES_OPENSSH_AUTH_FAIL_GSSAPI,
        /// There is no such user.
        InvalidUser = ES_OPENSSH_INVALID_USER,
    }

    /// What is mounted (`es_mount_disposition_t`, message version 8).
    pub enum MountDisposition(es_mount_disposition_t) {
        /// An external device.
        External = ES_MOUNT_DISPOSITION_EXTERNAL,
        /// An internal device.
        Internal = ES_MOUNT_DISPOSITION_INTERNAL,
        /// A network share.
        Network = ES_MOUNT_DISPOSITION_NETWORK,
        /// A virtual device, such as a disk image.
        Virtual = ES_MOUNT_DISPOSITION_VIRTUAL,
        /// Another view of a directory.
        NullFs = ES_MOUNT_DISPOSITION_NULLFS,
        /// Something else.
        Unknown = ES_MOUNT_DISPOSITION_UNKNOWN,
    }

    /// What is done to a process (`es_proc_suspend_resume_type_t`).
    pub enum ProcSuspendResumeType(es_proc_suspend_resume_type_t) {
        /// It is suspended.
        Suspend = ES_PROC_SUSPEND_RESUME_TYPE_SUSPEND,
        /// It is resumed.
        Resume = ES_PROC_SUSPEND_RESUME_TYPE_RESUME,
        /// Its sockets are shut down.
        ShutdownSockets = ES_PROC_SUSPEND_RESUME_TYPE_SHUTDOWN_SOCKETS,
    }

    /// Where a configuration profile came from (`es_profile_source_t`).
    pub enum ProfileSource(es_profile_source_t) {
        /// Device management.
        Managed = ES_PROFILE_SOURCE_MANAGED,
        /// A user's installation.
        Install = ES_PROFILE_SOURCE_INSTALL,
    }

    /// The mode of a Touch ID check (`es_touchid_mode_t`).
    pub enum TouchIdMode(es_touchid_mode_t) {
        /// Whether it is a given user.
        Verification = ES_TOUCHID_MODE_VERIFICATION,
        /// Which user it is.
        Identification = ES_TOUCHID_MODE_IDENTIFICATION,
    }

    /// What happens when a client misses a deadline (`es_deadline_miss_mode_t`, macOS 27.0).
    pub enum DeadlineMissMode(es_deadline_miss_mode_t) {
        /// The client is killed; the default, and what older systems do.
        Kill = ES_DEADLINE_MISS_MODE_KILL,
        /// The operation is denied, and so are those whose message was dropped from a full queue.
        FailClosed = ES_DEADLINE_MISS_MODE_FAIL_CLOSED,
        /// The operation is allowed.
        FailOpen = ES_DEADLINE_MISS_MODE_FAIL_OPEN,
    }
}
