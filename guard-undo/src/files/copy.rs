//! Copying a file's contents: by sharing its blocks where the file system can (`FICLONE`,
//! `clonefile`), else byte by byte, leaving holes as holes.

use super::{Name, PRIVATE, attributes};
use crate::journal::{Facts, Method};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt as _;
use std::time::Instant;

/// Copies the open file `from` to the new file `to`, with its attributes. `may_copy` is asked when
/// the blocks cannot be shared; copying bytes ends at `until`.
///
/// # Errors
///
/// What `may_copy` says, or the file system; [`TimedOut`](io::ErrorKind::TimedOut) at `until`. Then
/// nothing is left at `to`.
pub(crate) fn copy_file<E: From<io::Error>>(
    from: &File,
    to: Name<'_>,
    facts: &Facts,
    until: Option<Instant>,
    may_copy: impl FnOnce() -> Result<(), E>,
) -> Result<Method, E> {
    if clone_file(from, to) {
        let opened = to.open_for_reading();
        let attributes = opened.and_then(|file| attributes::set_attributes(&file, facts));
        if attributes.is_err() {
            let _stays = rustix::fs::unlinkat(to.dir, to.name, rustix::fs::AtFlags::empty());
        }
        attributes?;
        return Ok(Method::Reflink);
    }
    let file = to.create(PRIVATE)?;
    let copied = fill(from, &file, facts, until, may_copy);
    if copied.is_err() {
        let _stays = rustix::fs::unlinkat(to.dir, to.name, rustix::fs::AtFlags::empty());
    }
    copied
}

fn fill<E: From<io::Error>>(
    from: &File,
    to: &File,
    facts: &Facts,
    until: Option<Instant>,
    may_copy: impl FnOnce() -> Result<(), E>,
) -> Result<Method, E> {
    let method = if share_blocks(from, to).is_ok() {
        Method::Reflink
    } else {
        may_copy()?;
        copy_bytes(from, to, facts.size, until)?;
        Method::Copy
    };
    attributes::copy_attributes(from, to, facts)?;
    Ok(method)
}

/// Makes `to` a clone, which has mode, times, extended attributes and the ACL, too. Whether it did:
/// `false` where nothing of the kind can be done.
#[cfg(target_vendor = "apple")]
pub(crate) fn clone_file(from: &File, to: Name<'_>) -> bool {
    let flags = rustix::fs::CloneFlags::empty();
    rustix::fs::fclonefileat(from, to.dir, to.name, flags).is_ok()
}

#[cfg(not(target_vendor = "apple"))]
pub(crate) fn clone_file(_: &File, _: Name<'_>) -> bool {
    false
}

