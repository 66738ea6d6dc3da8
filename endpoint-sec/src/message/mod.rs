//! Messages, as a handler gets them.
//!
//! A message that asks comes with the right to answer it once: [`AuthMessage`] and [`OpenMessage`]
//! are used up by answering. Let go of without an answer, by leaving the handler, by a panic, or by
//! taking too long, they get the client's default answer.
//!
//! A message is there until the handler returns. To use it longer, or on another thread, keep it:
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
    /// It asks whether an operation may go on.
    Auth(AuthMessage<'m>),
    /// It asks whether a file may be opened, and for what.
    Open(OpenMessage<'m>),
    /// It tells what happened.
    Notify(NotifyMessage<'m>),
}

/// A message that asks whether an operation may go on.
#[must_use = "a message that is let go of gets the default answer"]
pub struct AuthMessage<'m>(Asking<'m>);

/// A message that asks whether a file may be opened, and for what.
#[must_use = "a message that is let go of gets the default answer"]
pub struct OpenMessage<'m>(Asking<'m>);

/// A message that asks, and whose answer the kernel may remember.
#[must_use = "a message that is let go of gets the default answer"]
pub struct CacheableMessage<'m>(Asking<'m>);

/// A message that tells what happened.
#[derive(Clone, Copy)]
pub struct NotifyMessage<'m> {
    view: MessageView<'m>,
}

/// The right to answer the message that is in the handler.
struct Asking<'m> {
    view: MessageView<'m>,
    core: &'m Arc<Core>,
    /// Whether the right is still here: not given away by answering or keeping.
    pending: bool,
}

// === impl Message ===

impl<'m> Message<'m> {
    pub(crate) fn delivered(view: MessageView<'m>, core: &'m Arc<Core>) -> Self {
        if !view.asks() {
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

    /// What it says; good until the handler returns, whether it is answered or not.
    #[must_use]
    pub fn view(&self) -> MessageView<'m> {
        match self {
            Self::Auth(message) => message.view(),
            Self::Open(message) => message.view(),
            Self::Notify(message) => message.view(),
        }
    }

    /// Answers, if it asks. To an opening, to allow is to allow whatever it is for.
    ///
    /// # Errors
    ///
    /// Those of [`AuthMessage::allow`]; a message that tells is never an error.
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
            /// What it says; good until the handler returns, whether it is answered or not.
            #[must_use]
            pub fn view(&self) -> MessageView<'m> {
                self.$($field).+
            }

            /// What happened, or is about to.
            #[must_use]
            pub fn event(&self) -> Event<'m> {
                self.view().event()
            }

            /// What kind of event it is about.
            #[must_use]
            pub fn event_type(&self) -> EventType {
                self.view().event_type()
            }

            /// The process that does it.
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
    /// Lets the operation go on, as far as this client is concerned. The kernel does not remember
    /// it.
    ///
    /// # Errors
    ///
    /// [`AnswerError::TooLate`] if the default answer was given before; other errors are the
    /// system's. The message is used up in any case.
    pub fn allow(self) -> Result<(), AnswerError> {
        self.answer(Answer::Allow)
    }

    /// Has the operation fail with `EPERM`. The kernel does not remember it.
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub fn deny(self) -> Result<(), AnswerError> {
        self.answer(Answer::Deny)
    }

    /// Gives the answer. The kernel does not remember it.
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub fn answer(self, answer: Answer) -> Result<(), AnswerError> {
        self.0.answer(None, answer, false)
    }

    /// The same message with answers that the kernel may remember.
    ///
    /// # Errors
    ///
    /// The message as it was, if the kernel does not remember answers to it: those of most types,
    /// and to the execution of a script.
    pub fn into_cacheable(self) -> Result<CacheableMessage<'m>, Self> {
        if self.view().is_cacheable() {
            Ok(CacheableMessage(self.0))
        } else {
            Err(self)
        }
    }

    /// How long it is until the system stops waiting; zero if it has.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.0.time_left()
    }

    /// Keeps it beyond the handler's return, to be answered on any thread. Allocates once.
    ///
    /// If the default answer was given before, the kept message cannot be answered any more.
    pub fn keep(self) -> KeptAuth {
        KeptAuth::new(self.0.keep())
    }
}

// === impl CacheableMessage ===

impl CacheableMessage<'_> {
    /// Lets the operation go on, and has the kernel remember that for all clients and ask no more
    /// until the file changes or a cache is cleared.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn allow(self) -> Result<(), AnswerError> {
        self.0.answer(None, Answer::Allow, true)
    }

    /// Has the operation fail, and has the kernel remember that for all clients. A single denial
    /// cannot be taken back, only the whole cache cleared: think twice.
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
    /// What the file is opened for.
    #[must_use]
    pub fn flags(&self) -> OpenFlags {
        match self.event() {
            Event::Open(open) => open.flags(),
            _ => OpenFlags::NONE,
        }
    }

    /// Lets it be opened for whatever. The kernel does not remember it.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn allow(self) -> Result<(), AnswerError> {
        self.answer(Answer::Allow)
    }

    /// Has opening fail with `EPERM`. The kernel does not remember it.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn deny(self) -> Result<(), AnswerError> {
        self.answer(Answer::Deny)
    }

    /// Gives the answer. The kernel does not remember it.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn answer(self, answer: Answer) -> Result<(), AnswerError> {
        self.allow_flags(answer.to_flags())
    }

    /// Lets it be opened if it is for nothing but `flags`. The kernel does not remember it.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn allow_flags(self, flags: OpenFlags) -> Result<(), AnswerError> {
        self.0
            .answer(Some(Reply::Flags(flags)), Answer::Deny, false)
    }

    /// Lets it be opened if it is for nothing but `flags`, and has the kernel remember the flags:
    /// it will allow what is for nothing but them, and **deny** everything else, without asking.
    /// To have the file left alone, remember [`OpenFlags::ALL`], not what it was opened for.
    ///
    /// # Errors
    ///
    /// As for [`AuthMessage::allow`].
    pub fn allow_flags_cached(self, flags: OpenFlags) -> Result<(), AnswerError> {
        self.0.answer(Some(Reply::Flags(flags)), Answer::Deny, true)
    }

    /// How long it is until the system stops waiting; zero if it has.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.0.time_left()
    }

    /// Keeps it beyond the handler's return, to be answered on any thread. Allocates once.
    ///
    /// If the default answer was given before, the kept message cannot be answered any more.
    pub fn keep(self) -> KeptOpen {
        KeptOpen::new(self.0.keep())
    }
}

// === impl NotifyMessage ===

impl NotifyMessage<'_> {
    /// Keeps it beyond the handler's return.
    #[must_use]
    pub fn keep(&self) -> KeptMessage {
        KeptMessage::new(Retained::new(self.view))
    }
}
