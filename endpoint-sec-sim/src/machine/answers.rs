//! Answers of clients, and what happens without one.

use endpoint_sec_sys::{Response, es_auth_result_t, es_deadline_miss_mode_t, es_respond_result_t};

use crate::machine::Shared;
use crate::machine::client::ClientId;
use crate::machine::state::{Asks, State};
use crate::report::Defect;

/// An answer as a client gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Auth(es_auth_result_t),
    Flags(u32),
}

// === impl Shared ===

impl Shared {
    /// `es_respond_auth_result` and `es_respond_flags_result`.
    pub(crate) fn respond(
        &self,
        id: ClientId,
        address: usize,
        answer: Answer,
        cache: bool,
    ) -> es_respond_result_t {
        type R = es_respond_result_t;
        let function = answer.function();
        let mut state = self.lock();
        self.expire(&mut state);
        if state.client(id, function).is_none() {
            return R::ES_RESPOND_RESULT_ERR_INVALID_ARGUMENT;
        }
        if address == 0 {
            state.defect(Defect::NullArgument { function });
            return R::ES_RESPOND_RESULT_ERR_INVALID_ARGUMENT;
        }
        let Some(message) = state.messages.get_mut(&address) else {
            state.defect(Defect::DeadMessage { function });
            return R::ES_RESPOND_RESULT_NOT_FOUND;
        };
        if message.client != id {
            return R::ES_RESPOND_RESULT_NOT_FOUND;
        }
        let number = match message.asks {
            Asks::Nothing => return R::ES_RESPOND_RESULT_ERR_EVENT_TYPE,
            _ if !answer.fits(message.event) => return R::ES_RESPOND_RESULT_ERR_EVENT_TYPE,
            Asks::Answered => return R::ES_RESPOND_RESULT_ERR_DUPLICATE_RESPONSE,
            Asks::Expired => return R::ES_RESPOND_RESULT_NOT_FOUND,
            Asks::Pending(number) => number,
        };
        if !answer.valid() {
            return R::ES_RESPOND_RESULT_ERR_INVALID_ARGUMENT;
        }
        message.asks = Asks::Answered;
        if let Some(request) = state.requests.get_mut(&number) {
            match answer {
                Answer::Auth(result) => {
                    request.denied |= result == es_auth_result_t::ES_AUTH_RESULT_DENY;
                }
                Answer::Flags(flags) => request.flags &= flags,
            }
            request.keep &= cache;
            request.verdict.answered += 1;
        }
        self.heard(&mut state, number, id);
        R::ES_RESPOND_RESULT_SUCCESS
    }

    /// Handles every deadline that has passed.
    pub(crate) fn expire_due(&self) {
        self.expire(&mut self.lock());
    }

    pub(crate) fn expire(&self, state: &mut State) {
        let now = self.clock.ticks();
        while let Some((deadline, number, id)) = state.deadlines.first().copied()
            && deadline <= now
        {
            state.report.deadlines_missed += 1;
            let mode = state.clients.get(&id).map(|client| client.miss_mode);
            let Some(request) = state.requests.get_mut(&number) else {
                state.deadlines.pop_first();
                continue;
            };
            request.verdict.missed += 1;
            request.keep = false;
            match mode {
                Some(es_deadline_miss_mode_t::ES_DEADLINE_MISS_MODE_FAIL_CLOSED) => {
                    request.denied = true;
                    self.give_up(state, number, id);
                }
                Some(es_deadline_miss_mode_t::ES_DEADLINE_MISS_MODE_FAIL_OPEN) | None => {
                    self.give_up(state, number, id);
                }
                // The client's process is killed, with every client it has.
                Some(_) => self.kill(state),
            }
        }
    }

    /// Removes a client from an operation that it will no longer answer, as if it allowed it.
    fn give_up(&self, state: &mut State, number: u64, id: ClientId) {
        let request = state.requests.get(&number);
        let asked = request.and_then(|request| request.waiting.iter().find(|asked| asked.0 == id));
        if let Some(message) = asked.and_then(|asked| state.messages.get_mut(&asked.1)) {
            message.asks = Asks::Expired;
        }
        self.heard(state, number, id);
    }

    /// Removes a client from every operation: it is dead or being deleted.
    pub(crate) fn give_up_all(&self, state: &mut State, id: ClientId) {
        let asked = state
            .deadlines
            .iter()
            .filter(|(_, _, client)| *client == id);
        let numbers: Vec<u64> = asked.map(|(_, number, _)| *number).collect();
        for number in numbers {
            if let Some(request) = state.requests.get_mut(&number) {
                request.keep = false;
            }
            self.give_up(state, number, id);
        }
    }

    /// Nothing more is expected of this client on this operation.
    fn heard(&self, state: &mut State, number: u64, id: ClientId) {
        let Some(request) = state.requests.get_mut(&number) else {
            return;
        };
        request.waiting.retain(|(client, _, deadline)| {
            let gone = *client == id;
            if gone {
                state.deadlines.remove(&(*deadline, number, id));
            }
            !gone
        });
        if request.waiting.is_empty()
            && let Some(request) = state.requests.remove(&number)
        {
            self.conclude(state, request);
        }
    }
}

// === impl Answer ===

impl Answer {
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Auth(_) => "es_respond_auth_result",
            Self::Flags(_) => "es_respond_flags_result",
        }
    }

    /// Whether this is the right function for the event type. Types that the table does not know
    /// are answered like most.
    fn fits(self, event: endpoint_sec_sys::es_event_type_t) -> bool {
        let response = event.info().and_then(|info| info.response);
        matches!(self, Self::Flags(_)) == (response == Some(Response::Flags))
    }

    fn valid(self) -> bool {
        match self {
            Self::Auth(result) => {
                result == es_auth_result_t::ES_AUTH_RESULT_ALLOW
                    || result == es_auth_result_t::ES_AUTH_RESULT_DENY
            }
            Self::Flags(_) => true,
        }
    }
}
