//! The undo store of a guard: where it is, what it may hold, and how a session uses it.

use guard_core::policy::UndoPolicy;
use guard_report::paths::StatePaths;
use guard_undo::{Bounds, Store, sweep};
use std::time::Duration;

/// The store of the protected user.
pub(crate) fn store(paths: &StatePaths) -> Store {
    Store::at(paths.state.join("undo"))
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

#[cfg(target_os = "linux")]
pub(crate) use session::{Keeper, places_beside};

#[cfg(target_os = "linux")]
mod session {
    use super::{bounds, store};
    use guard_core::guard::{Guard, SharedGuard};
    use guard_core::policy::Snapshot;
    use guard_core::ring::Counter;
    use guard_linux::Preservation;
    use guard_report::paths::StatePaths;
    use guard_undo::journal::{Began, BytePath, SessionKind};
    use guard_undo::{Recorder, Store};
    use std::ffi::CString;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    /// A session's part of the store while the session runs.
    #[derive(Clone, Debug)]
    pub(crate) struct Keeper(Option<Arc<Recorder>>);

    /// Directories beside zones in which the session keeps objects, too; they are made. The guard's
    /// own, like the store.
    pub(crate) fn places_beside(paths: &StatePaths, snapshot: &Snapshot) -> Vec<PathBuf> {
        if !snapshot.undo().enabled {
            return Vec::new();
        }
        let zones = snapshot.zones().map(|zone| BytePath::from(zone.path));
        store(paths).places_beside(&zones.collect::<Vec<_>>())
    }

    // === impl Keeper ===

    impl Keeper {
        /// Begins the session in the store, unless the policy switches undo off.
        pub(crate) fn begin(
            paths: &StatePaths,
            snapshot: &Snapshot,
            session: &str,
            command: &[CString],
        ) -> (Self, Preservation) {
            if !snapshot.undo().enabled {
                return (Self(None), Preservation::Off);
            }
            let store = store(paths);
            let zones = snapshot.zones().map(|zone| BytePath::from(zone.path));
            let words = command.iter().map(|word| word.to_string_lossy());
            let began = Began {
                kind: SessionKind::Agent,
                command: words.collect::<Vec<_>>().join(" "),
                zones: zones.collect(),
                depots: Vec::new(),
            };
            let bounds = bounds(&store, snapshot.undo());
            match Recorder::begin(&store, session, began, bounds, guard_report::time::now_ns()) {
                Ok(recorder) => {
                    let recorder = Arc::new(recorder);
                    (Self(Some(recorder.clone())), Preservation::Active(recorder))
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
                            Ok(swept) => {
                                let ring = &guard.ring;
                                ring.set(Counter::UndoStoreFiles, swept.kept_files);
                                ring.add(Counter::UndoEvictedSessions, swept.evicted);
                                ring.add(Counter::UndoEvictedBytes, swept.evicted_bytes);
                            }
                            Err(error) => tracing::warn!("cannot sweep the undo store: {error}"),
                        }
                        drop(recorder);
                        thread::sleep(SWEEP_INTERVAL);
                    }
                })
                .map(drop)
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

    /// How often the store is brought within its bounds.
    const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
}
