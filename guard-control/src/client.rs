//! Asking the guards of this user.

use crate::protocol::{Answer, MAX_ORDER_BYTES, Order, RequestStatus};
use guard_report::paths::StatePaths;
use guard_report::rings;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// A guard that can be asked.
#[derive(Clone, Debug)]
pub struct AskableGuard {
    /// Its session's name.
    pub session: String,
    socket: PathBuf,
}

/// Why a guard gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// No guard has a socket.
    #[error("no guard is running that could be asked (codex-es-guard run -- COMMAND starts one)")]
    NoGuard,
    /// The order is too long.
    #[error("{0} bytes are too much to ask; {MAX_ORDER_BYTES} fit")]
    TooLong(usize),
    /// It does not answer.
    #[error("asking the guard of session {session}")]
    Guard {
        /// Its session.
        session: String,
        /// What the system said.
        source: io::Error,
    },
    /// It refuses.
    #[error("{0}")]
    Refused(String),
}

/// The guards that can be asked, by a process with these ancestors: in a session, its guard alone.
#[must_use]
pub fn guards(paths: &StatePaths, ancestors: &[u32]) -> Vec<AskableGuard> {
    let own = own_session(paths, ancestors);
    let directories = paths.askable_directories();
    let mut found: Vec<AskableGuard> = directories
        .iter()
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some(AskableGuard {
                session: name.strip_suffix(".sock")?.to_owned(),
                socket: entry.path(),
            })
        })
        // One that was killed left its socket behind.
        .filter(|guard| UnixStream::connect(&guard.socket).is_ok())
        .collect();
    found.sort_by_key(|guard| (Some(&guard.session) != own.as_ref(), guard.session.clone()));
    if own.is_some() {
        // What other sessions ask for is not this one's business.
        found.truncate(1);
    }
    found
}

/// Asks the first of these guards that protects the path.
///
/// # Errors
///
/// [`AskError`], of the last guard that was asked.
pub fn ask_first(
    guards: &[AskableGuard],
    order: &Order,
) -> Result<(AskableGuard, RequestStatus), AskError> {
    let mut refused = AskError::NoGuard;
    for guard in guards {
        match guard.ask_for_request(order) {
            Ok(request) => return Ok((guard.clone(), request)),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// The requests of these guards.
#[must_use]
pub fn requests(guards: &[AskableGuard]) -> Vec<RequestStatus> {
    let mut found = Vec::new();
    for guard in guards {
        // One that just ended has none.
        if let Ok(Answer::Requests { requests }) = guard.ask(&Order::List) {
            found.extend(requests);
        }
    }
    found
}

// === impl AskableGuard ===

impl AskableGuard {
    /// Asks about one request.
    ///
    /// # Errors
    ///
    /// [`AskError`]
    pub fn ask_for_request(&self, order: &Order) -> Result<RequestStatus, AskError> {
        match self.ask(order)? {
            Answer::Request { request } => Ok(*request),
            Answer::Refused { why } => Err(AskError::Refused(why)),
            Answer::Requests { .. } => Err(self.failed(io::ErrorKind::InvalidData.into())),
        }
    }

    /// What became of a request.
    ///
    /// # Errors
    ///
    /// [`AskError`]
    pub fn request(&self, id: &str) -> Result<Option<RequestStatus>, AskError> {
        match self.ask(&Order::List)? {
            Answer::Requests { requests } => {
                Ok(requests.into_iter().find(|request| request.id == id))
            }
            Answer::Refused { why } => Err(AskError::Refused(why)),
            Answer::Request { .. } => Err(self.failed(io::ErrorKind::InvalidData.into())),
        }
    }

    fn ask(&self, order: &Order) -> Result<Answer, AskError> {
        let failed = |source| self.failed(source);
        let mut line = serde_json::to_vec(order).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        if line.len() > MAX_ORDER_BYTES {
            return Err(AskError::TooLong(line.len()));
        }
        let mut stream = UnixStream::connect(&self.socket).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.write_all(&line).map_err(failed)?;
        let mut answer = String::new();
        let mut reader = BufReader::new(stream).take(MAX_ANSWER_BYTES);
        reader.read_line(&mut answer).map_err(failed)?;
        serde_json::from_str(&answer).map_err(|error| failed(error.into()))
    }

    fn failed(&self, source: io::Error) -> AskError {
        AskError::Guard {
            session: self.session.clone(),
            source,
        }
    }
}

/// The session that a process with these ancestors is in, by the ring of its guard.
fn own_session(paths: &StatePaths, ancestors: &[u32]) -> Option<String> {
    let uid = rustix::process::geteuid().as_raw();
    let rings = rings::readers(&paths.readable_rings(), uid);
    let mut headers = rings.iter().map(guard_core::ring::Reader::header);
    let own = headers.find(|header| ancestors.contains(&header.writer.pid))?;
    String::from_utf8(own.session).ok()
}

/// How long a guard may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers are bounded as requests are.
const MAX_ANSWER_BYTES: u64 = 1 << 20;
