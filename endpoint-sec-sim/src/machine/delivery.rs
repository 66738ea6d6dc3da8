//! The thread of a client: delivers one message at a time, until the client is deleted.

use std::sync::{Arc, PoisonError};

use crate::machine::Shared;
use crate::machine::client::{ClientId, Item};
use crate::memory::handler::Handler;
use crate::memory::reader;

/// What the thread is to do next.
enum Next {
    Message(usize),
    Sync(crate::memory::handler::SyncBlock),
    Leave,
}

// === impl Shared ===

impl Shared {
    /// Serves a client until it is closed.
    pub(crate) fn deliver(self: Arc<Self>, id: ClientId, handler: Handler) {
        if let Some(client) = self.lock().clients.get_mut(&id) {
            client.reader = Some(std::thread::current().id());
        }
        loop {
            match self.next(id) {
                Next::Message(address) => {
                    reader::hand_over(&self, &handler, id, address);
                    self.handled(id, Some(address));
                }
                Next::Sync(block) => {
                    block.run();
                    self.handled(id, None);
                }
                Next::Leave => break,
            }
        }
        drop(handler);
        self.lock().clients.remove(&id);
        self.quiet.notify_all();
    }

    /// Waits for something to do. Marks the client as being served.
    fn next(&self, id: ClientId) -> Next {
        let mut state = self.lock();
        loop {
            let held = state.held;
            let Some(client) = state.clients.get_mut(&id) else {
                return Next::Leave;
            };
            let ready = !held || client.closing;
            let item = if ready {
                client.queue.pop_front()
            } else {
                None
            };
            match item {
                Some(Item::Message(address)) => {
                    client.queued -= 1;
                    client.handling = true;
                    state.report.delivered += 1;
                    return Next::Message(address);
                }
                Some(Item::Sync(block)) => {
                    client.handling = true;
                    return Next::Sync(block);
                }
                None if client.closing => return Next::Leave,
                None => {
                    let wake = client.wake.clone();
                    state = wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn handled(&self, id: ClientId, address: Option<usize>) {
        let mut state = self.lock();
        if let Some(client) = state.clients.get_mut(&id) {
            client.handling = false;
        }
        let memory = address.and_then(|address| state.free(address));
        drop(state);
        drop(memory);
        self.quiet.notify_all();
    }
}
