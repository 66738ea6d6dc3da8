//! Messages, as a handler gets them.
//!
//! A request comes with the right to answer it once: answering consumes an [`AuthMessage`] or an
//! [`OpenMessage`]. A request that is not answered, because the handler returned, panicked or took
//! too long, gets the client's default answer.
//!
//! A message exists until the handler returns. To use it longer, or on another thread, keep it:
//! [`AuthMessage::keep`], [`OpenMessage::keep`], [`NotifyMessage::keep`].

mod kept;
mod view;

pub use kept::{KeptAuth, KeptCacheable, KeptMessage, KeptOpen};
pub use view::{MessageView, Outcome};

use crate::answer::{Answer, Reply};
use crate::client::core::Core;
use crate::error::AnswerError;
use crate::event::Event;
use crate::event_type::EventType;
use crate::open_flags::OpenFlags;
use crate::process::Process;
use crate::raw::message::Retained;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A message, for as long as the handler runs.
#[derive(Debug)]
pub enum Message<'m> {
    /// A request to allow or deny an operation.
    Auth(AuthMessage<'m>),
    /// A request to allow or deny opening a file with some flags.
    Open(OpenMessage<'m>),
    /// A report of an operation.
    Notify(NotifyMessage<'m>),
}

/// A request to allow or deny an operation.
#[must_use = "a message that is dropped gets the default answer"]
pub struct AuthMessage<'m>(Asking<'m>);

/// A request to allow or deny opening a file with some flags.
#[must_use = "a message that is dropped gets the default answer"]
pub struct OpenMessage<'m>(Asking<'m>);

/// A request whose answer the kernel may cache.
#[must_use = "a message that is dropped gets the default answer"]
pub struct CacheableMessage<'m>(Asking<'m>);

/// A report of an operation.
#[derive(Clone, Copy)]
pub struct NotifyMessage<'m> {
    view: MessageView<'m>,
}

/// The right to answer the message that is in the handler.
struct Asking<'m> {
    view: MessageView<'m>,
    core: &'m Arc<Core>,
    /// Whether the right was not consumed yet by answering or keeping.
    pending: bool,
}

// === impl Message ===

impl<'m> Message<'m> {
    pub(crate) fn delivered(view: MessageView<'m>, core: &'m Arc<Core>) -> Self {
        if !view.is_auth() {
            return Self::Notify(NotifyMessage { view });
        }
        let asking = Asking {
            view,
            core,
            pending: true,
        };
        if view.event_type().is_answered_by_flags() {
            Self::Open(OpenMessage(asking))
        } else {
            Self::Auth(AuthMessage(asking))
        }
    }

    /// Its contents; valid until the handler returns, whether it is answered or not.
    #[must_use]
    pub fn view(&self) -> MessageView<'m> {
        match self {
            Self::Auth(message) => message.view(),
            Self::Open(message) => message.view(),
            Self::Notify(message) => message.view(),
        }
    }

    /// Answers, if it is a request. Allowing an open allows it with all its flags.
    ///
    /// # Errors
    ///
    /// Those of [`AuthMessage::allow`]; for a report this is never an error.
    pub fn answer(self, answer: Answer) -> Result<(), AnswerError> {
        match self {
            Self::Auth(message) => message.answer(answer),
            Self::Open(message) => message.answer(answer),
            Self::Notify(_) => Ok(()),
        }
    }
}

// === impl Asking ===

impl<'m> Asking<'m> {
    /// Uses up the right to answer.
    fn answer(
        mut self,
        reply: Option<Reply>,
        answer: Answer,
        cache: bool,
    ) -> Result<(), AnswerError> {
        self.pending = false;
        if !self.core.current.claim() {
            return Err(self.core.too_late());
        }
        match reply {
            Some(reply) => self.core.respond(self.view, reply, cache),
            None => self.core.plain(self.view, answer, cache),
        }
    }

    fn keep(mut self) -> kept::Right {
        self.pending = false;
        let message = Retained::new(self.view);
        let may_answer = self.core.current.claim();
        let kept = self.core.keep(message, may_answer);
        kept::Right::new(Arc::clone(self.core), kept)
    }

    fn time_left(&self) -> Duration {
        self.core.clock.until(self.view.deadline())
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.pending && self.core.current.claim() {
            self.core.unanswered(self.view);
        }
    }
}

/// The methods that all messages have.
macro_rules! says {
    ($($Type:ident => $($field:tt).+;)*) => {$(
        impl<'m> $Type<'m> {
            /// Its contents; valid until the handler returns, whether it is answered or not.
            #[must_use]
            pub fn view(&self) -> MessageView<'m> {
                self.$($field).+
            }

            /// The event.
            #[must_use]
            pub fn event(&self) -> Event<'m> {
                self.view().event()
            }

            /// The event type.
            #[must_use]
            pub fn event_type(&self) -> EventType {
                self.view().event_type()
            }

            /// The acting process.
            #[must_use]
            pub fn process(&self) -> Process<'m> {
                self.view().process()
            }
        }

        impl fmt::Debug for $Type<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Type))
                    .field("view", &self.view())
                    .field("event", &self.event())
                    .finish()
            }
        }
    )*};
}

