//! The undo store of a guard: where it is, what it may hold, and how a session uses it.

use guard_core::guard::Guard;
use guard_core::policy::{Snapshot, UndoPolicy};
use guard_core::ring::Counter;
use guard_report::paths::{Account, StatePaths};
use guard_undo::journal::{Began, BytePath, SessionKind};
use guard_undo::store::OpenStoreError;
use guard_undo::sweep::Swept;
use guard_undo::{Bounds, Recorder, Store, sweep};
use std::path::PathBuf;
use std::time::Duration;

/// The store of the protected user: their own, which also lists what root keeps for them, or the one
/// that this process keeps for them as root.
pub(crate) fn store(paths: &StatePaths) -> Store {
    let store = Store::at(paths.state.join(DIRECTORY));
    if let Some(Account { uid, gid }) = paths.protected {
        return store.for_user(uid, gid);
    }
    match store_of_root(paths) {
        Some(other) => store.with_sessions_of(other),
        None => store,
    }
}

/// The directories of all stores of the protected user, as the kernel names them. Agents may not even
/// read there.
#[cfg(target_os = "macos")]
pub(crate) fn directories(paths: &StatePaths) -> Vec<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt as _;
    let own = [&paths.state, &paths.exporter].map(|dir| dir.join(DIRECTORY));
    let mut found: Vec<_> = own
        .into_iter()
        .chain(store_of_root(paths))
        .flat_map(|dir| crate::policy_file::locate(dir.as_os_str().as_bytes()))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Where root keeps what it preserves for this user. Agents must not touch it.
pub(crate) fn store_of_root(paths: &StatePaths) -> Option<PathBuf> {
    Some(paths.state_of_root()?.join(DIRECTORY))
}

/// The policy's bounds; what it leaves open depends on the store's disk.
pub(crate) fn bounds(store: &Store, policy: UndoPolicy) -> Bounds {
    let usual = Bounds::for_disk(sweep::disk_bytes(store).unwrap_or(0));
    let days = |days: u32| Duration::from_secs(u64::from(days) * 24 * 3600);
    Bounds {
        max_bytes: policy.max_bytes.unwrap_or(usual.max_bytes),
        max_copy: policy.max_copy.unwrap_or(usual.max_copy),
        keep: policy.keep_days.map_or(usual.keep, days),
        min_free_percent: policy.min_free.unwrap_or(usual.min_free_percent),
    }
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) use session::Keeper;
#[cfg(target_os = "linux")]
pub(crate) use session::places_beside;

/// Begins an agent's session of this name, under this policy.
pub(crate) fn begin(
    store: &Store,
    snapshot: &Snapshot,
    name: &str,
    command: String,
    at_ns: u64,
) -> Result<Recorder, OpenStoreError> {
    let began = Began {
        kind: SessionKind::Agent,
        command,
        zones: zones_of(snapshot),
        depots: Vec::new(),
    };
    Recorder::begin(store, name, began, bounds(store, snapshot.undo()), at_ns)
}

fn zones_of(snapshot: &Snapshot) -> Vec<BytePath> {
    let zones = snapshot.zones().map(|zone| BytePath::from(zone.path));
    zones.collect()
}

/// Puts a sweep's figures into the ring's header, where the exporter reads them.
pub(crate) fn publish_swept(guard: &Guard, swept: &Swept) {
    let ring = &guard.ring;
    ring.set(Counter::UndoStoreFiles, swept.kept_files);
    ring.add(Counter::UndoEvictedSessions, swept.evicted);
    ring.add(Counter::UndoEvictedBytes, swept.evicted_bytes);
}

/// The store's directory in a guard's own.
const DIRECTORY: &str = "undo";

