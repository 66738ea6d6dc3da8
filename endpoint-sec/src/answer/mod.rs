//! Answers: what is said to a message that asks, and what became of saying it.

use crate::error::AnswerError;
use crate::open_flags::OpenFlags;
use endpoint_sec_sys::{es_auth_result_t, es_respond_result_t};

pub(crate) mod slot;

/// What is answered to a message that asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// The operation may go on, as far as this client is concerned.
    Allow,
    /// The operation fails with `EPERM`, whatever other clients say.
    Deny,
}

/// An answer in the form that the message wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    /// To everything but opening.
    Auth(Answer),
    /// To opening.
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

    /// The flags that say the same to an opening. To allow is to allow everything: the flags that
    /// were asked for would, if cached, deny the next opening that asks for others.
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
        use es_respond_result_t as Told;
        match result {
            Told::ES_RESPOND_RESULT_SUCCESS => Ok(()),
            Told::ES_RESPOND_RESULT_ERR_INVALID_ARGUMENT => Err(Self::InvalidArgument),
            Told::ES_RESPOND_RESULT_ERR_INTERNAL => Err(Self::Internal),
            Told::ES_RESPOND_RESULT_NOT_FOUND => Err(Self::NotFound),
            Told::ES_RESPOND_RESULT_ERR_DUPLICATE_RESPONSE => Err(Self::Duplicate),
            Told::ES_RESPOND_RESULT_ERR_EVENT_TYPE => Err(Self::EventType),
            es_respond_result_t(other) => Err(Self::Other(other)),
        }
    }
}
