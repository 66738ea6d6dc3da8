//! An operation of a process, with the messages that it causes.

use std::fmt;
use std::sync::Arc;

use endpoint_sec_sys::{es_event_type_t, es_events_t};

use crate::file::File;
use crate::memory::Arena;
use crate::memory::message::{Image, Payload};
use crate::process::Process;

/// One operation of a process: its AUTH and NOTIFY messages, their contents, and its effect on the
/// machine.
///
/// [`Machine`](crate::Machine) has a method for each common operation; this type is for the others.
#[derive(Clone)]
#[must_use = "nothing happens until the action is performed"]
pub struct Action {
    pub(crate) actor: Process,
    pub(crate) instigator: Option<Process>,
    pub(crate) thread: Option<u64>,
    pub(crate) auth: Option<es_event_type_t>,
    pub(crate) notify: Option<es_event_type_t>,
    pub(crate) payload: Payload,
    /// The contents of the NOTIFY message after an allowed operation, if they differ.
    pub(crate) done: Option<Payload>,
    /// A further report, sent before the NOTIFY message if the operation is allowed.
    pub(crate) reports: Option<Arc<Self>>,
    /// The paths that target muting compares.
    pub(crate) targets: Vec<Arc<[u8]>>,
    /// The key of the object in the result cache; empty if the result is never cached.
    pub(crate) cached_by: Vec<u8>,
    /// The flags of an open.
    pub(crate) flags: Option<u32>,
    pub(crate) image: Option<Image>,
    /// Delivered to every client, subscribed or not, although the release does not know the type.
    pub(crate) unknown: bool,
    pub(crate) effect: Effect,
}

/// What an operation does to the machine once it is allowed.
#[derive(Clone, Debug, Default)]
pub(crate) enum Effect {
    #[default]
    Nothing,
    Create(File),
    Remove(Arc<[u8]>),
    Move {
        from: Arc<[u8]>,
        to: Arc<[u8]>,
    },
    Swap(Arc<[u8]>, Arc<[u8]>),
    /// Contents or attributes change; the file stays.
    Modify(Vec<Arc<[u8]>>),
    /// A copy, which is a file of its own.
    Copy(File),
    Fork(Process),
    Exec(Process),
    Exit,
}

// === impl Action ===

impl Action {
    /// An operation whose messages have the contents that `payload` writes. `auth` and `notify` are
    /// the types of its messages, either of which may be missing.
    pub fn new(
        actor: &Process,
        auth: Option<es_event_type_t>,
        notify: Option<es_event_type_t>,
        payload: impl Fn(&mut Arena) -> es_events_t + Send + Sync + 'static,
    ) -> Self {
        Self {
            actor: actor.clone(),
            instigator: None,
            thread: Some(0x1000 + u64::from(actor.execution().0)),
            auth,
            notify,
            payload: Arc::new(payload),
            done: None,
            reports: None,
            targets: Vec::new(),
            cached_by: Vec::new(),
            flags: None,
            image: None,
            unknown: false,
            effect: Effect::Nothing,
        }
    }

    /// The process on whose behalf the actor acts; it votes on process muting from macOS 27.0 on.
    pub fn instigated_by(mut self, process: &Process) -> Self {
        self.instigator = Some(process.clone());
        self
    }

    /// Paths that target muting compares.
    pub fn aimed_at<P: AsRef<[u8]>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.targets = paths.into_iter().map(|path| path.as_ref().into()).collect();
        self
    }

    /// The key of the object in the result cache, for event types that can be cached.
    pub fn cached_by(mut self, object: impl AsRef<[u8]>) -> Self {
        self.cached_by = object.as_ref().to_vec();
        self
    }

    /// A message without a thread, as userspace emitters send them.
    pub fn without_thread(mut self) -> Self {
        self.thread = None;
        self
    }

    pub(crate) fn doing(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action")
            .field("actor", &self.actor)
            .field("auth", &self.auth)
            .field("notify", &self.notify)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}
