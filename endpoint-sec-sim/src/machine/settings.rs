//! Subscriptions, the cache, deadlines and synchronisation.

use endpoint_sec_sys::{
    EventKind, es_clear_cache_result_t, es_deadline_miss_mode_t, es_event_type_t, es_return_t,
};

use crate::clock::whole_nanos;
use crate::machine::Shared;
use crate::machine::client::{ClientId, Item};
use crate::memory::handler::SyncBlock;
use crate::release::MACOS_26_4;
use crate::report::Defect;

// === impl Shared ===

impl Shared {
    /// `es_subscribe`.
    pub(crate) fn subscribe(&self, id: ClientId, events: &[es_event_type_t]) -> es_return_t {
        let mut state = self.lock();
        let beyond = events.iter().find(|event| !self.knows(**event));
        if let Some(event) = beyond
            && self.config.release < MACOS_26_4
        {
            let (event, release) = (*event, self.config.release);
            state.defect(Defect::KernelPanic { event, release });
            return es_return_t::ES_RETURN_ERROR;
        }
        let Some(client) = state.client(id, "es_subscribe") else {
            return es_return_t::ES_RETURN_ERROR;
        };
        let ordinary = client.root.is_none();
        if events.iter().any(|event| refused(*event, ordinary)) {
            return es_return_t::ES_RETURN_ERROR;
        }
        for event in events.iter().filter(|event| self.knows(**event)) {
            client.subscriptions.insert(event.0);
        }
        es_return_t::ES_RETURN_SUCCESS
    }

    /// `es_unsubscribe`, and without events `es_unsubscribe_all`.
    pub(crate) fn unsubscribe(
        &self,
        id: ClientId,
        events: Option<&[es_event_type_t]>,
        function: &'static str,
    ) -> es_return_t {
        let mut state = self.lock();
        let Some(client) = state.client(id, function) else {
            return es_return_t::ES_RETURN_ERROR;
        };
        let gone = match events {
            Some(events) => events.iter().map(|event| event.0).collect(),
            None => client.subscriptions,
        };
        client.subscriptions = client.subscriptions.without(gone);
        es_return_t::ES_RETURN_SUCCESS
    }

    /// `es_subscriptions`.
    pub(crate) fn subscriptions(&self, id: ClientId) -> Option<Vec<es_event_type_t>> {
        let mut state = self.lock();
        let client = state.client(id, "es_subscriptions")?;
        Some(client.subscriptions.iter().map(es_event_type_t).collect())
    }

    /// `es_clear_cache`.
    pub(crate) fn clear_cache(&self, id: ClientId) -> es_clear_cache_result_t {
        let function = "es_clear_cache";
        let mut state = self.lock();
        let Some(client) = state.client(id, function) else {
            return es_clear_cache_result_t::ES_CLEAR_CACHE_RESULT_ERR_INTERNAL;
        };
        if client.is_reader() {
            state.defect(Defect::BlockingCallInHandler { function });
        }
        let (times, within) = self.config.clear_cache_limit;
        let now = self.clock.nanos();
        if state.cache.clear_throttled(now, times, whole_nanos(within)) {
            es_clear_cache_result_t::ES_CLEAR_CACHE_RESULT_SUCCESS
        } else {
            es_clear_cache_result_t::ES_CLEAR_CACHE_RESULT_ERR_THROTTLE
        }
    }

    /// `es_sync_client`: the block runs after everything that is in the queue now.
    pub(crate) fn sync(&self, id: ClientId, block: SyncBlock) -> es_return_t {
        let function = "es_sync_client";
        if id == 0 {
            block.run();
            return es_return_t::ES_RETURN_SUCCESS;
        }
        let mut state = self.lock();
        let Some(client) = state.client(id, function) else {
            return es_return_t::ES_RETURN_ERROR;
        };
        if client.is_reader() {
            state.defect(Defect::BlockingCallInHandler { function });
            return es_return_t::ES_RETURN_ERROR;
        }
        client.queue.push_back(Item::Sync(block));
        client.wake.notify_all();
        es_return_t::ES_RETURN_SUCCESS
    }

    /// `es_set_deadline_miss_mode`.
    pub(crate) fn set_miss_mode(&self, id: ClientId, mode: es_deadline_miss_mode_t) -> es_return_t {
        let mut state = self.lock();
        let Some(client) = state.client(id, "es_set_deadline_miss_mode") else {
            return es_return_t::ES_RETURN_ERROR;
        };
        if mode.0 > es_deadline_miss_mode_t::ES_DEADLINE_MISS_MODE_FAIL_OPEN.0 {
            return es_return_t::ES_RETURN_ERROR;
        }
        client.miss_mode = mode;
        es_return_t::ES_RETURN_SUCCESS
    }

