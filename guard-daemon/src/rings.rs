//! Where a session's ring is made.

use crate::journal::Journal;
use crate::places::{Places, make_private};
use anyhow::{Context as _, Result};
use guard_core::ring::{Producer, RingOptions};

/// Makes a ring file in the first directory that takes one. If none does (every disk is full), the
/// session goes on with a ring in memory: it judges all the same, and its decisions are not seen.
pub(crate) fn create(places: &Places, options: RingOptions, journal: &Journal) -> Result<Producer> {
    let name: String = options
        .id
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for dir in places.ring_directories() {
        let made = make_private(&dir).and_then(|()| {
            let path = dir.join(format!("{name}.ring"));
            Producer::create(&path, &options)
                .with_context(|| format!("making the ring {}", path.display()))
        });
        match made {
            Ok(ring) => return Ok(ring),
            Err(error) => journal.write(&format!("{error:#}")),
        }
    }
    journal.write("no directory takes a ring: this session's decisions are not recorded");
    crate::cli::terminal::warn(
        "no directory takes the session's ring (is the disk full?): destructive calls are judged \
         as ever, but neither the denial log nor the metrics will show them",
    );
    Producer::anonymous(&options).context("making a ring in memory")
}

/// The identity of this boot; zeros where the system has none.
pub(crate) fn boot_id() -> [u8; 16] {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes()
}
