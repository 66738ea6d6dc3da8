//! The facts that a decision needs about one request, on macOS.
//!
//! The message has most of them: the program, the file, and when both were created. The file system
//! and the process table are read only where the rules need more, which is for removals by agents
//! in zones.

use crate::request::{Acting, Request};
use guard_core::actor::{Actor, AgentRef, Attribution, FactSource, ToolSet};
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::guard::Guard;
use guard_core::lineage::Entry;
use guard_core::process::ProcessDescription;
use guard_core::standing::{Place, PlaceQuery, Standing};
use guard_undo::regular_file::read_beginning;
use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The facts about one request, each looked up when it is first needed.
pub(crate) struct RequestFacts<'a> {
    guard: &'a Guard,
    request: &'a Request<'a>,
    now_ns: u64,
    context: RequestContext,
    /// Whether what a decision requires to be preserved is, or is denied.
    preserves: bool,
    entry: OnceCell<Entry<'a>>,
    description: OnceCell<ProcessDescription>,
}

/// The circumstances under which a request is evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestContext {
    /// It is the self-test's attempt: its process counts as an agent's.
    pub(crate) is_probe: bool,
    /// Another client records lineage, and may be a little behind.
    pub(crate) lineage_is_async: bool,
}

// === impl RequestFacts ===

impl<'a> RequestFacts<'a> {
    pub(crate) fn new(
        guard: &'a Guard,
        request: &'a Request<'a>,
        now_ns: u64,
        context: RequestContext,
    ) -> Self {
        Self {
            guard,
            request,
            now_ns,
            context,
            preserves: false,
            entry: OnceCell::new(),
            description: OnceCell::new(),
        }
    }

    /// The same where what must be preserved is, or is denied.
    pub(crate) fn preserving(mut self, preserves: bool) -> Self {
        self.preserves = preserves;
        self
    }

    /// The acting process as it is now, with its arguments and environment. Empty if it executed
    /// another program since, has exited, or cannot be read.
    pub(crate) fn description(&self) -> &ProcessDescription {
        self.description.get_or_init(|| {
            let mut now = ProcessDescription::default();
            let key = self.acting().key;
            match self.guard.source().describe(key.pid, &mut now) {
                Ok(()) if now.key == key => now,
                _ => ProcessDescription::default(),
            }
        })
    }

    /// The request that the facts are about.
    pub(crate) fn request(&self) -> &'a Request<'a> {
        self.request
    }

    fn acting(&self) -> &'a Acting<'a> {
        &self.request.acting
    }

    fn entry(&self) -> &Entry<'a> {
        self.entry.get_or_init(|| {
            let lineage_is_async = self.context.lineage_is_async;
            entry_of(self.guard, self.acting(), self.now_ns, lineage_is_async)
        })
    }
}

