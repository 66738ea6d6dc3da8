//! Where a guard's ring is made.

use crate::cli::terminal;
use crate::journal::Journal;
use crate::places::{Places, make_private};
use anyhow::{Context as _, Result};
use guard_core::ring::{Producer, RingOptions};
use std::path::Path;

/// Makes a ring file in the first directory that takes one. If none does (every disk is full), the
/// session goes on with a ring in memory: it judges all the same, and its decisions are not seen.
pub(crate) fn create(places: &Places, options: RingOptions, journal: &Journal) -> Result<Producer> {
    let name: String = options
        .id
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut refusals = Vec::new();
    for dir in places.ring_directories() {
        match make_in(&dir, &name, &options) {
            Ok(ring) => {
                for refusal in refusals {
                    terminal::warn(&format!("{refusal}; trying {} instead", dir.display()));
                }
                return Ok(ring);
            }
            Err(error) => {
                let refusal = format!("{error:#}");
                journal.write(&refusal);
                refusals.push(refusal);
            }
        }
    }
    journal.write("no directory takes a ring: this session's decisions are not recorded");
    terminal::warn(
        "no directory takes the session's ring (is the disk full?): destructive calls are judged \
         as ever, but neither the denial log nor the metrics will show them",
    );
    Producer::anonymous(&options).context("making a ring in memory")
}

fn make_in(dir: &Path, name: &str, options: &RingOptions) -> Result<Producer> {
    // Whoever may write to the parent may put another directory in this one's place.
    dir.parent().map_or(Ok(()), make_private)?;
    make_private(dir)?;
    let path = dir.join(format!("{name}.ring"));
    Producer::create(&path, options).map_err(anyhow::Error::new)
}

/// The identity of this boot; zeros where the system has none.
pub(crate) fn boot_id() -> [u8; 16] {
    #[cfg(target_os = "linux")]
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    #[cfg(target_os = "macos")]
    let text = guard_es::processes::boot_session().unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes()
}
