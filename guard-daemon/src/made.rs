//! What agents made in earlier sessions, for this one; and what they make in this one, for later
//! ones.
//!
//! At the end of a session's command, and every few minutes before, each name that is claimed is
//! examined, and what is the agent's is written down as it is then. A crash loses what was made or
//! changed since the last time, which then counts as somebody else's. Which changes are the agents'
//! own is guard-core's to say: see [`Claim::record`](guard_core::ownership::Claim::record).

use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::guard::Guard;
use guard_core::standing::{Record, Records};
use guard_report::paths::StatePaths;
use guard_undo::made::{Entry, MadeFiles, MadeStore};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

/// A session's part of the store.
#[derive(Clone, Debug)]
pub(crate) struct MadeKeeper {
    store: MadeStore,
    session: Arc<str>,
    /// Held while entries are gathered and written. Whether the command ended: what is changed since
    /// then may be a person's.
    ended: Arc<Mutex<bool>>,
}

#[derive(Debug)]
struct Written(MadeFiles);

// === impl MadeKeeper ===

impl MadeKeeper {
    /// Gives the guard what earlier sessions wrote down.
    pub(crate) fn begin(paths: &StatePaths, session: &str, guard: &Guard) -> Self {
        let keeper = Self {
            store: MadeStore::at(paths.state.join("made")),
            session: session.into(),
            ended: Arc::default(),
        };
        if let Err(error) = keeper.store.compact(today()) {
            tracing::warn!("{:#}", anyhow::Error::new(error));
        }
        match keeper.store.read() {
            Ok(files) if files.is_empty() => {}
            Ok(files) => guard.ownership.attach(Box::new(Written(files))),
            Err(error) => tracing::warn!("{:#}", anyhow::Error::new(error)),
        }
        keeper
    }

    /// Writes down what is the agents' now that the command ended, for the last time.
    pub(crate) fn end(&self, guard: &Guard) {
        self.write(guard, true);
    }

    /// Writes down what is the agents' now, unless the command ended.
    fn write(&self, guard: &Guard, ends: bool) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if *ended {
            return;
        }
        *ended = ends;
        let (mut from, mut entries) = (Some(0), Vec::new());
        while let Some(number) = from {
            let (claims, next) = guard.ownership.claims(number);
            entries.extend(claims.iter().filter_map(|claim| {
                let found = facts(&claim.path)?;
                entry(&claim.path, &found, claim.record(&found)?)
            }));
            from = next;
        }
        if entries.is_empty() {
            return;
        }
        if let Err(error) = self.store.write(&self.session, entries) {
            tracing::warn!("{:#}", anyhow::Error::new(error));
        }
    }

    /// Starts the thread that writes every few minutes.
    pub(crate) fn start(&self, guard: &Arc<Guard>) -> std::io::Result<()> {
        let (keeper, guard) = (self.clone(), Arc::downgrade(guard));
        thread::Builder::new()
            .name("guard-made".into())
            .spawn(move || {
                loop {
                    thread::sleep(INTERVAL);
                    let Some(guard) = guard.upgrade() else {
                        return;
                    };
                    keeper.write(&guard, false);
                }
            })
            .map(drop)
    }
}

// === impl Written ===

impl Records for Written {
    fn find(&self, path: &[u8], found: &FileFacts) -> Option<Record> {
        let wanted = entry(path, found, Record { is_doubtful: false })?;
        let found = self.0.find(&wanted)?;
        let is_changed = !found.is_same(&wanted);
        Some(Record {
            is_doubtful: found.is_doubtful || is_changed,
        })
    }
}

/// `None` where the file system keeps no birth times.
fn entry(path: &[u8], found: &FileFacts, record: Record) -> Option<Entry> {
    let state = |value| if found.is_directory() { 0 } else { value };
    Some(Entry {
        path: Entry::hash_path(path),
        device: found.identity.device,
        inode: found.identity.inode,
        born_ns: found.born_ns?,
        changed_ns: state(found.changed_ns),
        modified_ns: state(found.modified_ns),
        size: state(found.size),
        is_doubtful: record.is_doubtful,
        day: today(),
    })
}

fn facts(path: &[u8]) -> Option<FileFacts> {
    let found = Path::new(OsStr::from_bytes(path)).symlink_metadata().ok()?;
    let born = found.created().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(FileFacts {
        kind: FileKind::from_mode(found.mode()),
        born_ns: u64::try_from(born.as_nanos()).ok(),
        identity: FileIdentity {
            device: found.dev(),
            inode: found.ino(),
        },
        changed_ns: nanoseconds((found.ctime(), found.ctime_nsec())),
        modified_ns: nanoseconds((found.mtime(), found.mtime_nsec())),
        size: found.size(),
    })
}

fn nanoseconds((seconds, rest): (i64, i64)) -> u64 {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let rest = u64::try_from(rest).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn today() -> u32 {
    u32::try_from(guard_report::time::now_ns() / DAY_NS).unwrap_or(u32::MAX)
}

const DAY_NS: u64 = 24 * 3600 * 1_000_000_000;

/// How much of a session a crash takes back from the agents.
const INTERVAL: Duration = Duration::from_secs(120);
