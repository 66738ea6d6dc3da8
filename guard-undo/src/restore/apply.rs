//! Doing what a plan says.

use super::item::{Action, Effect, Item};
use super::plan::Plan;
use crate::Recorder;
use crate::files::{Kind, Name, OwnedName, copy_file, set_attributes};
use crate::journal::{Facts, Method};
use crate::store::PreserveError;
use crate::store::recorder::{Discard, Lost, Moved, Worth};
use rustix::fs::{AtFlags, Mode, OFlags};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// What a restore did.
#[derive(Debug, Default)]
pub struct Applied {
    /// Items put where they stood, or below another directory.
    pub restored: usize,
    /// Items put beside what the person changed.
    pub beside: usize,
    /// Items that were there already.
    pub already: usize,
    /// Items that could not be put back.
    pub failures: Vec<Failure>,
}

/// One item that could not be put back.
#[derive(Debug)]
pub struct Failure {
    /// Which.
    pub item: Item,
    /// Why.
    pub error: ApplyError,
}

/// Why an item could not be put back. What stood in its place still does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The plan said so.
    #[error("{0}")]
    Unavailable(String),
    /// What is in the way could not be preserved.
    #[error("preserving what is in the way")]
    Preserve(#[from] PreserveError),
    /// The file system refused.
    #[error("putting it back")]
    Put(#[from] io::Error),
}

struct Applier<'p> {
    plan: &'p Plan,
    /// Where what is in the way goes.
    recorder: &'p Recorder,
    now_ns: u64,
    /// Directories whose times are set when all is in them.
    directories: Vec<(Vec<u8>, Facts)>,
}

// === impl Plan ===

impl Plan {
    /// Does what the plan says, item by item; one that fails does not keep the others back.
    /// `recorder` is a session of its own, for what is in the way.
    #[must_use]
    pub fn apply(&self, recorder: &Recorder, now_ns: u64) -> Applied {
        let mut applied = Applied::default();
        let mut applier = Applier {
            plan: self,
            recorder,
            now_ns,
            directories: Vec::new(),
        };
        for item in &self.items {
            match &item.effect {
                Effect::AlreadyThere => {
                    applied.already += 1;
                    continue;
                }
                Effect::Unavailable(why) => {
                    applied.failures.push(Failure {
                        item: item.clone(),
                        error: ApplyError::Unavailable(why.clone()),
                    });
                    continue;
                }
                Effect::Clear | Effect::Replaces | Effect::Beside | Effect::Parks => {}
            }
            match applier.put(item) {
                Ok(()) if item.effect == Effect::Beside => applied.beside += 1,
                Ok(()) if item.effect == Effect::Parks => {}
                Ok(()) => applied.restored += 1,
                Err(error) => applied.failures.push(Failure {
                    item: item.clone(),
                    error,
                }),
            }
        }
        applier.finish_directories();
        applied
    }
}

// === impl Applier ===

