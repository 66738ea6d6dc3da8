//! Creation and deletion of clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use endpoint_sec_sys::{es_mute_path_type_t, es_new_client_result_t, es_return_t};

use crate::events::EventSet;
use crate::machine::Shared;
use crate::machine::client::{Client, ClientId, Item};
use crate::machine::muting::muted_path;
use crate::machine::state::State;
use crate::memory::handler::Handler;
use crate::mute::Mutes;
use crate::release::MACOS_27;
use crate::report::Defect;

/// What a client may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The whole machine.
    Everything,
    /// The calling process and what it starts.
    Descendants,
}

/// Handles are multiples of 16, like addresses, and never the same twice.
static LAST_CLIENT: AtomicUsize = AtomicUsize::new(0);

// === impl Shared ===

impl Shared {
    /// `es_new_client` and `es_new_descendants_client`, after the arguments were checked.
    pub(crate) fn new_client(
        self: &Arc<Self>,
        handler: Handler,
        scope: Scope,
    ) -> Result<ClientId, es_new_client_result_t> {
        let mut state = self.lock();
        self.admits(&state, scope)?;
        state.cache.clear();
        let id = (LAST_CLIENT.fetch_add(1, Ordering::Relaxed) + 1) * 16;
        let root = (scope == Scope::Descendants).then_some(self.me);
        let client = Client::new(thread::current().id(), self.default_mutes(), root);
        state.clients.insert(id, client);
        drop(state);
        let shared = self.clone();
        let reader = thread::Builder::new().name("BBReaderQueue".into());
        let started = reader.spawn(move || shared.deliver(id, handler));
        if started.is_err() {
            self.lock().clients.remove(&id);
            return Err(es_new_client_result_t::ES_NEW_CLIENT_RESULT_ERR_INTERNAL);
        }
        Ok(id)
    }

    /// The order of the checks is not documented; this one is assumed.
    fn admits(&self, state: &State, scope: Scope) -> Result<(), es_new_client_result_t> {
        type R = es_new_client_result_t;
        let everything = scope == Scope::Everything;
        let living = state.clients.values().filter(|client| !client.killed);
        let checks = [
            (self.config.subsystem, R::ES_NEW_CLIENT_RESULT_ERR_INTERNAL),
            (
                self.config.entitled,
                R::ES_NEW_CLIENT_RESULT_ERR_NOT_ENTITLED,
            ),
            (
                self.config.root || !everything,
                R::ES_NEW_CLIENT_RESULT_ERR_NOT_PRIVILEGED,
            ),
            (
                self.config.full_disk_access || !everything,
                R::ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED,
            ),
            (
                living.count() < self.config.max_clients,
                R::ES_NEW_CLIENT_RESULT_ERR_TOO_MANY_CLIENTS,
            ),
        ];
        match checks.into_iter().find(|(passed, _)| !passed) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    fn default_mutes(&self) -> Mutes {
        let mut mutes = Mutes::default();
        for (kind, path, events) in &self.config.default_mutes {
            let events: EventSet = events.iter().map(|event| event.0).collect();
            let targets = *kind == es_mute_path_type_t::ES_MUTE_PATH_TYPE_TARGET_PREFIX
                || *kind == es_mute_path_type_t::ES_MUTE_PATH_TYPE_TARGET_LITERAL;
            let dimension = if targets {
                &mut mutes.targets
            } else {
                &mut mutes.paths
            };
            if let Some(path) = muted_path(*kind, path) {
                dimension.add(path, events);
            }
        }
        mutes
    }

    /// `es_delete_client`.
    pub(crate) fn delete_client(&self, id: ClientId) -> es_return_t {
        if id == 0 {
            return es_return_t::ES_RETURN_SUCCESS;
        }
        let mut state = self.lock();
        let Some(client) = state.clients.get(&id).filter(|client| !client.closing) else {
            let function = "es_delete_client";
            state.defect(Defect::DeadClient { function });
            return es_return_t::ES_RETURN_ERROR;
        };
        if client.is_reader() {
            state.defect(Defect::DeletedFromHandler);
            return es_return_t::ES_RETURN_ERROR;
        }
        if client.creator != thread::current().id() && !self.is(MACOS_27) {
            state.defect(Defect::DeletedFromOtherThread);
        }
        self.close(&mut state, id);
        drop(state);
        self.wait_until_gone(id, LONG);
        es_return_t::ES_RETURN_SUCCESS
    }

    /// Stops a client: nothing more is delivered, and what it did not answer is allowed.
    fn close(&self, state: &mut State, id: ClientId) {
        self.drop_queue(state, id);
        self.give_up_all(state, id);
        if let Some(client) = state.clients.get_mut(&id) {
            client.closing = true;
            client.wake.notify_all();
        }
    }

    /// Kills the program under test: all its clients.
    pub(crate) fn kill(&self, state: &mut State) {
        let living = state.clients.iter().filter(|(_, client)| !client.killed);
        let ids: Vec<ClientId> = living.map(|(id, _)| *id).collect();
        for id in &ids {
            if let Some(client) = state.clients.get_mut(id) {
                client.killed = true;
                state.report.killed_clients += 1;
            }
        }
        for id in ids {
            self.drop_queue(state, id);
            self.give_up_all(state, id);
        }
    }

    /// Frees the messages that a client will not get; blocks stay, and run.
    fn drop_queue(&self, state: &mut State, id: ClientId) {
        let Some(client) = state.clients.get_mut(&id) else {
            return;
        };
        let queue = std::mem::take(&mut client.queue);
        client.queued = 0;
        let mut addresses = Vec::new();
        for item in queue {
            match item {
                Item::Message(address) => addresses.push(address),
                Item::Sync(block) => client.queue.push_back(Item::Sync(block)),
            }
        }
        self.give_up_all(state, id);
        for address in addresses {
            state.free(address);
        }
    }

    /// Waits until a client's thread has ended. False if it has not within this time.
    fn wait_until_gone(&self, id: ClientId, patience: Duration) -> bool {
        let waited = self
            .quiet
            .wait_timeout_while(self.lock(), patience, |state| {
                state.clients.contains_key(&id)
            });
        let waited = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        !waited.1.timed_out()
    }

    /// Switches the machine off: what is left over is reported.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        let ids: Vec<ClientId> = state.clients.keys().copied().collect();
        for id in &ids {
            let alive = state.clients.get(id).is_some_and(|client| !client.killed);
            if alive {
                state.defect(Defect::LeakedClient);
            }
            self.close(&mut state, *id);
        }
        drop(state);
        for id in ids {
            if !self.wait_until_gone(id, SHORT) {
                self.lock().defect(Defect::StuckHandler);
            }
        }
        self.lock().report_leaks();
    }
}

/// How long `es_delete_client` waits for a running handler: a deadlock shows as a test that fails.
const LONG: Duration = Duration::from_secs(60);

/// How long a machine that is switched off waits for a running handler.
const SHORT: Duration = Duration::from_secs(10);
