//! How processes act on one another, and by whom they are signed.

use crate::c_enum::c_enum;

c_enum! {
    /// Which call of `proc_info`: 1 to 9, and 14. `KERNMSGBUF`, `TERMINATE` and `UDATA_INFO` are
    /// never seen.
    es_proc_check_type_t {
        /// Lists processes.
        ES_PROC_CHECK_TYPE_LISTPIDS = 1,
        /// Asks about a process.
        ES_PROC_CHECK_TYPE_PIDINFO = 2,
        /// Asks about a descriptor.
        ES_PROC_CHECK_TYPE_PIDFDINFO = 3,
        /// Reads the kernel's message buffer.
        ES_PROC_CHECK_TYPE_KERNMSGBUF = 4,
        /// Sets a process's control state.
        ES_PROC_CHECK_TYPE_SETCONTROL = 5,
        /// Asks about a port made of a file.
        ES_PROC_CHECK_TYPE_PIDFILEPORTINFO = 6,
        /// Terminates a process.
        ES_PROC_CHECK_TYPE_TERMINATE = 7,
        /// Controls dirty tracking.
        ES_PROC_CHECK_TYPE_DIRTYCONTROL = 8,
        /// Asks for resource usage.
        ES_PROC_CHECK_TYPE_PIDRUSAGE = 9,
        /// Asks for user data.
        ES_PROC_CHECK_TYPE_UDATA_INFO = 14,
    }
}

c_enum! {
    /// By which call a task port was got.
    es_get_task_type_t {
        /// `task_for_pid`.
        ES_GET_TASK_TYPE_TASK_FOR_PID = 0,
        /// A task exposed by its identity.
        ES_GET_TASK_TYPE_EXPOSE_TASK = 1,
        /// `task_identity_token_get_task_port`.
        ES_GET_TASK_TYPE_IDENTITY_TOKEN = 2,
    }
}

c_enum! {
    /// What is done to a process: 2 is not used.
    es_proc_suspend_resume_type_t {
        /// It is suspended.
        ES_PROC_SUSPEND_RESUME_TYPE_SUSPEND = 0,
        /// It is resumed.
        ES_PROC_SUSPEND_RESUME_TYPE_RESUME = 1,
        /// Its sockets are shut down.
        ES_PROC_SUSPEND_RESUME_TYPE_SHUTDOWN_SOCKETS = 3,
    }
}

c_enum! {
    /// By which authority a program's signature is valid. macOS 26.0.
    es_cs_validation_category_t {
        /// None was found.
        ES_CS_VALIDATION_CATEGORY_INVALID = 0,
        /// The system.
        ES_CS_VALIDATION_CATEGORY_PLATFORM = 1,
        /// TestFlight.
        ES_CS_VALIDATION_CATEGORY_TESTFLIGHT = 2,
        /// A development certificate.
        ES_CS_VALIDATION_CATEGORY_DEVELOPMENT = 3,
        /// The App Store.
        ES_CS_VALIDATION_CATEGORY_APP_STORE = 4,
        /// An enterprise certificate.
        ES_CS_VALIDATION_CATEGORY_ENTERPRISE = 5,
        /// A Developer ID certificate.
        ES_CS_VALIDATION_CATEGORY_DEVELOPER_ID = 6,
        /// A signature made on this machine.
        ES_CS_VALIDATION_CATEGORY_LOCAL_SIGNING = 7,
        /// Rosetta.
        ES_CS_VALIDATION_CATEGORY_ROSETTA = 8,
        /// Code compiled out of process.
        ES_CS_VALIDATION_CATEGORY_OOPJIT = 9,
        /// Unsigned.
        ES_CS_VALIDATION_CATEGORY_NONE = 10,
    }
}
