//! Walking a path as its caller would, one component at a time.
//!
//! The kernel's own walk (`openat2`) is right for nearly every path. Three things it would resolve
//! for the guard instead of the caller, so they are walked here: the root directory of a caller in a
//! chroot or another mount namespace, `/proc/self` and `/proc/thread-self`, and magic links
//! (`/proc/PID/cwd`, `fd/N`). Each step pins what it found, so nothing can be swapped under
//! the walk; the kernel still checks search permission at every step.

use super::files::{self, Identity, PATH_MAX};
use rustix::fs::{FileType, Mode};
use rustix::io::{Errno, Result};
use std::collections::VecDeque;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What a path is resolved with: its caller's directories, ids and user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResolveContext<'a> {
    /// The caller's root directory.
    pub(crate) root: BorrowedFd<'a>,
    /// Where a relative path starts.
    pub(crate) start: BorrowedFd<'a>,
    /// What `/proc/self` is called for the caller, in its procfs.
    pub(crate) pid: u32,
    /// The calling thread's id there.
    pub(crate) tid: u32,
    /// The caller's file system user id: a link in a sticky directory is followed only when it is
    /// the follower's or the directory owner's (`fs.protected_symlinks`).
    pub(crate) uid: u32,
}

/// Walks `path` to a directory and pins it.
///
/// # Errors
///
/// The errno the caller would get: `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`.
pub(crate) fn directory(context: ResolveContext<'_>, path: &[u8]) -> Result<OwnedFd> {
    let found = object(context, path)?;
    if files::stat_pin(found.as_fd())?.is_directory() {
        Ok(found)
    } else {
        Err(Errno::NOTDIR)
    }
}

/// Walks `path` to whatever it leads to, following a final symbolic link, and pins it.
///
/// # Errors
///
/// As [`directory`].
pub(crate) fn object(context: ResolveContext<'_>, path: &[u8]) -> Result<OwnedFd> {
    let root = files::stat_pin(context.root)?.identity;
    let start = if path.starts_with(b"/") {
        context.root
    } else {
        context.start
    };
    let mut here = files::duplicate(start)?;
    let mut ahead: VecDeque<Vec<u8>> = components(path).collect();
    let mut links = 0;
    while let Some(name) = ahead.pop_front() {
        if name == b".." {
            here = parent(here, root)?;
            continue;
        }
        let name = own_name(&context, here.as_fd(), name)?;
        let c_name = CString::new(name).map_err(|_| Errno::NOENT)?;
        let next = files::pin_component(here.as_fd(), &c_name)?;
        let found = files::stat_pin(next.as_fd())?;
        if found.file_type != FileType::Symlink {
            here = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(Errno::LOOP);
        }
        let base = here.as_fd();
        if is_magic(base, &c_name) {
            here = files::pin_following(base, &c_name)?;
            continue;
        }
        check_may_follow(here.as_fd(), found.uid, context.uid)?;
        let mut target = Vec::new();
        files::read_link(next.as_fd(), c"", &mut target)?;
        if target.starts_with(b"/") {
            here = files::duplicate(context.root)?;
        }
        let length = target.len() + ahead.iter().map(|part| part.len() + 1).sum::<usize>();
        if length >= PATH_MAX {
            return Err(Errno::NAMETOOLONG);
        }
        for part in components(&target).collect::<Vec<_>>().into_iter().rev() {
            ahead.push_front(part);
        }
    }
    Ok(here)
}

/// The components of a path that mean a step. An empty one does not, nor does `.`.
fn components(path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    path.split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(<[u8]>::to_vec)
}

/// `..`, which at the caller's root leads nowhere.
fn parent(here: OwnedFd, root: Identity) -> Result<OwnedFd> {
    if files::stat_pin(here.as_fd())?.identity == root {
        return Ok(here);
    }
    files::pin_component(here.as_fd(), c"..")
}

/// `self` and `thread-self` at the top of a procfs, by the caller's own numbers.
fn own_name(context: &ResolveContext<'_>, here: BorrowedFd<'_>, name: Vec<u8>) -> Result<Vec<u8>> {
    if name != b"self" && name != b"thread-self" {
        return Ok(name);
    }
    let found = files::stat_pin(here)?;
    if found.identity.inode != PROC_ROOT_INODE || !files::is_procfs(here) {
        return Ok(name);
    }
    let number = if name == b"self" {
        context.pid
    } else {
        context.tid
    };
    // A thread's directory answers at the top as well, though it is not listed there.
    Ok(number.to_string().into_bytes())
}

