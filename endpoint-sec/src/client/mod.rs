//! Clients, which receive messages.
//!
//! ```text
//!   your thread           the client's thread          the library's thread
//!   Client ───── owns ──▶ creates the client
//!   Handle ──── calls ──▶ answers what is due ◀─────── messages, one after the other:
//!   kept messages         deletes the client           counted, handled, settled
//! ```
//!
//! The handler runs on a thread of the library, one message at a time. The client's own thread
//! creates and deletes the client, and gives the default answer to requests that are not answered
//! in time.

pub(crate) mod alarm;
pub(crate) mod core;
pub(crate) mod deliver;
mod handle;
mod muting;
pub(crate) mod report;
pub(crate) mod sequence;
mod thread;

pub use handle::{Handle, Subscribed};
pub use muting::SavedMutes;
pub use report::{Report, Statistics};

use crate::answer::Answer;
use crate::deadline::Budget;
use crate::error::StartError;
use crate::message::Message;
use crate::raw::block::ClientKind;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The configuration of a client.
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    kind: ClientKind,
    default_answer: Answer,
    budget: Budget,
    observer: Option<core::Observer>,
}

/// A client, until it is dropped or [closed](Client::close).
///
/// It is bound to the thread that started it, so that it cannot be dropped in its own handler,
/// which would wait for itself. Other threads use a [`Handle`].
pub struct Client {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
    /// Keeps it on its thread.
    on_this_thread: PhantomData<*const ()>,
}

// === impl Builder ===

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// A client that sees the whole machine, and allows by default.
    pub fn new() -> Self {
        Self {
            kind: ClientKind::System,
            default_answer: Answer::Allow,
            budget: Budget::default(),
            observer: None,
        }
    }

    /// Makes it a client that sees the descendants of this process only, and of this process itself
    /// reports, but no requests. It needs neither root nor Full Disk Access. macOS 27.0.
    pub fn descendants(mut self) -> Self {
        self.kind = ClientKind::Descendants;
        self
    }

    /// The answer to a request that the handler dropped, panicked on or took too long for. Never
    /// cached by the kernel.
    pub fn default_answer(mut self, answer: Answer) -> Self {
        self.default_answer = answer;
        self
    }

    /// The part of the time to a deadline that answers may take.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Sets the function that receives [`Report`]s. It may be called on any thread, and
    /// concurrently.
    pub fn on_report(mut self, observer: impl Fn(Report<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Starts the client. It is subscribed to nothing; the system mutes a set of executables for
    /// it, and clears the cache of answers of all clients.
    ///
    /// `handler` runs on a thread of the library, one message at a time. While it runs, the next
    /// message waits. If it waits for an operation that needs this client's answer, both wait for
    /// ever: answer first.
    ///
    /// # Errors
    ///
    /// If the program or its user lacks a right, or the system fails; the error says what to do.
    pub fn start<F>(self, handler: F) -> Result<Client, StartError>
    where
        F: FnMut(Message<'_>) + Send + 'static,
    {
        let core = core::Core::new(self.default_answer, self.budget, self.observer);
        let core = Arc::new(core);
        let thread = thread::start(self.kind, &core, handler)?;
        let handle = Handle::new(core);
        handle.note_default_mutes();
        Ok(Client {
            handle,
            thread: Some(thread),
            on_this_thread: PhantomData,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("kind", &self.kind)
            .field("default_answer", &self.default_answer)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

// === impl Client ===

impl Client {
    /// The configuration of a client.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// A handle to it, for any thread.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Closes it, and waits until the system has deleted it. Messages that were kept and not
    /// answered get the default answer first. The handler is dropped, here or on a thread of the
    /// library.
    pub fn close(self) {
        drop(self);
    }
}

impl std::ops::Deref for Client {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            // The thread always returns: panics are caught in it.
            let _ended = thread.join();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
