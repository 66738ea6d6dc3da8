//! The clients of a guard, and what they are subscribed to.
//!
//! A guard of a whole machine has two clients. The enforcement client answers. On macOS 13 and
//! newer its target-path muting is inverted, so that the kernel sends only what the
//! [plan](crate::muting) lists; older systems send everything, and the decision finds most of it
//! outside all zones. The lineage client receives every fork, exec and exit. Two clients, so that a
//! burst of new processes does not delay an answer. The kernel queues the fork of a process before
//! the process runs. If the lineage client has not handled it yet, the enforcement client waits a
//! moment, and then reads the process table.
//!
//! A guard of one session has a single client for the descendants of its process, which receives
//! all of it in order.
//!
//! The guard's own process is muted: it must never wait for itself.

use crate::enforcement::{Enforcement, EnforcementRules, wall_ns};
use crate::feed::{LINEAGE, LineageFeed};
use crate::muting::{AdoptError, Applied, ENFORCED, MutePlan, Reach};
use crate::open_cache::OpenCache;
use crate::probe::Probe;
use crate::volumes::Volumes;
use endpoint_sec::{
    Answer, CallError, Client, DeadlineMissMode, EventType, Handle, Message, StartError as Refused,
    Statistics,
};
use guard_core::guard::{Guard, SharedGuard};
use guard_core::policy::{OnDeadline, Snapshot};
use guard_core::process::ProcessKey;
use guard_core::ring::Counter;
use guard_core::zones::Folding;
use guard_undo::Preservation;
use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a backend is started.
pub struct Settings {
    /// Which processes it guards.
    pub scope: Scope,
    /// Where the self-test makes its file: a canonical path below one of the guard's own files.
    pub probe: PathBuf,
    /// Lists the process ids in use, so that the processes that run already are known.
    pub running: Box<dyn Fn() -> Vec<u32> + Send>,
    /// The guard's own programs, whose operations are always allowed: the exporter that a session
    /// started is as much this process's descendant as the session's command is.
    pub exempt: Vec<ProcessKey>,
    /// Where what agents take is preserved.
    pub preservation: Preservation,
    /// Canonical paths of directories, among the guard's own files, that agents may not even read:
    /// the undo stores.
    pub unreadable: Vec<Vec<u8>>,
}

/// Which processes a backend guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All processes of the machine. Needs root and Full Disk Access.
    Machine,
    /// This process's descendants. macOS 27.
    Descendants,
}

/// Why a backend could not be started. What was started before the error is stopped again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The system refused a client; the message says what to do.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A call on a client failed.
    #[error("the Endpoint Security client could not be set up")]
    Call(#[from] CallError),
    /// The policy's zones could not be covered.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
}

/// The running clients of a guard, until it is dropped. Bound to the thread that started it.
pub struct Backend {
    guard: SharedGuard,
    probe: Arc<Probe>,
    scope: Scope,
    enforcement: RefCell<Enforcer>,
    /// The second client of a machine's guard.
    lineage: Option<Client>,
    /// The statistics that were already added to the ring's counters.
    reported: Cell<ReportedTotals>,
}

/// The client that answers.
struct Enforcer {
    client: Client,
    applied: Applied,
    /// Whether muting is inverted, so that the kernel sends only what is listed.
    selects: bool,
    rules: EnforcementRules,
    /// What the kernel may have cached.
    cache: Arc<OpenCache>,
    /// How often the cache is still to be cleared of stale answers.
    clears_due: u8,
    /// What it answers when the deadline is near.
    on_deadline: OnDeadline,
}

/// Sums of the clients' statistics.
#[derive(Clone, Copy, Debug, Default)]
struct ReportedTotals {
    dropped: u64,
    missed: u64,
    panics: u64,
}

// === impl Settings ===

