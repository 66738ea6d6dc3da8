//! Metrics of rings, and of their guards as the rings' headers describe them.

use super::catalogue::{self, MAX_INFOS, Metric};
use super::registry::{
    Registry, counter, counter_vec, float_counter, gauge, int_gauge, int_gauge_vec,
};
use crate::units::seconds;
use guard_core::ring::{Counter, Lane, Reader};
use guard_report::status::mode_name;
use prometheus::{Gauge, IntCounter, IntGauge, IntGaugeVec};
use std::collections::BTreeSet;

/// Counters of what was read, and gauges of the last [`GuardState`].
#[derive(Clone, Debug)]
pub struct RingMetrics {
    records: [IntCounter; Lane::ALL.len()],
    lost_records: [IntCounter; Lane::ALL.len()],
    lag: [IntGauge; Lane::ALL.len()],
    capacity: [IntGauge; Lane::ALL.len()],
    counters: [IntCounter; COUNTERS.len()],
    delivery_delay: prometheus::Counter,
    longest_delivery_delay: Gauge,
    rejected: IntCounter,
    up: IntGauge,
    live_rings: IntGauge,
    enforcement_active: IntGauge,
    heartbeat: Gauge,
    tracked_processes: IntGauge,
    active_agents: IntGauge,
    zones: IntGauge,
    overrides: IntGauge,
    open_requests: IntGauge,
    oldest_request: Gauge,
    audit_mode: IntGauge,
    policy_ok: IntGauge,
    policy_loaded: Gauge,
    undo_unavailable: IntGauge,
    undo_bytes: IntGauge,
    undo_files: IntGauge,
    undo_limit: IntGauge,
    policy_info: IntGaugeVec,
    build_info: IntGaugeVec,
}

/// The combined state of the live guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardState {
    /// The number of live guards.
    pub live: u64,
    /// Whether each enforces.
    pub enforcing: bool,
    /// Whether each has loaded its current policy file.
    pub policy_ok: bool,
    /// Whether any policy is in audit mode.
    pub audit: bool,
    /// Oldest heartbeat, wall clock nanoseconds: a guard that hangs shows beside one that does not.
    pub heartbeat_ns: u64,
    /// When a policy was last loaded, wall clock nanoseconds.
    pub policy_loaded_ns: u64,
    /// The longest delivery delay of an operation, nanoseconds.
    pub longest_delay_ns: u64,
    /// Processes in lineage tables.
    pub tracked_processes: u64,
    /// Agents alive.
    pub active_agents: u64,
    /// Protected zones.
    pub zones: u64,
    /// Temporary overrides.
    pub overrides: u64,
    /// Requests that wait for a person.
    pub open_requests: u64,
    /// When the oldest of them was made, wall clock nanoseconds; 0 when there is none.
    pub oldest_request_ns: u64,
    /// Whether one that should preserve has no undo store.
    pub undo_unavailable: bool,
    /// Records not read yet, by lane, including those of dead guards.
    pub lag: [u64; Lane::ALL.len()],
    /// Capacity for records, by lane, including that of dead guards; bytes.
    pub capacity: [u64; Lane::ALL.len()],
    /// The live guards' policies and builds.
    pub infos: Infos,
}

/// The info metrics of the live guards; at most [`MAX_INFOS`] of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Infos {
    /// Mode and digest of each policy.
    pub policies: BTreeSet<(&'static str, u64)>,
    /// The guards' versions.
    pub versions: BTreeSet<String>,
}

