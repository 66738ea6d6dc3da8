//! What becomes of an order: requests are taken and shown to everyone, and answered by people.

use super::grants::{Grant, Grants};
use super::journal::{Cause, Journal, show_open};
use super::notify::{self, Notifier};
use super::peer::Peer;
use super::requests::{Requests, Taken, Wish};
use super::standing::Standing;
use super::wanted::{self, DEFAULT_OPERATIONS, MAX_SECONDS};
use crate::policy_file;
use crate::policy_watch::{InForce, SharedPolicyWatch};
use guard_control::protocol::{Answer, Order, RequestStatus, State};
use guard_core::event::{BY_POLICY, RequestStep};
use guard_core::guard::Guard;
use guard_core::path::is_at_or_below;
use guard_core::policy::{OverrideApproval, POLICY_OPERATIONS};
use guard_report::paths::StatePaths;
use guard_report::time::{now_ns, rfc3339};
use std::path::PathBuf;

/// The requests and grants of a session.
#[derive(Debug)]
pub(crate) struct Desk {
    session: String,
    home: PathBuf,
    requests: Requests,
    grants: Grants,
    journal: Journal,
    notifier: Notifier,
}

/// Who answers a request, and how.
struct Approval {
    by: String,
    seconds: u64,
    once: bool,
    /// What is opened instead of what was asked for.
    path: Option<String>,
    op: Vec<String>,
}

type Refused = String;

// === impl Desk ===

impl Desk {
    /// Of the session that `watch` has the policy of.
    pub(crate) fn new(session: &str, paths: &StatePaths, watch: SharedPolicyWatch) -> Self {
        Self {
            session: session.to_owned(),
            home: paths.home.clone(),
            requests: Requests::new(session),
            grants: Grants::new(watch),
            journal: Journal::default(),
            notifier: Notifier::new(paths.protected),
        }
    }

    /// Whether any grant is in force.
    #[cfg(target_os = "linux")]
    pub(super) const fn has_grants(&self) -> bool {
        self.grants.has_any()
    }

    /// Ends the grants whose time has come.
    pub(super) fn tick(&mut self, backend: &impl InForce) {
        let (now_ns, guard) = (now_ns(), backend.guard());
        let ended = self.grants.tick(backend, now_ns);
        for (id, uses) in ended.uses {
            if let Some(request) = self.requests.count_uses(&id, uses) {
                self.journal
                    .step(RequestStep::Used, &request, guard, now_ns);
            }
        }
        for (id, step) in ended.over {
            tracing::info!("override of request {id} ended: {}", step.as_str());
            if let Some(request) = self.requests.end(&id) {
                self.journal.step(step, &request, guard, now_ns);
            }
        }
    }

    /// The session is over: nobody answers any more, and what was granted ends.
    pub(super) fn end(&mut self, backend: &impl InForce) {
        self.tick(backend);
        let (now_ns, guard) = (now_ns(), backend.guard());
        for request in self.requests.all() {
            let step = match request.state {
                State::Open => RequestStep::Unanswered,
                State::Granted => RequestStep::Expired,
                State::Rejected | State::Ended => continue,
            };
            self.journal.step(step, request, guard, now_ns);
        }
        show_open(&[], guard);
    }

    /// Carries out an order.
    pub(super) fn answer(
        &mut self,
        order: Order,
        peer: Peer,
        standing: &Standing,
        backend: &impl InForce,
    ) -> Answer {
        let guard = backend.guard();
        let only_people = |standing: &Standing| {
            if standing.is_person() {
                Ok(())
            } else {
                Err(standing.refusal())
            }
        };
        let is_list = order == Order::List;
        let done = match order {
            Order::List => {
                return Answer::Requests {
                    requests: self.requests.all().to_vec(),
                };
            }
            Order::Request { path, op, because } => {
                self.request(&path, op, because, peer, standing, backend)
            }
            Order::Approve {
                id,
                seconds,
                once,
                path,
                op,
            } => only_people(standing).and_then(|()| {
                let approval = Approval {
                    by: name_of(standing),
                    seconds: seconds.unwrap_or(DEFAULT_SECONDS),
                    once,
                    path,
                    op,
                };
                self.approve(&id, approval, backend)
            }),
            Order::Reject { id, because } => only_people(standing)
                .and_then(|()| self.reject(&id, because, &name_of(standing), guard)),
        };
        if !is_list {
            show_open(self.requests.all(), guard);
        }
        match done {
            Ok(request) => Answer::Request {
                request: Box::new(request),
            },
            Err(why) => Answer::Refused { why },
        }
    }

