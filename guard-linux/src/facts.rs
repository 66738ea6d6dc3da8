//! What the Linux backend can testify of one call.

use super::callers::Caller;
use super::directories::Directory;
use super::judge::is_own_kind;
use super::procfs::{self, ProcFs, read_bounded};
use super::sys::files::{self, Base, Look};
use guard_core::actor::{Actor, FactSource};
use guard_core::guard::Guard;
use guard_core::guard::is_birth_of;
use guard_core::lineage::Entry;
use guard_core::process::{MAX_ARGUMENTS_BYTES, ProcessDescription, ProcessSource as _};
use std::cell::OnceCell;
use std::ffi::{CStr, CString};
use std::os::fd::AsFd;

/// Testifies of one call by one caller. Looks at nothing before it is asked.
pub(crate) struct CallFacts<'a> {
    guard: &'a Guard,
    caller: &'a Caller,
    now_ns: u64,
    /// The object, pinned by its directory, and its canonical path.
    object: Option<(&'a Directory, &'a CStr, &'a [u8])>,
    entry: OnceCell<Entry<'a>>,
    arguments: OnceCell<Vec<u8>>,
}

// === impl CallFacts ===

impl<'a> CallFacts<'a> {
    pub(crate) fn new(guard: &'a Guard, caller: &'a Caller, now_ns: u64) -> Self {
        Self {
            guard,
            caller,
            now_ns,
            object: None,
            entry: OnceCell::new(),
            arguments: OnceCell::new(),
        }
    }

    /// Names the pinned object, so that questions about its path are answered from the pin.
    pub(crate) fn with_object(
        mut self,
        directory: &'a Directory,
        name: &'a CStr,
        path: &'a [u8],
    ) -> Self {
        self.object = Some((directory, name, path));
        self
    }

    /// The caller's `argv[0]` as it stands now.
    pub(crate) fn argv0(&self) -> &[u8] {
        self.drawn_arguments()
            .split(|&byte| byte == 0)
            .next()
            .unwrap_or_default()
    }

    fn drawn_arguments(&self) -> &Vec<u8> {
        self.arguments.get_or_init(|| {
            let mut arguments = Vec::new();
            read_bounded(
                self.caller.base(),
                c"cmdline",
                MAX_ARGUMENTS_BYTES,
                &mut arguments,
            );
            arguments
        })
    }

    fn look(&self, path: &[u8]) -> Option<Look> {
        if let Some((directory, name, own)) = self.object
            && own == path
        {
            return files::look_at_name(Base::Dir(directory.fd.as_fd()), name).ok();
        }
        files::look_at_name(Base::Here, &CString::new(path).ok()?).ok()
    }
}

// === impl FactSource for CallFacts ===

impl FactSource for CallFacts<'_> {
    fn actor(&self) -> Actor<'_> {
        let entry = self
            .entry
            .get_or_init(|| self.guard.entry(self.caller.process, self.now_ns));
        Actor {
            key: self.caller.process,
            ppid: self.caller.ppid,
            uid: self.caller.uid,
            executable: &self.caller.executable,
            argv0: b"",
            attribution: entry.attribution(),
            tools: entry.tools(),
            tool_names: self.guard.lineage.tool_names(),
        }
    }

    fn arguments(&self) -> Vec<u8> {
        self.drawn_arguments().clone()
    }

    fn parent(&self) -> Option<ProcessDescription> {
        let mut parent = ProcessDescription::default();
        ProcFs::new().describe(self.caller.ppid, &mut parent).ok()?;
        // It waits for its child, or is another's by now.
        let still = procfs::stat(self.caller.process.pid).ok()?.ppid == self.caller.ppid;
        (still && parent.executable_changed_ns != 0).then_some(parent)
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        files::look(self.caller.base(), c"exe")
            .ok()
            .map(|found| found.changed_ns)
    }

    fn regular_file_born_ns(&self, path: &[u8]) -> Option<u64> {
        let found = self.look(path)?;
        let regular = found.file_type == libc::S_IFREG;
        // Without a birth time the last change is the only bound, and an agent can move it: a file
        // system that keeps none has no scratch files.
        found.born_ns.filter(|_| regular)
    }

    fn exists(&self, path: &[u8]) -> bool {
        self.look(path).is_some()
    }

    fn made_here(&self, path: &[u8]) -> bool {
        let Some(made_ns) = self.guard.creations.made_ns(path) else {
            return false;
        };
        self.look(path).is_some_and(|found| {
            is_own_kind(&found)
                && found
                    .born_ns
                    .is_some_and(|born_ns| is_birth_of(made_ns, born_ns))
        })
    }

    fn directory_born_ns(&self, path: &[u8]) -> Option<u64> {
        let found = self.look(path)?;
        let directory = found.file_type == libc::S_IFDIR;
        found.born_ns.filter(|_| directory)
    }
}
