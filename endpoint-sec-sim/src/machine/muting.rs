//! The muting functions.

use endpoint_sec_sys::{
    EVENTS, audit_token_t, es_mute_inversion_type_t, es_mute_inverted_return_t,
    es_mute_path_type_t, es_return_t,
};

use crate::events::EventSet;
use crate::machine::Shared;
use crate::machine::client::{Client, ClientId};
use crate::mute::{Dimension, MutedPath, PathKind};
use crate::process::{Execution, execution};
use crate::release::{MACOS_13, MACOS_27};

/// Whether something is added to a mute set or taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Mute,
    Unmute,
}

/// A row of a list of muted paths.
pub(crate) type PathRow = (es_mute_path_type_t, Vec<u8>, EventSet);

// === impl Shared ===

impl Shared {
    /// `es_mute_process` and its relatives; no events means all of them.
    pub(crate) fn change_process(
        &self,
        id: ClientId,
        token: &audit_token_t,
        events: Option<EventSet>,
        change: Change,
        function: &'static str,
    ) -> es_return_t {
        let key = execution(token);
        let events = events.map_or_else(|| self.all_events(), |events| self.known(events));
        let mut state = self.lock();
        let alive = state.processes.contains_key(&key);
        let below = |root| state.descends(key.0, root);
        let root = state.clients.get(&id).and_then(|client| client.root);
        let within = root.is_none_or(below);
        let limit = self.config.max_muted_processes;
        let Some(client) = state.client(id, function) else {
            return es_return_t::ES_RETURN_ERROR;
        };
        if !within {
            return es_return_t::ES_RETURN_ERROR;
        }
        let processes = &mut client.mutes.processes;
        match change {
            Change::Unmute => processes.remove(&key, events),
            Change::Mute if !alive => {
                // Before 27.0 the call succeeds for a process that has exited, and mutes nothing.
                if self.is(MACOS_27) {
                    return es_return_t::ES_RETURN_ERROR;
                }
            }
            Change::Mute => {
                if !processes.muted.contains_key(&key) && processes.muted.len() >= limit {
                    return es_return_t::ES_RETURN_ERROR;
                }
                processes.add(key, events);
            }
        }
        es_return_t::ES_RETURN_SUCCESS
    }

    /// `es_mute_path` and its relatives; no events means all of them.
    pub(crate) fn change_path(
        &self,
        id: ClientId,
        kind: es_mute_path_type_t,
        path: &[u8],
        events: Option<EventSet>,
        change: Change,
        function: &'static str,
    ) -> es_return_t {
        let mut state = self.lock();
        let Some(client) = state.client(id, function) else {
            return es_return_t::ES_RETURN_ERROR;
        };
        let Some(muted) = muted_path(kind, path) else {
            return es_return_t::ES_RETURN_ERROR;
        };
        let mut events = events.map_or_else(|| self.all_events(), |events| self.known(events));
        let dimension = if is_target(kind) {
            if !self.is(MACOS_13) {
                return es_return_t::ES_RETURN_ERROR;
            }
            let with_targets = EVENTS.iter().filter(|info| info.target_paths > 0);
            let with_targets: EventSet = with_targets.map(|info| info.event_type.0).collect();
            events = events.intersection(with_targets);
            if events.is_empty() {
                return es_return_t::ES_RETURN_ERROR;
            }
            &mut client.mutes.targets
        } else {
            &mut client.mutes.paths
        };
        match change {
            Change::Mute => dimension.add(muted, events),
            Change::Unmute => dimension.remove(&muted, events),
        }
        es_return_t::ES_RETURN_SUCCESS
    }

    /// `es_unmute_all_paths` and `es_unmute_all_target_paths`.
    pub(crate) fn unmute_all(
        &self,
        id: ClientId,
        targets: bool,
        function: &'static str,
    ) -> es_return_t {
        let mut state = self.lock();
        let Some(client) = state.client(id, function) else {
            return es_return_t::ES_RETURN_ERROR;
        };
        let dimension = if targets {
            &mut client.mutes.targets
        } else {
            &mut client.mutes.paths
        };
        dimension.muted.clear();
        es_return_t::ES_RETURN_SUCCESS
    }

    /// `es_invert_muting`.
    pub(crate) fn invert(
        &self,
        id: ClientId,
        kind: es_mute_inversion_type_t,
        function: &'static str,
    ) -> es_return_t {
        let mut state = self.lock();
        let Some(inverted) = state
            .client(id, function)
            .and_then(|client| switch(client, kind))
        else {
            return es_return_t::ES_RETURN_ERROR;
        };
        *inverted = !*inverted;
        es_return_t::ES_RETURN_SUCCESS
    }