    fn request(
        &mut self,
        path: &str,
        op: Vec<String>,
        because: Option<String>,
        peer: Peer,
        standing: &Standing,
        backend: &impl InForce,
    ) -> Result<RequestStatus, Refused> {
        let guard = backend.guard();
        let path = self.located(path, guard)?;
        if because
            .as_ref()
            .is_some_and(|text| text.len() > MAX_REASON_BYTES)
        {
            return Err(format!(
                "the reason is longer than {MAX_REASON_BYTES} bytes"
            ));
        }
        let op = if op.is_empty() {
            DEFAULT_OPERATIONS
                .map(|kind| kind.as_str().to_owned())
                .to_vec()
        } else {
            checked_operations(op)?
        };
        let wish = Wish {
            path,
            op,
            because,
            agent: standing.agent().map(str::to_owned),
            pid: peer.pid,
        };
        let now_ns = now_ns();
        let taken = self.requests.take(wish, now_ns);
        let Taken {
            mut request,
            is_new,
        } = taken.map_err(|refused| refused.to_string())?;
        if !is_new {
            return Ok(request);
        }
        // Only now: what is refused must cost little, however often it is asked.
        let cause = Cause::of(&request.path, peer, guard);
        request.denials = cause.denials;
        self.requests.update(request.clone());
        self.journal.requested(&request, cause, guard, now_ns);
        tracing::info!(
            "request {} of {} for {}",
            request.id,
            request.agent.as_deref().unwrap_or("no agent"),
            request.path
        );
        let snapshot = guard.policy.load();
        let command = snapshot.notify_command();
        if snapshot.override_approval() != OverrideApproval::Auto {
            self.notifier.notify(command, notify::REQUESTED, &request);
            return Ok(request);
        }
        let approval = Approval {
            by: format!("{BY_POLICY} (override_approval is auto)"),
            seconds: DEFAULT_SECONDS,
            once: false,
            path: None,
            op: Vec::new(),
        };
        let granted = self.approve(&request.id, approval, backend)?;
        self.notifier.notify(command, notify::GRANTED, &granted);
        Ok(granted)
    }

    /// The canonical path, if it may be opened.
    fn located(&self, path: &str, guard: &Guard) -> Result<String, Refused> {
        if !path.starts_with('/') {
            return Err(format!("{path} is not an absolute path"));
        }
        let located = policy_file::locate(path.as_bytes()).swap_remove(0);
        let located = String::from_utf8(located)
            .map_err(|_| "a path that is not UTF-8 cannot be opened".to_owned())?;
        let snapshot = guard.policy.load();
        wanted::check(&located, &self.home, &snapshot).map_err(|refused| refused.to_string())?;
        Ok(located)
    }

    fn approve(
        &mut self,
        id: &str,
        approval: Approval,
        backend: &impl InForce,
    ) -> Result<RequestStatus, Refused> {
        let guard = backend.guard();
        let open = self.requests.open(id).map_err(|error| error.to_string())?;
        let open = open.clone();
        if !(1..=MAX_SECONDS).contains(&approval.seconds) {
            return Err(format!("a grant is for 1 to {MAX_SECONDS} seconds"));
        }
        let path = match approval.path {
            None => open.path.clone(),
            Some(wider) => {
                let wider = self.located(&wider, guard)?;
                if !is_at_or_below(open.path.as_bytes(), wider.as_bytes()) {
                    return Err(format!("{wider} is not above {}", open.path));
                }
                wider
            }
        };
        let op = if approval.op.is_empty() {
            open.op.clone()
        } else {
            checked_operations(approval.op)?
        };
        let now_ns = now_ns();
        let expires_at_ns = now_ns.saturating_add(approval.seconds * 1_000_000_000);
        let grant = Grant {
            id: open.id.clone(),
            path: path.clone(),
            op: op.clone(),
            agent: open.agent.clone(),
            session: self.session.clone(),
            expires_at_ns,
            by: approval.by.clone(),
            once: approval.once,
        };
        self.grants.add(grant, backend)?;
        tracing::info!("request {id} granted by {}: {path}", approval.by);
        let granted = RequestStatus {
            state: State::Granted,
            path,
            op,
            answered: Some(rfc3339(now_ns)),
            answered_by: Some(approval.by),
            expires_at: Some(rfc3339(expires_at_ns)),
            once: approval.once,
            ..open
        };
        self.requests.update(granted.clone());
        self.journal
            .step(RequestStep::Granted, &granted, guard, now_ns);
        Ok(granted)
    }

    fn reject(
        &mut self,
        id: &str,
        because: Option<String>,
        by: &str,
        guard: &Guard,
    ) -> Result<RequestStatus, Refused> {
        let open = self.requests.open(id).map_err(|error| error.to_string())?;
        let now_ns = now_ns();
        let rejected = RequestStatus {
            state: State::Rejected,
            answered: Some(rfc3339(now_ns)),
            answered_by: Some(by.to_owned()),
            answer: because,
            ..open.clone()
        };
        tracing::info!("request {id} rejected by {by}");
        self.requests.update(rejected.clone());
        self.journal
            .step(RequestStep::Rejected, &rejected, guard, now_ns);
        Ok(rejected)
    }
}

/// How a person is named in the policy and to the asker.
fn name_of(standing: &Standing) -> String {
    match standing {
        Standing::Person { uid, pid } => format!("user {uid} (pid {pid})"),
        Standing::Agent { .. } | Standing::Unknown { .. } => String::new(),
    }
}

fn checked_operations(names: Vec<String>) -> Result<Vec<String>, Refused> {
    let is_known = |name: &String| POLICY_OPERATIONS.iter().any(|kind| kind.as_str() == name);
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => Err(format!("no override can be for the operation {name}")),
        None => Ok(names),
    }
}

/// How long a grant is when nothing else is said.
const DEFAULT_SECONDS: u64 = 600;

/// A reason is read by a person.
const MAX_REASON_BYTES: usize = 1024;
