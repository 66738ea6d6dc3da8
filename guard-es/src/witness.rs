//! What the macOS backend can testify of one request.
//!
//! The message has most of it: the program, the file, when both were made. The file system and
//! the process tables are asked only where the rules ask for more, which is for agents' removals in
//! zones.

use crate::request::{Acting, Object, Request};
use guard_core::actor::{Actor, AgentRef, Standing, ToolSet, Witness};
use guard_core::guard::{Guard, is_birth_of};
use guard_core::lineage::Entry;
use guard_core::process::ProcessDescription;
use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Testifies of one request. Looks at nothing before it is asked.
pub(crate) struct RequestWitness<'a> {
    guard: &'a Guard,
    request: &'a Request<'a>,
    now_ns: u64,
    /// The guard's own probe asks: whoever it is counts as an agent's.
    is_probe: bool,
    entry: OnceCell<Entry<'a>>,
    description: OnceCell<ProcessDescription>,
}

// === impl RequestWitness ===

impl<'a> RequestWitness<'a> {
    pub(crate) fn new(
        guard: &'a Guard,
        request: &'a Request<'a>,
        now_ns: u64,
        is_probe: bool,
    ) -> Self {
        Self {
            guard,
            request,
            now_ns,
            is_probe,
            entry: OnceCell::new(),
            description: OnceCell::new(),
        }
    }

    /// The acting process as it stands now, with its arguments and environment. Empty when it
    /// became another program or ended, or may not be looked at.
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

    fn acting(&self) -> &'a Acting<'a> {
        &self.request.acting
    }

    /// What lineage knows of the caller. The lineage client may be a little behind: of an orphan
    /// only it can tell whose child it was, so it is given a moment.
    fn entry(&self) -> &Entry<'a> {
        self.entry.get_or_init(|| {
            let acting = self.acting();
            if !acting.is_orphan() {
                return self.guard.entry(acting.key, self.now_ns);
            }
            for _ in 0..CATCH_UP_STEPS {
                if self.guard.lineage.find(acting.key).is_some() {
                    return self.guard.entry(acting.key, self.now_ns);
                }
                thread::sleep(CATCH_UP_STEP);
            }
            self.guard
                .process_orphaned(acting.key, acting.started_ns, self.now_ns)
        })
    }

    /// What stands at a path: what the message says, for the request's own.
    fn object(&self, path: &[u8]) -> Option<Object> {
        if path == self.request.operation.path && self.request.object.file_type != 0 {
            return Some(self.request.object);
        }
        let found = look(path)?;
        Some(Object {
            file_type: found.mode() & u32::from(crate::request::S_IFMT),
            links: found.nlink(),
            born_ns: found.created().ok().and_then(since_epoch_ns),
        })
    }
}

impl Witness for RequestWitness<'_> {
    fn actor(&self) -> Actor<'_> {
        let acting = self.acting();
        let entry = (!self.is_probe).then(|| self.entry());
        let standing = entry.map_or(PROBE_STANDING, Entry::standing);
        Actor {
            key: acting.key,
            ppid: acting.ppid,
            uid: acting.uid,
            executable: acting.executable,
            argv0: b"",
            standing,
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
        // It waits for its child, or is another's by now.
        let still = self.description().ppid == acting.ppid;
        (still && parent.executable_changed_ns != 0).then_some(parent)
    }

    fn executable_owner(&self) -> Option<u32> {
        Some(self.acting().executable_owner)
    }

    fn regular_file_born_ns(&self, path: &[u8]) -> Option<u64> {
        let found = self.object(path)?;
        found.born_ns.filter(|_| found.is_file())
    }

    fn exists(&self, path: &[u8]) -> bool {
        look(path).is_some()
    }

    fn made_here(&self, path: &[u8]) -> bool {
        let Some(made_ns) = self.guard.creations.made_ns(path) else {
            return false;
        };
        self.object(path).is_some_and(|found| {
            found.is_file()
                && found.links == 1
                && found
                    .born_ns
                    .is_some_and(|born_ns| is_birth_of(made_ns, born_ns))
        })
    }

    fn directory_born_ns(&self, path: &[u8]) -> Option<u64> {
        let found = self.object(path)?;
        found.born_ns.filter(|_| found.is_directory())
    }
}

fn look(path: &[u8]) -> Option<Metadata> {
    Path::new(OsStr::from_bytes(path)).symlink_metadata().ok()
}

fn since_epoch_ns(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

/// Whoever touches the guard's own probe counts as an agent's. Lineage hears nothing of it.
const PROBE_STANDING: Standing<'static> = Standing::Agent(AgentRef {
    label: "self_test",
    ancestor: b"self_test",
    pid: 0,
    started_ns: 0,
    session: b"",
});

/// How long the lineage client may be behind for an orphan to be told from a stranger: 20 ms. The
/// kernel has queued the news of its start before its first call returned, so only our own thread
/// is waited for; the shortest deadlines are seconds.
const CATCH_UP_STEPS: u32 = 20;
const CATCH_UP_STEP: Duration = Duration::from_millis(1);
