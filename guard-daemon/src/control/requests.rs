//! The requests of a session: those that are open, and what became of the latest.
//!
//! Bounded: [`MAX_OPEN`] at a time, [`MAX_IN_A_MINUTE`], one for each path. Times are passed in.

use guard_control::protocol::{RequestStatus, State};
use guard_report::time::rfc3339;
use std::collections::VecDeque;

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The path, canonical.
    pub(super) path: String,
    /// The operations.
    pub(super) op: Vec<String>,
    /// Why, in the asker's words.
    pub(super) because: Option<String>,
    /// The agent that asks.
    pub(super) agent: Option<String>,
    /// The asking process.
    pub(super) pid: u32,
}

/// The requests of one session.
#[derive(Debug)]
pub(super) struct Requests {
    session: String,
    /// The oldest first.
    remembered: Vec<RequestStatus>,
    /// When the latest were made, wall clock nanoseconds.
    made: VecDeque<u64>,
    next: u64,
}

/// A request that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// The request.
    pub(super) request: RequestStatus,
    /// Whether nobody asked for the same before.
    pub(super) is_new: bool,
}

/// Why a request was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RefusedRequest {
    /// Too many wait for an answer.
    #[error("{MAX_OPEN} requests wait for an answer already")]
    TooMany,
    /// Too many were made.
    #[error("{MAX_IN_A_MINUTE} requests were made within a minute; wait for an answer")]
    TooFast,
    /// A person said no.
    #[error("request {id} for this path was rejected{}", .because.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Rejected {
        /// The earlier request.
        id: String,
        /// What the person said.
        because: Option<String>,
    },
}

/// Why a request cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AnswerRequestError {
    /// There is none of this id.
    #[error("there is no request {0}")]
    Unknown(String),
    /// It was answered.
    #[error("request {id} is {} already", state.as_str())]
    Answered {
        /// Its id.
        id: String,
        /// What became of it.
        state: State,
    },
}

// === impl Requests ===

impl Requests {
    pub(super) fn new(session: &str) -> Self {
        Self {
            session: session.to_owned(),
            remembered: Vec::new(),
            made: VecDeque::new(),
            next: 1,
        }
    }

    /// All that are remembered, the oldest first.
    pub(super) fn all(&self) -> &[RequestStatus] {
        &self.remembered
    }

    /// Takes a request. One that is open for the same path, or granted, is the answer to a second.
    pub(super) fn take(&mut self, wish: Wish, now_ns: u64) -> Result<Taken, RefusedRequest> {
        let known = |request: &RequestStatus| {
            Ok(Taken {
                request: request.clone(),
                is_new: false,
            })
        };
        let mut same = self.remembered.iter().rev();
        let same = same.find(|request| request.path == wish.path);
        match same.map(|request| (request, request.state)) {
            Some((request, State::Rejected)) => {
                return Err(RefusedRequest::Rejected {
                    id: request.id.clone(),
                    because: request.answer.clone(),
                });
            }
            Some((request, State::Open)) => return known(request),
            Some((request, State::Granted)) if wish.op.iter().all(|op| request.op.contains(op)) => {
                return known(request);
            }
            _ => {}
        }
        let open = |request: &&RequestStatus| request.state == State::Open;
        if self.remembered.iter().filter(open).count() >= MAX_OPEN {
            return Err(RefusedRequest::TooMany);
        }
        let since = now_ns.saturating_sub(MINUTE_NS);
        while self.made.front().is_some_and(|&made| made < since) {
            self.made.pop_front();
        }
        if self.made.len() >= MAX_IN_A_MINUTE {
            return Err(RefusedRequest::TooFast);
        }
        self.made.push_back(now_ns);
        self.forget_oldest();
        let short = self.session.get(..SHORT_SESSION).unwrap_or(&self.session);
        let request = RequestStatus {
            id: format!("{short}-{}", self.next),
            state: State::Open,
            path: wish.path,
            op: wish.op,
            because: wish.because,
            agent: wish.agent,
            pid: wish.pid,
            session: self.session.clone(),
            asked: rfc3339(now_ns),
            answered: None,
            answered_by: None,
            answer: None,
            expires_at: None,
            once: false,
            uses: 0,
            denials: 0,
        };
        self.next += 1;
        self.remembered.push(request.clone());
        Ok(Taken {
            request,
            is_new: true,
        })
    }

    /// A request that waits for its answer.
    pub(super) fn open(&self, id: &str) -> Result<&RequestStatus, AnswerRequestError> {
        let found = self.remembered.iter().find(|request| request.id == id);
        let found = found.ok_or_else(|| AnswerRequestError::Unknown(id.to_owned()))?;
        if found.state == State::Open {
            Ok(found)
        } else {
            Err(AnswerRequestError::Answered {
                id: id.to_owned(),
                state: found.state,
            })
        }
    }

    /// Puts a request in its new state.
    pub(super) fn update(&mut self, changed: RequestStatus) {
        if let Some(found) = self.find_mut(&changed.id) {
            *found = changed;
        }
    }