impl FactSource for RequestFacts<'_> {
    fn actor(&self) -> Actor<'_> {
        let acting = self.acting();
        let entry = (!self.context.is_probe).then(|| self.entry());
        let attribution = entry.map_or(PROBE_ATTRIBUTION, Entry::attribution);
        Actor {
            key: acting.key,
            ppid: acting.ppid,
            uid: acting.uid,
            executable: acting.executable,
            argv0: b"",
            attribution,
            tools: entry.map_or_else(ToolSet::default, Entry::tools),
            tool_names: self.guard.lineage.tool_names(),
        }
    }

    fn arguments(&self) -> Vec<u8> {
        self.description().arguments.clone()
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        let changed_ns = self.acting().executable_changed_ns;
        (changed_ns != 0).then_some(changed_ns)
    }

    fn parent(&self) -> Option<ProcessDescription> {
        let acting = self.acting();
        let mut parent = ProcessDescription::default();
        self.guard
            .source()
            .describe(acting.ppid, &mut parent)
            .ok()?;
        // The parent may have exited meanwhile, and its process id may be in use again.
        let still = self.description().ppid == acting.ppid;
        (still && parent.executable_changed_ns != 0).then_some(parent)
    }

    fn executable_owner(&self) -> Option<u32> {
        Some(self.acting().executable_owner)
    }

    /// From the message for the request's own path, else from the file system.
    fn file(&self, path: &[u8]) -> Option<FileFacts> {
        let described = self.request.object;
        if path == self.request.operation.path && described.is_some() {
            return described;
        }
        let found = metadata(path)?;
        Some(FileFacts {
            kind: FileKind::from_mode(found.mode()),
            born_ns: found.created().ok().and_then(since_epoch_ns),
            identity: FileIdentity {
                device: found.dev(),
                inode: found.ino(),
            },
            changed_ns: changed_ns(&found),
            modified_ns: found.modified().ok().and_then(since_epoch_ns).unwrap_or(0),
            size: found.size(),
        })
    }

    fn standing(&self, path: &[u8], found: &FileFacts) -> Standing {
        self.guard.ownership.standing(path, found)
    }

    fn moved_from(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.guard.ownership.moved_from(path)
    }

    fn came_from(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.guard.ownership.came_from(path)
    }

    fn place(&self, directory: &[u8], since_ns: u64, query: PlaceQuery) -> Place {
        let places = &self.guard.places;
        places.of(directory, since_ns, query, self.now_ns, self)
    }

    fn beginning(&self, path: &[u8], most: usize) -> Option<Vec<u8>> {
        read_beginning(Path::new(OsStr::from_bytes(path)), most).ok()
    }

    fn preserves(&self) -> bool {
        self.preserves
    }

    fn entries(&self, path: &[u8], most: usize) -> Option<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(Path::new(OsStr::from_bytes(path))).ok()? {
            if names.len() >= most {
                return None;
            }
            names.push(entry.ok()?.file_name().into_vec());
        }
        Some(names)
    }

    fn environment(&self) -> Vec<u8> {
        self.description().environment.clone()
    }
}

/// The lineage entry of a process. A process without an entry has just been forked, and the message
/// about it is queued for the lineage client, which is given a moment to handle it. In the process
/// table a process whose ancestors have exited would look like a child of launchd, a person's.
pub(crate) fn entry_of<'a>(
    guard: &'a Guard,
    acting: &Acting<'_>,
    now_ns: u64,
    lineage_is_async: bool,
) -> Entry<'a> {
    let is_known = || guard.lineage.find(acting.key).is_some();
    if !is_known() && lineage_is_async {
        for step in 0..CATCH_UP_STEPS {
            if step < EAGER_STEPS {
                thread::yield_now();
            } else {
                thread::sleep(CATCH_UP_STEP);
            }
            if is_known() {
                break;
            }
        }
    }
    if acting.is_orphan() && !is_known() {
        return guard.process_orphaned(acting.key, acting.started_ns, now_ns);
    }
    guard.entry(acting.key, now_ns)
}

fn metadata(path: &[u8]) -> Option<Metadata> {
    Path::new(OsStr::from_bytes(path)).symlink_metadata().ok()
}

fn changed_ns(found: &Metadata) -> u64 {
    let seconds = u64::try_from(found.ctime()).unwrap_or(0);
    let rest = u64::try_from(found.ctime_nsec()).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn since_epoch_ns(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

/// The attribution of whichever process touches the probe. It is not recorded in lineage.
const PROBE_ATTRIBUTION: Attribution<'static> = Attribution::Agent(AgentRef {
    label: "self_test",
    ancestor: b"self_test",
    pid: 0,
    started_ns: 0,
    session: b"",
});

/// How often lineage is read again for an unknown process, and how often without a pause. The
/// kernel queued the fork before the process ran, so that only this program's other thread is
/// waited for: some microseconds, 20 ms at most. The shortest deadlines are seconds.
const CATCH_UP_STEPS: u32 = 120;
const EAGER_STEPS: u32 = 100;
const CATCH_UP_STEP: Duration = Duration::from_millis(1);