/// How often the store is brought within its bounds.
pub(crate) const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod session {
    use super::{SWEEP_INTERVAL, begin, bounds, publish_swept, store};
    #[cfg(target_os = "linux")]
    use super::{Store, zones_of};
    use guard_core::guard::{Guard, SharedGuard};
    use guard_core::policy::Snapshot;
    use guard_core::ring::Counter;
    #[cfg(target_os = "linux")]
    use guard_linux::supervisor::Housekeeping;
    use guard_report::paths::StatePaths;
    use guard_undo::{Preservation, Recorder};
    #[cfg(target_os = "linux")]
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::thread;

    /// A session's part of the store while the session runs.
    #[derive(Clone, Debug)]
    pub(crate) struct Keeper(Option<Arc<Recorder>>);

    /// Directories beside zones in which the session keeps objects, too; they are made. The guard's
    /// own, like the store.
    #[cfg(target_os = "linux")]
    pub(crate) fn places_beside(paths: &StatePaths, snapshot: &Snapshot) -> Vec<PathBuf> {
        if !snapshot.undo().enabled {
            return Vec::new();
        }
        store(paths).places_beside(&zones_of(snapshot))
    }

    // === impl Keeper ===

    impl Keeper {
        /// Begins the session in the store, unless the policy switches undo off.
        pub(crate) fn begin(
            paths: &StatePaths,
            snapshot: &Snapshot,
            session: &str,
            command: String,
        ) -> (Self, Preservation) {
            if !snapshot.undo().enabled {
                return (Self(None), Preservation::Off);
            }
            let store = store(paths);
            let now_ns = guard_report::time::now_ns();
            match begin(&store, snapshot, session, command, now_ns) {
                Ok(recorder) => {
                    let recorder = Arc::new(recorder);
                    (
                        Self(Some(recorder.clone())),
                        Preservation::Session(recorder),
                    )
                }
                Err(error) => {
                    let error = anyhow::Error::new(error);
                    let message = format!(
                        "nothing can be preserved, so that what must be is denied: {error:#}; \
                         \"undo\": false in the policy switches it off"
                    );
                    tracing::warn!("{message}");
                    crate::cli::terminal::warn(&message);
                    (Self(None), Preservation::Unavailable)
                }
            }
        }

        /// The store, if the session preserves anything.
        #[cfg(target_os = "linux")]
        pub(crate) fn store(&self) -> Option<&Store> {
            self.0.as_deref().map(Recorder::store)
        }

        /// Starts the thread that keeps the store within its bounds. No call waits for it.
        /// Its figures are in the ring's header, where the exporter reads them.
        pub(crate) fn start_sweeping(&self, guard: SharedGuard) -> std::io::Result<()> {
            let Some(recorder) = self.0.as_ref().map(Arc::downgrade) else {
                return Ok(());
            };
            thread::Builder::new()
                .name("guard-sweeper".into())
                .spawn(move || {
                    while let Some(recorder) = recorder.upgrade() {
                        match recorder.sweep(guard_report::time::now_ns()) {
                            Ok(swept) => publish_swept(&guard, &swept),
                            Err(error) => tracing::warn!("cannot sweep the undo store: {error}"),
                        }
                        drop(recorder);
                        thread::sleep(SWEEP_INTERVAL);
                    }
                })
                .map(drop)
        }

        /// Sees who wrote the files that agents opened for writing, and which of them they still have
        /// open.
        #[cfg(target_os = "linux")]
        pub(crate) fn follow_writers(&self, housekeeping: &Housekeeping) {
            housekeeping.note_writes();
            if let Some(recorder) = &self.0 {
                recorder.follow_writers(|| housekeeping.open_for_writing());
            }
        }

        /// Writes down what is not yet, follows the policy's bounds, and publishes how full the store
        /// is.
        pub(crate) fn keep(&self, guard: &Guard) {
            if let Some(recorder) = &self.0 {
                recorder.flush();
                let bounds = bounds(recorder.store(), guard.policy.load().undo());
                recorder.set_bounds(bounds);
                let ring = &guard.ring;
                ring.set(Counter::UndoStoreBytes, recorder.used_bytes());
                ring.set(Counter::UndoStoreLimitBytes, bounds.max_bytes);
            }
        }

        /// Ends the session.
        pub(crate) fn end(&self) {
            if let Some(recorder) = &self.0
                && let Err(error) = recorder.end(guard_report::time::now_ns())
            {
                let error = anyhow::Error::new(error);
                tracing::warn!("ending the undo journal: {error:#}");
            }
        }
    }
}
