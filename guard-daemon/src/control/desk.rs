//! What becomes of an order: requests are taken and shown to everyone, and answered by people.

use super::grants::{Grant, Grants};
use super::notify::{self, Notifier};
use super::peer::{Peer, Standing};
use super::requests::{Requests, Taken, Wish};
use super::wanted;
use crate::policy_file;
use crate::policy_watch::SharedPolicyWatch;
use guard_control::protocol::{Answer, Order, RequestStatus, State};
use guard_core::OperationKind;
use guard_core::guard::{Guard, SharedGuard};
use guard_core::path::is_at_or_below;
use guard_core::policy::{OverrideApproval, POLICY_OPERATIONS};
use guard_core::ring::Lane;
use guard_report::time::{now_ns, rfc3339};
use std::path::PathBuf;

/// The requests and grants of a session.
#[derive(Debug)]
pub(crate) struct Desk {
    session: String,
    home: PathBuf,
    requests: Requests,
    grants: Grants,
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
    pub(crate) fn new(session: &str, home: PathBuf, watch: SharedPolicyWatch) -> Self {
        Self {
            session: session.to_owned(),
            home,
            requests: Requests::new(session),
            grants: Grants::new(watch),
            notifier: Notifier::new(),
        }
    }

    /// Whether any grant is in force.
    pub(super) const fn has_grants(&self) -> bool {
        self.grants.has_any()
    }

    /// Ends the grants whose time has come.
    pub(super) fn tick(&mut self, guard: &SharedGuard) {
        let ended = self.grants.tick(guard, now_ns());
        for (id, uses) in ended.uses {
            self.requests.count_uses(&id, uses);
        }
        for id in ended.over {
            tracing::info!("override of request {id} ended");
            self.requests.end(&id);
        }
    }

    /// Carries out an order.
    pub(super) fn answer(
        &mut self,
        order: Order,
        peer: Peer,
        standing: &Standing,
        guard: &SharedGuard,
    ) -> Answer {
        let only_people = |standing: &Standing| {
            if standing.is_person() {
                Ok(())
            } else {
                Err(standing.refusal())
            }
        };
        let done = match order {
            Order::List => {
                return Answer::Requests {
                    requests: self.requests.all().to_vec(),
                };
            }
            Order::Request { path, op, because } => {
                self.request(&path, op, because, peer, standing, guard)
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
                self.approve(&id, approval, guard)
            }),
            Order::Reject { id, because } => {
                only_people(standing).and_then(|()| self.reject(&id, because, &name_of(standing)))
            }
        };
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
        guard: &SharedGuard,
    ) -> Result<RequestStatus, Refused> {
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
            denials: denials(&path, guard),
            path,
            op,
            because,
            agent: standing.agent().map(str::to_owned),
            pid: peer.pid,
        };
        let taken = self.requests.take(wish, now_ns());
        let Taken { request, is_new } = taken.map_err(|refused| refused.to_string())?;
        if !is_new {
            return Ok(request);
        }
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
            by: "the policy (override_approval is auto)".to_owned(),
            seconds: DEFAULT_SECONDS,
            once: false,
            path: None,
            op: Vec::new(),
        };
        let granted = self.approve(&request.id, approval, guard)?;
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
        guard: &SharedGuard,
    ) -> Result<RequestStatus, Refused> {
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
        self.grants.add(grant, guard)?;
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
        Ok(granted)
    }

    fn reject(
        &mut self,
        id: &str,
        because: Option<String>,
        by: &str,
    ) -> Result<RequestStatus, Refused> {
        let open = self.requests.open(id).map_err(|error| error.to_string())?;
        let rejected = RequestStatus {
            state: State::Rejected,
            answered: Some(rfc3339(now_ns())),
            answered_by: Some(by.to_owned()),
            answer: because,
            ..open.clone()
        };
        tracing::info!("request {id} rejected by {by}");
        self.requests.update(rejected.clone());
        Ok(rejected)
    }
}

/// How often a path, or something below it, was denied, as far as the ring remembers.
fn denials(path: &str, guard: &Guard) -> u64 {
    let mut ring = guard.ring.reader();
    let mut count = 0;
    while let Some(event) = ring.next(Lane::Deny) {
        count += u64::from(is_at_or_below(event.path, path.as_bytes()));
    }
    count
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

/// What is asked for when no operation is named: to remove and to move.
const DEFAULT_OPERATIONS: [OperationKind; 2] = [OperationKind::Unlink, OperationKind::Rename];

/// How long a grant is when nothing else is said.
const DEFAULT_SECONDS: u64 = 600;

/// A day.
const MAX_SECONDS: u64 = 86_400;

/// A reason is read by a person.
const MAX_REASON_BYTES: usize = 1024;
