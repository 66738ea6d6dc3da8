//! The course of an operation through the subsystem: requested, decided, performed, reported.

use std::sync::Arc;

use endpoint_sec_sys::{
    Cacheability, es_auth_result_t, es_event_type_t, es_result_t, es_result_t_result,
    es_result_type_t,
};

use crate::action::{Action, Effect};
use crate::attempt::Attempt;
use crate::cache::{Kept, Key};
use crate::clock::whole_nanos;
use crate::machine::client::{ClientId, Item};
use crate::machine::state::{Asks, Message, Request, Source, State};
use crate::machine::{Machine, Shared};
use crate::memory::message::{Content, Memory, Wanted};
use crate::mute::Subject;
use crate::release::MACOS_27;
use crate::verdict::{Ticket, Verdict};

// === impl Machine ===

impl Machine {
    /// Performs an operation: sends requests to the subscribers of its AUTH type, and once they are
    /// answered, applies it and sends reports to the subscribers of its NOTIFY type. Returns when
    /// the requests are in the queues.
    pub fn perform(&self, action: Action) -> Attempt {
        let ticket = Arc::new(Ticket::default());
        let mut state = self.shared.lock();
        self.shared.expire(&mut state);
        self.shared
            .ask(&mut state, Arc::new(action), ticket.clone());
        drop(state);
        Attempt {
            ticket,
            shared: self.shared.clone(),
        }
    }
}

// === impl Shared ===

impl Shared {
    /// Whether this release has the event type.
    pub(crate) fn knows(&self, event: es_event_type_t) -> bool {
        event
            .info()
            .is_some_and(|info| info.introduced <= self.config.release)
    }

    fn ask(&self, state: &mut State, action: Arc<Action>, ticket: Arc<Ticket>) {
        state.last_request += 1;
        let number = state.last_request;
        let mut request = Request {
            key: key(&action),
            action,
            ticket,
            waiting: Vec::new(),
            denied: false,
            flags: u32::MAX,
            keep: true,
            verdict: Verdict::default(),
        };
        let kept = request.key.as_ref().and_then(|key| state.cache.get(key));
        if let Some(kept) = kept {
            state.report.cache_hits += 1;
            request.verdict.cached = true;
            match kept {
                Kept::Allowed(allowed) => request.denied = !allowed,
                Kept::Flags(flags) => request.flags = flags,
            }
        } else if let Some(event) = request.action.auth {
            self.ask_clients(state, number, event, &mut request);
        }
        if request.waiting.is_empty() {
            self.conclude(state, request);
        } else {
            state.requests.insert(number, request);
        }
    }

    fn ask_clients(
        &self,
        state: &mut State,
        number: u64,
        event: es_event_type_t,
        request: &mut Request,
    ) {
        let now = self.clock.ticks();
        for id in self.audience(state, event, &request.action, true) {
            let deadline = now + self.time_to_answer(state, id, event);
            let wanted = Wanted::Answer(number);
            match self.enqueue(state, id, &request.action, event, wanted, deadline) {
                Some(address) => {
                    request.verdict.asked += 1;
                    request.waiting.push((id, address, deadline));
                    state.deadlines.insert((deadline, number, id));
                }
                None => {
                    request.verdict.dropped += 1;
                    let closed = state.clients.get(&id).is_some_and(|client| {
                        use endpoint_sec_sys::es_deadline_miss_mode_t as Mode;
                        client.miss_mode == Mode::ES_DEADLINE_MISS_MODE_FAIL_CLOSED
                    });
                    request.denied |= closed;
                    request.keep = false;
                }
            }
        }
    }

    /// How long a client has to answer, in ticks.
    fn time_to_answer(&self, state: &State, id: ClientId, event: es_event_type_t) -> u64 {
        let mut nanos = whole_nanos(self.config.deadline);
        if let Some(client) = state.clients.get(&id) {
            let millis = |set: Option<&u32>| set.map(|millis| u64::from(*millis) * 1_000_000);
            nanos = nanos.min(millis(client.deadline_max.get(&event.0)).unwrap_or(u64::MAX));
            nanos = nanos.max(millis(client.deadline_min.get(&event.0)).unwrap_or(0));
        }
        self.clock.timebase().ticks(nanos)
    }

    /// Concludes an operation that waits for no more answers.
    pub(crate) fn conclude(&self, state: &mut State, mut request: Request) {
        let action = request.action.clone();
        let wants = action.flags.unwrap_or(0);
        let permitted = wants & !request.flags == 0;
        let verdict = &mut request.verdict;
        verdict.allowed = !request.denied && permitted;
        if action.flags.is_some() {
            verdict.flags = Some(if request.denied { 0 } else { request.flags });
        }
        if let Some(key) = request.key.take()
            && request.keep
            && verdict.answered > 0
            && verdict.answered == verdict.asked
        {
            let flags = verdict.flags.map(Kept::Flags);
            state
                .cache
                .keep(key, flags.unwrap_or(Kept::Allowed(verdict.allowed)));
        }
        let verdict = *verdict;
        let leaves = matches!(action.effect, Effect::Exit);
        if verdict.allowed && !leaves {
            state.apply(&action);
        }
        let besides = action.reports.as_ref().filter(|_| verdict.allowed);
        for action in besides.into_iter().chain([&action]) {
            self.notify(state, action, verdict);
        }
        if verdict.allowed && leaves {
            state.apply(&action);
        }
        request.ticket.decide(verdict);
    }

