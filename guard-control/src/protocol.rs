//! What passes over a control socket: one line of JSON to the guard, and one line back.

use serde::{Deserialize, Serialize};

/// What is asked of a guard.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Ask a person to open a path.
    Request {
        /// The path, absolute.
        path: String,
        /// The operations; those that remove and move if absent.
        #[serde(default)]
        op: Vec<String>,
        /// Why, in the asker's words.
        #[serde(default)]
        because: Option<String>,
    },
    /// List the requests.
    List,
    /// Grant one.
    Approve {
        /// Its id.
        id: String,
        /// For how long; ten minutes if absent.
        #[serde(default)]
        seconds: Option<u64>,
        /// Whether it ends with its first use.
        #[serde(default)]
        once: bool,
        /// A path above the requested one, to open all of it.
        #[serde(default)]
        path: Option<String>,
        /// The operations; the requested ones if absent.
        #[serde(default)]
        op: Vec<String>,
    },
    /// Refuse one.
    Reject {
        /// Its id.
        id: String,
        /// Why, for the asker.
        #[serde(default)]
        because: Option<String>,
    },
}

/// A guard's answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The request, as it is now.
    Request {
        /// The request.
        request: Box<RequestStatus>,
    },
    /// All requests that are remembered.
    Requests {
        /// The oldest first.
        requests: Vec<RequestStatus>,
    },
    /// It was not done.
    Refused {
        /// Why, in a sentence.
        why: String,
    },
}

/// A request as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RequestStatus {
    /// Its id.
    pub id: String,
    /// What became of it.
    pub state: State,
    /// The path, canonical.
    pub path: String,
    /// The operations.
    pub op: Vec<String>,
    /// Why, in the asker's words.
    pub because: Option<String>,
    /// The agent that asks; `None` for a person and for a process of unknown ancestry.
    pub agent: Option<String>,
    /// The asking process.
    pub pid: u32,
    /// The session whose guard was asked.
    pub session: String,
    /// When, RFC 3339.
    pub asked: String,
    /// When it was answered, RFC 3339.
    pub answered: Option<String>,
    /// Who answered.
    pub answered_by: Option<String>,
    /// What was said when it was rejected.
    pub answer: Option<String>,
    /// When a grant ends, RFC 3339.
    pub expires_at: Option<String>,
    /// Whether a grant ends with its first use.
    pub once: bool,
    /// How often a grant was used.
    pub uses: u64,
    /// How often the path, or something below it, was denied before it was asked for.
    #[serde(default)]
    pub denials: u64,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody answered yet.
    Open,
    /// The path is open.
    Granted,
    /// A person said no.
    Rejected,
    /// It was granted, and that ended.
    Ended,
}

// === impl State ===

impl State {
    /// The name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Granted => "granted",
            Self::Rejected => "rejected",
            Self::Ended => "ended",
        }
    }
}

/// Longer lines are refused.
pub const MAX_ORDER_BYTES: usize = 8 * 1024;
