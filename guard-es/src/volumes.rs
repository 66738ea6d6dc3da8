//! How each volume compares names.
//!
//! A policy is compiled with the folding of every directory among the parents of its paths. A path
//! that does not exist yet is assumed to be on the volume of its nearest existing parent. Results
//! are cached for one compilation only, because device numbers are reused.

use guard_core::zones::Folding;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The folding of each volume that was queried so far.
pub struct Volumes<'a> {
    ask: &'a dyn Fn(&Path) -> Folding,
    device_of: &'a dyn Fn(&Path) -> Option<u64>,
    known: RefCell<HashMap<u64, Folding>>,
}

// === impl Volumes ===

impl Volumes<'static> {
    /// This machine's volumes.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::new(&ask_system, &device_of)
    }
}

impl<'a> Volumes<'a> {
    /// Volumes identified by `device_of` an existing path, and queried with `ask`, which is given a
    /// directory on the volume.
    pub fn new(
        ask: &'a dyn Fn(&Path) -> Folding,
        device_of: &'a dyn Fn(&Path) -> Option<u64>,
    ) -> Self {
        Self {
            ask,
            device_of,
            known: RefCell::default(),
        }
    }

    /// How the names in the directory at this canonical path are compared.
    #[must_use]
    pub fn folding(&self, directory: &[u8]) -> Folding {
        let path = Path::new(OsStr::from_bytes(directory));
        for existing in path.ancestors() {
            if let Some(device) = (self.device_of)(existing) {
                let mut known = self.known.borrow_mut();
                return *known.entry(device).or_insert_with(|| (self.ask)(existing));
            }
        }
        Folding::Exact
    }
}

impl std::fmt::Debug for Volumes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Volumes")
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

fn device_of(path: &Path) -> Option<u64> {
    path.metadata().ok().map(|found| found.dev())
}

/// `pathconf(_PC_CASE_SENSITIVE)` reports case sensitivity. Unicode normalisation follows from the
/// file system's name only: APFS ignores normalisation in both its forms, HFS+ stores names
/// decomposed. A volume that does not answer is taken for the usual kind, which protects more.
#[cfg(target_vendor = "apple")]
fn ask_system(directory: &Path) -> Folding {
    use crate::processes::{file_system, is_case_sensitive};
    let Ok(path) = std::ffi::CString::new(directory.as_os_str().as_bytes()) else {
        return Folding::Insensitive;
    };
    match is_case_sensitive(&path) {
        Some(true) => match file_system(&path).as_deref() {
            Some(b"apfs" | b"hfs") => Folding::Normalized,
            _ => Folding::Exact,
        },
        _ => Folding::Insensitive,
    }
}

#[cfg(not(target_vendor = "apple"))]
fn ask_system(_: &Path) -> Folding {
    Folding::Exact
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn each_volume_is_queried_once_and_counts_for_paths_that_do_not_exist_yet() {
        let asked = Cell::new(0);
        let ask = |path: &Path| {
            asked.set(asked.get() + 1);
            if path.starts_with("/Volumes/Exact") {
                Folding::Exact
            } else {
                Folding::Insensitive
            }
        };
        let device_of = |path: &Path| match path.to_str()? {
            "/" | "/Users" | "/Volumes" => Some(1),
            "/Volumes/Exact" => Some(2),
            _ => None,
        };
        let volumes = Volumes::new(&ask, &device_of);
        for _ in 0..3 {
            assert_eq!(volumes.folding(b"/Users/not/yet"), Folding::Insensitive);
            assert_eq!(volumes.folding(b"/"), Folding::Insensitive);
            assert_eq!(volumes.folding(b"/Volumes/Exact/a"), Folding::Exact);
            assert_eq!(volumes.folding(b"/Volumes/Other"), Folding::Insensitive);
        }
        assert_eq!(asked.get(), 2);
    }
}
