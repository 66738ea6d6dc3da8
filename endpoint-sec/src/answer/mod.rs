//! Answers to requests, and whether the system accepted them.

use crate::error::AnswerError;
use crate::open_flags::OpenFlags;
use endpoint_sec_sys::{es_auth_result_t, es_respond_result_t};

pub(crate) mod slot;

/// The answer to a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// The operation may proceed, as far as this client is concerned.
    Allow,
    /// The operation fails with `EPERM`, whatever other clients answer.
    Deny,
}

/// An answer in the form that the event type wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    /// To everything but an open.
    Auth(Answer),
    /// To an open.
    Flags(OpenFlags),
}

// === impl Answer ===

impl Answer {
    pub(crate) fn to_c(self) -> es_auth_result_t {
        match self {
            Self::Allow => es_auth_result_t::ES_AUTH_RESULT_ALLOW,
            Self::Deny => es_auth_result_t::ES_AUTH_RESULT_DENY,
        }
    }

    /// The same answer as flags, for an open. Allowing means all flags: the flags of this open
    /// would, if cached, deny the next open with others.
    pub(crate) fn to_flags(self) -> OpenFlags {
        match self {
            Self::Allow => OpenFlags::ALL,
            Self::Deny => OpenFlags::NONE,
        }
    }
}

// === impl AnswerError ===

impl AnswerError {
    pub(crate) fn check(result: es_respond_result_t) -> Result<(), Self> {
        use es_respond_result_t as C;
        match result {
            C::ES_RESPOND_RESULT_SUCCESS => Ok(()),
            C::ES_RESPOND_RESULT_ERR_INVALID_ARGUMENT => Err(Self::InvalidArgument),
            C::ES_RESPOND_RESULT_ERR_INTERNAL => Err(Self::Internal),
            C::ES_RESPOND_RESULT_NOT_FOUND => Err(Self::NotFound),
            C::ES_RESPOND_RESULT_ERR_DUPLICATE_RESPONSE => Err(Self::Duplicate),
            C::ES_RESPOND_RESULT_ERR_EVENT_TYPE => Err(Self::EventType),
            es_respond_result_t(other) => Err(Self::Other(other)),
        }
    }
}