says! {
    AuthMessage => 0.view;
    OpenMessage => 0.view;
    CacheableMessage => 0.view;
    NotifyMessage => view;
}

// === impl AuthMessage ===

impl<'m> AuthMessage<'m> {
    /// Lets the operation proceed, as far as this client is concerned. The kernel does not cache
    /// the answer.
    ///
    /// # Errors
    ///
    /// [`AnswerError::TooLate`] if the default answer was given before; other errors are the
    /// system's. The message is consumed in any case.
    pub fn allow(self) -> Result<(), AnswerError> {
        self.answer(Answer::Allow)
    }

    /// Makes the operation fail with `EPERM`. The kernel does not cache the answer.
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub fn deny(self) -> Result<(), AnswerError> {
        self.answer(Answer::Deny)
    }

    /// Answers. The kernel does not cache the answer.
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub fn answer(self, answer: Answer) -> Result<(), AnswerError> {
        self.0.answer(None, answer, false)
    }

    /// The same message with answers that the kernel may cache.
    ///
    /// # Errors
    ///
    /// The message as it was, if the kernel caches no answer to it: this holds for most event
    /// types, and for the execution of a script.
    pub fn into_cacheable(self) -> Result<CacheableMessage<'m>, Self> {
        if self.view().is_cacheable() {
            Ok(CacheableMessage(self.0))
        } else {
            Err(self)
        }
    }

    /// Time left until the deadline; zero if it has passed.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.0.time_left()
    }

    /// Keeps the message beyond the handler's return, to be answered on any thread. Allocates once.
    ///
    /// If the default answer was given before, the kept message can no longer be answered.
    pub fn keep(self) -> KeptAuth {
        KeptAuth::new(self.0.keep())
    }
}

// === impl CacheableMessage ===

impl CacheableMessage<'_> {
    /// Lets the operation proceed. The kernel caches the answer for all clients, and sends no
    /// further requests until the file changes or the cache is cleared.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn allow(self) -> Result<(), AnswerError> {
        self.0.answer(None, Answer::Allow, true)
    }

    /// Makes the operation fail. The kernel caches the answer for all clients. A single denial
    /// cannot be removed from the cache; only the whole cache can be cleared.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn deny(self) -> Result<(), AnswerError> {
        self.0.answer(None, Answer::Deny, true)
    }
}

// === impl OpenMessage ===

impl OpenMessage<'_> {
    /// The flags that the file is opened with.
    #[must_use]
    pub fn flags(&self) -> OpenFlags {
        match self.event() {
            Event::Open(open) => open.flags(),
            _ => OpenFlags::NONE,
        }
    }

    /// Lets the file be opened with any flags. The kernel does not cache the answer.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn allow(self) -> Result<(), AnswerError> {
        self.answer(Answer::Allow)
    }

    /// Makes the open fail with `EPERM`. The kernel does not cache the answer.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn deny(self) -> Result<(), AnswerError> {
        self.answer(Answer::Deny)
    }

    /// Answers. The kernel does not cache the answer.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn answer(self, answer: Answer) -> Result<(), AnswerError> {
        self.allow_flags(answer.to_flags())
    }

    /// Lets the file be opened if all its flags are in `flags`. The kernel does not cache the
    /// answer.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn allow_flags(self, flags: OpenFlags) -> Result<(), AnswerError> {
        self.0
            .answer(Some(Reply::Flags(flags)), Answer::Deny, false)
    }

    /// Lets the file be opened if all its flags are in `flags`. The kernel caches the flags:
    /// without another request it allows opens with no other flags, and **denies** all others. To
    /// allow every open of the file, answer [`OpenFlags::ALL`], not the flags of this one.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn allow_flags_cached(self, flags: OpenFlags) -> Result<(), AnswerError> {
        self.0.answer(Some(Reply::Flags(flags)), Answer::Deny, true)
    }

    /// Time left until the deadline; zero if it has passed.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.0.time_left()
    }

    /// Keeps the message beyond the handler's return, to be answered on any thread. Allocates once.
    ///
    /// If the default answer was given before, the kept message can no longer be answered.
    pub fn keep(self) -> KeptOpen {
        KeptOpen::new(self.0.keep())
    }
}

// === impl NotifyMessage ===

impl NotifyMessage<'_> {
    /// Keeps the message beyond the handler's return.
    #[must_use]
    pub fn keep(&self) -> KeptMessage {
        KeptMessage::new(Retained::new(self.view))
    }
}
