//! The reading end of a ring, for any process that may read the file.

use super::follow::Follower;
use super::header::{self, HEADER_WORDS};
use super::memory::{Access, Memory, ReadWords};
use super::position::RingPosition;
use super::{Counter, Cursor, Header, InvalidHeader, Lane};
use crate::event::{DecisionEvent, MAX_ENCODED_BYTES, RequestEvent};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads a ring. It writes nothing to it, so there may be any number.
#[derive(Debug)]
pub struct Reader {
    words: ReadWords,
    header: Header,
    /// `None` within the writer's own process.
    file: Option<File>,
    /// By [`Lane`].
    followers: [Follower; Lane::ALL.len()],
    payload: Vec<u8>,
}

/// Why a file could not be read as a ring.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachRingError {
    /// The file could not be opened, read or mapped.
    #[error("{step} the ring {}", path.display())]
    File {
        /// What was being done.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not a ring, or its header is invalid.
    #[error("{} cannot be read as a ring", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: InvalidHeader,
    },
}

// === impl Reader ===

impl Reader {
    /// Opens a ring, at the oldest record that each lane still has.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not a whole ring of this format.
    pub fn attach(path: &Path) -> Result<Self, AttachRingError> {
        let failed = |step| {
            move |source| AttachRingError::File {
                step,
                path: path.to_path_buf(),
                source,
            }
        };
        // Opening a named pipe at the path must not block.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
            .map_err(failed("opening"))?;
        let mut bytes = Vec::new();
        let limit = (HEADER_WORDS * size_of::<u64>()) as u64;
        (&file)
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(failed("reading"))?;
        let len = file.metadata().map_err(failed("reading"))?.len();
        let header = Header::parse(&bytes, len).map_err(|source| AttachRingError::Header {
            path: path.to_path_buf(),
            source,
        })?;
        let memory = Memory::map(&file, header.words(), Access::Read).map_err(failed("mapping"))?;
        Ok(Self::over(
            ReadWords::new(Arc::new(memory)),
            header,
            Some(file),
        ))
    }

    /// Who writes the ring.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header.clone()
    }

    /// Whether the writing process still holds the ring. Costs a system call.
    #[must_use]
    pub fn is_writer_alive(&self) -> bool {
        is_locked(self.file.as_ref())
    }

    /// The next decision of a lane; `None` if there is none now, and always for [`Lane::Request`],
    /// which has none. After the writer has exited, `None` means that there will be none.
    pub fn next(&mut self, lane: Lane) -> Option<DecisionEvent<'_>> {
        if lane == Lane::Request {
            return None;
        }
        let follower = of_lane(&mut self.followers, lane);
        let dead = || !is_locked(self.file.as_ref());
        loop {
            let sequence = follower.advance(&self.words, dead, &mut self.payload)?;
            if DecisionEvent::decode(sequence, &self.payload).is_ok() {
                // Decoded twice: the borrow checker accepts no borrow that leaves a loop on one path
                // and ends on another.
                return DecisionEvent::decode(sequence, &self.payload).ok();
            }
            follower.count_lost();
        }
    }

    /// The next step of a request; `None` if there is none now.
    pub fn next_request(&mut self) -> Option<RequestEvent<'_>> {
        let follower = of_lane(&mut self.followers, Lane::Request);
        let dead = || !is_locked(self.file.as_ref());
        loop {
            let sequence = follower.advance(&self.words, dead, &mut self.payload)?;
            if RequestEvent::decode(sequence, &self.payload).is_ok() {
                // Decoded twice, as above.
                return RequestEvent::decode(sequence, &self.payload).ok();
            }
            follower.count_lost();
        }
    }

    /// The position of this reader, for [`resume`](Self::resume).
    #[must_use]
    pub const fn cursor(&self, lane: Lane) -> Cursor {
        let follower = self.follower(lane);
        Cursor {
            position: follower.position(),
            delivered: follower.expected(),
        }
    }

    /// Continues from the position of an earlier reader of this ring. From position 0 it reads all
    /// that is left and skips every record whose sequence is below `delivered`.
    ///
    /// A cursor ahead of the writer is another ring's and is ignored.
    pub fn resume(&mut self, lane: Lane, cursor: Cursor) {
        let at = RingPosition {
            position: cursor.position,
            sequence: cursor.delivered,
        };
        of_lane(&mut self.followers, lane).resume(&self.words, at);
    }

    /// How many records this reader was too late for, or found damaged. Exact at each record that
    /// follows a gap.
    #[must_use]
    pub const fn lost(&self, lane: Lane) -> u64 {
        self.follower(lane).lost()
    }

    /// Records committed but not delivered yet.
    #[must_use]
    pub fn lag(&self, lane: Lane) -> u64 {
        self.committed(lane)
            .saturating_sub(self.follower(lane).expected())
    }

    /// Records committed since the ring was created.
    #[must_use]
    pub fn committed(&self, lane: Lane) -> u64 {
        self.header.span(lane).committed(&self.words)
    }

    /// The value of a counter.
    #[must_use]
    pub fn counter(&self, counter: Counter) -> u64 {
        self.words.load(header::counter_index(counter))
    }

    /// The guard's last heartbeat, wall clock nanoseconds; 0 before the first.
    #[must_use]
    pub fn heartbeat_ns(&self) -> u64 {
        header::heartbeat(&self.words)
    }

    /// Whether the writer ended in order.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        header::is_finished(&self.words)
    }

    pub(super) fn over(words: ReadWords, header: Header, file: Option<File>) -> Self {
        let followers = Lane::ALL.map(|lane| Follower::new(header.span(lane)));
        // Room for the longest record and its padding, so that reading never allocates.
        let payload = Vec::with_capacity(MAX_ENCODED_BYTES + size_of::<u64>());
        Self {
            words,
            header,
            file,
            followers,
            payload,
        }
    }

    const fn follower(&self, lane: Lane) -> &Follower {
        let [deny, allow, change, request] = &self.followers;
        match lane {
            Lane::Deny => deny,
            Lane::Allow => allow,
            Lane::Change => change,
            Lane::Request => request,
        }
    }
}

const fn of_lane(followers: &mut [Follower; Lane::ALL.len()], lane: Lane) -> &mut Follower {
    let [deny, allow, change, request] = followers;
    match lane {
        Lane::Deny => deny,
        Lane::Allow => allow,
        Lane::Change => change,
        Lane::Request => request,
    }
}

/// Whether a writer holds its lock. Within the writer's own process it is alive by definition; if the
/// system reports an error, assuming that it is alive only delays.
fn is_locked(file: Option<&File>) -> bool {
    let Some(file) = file else { return true };
    match file.try_lock_shared() {
        Ok(()) => {
            // The lock is also released with the file.
            drop(file.unlock());
            false
        }
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
    }
}
