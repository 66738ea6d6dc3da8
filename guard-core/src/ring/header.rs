//! The first page of a ring: its writer, and the positions of its lanes.

use super::lane::{CONTROL_WORDS, Span};
use super::memory::ReadWords;
use super::{Counter, Lane, MAX_COUNTERS, RingOptions};
use crate::process::ProcessKey;
use crate::sync::{AtomicU64, Ordering};

/// The header of a ring, written at its creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The ring's identity: no other ring has it.
    pub id: [u8; 16],
    /// The boot during which it was created; process keys mean something only within it.
    pub boot_id: [u8; 16],
    /// The writing process.
    pub writer: ProcessKey,
    /// When it was created, wall clock nanoseconds.
    pub created_wall_ns: u64,
    /// The guard session's name.
    pub session: Vec<u8>,
    /// The writer's version.
    pub version: String,
    /// Capacity of the deny lane in words of 8 bytes.
    pub deny_words: usize,
    /// Capacity of the allow lane in words of 8 bytes.
    pub allow_words: usize,
    /// Capacity of the change lane in words of 8 bytes.
    pub change_words: usize,
    /// Capacity of the request lane in words of 8 bytes.
    pub request_words: usize,
}

/// Why a header is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidHeader {
    /// The file does not begin as a ring.
    #[error("the file begins with {found:#018x}, a ring with {MAGIC:#018x}")]
    NotARing {
        /// Its first word.
        found: u64,
    },
    /// The writer has not finished creating the ring, or was killed meanwhile.
    #[error("the ring was not completely created")]
    Unfinished,
    /// The format is not of this version.
    #[error("the ring has format {found}, this version reads {FORMAT}")]
    Format {
        /// Its format version.
        found: u64,
    },
    /// A lane's capacity is no power of two or out of bounds.
    #[error(
        "the {lane:?} lane has {words} words, not a power of two from {MIN_LANE_WORDS} to {MAX_LANE_WORDS}"
    )]
    Capacity {
        /// The lane.
        lane: Lane,
        /// Its claimed capacity.
        words: u64,
    },
    /// The file is shorter than its header claims.
    #[error("the file has {len} bytes, its header claims {claimed}")]
    Truncated {
        /// The file's length.
        len: u64,
        /// The length its header claims.
        claimed: u64,
    },
    /// A text is longer than its field in the header.
    #[error("the {field} has {len} bytes, the limit is {limit}")]
    TooLong {
        /// The text.
        field: &'static str,
        /// Its claimed length.
        len: u64,
        /// The most it may have.
        limit: usize,
    },
    /// The writer's version is not UTF-8.
    #[error("the writer's version is not UTF-8")]
    Version,
}

/// The fewest words of a lane: two of the longest records.
pub const MIN_LANE_WORDS: usize = 1 << 15;
/// The most words of a lane: 8 GiB.
pub const MAX_LANE_WORDS: usize = 1 << 30;
/// The most bytes of a session's name.
pub const MAX_SESSION_BYTES: usize = 256;
/// The most bytes of a writer's version.
pub const MAX_VERSION_BYTES: usize = 64;

/// Words of the header.
pub(super) const HEADER_WORDS: usize = 512;

/// `"ESGRING"` and a zero byte. Stored last, so a header with it is complete.
const MAGIC: u64 = u64::from_le_bytes(*b"ESGRING\0");
/// The version of the format, incremented with every change of the layout, including that of events.
///
/// 3 added the change lane and an event's preservation, 4 the request lane.
pub const FORMAT: u64 = 4;

const RUNNING: u64 = 0;
const FINISHED: u64 = 1;

mod at {
    //! The index of each word of the header; see the layout in the module above.
    pub(super) const MAGIC: usize = 0;
    pub(super) const FORMAT: usize = 1;
    pub(super) const DENY_WORDS: usize = 2;
    pub(super) const ALLOW_WORDS: usize = 3;
    pub(super) const ID: usize = 4;
    pub(super) const BOOT_ID: usize = 6;
    pub(super) const PID: usize = 8;
    pub(super) const GENERATION: usize = 9;
    pub(super) const CREATED: usize = 10;
    pub(super) const SESSION_LEN: usize = 11;
    pub(super) const VERSION_LEN: usize = 12;
    pub(super) const CHANGE_WORDS: usize = 13;
    pub(super) const REQUEST_WORDS: usize = 14;
    pub(super) const SESSION: usize = 16;
    pub(super) const VERSION: usize = 48;
    pub(super) const STATE: usize = 64;
    pub(super) const HEARTBEAT: usize = 65;
    pub(super) const COUNTERS: usize = 128;
    pub(super) const DENY_CONTROL: usize = 256;
    pub(super) const ALLOW_CONTROL: usize = 288;
    pub(super) const CHANGE_CONTROL: usize = 320;
    pub(super) const REQUEST_CONTROL: usize = 352;
}