/// Shares the blocks of `from` with the empty file `to`.
#[cfg(target_os = "linux")]
pub(crate) fn share_blocks(from: &File, to: &File) -> Result<(), Errno> {
    rustix::fs::ioctl_ficlone(to, from)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn share_blocks(_: &File, _: &File) -> Result<(), Errno> {
    Err(Errno::OPNOTSUPP)
}

/// Copies `size` bytes into the empty file `to`, leaving holes as holes.
pub(crate) fn copy_bytes(
    from: &File,
    to: &File,
    size: u64,
    until: Option<Instant>,
) -> io::Result<()> {
    check_time(until)?;
    if size <= SMALL_BYTES {
        let start = copy_start(from, to, size)?;
        return copy_range(from, to, start, size, until);
    }
    to.set_len(size)?;
    let mut at = 0;
    while at < size {
        let Some((start, end)) = next_data(from, at, size) else {
            break;
        };
        copy_range(from, to, start, end, until)?;
        at = end;
    }
    Ok(())
}

/// Copies what one read of a small buffer takes, which costs half of what `copy_file_range` does;
/// returns how much it was.
fn copy_start(from: &File, to: &File, size: u64) -> io::Result<u64> {
    if size == 0 {
        return Ok(0);
    }
    let mut buffer = [MaybeUninit::uninit(); START_BYTES];
    let wanted = usize::try_from(size).unwrap_or(usize::MAX);
    let room = buffer.get_mut(..wanted.min(START_BYTES));
    let (read, _) = rustix::io::pread(from, room.unwrap_or_default(), 0)?;
    to.write_all_at(read, 0)?;
    Ok(u64::try_from(read.len()).unwrap_or(0))
}

/// The next part of a file that holds data, from `at` on.
#[cfg(target_os = "linux")]
fn next_data(from: &File, at: u64, size: u64) -> Option<(u64, u64)> {
    use rustix::fs::{SeekFrom, seek};
    let start = match seek(from, SeekFrom::Data(at)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return None,
        Err(_) => return Some((at, size)),
    };
    let end = seek(from, SeekFrom::Hole(start)).unwrap_or(size);
    (start < size).then_some((start, end.clamp(start + 1, size)))
}

#[cfg(not(target_os = "linux"))]
fn next_data(_: &File, at: u64, size: u64) -> Option<(u64, u64)> {
    Some((at, size))
}

fn copy_range(
    from: &File,
    to: &File,
    start: u64,
    end: u64,
    until: Option<Instant>,
) -> io::Result<()> {
    let mut at = start;
    #[cfg(target_os = "linux")]
    while at < end {
        check_time(until)?;
        let (mut read_at, mut write_at) = (at, at);
        let most = until.map_or(usize::MAX, |_| TIMED_BYTES);
        let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(most);
        let copied =
            rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), length);
        match copied {
            // It was cut meanwhile.
            Ok(0) => return Ok(()),
            Ok(count) => at += u64::try_from(count).unwrap_or(0),
            Err(Errno::INTR) => {}
            // Between file systems that cannot, or out of a file of procfs.
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if at >= end {
        return Ok(());
    }
    let mut buffer = vec![0; BUFFER_BYTES];
    while at < end {
        check_time(until)?;
        let wanted = usize::try_from(end - at)
            .unwrap_or(usize::MAX)
            .min(BUFFER_BYTES);
        let room = buffer.get_mut(..wanted).unwrap_or_default();
        let count = match from.read_at(room, at) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all_at(room.get(..count).unwrap_or_default(), at)?;
        at += u64::try_from(count).unwrap_or(0);
    }
    Ok(())
}

fn check_time(until: Option<Instant>) -> io::Result<()> {
    if until.is_some_and(|until| Instant::now() >= until) {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(())
}

/// Whether two files hold the same bytes. Where both have holes nothing is read.
pub(crate) fn is_same_contents(one: &File, other: &File) -> io::Result<bool> {
    let size = one.metadata()?.len();
    if size != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; BUFFER_BYTES], vec![0; BUFFER_BYTES]);
    let mut at = 0;
    while at < size {
        let parts = [next_data(one, at, size), next_data(other, at, size)];
        let Some((start, end)) = parts.into_iter().flatten().min() else {
            break;
        };
        let wanted = usize::try_from(end - start)
            .unwrap_or(usize::MAX)
            .min(BUFFER_BYTES);
        let (left, right) = (
            left.get_mut(..wanted).unwrap_or_default(),
            right.get_mut(..wanted).unwrap_or_default(),
        );
        one.read_exact_at(left, start)?;
        other.read_exact_at(right, start)?;
        if left != right {
            return Ok(false);
        }
        at = start + u64::try_from(wanted).unwrap_or(u64::MAX - start);
    }
    Ok(true)
}

/// Of files up to this length it costs less to copy holes than to look for them.
const SMALL_BYTES: u64 = 64 << 10;

/// On the stack, and all of most sources.
const START_BYTES: usize = 16 << 10;

const BUFFER_BYTES: usize = 256 << 10;

