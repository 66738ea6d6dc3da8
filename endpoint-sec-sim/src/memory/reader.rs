//! Calling a handler with a message.

use std::ptr::without_provenance_mut;

use crate::machine::Shared;
use crate::machine::client::ClientId;
use crate::memory::handler::Handler;

/// Calls the handler of a client with the message at an address, unless the message is gone.
///
/// Called by the client's own thread alone, which keeps the calls apart, between taking the message
/// from the queue and freeing it, which keeps the message alive.
pub(crate) fn hand_over(shared: &Shared, handler: &Handler, id: ClientId, address: usize) {
    let message = {
        let state = shared.lock();
        state
            .messages
            .get(&address)
            .map(|message| message.memory.message())
    };
    if let Some(message) = message {
        // SAFETY: only this thread calls this handler. The message's `held` flag is set until
        // `free`, which this thread calls after the handler has returned; until then
        // nothing removes the message from the machine.
        unsafe { handler.call(without_provenance_mut(id), message) };
    }
}
