//! The directories that hold a session's objects: one in the store, and one beside each zone on
//! another file system or mount.
//!
//! A hard link or a rename works within one mount only. So a zone that is elsewhere than the store
//! gets a directory of its own, `.codex-es-guard-undo`, beside its root, or in it where the root is
//! the mount point. It is private, as the store is, and holds objects only; the session's journal,
//! which names it, remains in the store.
//!
//! None is made where it could not be trusted or not be used: on a file system that is read-only, of
//! the network or without owners and modes, and in a directory in which another user could replace
//! it. Losses there are copied into the store.

use super::copies::Copies;
use super::private;
use crate::journal::BytePath;
use rustix::fs::{Mode, OFlags};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// A directory of objects.
#[derive(Debug)]
pub(crate) struct Depot {
    objects: Objects,
    /// The device of the files that can be linked into it.
    device: u64,
    copies: Copies,
}

#[derive(Debug)]
enum Objects {
    /// The store's own.
    Held(OwnedFd),
    /// Beside a zone: opened for each use, so that a person can unmount the file system meanwhile.
    Beside(PathBuf),
}

/// A directory of objects, open.
#[derive(Debug)]
pub(crate) enum OpenDepot<'d> {
    Held(BorrowedFd<'d>),
    Opened(OwnedFd),
}

/// On which mount a directory is: links work within one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MountId {
    device: u64,
    mount: u64,
}

// === impl Depot ===

impl Depot {
    /// The store's own directory of objects, held open.
    pub(crate) fn hold(dir: &Path) -> io::Result<Self> {
        Ok(Self {
            device: MountId::of(dir)?.device,
            objects: Objects::Held(open(dir, OFlags::RDONLY)?),
            copies: Copies::default(),
        })
    }

    /// A directory of objects beside a zone.
    pub(crate) fn beside(dir: &Path) -> io::Result<Self> {
        Ok(Self {
            device: MountId::of(dir)?.device,
            objects: Objects::Beside(dir.to_owned()),
            copies: Copies::default(),
        })
    }

    /// The directory; an error if its file system is no longer mounted.
    pub(crate) fn dir(&self) -> io::Result<OpenDepot<'_>> {
        match &self.objects {
            Objects::Held(objects) => Ok(OpenDepot::Held(objects.as_fd())),
            Objects::Beside(dir) => open(dir, PASSING).map(OpenDepot::Opened),
        }
    }

    /// The copies in it.
    pub(super) const fn copies(&self) -> &Copies {
        &self.copies
    }

    /// Whether files of this device may be linked into it.
    pub(crate) const fn serves(&self, device: u64) -> bool {
        self.device == device
    }
}

impl AsFd for OpenDepot<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Held(objects) => *objects,
            Self::Opened(objects) => objects.as_fd(),
        }
    }
}

fn open(dir: &Path, access: OFlags) -> io::Result<OwnedFd> {
    let flags = access | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(dir, flags, Mode::empty())?)
}

/// The directories beside these zones in which objects can be linked that cannot be linked into
/// `store`; each is made if it is missing.
pub(crate) fn beside_zones(store: &Path, zones: &[BytePath]) -> Vec<PathBuf> {
    let mut served: Vec<MountId> = MountId::of(store).into_iter().collect();
    let mut found = Vec::new();
    for zone in zones {
        let Ok(mount) = MountId::of(zone.as_path()) else {
            continue;
        };
        if served.contains(&mount) {
            continue;
        }
        served.push(mount);
        let parent = zone.as_path().parent();
        let places = parent.into_iter().chain([zone.as_path()]);
        let made = places
            .filter(|place| MountId::of(place).is_ok_and(|id| id == mount))
            .map(make_in)
            .find_map(Result::ok);
        found.extend(made);
    }
    found
}

/// Makes the private directory in `place`, if nobody else can put another in its stead.
fn make_in(place: &Path) -> io::Result<PathBuf> {
    let above = fs::metadata(place)?;
    let own = rustix::process::geteuid().as_raw();
    let is_others = above.uid() != own && above.uid() != 0;
    let is_shared = above.mode() & 0o022 != 0 && above.mode() & STICKY == 0;
    if !above.is_dir() || is_others || is_shared || is_foreign(place) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let dir = place.join(NAME);
    let is_new = match DirBuilder::new().mode(private::OPEN).create(&dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        made => made.map(|()| true)?,
    };
    let checked = private::check(&dir);
    if let Err(error) = checked {
        if is_new {
            // A file system without owners or modes.
            fs::remove_dir(&dir)?;
        }
        return Err(error);
    }
    Ok(dir)
}

/// Whether a file system is of the network, or lives in another program.
#[cfg(target_os = "linux")]
fn is_foreign(place: &Path) -> bool {
    rustix::fs::statfs(place).map_or(true, |found| {
        u32::try_from(found.f_type).is_ok_and(|magic| FOREIGN.contains(&magic))
    })
}

#[cfg(not(target_os = "linux"))]
fn is_foreign(_: &Path) -> bool {
    // Devices alone do not say it, and a wrong guess costs a copy only.
    true
}

// === impl MountId ===

impl MountId {
    #[cfg(target_os = "linux")]
    fn of(path: &Path) -> io::Result<Self> {
        use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
        let wanted = StatxFlags::INO | StatxFlags::MNT_ID;
        let found = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, wanted)?;
        Ok(Self {
            device: rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor),
            mount: found.stx_mnt_id,
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn of(path: &Path) -> io::Result<Self> {
        let device = fs::symlink_metadata(path)?.dev();
        Ok(Self { device, mount: 0 })
    }
}

/// Enough to make, link and remove names in a directory.
#[cfg(target_os = "linux")]
const PASSING: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PASSING: OFlags = OFlags::RDONLY;

/// The directory's name.
pub(crate) const NAME: &str = ".codex-es-guard-undo";

const STICKY: u32 = 0o1000;

/// `statfs(2)`: NFS, SMB (two of them), CIFS, Ceph, AFS, 9P, FUSE, Coda, OCFS2, GFS2.
#[cfg(target_os = "linux")]
const FOREIGN: &[u32] = &[
    0x0000_6969,
    0x0000_517B,
    0xFE53_4D42,
    0xFF53_4D42,
    0x00C3_6400,
    0x5346_414F,
    0x0102_1997,
    0x6573_5546,
    0x7375_7245,
    0x7461_636F,
    0x0116_1970,
];
