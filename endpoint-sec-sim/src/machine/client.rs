//! One client, as the subsystem keeps it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar};
use std::thread::ThreadId;

use endpoint_sec_sys::es_deadline_miss_mode_t;

use crate::events::EventSet;
use crate::memory::handler::SyncBlock;
use crate::mute::Mutes;

/// Names a client; as a pointer, the client's handle. Never used twice.
pub(crate) type ClientId = usize;

/// An item of a client's queue.
pub(crate) enum Item {
    /// The message at this address.
    Message(usize),
    /// A block to run after everything before it.
    Sync(SyncBlock),
}

/// A client that exists.
pub(crate) struct Client {
    /// The thread that made it.
    pub(crate) creator: ThreadId,
    /// The thread that calls its handler, once it runs.
    pub(crate) reader: Option<ThreadId>,
    /// Wakes the reader.
    pub(crate) wake: Arc<Condvar>,
    pub(crate) subscriptions: EventSet,
    pub(crate) mutes: Mutes,
    pub(crate) queue: VecDeque<Item>,
    /// How many of the queue's items are messages.
    pub(crate) queued: usize,
    /// The next number of each event type.
    pub(crate) sequences: BTreeMap<u32, u64>,
    /// The next number of all.
    pub(crate) global_sequence: u64,
    /// Whether the handler is running.
    pub(crate) handling: bool,
    /// Killed for a missed deadline: receives nothing more.
    pub(crate) killed: bool,
    /// Being deleted.
    pub(crate) closing: bool,
    /// A descendants client sees below this process only.
    pub(crate) root: Option<u32>,
    pub(crate) miss_mode: es_deadline_miss_mode_t,
    /// Deadlines in milliseconds, by event type, where they were set.
    pub(crate) deadline_max: BTreeMap<u32, u32>,
    pub(crate) deadline_min: BTreeMap<u32, u32>,
}

// === impl Client ===

impl Client {
    pub(crate) fn new(creator: ThreadId, mutes: Mutes, root: Option<u32>) -> Self {
        Self {
            creator,
            reader: None,
            wake: Arc::default(),
            subscriptions: EventSet::default(),
            mutes,
            queue: VecDeque::new(),
            queued: 0,
            sequences: BTreeMap::new(),
            global_sequence: 0,
            handling: false,
            killed: false,
            closing: false,
            root,
            miss_mode: es_deadline_miss_mode_t::ES_DEADLINE_MISS_MODE_KILL,
            deadline_max: BTreeMap::new(),
            deadline_min: BTreeMap::new(),
        }
    }

    /// The numbers of the next message, whether it is delivered or lost.
    pub(crate) fn next_numbers(&mut self, event: u32) -> (u64, u64) {
        let sequence = self.sequences.entry(event).or_default();
        let numbers = (*sequence, self.global_sequence);
        *sequence += 1;
        self.global_sequence += 1;
        numbers
    }

    /// Whether the calling thread is inside this client's handler.
    pub(crate) fn is_reader(&self) -> bool {
        self.reader == Some(std::thread::current().id())
    }
}
