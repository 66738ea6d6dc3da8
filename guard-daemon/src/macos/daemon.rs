//! The daemon: one process that guards the whole machine.

use super::undo::MachineKeeper;
use super::{control_socket, remove_by_other_process, ring_options};
use crate::log;
use crate::policy_file::{Origin, PolicySource, WrittenPolicy};
use crate::policy_watch::{InForce, PolicyWatch, SharedPolicyWatch};
use crate::{rings, undo};
use anyhow::Result;
use guard_core::agents::IgnoredMarkers;
use guard_core::guard::{Guard, SharedGuard};
use guard_core::policy::Snapshot;
use guard_core::ring::Counter;
use guard_es::processes::{LibProc, all_processes, parent_of};
use guard_es::signals;
use guard_es::{AdoptError, Proof, Scope, Service, Settings, Step};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// A machine to guard, and by which policy.
pub(crate) struct MachineGuard {
    /// Where the policy comes from.
    pub(crate) source: PolicySource,
    /// The policy to begin with.
    pub(crate) policy: WrittenPolicy,
    /// Where that is from.
    pub(crate) origin: Origin,
}

// === impl InForce for Service ===

impl InForce for Service {
    type Error = AdoptError;

    fn guard(&self) -> &Guard {
        Self::guard(self)
    }

    fn adopt(&self, snapshot: Snapshot) -> Result<(), AdoptError> {
        Self::adopt(self, snapshot)
    }
}

/// Guards until a signal asks the daemon to end; the caller has these signals noted. Where the system
/// refuses, it is asked again and again, and the log has what to do.
///
/// # Errors
///
/// When there is nothing to guard with: no valid policy, no memory for a ring.
pub(crate) fn run(machine: MachineGuard) -> Result<()> {
    let paths = machine.source.paths.clone();
    let _log = log::init(&paths.state, &machine.source.session);
    let name = machine.source.session.clone();
    let made_ring = rings::create(&paths, ring_options(&name)?)?;
    let ring = made_ring.producer;
    let snapshot = machine.source.compile(&machine.policy)?;
    let guard: SharedGuard = Arc::new(Guard::new(
        snapshot,
        None,
        ring,
        name.clone().into_bytes(),
        Box::new(LibProc::default()),
        parent_of,
        IgnoredMarkers::default(),
    ));
    let keeper = MachineKeeper::new(&paths, guard.clone());
    let settings = Settings {
        scope: Scope::Machine,
        probe: super::canonical_state(&paths)?.join(format!("self-test-{name}")),
        running: Box::new(all_processes),
        exempt: Vec::new(),
        preservation: keeper.preservation(),
        unreadable: undo::directories(&paths),
    };
    let mut watch = PolicyWatch::new(machine.source, machine.origin).showing(made_ring.protection);
    watch.publish(&guard);
    let watch = SharedPolicyWatch::new(watch);
    let mut control = control_socket(&watch);
    guard.publish_state(guard_report::time::now_ns());
    let attempt = Box::new(remove_by_other_process);
    let mut service = Service::new(Arc::clone(&guard), settings, attempt);
    keeper.start_sweeping()?;
    let mut published = Instant::now();
    let mut due = published;
    let mut reported = String::new();
    while !signals::is_ending() {
        let now = Instant::now();
        // However often somebody connects to the control socket.
        if now >= due {
            due = now + TICK;
            report(service.step(now), &mut reported);
            watch.lock().check(&service);
        }
        if published.elapsed() >= BEAT {
            published = Instant::now();
            guard.publish_state(guard_report::time::now_ns());
            keeper.keep();
        }
        let left = due.saturating_duration_since(Instant::now());
        match &mut control {
            Some(control) => control.turn(&service, left),
            None => thread::sleep(left),
        }
    }
    if let Some(mut control) = control {
        control.end(&service);
    }
    service.stop();
    keeper.end();
    guard.publish_state(guard_report::time::now_ns());
    guard.ring.set(Counter::EnforcementActive, 0);
    guard.ring.finish();
    tracing::info!("asked to end: nothing is guarded any more");
    Ok(())
}

/// Reports a change of state. A system that refuses for the same reason again is not reported again.
fn report(step: Step, reported: &mut String) {
    let text = match step {
        Step::Unchanged => return,
        Step::Active(Proof { lineage: true }) => {
            "active: a denial was requested and took effect, and new processes are reported"
                .to_owned()
        }
        Step::Active(Proof { lineage: false }) => {
            "active: a denial was requested and took effect; new processes are not reported, so each \
             is looked up when it acts"
                .to_owned()
        }
        Step::Refused(error) => {
            let error = anyhow::Error::from(error);
            format!("inactive, nothing is guarded: {error:#}; trying again")
        }
        Step::Unproven(error) => {
            let error = anyhow::Error::from(error);
            format!("inactive, nothing is proven: {error:#}; testing again")
        }
    };
    if text == *reported {
        return;
    }
    tracing::warn!("{text}");
    crate::cli::terminal::note(&text);
    *reported = text;
}

/// How often the policy file is checked.
const TICK: Duration = Duration::from_millis(250);

/// How often the ring's header is brought up to date.
const BEAT: Duration = Duration::from_secs(1);