/// Whether following this symbolic link jumps to an object instead of reading a path.
fn is_magic(base: BorrowedFd<'_>, name: &CString) -> bool {
    let refused = files::pin_without_magic(base, name);
    refused.is_err_and(|error| error == Errno::LOOP) && files::is_procfs(base)
}

/// `fs.protected_symlinks` (`proc_sys_fs(5)`): what `may_follow_link` checks in the kernel's walk.
fn check_may_follow(dir: BorrowedFd<'_>, link_owner: u32, follower: u32) -> Result<()> {
    let dir = files::stat_pin(dir)?;
    let restricted = dir.mode.contains(Mode::SVTX | Mode::WOTH);
    if restricted && link_owner != follower && link_owner != dir.uid {
        return Err(Errno::ACCESS);
    }
    Ok(())
}

/// `MAXSYMLINKS` (`include/linux/namei.h`).
const MAX_LINKS: usize = 40;

/// `PROC_ROOT_INO` (`include/linux/proc_ns.h`).
const PROC_ROOT_INODE: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::CWD;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn pin(path: &Path) -> OwnedFd {
        let path = CString::new(path.as_os_str().as_encoded_bytes()).unwrap();
        files::pin_directory(CWD, &path).unwrap()
    }

    struct House {
        dir: tempfile::TempDir,
        root: OwnedFd,
        start: OwnedFd,
    }

    fn house() -> House {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("root/a/b")).unwrap();
        std::fs::write(dir.path().join("root/a/file"), b"").unwrap();
        symlink("/a/b", dir.path().join("root/a/absolute")).unwrap();
        symlink("../../../../a", dir.path().join("root/a/above")).unwrap();
        symlink("loop", dir.path().join("root/loop")).unwrap();
        House {
            root: pin(&dir.path().join("root")),
            start: pin(&dir.path().join("root/a")),
            dir,
        }
    }

    impl House {
        fn walk(&self, path: &str) -> Result<Identity> {
            let me = std::process::id();
            let context = ResolveContext {
                root: self.root.as_fd(),
                start: self.start.as_fd(),
                pid: me,
                tid: me,
                uid: 0,
            };
            directory(context, path.as_bytes())
                .map(|found| files::stat_pin(found.as_fd()).unwrap().identity)
        }

        fn identity(&self, path: &str) -> Result<Identity> {
            Ok(files::stat_pin(pin(&self.dir.path().join(path)).as_fd())
                .unwrap()
                .identity)
        }
    }

    #[test]
    fn the_callers_root_is_the_top() {
        let house = house();
        assert_eq!(house.walk("/"), house.identity("root"));
        assert_eq!(house.walk("/../.."), house.identity("root"));
        assert_eq!(house.walk("../../.."), house.identity("root"));
        assert_eq!(house.walk("/a/absolute"), house.identity("root/a/b"));
        assert_eq!(house.walk("above"), house.identity("root/a"));
        assert_eq!(house.walk("b/./../b//"), house.identity("root/a/b"));
    }

    #[test]
    fn errors_are_the_kernels() {
        let house = house();
        assert_eq!(house.walk("/nothing/x"), Err(Errno::NOENT));
        assert_eq!(house.walk("file"), Err(Errno::NOTDIR));
        assert_eq!(house.walk("file/x"), Err(Errno::NOTDIR));
        assert_eq!(house.walk("/loop"), Err(Errno::LOOP));
        assert_eq!(house.walk(&"x".repeat(300)), Err(Errno::NAMETOOLONG));
    }

    #[test]
    fn magic_links_and_self_are_the_callers() {
        let mut house = house();
        house.root = pin(Path::new("/"));
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(house.dir.path().join("root/a/b"))
            .spawn()
            .unwrap();
        let context = ResolveContext {
            root: house.root.as_fd(),
            start: house.start.as_fd(),
            pid: child.id(),
            tid: child.id(),
            uid: 0,
        };
        for path in [
            "/proc/self/cwd",
            "/proc/thread-self/cwd/../b",
            "/proc/self/root/proc/self/cwd",
        ] {
            let found = directory(context, path.as_bytes());
            let found = files::stat_pin(found.unwrap().as_fd()).unwrap().identity;
            assert_eq!(Ok(found), house.identity("root/a/b"), "{path}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
