//! Any bytes as `/proc/PID/mountinfo`: looking for the other locations of a directory comes to an end,
//! and finds each once and never the directory's own.

#![no_main]

use guard_linux::fuzzing::aliases;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;

const IDS: [u64; 3] = [21, 30, 31];
const LOCATIONS: [&[u8]; 4] = [b"/", b"/home/u/proj/src", b"/mnt/p/src", b"/with space"];

fuzz_target!(|mountinfo: &[u8]| {
    for id in IDS {
        for location in LOCATIONS {
            let found = aliases(mountinfo, id, location);
            assert!(!found.iter().any(|other| other == location));
            assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
        }
    }
});
