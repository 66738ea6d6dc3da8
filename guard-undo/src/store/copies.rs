//! Copies of files in a directory of objects: by sharing blocks, else byte by byte.
//!
//! An agent's edits wait for their copies, so that what is the same for all of them is asked once:
//! whether blocks of a device can be shared, which owner and permissions a new file gets, and, for a
//! moment, how full the disk is.
//!
//! A copy has the owner, the permissions and the extended attributes of its file, as far as this
//! process may set them. The other facts are in its record.

use super::bounds::DiskSpace;
use super::{Bounds, PreserveError};
use crate::files::{
    Name, ObjectStat, clone_file, copy_bytes, copy_extended, mode, set_owner, share_blocks,
};
use crate::journal::{Facts, Method};
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What is known of the copies in one directory.
#[derive(Debug)]
pub(super) struct Copies {
    /// A device whose blocks cannot be shared with it.
    unshared: AtomicU64,
    made: Mutex<Option<Made>>,
    disk: Mutex<Option<Disk>>,
}

/// What a new file got.
#[derive(Clone, Copy, Debug)]
struct Made {
    /// The permissions that were asked for.
    asked: Mode,
    permissions: Mode,
    uid: u32,
    gid: u32,
}

/// How full the disk was.
#[derive(Debug)]
struct Disk {
    found: DiskSpace,
    asked: Instant,
    /// What was copied since.
    copied: u64,
}

// === impl Copies ===

impl Default for Copies {
    fn default() -> Self {
        Self {
            unshared: AtomicU64::new(NO_DEVICE),
            made: Mutex::default(),
            disk: Mutex::default(),
        }
    }
}

impl Copies {
    /// Copies the open file `from` to the new file `to`; copying bytes ends at `until`.
    ///
    /// # Errors
    ///
    /// When the bounds, the time or the file system allow no copy. Then nothing is left at `to`.
    pub(super) fn copy(
        &self,
        from: &File,
        to: Name<'_>,
        found: &ObjectStat,
        until: Option<Instant>,
        bounds: &Bounds,
    ) -> Result<Method, PreserveError> {
        if clone_file(from, to) {
            return Ok(Method::Reflink);
        }
        let permissions = mode(found.facts.mode & 0o777);
        let file = to.create(permissions)?;
        let filled = self
            .fill(from, &file, to.dir, found, until, bounds)
            .and_then(|method| {
                self.settle(&file, permissions, &found.facts)?;
                Ok(method)
            });
        if filled.is_err() {
            let _stays = rustix::fs::unlinkat(to.dir, to.name, AtFlags::empty());
        }
        filled
    }

    fn fill(
        &self,
        from: &File,
        to: &File,
        dir: BorrowedFd<'_>,
        found: &ObjectStat,
        until: Option<Instant>,
        bounds: &Bounds,
    ) -> Result<Method, PreserveError> {
        let method = if self.shares_blocks(from, to, found.facts.device) {
            Method::Reflink
        } else {
            self.may_copy(dir, found.disk_bytes, bounds)?;
            copy_bytes(from, to, found.facts.size, until)?;
            Method::Copy
        };
        copy_extended(from, to);
        Ok(method)
    }

    fn shares_blocks(&self, from: &File, to: &File, device: u64) -> bool {
        if self.unshared.load(Ordering::Relaxed) == device {
            return false;
        }
        let shared = share_blocks(from, to);
        // Other errors are of this file alone.
        if matches!(
            shared,
            Err(Errno::OPNOTSUPP | Errno::XDEV | Errno::NOTTY | Errno::NOSYS)
        ) {
            self.unshared.store(device, Ordering::Relaxed);
        }
        shared.is_ok()
    }

    /// Whether a copy of this size may be made in `dir`.
    fn may_copy(
        &self,
        dir: BorrowedFd<'_>,
        bytes: u64,
        bounds: &Bounds,
    ) -> Result<(), PreserveError> {
        let mut known = lock(&self.disk);
        if let Some(disk) = known.as_mut()
            && disk.asked.elapsed() < ASK_AGAIN
            && disk.may_take(bytes, bounds).is_ok()
        {
            return Ok(());
        }
        let disk = known.insert(Disk {
            found: DiskSpace::of(dir)?,
            asked: Instant::now(),
            copied: 0,
        });
        disk.may_take(bytes, bounds)
    }