/// The counters of ring headers that are exported unchanged, summed over all rings ever read. A cursor
/// stores their values by index, so new ones are appended.
const COUNTERS: [(Counter, Metric); 15] = [
    (Counter::Notifications, catalogue::NOTIFICATIONS),
    (Counter::DeadlineMisses, catalogue::DEADLINE_MISSES),
    (
        Counter::KernelEventsDropped,
        catalogue::KERNEL_EVENTS_DROPPED,
    ),
    (Counter::PathsUnresolved, catalogue::UNRESOLVED_PATHS),
    (
        Counter::ProtectedWritesDenied,
        catalogue::PROTECTED_WRITES_DENIED,
    ),
    (Counter::LineageEvictions, catalogue::LINEAGE_EVICTIONS),
    (Counter::PolicyReloads, catalogue::POLICY_RELOADS),
    (
        Counter::PolicyReloadFailures,
        catalogue::POLICY_RELOAD_FAILURES,
    ),
    (Counter::EventsCut, catalogue::EVENTS_CUT),
    (Counter::Panics, catalogue::PANICS),
    (Counter::MalformedTraces, catalogue::MALFORMED_TRACES),
    (
        Counter::UndoEvictedSessions,
        catalogue::UNDO_EVICTED_SESSIONS,
    ),
    (Counter::UndoEvictedBytes, catalogue::UNDO_EVICTED_BYTES),
    (Counter::UndoRestores, catalogue::UNDO_RESTORES),
    (Counter::UndoRestoredFiles, catalogue::UNDO_RESTORED_FILES),
];

// === impl RingMetrics ===