    /// `es_muting_inverted`.
    pub(crate) fn inverted(
        &self,
        id: ClientId,
        kind: es_mute_inversion_type_t,
        function: &'static str,
    ) -> es_mute_inverted_return_t {
        let mut state = self.lock();
        match state
            .client(id, function)
            .and_then(|client| switch(client, kind))
        {
            None => es_mute_inverted_return_t::ES_MUTE_INVERTED_ERROR,
            Some(true) => es_mute_inverted_return_t::ES_MUTE_INVERTED,
            Some(false) => es_mute_inverted_return_t::ES_MUTE_NOT_INVERTED,
        }
    }

    /// What a client has muted: paths of executables, then target paths.
    pub(crate) fn muted_paths(&self, id: ClientId, function: &'static str) -> Option<Vec<PathRow>> {
        let mut state = self.lock();
        let client = state.client(id, function)?;
        let mut rows = path_rows(&client.mutes.paths, false);
        rows.extend(path_rows(&client.mutes.targets, true));
        Some(rows)
    }

    /// The processes that a client has muted.
    pub(crate) fn muted_processes(
        &self,
        id: ClientId,
        function: &'static str,
    ) -> Option<Vec<(audit_token_t, EventSet)>> {
        let mut state = self.lock();
        let client = state.client(id, function)?;
        let muted: Vec<(Execution, EventSet)> = client
            .mutes
            .processes
            .muted
            .iter()
            .map(|(key, events)| (*key, *events))
            .collect();
        let token = |(key, events): (Execution, EventSet)| {
            Some((state.processes.get(&key)?.0.token, events))
        };
        Some(muted.into_iter().filter_map(token).collect())
    }

    /// Every event type of this release.
    pub(crate) fn all_events(&self) -> EventSet {
        let known = EVENTS
            .iter()
            .filter(|info| info.introduced <= self.config.release);
        known.map(|info| info.event_type.0).collect()
    }

    /// The event types of a set that this release has; others are ignored.
    fn known(&self, events: EventSet) -> EventSet {
        events.intersection(self.all_events())
    }
}

/// A path as a mute set keeps it; nothing when there is no such kind.
pub(crate) fn muted_path(kind: es_mute_path_type_t, path: &[u8]) -> Option<MutedPath> {
    type T = es_mute_path_type_t;
    let literal = match kind {
        T::ES_MUTE_PATH_TYPE_PREFIX | T::ES_MUTE_PATH_TYPE_TARGET_PREFIX => PathKind::Prefix,
        T::ES_MUTE_PATH_TYPE_LITERAL | T::ES_MUTE_PATH_TYPE_TARGET_LITERAL => PathKind::Literal,
        _ => return None,
    };
    Some(MutedPath {
        kind: literal,
        path: path.to_vec(),
    })
}

fn is_target(kind: es_mute_path_type_t) -> bool {
    kind == es_mute_path_type_t::ES_MUTE_PATH_TYPE_TARGET_PREFIX
        || kind == es_mute_path_type_t::ES_MUTE_PATH_TYPE_TARGET_LITERAL
}

fn switch(client: &mut Client, kind: es_mute_inversion_type_t) -> Option<&mut bool> {
    type T = es_mute_inversion_type_t;
    match kind {
        T::ES_MUTE_INVERSION_TYPE_PROCESS => Some(&mut client.mutes.processes.inverted),
        T::ES_MUTE_INVERSION_TYPE_PATH => Some(&mut client.mutes.paths.inverted),
        T::ES_MUTE_INVERSION_TYPE_TARGET_PATH => Some(&mut client.mutes.targets.inverted),
        _ => None,
    }
}

fn path_rows(dimension: &Dimension<MutedPath>, targets: bool) -> Vec<PathRow> {
    type T = es_mute_path_type_t;
    let kind = |kind| match (kind, targets) {
        (PathKind::Prefix, false) => T::ES_MUTE_PATH_TYPE_PREFIX,
        (PathKind::Literal, false) => T::ES_MUTE_PATH_TYPE_LITERAL,
        (PathKind::Prefix, true) => T::ES_MUTE_PATH_TYPE_TARGET_PREFIX,
        (PathKind::Literal, true) => T::ES_MUTE_PATH_TYPE_TARGET_LITERAL,
    };
    let row =
        |(muted, events): (&MutedPath, &EventSet)| (kind(muted.kind), muted.path.clone(), *events);
    dimension.muted.iter().map(row).collect()
}