    /// `es_get_deadline_miss_mode`.
    pub(crate) fn miss_mode(&self, id: ClientId) -> Option<es_deadline_miss_mode_t> {
        let mut state = self.lock();
        let client = state.client(id, "es_get_deadline_miss_mode")?;
        Some(client.miss_mode)
    }

    /// `es_set_deadline_max_milliseconds`: may only lower what the system gives, and takes the
    /// minimum along.
    pub(crate) fn set_deadline_max(
        &self,
        id: ClientId,
        events: &[es_event_type_t],
        millis: u32,
    ) -> es_return_t {
        let mut state = self.lock();
        let Some(client) = state.client(id, "es_set_deadline_max_milliseconds") else {
            return es_return_t::ES_RETURN_ERROR;
        };
        if millis > self.system_deadline() || !events.iter().all(|event| self.asks(*event)) {
            return es_return_t::ES_RETURN_ERROR;
        }
        for event in events {
            client.deadline_max.insert(event.0, millis);
            if let Some(min) = client.deadline_min.get_mut(&event.0) {
                *min = (*min).min(millis);
            }
        }
        es_return_t::ES_RETURN_SUCCESS
    }

    /// `es_get_deadline_max_milliseconds`.
    pub(crate) fn deadline_max(&self, id: ClientId, event: es_event_type_t) -> Option<u32> {
        let mut state = self.lock();
        let client = state.client(id, "es_get_deadline_max_milliseconds")?;
        let set = client.deadline_max.get(&event.0).copied();
        self.asks(event)
            .then(|| set.unwrap_or_else(|| self.system_deadline()))
    }

    /// `es_set_deadline_min_milliseconds`: descendants clients only, may raise what the system
    /// gives, and takes the maximum along.
    pub(crate) fn set_deadline_min(
        &self,
        id: ClientId,
        events: &[es_event_type_t],
        millis: u32,
    ) -> es_return_t {
        let default = self.system_deadline();
        let mut state = self.lock();
        let Some(client) = state.client(id, "es_set_deadline_min_milliseconds") else {
            return es_return_t::ES_RETURN_ERROR;
        };
        let fits = |event: &es_event_type_t| self.asks(*event) && !is_bootstrap(*event);
        if client.root.is_none() || !events.iter().all(fits) {
            return es_return_t::ES_RETURN_ERROR;
        }
        for event in events {
            client.deadline_min.insert(event.0, millis);
            let max = client.deadline_max.entry(event.0).or_insert(default);
            *max = (*max).max(millis);
        }
        es_return_t::ES_RETURN_SUCCESS
    }

    /// `es_get_deadline_min_milliseconds`.
    pub(crate) fn deadline_min(&self, id: ClientId, event: es_event_type_t) -> Option<u32> {
        let mut state = self.lock();
        let client = state.client(id, "es_get_deadline_min_milliseconds")?;
        let set = client.deadline_min.get(&event.0).copied().unwrap_or(0);
        (client.root.is_some() && self.asks(event)).then_some(set)
    }

    /// The system's time to answer, in milliseconds.
    fn system_deadline(&self) -> u32 {
        let millis = self.config.deadline.as_millis();
        millis.try_into().unwrap_or(u32::MAX)
    }

    /// Whether messages of a type may want an answer.
    fn asks(&self, event: es_event_type_t) -> bool {
        let notify = event
            .info()
            .is_none_or(|info| info.kind == EventKind::Notify);
        self.knows(event) && !notify
    }
}

/// Event types that a client does not get: the first three reserved ones want a private
/// entitlement, and `AUTH_BOOTSTRAP_LOOK_UP` is for descendants clients.
fn refused(event: es_event_type_t, ordinary: bool) -> bool {
    type E = es_event_type_t;
    matches!(
        event,
        E::ES_EVENT_TYPE_RESERVED_0 | E::ES_EVENT_TYPE_RESERVED_1 | E::ES_EVENT_TYPE_RESERVED_2
    ) || (ordinary && event == E::ES_EVENT_TYPE_AUTH_BOOTSTRAP_LOOK_UP)
}

fn is_bootstrap(event: es_event_type_t) -> bool {
    event == es_event_type_t::ES_EVENT_TYPE_AUTH_BOOTSTRAP_CHECK_IN
        || event == es_event_type_t::ES_EVENT_TYPE_AUTH_BOOTSTRAP_LOOK_UP
}