impl RingMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let records = counter_vec(registry, catalogue::RING_RECORDS);
        let lost_records = counter_vec(registry, catalogue::RING_LOST_RECORDS);
        let lag = int_gauge_vec(registry, catalogue::RING_LAG);
        let capacity = int_gauge_vec(registry, catalogue::RING_CAPACITY);
        Self {
            records: Lane::ALL.map(|lane| records.with_label_values(&[lane.as_str()])),
            lost_records: Lane::ALL.map(|lane| lost_records.with_label_values(&[lane.as_str()])),
            lag: Lane::ALL.map(|lane| lag.with_label_values(&[lane.as_str()])),
            capacity: Lane::ALL.map(|lane| capacity.with_label_values(&[lane.as_str()])),
            counters: COUNTERS.map(|(_, metric)| counter(registry, metric)),
            delivery_delay: float_counter(registry, catalogue::DELIVERY_DELAY),
            longest_delivery_delay: gauge(registry, catalogue::LONGEST_DELIVERY_DELAY),
            rejected: counter(registry, catalogue::RING_REJECTED),
            up: int_gauge(registry, catalogue::UP),
            live_rings: int_gauge(registry, catalogue::LIVE_RINGS),
            enforcement_active: int_gauge(registry, catalogue::ENFORCEMENT_ACTIVE),
            heartbeat: gauge(registry, catalogue::HEARTBEAT),
            tracked_processes: int_gauge(registry, catalogue::TRACKED_PROCESSES),
            active_agents: int_gauge(registry, catalogue::ACTIVE_AGENTS),
            zones: int_gauge(registry, catalogue::POLICY_ZONES),
            overrides: int_gauge(registry, catalogue::POLICY_OVERRIDES),
            open_requests: int_gauge(registry, catalogue::OPEN_REQUESTS),
            oldest_request: gauge(registry, catalogue::OLDEST_REQUEST),
            audit_mode: int_gauge(registry, catalogue::POLICY_AUDIT_MODE),
            policy_ok: int_gauge(registry, catalogue::POLICY_LAST_RELOAD_SUCCESSFUL),
            policy_loaded: gauge(registry, catalogue::POLICY_LAST_RELOAD_TIME),
            undo_unavailable: int_gauge(registry, catalogue::UNDO_STORE_UNAVAILABLE),
            undo_bytes: int_gauge(registry, catalogue::UNDO_STORE_BYTES),
            undo_files: int_gauge(registry, catalogue::UNDO_STORE_FILES),
            undo_limit: int_gauge(registry, catalogue::UNDO_STORE_LIMIT),
            policy_info: int_gauge_vec(registry, catalogue::POLICY_INFO),
            build_info: int_gauge_vec(registry, catalogue::DAEMON_BUILD_INFO),
        }
    }

    /// Counts records read.
    pub fn read(&self, lane: Lane, records: u64) {
        self.records[index(lane)].inc_by(records);
    }

    /// Counts records that were overwritten before they were read.
    pub fn lost(&self, lane: Lane, records: u64) {
        self.lost_records[index(lane)].inc_by(records);
    }

    /// Counts a file that is not a ring.
    pub fn rejected(&self) {
        self.rejected.inc();
    }

    /// Adds what the counters of a ring increased by since `counted`, which then holds their values.
    pub fn add_increases(&self, reader: &Reader, counted: &mut Vec<u64>) {
        counted.resize(COUNTERS.len() + 1, 0);
        let delay_ns = reader.counter(Counter::DeliveryDelayNs);
        if let Some(counted) = counted.last_mut() {
            self.delivery_delay
                .inc_by(seconds(delay_ns.saturating_sub(*counted)));
            *counted = delay_ns.max(*counted);
        }
        for (((counter, _), metric), counted) in COUNTERS.iter().zip(&self.counters).zip(counted) {
            let value = reader.counter(*counter);
            metric.inc_by(value.saturating_sub(*counted));
            *counted = value.max(*counted);
        }
    }

    /// Sets the gauges.
    pub fn show(&self, state: &GuardState) {
        let all_and_any = |all: bool| i64::from(all && state.live > 0);
        self.up.set(i64::from(state.live > 0));
        self.live_rings.set(integer(state.live));
        self.enforcement_active.set(all_and_any(state.enforcing));
        self.policy_ok.set(all_and_any(state.policy_ok));
        self.audit_mode.set(i64::from(state.audit));
        self.longest_delivery_delay
            .set(seconds(state.longest_delay_ns));
        self.heartbeat.set(seconds(state.heartbeat_ns));
        self.policy_loaded.set(seconds(state.policy_loaded_ns));
        self.tracked_processes.set(integer(state.tracked_processes));
        self.active_agents.set(integer(state.active_agents));
        self.zones.set(integer(state.zones));
        self.overrides.set(integer(state.overrides));
        self.open_requests.set(integer(state.open_requests));
        self.oldest_request.set(seconds(state.oldest_request_ns));
        self.undo_unavailable.set(i64::from(state.undo_unavailable));
        let by_lane = self.lag.iter().zip(state.lag);
        for (gauge, value) in by_lane.chain(self.capacity.iter().zip(state.capacity)) {
            gauge.set(integer(value));
        }
    }

    /// Sets the gauges of the undo store, which the guards of one user share and which outlives them:
    /// from all rings that are read, those of guards that have just ended among them. Without any, the
    /// last figures stay.
    pub fn show_store<'r>(&self, readers: impl Iterator<Item = &'r Reader> + Clone) {
        let most = |counter| readers.clone().map(|reader| reader.counter(counter)).max();
        let Some(limit @ 1..) = most(Counter::UndoStoreLimitBytes) else {
            return;
        };
        self.undo_limit.set(integer(limit));
        for (gauge, counter) in [
            (&self.undo_bytes, Counter::UndoStoreBytes),
            (&self.undo_files, Counter::UndoStoreFiles),
        ] {
            gauge.set(integer(most(counter).unwrap_or_default()));
        }
    }

    /// Exports the policies and builds of `now`, and removes those of `before` that are gone. Series
    /// that stay are never missing from a scrape.
    pub fn show_infos(&self, before: &Infos, now: &Infos) {
        let policy =
            |&(mode, revision): &(&'static str, u64)| [mode.to_owned(), format!("{revision:016x}")];
        for labels in now.policies.iter().map(policy) {
            self.policy_info.with_label_values(&labels).set(1);
        }
        for version in &now.versions {
            self.build_info.with_label_values(&[version]).set(1);
        }
        // Removing a series that does not exist is not a failure.
        for labels in before.policies.difference(&now.policies).map(policy) {
            drop(self.policy_info.remove_label_values(&labels));
        }
        for version in before.versions.difference(&now.versions) {
            drop(self.build_info.remove_label_values(&[version]));
        }
    }
}