const _: () = {
    assert!(at::SESSION + MAX_SESSION_BYTES / 8 == at::VERSION);
    assert!(at::VERSION + MAX_VERSION_BYTES / 8 <= at::STATE);
    assert!(at::COUNTERS + MAX_COUNTERS <= at::DENY_CONTROL);
    // Further apart than any processor's cache line, or pair of lines.
    assert!(at::DENY_CONTROL + CONTROL_WORDS + 16 <= at::ALLOW_CONTROL);
    assert!(at::ALLOW_CONTROL + CONTROL_WORDS + 16 <= at::CHANGE_CONTROL);
    assert!(at::CHANGE_CONTROL + CONTROL_WORDS + 16 <= at::REQUEST_CONTROL);
    assert!(at::REQUEST_CONTROL + CONTROL_WORDS + 16 <= HEADER_WORDS);
};

// === impl Header ===

impl Header {
    /// Validates the options of a new ring.
    pub(super) fn new(options: &RingOptions) -> Result<Self, InvalidHeader> {
        let RingOptions {
            id,
            boot_id,
            writer,
            created_wall_ns,
            ..
        } = *options;
        capacity(Lane::Deny, options.deny_words as u64)?;
        capacity(Lane::Allow, options.allow_words as u64)?;
        capacity(Lane::Change, options.change_words as u64)?;
        capacity(Lane::Request, options.request_words as u64)?;
        length("session", options.session.len() as u64, MAX_SESSION_BYTES)?;
        length("version", options.version.len() as u64, MAX_VERSION_BYTES)?;
        Ok(Self {
            id,
            boot_id,
            writer,
            created_wall_ns,
            session: options.session.clone(),
            version: options.version.clone(),
            deny_words: options.deny_words,
            allow_words: options.allow_words,
            change_words: options.change_words,
            request_words: options.request_words,
        })
    }

    /// Parses and validates a header. `file_len` is the whole file's length.
    pub(super) fn parse(bytes: &[u8], file_len: u64) -> Result<Self, InvalidHeader> {
        let claimed = (HEADER_WORDS * size_of::<u64>()) as u64;
        let (words, _) = bytes.as_chunks::<8>();
        if words.len() < HEADER_WORDS {
            return Err(InvalidHeader::Truncated {
                len: file_len,
                claimed,
            });
        }
        let word = |index: usize| words.get(index).map_or(0, |word| u64::from_le_bytes(*word));
        match word(at::MAGIC) {
            MAGIC => {}
            0 => return Err(InvalidHeader::Unfinished),
            found => return Err(InvalidHeader::NotARing { found }),
        }
        if word(at::FORMAT) != FORMAT {
            return Err(InvalidHeader::Format {
                found: word(at::FORMAT),
            });
        }
        let session = length("session", word(at::SESSION_LEN), MAX_SESSION_BYTES)?;
        let version = length("version", word(at::VERSION_LEN), MAX_VERSION_BYTES)?;
        let text = |at: usize, len: usize| bytes.iter().skip(at * 8).take(len).copied().collect();
        let sixteen = |at: usize| {
            let both = u128::from(word(at + 1)) << 64 | u128::from(word(at));
            both.to_le_bytes()
        };
        let header = Self {
            id: sixteen(at::ID),
            boot_id: sixteen(at::BOOT_ID),
            writer: ProcessKey {
                pid: u32::try_from(word(at::PID)).unwrap_or_default(),
                generation: word(at::GENERATION),
            },
            created_wall_ns: word(at::CREATED),
            session: text(at::SESSION, session),
            version: String::from_utf8(text(at::VERSION, version))
                .map_err(|_| InvalidHeader::Version)?,
            deny_words: capacity(Lane::Deny, word(at::DENY_WORDS))?,
            allow_words: capacity(Lane::Allow, word(at::ALLOW_WORDS))?,
            change_words: capacity(Lane::Change, word(at::CHANGE_WORDS))?,
            request_words: capacity(Lane::Request, word(at::REQUEST_WORDS))?,
        };
        let claimed = (header.words() * size_of::<u64>()) as u64;
        if file_len < claimed {
            return Err(InvalidHeader::Truncated {
                len: file_len,
                claimed,
            });
        }
        Ok(header)
    }

