//! The clients of a guard, and what they are subscribed to.
//!
//! A machine's guard has two. One answers; on macOS 13 and newer its target-path muting is
//! inverted, so that the kernel sends what the [plan](crate::muting) lists and nothing else. Older
//! systems send everything, and the decision finds most of it outside all zones. The other hears of
//! every process's start, program and end. They are two so that a storm of processes does not delay
//! an answer. The kernel queues news of a process before the process can do anything else; should
//! the second client be behind all the same, the first waits a moment for it, and then looks
//! processes up itself.
//!
//! A session's guard has one client, for the descendants of its process, which hears everything in
//! order.
//!
//! The guard's own process is muted: it must never wait for itself.

use crate::enforcement::{Enforcement, wall_ns};
use crate::feed::{LINEAGE, LineageFeed};
use crate::muting::{AdoptError, Applied, ENFORCED, MutePlan, Reach};
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
use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a backend is started with.
pub struct Settings {
    /// Whom it guards.
    pub scope: Scope,
    /// Where the self-test's file is made: a canonical path below one of the guard's own files.
    pub probe: PathBuf,
    /// The process ids in use, to learn who was there before.
    pub running: Box<dyn Fn() -> Vec<u32> + Send>,
    /// Programs of the guard's own, which are not judged: the exporter that a session started, which
    /// is as much this process's descendant as the session's command is.
    pub exempt: Vec<ProcessKey>,
}

/// Whom a backend guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All processes of the machine. Needs root and Full Disk Access.
    Machine,
    /// This process's descendants. macOS 27.
    Descendants,
}

/// Why a backend could not be started. Whatever was started is stopped again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The system refused a client; the message says what to do.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A call on a client failed.
    #[error("the client could not be set up: {0}")]
    Call(#[from] CallError),
    /// The policy's zones could not be covered.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
}

/// Endpoint Security clients that judge for a guard, until they are dropped. Belongs to the thread
/// that started it.
pub struct Backend {
    guard: SharedGuard,
    probe: Arc<Probe>,
    scope: Scope,
    enforcement: RefCell<Enforcer>,
    /// The second client of a machine's guard.
    lineage: Option<Client>,
    /// What of the clients' statistics the ring's header has.
    reported: Cell<ReportedTotals>,
}

/// The client that answers.
struct Enforcer {
    client: Client,
    applied: Applied,
    /// Whether the kernel sends a selection only.
    selects: bool,
    /// Programs that are not judged.
    exempt: Vec<ProcessKey>,
    /// What it answers when the time is over.
    on_deadline: OnDeadline,
}

/// Sums of clients' statistics.
#[derive(Clone, Copy, Debug, Default)]
struct ReportedTotals {
    dropped: u64,
    missed: u64,
    panics: u64,
}

// === impl Settings ===

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
    /// What the answering client does with each message, for whoever runs a client of their own: a
    /// bench, which times it.
    #[doc(hidden)]
    pub fn handler(guard: SharedGuard, probe: PathBuf) -> impl FnMut(Message<'_>) + Send + 'static {
        let mut enforcement =
            Enforcement::new(guard, Arc::new(Probe::at(probe)), false, Vec::new());
        move |message: Message<'_>| enforcement.handle(message)
    }

    /// Starts the clients a guard needs, and learns the processes that are there already. When this
    /// returns, what the guard's policy in force concerns is judged.
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
        // Who was there before the news began. Both may tell of the same process; that does no harm.
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
            settings.exempt.clone(),
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

    /// Puts a snapshot in force. What it needs is covered before, what only the old one needed is
    /// let go of after: when this returns, the policy is in force and complete.
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
        if enforcer.on_deadline != on_deadline {
            // A client's default answer is for life: a second one takes over, then the first ends.
            // What both hear of is judged twice, and alike.
            let exempt = enforcer.exempt.clone();
            let next = Enforcer::start(
                &self.guard,
                &self.probe,
                self.scope,
                &plan,
                on_deadline,
                exempt,
            );
            if let Ok(next) = next {
                self.update_counters_of(&enforcer);
                *enforcer = next;
                self.reported.set(ReportedTotals::default());
            }
        }
        Ok(())
    }

    /// Brings the counters in the ring's header up to date.
    pub fn update_counters(&self) {
        self.update_counters_of(&self.enforcement.borrow());
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
    // The programs that the system mutes are muted because stopping them stops the machine. This
    // client stops nobody, and their children matter as much as others'.
    client.unmute_all_executables()?;
    let _all_are_old = client.subscribe(&LINEAGE)?;
    Ok(client)
}

/// What the kernel is to send for a snapshot on this machine's volumes.
fn plan_of(snapshot: &Snapshot) -> MutePlan {
    let volumes = Volumes::of_this_machine();
    MutePlan::of(snapshot, &|path| {
        let bytes = Path::new(OsStr::from_bytes(path));
        volumes.folding(path) == Folding::Exact || bytes.symlink_metadata().is_ok()
    })
}

/// What a session's client is to hear besides its plan: every new program.
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
        exempt: Vec<ProcessKey>,
    ) -> Result<Self, StartError> {
        let mut enforcement = Enforcement::new(
            Arc::clone(guard),
            Arc::clone(probe),
            scope == Scope::Machine,
            exempt.clone(),
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
            exempt,
            on_deadline,
        };
        enforcer.set_miss_mode()?;
        match enforcer.client.select_targets(&[]) {
            Ok(_nothing_to_restore) => {
                enforcer.selects = true;
                enforcer.widen(scope, plan)?;
            }
            // Before macOS 13 everything comes.
            Err(CallError::NotAvailable { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let mut events = ENFORCED.to_vec();
        if scope == Scope::Descendants {
            events.extend(LINEAGE);
        }
        // What a release does not know cannot happen on it.
        let _unknown = enforcer.client.subscribe(&events)?;
        Ok(enforcer)
    }

    /// On macOS 27 a miss need not be the end of the guard.
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