/// How many bytes one call of the kernel copies when there is a time limit.
#[cfg(target_os = "linux")]
const TIMED_BYTES: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    fn copy(dir: &Path, target: &Path, name: &CStr) -> Result<Method, io::Error> {
        let opened = File::open(dir).unwrap();
        let from = Name {
            dir: opened.as_fd(),
            name,
        };
        let facts = from.stat().unwrap().facts;
        let target = File::open(target).unwrap();
        let to = Name {
            dir: target.as_fd(),
            name: c"copy",
        };
        copy_file(&from.open_for_reading().unwrap(), to, &facts, None, || {
            Ok(())
        })
    }

    #[test]
    fn a_copy_has_contents_mode_time_attributes_and_holes() {
        for target in [Path::new("/tmp"), Path::new("/dev/shm")] {
            if !target.is_dir() {
                continue;
            }
            let dir = tempfile::tempdir().unwrap();
            let target = tempfile::tempdir_in(target).unwrap();
            let path = dir.path().join("file");
            let file = File::create_new(&path).unwrap();
            file.set_len(64 << 20).unwrap();
            file.write_all_at(b"in the middle", 32 << 20).unwrap();
            let marked =
                rustix::fs::fsetxattr(&file, c"user.mark", b"x", rustix::fs::XattrFlags::empty());
            let facts = Facts {
                mode: 0o100_604,
                mtime_ns: 1_234_567_890_123_456_789,
                uid: rustix::process::getuid().as_raw(),
                gid: rustix::process::getgid().as_raw(),
                ..Facts::default()
            };
            attributes::set_attributes(&file, &facts).unwrap();
            copy(dir.path(), target.path(), c"file").unwrap();
            let made = File::open(target.path().join("copy")).unwrap();
            assert!(is_same_contents(&file, &made).unwrap());
            let found = made.metadata().unwrap();
            assert_eq!(found.mode() & 0o7777, 0o604);
            assert_eq!(
                (found.mtime(), found.mtime_nsec()),
                (1_234_567_890, 123_456_789)
            );
            assert!(found.blocks() * 512 < 1 << 20, "{} blocks", found.blocks());
            let mut value = [0; 4];
            let read = rustix::fs::fgetxattr(&made, c"user.mark", &mut value[..]);
            // tmpfs has no user attributes before Linux 6.6.
            if marked.is_ok() && target.path().starts_with("/tmp") {
                assert_eq!((read, value[0]), (Ok(1), b'x'));
            }
        }
    }

    #[test]
    fn contents_are_compared_whatever_the_holes() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, parts: &[(&[u8], u64)]| {
            let path = dir.path().join(name);
            let mut options = File::options();
            let file = options.read(true).write(true).create_new(true).open(path);
            let file = file.unwrap();
            file.set_len(4 << 30).unwrap();
            for (bytes, at) in parts {
                file.write_all_at(bytes, *at).unwrap();
            }
            file
        };
        let one = make("one", &[(b"data", 3 << 30)]);
        let same = make("same", &[(b"data", 3 << 30), (&[0; 4096], 1 << 30)]);
        let other = make("other", &[(b"data", 3 << 30), (b"x", 1 << 30)]);
        let empty = make("empty", &[]);
        assert!(is_same_contents(&one, &same).unwrap());
        assert!(!is_same_contents(&one, &other).unwrap());
        assert!(!is_same_contents(&one, &empty).unwrap());
        assert!(is_same_contents(&empty, &empty).unwrap());
    }

    #[test]
    fn a_copy_that_takes_too_long_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), vec![b'x'; 1 << 20]).unwrap();
        let opened = File::open(dir.path()).unwrap();
        let from = File::open(dir.path().join("file")).unwrap();
        let to = Name {
            dir: opened.as_fd(),
            name: c"copy",
        };
        let facts = Facts {
            size: 1 << 20,
            ..Facts::default()
        };
        let now = Some(Instant::now());
        // A file system that shares blocks needs no time.
        if let Err(error) = copy_file(&from, to, &facts, now, || Ok::<_, io::Error>(())) {
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(!dir.path().join("copy").exists());
        }
    }

    #[test]
    fn what_may_not_be_copied_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "x").unwrap();
        let opened = File::open(dir.path()).unwrap();
        let from = File::open(dir.path().join("file")).unwrap();
        let to = Name {
            dir: opened.as_fd(),
            name: c"copy",
        };
        let refuse = || Err(io::Error::other("no room"));
        let facts = Facts::default();
        if copy_file(&from, to, &facts, None, refuse).is_err() {
            assert!(!dir.path().join("copy").exists());
        }
    }
}