// === impl GuardState ===

impl GuardState {
    /// Adds one ring: the capacity of its lanes in bytes, and its guard's version.
    pub fn add(
        &mut self,
        reader: &Reader,
        capacity: [u64; Lane::ALL.len()],
        version: &str,
        is_live: bool,
    ) {
        for lane in Lane::ALL {
            let lag = &mut self.lag[index(lane)];
            *lag = lag.saturating_add(reader.lag(lane));
        }
        for (capacity, bytes) in self.capacity.iter_mut().zip(capacity) {
            *capacity = capacity.saturating_add(bytes);
        }
        if !is_live {
            return;
        }
        let sum = |total: u64, counter| total.saturating_add(reader.counter(counter));
        self.live += 1;
        self.enforcing &= reader.counter(Counter::EnforcementActive) == 1;
        self.policy_ok &= reader.counter(Counter::PolicyOk) == 1;
        self.audit |= reader.counter(Counter::PolicyAudit) == 1;
        let heartbeat_ns = match reader.heartbeat_ns() {
            // Before its first heartbeat a guard counts from the start of its ring.
            0 => reader.header().created_wall_ns,
            heartbeat_ns => heartbeat_ns,
        };
        self.heartbeat_ns = if self.live == 1 {
            heartbeat_ns
        } else {
            self.heartbeat_ns.min(heartbeat_ns)
        };
        self.policy_loaded_ns = self
            .policy_loaded_ns
            .max(reader.counter(Counter::PolicyLoadedNs));
        self.longest_delay_ns = self
            .longest_delay_ns
            .max(reader.counter(Counter::LongestDeliveryDelayNs));
        self.tracked_processes = sum(self.tracked_processes, Counter::LineageEntries);
        self.active_agents = sum(self.active_agents, Counter::ActiveAgents);
        self.zones = sum(self.zones, Counter::Zones);
        self.overrides = sum(self.overrides, Counter::Overrides);
        self.open_requests = sum(self.open_requests, Counter::OpenRequests);
        let oldest_ns = reader.counter(Counter::OldestRequestNs);
        if oldest_ns > 0 && (self.oldest_request_ns == 0 || oldest_ns < self.oldest_request_ns) {
            self.oldest_request_ns = oldest_ns;
        }
        self.undo_unavailable |= reader.counter(Counter::UndoUnavailable) == 1;
        let Infos { policies, versions } = &mut self.infos;
        if policies.len() < MAX_INFOS {
            let mode = mode_name(reader.counter(Counter::PolicyAudit));
            policies.insert((mode, reader.counter(Counter::PolicyRevision)));
        }
        if versions.len() < MAX_INFOS && !versions.contains(version) {
            versions.insert(version.to_owned());
        }
    }
}

impl Default for GuardState {
    /// No live guard, and nothing wrong.
    fn default() -> Self {
        Self {
            live: 0,
            enforcing: true,
            policy_ok: true,
            audit: false,
            heartbeat_ns: 0,
            policy_loaded_ns: 0,
            longest_delay_ns: 0,
            tracked_processes: 0,
            active_agents: 0,
            zones: 0,
            overrides: 0,
            open_requests: 0,
            oldest_request_ns: 0,
            undo_unavailable: false,
            lag: [0; Lane::ALL.len()],
            capacity: [0; Lane::ALL.len()],
            infos: Infos::default(),
        }
    }
}

const fn index(lane: Lane) -> usize {
    match lane {
        Lane::Deny => 0,
        Lane::Allow => 1,
        Lane::Change => 2,
        Lane::Request => 3,
    }
}

fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