impl Settings {
    fn rules(&self) -> EnforcementRules {
        EnforcementRules {
            exempt: self.exempt.clone(),
            preservation: self.preservation.clone(),
            unreadable: self.unreadable.clone(),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("scope", &self.scope)
            .field("probe", &self.probe)
            .finish_non_exhaustive()
    }
}

// === impl Backend ===

impl Backend {
    /// The handler of the enforcement client, for benches and tests that run a client of their own.
    #[doc(hidden)]
    pub fn handler(
        guard: SharedGuard,
        probe: PathBuf,
        preservation: Preservation,
    ) -> impl FnMut(Message<'_>) + Send + 'static {
        let probe = Arc::new(Probe::at(probe));
        let rules = EnforcementRules {
            preservation,
            ..EnforcementRules::default()
        };
        let mut enforcement = Enforcement::new(guard, probe, false, rules, Arc::default());
        move |message: Message<'_>| enforcement.handle(message)
    }

    /// Starts the clients, and reads which processes run already. When this returns, the policy is
    /// enforced.
    ///
    /// # Errors
    ///
    /// [`StartError`], with what to do about it.
    pub fn start(guard: SharedGuard, settings: &Settings) -> Result<Self, StartError> {
        let probe = Arc::new(Probe::at(settings.probe.clone()));
        let lineage = match settings.scope {
            Scope::Machine => Some(start_lineage(&guard, &probe)?),
            Scope::Descendants => None,
        };
        // Processes that started before the lineage client did. One that started in between is
        // reported twice, which does no harm.
        for pid in (settings.running)() {
            guard.learn(pid, wall_ns());
        }
        let snapshot = guard.policy.load();
        let plan = plan_of(&snapshot);
        let enforcer = Enforcer::start(
            &guard,
            &probe,
            settings.scope,
            &plan,
            snapshot.on_deadline(),
            settings.rules(),
        )?;
        drop(snapshot);
        Ok(Self {
            guard,
            probe,
            scope: settings.scope,
            enforcement: RefCell::new(enforcer),
            lineage,
            reported: Cell::default(),
        })
    }

    /// Puts a snapshot in force. Paths that it adds are selected before, paths that it drops are
    /// deselected after, so that at no time anything is uncovered.
    ///
    /// # Errors
    ///
    /// [`AdoptError`] when something new cannot be covered. The old policy is in force then.
    pub fn adopt(&self, snapshot: Snapshot) -> Result<(), AdoptError> {
        let plan = plan_of(&snapshot);
        let mut enforcer = self.enforcement.borrow_mut();
        enforcer.widen(self.scope, &plan)?;
        let on_deadline = snapshot.on_deadline();
        self.guard.adopt(snapshot);
        enforcer.narrow(self.scope, &plan);
        enforcer.forget_cached();
        if enforcer.on_deadline != on_deadline {
            // The default answer of a client cannot be changed: a second client is started before
            // the first is closed. What both receive is decided twice, with the same result.
            let rules = enforcer.rules.clone();
            let next = Enforcer::start(
                &self.guard,
                &self.probe,
                self.scope,
                &plan,
                on_deadline,
                rules,
            );
            if let Ok(next) = next {
                self.update_counters_of(&enforcer);
                *enforcer = next;
                self.reported.set(ReportedTotals::default());
            }
        }
        Ok(())
    }

    /// Adds what the clients counted since the last call to the counters in the ring's header.
    pub fn update_counters(&self) {
        self.update_counters_of(&self.enforcement.borrow());
    }

    /// Clears the kernel's cache of stale answers, as far as that is still to be done. For the thread of the backend, a few times a second.
    pub fn keep_house(&self) {
        self.enforcement.borrow_mut().clear_cache();
    }

    /// The self-test's file.
    #[must_use]
    pub fn probe(&self) -> &Probe {
        &self.probe
    }

    /// The guard that decides.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    fn update_counters_of(&self, enforcer: &Enforcer) {
        let answering = enforcer.client.statistics();
        let lineage = self.lineage.as_deref().map(Handle::statistics);
        let now =
            ReportedTotals::of(answering).plus(lineage.map(ReportedTotals::of).unwrap_or_default());
        let before = self.reported.replace(now);
        let ring = &self.guard.ring;
        let add = |counter, now: u64, before| ring.add(counter, now.saturating_sub(before));
        add(Counter::KernelEventsDropped, now.dropped, before.dropped);
        add(Counter::DeadlineMisses, now.missed, before.missed);
        add(Counter::Panics, now.panics, before.panics);
    }
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

fn start_lineage(guard: &SharedGuard, probe: &Arc<Probe>) -> Result<Client, StartError> {
    let mut feed = LineageFeed::new(Arc::clone(guard), Arc::clone(probe));
    let client = Client::builder()
        .start(move |message: Message<'_>| feed.record(&message.view(), wall_ns()))?;
    // The system mutes programs by default because blocking them can hang the machine. This client
    // blocks nothing, and needs to see their children too.
    client.unmute_all_executables()?;
    let _all_are_old = client.subscribe(&LINEAGE)?;
    Ok(client)
}

/// The mute plan of a snapshot on this machine's volumes.
fn plan_of(snapshot: &Snapshot) -> MutePlan {
    let volumes = Volumes::of_this_machine();
    MutePlan::of(snapshot, &|path| {
        let bytes = Path::new(OsStr::from_bytes(path));
        volumes.folding(path) == Folding::Exact || bytes.symlink_metadata().is_ok()
    })
}

/// What a session's client receives besides its plan: every exec.
fn unconditional(scope: Scope) -> Vec<((Vec<u8>, Reach), EventType)> {
    match scope {
        Scope::Machine => Vec::new(),
        Scope::Descendants => vec![((b"/".to_vec(), Reach::Prefix), EventType::NOTIFY_EXEC)],
    }
}

// === impl Enforcer ===

impl Enforcer {
    fn start(
        guard: &SharedGuard,
        probe: &Arc<Probe>,
        scope: Scope,
        plan: &MutePlan,
        on_deadline: OnDeadline,
        rules: EnforcementRules,
    ) -> Result<Self, StartError> {
        let cache = Arc::<OpenCache>::default();
        let mut enforcement = Enforcement::new(
            Arc::clone(guard),
            Arc::clone(probe),
            scope == Scope::Machine,
            rules.clone(),
            Arc::clone(&cache),
        );
        let builder = Client::builder().default_answer(match on_deadline {
            OnDeadline::Allow => Answer::Allow,
            OnDeadline::Deny => Answer::Deny,
        });
        let client = match scope {
            Scope::Machine => {
                builder.start(move |message: Message<'_>| enforcement.handle(message))
            }
            Scope::Descendants => {
                let mut feed = LineageFeed::new(Arc::clone(guard), Arc::clone(probe));
                builder.descendants().start(move |message: Message<'_>| {
                    if LINEAGE.contains(&message.view().event_type()) {
                        feed.record(&message.view(), wall_ns());
                    } else {
                        enforcement.handle(message);
                    }
                })
            }
        }?;
        if scope == Scope::Machine {
            client.mute_self()?;
        }
        let mut enforcer = Self {
            client,
            applied: Applied::default(),
            selects: false,
            rules,
            cache,
            clears_due: 0,
            on_deadline,
        };
        enforcer.set_miss_mode()?;
        match enforcer.client.select_targets(&[]) {
            Ok(_nothing_to_restore) => {
                enforcer.selects = true;
                enforcer.widen(scope, plan)?;
            }
            // Before macOS 13 nothing can be selected: the kernel sends everything.
            Err(CallError::NotAvailable { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let mut events = ENFORCED.to_vec();
        if scope == Scope::Descendants {
            events.extend(LINEAGE);
        }
        // Event types that the release does not know cannot occur on it.
        let _unknown = enforcer.client.subscribe(&events)?;
        Ok(enforcer)
    }

    /// From macOS 27 on, a missed deadline need not kill the guard.
    fn set_miss_mode(&self) -> Result<(), CallError> {
        let mode = match self.on_deadline {
            OnDeadline::Allow => DeadlineMissMode::FailOpen,
            OnDeadline::Deny => DeadlineMissMode::FailClosed,
        };
        match self.client.set_deadline_miss_mode(mode) {
            Err(CallError::NotAvailable { .. }) => Ok(()),
            done => done,
        }
    }

    fn widen(&mut self, scope: Scope, plan: &MutePlan) -> Result<(), AdoptError> {
        if self.selects {
            self.applied
                .widen(&self.client, plan, &unconditional(scope))?;
        }
        Ok(())
    }

    /// Another policy is in force: what the kernel has cached by the old one must not be used.
    /// It is cleared once more later, for an answer that is on its way.
    fn forget_cached(&mut self) {
        if self.cache.take_use() {
            self.clears_due = 2;
        }
        self.clear_cache();
    }

    fn clear_cache(&mut self) {
        if self.cache.take_stale() {
            self.clears_due = self.clears_due.max(1);
        }
        // The system refuses a client that clears too often; then the next attempt does it.
        if self.clears_due > 0 && self.client.clear_cache().is_ok() {
            self.clears_due -= 1;
        }
    }

    fn narrow(&mut self, scope: Scope, plan: &MutePlan) {
        if self.selects {
            self.applied
                .narrow(&self.client, plan, &unconditional(scope));
        }
    }
}

// === impl ReportedTotals ===

impl ReportedTotals {
    fn of(statistics: Statistics) -> Self {
        Self {
            dropped: statistics.dropped,
            missed: statistics.deadline_answers,
            panics: statistics.panics,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            dropped: self.dropped + other.dropped,
            missed: self.missed + other.missed,
            panics: self.panics + other.panics,
        }
    }
}