impl Applier<'_> {
    fn put(&mut self, item: &Item) -> Result<(), ApplyError> {
        let target = OwnedName::of_path(item.target.as_bytes(), true)?;
        let place = target.as_name();
        match &item.action {
            Action::Move { from } => self.put_moved(from.as_bytes(), item, place),
            Action::Directory { facts } => self.put_directory(item, place, facts),
            Action::Link { target, facts } => {
                let part = self.part_name()?;
                rustix::fs::symlinkat(target.as_path(), place.dir, &part)
                    .map_err(io::Error::from)?;
                set_link_times(place, &part, facts);
                self.finish(item, place, &part)
            }
            Action::File {
                object,
                method,
                facts,
                ..
            } => self.put_file(item, place, object, *method, facts),
        }
    }

    fn put_moved(&self, from: &[u8], item: &Item, place: Name<'_>) -> Result<(), ApplyError> {
        let source = OwnedName::of_path(from, false)?;
        let source = source.as_name();
        let found = source.stat()?;
        let in_the_way = place.stat_if_any()?;
        if in_the_way.is_some_and(|found| found.kind == Kind::Directory) {
            let why = "a directory is in the way; move it aside first".to_owned();
            return Err(ApplyError::Unavailable(why));
        }
        self.preserve(item, place)?;
        rustix::fs::renameat(source.dir, source.name, place.dir, place.name)
            .map_err(io::Error::from)?;
        let moved = Moved {
            from,
            to: item.target.as_bytes(),
            exchange: false,
            found,
            agent: None,
        };
        // The move is done; a journal that cannot take it only cannot undo it.
        let _full = self.recorder.renamed(&moved, self.now_ns);
        Ok(())
    }

    fn put_directory(
        &mut self,
        item: &Item,
        place: Name<'_>,
        facts: &Facts,
    ) -> Result<(), ApplyError> {
        // A directory that was made on the way to another item is this one.
        let there = place.stat_if_any()?.map(|found| found.kind);
        if there != Some(Kind::Directory) {
            self.preserve_and_remove(item, place)?;
            rustix::fs::mkdirat(place.dir, place.name, Mode::RWXU).map_err(io::Error::from)?;
        }
        self.directories.push((item.target.0.clone(), *facts));
        Ok(())
    }

    fn put_file(
        &self,
        item: &Item,
        place: Name<'_>,
        object: &Path,
        method: Method,
        facts: &Facts,
    ) -> Result<(), ApplyError> {
        let kept = OwnedName::of_path(object.as_os_str().as_bytes(), false)?;
        let kept = kept.as_name();
        let part = self.part_name()?;
        let to = Name {
            dir: place.dir,
            name: &part,
        };
        let disk_bytes = kept.stat()?.disk_bytes;
        let stays = self.plan.elsewhere || !method.keeps_inode();
        let may_copy = || {
            if stays || disk_bytes <= MAX_COPY {
                Ok(())
            } else {
                Err(io::Error::from(io::ErrorKind::FileTooLarge))
            }
        };
        let opened = kept.open_for_reading();
        let copied = opened.and_then(|from| copy_file(&from, to, facts, None, may_copy));
        if let Err(error) = copied {
            if stays {
                return Err(error.into());
            }
            // Large, or another owner's: the inode itself goes back.
            rustix::fs::renameat(kept.dir, kept.name, to.dir, to.name).map_err(io::Error::from)?;
        }
        self.finish(item, place, &part)
    }

    /// Puts what was made under another name in its place.
    fn finish(&self, item: &Item, place: Name<'_>, part: &CString) -> Result<(), ApplyError> {
        let put = self.preserve(item, place).and_then(|()| {
            rustix::fs::renameat(place.dir, part, place.dir, place.name)
                .map_err(|error| io::Error::from(error).into())
        });
        if put.is_err() {
            let _stays = rustix::fs::unlinkat(place.dir, part, AtFlags::empty());
        }
        put
    }

    fn preserve(&self, item: &Item, place: Name<'_>) -> Result<(), ApplyError> {
        let lost = Lost {
            name: place,
            path: item.target.as_bytes(),
            found: None,
            agent: None,
            until: None,
            at_ns: self.now_ns,
        };
        self.recorder
            .discard(&lost, Discard::Replaced, Worth::Always, false)?;
        Ok(())
    }

    fn preserve_and_remove(&self, item: &Item, place: Name<'_>) -> Result<(), ApplyError> {
        if place.stat_if_any()?.is_some() {
            self.preserve(item, place)?;
            rustix::fs::unlinkat(place.dir, place.name, AtFlags::empty())
                .map_err(io::Error::from)?;
        }
        Ok(())
    }

    /// Modes and times of directories, which change while things are put into them. The deepest
    /// first: a directory that nobody may enter shuts what is below.
    fn finish_directories(&mut self) {
        self.directories
            .sort_by(|(one, _), (other, _)| one.cmp(other));
        while let Some((path, facts)) = self.directories.pop() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = OwnedName::of_path(&path, false).and_then(|name| {
                Ok(rustix::fs::openat(
                    &name.dir,
                    &name.name,
                    flags,
                    Mode::empty(),
                )?)
            });
            if let Ok(opened) = opened {
                // All is back in it; that its mode is another is seen.
                let _differs = set_attributes(&File::from(opened), &facts);
            }
        }
    }

    /// A name in the target's directory that nobody has.
    fn part_name(&self) -> io::Result<CString> {
        let number = self.now_ns ^ u64::from(std::process::id()).rotate_left(32);
        Ok(CString::new(format!(".codex-es-guard-undo.{number:016x}"))?)
    }
}

fn set_link_times(place: Name<'_>, part: &CString, facts: &Facts) {
    use rustix::fs::{Gid, Timespec, Timestamps, Uid};
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    let (owner, group) = (Uid::from_raw(facts.uid), Gid::from_raw(facts.gid));
    let _not_ours = rustix::fs::chownat(place.dir, part, Some(owner), Some(group), flags);
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_OMIT,
        },
        last_modification: crate::files::timespec(facts.mtime_ns),
    };
    let _keeps_none = rustix::fs::utimensat(place.dir.as_fd(), part, &times, flags);
}

/// Kept inodes up to this size are copied back, so that they can be had again; larger ones go back
/// themselves.
const MAX_COPY: u64 = 64 << 20;
