//! Messages kept beyond the handler's return.

use super::MessageView;
use crate::answer::{Answer, Reply};
use crate::client::core::{Core, Kept};
use crate::error::AnswerError;
use crate::event::Event;
use crate::event_type::EventType;
use crate::open_flags::OpenFlags;
use crate::raw::message::Retained;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A kept request to allow or deny an operation. It can be answered on any thread.
///
/// If it is dropped without an answer, or its deadline is near, it gets the default answer; a later
/// answer is an error.
#[must_use = "a message that is dropped gets the default answer"]
pub struct KeptAuth(Right);

/// A kept request to allow or deny opening a file. It can be answered on any thread.
///
/// If it is dropped without an answer, or its deadline is near, it gets the default answer; a later
/// answer is an error.
#[must_use = "a message that is dropped gets the default answer"]
pub struct KeptOpen(Right);

/// A kept request whose answer the kernel may cache.
#[must_use = "a message that is dropped gets the default answer"]
pub struct KeptCacheable(Right);

/// A kept message that can be read, and cloned cheaply.
#[derive(Clone)]
pub struct KeptMessage(Retained);

/// The right to answer a kept message.
pub(super) struct Right {
    core: Arc<Core>,
    kept: Arc<Kept>,
    /// Whether the right is still here.
    pending: bool,
}

// === impl Right ===

impl Right {
    pub(super) fn new(core: Arc<Core>, kept: Arc<Kept>) -> Self {
        Self {
            core,
            kept,
            pending: true,
        }
    }

    fn answer(
        mut self,
        reply: Option<Reply>,
        answer: Answer,
        cache: bool,
    ) -> Result<(), AnswerError> {
        self.pending = false;
        if !self.core.claim(&self.kept) {
            return Err(self.core.too_late());
        }
        let view = self.kept.message.view();
        match reply {
            Some(reply) => self.core.respond(view, reply, cache),
            None => self.core.plain(view, answer, cache),
        }
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        if self.pending && self.core.claim(&self.kept) {
            self.core.unanswered(self.kept.message.view());
        }
    }
}

/// The methods that all kept messages have.
macro_rules! says {
    ($($Type:ident: |$this:ident| $view:expr;)*) => {$(
        impl $Type {
            /// Its contents.
            #[must_use]
            pub fn view(&self) -> MessageView<'_> {
                let $this = self;
                $view
            }

            /// The event.
            #[must_use]
            pub fn event(&self) -> Event<'_> {
                self.view().event()
            }

            /// The event type.
            #[must_use]
            pub fn event_type(&self) -> EventType {
                self.view().event_type()
            }
        }

        impl fmt::Debug for $Type {
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
    KeptAuth: |this| this.0.kept.message.view();
    KeptOpen: |this| this.0.kept.message.view();
    KeptCacheable: |this| this.0.kept.message.view();
    KeptMessage: |this| this.0.view();
}

/// The methods of kept messages that can be answered.
macro_rules! answers {
    ($($Type:ident),*) => {$(
        impl $Type {
            pub(super) fn new(right: Right) -> Self {
                Self(right)
            }

            /// Lets the operation proceed, as far as this client is concerned. The kernel does not
            /// cache the answer.
            ///
            /// # Errors
            ///
            /// [`AnswerError::TooLate`] if the default answer was given before,
            /// [`AnswerError::Closed`] if the client is gone; other errors are the system's.
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

            /// How long it is until the system stops waiting; zero if it has.
            #[must_use]
            pub fn time_left(&self) -> Duration {
                self.0.core.clock.until(self.view().deadline())
            }

            /// The message without the right to answer it, to be read after the answer.
            #[must_use]
            pub fn message(&self) -> KeptMessage {
                KeptMessage(self.0.kept.message.clone())
            }
        }
    )*};
}

answers!(KeptAuth, KeptOpen);

// === impl KeptOpen ===

impl KeptOpen {
    /// Lets the file be opened if all its flags are in `flags`. The kernel does not cache the
    /// answer.
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub fn allow_flags(self, flags: OpenFlags) -> Result<(), AnswerError> {
        self.0
            .answer(Some(Reply::Flags(flags)), Answer::Deny, false)
    }

    /// The same, and the kernel caches the flags; see
    /// [`OpenMessage::allow_flags_cached`](crate::OpenMessage::allow_flags_cached).
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub fn allow_flags_cached(self, flags: OpenFlags) -> Result<(), AnswerError> {
        self.0.answer(Some(Reply::Flags(flags)), Answer::Deny, true)
    }
}

// === impl KeptAuth ===

impl KeptAuth {
    /// The same message with answers that the kernel may cache.
    ///
    /// # Errors
    ///
    /// The message as it was, if the kernel caches no answer to it.
    pub fn into_cacheable(self) -> Result<KeptCacheable, Self> {
        if self.view().is_cacheable() {
            Ok(KeptCacheable(self.0))
        } else {
            Err(self)
        }
    }
}

// === impl KeptCacheable ===

impl KeptCacheable {
    /// Lets the operation proceed, and the kernel caches the answer; see
    /// [`CacheableMessage::allow`](crate::CacheableMessage::allow).
    ///
    /// # Errors
    ///
    /// As for [`KeptAuth::allow`].
    pub fn allow(self) -> Result<(), AnswerError> {
        self.0.answer(None, Answer::Allow, true)
    }

    /// Makes the operation fail, and the kernel caches the answer; see
    /// [`CacheableMessage::deny`](crate::CacheableMessage::deny).
    ///
    /// # Errors
    ///
    /// As for [`KeptAuth::allow`].
    pub fn deny(self) -> Result<(), AnswerError> {
        self.0.answer(None, Answer::Deny, true)
    }
}

// === impl KeptMessage ===

impl KeptMessage {
    pub(super) fn new(message: Retained) -> Self {
        Self(message)
    }
}
