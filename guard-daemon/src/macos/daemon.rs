//! The daemon: one process that guards the whole machine.

use super::{remove_by_other_process, ring_options};
use crate::log;
use crate::policy_file::{Origin, PolicySource, WrittenPolicy};
use crate::policy_watch::{InForce, PolicyWatch};
use crate::rings;
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

/// What to guard with.
pub(crate) struct Plan {
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

/// Guards until somebody asks the daemon to end, which the caller has signals noted for. A system that
/// refuses is asked again and again, and the log says what to do.
///
/// # Errors
///
/// When there is nothing to guard with: no policy that makes sense, no memory for a ring.
pub(crate) fn run(plan: Plan) -> Result<()> {
    let paths = plan.source.paths.clone();
    let _log = log::init(&paths.state, &plan.source.session);
    let name = plan.source.session.clone();
    let ring = rings::create(&paths, ring_options(&name)?)?;
    let snapshot = plan.source.compile(&plan.policy)?;
    let guard: SharedGuard = Arc::new(Guard::new(
        snapshot,
        None,
        ring,
        name.clone().into_bytes(),
        Box::new(LibProc::default()),
        parent_of,
        IgnoredMarkers::default(),
    ));
    let settings = Settings {
        scope: Scope::Machine,
        probe: super::canonical_state(&paths)?.join(format!("self-test-{name}")),
        running: Box::new(all_processes),
        exempt: Vec::new(),
    };
    let mut watch = PolicyWatch::new(plan.source, plan.origin);
    watch.publish(&guard);
    guard.publish_state(guard_report::time::now_ns());
    let attempt = Box::new(remove_by_other_process);
    let mut service = Service::new(Arc::clone(&guard), settings, attempt);
    let mut published = Instant::now();
    let mut reported = String::new();
    while !signals::is_ending() {
        report(service.step(Instant::now()), &mut reported);
        watch.check(&service);
        if published.elapsed() >= BEAT {
            published = Instant::now();
            guard.publish_state(guard_report::time::now_ns());
        }
        thread::sleep(TICK);
    }
    service.stop();
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

/// How often the policy file is looked at.
const TICK: Duration = Duration::from_millis(250);

/// How often the ring's header is brought up to date.
const BEAT: Duration = Duration::from_secs(1);
