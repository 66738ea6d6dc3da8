//! How objects come into a session's directories, and out again.
//!
//! A lost inode is kept by a hard link; where the kernel forbids that (`fs.protected_hardlinks`), by
//! a rename in place of its removal; else by a clone or a copy. An object counts from the
//! moment that a record names it, which is written when the object is complete.

use super::bounds::Usage;
use super::depot::Depot;
use super::{Bounds, PreserveError};
use crate::files::{Name, ObjectStat};
use crate::journal::{Kept, Method};
use rustix::fs::AtFlags;
use std::ffi::CString;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Where a session keeps objects, and how many.
#[derive(Debug)]
pub(super) struct Keep {
    /// The store's own first.
    depots: Vec<Depot>,
    usage: Usage,
    next: AtomicU64,
}

/// An object in the store of which no record speaks yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object {
    id: u64,
    pub(super) method: Method,
    bytes: u64,
    depot: usize,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preserved {
    /// Nothing had to be kept: the agent's own contents, or an object without contents.
    NotNeeded,
    /// It can be made again from its record: a link or a directory.
    Recorded,
    /// It is in the store.
    Kept {
        /// Its number.
        id: u64,
        /// How it came there.
        method: Method,
        /// Its length in bytes.
        size: u64,
    },
}

// === impl Keep ===

impl Keep {
    /// Opens the directories of a new session.
    pub(super) fn open(objects: &Path, depots: &[PathBuf]) -> io::Result<Self> {
        let mut opened = vec![Depot::hold(objects)?];
        opened.extend(depots.iter().filter_map(|dir| Depot::beside(dir).ok()));
        Ok(Self {
            depots: opened,
            usage: Usage::default(),
            next: AtomicU64::new(1),
        })
    }

    /// What is kept, and by whom.
    pub(super) const fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Keeps the inode at a name, or a copy of it. With `may_take` it may be moved away.
    pub(super) fn keep(
        &self,
        name: Name<'_>,
        found: &ObjectStat,
        may_take: bool,
        until: Option<Instant>,
        bounds: &Bounds,
    ) -> Result<Object, PreserveError> {
        let bytes = found.disk_bytes;
        self.usage.take(bytes, bounds)?;
        let (id, object) = self.new_name();
        for (index, depot) in self.serving(found) {
            let Ok(dir) = depot.dir() else { continue };
            let kept = |method| Object {
                id,
                method,
                bytes,
                depot: index,
            };
            let link = rustix::fs::linkat(name.dir, name.name, &dir, &object, AtFlags::empty());
            if link.is_ok() {
                return Ok(kept(Method::Hardlink));
            }
            let take = || rustix::fs::renameat(name.dir, name.name, &dir, &object);
            if may_take && take().is_ok() {
                return Ok(kept(Method::Rename));
            }
        }
        self.usage.give_back(bytes);
        self.copy(name, found, until, bounds)
    }

    /// Clones or copies the file at a name; copying bytes ends at `until`.
    pub(super) fn copy(
        &self,
        name: Name<'_>,
        found: &ObjectStat,
        until: Option<Instant>,
        bounds: &Bounds,
    ) -> Result<Object, PreserveError> {
        let bytes = found.disk_bytes;
        self.usage.take(bytes, bounds)?;
        let copied = self.copy_to_new(name, found, until, bounds);
        if copied.is_err() {
            self.usage.give_back(bytes);
        }
        copied
    }

    fn copy_to_new(
        &self,
        name: Name<'_>,
        found: &ObjectStat,
        until: Option<Instant>,
        bounds: &Bounds,
    ) -> Result<Object, PreserveError> {
        let bytes = found.disk_bytes;
        let from = name.open_for_reading()?;
        let (id, object) = self.new_name();
        // Blocks are shared within a file system only.
        let usual = self.depots.iter().enumerate().next();
        let (index, depot) = self
            .serving(found)
            .next()
            .or(usual)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let dir = depot.dir()?;
        // Of a copy that a killed guard left half made no record speaks.
        let to = Name {
            dir: dir.as_fd(),
            name: &object,
        };
        let copied = depot.copies().copy(&from, to, found, until, bounds);
        let method = copied.map_err(PreserveError::of_copy)?;
        Ok(Object {
            id,
            method,
            bytes,
            depot: index,
        })
    }

    /// Takes an object out of the store again whose record could not be written.
    pub(super) fn put_back(&self, name: Name<'_>, object: &Object) {
        if object.method == Method::Rename {
            let kept = object.id.to_string();
            let depot = self.depots.get(object.depot);
            let Some(Ok(dir)) = depot.map(Depot::dir) else {
                return;
            };
            let back = rustix::fs::renameat(&dir, &kept, name.dir, name.name);
            if back.is_err() {
                // It stays in the store, where `undo show` finds no record of it.
                return;
            }
            self.usage.give_back(object.bytes);
        } else {
            self.remove(object);
        }
    }

    /// Removes an object of which no record speaks.
    pub(super) fn remove(&self, object: &Object) {
        self.remove_numbered(object.id);
        self.usage.give_back(object.bytes);
    }

    /// Removes the object of this number, wherever it is.
    pub(super) fn remove_numbered(&self, id: u64) {
        let name = id.to_string();
        for depot in &self.depots {
            if let Ok(dir) = depot.dir() {
                let _not_here = rustix::fs::unlinkat(&dir, &name, AtFlags::empty());
            }
        }
    }

    /// The directories into which a file of this device may be linked. On one device there may be
    /// several mounts, between which the kernel links nothing.
    fn serving(&self, found: &ObjectStat) -> impl Iterator<Item = (usize, &Depot)> {
        let device = found.facts.device;
        let depots = self.depots.iter().enumerate();
        depots.filter(move |(_, depot)| depot.serves(device))
    }

    fn new_name(&self) -> (u64, CString) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        (id, CString::new(id.to_string()).unwrap_or_default())
    }
}

// === impl Object ===

impl Object {
    /// What became of a file of this length.
    pub(super) const fn preserved(&self, size: u64) -> Preserved {
        Preserved::Kept {
            id: self.id,
            method: self.method,
            size,
        }
    }

    pub(super) const fn kept(&self) -> Kept {
        Kept::Object {
            id: self.id,
            method: self.method,
        }
    }
}