    /// Sends the NOTIFY messages of an operation.
    fn notify(&self, state: &mut State, action: &Arc<Action>, verdict: Verdict) {
        let Some(event) = action.notify else {
            return;
        };
        let notify = Wanted::Nothing {
            decided: result(verdict),
            happened: verdict.allowed,
        };
        for id in self.audience(state, event, action, false) {
            self.enqueue(state, id, action, event, notify, 0);
        }
    }

    /// The clients that a message of this type is for.
    fn audience(
        &self,
        state: &State,
        event: es_event_type_t,
        action: &Action,
        asks: bool,
    ) -> Vec<ClientId> {
        if !self.knows(event) && !action.unknown {
            return Vec::new();
        }
        let info = event.info();
        let targets: Vec<&[u8]> = match info {
            Some(info) if info.target_paths == 0 => Vec::new(),
            _ => action.targets.iter().map(AsRef::as_ref).collect(),
        };
        let votes = self.is(MACOS_27) && info.is_some_and(|info| info.has_instigator_role);
        let instigator = action.instigator.as_ref().filter(|_| votes);
        let hears = |(id, client): (&ClientId, &crate::machine::client::Client)| {
            if client.killed || client.closing {
                return None;
            }
            if !client.subscriptions.contains(event.0) && !action.unknown {
                return None;
            }
            let sees = |(pid, _): (u32, u32)| match client.root {
                None => true,
                Some(root) => state.descends(pid, root) || (pid == root && !asks),
            };
            let subject = Subject {
                event: event.0,
                submitter: Some(action.actor.execution()).filter(|process| sees(*process)),
                instigator: instigator
                    .map(crate::Process::execution)
                    .filter(|process| sees(*process)),
                executable: action.actor.0.executable.path(),
                targets: &targets,
            };
            (!client.mutes.suppress(subject)).then_some(*id)
        };
        state.clients.iter().filter_map(hears).collect()
    }

    /// Puts a message into a client's queue and returns its address; nothing if the queue is full
    /// and the message is lost.
    fn enqueue(
        &self,
        state: &mut State,
        id: ClientId,
        action: &Arc<Action>,
        event: es_event_type_t,
        wanted: Wanted,
        deadline: u64,
    ) -> Option<usize> {
        let client = state.clients.get_mut(&id)?;
        let (sequence, global_sequence) = client.next_numbers(event.0);
        if client.queued >= self.config.queue {
            state.report.dropped += 1;
            return None;
        }
        let source = Source {
            action: action.clone(),
            event,
            wanted,
            time: self.clock.wall(),
            mach_time: self.clock.ticks(),
            deadline,
            sequence,
            global_sequence,
        };
        let memory = self.build(&source);
        let address = memory.address();
        client.queue.push_back(Item::Message(address));
        client.queued += 1;
        client.wake.notify_one();
        let asks = match wanted {
            Wanted::Answer(number) => Asks::Pending(number),
            Wanted::Nothing { .. } => Asks::Nothing,
        };
        let message = Message {
            client: id,
            event,
            asks,
            retains: 0,
            held: true,
            source: Arc::new(source),
            memory,
        };
        state.messages.insert(address, message);
        Some(address)
    }

    /// Lays a message out in memory.
    pub(crate) fn build(&self, source: &Source) -> Memory {
        let action = &source.action;
        let done = match source.wanted {
            Wanted::Nothing { happened: true, .. } => action.done.as_ref(),
            _ => None,
        };
        Memory::build(&Content {
            version: self.config.version,
            time: source.time,
            mach_time: source.mach_time,
            deadline: source.deadline,
            process: &action.actor,
            thread: action.thread,
            event: source.event,
            payload: done.unwrap_or(&action.payload),
            action: source.wanted,
            sequence: source.sequence,
            global_sequence: source.global_sequence,
            exec: action.image.as_ref(),
        })
    }
}

/// What the result cache knows an operation by; nothing when it is not cached.
fn key(action: &Action) -> Option<Key> {
    let event = action.auth?;
    let cacheable = event.info()?.cacheability == Some(Cacheability::Cacheable);
    let known = cacheable && !action.cached_by.is_empty();
    known.then(|| Key {
        event,
        executable: action.actor.0.executable.path().to_vec(),
        object: action.cached_by.clone(),
    })
}

/// A verdict as NOTIFY messages report it.
fn result(verdict: Verdict) -> es_result_t {
    // Every byte of the union is set, so that copying it copies initialised bytes.
    let mut result = es_result_t_result { reserved: [0; 32] };
    let result_type = match verdict.flags {
        Some(flags) => {
            result.flags = if verdict.allowed { flags } else { 0 };
            es_result_type_t::ES_RESULT_TYPE_FLAGS
        }
        None => {
            result.auth = if verdict.allowed {
                es_auth_result_t::ES_AUTH_RESULT_ALLOW
            } else {
                es_auth_result_t::ES_AUTH_RESULT_DENY
            };
            es_result_type_t::ES_RESULT_TYPE_AUTH
        }
    };
    es_result_t {
        result_type,
        result,
    }
}