    /// Writes the header into zeroed words, the magic last.
    pub(super) fn store(&self, words: &[AtomicU64]) {
        let put = |index: usize, value: u64| {
            if let Some(word) = words.get(index) {
                word.store(value, Ordering::Relaxed);
            }
        };
        let put_bytes = |index: usize, bytes: &[u8]| {
            for (offset, chunk) in bytes.chunks(8).enumerate() {
                let value = chunk
                    .iter()
                    .rev()
                    .fold(0, |word, &byte| word << 8 | u64::from(byte));
                put(index + offset, value);
            }
        };
        put(at::FORMAT, FORMAT);
        put(at::DENY_WORDS, self.deny_words as u64);
        put(at::ALLOW_WORDS, self.allow_words as u64);
        put(at::CHANGE_WORDS, self.change_words as u64);
        put(at::REQUEST_WORDS, self.request_words as u64);
        put_bytes(at::ID, &self.id);
        put_bytes(at::BOOT_ID, &self.boot_id);
        put(at::PID, u64::from(self.writer.pid));
        put(at::GENERATION, self.writer.generation);
        put(at::CREATED, self.created_wall_ns);
        put(at::SESSION_LEN, self.session.len() as u64);
        put(at::VERSION_LEN, self.version.len() as u64);
        put_bytes(at::SESSION, &self.session);
        put_bytes(at::VERSION, self.version.as_bytes());
        if let Some(magic) = words.get(at::MAGIC) {
            magic.store(MAGIC, Ordering::Release);
        }
    }

    /// The capacity of a lane in words of 8 bytes.
    #[must_use]
    pub const fn words_of(&self, lane: Lane) -> usize {
        self.span(lane).capacity
    }

    /// Words of the whole ring.
    pub(super) const fn words(&self) -> usize {
        HEADER_WORDS + self.deny_words + self.allow_words + self.change_words + self.request_words
    }

    /// The position of a lane.
    pub(super) const fn span(&self, lane: Lane) -> Span {
        match lane {
            Lane::Deny => Span {
                control: at::DENY_CONTROL,
                start: HEADER_WORDS,
                capacity: self.deny_words,
            },
            Lane::Allow => Span {
                control: at::ALLOW_CONTROL,
                start: HEADER_WORDS + self.deny_words,
                capacity: self.allow_words,
            },
            Lane::Change => Span {
                control: at::CHANGE_CONTROL,
                start: HEADER_WORDS + self.deny_words + self.allow_words,
                capacity: self.change_words,
            },
            Lane::Request => Span {
                control: at::REQUEST_CONTROL,
                start: HEADER_WORDS + self.deny_words + self.allow_words + self.change_words,
                capacity: self.request_words,
            },
        }
    }
}

/// The word of a counter.
pub(super) const fn counter_index(counter: Counter) -> usize {
    at::COUNTERS + counter as usize
}

/// Sets the heartbeat.
pub(super) fn beat(words: &[AtomicU64], wall_ns: u64) {
    if let Some(word) = words.get(at::HEARTBEAT) {
        word.store(wall_ns, Ordering::Relaxed);
    }
}

/// The last heartbeat.
pub(super) fn heartbeat(words: &ReadWords) -> u64 {
    words.load(at::HEARTBEAT)
}

/// Marks the ring as ended in order.
pub(super) fn finish(words: &[AtomicU64]) {
    if let Some(word) = words.get(at::STATE) {
        word.store(FINISHED, Ordering::Release);
    }
}

/// Whether the ring ended in order.
pub(super) fn is_finished(words: &ReadWords) -> bool {
    words.load(at::STATE) != RUNNING
}

fn capacity(lane: Lane, words: u64) -> Result<usize, InvalidHeader> {
    usize::try_from(words)
        .ok()
        .filter(|words| words.is_power_of_two())
        .filter(|words| (MIN_LANE_WORDS..=MAX_LANE_WORDS).contains(words))
        .ok_or(InvalidHeader::Capacity { lane, words })
}

fn length(field: &'static str, len: u64, limit: usize) -> Result<usize, InvalidHeader> {
    usize::try_from(len)
        .ok()
        .filter(|len| *len <= limit)
        .ok_or(InvalidHeader::TooLong { field, len, limit })
}
