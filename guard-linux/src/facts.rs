//! The facts of one call, as the Linux backend reads them.

use super::callers::Caller;
use super::directories::Directory;
use super::files::{self, FileStat};
use super::procfs::{self, ProcFs, read_bounded};
use guard_core::actor::{Actor, FactSource};
use guard_core::file::FileFacts;
use guard_core::guard::Guard;
use guard_core::lineage::Entry;
use guard_core::process::{MAX_ENVIRONMENT_BYTES, ProcessDescription, ProcessSource as _};
use guard_core::standing::{Place, PlaceQuery, Standing};
use guard_undo::regular_file::read_beginning;
use rustix::fs::CWD;
use std::cell::OnceCell;
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

/// The facts of one call by one caller. Each is read when it is first asked for.
pub(crate) struct CallFacts<'a> {
    guard: &'a Guard,
    caller: &'a Caller,
    now_ns: u64,
    /// Whether what a decision requires to be preserved is, or is denied.
    preserves: bool,
    object: Option<NamedObject<'a>>,
    /// What is at the new name of a rename or a link.
    destination: Option<NamedObject<'a>>,
    entry: OnceCell<Entry<'a>>,
}

/// An object of the call, pinned by its directory.
struct NamedObject<'a> {
    directory: &'a Directory,
    name: &'a CStr,
    /// Its canonical path.
    path: &'a [u8],
    /// What was there when it was first asked for.
    found: OnceCell<Option<FileStat>>,
}

// === impl CallFacts ===

impl<'a> CallFacts<'a> {
    pub(crate) fn new(guard: &'a Guard, caller: &'a Caller, now_ns: u64) -> Self {
        Self {
            guard,
            caller,
            now_ns,
            preserves: false,
            object: None,
            destination: None,
            entry: OnceCell::new(),
        }
    }

    /// The same where a session preserves what must be, or denies it.
    pub(crate) fn preserving(mut self, preserves: bool) -> Self {
        self.preserves = preserves;
        self
    }

    /// Names the pinned object, so that questions about its path are answered from the pin.
    pub(crate) fn with_object(
        mut self,
        directory: &'a Directory,
        name: &'a CStr,
        path: &'a [u8],
    ) -> Self {
        self.object = Some(NamedObject::new(directory, name, path));
        self
    }

    /// Names what is at the new name, likewise.
    pub(crate) fn with_destination(
        mut self,
        directory: &'a Directory,
        name: &'a CStr,
        path: &'a [u8],
    ) -> Self {
        self.destination = Some(NamedObject::new(directory, name, path));
        self
    }

    /// What is at a path of the call, if that was asked for.
    pub(crate) fn known(&self, path: &[u8]) -> Option<FileStat> {
        self.named(path)?.found.get().copied().flatten()
    }

    fn named(&self, path: &[u8]) -> Option<&NamedObject<'a>> {
        let both = [&self.object, &self.destination];
        both.into_iter().flatten().find(|named| named.path == path)
    }

    /// Whether the caller's descent could not be looked up for want of the guard's own means. Then a
    /// decision on it counts for nothing.
    pub(crate) fn is_unexamined(&self) -> bool {
        self.entry.get().is_some_and(Entry::is_unexamined)
    }

    fn stat(&self, path: &[u8]) -> Option<FileStat> {
        if let Some(named) = self.named(path) {
            return named.stat();
        }
        files::stat_name(CWD, &CString::new(path).ok()?).ok()
    }
}

// === impl NamedObject ===

impl<'a> NamedObject<'a> {
    const fn new(directory: &'a Directory, name: &'a CStr, path: &'a [u8]) -> Self {
        Self {
            directory,
            name,
            path,
            found: OnceCell::new(),
        }
    }

    /// One answer for the whole call, so that all who decide on it decide on the same.
    fn stat(&self) -> Option<FileStat> {
        let directory = self.directory.fd.as_fd();
        let ask = || files::stat_name(directory, self.name).ok();
        *self.found.get_or_init(ask)
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
        let Caller { program, .. } = self.caller;
        program.arguments(self.caller.base()).to_vec()
    }

    fn parent(&self) -> Option<ProcessDescription> {
        let mut parent = ProcessDescription::default();
        ProcFs::new().describe(self.caller.ppid, &mut parent).ok()?;
        // It waits for its child, or is another's by now.
        let still = procfs::stat(self.caller.process.pid).ok()?.ppid == self.caller.ppid;
        (still && parent.executable_changed_ns != 0).then_some(parent)
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        let Caller {
            program,
            uid,
            executable,
            ..
        } = self.caller;
        program.changed_ns(self.caller.base(), *uid, executable)
    }

    fn loads_other_code(&self) -> bool {
        self.caller.program.loads_other_code(self.caller.base())
    }

    fn file(&self, path: &[u8]) -> Option<FileFacts> {
        self.stat(path).map(|found| found.facts())
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

    fn has_open(&self, path: &[u8]) -> bool {
        self.stat(path).is_some_and(|found| {
            procfs::open_files(self.caller.process.pid).any(|open| {
                open.identity.device == found.identity.device
                    && open.identity.inode == found.identity.inode
            })
        })
    }

    fn preserves(&self) -> bool {
        self.preserves
    }

    fn entries(&self, path: &[u8], most: usize) -> Option<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(OsStr::from_bytes(path)).ok()? {
            if names.len() >= most {
                return None;
            }
            names.push(entry.ok()?.file_name().into_vec());
        }
        Some(names)
    }

    fn environment(&self) -> Vec<u8> {
        let mut environment = Vec::new();
        let _unreadable = read_bounded(
            self.caller.base(),
            c"environ",
            MAX_ENVIRONMENT_BYTES,
            &mut environment,
        );
        environment
    }
}