    /// Counts uses of a grant, and returns it.
    pub(super) fn count_uses(&mut self, id: &str, uses: u64) -> Option<RequestStatus> {
        let found = self.find_mut(id)?;
        found.uses += uses;
        Some(found.clone())
    }

    /// A grant is over, and is returned.
    pub(super) fn end(&mut self, id: &str) -> Option<RequestStatus> {
        let found = self.find_mut(id)?;
        found.state = State::Ended;
        Some(found.clone())
    }

    fn find_mut(&mut self, id: &str) -> Option<&mut RequestStatus> {
        let mut all = self.remembered.iter_mut();
        all.find(|request| request.id == id)
    }

    /// Forgets the oldest that nobody waits for, when there are too many.
    fn forget_oldest(&mut self) {
        if self.remembered.len() < MAX_REMEMBERED {
            return;
        }
        let is_over =
            |request: &RequestStatus| !matches!(request.state, State::Open | State::Granted);
        if let Some(oldest) = self.remembered.iter().position(is_over) {
            self.remembered.remove(oldest);
        }
    }
}

/// Requests that wait for an answer at most.
pub(super) const MAX_OPEN: usize = 8;

/// Requests that are taken within a minute at most.
pub(super) const MAX_IN_A_MINUTE: usize = 6;

/// Requests remembered, answered ones too.
const MAX_REMEMBERED: usize = 64;

const MINUTE_NS: u64 = 60_000_000_000;

/// What an id has of its session.
const SHORT_SESSION: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(path: &str) -> Wish {
        Wish {
            path: path.to_owned(),
            op: vec!["unlink".to_owned()],
            because: None,
            agent: Some("codex".to_owned()),
            pid: 7,
        }
    }

    fn answered(requests: &mut Requests, id: &str, state: State) {
        let open = requests.open(id).unwrap().clone();
        requests.update(RequestStatus { state, ..open });
    }

    #[test]
    fn a_path_is_asked_for_once() {
        let mut requests = Requests::new("0011223344556677");
        let first = requests.take(wish("/p/a"), 0).unwrap();
        assert!(first.is_new);
        let first = first.request;
        assert_eq!(first.id, "001122-1");
        let again = requests.take(wish("/p/a"), 1).unwrap();
        assert_eq!((again.request, again.is_new), (first, false));
        answered(&mut requests, "001122-1", State::Rejected);
        assert_eq!(
            requests.take(wish("/p/a"), 2).unwrap_err().to_string(),
            "request 001122-1 for this path was rejected"
        );
        assert_eq!(
            requests.take(wish("/p/b"), 2).unwrap().request.id,
            "001122-2"
        );
        answered(&mut requests, "001122-2", State::Granted);
        assert_eq!(
            requests.take(wish("/p/b"), 3).unwrap().request.id,
            "001122-2"
        );
        let moved = Wish {
            op: vec!["rename".to_owned()],
            ..wish("/p/b")
        };
        assert_eq!(
            requests.take(moved, 3).unwrap().request.id,
            "001122-3",
            "more than was granted"
        );
        requests.end("001122-3");
        assert_eq!(
            requests.take(wish("/p/b"), 3).unwrap().request.id,
            "001122-4",
            "that ended"
        );
    }

    #[test]
    fn requests_are_bounded_in_number_and_rate() {
        let mut requests = Requests::new("s");
        let mut now_ns = 0;
        for number in 0..MAX_IN_A_MINUTE {
            requests
                .take(wish(&format!("/p/{number}")), now_ns)
                .unwrap();
        }
        assert_eq!(
            requests.take(wish("/p/x"), now_ns),
            Err(RefusedRequest::TooFast)
        );
        now_ns += MINUTE_NS + 1;
        requests.take(wish("/p/x"), now_ns).unwrap();
        requests.take(wish("/p/y"), now_ns).unwrap();
        assert_eq!(
            requests.take(wish("/p/z"), now_ns),
            Err(RefusedRequest::TooMany)
        );
        for number in 0..1000 {
            now_ns += MINUTE_NS;
            let id = requests
                .all()
                .iter()
                .find(|request| request.state == State::Open);
            let id = id.unwrap().id.clone();
            requests.end(&id);
            requests
                .take(wish(&format!("/q/{number}")), now_ns)
                .unwrap();
        }
        assert_eq!(requests.all().len(), MAX_REMEMBERED);
    }

    #[test]
    fn an_answer_is_given_once() {
        let mut requests = Requests::new("s");
        let id = requests.take(wish("/p/a"), 0).unwrap().request.id;
        answered(&mut requests, &id, State::Granted);
        assert_eq!(
            requests.open(&id).unwrap_err().to_string(),
            "request s-1 is granted already"
        );
        assert_eq!(
            requests.open("s-2").unwrap_err().to_string(),
            "there is no request s-2"
        );
    }
}