    /// Gives a new file the owner and the permissions of the original where it has others.
    fn settle(&self, file: &File, asked: Mode, facts: &Facts) -> io::Result<()> {
        let known = *lock(&self.made);
        let made = match known.filter(|made| made.asked == asked) {
            Some(made) => made,
            None => *lock(&self.made).insert(Made::of(file, asked)?),
        };
        if (made.uid, made.gid) != (facts.uid, facts.gid) {
            set_owner(file, facts);
        }
        if made.permissions != asked {
            rustix::fs::fchmod(file, asked)?;
        }
        Ok(())
    }
}

// === impl Made ===

impl Made {
    fn of(file: &File, asked: Mode) -> io::Result<Self> {
        let found = rustix::fs::fstat(file)?;
        Ok(Self {
            asked,
            permissions: Mode::from_raw_mode(found.st_mode & 0o7777),
            uid: found.st_uid,
            gid: found.st_gid,
        })
    }
}

// === impl Disk ===

impl Disk {
    /// Counts a copy in, if there is room for it.
    fn may_take(&mut self, bytes: u64, bounds: &Bounds) -> Result<(), PreserveError> {
        let spare = self.found.spare(bounds, bytes);
        bounds.may_copy(bytes, spare.saturating_sub(self.copied))?;
        self.copied = self.copied.saturating_add(bytes);
        Ok(())
    }
}

/// What is behind it is whole whenever it is not locked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long the disk is taken to be as full as it was, but for the copies themselves.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// No device has this number.
const NO_DEVICE: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::OwnedName;
    use std::os::fd::AsFd as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    #[test]
    fn copies_have_contents_permissions_and_owner_whatever_was_copied_before() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let objects = File::open(&base).unwrap();
        let copies = Copies::default();
        // Whatever the machine that runs the tests has free on its disk.
        let bounds = Bounds {
            min_free_percent: 0,
            ..Bounds::for_disk(1 << 40)
        };
        let rows = [
            (0o644, 0),
            (0o644, 1),
            (0o600, 4096),
            (0o666, 16 << 10),
            (0o755, (16 << 10) + 1),
            (0o4755, 70_000),
            (0o444, 3 << 20),
        ];
        for (index, (bits, size)) in rows.into_iter().enumerate() {
            let path = base.join(format!("file{index}"));
            let contents: Vec<u8> = (0..251).cycle().take(size).collect();
            std::fs::write(&path, &contents).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(bits)).unwrap();
            let name = OwnedName::of_path(path.as_os_str().as_bytes(), false).unwrap();
            let found = name.as_name().stat().unwrap();
            let from = name.as_name().open_for_reading().unwrap();
            let copy = std::ffi::CString::new(format!("copy{index}")).unwrap();
            let to = Name {
                dir: objects.as_fd(),
                name: &copy,
            };
            copies.copy(&from, to, &found, None, &bounds).unwrap();
            let copy = base.join(format!("copy{index}"));
            let made = copy.metadata().unwrap();
            assert_eq!(std::fs::read(&copy).unwrap(), contents, "{bits:o} {size}");
            assert_eq!(made.mode() & 0o7777, bits & 0o777, "{bits:o}");
            assert_eq!((made.uid(), made.gid()), (found.facts.uid, found.facts.gid));
        }
    }

    #[test]
    fn what_was_copied_counts_before_the_disk_is_asked_again() {
        let mut disk = Disk {
            found: DiskSpace {
                total: 1_000_000 << 10,
                free: 1_100 << 10,
            },
            asked: Instant::now(),
            copied: 0,
        };
        let bounds = Bounds {
            min_free_percent: 0,
            ..Bounds::for_disk(1 << 40)
        };
        disk.may_take(1_000 << 10, &bounds).unwrap();
        let refused = disk.may_take(200 << 10, &bounds).unwrap_err();
        assert_eq!(refused.cause(), "low_disk");
        disk.may_take(100 << 10, &bounds).unwrap();
    }
}
