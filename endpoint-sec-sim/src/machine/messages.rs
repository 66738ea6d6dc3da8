//! The lifetime of messages.

use std::mem::offset_of;

use endpoint_sec_sys::es_message_t;

use crate::machine::Shared;
use crate::machine::state::{Asks, Message, State};
use crate::memory::message::Memory;
use crate::release::MACOS_11;
use crate::report::Defect;

// === impl State ===

impl State {
    /// The library is done with a message: it lives on only if the client retained it.
    pub(crate) fn free(&mut self, address: usize) -> Option<Memory> {
        self.messages.get_mut(&address)?.held = false;
        self.free_unused(address)
    }

    fn free_unused(&mut self, address: usize) -> Option<Memory> {
        let message = self.messages.get(&address)?;
        if message.held || message.retains > 0 {
            return None;
        }
        let message = self.messages.remove(&address)?;
        if matches!(message.asks, Asks::Pending(_)) {
            let event = message.event;
            self.defect(Defect::Unanswered { event });
        }
        Some(message.memory)
    }

    /// Records what was not released.
    pub(crate) fn report_leaks(&mut self) {
        let killed = self.report.killed_clients > 0;
        let left = std::mem::take(&mut self.messages).into_values();
        let leaked = left.filter(|_| !killed);
        let leaked: Vec<Defect> = leaked
            .map(|message| Defect::LeakedMessage {
                event: message.event,
                retains: message.retains,
            })
            .collect();
        self.report.defects.extend(leaked);
        for _ in std::mem::take(&mut self.lists) {
            self.defect(Defect::LeakedList);
        }
    }
}

// === impl Shared ===

impl Shared {
    /// `es_retain_message`.
    pub(crate) fn retain(&self, address: usize, function: &'static str) {
        let mut state = self.lock();
        if let Some(message) = state.messages.get_mut(&address) {
            message.retains += 1;
        } else {
            state.defect(Defect::DeadMessage { function });
        }
    }

    /// `es_release_message`.
    pub(crate) fn release(&self, address: usize, function: &'static str) {
        let mut state = self.lock();
        match state.messages.get_mut(&address) {
            Some(message) if message.retains > 0 => message.retains -= 1,
            _ => state.defect(Defect::OverRelease { function }),
        }
        let memory = state.free_unused(address);
        drop(state);
        drop(memory);
    }

    /// `es_copy_message`: another message on 10.15, a retain later. Returns what the caller gets.
    pub(crate) fn copy(
        &self,
        address: usize,
        function: &'static str,
    ) -> Option<*const es_message_t> {
        if self.is(MACOS_11) {
            self.retain(address, function);
            let state = self.lock();
            return Some(state.messages.get(&address)?.memory.message());
        }
        let mut state = self.lock();
        let Some(original) = state.messages.get_mut(&address) else {
            state.defect(Defect::DeadMessage { function });
            return None;
        };
        let memory = self.build(&original.source);
        let copy = Message {
            client: original.client,
            event: original.event,
            asks: original.asks,
            retains: 1,
            held: false,
            source: original.source.clone(),
            memory,
        };
        // The copy is the one to answer now, so the original may go without an answer.
        if matches!(original.asks, Asks::Pending(_)) {
            original.asks = Asks::Answered;
        }
        let message = copy.memory.message();
        if let Asks::Pending(number) = copy.asks
            && let Some(request) = state.requests.get_mut(&number)
        {
            for asked in &mut request.waiting {
                if asked.1 == address {
                    asked.1 = message.addr();
                }
            }
        }
        state.messages.insert(message.addr(), copy);
        Some(message)
    }

    /// Reads what the exec event at an address carries; a wrong address or index is a defect.
    pub(crate) fn exec<T>(
        &self,
        event: usize,
        function: &'static str,
        read: impl FnOnce(&Memory) -> Option<T>,
    ) -> Option<T> {
        let mut state = self.lock();
        let address = event.wrapping_sub(offset_of!(es_message_t, event));
        let found = state.messages.get(&address);
        let found = found.and_then(|message| read(&message.memory));
        if found.is_none() {
            state.defect(Defect::ExecArgument { function });
        }
        found
    }
}
