//! The writing end of a ring.

use super::header;
use super::lane::LaneWriter;
use super::memory::{Access, Memory, ReadWords};
use super::{Counter, Header, InvalidHeader, Lane, Reader, RingOptions};
use crate::event::{DecisionEvent, Encoding, GROUP_BYTES, GroupSink as _, RequestEvent};
use crate::sync::{AtomicU64, Ordering};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Publishes into a ring. One per guard process, shared by its threads.
///
/// The file stays when this is dropped, so that it can still be drained; only the lock that marks a
/// live writer is released. A child that was forked without exec would keep that lock.
#[derive(Debug)]
pub struct Producer {
    memory: Arc<Memory>,
    header: Header,
    file: Option<(PathBuf, File)>,
}

/// Why a ring could not be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateRingError {
    /// An option is out of bounds.
    #[error("the ring's options are out of bounds")]
    Options(#[from] InvalidHeader),
    /// The file could not be created, filled, locked or mapped.
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
    /// There is no memory for it.
    #[error("mapping {words} words of memory")]
    Memory {
        /// How much was asked for.
        words: usize,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

// === impl Producer ===

impl Producer {
    /// Creates a ring in a new file that only its owner can read.
    ///
    /// The whole length is written first, so that a full disk is an error here and not a fault
    /// later. (Copy-on-write file systems promise less; a ring belongs on a tmpfs where there is
    /// one.)
    ///
    /// # Errors
    ///
    /// If an option is out of bounds, the file exists, or the file system refuses. A file that was
    /// created is removed again.
    pub fn create(path: &Path, options: &RingOptions) -> Result<Self, CreateRingError> {
        let header = Header::new(options)?;
        let failed = |step| {
            move |source| CreateRingError::File {
                step,
                path: path.to_path_buf(),
                source,
            }
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed("creating"))?;
        let filled = file
            .lock()
            .map_err(failed("locking"))
            .and_then(|()| fill(&file, header.words()).map_err(failed("filling")))
            .and_then(|()| {
                Memory::map(&file, header.words(), Access::ReadWrite).map_err(failed("mapping"))
            });
        match filled {
            Ok(memory) => Ok(Self::over(memory, header, Some((path.to_path_buf(), file)))),
            Err(error) => {
                // The first error is the one to report.
                drop(std::fs::remove_file(path));
                Err(error)
            }
        }
    }

    /// Creates a ring without a file, for a full disk. Only [`reader`](Self::reader) can read it.
    ///
    /// # Errors
    ///
    /// If an option is out of bounds or there is no memory.
    pub fn anonymous(options: &RingOptions) -> Result<Self, CreateRingError> {
        let header = Header::new(options)?;
        let words = header.words();
        let memory =
            Memory::anonymous(words).map_err(|source| CreateRingError::Memory { words, source })?;
        Ok(Self::over(memory, header, None))
    }

    /// The ring's file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| path.as_path())
    }

    /// A reader within this process.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::over(
            ReadWords::new(Arc::clone(&self.memory)),
            self.header.clone(),
            None,
        )
    }

    /// Publishes an event and returns its sequence number within its lane.
    ///
    /// Never waits, allocates, or makes a system call, with or without readers.
    #[inline]
    pub fn publish(&self, event: &DecisionEvent<'_>) -> u64 {
        let encoding = Encoding::new(event);
        if encoding.is_cut() {
            self.add(Counter::EventsCut, 1);
        }
        let span = self.header.span(Lane::of(event));
        LaneWriter::new(self.memory.words(), span)
            .expect("the memory has the length that its header gives, which holds all lanes")
            .publish(encoding.groups(), |packer| encoding.write_to(packer))
    }

    /// Publishes a step of a request and returns its number within its lane. Never waits. It allocates,
    /// and is not for a thread that answers the kernel.
    pub fn publish_request(&self, event: &RequestEvent<'_>) -> u64 {
        let bytes = event.encode();
        let span = self.header.span(Lane::Request);
        LaneWriter::new(self.memory.words(), span)
            .expect("the memory has the length that its header gives, which holds all lanes")
            .publish(bytes.len() / GROUP_BYTES, |packer| packer.bytes(&bytes))
    }

    /// The value of a counter.
    #[must_use]
    pub fn counter(&self, counter: Counter) -> u64 {
        self.cell(counter).load(Ordering::Relaxed)
    }

    /// Adds to a counter.
    pub fn add(&self, counter: Counter, n: u64) {
        self.cell(counter).fetch_add(n, Ordering::Relaxed);
    }

    /// Sets a gauge.
    pub fn set(&self, counter: Counter, value: u64) {
        self.cell(counter).store(value, Ordering::Relaxed);
    }

    /// Raises a gauge to this value, if it is lower.
    pub fn raise(&self, counter: Counter, value: u64) {
        self.cell(counter).fetch_max(value, Ordering::Relaxed);
    }

    /// Sets the heartbeat.
    pub fn beat(&self, wall_ns: u64) {
        header::beat(self.memory.words(), wall_ns);
    }

    /// Marks the ring as ended in order: nothing will be published any more.
    pub fn finish(&self) {
        header::finish(self.memory.words());
    }

    fn over(memory: Memory, header: Header, file: Option<(PathBuf, File)>) -> Self {
        header.store(memory.words());
        Self {
            memory: Arc::new(memory),
            header,
            file,
        }
    }

    fn cell(&self, counter: Counter) -> &AtomicU64 {
        self.memory
            .words()
            .get(header::counter_index(counter))
            .expect("every counter lies in the header, and the memory is longer than the header")
    }
}

/// Writes zeros over a ring's whole length.
fn fill(mut file: &File, words: usize) -> io::Result<()> {
    let zeros = [0; 1 << 16];
    let mut left = words * size_of::<u64>();
    while let Some(chunk) = zeros
        .get(..left.min(zeros.len()))
        .filter(|chunk| !chunk.is_empty())
    {
        file.write_all(chunk)?;
        left -= chunk.len();
    }
    Ok(())
}
