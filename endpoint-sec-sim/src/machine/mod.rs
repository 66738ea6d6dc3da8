//! A simulated Mac: its release, its processes and files, and the Endpoint Security subsystem.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use endpoint_sec_sys::OsVersion;

use crate::clock::{Clock, Timebase, whole_nanos};
use crate::file::File;
use crate::machine::config::Config;
use crate::machine::state::State;
use crate::process::{Facts, Process, word};
use crate::report::{Defect, Report};

pub(crate) mod answers;
mod builder;
pub(crate) mod client;
pub(crate) mod clients;
mod config;
mod creations;
mod delivery;
mod files;
mod flow;
pub(crate) mod messages;
pub(crate) mod muting;
pub(crate) mod operations;
mod processes;
pub(crate) mod settings;
pub(crate) mod state;

pub use builder::MachineBuilder;
pub use processes::ProcessBuilder;

/// A simulated Mac. Cheap to clone: clones are the same machine.
#[derive(Clone)]
pub struct Machine {
    pub(crate) shared: Arc<Shared>,
    me: Process,
    launchd: Process,
}

/// A machine that the C functions of this process act on, until it is dropped.
///
/// Only one machine is installed at a time: tests that run in parallel wait for each other here.
/// Dropping it switches the machine off and fails the test if there is a defect that was not
/// [acknowledged](Machine::acknowledge).
#[must_use = "the machine is switched off when this is dropped"]
pub struct Installed {
    machine: Machine,
    _turn: MutexGuard<'static, ()>,
}

/// What a machine and the C functions share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) state: Mutex<State>,
    /// Notified when a handler returns or a client is deleted.
    pub(crate) quiet: Condvar,
    /// The process that the C functions are called by.
    pub(crate) me: u32,
    /// The processes that samples are about: a target and an instigator.
    pub(crate) samples: OnceLock<(Process, Process)>,
}

/// The machine that the C functions act on.
static CURRENT: RwLock<Option<Arc<Shared>>> = RwLock::new(None);

/// Held while a machine is installed.
static TURN: Mutex<()> = Mutex::new(());

/// The machine that is installed.
pub(crate) fn current() -> Option<Arc<Shared>> {
    CURRENT
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

// === impl Machine ===

impl Machine {
    pub(crate) fn assemble(config: Config, timebase: Timebase, clock_runs: bool) -> Self {
        let clock = Clock::new(timebase, clock_runs);
        let mut state = State {
            last_pid: FIRST_PID,
            last_pidversion: FIRST_PID * 2,
            ..State::default()
        };
        let mut facts = Facts::of(File::regular("/sbin/launchd"));
        facts.ppid = 0;
        facts.original_ppid = 0;
        facts.token.val[word::PID] = 1;
        facts.token.val[word::PIDVERSION] = 1;
        facts.token.val[word::AUID] = u32::MAX;
        facts.token.val[word::ASID] = 100_000;
        facts.responsible = facts.token;
        let launchd = Process(Arc::new(facts));
        state.admit(&launchd);

        let mut facts = Facts::of(File::regular(CALLER));
        facts.inherit(&launchd.0);
        (
            facts.token.val[word::PID],
            facts.token.val[word::PIDVERSION],
        ) = state.next_execution();
        if !config.root {
            facts.token.val[word::EUID] = 501;
            facts.token.val[word::RUID] = 501;
        }
        facts.es_client = config.entitled;
        facts.responsible = facts.token;
        let me = Process(Arc::new(facts));
        state.admit(&me);

        Self {
            shared: Arc::new(Shared {
                config,
                clock,
                state: Mutex::new(state),
                quiet: Condvar::new(),
                me: me.execution().0,
                samples: OnceLock::new(),
            }),
            me,
            launchd,
        }
    }

    /// Makes this the machine that the C functions act on; waits until no other is.
    pub fn install(self) -> Installed {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = Some(self.shared.clone());
        Installed {
            machine: self,
            _turn: turn,
        }
    }

    /// The release of the machine.
    #[must_use]
    pub fn release(&self) -> OsVersion {
        self.shared.config.release
    }

    /// The process that calls the C functions: the program under test.
    #[must_use]
    pub fn me(&self) -> &Process {
        &self.me
    }

    /// The first process.
    #[must_use]
    pub fn launchd(&self) -> &Process {
        &self.launchd
    }

    /// Moves the clock, and with it every deadline in between.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
        self.shared.expire_due();
    }

    /// Now, in mach ticks.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.shared.clock.ticks()
    }

    /// Mach ticks in a duration.
    #[must_use]
    pub fn ticks(&self, duration: Duration) -> u64 {
        self.shared.clock.timebase().ticks(whole_nanos(duration))
    }

    /// Keeps messages in the queues until [`resume`](Self::resume), so that a test can fill them.
    pub fn hold(&self) {
        self.shared.lock().held = true;
    }

    /// Lets delivery go on.
    pub fn resume(&self) {
        let mut state = self.shared.lock();
        state.held = false;
        for client in state.clients.values() {
            client.wake.notify_all();
        }
    }

    /// Waits until every queue is empty and no handler runs.
    ///
    /// # Panics
    ///
    /// When that takes more than a minute of the host's time.
    pub fn settle(&self) {
        let busy = |state: &mut State| {
            let mut clients = state.clients.values();
            clients.any(|client| client.handling || !client.queue.is_empty())
        };
        let state = self.shared.lock();
        let waited = self
            .shared
            .quiet
            .wait_timeout_while(state, Duration::from_secs(60), busy);
        let waited = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.1.timed_out(), "a handler does not return");
    }

    /// What happened so far.
    #[must_use]
    pub fn report(&self) -> Report {
        let state = self.shared.lock();
        Report {
            live_messages: state.messages.len(),
            ..state.report.clone()
        }
    }

    /// Takes the mistakes that were made so far, so that they do not fail the test when the machine
    /// is dropped.
    pub fn acknowledge(&self) -> Vec<Defect> {
        std::mem::take(&mut self.shared.lock().report.defects)
    }

    /// How many clients exist.
    #[must_use]
    pub fn clients(&self) -> usize {
        let state = self.shared.lock();
        state
            .clients
            .values()
            .filter(|client| !client.killed)
            .count()
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("release", &self.release())
            .field("report", &self.report())
            .finish_non_exhaustive()
    }
}

// === impl Installed ===

impl Installed {
    /// Switches the machine off and says what happened, without failing the test.
    pub fn shut_down(self) -> Report {
        self.machine.shared.shut_down();
        let report = self.machine.report();
        self.machine.acknowledge();
        report
    }
}

impl Deref for Installed {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        self.machine.shared.shut_down();
        *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = None;
        let defects = self.machine.acknowledge();
        if !std::thread::panicking() {
            let list: Vec<String> = defects.iter().map(ToString::to_string).collect();
            assert!(list.is_empty(), "the client did wrong: {}", list.join("; "));
        }
    }
}

impl fmt::Debug for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.machine.fmt(f)
    }
}

// === impl Shared ===

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Microseconds since 1970.
    pub(crate) fn micros(&self) -> i64 {
        self.clock.wall().as_micros().try_into().unwrap_or(i64::MAX)
    }

    /// Whether the release is at least this one.
    pub(crate) fn is(&self, release: OsVersion) -> bool {
        self.config.release >= release
    }
}

/// Process ids begin above those that a freshly booted system has given out.
const FIRST_PID: u32 = 400;

/// The file that the program under test is executed from.
const CALLER: &str = "/Applications/Guard.app/Contents/MacOS/guard";
