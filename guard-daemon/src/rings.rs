//! Where a guard's ring is made.
//!
//! Whoever guards themselves has a directory that is theirs alone. Root's ring for somebody else is
//! read by that user's exporter and written by nobody but root: the file and its directory are
//! root's, and the only way there leads through a directory that is the user's (the *gate*), so that
//! other users do not see what this one's agents do. While root works behind the gate it is shut,
//! and nobody can put a link there that would redirect root.

use crate::cli::terminal;
use crate::protection::ProtectionFile;
use anyhow::{Context as _, Result, anyhow, bail};
use guard_core::event::RequestEvent;
use guard_core::ring::{Counter, MIN_LANE_WORDS, Producer, Reader, RingOptions};
use guard_report::directories::{make_passable, make_private};
use guard_report::hex;
use guard_report::paths::{Account, StatePaths};
use guard_report::protection::path_beside;
use std::fs::{self, DirBuilder, File, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A guard's ring.
pub(crate) struct MadeRing {
    pub(crate) producer: Producer,
    /// Where what is protected is written; `None` for a ring in memory.
    pub(crate) protection: Option<ProtectionFile>,
}

/// Makes a ring file in the first directory that takes one. If none does (every disk is full), the
/// session goes on with a ring in memory: it judges all the same, and its decisions are not seen.
pub(crate) fn create(paths: &StatePaths, options: RingOptions) -> Result<MadeRing> {
    let name = hex(&options.id);
    let mut refusals = Vec::new();
    for dir in paths.ring_directories() {
        let made = match paths.protected {
            None => make_in(&dir, &name, &options),
            Some(user) => make_behind_gate(&dir, user, &name, &options),
        };
        match made {
            Ok(ring) => {
                for refusal in refusals {
                    terminal::warn(&format!("{refusal}; trying {} instead", dir.display()));
                }
                return Ok(ring);
            }
            Err(error) => {
                let refusal = format!("{error:#}");
                tracing::warn!("{refusal}");
                refusals.push(refusal);
            }
        }
    }
    tracing::warn!("no directory takes a ring: this session's decisions are not recorded");
    terminal::warn(
        "no directory takes the session's ring (is the disk full?): destructive calls are judged \
         as ever, but neither the denial log nor the metrics will show them",
    );
    Ok(MadeRing {
        producer: Producer::anonymous(&options).context("making a ring in memory")?,
        protection: None,
    })
}

/// Counts a restore of this many files, in a ring of its own, from which the exporter takes it like
/// any guard's numbers: it comes when there is no guard, and waits while there is no exporter. Where
/// no ring can be made, the restore is not counted.
pub(crate) fn count_restore(files: usize) {
    let Err(error) = try_count_restore(files) else {
        return;
    };
    tracing::debug!("the restore is not counted: {error:#}");
}

/// Publishes a step of an override that a person wrote by hand, likewise in a ring of its own.
pub(crate) fn publish_override(event: &RequestEvent<'_>) {
    let published = with_own_ring(b"override", |ring| {
        ring.publish_request(event);
    });
    if let Err(error) = published {
        tracing::debug!("the override is not logged: {error:#}");
    }
}

fn try_count_restore(files: usize) -> Result<()> {
    with_own_ring(b"undo restore", |ring| {
        ring.add(Counter::UndoRestores, 1);
        ring.add(Counter::UndoRestoredFiles, files as u64);
    })
}

/// Makes a ring for one deed of a person, has it written, and ends it.
fn with_own_ring(session: &[u8], write: impl FnOnce(&Producer)) -> Result<()> {
    let paths = StatePaths::of_user(None)?;
    if paths.protected.is_some() {
        // Root acts for somebody else, whose exporter reads rings of guards only.
        return Ok(());
    }
    let options = RingOptions {
        id: crate::random::bytes().context("asking the kernel for random bytes")?,
        boot_id: boot_id(),
        created_wall_ns: guard_report::time::now_ns(),
        session: session.to_vec(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        deny_words: MIN_LANE_WORDS,
        allow_words: MIN_LANE_WORDS,
        change_words: MIN_LANE_WORDS,
        request_words: MIN_LANE_WORDS,
        ..RingOptions::default()
    };
    let name = hex(&options.id);
    let mut made = Err(anyhow!("no directory takes a ring"));
    for dir in paths.ring_directories() {
        made = make_in(&dir, &name, &options);
        if made.is_ok() {
            break;
        }
    }
    let ring = made?.producer;
    write(&ring);
    ring.finish();
    Ok(())
}

fn make_in(dir: &Path, name: &str, options: &RingOptions) -> Result<MadeRing> {
    // Whoever may write to the parent may put another directory in this one's place.
    dir.parent().map_or(Ok(()), make_private)?;
    make_private(dir)?;
    let path = dir.join(format!("{name}.ring"));
    Ok(MadeRing {
        producer: Producer::create(&path, options)?,
        protection: Some(ProtectionFile::in_directory(dir, name, false)?),
    })
}

/// Makes a ring that `user` may read: `dir` is root's, in a gate that is the user's, in a directory
/// that is root's.
fn make_behind_gate(
    dir: &Path,
    user: Account,
    name: &str,
    options: &RingOptions,
) -> Result<MadeRing> {
    let outside = || anyhow!("{} has no gate", dir.display());
    let gate = dir.parent().ok_or_else(outside)?;
    let base = gate.parent().ok_or_else(outside)?;
    make_passable(base)?;
    // Only root can open it: nobody else can make root wait.
    let turn = File::open(base).and_then(|opened| opened.lock().map(|()| opened));
    let _turn = turn.with_context(|| format!("waiting for a turn in {}", base.display()))?;
    shut(gate, user)?;
    let made = make_readable(dir, name, options);
    // Whatever happened behind it.
    open(gate, user)?;
    made
}

/// Gives a directory to root and closes it to others, whoever owned it; creates it if missing.
fn shut(gate: &Path, user: Account) -> Result<()> {
    let making = || format!("making the directory {}", gate.display());
    match DirBuilder::new().mode(0o700).create(gate) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => return made.with_context(making),
    }
    let found = fs::symlink_metadata(gate).with_context(making)?;
    if !found.is_dir() || ![0, user.uid].contains(&found.uid()) {
        bail!("{} is not a directory of user {}", gate.display(), user.uid);
    }
    chown(gate, Some(0), Some(0)).with_context(making)?;
    fs::set_permissions(gate, Permissions::from_mode(0o700)).with_context(making)
}

/// Lets one user pass, besides root.
fn open(gate: &Path, user: Account) -> Result<()> {
    fs::set_permissions(gate, Permissions::from_mode(0o500))
        .and_then(|()| chown(gate, Some(user.uid), None))
        .with_context(|| format!("letting user {} pass {}", user.uid, gate.display()))
}

/// Makes a ring that whoever reaches it may read, and removes the oldest that are over: their
/// reader, who may not, has had its time.
fn make_readable(dir: &Path, name: &str, options: &RingOptions) -> Result<MadeRing> {
    make_private(dir)?;
    let readable = |path: &Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode))
            .with_context(|| format!("letting others read {}", path.display()))
    };
    readable(dir, 0o755)?;
    for (_, path) in over(dir).into_iter().skip(KEPT) {
        // A file that stays costs its room and nothing else.
        let id = path.file_stem().unwrap_or_default().to_string_lossy();
        let _stays = fs::remove_file(path_beside(&path, &id));
        let _stays = fs::remove_file(path);
    }
    let path = dir.join(format!("{name}.ring"));
    let ring = Producer::create(&path, options)?;
    readable(&path, 0o644)?;
    Ok(MadeRing {
        producer: ring,
        protection: Some(ProtectionFile::in_directory(dir, name, true)?),
    })
}

/// The rings in this directory whose writers are gone, the latest first.
fn over(dir: &Path) -> Vec<(SystemTime, PathBuf)> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_over = |path: &PathBuf| {
        path.extension().is_some_and(|found| found == "ring")
            && Reader::attach(path).is_ok_and(|ring| !ring.is_writer_alive())
    };
    let modified = |path: &Path| fs::metadata(path).and_then(|found| found.modified());
    let mut found: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(is_over)
        .filter_map(|path| Some((modified(&path).ok()?, path)))
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

/// Rings without a writer that are kept for a reader that was not there.
const KEPT: usize = 8;

/// The identity of this boot; zeros where the system has none.
pub(crate) fn boot_id() -> [u8; 16] {
    #[cfg(target_os = "linux")]
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    #[cfg(target_os = "macos")]
    let text = guard_es::processes::boot_session().unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes()
}
